"""Protects papermill's parameters: one that is misspelt, missing or of the wrong type never runs with a default.

And the pages: a family of experiments is shown on every corpus where it was run, and figures can be read aloud.
"""

import json
from pathlib import Path

import pandas as pd
import pytest

from ser_lib import collection, notebook, pages, scoring
from ser_lib.corpora import TITLES
from ser_lib.errors import SerError

KERNEL = {
    "In": [],
    "Out": {},
    "get_ipython": print,
    "exit": None,
    "quit": None,
    "open": open,
    "_i1": "",
    "__name__": "x",
}


def test_the_parameters_of_the_notebook_pass():
    notebook.check_parameters({**KERNEL, "fold": 1, "corpus": "emodb", "notebook": notebook}, fold=int, corpus=str)


def test_a_misspelt_parameter_is_named_with_the_nearest():
    with pytest.raises(SerError, match="'flod'.*did you mean 'fold'"):
        notebook.check_parameters({**KERNEL, "fold": 1, "flod": 2}, fold=int)


@pytest.mark.parametrize("value", ["one", 1.5, None, True])
def test_a_parameter_of_the_wrong_type_is_refused(value):
    with pytest.raises(SerError, match="fold = .* must be of type int"):
        notebook.check_parameters({**KERNEL, "fold": value}, fold=int)


def test_a_parameter_that_is_not_set_is_refused():
    with pytest.raises(SerError, match="'fold' is not set"):
        notebook.check_parameters(KERNEL, fold=int)


def test_a_choice_that_does_not_exist_is_refused_and_the_nearest_is_suggested():
    notebook.check_choice("source", "runs", ["results", "runs"])
    with pytest.raises(SerError, match="source = 'run' is none of its choices; did you mean 'runs'.*Known: results"):
        notebook.check_choice("source", "run", ["results", "runs"])


def test_a_family_is_shown_on_each_corpus_where_it_was_run_or_diverged_with_its_runs_behind(monkeypatch):
    """IEMOCAP among them, for whoever has it; a corpus where every run diverged says so, and is not left out."""
    shown = []
    monkeypatch.setattr(notebook, "display", shown.append)
    names = ["pooling-max", "table1-baseline"]
    rows = [(corpus, name, fold, 0) for corpus in ("iemocap", "emodb") for name in names for fold in range(1, 8)]
    runs = pd.DataFrame(rows, columns=scoring.RUN).assign(code="abc", hardware="an abacus")
    scored = runs[scoring.RUN].assign(wa=0.5, ua=[0.6 if name == "pooling-max" else 0.5 for _, name, *_ in rows])
    failures = pd.DataFrame([("nemo", "pooling-max", 1, 0, 3)], columns=[*scoring.RUN, "epoch"])
    empty = pd.DataFrame()
    results = collection.Results(runs, empty, empty, empty, empty, failures)
    notebook.show_comparisons(results, scored, "pooling", "Pooling")
    captions = [part.caption for part in shown if isinstance(part, pages.Shown)]
    assert [caption.split(";")[0] for caption in captions] == ["Pooling, Emo-DB", "Pooling, nEMO", "Pooling, IEMOCAP"]
    assert shown[0].frame["UA, difference"].tolist() == ["+10.0 [+10.0, +10.0]"]
    assert "diverged" in str(shown[2].frame["UA, difference"].tolist()[0])
    assert len(shown) == 7  # a table and a figure each, and the runs behind them
    assert shown[-1].text.startswith("Emo-DB: 14 runs") and "IEMOCAP: 14 runs" in shown[-1].text


PAGES = sorted((Path(__file__).parents[1] / "book").glob("*.ipynb"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_figure_has_words_in_its_place_and_several_name_no_corpus(page):
    """One cell's words stand for all of its figures: where these are of several corpora, they must not name one."""
    for number, cell in enumerate(json.loads(page.read_text())["cells"]):
        drawn = sum("image/svg+xml" in output.get("data", {}) for output in cell.get("outputs", []))
        if not drawn:
            continue
        words = cell["metadata"].get("mystnb", {}).get("image", {}).get("alt", "")
        assert len(words) > 20, f"{page.name}, cell {number}: no alt text"
        one = [title for title in TITLES.values() if f"{title}:" in words or f"on {title}," in words]
        assert drawn == 1 or not one, f"{page.name}, cell {number}: {drawn} figures are said to be of {one[0]}"

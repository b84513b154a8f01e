"""Protects the tables as pages show them: safe, whole, to be downloaded, and with the runs behind them."""

import base64
import io
import json
import pkgutil
import re
import time

import pandas as pd
import pytest

from ser_lib import pages, paths


def test_a_shown_table_escapes_its_content_and_marks_verdicts():
    shown = pages.Shown(pd.DataFrame({"a": ["<b>", pages.Cell("holds", "verdict holds")]}), "a < b")
    html = shown._repr_html_()
    assert "&lt;b&gt;" in html and "a &lt; b" in html and "<b>" not in html
    assert '<span class="verdict holds">holds</span>' in html
    text = repr(pages.Shown(shown.frame.assign(b=1.5), "a < b", "10 runs"))
    assert text == "a < b\na | b\n<b> | 1.5\nholds | 1.5\n10 runs"


# What can be downloaded


def decoded(link: str) -> pd.DataFrame:
    kind, data = re.search(r'href="data:([a-z/]+);base64,([^"]*)"', link).groups()
    packing = {"text/csv": None, "application/gzip": "gzip"}[kind]
    return pd.read_csv(io.BytesIO(base64.b64decode(data)), compression=packing)


def test_a_shown_table_holds_itself_as_csv():
    frame = pd.DataFrame({"Claim": [pages.Cell("a, b", href="x.html"), pages.Cell("c")], "UA (%)": [1.5, 2.5]})
    text = pages.Shown(frame, "Scores, by claim")._repr_html_()
    assert 'download="scores-by-claim.csv"' in text
    assert decoded(text).to_dict("list") == {"Claim": ["a, b", "c"], "UA (%)": [1.5, 2.5]}


def test_a_cell_links_names_and_colours_its_text_safely():
    frame = pd.DataFrame({"a": [pages.Cell("<b>", css="verdict", href='x"y', anchor="here", note="5 < 6")]})
    text = pages.Shown(frame, "caption")._repr_html_()
    assert '<td id="here"><span class="verdict"><a href="x&quot;y">&lt;b&gt;</a></span><br>5 &lt; 6</td>' in text
    assert "<b>" in repr(pages.Shown(frame, "caption"))


def test_an_interval_is_not_broken_over_two_lines_and_the_csv_keeps_its_spaces():
    values = ["77.3 [67.6, 87.0]", "65.6 (2 folds)", "a (which is much longer than an interval) [1, 2]"]
    frame = pd.DataFrame({"UA": [*values, pages.Cell("holds", note="+1.0 [−1.0, +3.0]")]})
    text = pages.Shown(frame, "c")._repr_html_()
    assert "77.3 [67.6,\u00a087.0]<" in text and "65.6 (2\u00a0folds)<" in text and "+1.0 [−1.0,\u00a0+3.0]<" in text
    assert "a (which is much longer than an interval) [1,\u00a02]<" in text
    assert list(decoded(text)["UA"])[:3] == values


def test_a_column_of_words_stands_left_below_its_head_and_one_of_numbers_right_with_what_is_missing():
    frame = pd.DataFrame(
        {"Why": ["as the paper", "", pages.Cell("a `key` & more"), "–"], "UA": [1.5, "not run here", "–", 2.5]}
    )
    text = pages.Shown(frame, "c")._repr_html_()
    assert '<th scope="col" class="words">Why</th><th scope="col">UA</th>' in text
    assert '<td class="words">as the paper</td><td>1.5</td>' in text
    assert '<td class="words"></td><td>not run here' in text
    assert '<td class="words">a <code>key</code> &amp; more</td><td>–</td>' in text
    assert '<td class="words">–</td><td>2.5</td>' in text
    mixed = pages.Shown(pd.DataFrame({"Found": ["UA +1.0", "2.5"]}), "c")._repr_html_()
    assert '<td class="words">2.5</td>' in mixed
    assert '<th scope="col">x</th>' in pages.Shown(pd.DataFrame({"x": []}), "c")._repr_html_()


def test_per_cent_is_not_broken_from_its_number():
    text = pages.Shown(pd.DataFrame({"x": ["80 % power at 3.2 points"]}), "c")._repr_html_()
    assert "80\u00a0% power at 3.2 points" in text


def test_numbers_have_a_true_minus_names_their_hyphen_and_the_csv_is_left_as_it_is():
    values = ["-1.6 [-2.0, -1.2]", "batch-128", "`-1`", "x -0.5"]
    text = pages.Shown(pd.DataFrame({"x": values}), "c")._repr_html_()
    assert "−1.6 [−2.0,\u00a0−1.2]<" in text and ">batch-128<" in text and "<code>-1</code>" in text
    assert ">x −0.5<" in text
    assert list(decoded(text)["x"]) == values


def test_digests_stand_left_whether_or_not_letters_follow_each_other_in_them():
    text = pages.Shown(pd.DataFrame({"x": ["34c941047158", "7d349910bedc"]}), "c")._repr_html_()
    assert text.count('class="words"') == 3


@pytest.mark.parametrize("number", ["65.6 (2 folds)", "-1.6 (2 folds)", "+1.6 (2 folds)", "0 of 10", "1.4 [0.5, 2.4]"])
def test_a_number_of_some_folds_or_of_a_whole_stands_right(number):
    text = pages.Shown(pd.DataFrame({"x": [number, number]}), "c")._repr_html_()
    assert "words" not in text
    for words in (f"{number} networks", "best of 10", "NVIDIA H200 (shared)"):
        text = pages.Shown(pd.DataFrame({"x": [words]}), "c")._repr_html_()
        assert text.count('class="words"') == 2


def test_downloads_list_each_table_with_its_rows():
    shown = pages.Downloads({"Scores": pd.DataFrame({"x": [1, 2]}), "One": pd.DataFrame({"x": [1]})})
    assert repr(shown) == "Scores: 2 rows\nOne: 1 row"
    assert shown._repr_html_().count("<li>") == 2 and "(2 rows, csv.gz)" in shown._repr_html_()
    assert decoded(shown._repr_html_()).to_dict("list") == {"x": [1, 2]}
    assert 'download="scores.csv.gz"' in shown._repr_html_()


def test_a_packed_download_is_the_same_bytes_every_time(monkeypatch):
    """A page that is executed anew should not differ where no number does; gzip notes the time unless told not to."""
    frame = pd.DataFrame({"x": range(1000)})
    first = pages.download(frame, "x", packed=True)
    monkeypatch.setattr(time, "time", lambda: 1e9)
    assert pages.download(frame, "x", packed=True) == first
    assert len(first) < len(pages.download(frame, "x")) / 2


def test_a_table_says_below_which_runs_are_behind_it():
    shown = pages.Shown(pd.DataFrame({"a": [1]}), "caption", source="10 runs < 20")
    assert shown._repr_html_().endswith('</table><p class="source">10 runs &lt; 20</p></div>')
    assert repr(shown).endswith("\n10 runs < 20")
    assert "source" not in pages.Shown(pd.DataFrame({"a": [1]}), "caption")._repr_html_()
    assert pages.Source("a < b")._repr_html_() == '<p class="source">a &lt; b</p>' and repr(pages.Source("a")) == "a"


def test_pages_do_not_store_when_their_cells_were_run():
    """A page that is executed anew should not differ where no number does."""
    cells = [
        f"{page.name}: {cell['id']}"
        for page in sorted((paths.PROJECT / "book").glob("*.ipynb"))
        for cell in json.loads(page.read_text())["cells"]
        if "execution" in cell["metadata"]
    ]
    assert cells == []


PAGES = (
    "tables", "recurrent_batch_normalisation", "depth", "ablations", "optimizer", "gradients", "baselines", "cost",
)  # fmt: skip


@pytest.mark.parametrize("page", PAGES)
def test_every_table_and_figure_of_results_says_which_runs_are_behind_it(page):
    notebook = json.loads((paths.PROJECT / "book" / f"{page}.ipynb").read_text())
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    shows = [cell for cell in cells if re.search(r"pages\.Shown\(|figures\.\w+\(|show_comparisons\(", cell)]
    of_results = [
        cell for cell in shows
        if re.search(r"\b(scored|results|validation|histories|compared|measured|predictions|runs|best)\b", cell)
        and "run_summary" not in cell  # is itself the list of runs
    ]  # fmt: skip
    assert of_results
    assert [cell for cell in of_results if not re.search(r"source=|Source\(|show_comparisons\(", cell)] == []


def test_the_map_of_the_paper_leads_to_pages_and_code_that_are_there():
    chapter = (paths.PROJECT / "book" / "map.md").read_text()
    rows = re.findall(r"^\| (.+) \| (.+) \| (.+) \|$", chapter, re.MULTILINE)[1:]
    assert len(rows) > 15
    for _, linked, code in rows:
        pages_named, names = re.findall(r"\]\((\w+)\)", linked), re.findall(r"`([\w.]+)`", code)
        assert pages_named and names
        assert [page for page in pages_named if not (paths.PROJECT / "book" / f"{page}.ipynb").is_file()] == []
        for name in names:
            pkgutil.resolve_name(name)  # raises where there is no such module, or none of its names


def test_the_map_of_the_paper_names_every_equation_table_and_figure():
    of_paper = " ".join(re.findall(r"^\| (.+?) \|", (paths.PROJECT / "book" / "map.md").read_text(), re.MULTILINE))
    for named in (
        "eq. 1",
        "eq. 2",
        "eqs. 3 to 5",
        "eq. 6",
        "Figure 1",
        "Figure 2",
        "Figure 3",
        "Tables 1 and 2",
        "Table 3",
    ):
        assert named in of_paper

"""Protects the sentences on sources: no run is counted twice, and no experiment, corpus or seed is claimed."""

import numpy as np
import pandas as pd
import pytest

from ser_lib import provenance, scoring
from ser_lib.errors import SerError
from tidy import made, runs


def test_pairs_on_unlike_hardware_are_counted():
    best, vtlp = (runs(dict.fromkeys(range(1, 8), 1), name) for name in ("table1-best", "table1-vtlp"))
    every = pd.concat([best, vtlp]).assign(test_speaker=lambda table: "s" + table["fold"].astype(str), hardware="a")
    assert provenance.across_hardware(every, {"table1-best": "table1-vtlp"}) == ""
    assert provenance.across_hardware(every.iloc[:0], {"table1-best": "table1-vtlp"}) == ""  # nothing was run yet
    on_gpu = (every["experiment"] == "table1-vtlp") & (every["fold"] > 4)
    mixed = every.assign(hardware=np.where(on_gpu, "b", "a"))
    assert provenance.across_hardware(mixed, {"table1-best": "table1-vtlp"}) == (
        " Of 7 pairs, 3 are of runs on unlike hardware."
    )


def test_provenance_counts_runs_speakers_and_seeds_of_the_experiments_shown_and_no_others():
    ten = range(1, 11)
    runs = pd.concat([made("table1-best", ten, 2), made("table1-vtlp", ten, 2), made("pooling-max", range(1, 3))])
    assert provenance.behind(runs, "table1-best", corpora=["emodb"]) == (
        "Emo-DB: 20 runs (10 speakers × 2 seeds). Code abc; an abacus."
    )
    assert provenance.behind(runs, "table1-best", "table1-vtlp", corpora=["emodb"]) == (
        "Emo-DB: 40 runs (2 experiments × 10 speakers × 2 seeds). Code abc; an abacus."
    )
    # Of a family, two of four experiments were run.
    assert "40 runs (2 of 4 experiments × 10 speakers × 2 seeds)" in provenance.behind(runs, "table1")
    one = made("table1-best", range(3, 4))
    assert "Emo-DB: 1 run (1 speaker × 1 seed)" in provenance.behind(one, "table1-best")
    with pytest.raises(SerError, match="did you mean 'table1'"):
        provenance.behind(runs, "tabel1")


def test_provenance_multiplies_out_only_where_every_combination_was_run():
    uneven = pd.concat([made("table1-best", range(1, 4)), made("table1-vtlp", range(1, 3))])
    assert "5 runs (2 experiments × 2 to 3 speakers × 1 seed)" in provenance.behind(
        uneven, "table1-best", "table1-vtlp"
    )
    more_seeds = pd.concat([made("table1-best", range(1, 4)), made("table1-best", range(1, 2)).assign(seed=1)])
    assert "4 runs (3 speakers × 1 to 2 seeds)" in provenance.behind(more_seeds, "table1-best")


def test_provenance_names_what_was_not_run_and_every_code_and_hardware_once():
    runs = pd.concat(
        [
            made("table1-best", range(1, 3)),
            made("table1-best", range(3, 5), code="abd", hardware="a slide rule"),
            made("table1-best", range(1, 2), corpus="iemocap", code="zzz"),
        ]
    )
    assert provenance.behind(runs, "table1-best") == (
        "Emo-DB: 4 runs (4 speakers × 1 seed). IEMOCAP: 1 run (1 speaker × 1 seed). RAVDESS, nEMO: not run yet. "
        "Code abc, abd, zzz; a slide rule; an abacus."
    )
    assert provenance.behind(runs, "table1-best", corpora=["nemo", "emodb"]) == (
        "Emo-DB: 4 runs (4 speakers × 1 seed). nEMO: not run yet. Code abc, abd; a slide rule; an abacus."
    )
    assert provenance.behind(runs.iloc[:0], "table1") == "Emo-DB, RAVDESS, nEMO: not run yet."
    assert provenance.behind(runs.iloc[:0], "table1", corpora=["iemocap"]) == "IEMOCAP: not run here."
    assert "Code 0, 1, 2, 2 more;" in provenance.behind(
        pd.concat(made("table1-best", range(fold, fold + 1), code=str(fold)) for fold in range(5)), "table1-best"
    )


def test_provenance_counts_a_run_once_however_many_rows_it_has():
    measured = pd.concat([made("table1-baseline", range(1, 4)).assign(batch_size=size) for size in (16, 64)])
    assert "3 runs (3 speakers × 1 seed)" in provenance.behind(measured, "table1-baseline")


def test_a_page_shows_every_corpus_that_was_run_in_one_order_and_no_other():
    """An owner of IEMOCAP finds their runs on every page; a corpus on which only other experiments were run is none."""
    runs = pd.concat(
        [
            made("vtlp-alone", range(1, 2), corpus="iemocap"),
            made("vtlp-alone", range(1, 2), corpus="ravdess"),
            made("table1-best", range(1, 2), corpus="nemo"),
            made("vtlp-alone", range(1, 2), corpus="synthetic"),
        ]
    )
    assert provenance.corpora_with(runs, "vtlp-alone") == ["ravdess", "iemocap"]
    assert provenance.corpora_with(runs, "alone", "table1-best") == ["ravdess", "nemo", "iemocap"]
    assert provenance.corpora_with(runs, "pooling-max") == ["emodb"]  # of which a page then says that it was not run
    with pytest.raises(SerError, match="did you mean 'alone'"):
        provenance.corpora_with(runs, "alne")
    # What a family only compares with does not make it one that was run.
    assert provenance.corpora_with(made("table1-baseline", range(1, 2), corpus="nemo"), "pooling") == ["emodb"]


def test_folds_are_called_speakers_only_where_each_tests_one():
    of = pd.DataFrame([("emodb", "protocol-sessions", fold, 0, "c", "h") for fold in (1, 2)],
                      columns=[*scoring.RUN, "code", "hardware"])  # fmt: skip
    assert "2 runs (2 folds × 1 seed)" in provenance.behind(of, "protocol-sessions")
    assert "2 runs (2 speakers × 1 seed)" in provenance.behind(
        of.assign(experiment="protocol-test-validates"), "protocol-test-validates"
    )

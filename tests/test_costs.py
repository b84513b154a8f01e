"""Protects the tables of cost: medians, sums and peaks are of the runs that were measured, and of no others."""

import pandas as pd

from ser_lib import costs, experiments, records, scoring, wording
from tidy import made, shuffled


def test_costs_are_the_median_the_longest_and_the_sum_of_seconds_and_the_highest_peak():
    runs = shuffled(
        made("table1-best", range(1, 2), seconds=10.0, epochs=10, peak_memory_mib=900),
        made("table1-best", range(2, 3), seconds=40.0, epochs=20, peak_memory_mib=2100),
        made("table1-best", range(3, 4), seconds=3550.0, epochs=10, peak_memory_mib=800),
        made("table1-best", range(1, 2), hardware="a slide rule", seconds=7200.0),
        made("pooling-max", range(1, 2), corpus="nemo", seconds=1.25, epochs=1),
    )
    shown = costs.of_runs(runs).set_index(["Corpus", "Hardware"])
    assert shown.loc[("Emo-DB", "an abacus")].to_dict() == {
        "Experiment": "table1-best", "Runs": 3, "Median (s)": "40", "Longest (s)": "3,550", "Epoch (s)": "2.00",
        "Peak (MiB)": "2,100", "In all (h)": "1.00",
    }  # fmt: skip
    assert shown.loc[("Emo-DB", "a slide rule"), "In all (h)"] == "2.00"
    assert shown.loc[("nEMO", "an abacus"), "Median (s)"] == "1.2"
    assert shown.loc[("RAVDESS", wording.NOT_RUN), "Runs"] == wording.NOT_RUN
    assert shown.loc[("IEMOCAP", wording.LICENCE), "Runs"] == wording.LICENCE
    families = costs.of_runs(runs, ["corpus", "family"])
    assert families[["Corpus", "Family", "Runs"]].head(2).to_numpy().tolist() == [
        ["Emo-DB", "table1", 4], ["nEMO", "pooling", 1],
    ]  # fmt: skip


def test_energy_is_that_of_the_runs_that_were_read_and_of_no_others():
    runs = shuffled(
        made("table1-best", range(1, 2), energy_joules=1000.0),
        made("table1-best", range(2, 3), energy_joules=3000.0),
        made("table1-best", range(3, 4), energy_joules=7196000.0),
        made("table1-best", range(4, 6), energy_joules=float("nan")),
        made("table1-best", range(1, 2), device="cuda", energy_joules=500.0),
        made("pooling-max", range(1, 3), corpus="nemo", energy_joules=float("nan")),
    )
    assert costs.energy_of_runs(runs).to_dict("records") == [
        {
            "Corpus": "Emo-DB", "Experiment": "table1-best", "Hardware": "an abacus", "Device": "cpu",
            "Read": "3 of 5 runs", "Median (kJ)": "3.00", "Highest (kJ)": "7,196.00",
        },
        {
            "Corpus": "Emo-DB", "Experiment": "table1-best", "Hardware": "an abacus", "Device": "cuda",
            "Read": "1 of 1 run", "Median (kJ)": "0.50", "Highest (kJ)": "0.50",
        },
    ]  # fmt: skip
    assert costs.energy_read(runs) == "The energy of 4 of 8 runs was read."
    none = runs.assign(energy_joules=float("nan"))
    assert costs.energy_read(none) == "No run's energy could be read (8 runs)." and costs.energy_of_runs(none).empty
    assert costs.energy_read(runs.iloc[:0]) == "No run's energy could be read (0 runs)."


def planned(corpus: str, stage: str, experiment: str, seconds: list[float], source: str | None = "emodb"):
    """Expected runs, as many as there are seconds."""
    rows = [(corpus, experiment, fold, 0, stage, "this", "an abacus", s, 2048.0, source)
            for fold, s in enumerate(seconds, start=1)]  # fmt: skip
    columns = [*scoring.RUN, "stage", "decides", "hardware", "seconds", "memory_mib", "source"]
    return pd.DataFrame(rows, columns=columns)


def test_a_run_of_the_study_was_made_if_its_own_fold_and_seed_were_whether_or_not_it_diverged():
    plan = [
        records.RunKey(corpus, "not read", "table1-best", experiments.EXPERIMENTS["table1-best"], fold, seed)
        for corpus in ("emodb", "iemocap")
        for fold in (1, 2)
        for seed in (0, 1)
    ]
    runs = shuffled(made("table1-best", [1]), made("table1-best", [2], seed=2), made("table1-baseline", [2]))
    failures = made("table1-best", [2], seed=1)
    assert costs.runs_made(plan, runs, failures) == (
        "Runs of the whole study that were made: 2 of 4 on Emo-DB, 0 of 4 on IEMOCAP."
    )


def test_the_study_takes_the_sum_of_its_runs_and_at_least_that_where_some_were_never_measured():
    nan = float("nan")
    expected = pd.concat(
        [
            planned("emodb", "tables", "table1-best", [1800.0] * 4),
            planned("iemocap", "tables", "table1-best", [3600.0] * 4),
            planned("emodb", "rest", "pooling-max", [nan, nan], None).assign(memory_mib=nan),
            planned("iemocap", "rest", "pooling-max", [nan, nan], None).assign(memory_mib=nan),
        ]
    )
    by_stage = costs.study_by_stage(expected).set_index("Stage")
    assert list(by_stage.index) == ["tables", "rest"]
    assert by_stage.loc["tables", ["Emo-DB", "IEMOCAP"]].tolist() == ["4 runs, 2.0 h", "4 runs, 4.0 h"]
    assert by_stage.loc["rest", "Emo-DB"] == "2 runs, not run yet"
    utterances = {"emodb": pd.DataFrame({"duration": [60.0, 120.0]}), "iemocap": pd.DataFrame({"duration": [1.0]})}
    by_corpus = costs.study_by_corpus(expected, utterances).set_index("Corpus")
    assert by_corpus.loc["IEMOCAP"].tolist() == [
        "1", "0", "6", "at least 4.0", "2.0", "Emo-DB (1 experiment), not run yet (1 experiment)", "an abacus",
    ]  # fmt: skip
    assert by_corpus.loc["Emo-DB", "Speech (min)"] == "3"
    assert by_corpus.loc["nEMO", "Hours"] == wording.NOT_RUN

"""Protects the tables: numbers come from predictions, gaps read as gaps, and no corpus is shown as another."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from ser_lib import paper, tables
from ser_lib.corpora import EMOTIONS
from ser_lib.errors import SerError
from ser_lib.experiments import BASELINE, EXPERIMENTS, Experiment


def predictions(right_by_fold: dict[int, int], seed: int = 0, experiment: str = "table1-best") -> pd.DataFrame:
    """Of each fold's speaker 20 utterances; the first so many are right, the others taken for the next emotion."""
    rows = []
    for fold, right in right_by_fold.items():
        for number in range(20):
            truth = EMOTIONS[number % 4]
            guess = truth if number < right else EMOTIONS[(number + 1) % 4]
            rows.append(("emodb", experiment, fold, seed, f"s{fold}", truth, guess))
    return pd.DataFrame(rows, columns=[*tables.RUN, "speaker", "truth", "prediction"])


NONE = predictions({})


def test_scores_are_computed_from_predictions():
    scored = tables.scores(predictions({1: 20, 2: 8}))
    assert scored["wa"].tolist() == [1.0, 0.4]
    assert scored["ua"].tolist() == [1.0, 0.4]
    assert scored["correct"].tolist() == [20, 8]
    assert scored["test_speaker"].tolist() == ["s1", "s2"]


def test_a_run_that_tests_two_speakers_is_refused():
    mixed = predictions({1: 20})
    mixed.loc[0, "speaker"] = "other"
    with pytest.raises(SerError, match="2 speakers"):
        tables.scores(mixed)


def test_seeds_are_averaged_within_a_speaker_before_the_interval():
    both = pd.concat([predictions({1: 20, 2: 8, 3: 12}), predictions({1: 10, 2: 10, 3: 12}, seed=1)])
    row = tables.summary(tables.scores(both)).iloc[0]
    by_speaker = np.array([0.75, 0.45, 0.6])
    low, high = stats.t.interval(0.95, 2, by_speaker.mean(), by_speaker.std(ddof=1) / np.sqrt(3))
    assert (row.folds, row.seeds, row.runs) == (3, 2, 6)
    np.testing.assert_allclose([row.wa, row.wa_low, row.wa_high], [0.6, low, high])


def test_seeds_counts_the_fold_that_has_fewest():
    uneven = pd.concat([predictions({1: 20, 2: 8}), predictions({1: 10}, seed=1)])
    assert tables.summary(tables.scores(uneven)).iloc[0]["seeds"] == 1


def test_pooled_accuracy_weighs_utterances_and_the_mean_over_folds_weighs_speakers():
    short = predictions({1: 20, 2: 0}).query(
        "fold == 1 or utterance_number < 8".replace("utterance_number", "index % 20")
    )
    row = tables.summary(tables.scores(short)).iloc[0]
    assert row.wa == 0.5
    assert row.pooled_wa == pytest.approx(20 / 28)


def test_intervals_hold_the_mean_as_often_as_they_claim():
    generator = np.random.default_rng(0)
    held = [low <= 0 <= high for low, high in (tables.interval(generator.normal(size=10)) for _ in range(2000))]
    assert np.mean(held) == pytest.approx(0.95, abs=0.02)


def test_one_speaker_has_no_interval():
    assert np.isnan(tables.interval(np.array([0.7]))).all()
    assert tables.with_interval(0.7, np.nan, np.nan) == "70.0"


def test_five_best_folds_is_the_better_speaker_of_each_session_as_printed():
    wa, ua = ([getattr(row, metric) for row in paper.TABLE2] for metric in ("wa", "ua"))
    best = tables.best_of_sessions(wa, ua)
    assert [round(score, 1) for score in best] == [66.9, 65.3]


def test_table_1_shows_gaps_as_gaps_and_ours_under_its_own_corpus():
    table = tables.table1(tables.scores(predictions({1: 20, 2: 8})), "ua").set_index("Experiment")
    assert table.loc["table1-best", "Ours, Emo-DB"].startswith("70.0 [")
    assert table.loc["table1-baseline", "Ours, Emo-DB"] == "not run yet"
    assert (table["Ours, RAVDESS"] == "not run yet").all()
    assert (table["Ours, IEMOCAP"] == "not run here").all()
    assert table["Paper, IEMOCAP"].tolist() == ["57.7", "59.8", "60.9", "61.7"]


def test_without_any_run_every_table_still_says_so():
    scored = tables.scores(NONE)
    assert (tables.table1(scored, "wa")["Ours, Emo-DB"] == "not run yet").all()
    assert (tables.averages(scored, "emodb")["UA ours (Emo-DB)"] == "not run yet").all()
    assert (tables.steps(scored, "emodb")["UA ours, Emo-DB"] == "not run yet").all()
    assert tables.table2(scored, "emodb").empty


def test_averages_leave_out_the_best_of_sessions_while_a_fold_is_missing():
    some = tables.averages(tables.scores(predictions({1: 20, 2: 8, 3: 12})), "emodb").set_index("Average")
    assert some.loc["better speaker of each session", "UA ours (Emo-DB)"] == "not run yet"
    both = tables.averages(tables.scores(predictions({1: 20, 2: 8, 3: 12, 4: 16})), "emodb").set_index("Average")
    assert both.loc["better speaker of each session", "UA ours (Emo-DB)"] == "90.0"


def test_steps_are_paired_by_fold():
    before = predictions({1: 10, 2: 12}, experiment="table1-vtlp")
    after = predictions({2: 14, 1: 12, 3: 20}, experiment="table1-best")
    row = tables.steps(tables.scores(pd.concat([before, after])), "emodb").iloc[-1]
    assert row["WA ours, Emo-DB"].startswith("+10.0")  # both speakers gain two of twenty; fold 3 has no partner


def test_every_setting_is_on_the_page_of_settings():
    shown = tables.settings_table(BASELINE)
    assert shown["Setting"].tolist() == list(Experiment.model_fields)
    assert (shown["Meaning"].str.len() > 5).all() and (shown["Paper"].str.len() > 0).all()


def test_a_choice_that_the_paper_leaves_open_gives_its_reason():
    shown = tables.settings_table(BASELINE)
    silent = shown[shown["Paper"].str.contains("not stated")]
    assert len(silent) >= 8
    assert silent.loc[silent["Why"].str.len() < 10, "Setting"].tolist() == []


def test_experiments_are_told_apart_by_their_settings():
    shown = tables.experiments_table(EXPERIMENTS).set_index("Experiment")["Settings"]
    assert shown["table1-baseline"] == "–"
    assert "oversampling=2" in shown["table1-oversampling"]
    assert "frequency_range=8" in shown["table1-best"]


def test_a_shown_table_escapes_its_content_and_marks_verdicts():
    shown = tables.Shown(pd.DataFrame({"a": ["<b>", "holds"]}), "a < b", {"holds": "verdict holds"})
    html = shown._repr_html_()
    assert "&lt;b&gt;" in html and "a &lt; b" in html and "<b>" not in html
    assert '<span class="verdict holds">holds</span>' in html
    assert "a < b" in repr(shown)


def test_the_readme_is_written_between_its_marks_only(tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text("before\n<!-- results:start -->\nold\n<!-- results:end -->\nafter\n")
    tables.update_readme(tables.scores(predictions({1: 20, 2: 8})), readme)
    text = readme.read_text()
    assert text.startswith("before\n") and text.endswith("\nafter\n") and "old" not in text
    assert "| table1-best |" in text
    readme.write_text("no marks")
    with pytest.raises(SerError, match="results:start"):
        tables.update_readme(tables.scores(NONE), readme)


def test_the_projects_readme_shows_the_committed_results():
    from ser_lib import paths, records

    results = records.load_results(paths.PROJECT / "results")
    expected = tables.readme_tables(tables.scores(results.predictions))
    assert expected in (paths.PROJECT / "README.md").read_text(), "run `python -m ser_lib readme`"

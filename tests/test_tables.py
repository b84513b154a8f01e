"""Protects the tables: numbers come from predictions, gaps read as gaps, and no corpus is shown as another."""

import base64
import io
import itertools
import json
import re
import time

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats

from ser_lib import metrics, model, paper, paths, tables, training, transfer, verdicts
from ser_lib.corpora import EMOTIONS
from ser_lib.errors import SerError
from ser_lib.experiments import BASELINE, EXPERIMENTS, FAMILIES, Experiment, members


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
NO_FAILURES = pd.DataFrame(columns=[*tables.RUN, "epoch"])


def scored(experiment: str, ua_by_fold: dict[int, float], seed: int = 0, corpus: str = "emodb") -> pd.DataFrame:
    """Scores of one seed of an experiment, by fold; WA is half of UA, so that a mix-up of the two shows."""
    rows = [(corpus, experiment, fold, seed, f"s{fold}", 20, 10, ua / 2, ua) for fold, ua in ua_by_fold.items()]
    return pd.DataFrame(rows, columns=[*tables.RUN, "test_speaker", "utterances", "correct", "wa", "ua"])


def failed(experiment: str, folds: list[int], corpus: str = "emodb") -> pd.DataFrame:
    return pd.DataFrame([(corpus, experiment, fold, 0, 3) for fold in folds], columns=NO_FAILURES.columns)


def shuffled(*parts: pd.DataFrame) -> pd.DataFrame:
    """The rows of all tables, in no order."""
    return pd.concat(parts).sample(frac=1, random_state=1)


def histories(ua_by_epoch: dict[int, list[float]], experiment: str = "table1-best") -> pd.DataFrame:
    """Validation scores of each fold, epoch by epoch; WA is half of UA."""
    rows = [
        ("emodb", experiment, fold, 0, epoch, ua / 2, ua)
        for fold, scores in ua_by_epoch.items()
        for epoch, ua in enumerate(scores, start=1)
    ]
    return pd.DataFrame(rows, columns=[*tables.RUN, "epoch", "validation_wa", "validation_ua"])


def runs(best_epochs: dict[int, int], experiment: str = "table1-best") -> pd.DataFrame:
    rows = [("emodb", experiment, fold, 0, epoch) for fold, epoch in best_epochs.items()]
    return pd.DataFrame(rows, columns=[*tables.RUN, "best_epoch"])


def test_scores_are_computed_from_predictions():
    scored = tables.scores(predictions({1: 20, 2: 8}))
    assert scored["wa"].tolist() == [1.0, 0.4]
    assert scored["ua"].tolist() == [1.0, 0.4]
    assert scored["correct"].tolist() == [20, 8]
    assert scored["test_speaker"].tolist() == ["s1", "s2"]


def test_runs_scored_at_once_have_the_scores_of_each_one_alone():
    """Classes of unequal size, rows in no order: every run has its own accuracies, to the last digit."""
    random = np.random.default_rng(0)
    table = shuffled(predictions({2: 20, 10: 8}), predictions({1: 12}, seed=1, experiment="table1-vtlp"))
    table["truth"] = random.permutation(table["truth"])
    of_runs = tables.scores(table).set_index(tables.RUN)
    assert list(of_runs.index) == sorted(of_runs.index) and len(of_runs) == 3
    for run, part in table.groupby(tables.RUN):
        truth, prediction = part["truth"], part["prediction"]
        assert of_runs.loc[run, "utterances"] == len(part) == 20
        assert of_runs.loc[run, "correct"] == (truth == prediction).sum()
        assert of_runs.loc[run, "wa"] == metrics.weighted_accuracy(truth, prediction)
        assert of_runs.loc[run, "ua"] == metrics.unweighted_accuracy(truth, prediction, EMOTIONS)


def test_a_run_without_an_emotion_has_no_score_and_is_named():
    table = predictions({1: 20, 7: 20})
    with pytest.raises(SerError, match="emodb, table1-best, 7, 0: no utterance of class anger"):
        tables.scores(table[(table["fold"] != 7) | (table["truth"] != "anger")])


@pytest.mark.parametrize("column", ["truth", "prediction"])
def test_a_label_that_is_no_emotion_is_refused(column):
    table = predictions({1: 20})
    table.loc[3, column] = "boredom"
    with pytest.raises(SerError, match="label boredom is not one of neutral, sadness, anger, happiness"):
        tables.scores(table)


def test_a_run_that_tests_two_speakers_is_refused():
    mixed = predictions({1: 20})
    mixed.loc[0, "speaker"] = "other"
    with pytest.raises(SerError, match="2 speakers"):
        tables.scores(mixed)


def test_seeds_are_averaged_within_a_speaker_before_the_interval():
    one, other = {1: 20, 2: 8, 3: 12, 4: 20, 5: 8, 6: 12}, {1: 10, 2: 10, 3: 12, 4: 10, 5: 10, 6: 12}
    both = pd.concat([predictions(one), predictions(other, seed=1)])
    row = tables.summary(tables.scores(both)).iloc[0]
    by_speaker = np.array([0.75, 0.45, 0.6] * 2)
    low, high = stats.t.interval(0.95, 5, by_speaker.mean(), by_speaker.std(ddof=1) / np.sqrt(6))
    assert (row.folds, row.seeds, row.runs) == (6, 2, 12)
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


def test_an_interval_without_spread_is_its_mean_and_stacks_have_one_each():
    assert tables.interval(np.array([0.5, 0.5, 0.5])) == (0.5, 0.5)
    rows = np.array([[0.1, 0.2, 0.6], [0.5, 0.5, 0.5]])
    np.testing.assert_allclose(np.transpose(tables.interval(rows)), [tables.interval(row) for row in rows])


def test_one_speaker_has_no_interval():
    for values in ([0.7], []):
        assert np.isnan(tables.interval(np.array(values))).all()
    assert tables.with_interval(0.7, np.nan, np.nan) == "70.0"


@pytest.mark.parametrize("folds", [1, 2, 5, 6])
def test_fewer_than_six_folds_have_no_interval_in_any_table(folds):
    of = predictions({fold: 10 + fold for fold in range(1, folds + 1)})
    before = predictions({fold: 10 for fold in range(1, folds + 1)}, experiment="table1-vtlp")
    run = tables.scores(pd.concat([of, before]))
    cells = [
        tables.table1(run, "wa").set_index("Experiment").loc["table1-best", "Ours, Emo-DB"],
        tables.table3(run, NO_FAILURES, "wa")["Ours, Emo-DB"][0],
        tables.averages(run, "emodb")["WA ours (Emo-DB)"][0],
        tables.steps(run, "emodb")["WA ours, Emo-DB"].iloc[-1],
        *tables.comparison(run, NO_FAILURES, "emodb", {"table1-best": "table1-vtlp"})[
            ["WA (%)", "WA, difference"]
        ].iloc[0],
    ]
    for cell in cells:
        assert ("[" in cell) == (folds == 6)
        assert cell.endswith({1: "(1 fold)", 2: "(2 folds)", 5: "(5 folds)", 6: "]"}[folds])


def test_tables_and_verdicts_agree_on_how_many_folds_are_enough():
    assert verdicts.MINIMUM_FOLDS == tables.MINIMUM_FOLDS == 6


def test_five_best_folds_is_the_better_speaker_of_each_session_as_printed():
    wa, ua = ([getattr(row, metric) for row in paper.TABLE2] for metric in ("wa", "ua"))
    best = tables.best_of_sessions(wa, ua)
    assert [round(score, 1) for score in best] == [66.9, 65.3]


def test_table_1_shows_gaps_as_gaps_and_ours_under_its_own_corpus():
    table = tables.table1(tables.scores(predictions({1: 20, 2: 8})), "ua").set_index("Experiment")
    assert table.loc["table1-best", "Ours, Emo-DB"] == "70.0 (2 folds)"
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


def test_validation_scores_are_those_of_the_chosen_epoch():
    history = shuffled(
        histories({1: [0.2, 0.8, 0.4], 2: [0.3, 0.5, 0.9]}), histories({1: [0.6, 0.1, 0.1]}, experiment="table1-vtlp")
    )
    found = tables.validation_scores(history, shuffled(runs({1: 2, 2: 1}), runs({1: 3}, experiment="table1-vtlp")))
    expected = {("table1-best", 1): 0.8, ("table1-best", 2): 0.3, ("table1-vtlp", 1): 0.1}
    assert found.set_index(["experiment", "fold"])["ua"].to_dict() == expected
    np.testing.assert_allclose(found["wa"], found["ua"] / 2)


def test_validation_scores_serve_where_test_scores_do():
    names = ["table1-best", "table1-vtlp"]
    found = tables.validation_scores(
        pd.concat([histories({1: [0.5], 2: [0.7]}, name) for name in names]).astype(object),  # as results are read
        pd.concat([runs({1: 1, 2: 1}, name) for name in names]).astype(object),
    )
    row = tables.comparison(found, NO_FAILURES, "emodb", {"table1-best": "table1-vtlp"}).iloc[0]
    assert (row["UA (%)"], row["UA, difference"]) == ("60.0 (2 folds)", "+0.0 (2 folds)")
    assert tables.table3(found, NO_FAILURES, "ua")["Ours, Emo-DB"][0] == "60.0 (2 folds)"
    assert tables.summary(found)["pooled_wa"].isna().all()
    none = tables.validation_scores(histories({}), runs({}))
    assert none.empty and list(none) == [*tables.RUN, "wa", "ua"]


@pytest.mark.parametrize("history", [histories({1: [0.5, 0.6]}), histories({2: [0.5, 0.6, 0.7]}), histories({})])
def test_a_history_without_the_chosen_epoch_is_refused(history):
    with pytest.raises(SerError, match=r"\(emodb, table1-best, 1, 0\) lacks the epoch"):
        tables.validation_scores(history, runs({1: 3}))


def test_a_comparison_is_of_the_runs_that_both_have_paired_by_fold_and_seed():
    run = shuffled(
        scored("table1-baseline", {1: 0.1, 2: 0.5, 3: 0.6}), scored("table1-baseline", {2: 0.3, 3: 0.9}, seed=1),
        scored("pooling-max", {3: 0.66, 2: 0.52, 4: 0.99}), scored("pooling-max", {3: 0.94, 5: 0.99}, seed=1),
        scored("pooling-max", {2: 0.99}, seed=2), scored("pooling-max", {1: 0.99, 2: 0.99}, corpus="nemo"),
    )  # fmt: skip
    row = tables.comparison(run, NO_FAILURES, "emodb", {"pooling-max": "table1-baseline"}).iloc[0]
    # Folds 2 and 3 in seed 0; seed 1 they share on fold 3 alone: (0.52 + 0.66) / 2, and (+0.02 + 0.06) / 2.
    assert row["Experiment"] == "pooling-max" and row["Compared with"] == "table1-baseline"
    assert (row["Folds"], row["Seeds"]) == (2, 1)
    assert (row["UA (%)"], row["WA (%)"]) == ("59.0 (2 folds)", "29.5 (2 folds)")
    assert (row["UA, difference"], row["WA, difference"]) == ("+4.0 (2 folds)", "+2.0 (2 folds)")
    assert row["Diverged"] == "0 of 6"


def test_a_comparison_over_ten_folds_has_the_intervals_of_the_mean_and_of_the_difference():
    before = {fold: 0.5 + 0.03 * fold for fold in range(1, 11)}
    gain = {fold: 0.01 * (-1) ** fold for fold in before}
    after = {fold: before[fold] + gain[fold] for fold in before}
    run = shuffled(scored("table1-baseline", before), scored("pooling-max", after))
    row = tables.comparison(run, NO_FAILURES, "emodb", {"pooling-max": "table1-baseline"}).iloc[0]

    def expected(values, form):
        values = 100 * np.array(list(values))
        ends = stats.t.interval(0.95, 9, values.mean(), values.std(ddof=1) / np.sqrt(10))
        return form.format(values.mean(), *ends)

    assert row["UA (%)"] == expected(after.values(), "{:.1f} [{:.1f}, {:.1f}]")
    assert row["UA, difference"] == expected(gain.values(), "{:+.1f} [{:+.1f}, {:+.1f}]")


def test_a_comparison_says_what_diverged_and_what_was_not_run():
    run = pd.concat(
        [scored("table1-baseline", {1: 0.5, 2: 0.5}), scored("some-diverged", {1: 0.6}), scored("apart", {9: 0.6})]
    )
    failures = pd.concat(
        [failed("all-diverged", [1, 2]), failed("some-diverged", [2, 3]), failed("not-run", [1], corpus="nemo")]
    )
    names = ["some-diverged", "all-diverged", "not-run", "apart"]
    table = tables.comparison(run, failures, "emodb", dict.fromkeys(names, "table1-baseline"))
    assert table["UA (%)"].tolist() == ["60.0 (1 fold)", "diverged", "not run yet", "no run in common"]
    assert table["Folds"].tolist() == [1, "diverged", "not run yet", "no run in common"]
    assert table["Diverged"].tolist() == ["2 of 3", "2 of 2", "not run yet", "0 of 1"]
    assert table.notna().all(axis=None) and (table != "").all(axis=None)
    iemocap = tables.comparison(run, failures, "iemocap", {"pooling-max": "table1-baseline"}).iloc[0]
    assert (iemocap[["Folds", "UA (%)", "UA, difference", "Diverged"]] == "not run here").all()


def test_table_3_has_the_papers_sizes_and_those_beyond_with_both_rules():
    table = tables.table3(scored("none", {}), NO_FAILURES, "ua")
    places = table[["Batch normalisation", "Batch size", "Learning rate"]].itertuples(index=False, name=None)
    assert list(places) == [("without", 16, "0.01"), ("with", 16, "0.01")] + [
        ("with", size, rule) for size in (32, 64, 128, 256) for rule in ("held", "scaled")
    ]
    printed = ["61.7", "58.9", "59.0", "59.0", "60.8", "60.8"] + ["not printed"] * 4
    assert table["Paper, IEMOCAP"].tolist() == printed
    assert tables.table3(scored("none", {}), NO_FAILURES, "wa")["Paper, IEMOCAP"].tolist()[:2] == ["64.5", "63.6"]
    for corpus in ("Emo-DB", "RAVDESS", "nEMO"):
        assert (table[f"Ours, {corpus}"] == "not run yet").all()
    assert (table["Ours, IEMOCAP"] == "not run here").all()


def test_table_3_shows_each_experiment_in_its_row_and_says_what_diverged():
    names = ["table1-best", *FAMILIES["table3"].references, *FAMILIES["large-batches"].references]
    run = pd.concat([scored(name, {1: 0.5 + 0.01 * place, 2: 0.5}) for place, name in enumerate(names[:-1])])
    failures = pd.concat([failed("table3-64", [3]), failed(names[-1], [1, 2])])
    table = tables.table3(run, failures, "ua")
    cells = [f"{50 + 0.5 * place:.1f} (2 folds)" for place in range(len(names) - 1)] + ["diverged"]
    cells[names.index("table3-64")] += ", 1 of 3 diverged"
    assert table["Ours, Emo-DB"].tolist() == cells
    assert (table["Ours, RAVDESS"] == "not run yet").all()


def test_networks_of_the_depth_study_are_scored_on_the_runs_that_all_of_them_have():
    run = shuffled(
        scored("table1-baseline", {fold: 0.1 * fold for fold in range(1, 10)}),
        scored("table1-baseline", {2: 0.9, 5: 0.9}, seed=1),
        scored("depth-1x3", {2: 0.4, 5: 0.6, 7: 1.0}), scored("depth-6x2", {5: 0.3, 2: 0.1}),
        scored("depth-6x2", {5: 0.9}, seed=1), scored("depth-2x2", {2: 0.9}, corpus="nemo"),
    )  # fmt: skip
    table = tables.depth_scores(run, "emodb", "ua")
    assert table.index.tolist() == [1, 2, 3, 4, 5, 6] and table.columns.tolist() == [1, 2, 3, 4]
    found = table.stack().dropna().to_dict()
    assert found == pytest.approx({(1, 3): 0.5, (4, 1): 0.35, (6, 2): 0.2})
    assert table.attrs == {"corpus": "emodb", "metric": "ua", "folds": (2, 5), "seeds": (0,)}
    assert tables.depth_scores(run, "emodb", "wa").loc[1, 3] == pytest.approx(0.25)


def test_the_depth_study_averages_seeds_within_a_fold():
    seeds = [
        scored("depth-1x1", {fold: ua}, seed=seed) for seed, (fold, ua) in enumerate([(1, 0.2), (1, 0.4), (2, 0.5)])
    ]
    assert tables.depth_scores(pd.concat(seeds), "emodb", "ua").loc[1, 1] == pytest.approx(0.4)


def test_the_depth_study_leaves_out_seeds_that_only_some_folds_have():
    run = pd.concat([scored("depth-1x1", {1: 0.2, 2: 0.5}), scored("depth-1x1", {1: 0.4}, seed=1)])
    table = tables.depth_scores(run, "emodb", "ua")
    assert table.loc[1, 1] == pytest.approx(0.35) and table.attrs["seeds"] == (0,)


@pytest.mark.parametrize(
    "run", [scored("none", {}), pd.concat([scored("depth-1x1", {1: 0.5}), scored("depth-2x1", {2: 0.5})])]
)
def test_a_depth_study_with_no_run_in_common_has_no_score(run):
    table = tables.depth_scores(run, "emodb", "ua")
    assert table.shape == (6, 4) and table.isna().all(axis=None)
    assert table.attrs["folds"] == ()


def test_depth_costs_are_those_of_the_networks_as_they_are_built():
    state = torch.get_rng_state()
    table = tables.depth_costs(frames=50).set_index(["convolutions", "layers"])
    assert torch.equal(torch.get_rng_state(), state)  # a table leaves the random numbers of a run as they are
    assert len(table) == 24
    for place, name in {(4, 1): "table1-baseline", (1, 1): "depth-1x1", (6, 4): "depth-6x4"}.items():
        network = training.build_model(EXPERIMENTS[name])
        total = model.describe(network, 50).iloc[-1]
        assert table.loc[place, "parameters"] == sum(parameter.numel() for parameter in network.parameters())
        assert table.loc[place, "multiply_adds"] == total["multiply_adds"]
    assert table.loc[(1, 2), ["field_bins", "field_frames"]].tolist() == [33, 25]
    assert table.loc[(6, 1), ["field_bins", "field_frames"]].tolist() == [35, 27]


def test_the_best_of_k_seeds_is_the_mean_over_every_choice_of_them():
    generator = np.random.default_rng(0)
    by_seed = generator.uniform(size=(5, 3))
    run = shuffled(*(scored("table1-best", dict(enumerate(ua, start=1)), seed) for seed, ua in enumerate(by_seed)))
    table = tables.best_of(run, "emodb", "table1-best", "ua")
    means = by_seed.mean(axis=1)
    brute = [np.mean([max(choice) for choice in itertools.combinations(means, k)]) for k in range(1, 6)]
    assert table["k"].tolist() == [1, 2, 3, 4, 5]
    np.testing.assert_allclose(table["expected_best"], brute)
    np.testing.assert_allclose(table["rise"], np.array(brute) - means.mean(), atol=1e-12)
    wa = tables.best_of(run, "emodb", "table1-best", "wa")["expected_best"]
    np.testing.assert_allclose(wa, np.array(brute) / 2)


def test_the_best_of_seeds_is_taken_over_those_that_every_fold_has():
    whole = [scored("table1-best", {1: 0.5, 2: 0.6}), scored("table1-best", {2: 0.8, 1: 0.5}, seed=4)]
    table = tables.best_of(shuffled(*whole, scored("table1-best", {1: 0.9}, seed=2)), "emodb", "table1-best", "ua")
    np.testing.assert_allclose(table["expected_best"], [0.6, 0.65])  # by hand: of 0.55 and 0.65
    np.testing.assert_allclose(table["rise"], [0, 0.05], atol=1e-12)
    assert table.attrs["folds"] == (1, 2)


def test_pairs_on_unlike_hardware_are_counted():
    best, vtlp = (runs(dict.fromkeys(range(1, 8), 1), name) for name in ("table1-best", "table1-vtlp"))
    every = pd.concat([best, vtlp]).assign(test_speaker=lambda table: "s" + table["fold"].astype(str), hardware="a")
    assert tables.across_hardware(every, {"table1-best": "table1-vtlp"}) == ""
    on_gpu = (every["experiment"] == "table1-vtlp") & (every["fold"] > 4)
    mixed = every.assign(hardware=np.where(on_gpu, "b", "a"))
    assert tables.across_hardware(mixed, {"table1-best": "table1-vtlp"}) == (
        " Of 7 pairs, 3 are of runs on unlike hardware."
    )


def test_what_oversampling_makes_of_the_classes():
    utterances = pd.DataFrame({"emotion": ["neutral"] + ["sadness"] * 2 + ["anger"] * 6 + ["happiness"]})
    table = tables.oversampled_shares({"emodb": utterances, "nemo": None}).set_index("Corpus")
    assert list(table.index) == ["IEMOCAP", "Emo-DB"]
    assert table.loc["Emo-DB", list(EMOTIONS)].tolist() == ["10 → 6", "20 → 12", "60 → 71", "10 → 12"]
    assert table.loc["IEMOCAP", list(EMOTIONS)].tolist() == ["48 → 39", "27 → 21", "13 → 20", "12 → 20"]


def test_the_runs_behind_differences_are_those_that_both_sides_have():
    best, vtlp = (runs(dict.fromkeys(range(1, 8), 1), name) for name in ("table1-best", "table1-vtlp"))
    more = (
        runs({1: 1, 2: 1}, "table1-best").assign(seed=3),
        runs({8: 1}, "table1-vtlp"),
        runs({1: 1}, "table1-baseline"),
    )
    every = pd.concat([best, vtlp, *more]).assign(test_speaker=lambda table: "s" + table["fold"].astype(str))
    counted = tables.in_differences(every, {"table1-best": "table1-vtlp", "pooling-max": "table1-baseline"})
    named = counted[tables.RUN].itertuples(index=False, name=None)
    wanted = [("emodb", name, fold, 0) for name in ("table1-best", "table1-vtlp") for fold in range(1, 8)]
    assert sorted(named) == sorted(wanted)
    assert tables.in_differences(every.iloc[:0], {"table1-best": "table1-vtlp"}).empty


@pytest.mark.parametrize(
    "run",
    [
        scored("none", {}),
        scored("table1-best", {1: 0.5, 2: 0.6}),
        pd.concat([scored("table1-best", {1: 0.5}), scored("table1-best", {2: 0.5}, seed=1)]),
    ],
)
def test_without_two_seeds_there_is_no_best_of_them(run):
    table = tables.best_of(run, "emodb", "table1-best", "ua")
    assert table.empty and list(table) == ["k", "expected_best", "rise"]


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
    readme.write_text("before\n<!-- results:start -->\nstale\n<!-- results:end -->\nafter\n")
    tables.update_readme(tables.scores(predictions({1: 20, 2: 8})), readme)
    text = readme.read_text()
    assert text.startswith("before\n") and text.endswith("\nafter\n") and "stale" not in text
    assert "| table1-best |" in text
    readme.write_text("no marks")
    with pytest.raises(SerError, match="results:start"):
        tables.update_readme(tables.scores(NONE), readme)


def test_the_projects_readme_shows_the_committed_results():
    from ser_lib import paths, records

    results = records.load_results(paths.PROJECT / "results")
    expected = tables.readme_tables(tables.scores(results.predictions))
    assert expected in (paths.PROJECT / "README.md").read_text(), "run `python -m ser_lib readme`"


# Convergence


def course(experiment: str, fold: int, training: list[float], validation: list[float]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "corpus": "emodb", "experiment": experiment, "fold": fold, "seed": 0, "epoch": range(1, len(training) + 1),
            "training_loss": training, "validation_loss": validation,
        }
    )  # fmt: skip


def test_convergence_is_the_first_epoch_below_the_threshold_and_overfitting_the_rise_after_the_lowest_loss():
    histories = pd.concat(
        [
            course("with", 1, [1.0, 0.6, 0.5], [1.2, 0.8, 1.0]),
            course("with", 2, [1.0, 0.9, 0.6], [1.2, 1.0, 0.6]),
            course("without", 1, [1.4, 1.3, 1.2], [1.4, 1.3, 1.3]),
            course("without", 2, [1.4, 0.5, 1.2], [1.4, 1.5, 1.9]),
            course("without", 3, [0.1, 0.1, 0.1], [0.0, 0.0, 9.0]),  # has no counterpart: it counts nowhere
        ]
    ).sample(frac=1, random_state=0)
    table = tables.convergence(histories, {"a network": ("with", "without"), "another": ("with", "nothing")})
    assert table.iloc[0].tolist() == ["a network", "with", 2, "2.5", "0.70", "+0.10"]
    assert table.iloc[1].tolist() == ["a network", "without", 2, "2.0 (never in 1 of 2)", "1.35", "+0.25"]
    assert (table.iloc[2:, 2:] == tables.NOT_RUN).all(axis=None)


def test_a_network_that_never_converges_says_so():
    histories = pd.concat([course(name, 1, [1.4, 1.3], [1.4, 1.3]) for name in ("with", "without")])
    table = tables.convergence(histories, {"a network": ("with", "without")})
    assert table["Epochs to a training loss of 0.69"].tolist() == ["never", "never"]


# Seeds that only some folds have run


def test_seeds_that_only_some_folds_have_run_change_no_mean():
    whole = pd.DataFrame(
        [("emodb", "table1-best", fold, 0, f"{fold:02d}", 10, 5, 0.5, 0.5) for fold in range(1, 7)],
        columns=["corpus", "experiment", "fold", "seed", "test_speaker", "utterances", "correct", "wa", "ua"],
    )
    more = whole[whole["fold"] == 1].assign(seed=1, wa=1.0, ua=1.0, correct=10)
    both = pd.concat([whole, more])
    pd.testing.assert_frame_equal(tables.summary(both), tables.summary(whole))
    pd.testing.assert_frame_equal(tables.table2(both, "emodb"), tables.table2(whole, "emodb"))
    pd.testing.assert_frame_equal(tables.averages(both, "emodb"), tables.averages(whole, "emodb"))
    assert len(tables.balanced(more)) == 1  # where no other fold was run, the seed is complete


def test_an_interval_does_not_leave_the_scores_that_exist():
    assert tables.with_interval(0.9, 0.75, 1.05) == "90.0 [75.0, 100.0]"
    assert tables.with_interval(0.1, -0.05, 0.25) == "10.0 [0.0, 25.0]"


# What can be downloaded


def decoded(link: str) -> pd.DataFrame:
    kind, data = re.search(r'href="data:([a-z/]+);base64,([^"]*)"', link).groups()
    packing = {"text/csv": None, "application/gzip": "gzip"}[kind]
    return pd.read_csv(io.BytesIO(base64.b64decode(data)), compression=packing)


def test_a_shown_table_holds_itself_as_csv():
    frame = pd.DataFrame({"Claim": [tables.Cell("a, b", href="x.html"), tables.Cell("c")], "UA (%)": [1.5, 2.5]})
    text = tables.Shown(frame, "Scores, by claim")._repr_html_()
    assert 'download="scores-by-claim.csv"' in text
    assert decoded(text).to_dict("list") == {"Claim": ["a, b", "c"], "UA (%)": [1.5, 2.5]}


def test_a_cell_links_names_and_colours_its_text_safely():
    frame = pd.DataFrame({"a": [tables.Cell("<b>", css="verdict", href='x"y', anchor="here", note="5 < 6")]})
    text = tables.Shown(frame, "caption")._repr_html_()
    assert '<td id="here"><span class="verdict"><a href="x&quot;y">&lt;b&gt;</a></span><br>5 &lt; 6</td>' in text
    assert "<b>" in repr(tables.Shown(frame, "caption"))


def test_downloads_list_each_table_with_its_rows():
    shown = tables.Downloads({"Scores": pd.DataFrame({"x": [1, 2]}), "One": pd.DataFrame({"x": [1]})})
    assert repr(shown) == "Scores: 2 rows\nOne: 1 row"
    assert shown._repr_html_().count("<li>") == 2 and "(2 rows, csv.gz)" in shown._repr_html_()
    assert decoded(shown._repr_html_()).to_dict("list") == {"x": [1, 2]}
    assert 'download="scores.csv.gz"' in shown._repr_html_()


def test_a_packed_download_is_the_same_bytes_every_time(monkeypatch):
    """A page that is executed anew should not differ where no number does; gzip notes the time unless told not to."""
    frame = pd.DataFrame({"x": range(1000)})
    first = tables.download(frame, "x", packed=True)
    monkeypatch.setattr(time, "time", lambda: 1e9)
    assert tables.download(frame, "x", packed=True) == first
    assert len(first) < len(tables.download(frame, "x")) / 2


def test_predictions_of_a_family_are_those_of_its_members():
    predictions = pd.DataFrame({"experiment": ["table1-best", "pooling-max", "table3-16"]})
    chosen = tables.predictions_of(predictions, "table1", "pooling-max")["experiment"].tolist()
    assert chosen == ["table1-best", "pooling-max"]
    with pytest.raises(SerError, match="did you mean 'table1'"):
        tables.predictions_of(predictions, "tabel1")


def test_variety_shows_each_corpus_with_its_speakers_and_says_where_nothing_was_measured():
    rows = [
        ("emodb", "table1-baseline", fold, size, size / 100 + 0.02 * (fold % 2))
        for fold in range(1, 7)
        for size in (16, 64)
    ]
    measured = pd.DataFrame(rows, columns=["corpus", "experiment", "fold", "batch_size", "cosine"])
    shown = tables.variety(measured).set_index("Corpus")
    low, high = tables.interval(np.array([0.18, 0.16] * 3))
    assert shown.loc["Emo-DB", "batches of 16"] == f"0.17 [{low:.2f}, {high:.2f}]"
    assert shown.loc["Emo-DB", "Speakers"] == 6
    assert shown.loc["nEMO", "batches of 64"] == tables.NOT_RUN
    assert shown.loc["IEMOCAP", "batches of 64"] == tables.LICENCE
    two = tables.variety(measured[measured["fold"] <= 2]).set_index("Corpus")
    assert two.loc["Emo-DB", "batches of 16"] == "0.17"


def made(experiment: str, folds: range, seeds: int = 1, corpus: str = "emodb", **changed) -> pd.DataFrame:
    """Runs of 30 s in 10 epochs, as in the table of runs."""
    rows = [(corpus, experiment, fold, seed) for fold in folds for seed in range(seeds)]
    same = {"seconds": 30.0, "epochs": 10, "peak_memory_mib": 1000, "code": "abc", "hardware": "an abacus"}
    return pd.DataFrame(rows, columns=tables.RUN).assign(**same | {"device": "cpu"} | changed)


def test_provenance_counts_runs_speakers_and_seeds_of_the_experiments_shown_and_no_others():
    ten = range(1, 11)
    runs = pd.concat([made("table1-best", ten, 2), made("table1-vtlp", ten, 2), made("pooling-max", range(1, 3))])
    assert tables.provenance(runs, "table1-best", corpora=["emodb"]) == (
        "Emo-DB: 20 runs (10 speakers × 2 seeds). Code abc; an abacus."
    )
    assert tables.provenance(runs, "table1-best", "table1-vtlp", corpora=["emodb"]) == (
        "Emo-DB: 40 runs (2 experiments × 10 speakers × 2 seeds). Code abc; an abacus."
    )
    # Of a family, two of four experiments were run.
    assert "40 runs (2 of 4 experiments × 10 speakers × 2 seeds)" in tables.provenance(runs, "table1")
    one = made("table1-best", range(3, 4))
    assert "Emo-DB: 1 run (1 speaker × 1 seed)" in tables.provenance(one, "table1-best")
    with pytest.raises(SerError, match="did you mean 'table1'"):
        tables.provenance(runs, "tabel1")


def test_provenance_multiplies_out_only_where_every_combination_was_run():
    uneven = pd.concat([made("table1-best", range(1, 4)), made("table1-vtlp", range(1, 3))])
    assert "5 runs (2 experiments × 2 to 3 speakers × 1 seed)" in tables.provenance(
        uneven, "table1-best", "table1-vtlp"
    )
    more_seeds = pd.concat([made("table1-best", range(1, 4)), made("table1-best", range(1, 2)).assign(seed=1)])
    assert "4 runs (3 speakers × 1 to 2 seeds)" in tables.provenance(more_seeds, "table1-best")


def test_provenance_names_what_was_not_run_and_every_code_and_hardware_once():
    runs = pd.concat(
        [
            made("table1-best", range(1, 3)),
            made("table1-best", range(3, 5), code="abd", hardware="a slide rule"),
            made("table1-best", range(1, 2), corpus="iemocap", code="zzz"),
        ]
    )
    assert tables.provenance(runs, "table1-best") == (
        "Emo-DB: 4 runs (4 speakers × 1 seed). IEMOCAP: 1 run (1 speaker × 1 seed). RAVDESS, nEMO: not run yet. "
        "Code abc, abd, zzz; a slide rule; an abacus."
    )
    assert tables.provenance(runs, "table1-best", corpora=["nemo", "emodb"]) == (
        "Emo-DB: 4 runs (4 speakers × 1 seed). nEMO: not run yet. Code abc, abd; a slide rule; an abacus."
    )
    assert tables.provenance(runs.iloc[:0], "table1") == "Emo-DB, RAVDESS, nEMO: not run yet."
    assert "Code 0, 1, 2, 2 more;" in tables.provenance(
        pd.concat(made("table1-best", range(fold, fold + 1), code=str(fold)) for fold in range(5)), "table1-best"
    )


def test_provenance_counts_a_run_once_however_many_rows_it_has():
    measured = pd.concat([made("table1-baseline", range(1, 4)).assign(batch_size=size) for size in (16, 64)])
    assert "3 runs (3 speakers × 1 seed)" in tables.provenance(measured, "table1-baseline")


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
    assert tables.corpora_with(runs, "vtlp-alone") == ["ravdess", "iemocap"]
    assert tables.corpora_with(runs, "alone", "table1-best") == ["ravdess", "nemo", "iemocap"]
    assert tables.corpora_with(runs, "pooling-max") == ["emodb"]  # of which a page then says that it was not run
    with pytest.raises(SerError, match="did you mean 'alone'"):
        tables.corpora_with(runs, "alne")
    # What a family only compares with does not make it one that was run.
    assert tables.corpora_with(made("table1-baseline", range(1, 2), corpus="nemo"), "pooling") == ["emodb"]


def test_runs_in_means_are_those_that_the_summary_counts():
    parts = [scored("table1-best", dict.fromkeys(range(1, 7), 0.5)), scored("table1-best", {1: 0.9}, seed=1),
             scored("table1-vtlp", {1: 0.5}, seed=1)]  # fmt: skip
    kept = tables.in_means(shuffled(*parts))
    assert kept.groupby("experiment").size().to_dict() == {"table1-best": 6, "table1-vtlp": 1}
    assert tables.summary(pd.concat(parts)).set_index("experiment")["runs"].to_dict() == {
        "table1-best": 6, "table1-vtlp": 1,
    }  # fmt: skip
    assert tables.in_means(parts[0].iloc[:0]).empty


def test_a_table_says_below_which_runs_are_behind_it():
    shown = tables.Shown(pd.DataFrame({"a": [1]}), "caption", source="10 runs < 20")
    assert shown._repr_html_().endswith('</table><p class="source">10 runs &lt; 20</p></div>')
    assert repr(shown).endswith("\n10 runs < 20")
    assert "source" not in tables.Shown(pd.DataFrame({"a": [1]}), "caption")._repr_html_()
    assert tables.Source("a < b")._repr_html_() == '<p class="source">a &lt; b</p>' and repr(tables.Source("a")) == "a"


def test_costs_are_the_median_the_longest_and_the_sum_of_seconds_and_the_highest_peak():
    runs = shuffled(
        made("table1-best", range(1, 2), seconds=10.0, epochs=10, peak_memory_mib=900),
        made("table1-best", range(2, 3), seconds=40.0, epochs=20, peak_memory_mib=2100),
        made("table1-best", range(3, 4), seconds=3550.0, epochs=10, peak_memory_mib=800),
        made("table1-best", range(1, 2), hardware="a slide rule", seconds=7200.0),
        made("pooling-max", range(1, 2), corpus="nemo", seconds=1.25, epochs=1),
    )
    shown = tables.costs(runs).set_index(["Corpus", "Hardware"])
    assert shown.loc[("Emo-DB", "an abacus")].to_dict() == {
        "Experiment": "table1-best", "Runs": 3, "Median (s)": "40", "Longest (s)": "3,550", "Epoch (s)": "2.00",
        "Peak (MiB)": "2,100", "In all (h)": "1.00",
    }  # fmt: skip
    assert shown.loc[("Emo-DB", "a slide rule"), "In all (h)"] == "2.00"
    assert shown.loc[("nEMO", "an abacus"), "Median (s)"] == "1.2"
    assert shown.loc[("RAVDESS", tables.NOT_RUN), "Runs"] == tables.NOT_RUN
    assert shown.loc[("IEMOCAP", tables.LICENCE), "Runs"] == tables.LICENCE
    families = tables.costs(runs, ["corpus", "family"])
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
    assert tables.energy(runs).to_dict("records") == [
        {
            "Corpus": "Emo-DB", "Experiment": "table1-best", "Hardware": "an abacus", "Device": "cpu",
            "Read": "3 of 5 runs", "Median (kJ)": "3.00", "Highest (kJ)": "7,196.00", "Sum (kWh)": "2.000",
        },
        {
            "Corpus": "Emo-DB", "Experiment": "table1-best", "Hardware": "an abacus", "Device": "cuda",
            "Read": "1 of 1 run", "Median (kJ)": "0.50", "Highest (kJ)": "0.50", "Sum (kWh)": "0.000",
        },
    ]  # fmt: skip
    assert tables.energy_read(runs) == "The energy of 4 of 8 runs was read."
    none = runs.assign(energy_joules=float("nan"))
    assert tables.energy_read(none) == "No run's energy could be read (8 runs)." and tables.energy(none).empty
    assert tables.energy_read(runs.iloc[:0]) == "No run's energy could be read (0 runs)."


def test_an_experiment_belongs_to_the_family_that_compares_it():
    belongs = {name: tables.family_of(name) for name in EXPERIMENTS}
    assert belongs["table1-baseline"] == "table1"  # a reference of many
    assert belongs["depth-4x2"] == "depth"  # a reference of the family before
    assert belongs["normalisation-slow-3"] == "normalisation-slow"  # compared with nothing
    assert belongs["quick"] == tables.NO_FAMILY
    assert set(belongs.values()) == {*FAMILIES, tables.NO_FAMILY}


def planned(corpus: str, stage: str, experiment: str, seconds: list[float], source: str | None = "emodb"):
    """Expected runs, as many as there are seconds."""
    rows = [(corpus, experiment, fold, 0, stage, "this", "an abacus", s, 2048.0, source)
            for fold, s in enumerate(seconds, start=1)]  # fmt: skip
    columns = [*tables.RUN, "stage", "decides", "hardware", "seconds", "memory_mib", "source"]
    return pd.DataFrame(rows, columns=columns)


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
    by_stage = tables.study_by_stage(expected).set_index("Stage")
    assert list(by_stage.index) == ["tables", "rest"]
    assert by_stage.loc["tables", ["Emo-DB", "IEMOCAP"]].tolist() == ["4 runs, 2.0 h", "4 runs, 4.0 h"]
    assert by_stage.loc["rest", "Emo-DB"] == "2 runs, not run yet"
    utterances = {"emodb": pd.DataFrame({"duration": [60.0, 120.0]}), "iemocap": pd.DataFrame({"duration": [1.0]})}
    by_corpus = tables.study_by_corpus(expected, utterances).set_index("Corpus")
    assert by_corpus.loc["IEMOCAP"].tolist() == [
        "1", "0", "6", "at least 4.0", "2.0", "Emo-DB (1 experiment), not run yet (1 experiment)", "an abacus",
    ]  # fmt: skip
    assert by_corpus.loc["Emo-DB", "Speech (min)"] == "3"
    assert by_corpus.loc["nEMO", "Hours"] == tables.NOT_RUN


PAGES = (
    "tables", "recurrent_batch_normalisation", "depth", "ablations", "optimizer", "gradients", "baselines", "cost",
)  # fmt: skip


@pytest.mark.parametrize("page", PAGES)
def test_every_table_and_figure_of_results_says_which_runs_are_behind_it(page):
    notebook = json.loads((paths.PROJECT / "book" / f"{page}.ipynb").read_text())
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    shows = [cell for cell in cells if re.search(r"tables\.Shown\(|figures\.\w+\(|show_comparisons\(", cell)]
    of_results = [
        cell for cell in shows
        if re.search(r"\b(scored|results|validation|histories|compared|measured|predictions|runs|best)\b", cell)
        and "run_summary" not in cell  # is itself the list of runs
    ]  # fmt: skip
    assert of_results
    assert [cell for cell in of_results if not re.search(r"source=|Source\(|show_comparisons\(", cell)] == []


# Protocols under which a fold tests several speakers, or parts of them


def of_protocol(experiment: str, folds: dict[int, list[str]], correct: dict[str, int], seed: int = 0) -> pd.DataFrame:
    """Predictions of runs whose folds test some of the utterances named ``<speaker>-<emotion>-<take>``.

    Args:
        experiment: its name.
        folds: fold -> speakers of whom it tests every utterance, or halves of them, as ``s1/0`` and ``s1/1``.
        correct: speaker -> how many of the four emotions are recognised, from the first.
        seed: of the runs.
    """
    rows = []
    for fold, speakers in folds.items():
        for name in speakers:
            speaker, _, half = name.partition("/")
            for take in [int(half)] if half else [0, 1]:
                for place, emotion in enumerate(EMOTIONS):
                    found = emotion if place < correct[speaker] else EMOTIONS[place - 1]
                    rows.append(
                        ("emodb", experiment, fold, seed, f"{speaker}-{emotion}-{take}", speaker, emotion, found)
                    )
    columns = [*tables.RUN, "utterance", "speaker", "truth", "prediction"]
    return pd.DataFrame(rows, columns=columns)


PAPERS = {1: ["s2"], 2: ["s1"], 3: ["s4"], 4: ["s3"]}  # fold numbers do not follow the names
SESSIONS = {1: ["s1", "s2"], 2: ["s3", "s4"]}
ALL_RIGHT = {"s1": 4, "s2": 4, "s3": 4, "s4": 4}
MIXED = {1: ["s1/0", "s2/1"], 2: ["s1/1", "s2/0"], 3: ["s3/0", "s4/0"], 4: ["s3/1", "s4/1"]}


def test_a_run_of_several_speakers_is_scored_as_one_where_its_protocol_tests_several():
    scored = tables.scores(of_protocol("protocol-sessions", SESSIONS, {"s1": 4, "s2": 2, "s3": 1, "s4": 1}))
    assert scored["test_speaker"].tolist() == ["s1+s2", "s3+s4"]
    assert scored["ua"].tolist() == [0.75, 0.25] and scored["utterances"].tolist() == [16, 16]
    with pytest.raises(SerError, match="tests 2 speakers: a fold tests one"):
        tables.scores(of_protocol("protocol-test-validates", SESSIONS, ALL_RIGHT))


@pytest.mark.parametrize("experiment, folds", [("protocol-sessions", SESSIONS), ("protocol-mixed-pair", MIXED)])
def test_a_speaker_is_scored_over_all_runs_that_test_him_and_paired_with_his_fold_of_the_paper(experiment, folds):
    papers = of_protocol("table1-baseline", PAPERS, {"s1": 1, "s2": 2, "s3": 1, "s4": 1})
    other = of_protocol(experiment, folds, {"s1": 4, "s2": 3, "s3": 2, "s4": 1})
    scored = tables.speaker_scores(shuffled(papers, other, other.assign(seed=5)))
    pd.testing.assert_frame_equal(scored[scored["experiment"] == "table1-baseline"], tables.scores(papers))
    own = scored[(scored["experiment"] == experiment) & (scored["seed"] == 5)].set_index("test_speaker").sort_index()
    assert own["fold"].to_dict() == {"s1": 2, "s2": 1, "s3": 4, "s4": 3}
    assert own["ua"].tolist() == [1.0, 0.75, 0.5, 0.25] and set(own["utterances"]) == {8}
    differences = tables.paired_difference(scored, "emodb", experiment, "table1-baseline", "ua")
    assert differences.tolist() == [0.25, 0.75, 0.0, 0.25]  # in the order of the paper's folds


def test_a_speaker_of_whom_a_part_is_not_tested_yet_or_whom_the_paper_s_protocol_does_not_test_has_no_score():
    papers = of_protocol("table1-baseline", {2: ["s1"], 3: ["s4"]}, {"s1": 1, "s4": 1})
    some = {fold: names for fold, names in MIXED.items() if fold != 4}  # s3 and s4 half, s2 unknown
    scored = tables.speaker_scores(pd.concat([papers, of_protocol("protocol-mixed-pair", some, ALL_RIGHT)]))
    assert scored.loc[scored["experiment"] == "protocol-mixed-pair", "test_speaker"].tolist() == ["s1"]
    alone = tables.speaker_scores(of_protocol("protocol-mixed-pair", MIXED, ALL_RIGHT))
    assert alone.empty and list(alone) == list(scored)
    assert list(tables.speaker_scores(NONE.assign(utterance=""))) == list(scored)


def test_an_utterance_that_is_tested_twice_is_refused():
    papers = of_protocol("table1-baseline", PAPERS, ALL_RIGHT)
    twice = of_protocol("protocol-mixed-pair", {1: ["s1/0"], 2: ["s1/0"]}, {"s1": 4})
    with pytest.raises(SerError, match="emodb, protocol-mixed-pair, seed 0: s1-neutral-0 was tested twice"):
        tables.speaker_scores(pd.concat([papers, twice]))


def test_folds_of_one_number_but_other_people_are_not_paired():
    papers, other = (
        of_protocol("table1-baseline", PAPERS, ALL_RIGHT),
        of_protocol("protocol-sessions", SESSIONS, ALL_RIGHT),
    )
    by_run, references = tables.scores(pd.concat([papers, other])), {"protocol-sessions": "table1-baseline"}
    for refused in (
        lambda: tables.paired_difference(by_run, "emodb", "protocol-sessions", "table1-baseline", "ua"),
        lambda: tables.in_common(by_run, "emodb", ["table1-baseline", "protocol-sessions"]),
        lambda: tables.comparison(by_run, NO_FAILURES, "emodb", references),
    ):
        with pytest.raises(SerError, match="cannot be paired by fold"):
            refused()
    by_speaker = tables.speaker_scores(pd.concat([papers, other]))
    assert tables.comparison(by_speaker, NO_FAILURES, "emodb", references)["Folds"].tolist() == [4]


def test_validation_scores_of_other_protocols_are_not_paired_with_the_papers():
    names = ["table1-baseline", "protocol-test-validates", "normalisation-training"]
    validation = pd.concat([scored(name, {1: 0.5, 2: 0.6}) for name in names]).drop(columns="test_speaker")
    assert len(tables.paired_difference(validation, "emodb", "normalisation-training", "table1-baseline", "ua")) == 2
    with pytest.raises(SerError, match="cannot be paired by fold"):
        tables.paired_difference(validation, "emodb", "protocol-test-validates", "table1-baseline", "ua")
    alone = validation[validation["experiment"] == "table1-baseline"]
    assert len(tables.paired_difference(alone, "emodb", "protocol-test-validates", "table1-baseline", "ua")) == 0


@pytest.mark.parametrize(
    "speakers, apart",
    [
        ([f"s{fold}" for fold in range(8)], True),
        ([f"s{fold}+t{fold}" for fold in range(8)], True),
        ([f"s{fold // 2}+t{fold // 2}" for fold in range(8)], False),
        (["s1+s2"] + [f"s{fold}" for fold in range(2, 9)], False),
    ],
)
def test_folds_that_share_speakers_are_no_sample_and_have_no_interval(speakers, apart):
    ours = pd.concat([scored("protocol-utterances", {n: 0.5 + n / 50 for n in range(8)}, seed) for seed in (0, 1)])
    row = tables.summary(ours.assign(test_speaker=speakers * 2)).iloc[0]
    assert row.ua == pytest.approx(0.57) and row.folds == 8
    assert np.isfinite([row.ua_low, row.wa_high]).all() == apart


def test_a_fold_of_several_speakers_has_no_row_of_table_2_beside_it():
    papers = tables.fold_beside_paper(scored("protocol-test-validates", {1: 0.5}))
    assert papers[""].tolist() == ["ours, Emo-DB", "paper, IEMOCAP"]
    assert tables.fold_beside_paper(scored("protocol-sessions", {1: 0.5}))[""].tolist() == ["ours, Emo-DB"]


def test_folds_are_called_speakers_only_where_each_tests_one():
    of = pd.DataFrame([("emodb", "protocol-sessions", fold, 0, "c", "h") for fold in (1, 2)],
                      columns=[*tables.RUN, "code", "hardware"])  # fmt: skip
    assert "2 runs (2 folds × 1 seed)" in tables.provenance(of, "protocol-sessions")
    assert "2 runs (2 speakers × 1 seed)" in tables.provenance(
        of.assign(experiment="protocol-test-validates"), "protocol-test-validates"
    )


# Transfer


def confusion(source: str, target: str, correct: dict[str, list[int]], normalisation: str = "source") -> pd.DataFrame:
    """Counts of networks, one per fold: speaker -> how many of its four emotions each of them recognises; ten times
    as many utterances are neutral as are of any other emotion, so that UA and WA differ."""
    rows = [
        (source, "table1-baseline", fold, 0, target, normalisation, speaker, emotion,
         emotion if place < found else EMOTIONS[(place + 1) % 4], 10 if emotion == "neutral" else 1)
        for speaker, of_networks in correct.items()
        for fold, found in enumerate(of_networks, start=1)
        for place, emotion in enumerate(EMOTIONS)
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=[*transfer.CELL, "count"])


def test_transfer_is_scored_for_each_network_and_speaker_and_averaged_over_the_networks():
    scored = tables.transfer_scores(confusion("emodb", "nemo", {"A": [4, 2], "B": [1, 1]}))
    assert scored["speaker"].tolist() == ["A", "B"] and scored["runs"].tolist() == [2, 2]
    assert scored["ua"].tolist() == [0.75, 0.25]
    assert scored["wa"].tolist() == pytest.approx([(1 + 11 / 13) / 2, 10 / 13])


def test_the_table_of_transfer_has_a_row_per_source_and_statistics_and_its_own_scores_where_nothing_is_transferred():
    eight = dict(zip("ABCDEFGH", [[4], [3], [2], [1]] * 2, strict=True))
    counts = pd.concat([
        confusion("emodb", "nemo", eight), confusion("emodb", "nemo", {"A": [4], "B": [3]}, "target"),
        confusion("ravdess", "nemo", eight).assign(experiment="table1-best"),
    ])  # fmt: skip
    ours = scored("table1-baseline", {fold: 0.8 for fold in range(1, 7)})
    shown = tables.transfer_table(counts, ours, "table1-baseline").set_index(["Trained on", "Statistics of eq. 2"])
    assert len(shown) == 8
    low, high = stats.t.interval(0.95, 7, 62.5, stats.sem([100, 75, 50, 25] * 2))
    assert shown.loc[("Emo-DB", "source's"), "Tested on nEMO"] == f"62.5 [{low:.1f}, {high:.1f}]"
    assert shown.loc[("Emo-DB", "target's own"), "Tested on nEMO"] == "87.5 (2 speakers)"
    assert set(shown.loc["Emo-DB", "Tested on Emo-DB"]) == {"within: 80.0 [80.0, 80.0]"}
    assert set(shown.loc["RAVDESS", "Tested on nEMO"]) == {"not run yet"}
    assert set(shown.loc["RAVDESS", "Tested on RAVDESS"]) == {"not run yet"}
    assert set(shown["Tested on IEMOCAP"]) | set(shown.loc["IEMOCAP"].stack()) == {"not run here"}
    wa = tables.transfer_table(counts, ours, "table1-baseline", "wa").set_index(["Trained on", "Statistics of eq. 2"])
    assert wa.loc[("Emo-DB", "source's"), "Tested on Emo-DB"] == "within: 40.0 [40.0, 40.0]"


def test_without_any_count_the_table_of_transfer_says_so():
    shown = tables.transfer_table(transfer.load(), tables.scores(NONE), "table1-baseline")
    assert set(shown.iloc[:, 2:].stack()) == {"not run yet", "not run here"}


# What the page of protocols shows


def test_every_experiment_of_the_family_has_words_and_the_papers_protocol_comes_first():
    assert set(tables.PROTOCOLS) == set(members("protocol")) and next(iter(tables.PROTOCOLS)) == "table1-baseline"


def test_how_protocols_divide_a_corpus_and_whom_they_know(tiny_table):
    shown = tables.protocol_folds(tiny_table).set_index("Protocol")
    rows = {name: shown.loc[words].tolist() for name, words in tables.PROTOCOLS.items()}
    assert rows["table1-baseline"] == rows["normalisation-training"] == [6, "44", "11", "11", "0", "0"]
    assert rows["protocol-test-validates"] == [6, "44", "11", "11", "0", "100"]
    assert rows["protocol-mixed-pair"] == [6, "44", "11", "11", "0", "100"]
    assert rows["protocol-sessions"][0] == 3 and rows["protocol-sessions"][3:] == ["22", "0", "0"]
    assert rows["protocol-utterances"] == [6, "44", "11", "11", "100", rows["protocol-utterances"][-1]]


def test_protocols_are_shown_on_the_seeds_that_all_of_them_have():
    baseline = [scored("table1-baseline", {1: 0.5, 2: 0.5}, seed) for seed in (0, 1, 2)]
    others = [scored("protocol-sessions", {1: 0.7, 2: 0.9}, 1), scored("protocol-sessions", {1: 0.1}, 2)]
    elsewhere = [scored("table1-baseline", {1: 0.5}, 7, "nemo"), scored("table1-best", {1: 0.5}, 9)]
    shared = tables.of_shared_seeds(shuffled(*baseline, *others, *elsewhere), tables.PROTOCOLS)
    assert set(zip(shared["corpus"], shared["seed"], strict=True)) == {("emodb", 1), ("emodb", 2), ("nemo", 7)}
    apart = tables.of_shared_seeds(pd.concat([baseline[0], others[0]]), tables.PROTOCOLS)
    assert len(apart) == 4  # no seed in common: all count


def test_a_row_of_a_protocol_has_its_runs_its_speakers_and_means_over_them():
    eight = {fold: 0.5 + fold / 100 for fold in range(1, 9)}
    ours = pd.concat([scored("table1-baseline", eight, seed) for seed in (0, 1)] + [scored("protocol-sessions", eight)])
    made = pd.DataFrame(
        [("emodb", "table1-baseline", fold, seed) for fold in range(1, 9) for seed in (0, 1)]
        + [("emodb", "protocol-sessions", fold, 0) for fold in range(1, 5)]
        + [("emodb", "protocol-mixed-pair", 1, 0), ("nemo", "protocol-sessions", 5, 0)],
        columns=tables.RUN,
    )
    shown = tables.protocol_table(ours, made, failed("protocol-utterances", [1]), "emodb").set_index("Experiment")
    assert list(shown.index) == list(tables.PROTOCOLS)
    low, high = stats.t.interval(0.95, 7, 54.5, stats.sem([51, 52, 53, 54, 55, 56, 57, 58]))
    for name, count in (("table1-baseline", 8), ("protocol-sessions", 4)):
        assert shown.loc[name, "Runs"] == count and shown.loc[name, "Speakers × seeds"] == "8 × 1"
        assert shown.loc[name, "UA (%)"] == f"54.5 [{low:.1f}, {high:.1f}]"
        assert shown.loc[name, "WA (%)"] == f"27.2 [{low / 2:.1f}, {high / 2:.1f}]"
    assert shown["UA (%)"].to_dict() == shown["UA (%)"].to_dict() | {
        "protocol-mixed-pair": "no speaker whole yet", "protocol-utterances": "diverged",
        "protocol-test-validates": "not run yet",
    }  # fmt: skip
    licensed = tables.protocol_table(ours, made, NO_FAILURES, "iemocap")
    assert set(licensed["UA (%)"]) == {"not run here"} and set(licensed["Runs"]) == {0}


def test_what_chose_the_epoch_is_set_against_what_was_tested_then():
    folds = range(1, 7)
    papers, mixed = (
        scored(name, dict.fromkeys(folds, ua)) for name, ua in (("table1-baseline", 0.5), ("protocol-mixed-pair", 0.6))
    )
    best = shuffled(papers.assign(ua=[0.5 + fold / 10 for fold in folds]), mixed.assign(ua=0.7))
    tested = shuffled(papers, mixed.assign(test_speaker="s1+s2"))
    shown = tables.chosen_against_tested(tested, best[[*tables.RUN, "wa", "ua"]], NO_FAILURES)
    ours = shown[shown["Corpus"] == "Emo-DB"].set_index("Protocol")
    low, high = stats.t.interval(0.95, 5, 35, stats.sem([10, 20, 30, 40, 50, 60]))
    row = {name: ours.loc[words].tolist() for name, words in tables.PROTOCOLS.items()}
    assert row["table1-baseline"][1:] == [6, "85.0", "50.0", f"+35.0 [{low:+.1f}, {high:+.1f}]"]
    assert row["protocol-mixed-pair"][1:] == [6, "70.0", "60.0", "+10.0"]  # folds share speakers: no interval
    assert ours.loc[tables.PROTOCOLS["protocol-sessions"], "Difference (points)"] == "not run yet"
    assert shown.loc[shown["Corpus"] == "nEMO", "Protocol"].tolist() == ["all"]
    same = papers.assign(experiment="protocol-test-validates", ua=[0.1, 1 / 3, 0.2, 2 / 3, 0.7, 0.9])
    kept = same.assign(ua=[0.1, 0.333333, 0.2, 0.666667, 0.7, 0.9])[[*tables.RUN, "wa", "ua"]]
    found = tables.chosen_against_tested(same, kept, NO_FAILURES).set_index("Protocol")["Difference (points)"]
    assert found[tables.PROTOCOLS["protocol-test-validates"]] == "+0.0 [+0.0, +0.0]"
    assert shown.set_index("Corpus").loc["IEMOCAP", "UA, test (%)"] == "not run here"


def test_five_folds_stand_beside_ten_and_beside_every_choice_of_one_speaker_per_session():
    ua = [0.9, 0.5, 0.2, 0.4, 0.6, 0.6]
    ours = shuffled(
        scored("table1-baseline", dict(enumerate(ua, start=1))), scored("protocol-sessions", {1: 0.8, 2: 0.3, 3: 0.7}),
        scored("table1-baseline", {fold: 0.0 for fold in range(1, 7)}, seed=1),  # a seed that the other has not
        scored("table1-baseline", {1: 0.5, 2: 0.5, 4: 0.5}, corpus="nemo"),
    )  # fmt: skip
    shown = tables.five_against_ten(ours, ["emodb", "ravdess", "nemo", "iemocap"])
    means = [100 * np.mean(choice) for choice in itertools.product(*zip(ua[::2], ua[1::2], strict=True))]
    expected = ["53.3 (6 folds)", "60.0 (3 folds)", *(f"{x:.1f}" for x in (min(means), np.std(means), max(means)))]
    assert shown["Ours, Emo-DB"].tolist() == expected
    assert shown["Ours, nEMO"].tolist() == ["50.0 (3 folds)", "not run yet", *["not every speaker yet"] * 3]
    assert set(shown["Ours, RAVDESS"]) == {"not run yet"} and set(shown["Ours, IEMOCAP"]) == {"not run here"}
    assert shown["Paper, Table 2 (IEMOCAP)"].iloc[[0, 1, 4]].tolist() == ["61.7 (10 folds)", "not printed", "65.3"]

"""Protects the tables: numbers come from scores, gaps read as gaps, and no corpus is shown as another."""

import itertools

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats

from ser_lib import baselines, model, paper, paths, scoring, tables, training, transfer, wording
from ser_lib.corpora import EMOTIONS
from ser_lib.errors import SerError
from ser_lib.experiments import BASELINE, EXPERIMENTS, FAMILIES, Experiment, members
from tidy import NO_FAILURES, NONE, failed, made, predictions, scored, shuffled


@pytest.mark.parametrize("folds", [1, 2, 5, 6])
def test_fewer_than_six_folds_have_no_interval_in_any_table(folds):
    of = predictions({fold: 10 + fold for fold in range(1, folds + 1)})
    before = predictions({fold: 10 for fold in range(1, folds + 1)}, experiment="table1-vtlp")
    run = scoring.scores(pd.concat([of, before]))
    cells = [
        tables.table1(run, NO_FAILURES, "wa").set_index("Experiment").loc["table1-best", "Ours, Emo-DB"],
        tables.table3(run, NO_FAILURES, "wa")["Ours, Emo-DB"][0],
        tables.averages(run, "emodb")["WA ours (Emo-DB)"][0],
        tables.steps(run, NO_FAILURES, "wa", "emodb")["Ours, Emo-DB"].iloc[-1],
        *tables.comparison(run, NO_FAILURES, "emodb", {"table1-best": "table1-vtlp"})[
            ["WA (%)", "WA, difference"]
        ].iloc[0],
    ]
    for cell in cells:
        assert ("[" in cell) == (folds == 6)
        assert cell.endswith({1: "(1 fold)", 2: "(2 folds)", 5: "(5 folds)", 6: "]"}[folds])


def test_five_best_folds_is_the_better_speaker_of_each_session_as_printed():
    wa, ua = ([getattr(row, metric) for row in paper.TABLE2] for metric in ("wa", "ua"))
    best = tables.best_of_sessions(wa, ua)
    assert [round(score, 1) for score in best] == [66.9, 65.3]


def test_table_1_shows_gaps_as_gaps_and_ours_under_its_own_corpus():
    table = tables.table1(scoring.scores(predictions({1: 20, 2: 8})), NO_FAILURES, "ua").set_index("Experiment")
    assert table.loc["table1-best", "Ours, Emo-DB"] == "70.0 (2 folds)"
    assert table.loc["table1-baseline", "Ours, Emo-DB"] == "not run yet"
    assert (table["Ours, RAVDESS"] == "not run yet").all()
    assert (table["Ours, IEMOCAP"] == "not run here").all()
    assert table["Paper, IEMOCAP"].tolist() == ["57.7", "59.8", "60.9", "61.7"]


def test_without_any_run_every_table_still_says_so():
    scored = scoring.scores(NONE)
    assert (tables.table1(scored, NO_FAILURES, "wa")["Ours, Emo-DB"] == "not run yet").all()
    assert (tables.averages(scored, "emodb")["UA ours (Emo-DB)"].head(3) == "not run yet").all()
    assert (tables.table2_as_printed(scored)[["WA, ours (%)", "UA, ours (%)"]] == "not run here").all(axis=None)
    assert (tables.steps(scored, NO_FAILURES, "ua", "emodb")["Ours, Emo-DB"] == "not run yet").all()
    assert tables.table2(scored, "emodb").empty


def test_no_table_hides_runs_that_diverged():
    """A mean over the folds that are left looks like any other, and an experiment without a score like one not run."""
    ours = scored("table1-best", {1: 0.6, 2: 0.8})
    failures = pd.concat([failed("table1-best", [3, 4, 5]), failed("table1-vtlp", [1, 2])])
    some, all_of_them = "70.0 (2 folds), 3 of 5 diverged", "diverged"
    table1 = tables.table1(ours, failures, "ua").set_index("Experiment")["Ours, Emo-DB"]
    assert (table1["table1-best"], table1["table1-vtlp"]) == (some, all_of_them)
    assert tables.table3(ours, failures, "ua")["Ours, Emo-DB"][0] == some
    assert f"| {some} |" in tables.readme_tables(ours, failures)
    network = tables.baselines_table(ours, failures, baselines.load(), OURS, "ua").set_index("Method")["Emo-DB"]
    assert network["network, best model of Table 1"] == some
    within = tables.transfer_table(transfer.load(), ours, failures, OURS, "table1-best")
    assert set(within["Tested on Emo-DB"]) == {f"within: {some}", "not run yet", "not run here"}
    shown = tables.steps(ours, failures, "ua", "emodb").set_index("To")["Ours, Emo-DB"]
    assert (shown["table1-vtlp"], shown["table1-best"]) == (all_of_them, "no run in common")


def test_averages_leave_out_the_best_of_sessions_while_a_fold_is_missing():
    some = tables.averages(scoring.scores(predictions({1: 20, 2: 8, 3: 12})), "emodb").set_index("Average")
    assert some.loc["better speaker of each session", "UA ours (Emo-DB)"] == "not run yet"
    both = tables.averages(scoring.scores(predictions({1: 20, 2: 8, 3: 12, 4: 16})), "emodb").set_index("Average")
    assert both.loc["better speaker of each session", "UA ours (Emo-DB)"] == "90.0"


def test_steps_are_paired_by_fold():
    before = predictions({1: 10, 2: 12}, experiment="table1-vtlp")
    after = predictions({2: 14, 1: 12, 3: 20}, experiment="table1-best")
    row = tables.steps(scoring.scores(pd.concat([before, after])), NO_FAILURES, "wa", "emodb").iloc[-1]
    assert row["Ours, Emo-DB"].startswith("+10.0")  # both speakers gain two of twenty; fold 3 has no partner


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


def twice(fold: int, otherwise: int = 0, shift: float = 0.0, hardware: tuple[str, str] = ("a GPU", "a GPU")):
    """Predictions and runs of one fold in two experiments; in the second some utterances come out otherwise."""
    one = predictions({fold: 20}, experiment="recurrent-beta-4")
    probabilities = {f"p_{emotion}": 0.25 for emotion in EMOTIONS}
    one = one.assign(utterance=[f"u{number:02d}" for number in range(20)], **probabilities)
    two = one.assign(experiment="recurrent-learning-rate-0.04", p_anger=0.25 + shift)
    two.loc[two.index[:otherwise], "prediction"] = "no emotion"
    where = [
        made(part["experiment"].iloc[0], range(fold, fold + 1), hardware=name, torch="2.11.0")
        for part, name in zip((one, two), hardware, strict=True)
    ]
    return pd.concat([one, two]), pd.concat(where)


def test_one_training_made_twice_is_counted_by_where_both_were_made():
    unlike = ("a processor", "a GPU"), ("a GPU", "a processor")
    parts = [
        twice(1), twice(2, shift=2e-5), twice(3, shift=2e-4), twice(4, otherwise=3), twice(5, otherwise=2),
        twice(6, hardware=unlike[0]), twice(7, otherwise=1, hardware=unlike[1]),
    ]  # fmt: skip
    tests, where = (shuffled(*part) for part in zip(*parts, strict=True))
    pair = {"recurrent-beta-4": "recurrent-learning-rate-0.04"}
    shown = tables.same_trainings(tests, where, pair)
    both = shown.set_index("Both made on").drop(columns="Corpus").to_dict("index")
    assert both == {
        "a GPU": {"Pairs of runs": 5, "Alike to four digits": 2, "Most predicted otherwise in one (%)": "15.0"},
        "a GPU and a processor": {
            "Pairs of runs": 2, "Alike to four digits": 1, "Most predicted otherwise in one (%)": "5.0",
        },
    }  # fmt: skip
    assert set(shown["Corpus"]) == {"Emo-DB"}
    one = tests[tests["experiment"] == "recurrent-beta-4"]
    assert tables.same_trainings(one, where, pair).squeeze() == wording.NOT_RUN


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


def test_what_oversampling_makes_of_the_classes():
    utterances = pd.DataFrame({"emotion": ["neutral"] + ["sadness"] * 2 + ["anger"] * 6 + ["happiness"]})
    table = tables.oversampled_shares({"emodb": utterances, "nemo": None}).set_index("Corpus")
    assert list(table.index) == ["IEMOCAP", "Emo-DB"]
    assert table.loc["Emo-DB", list(EMOTIONS)].tolist() == ["10 → 6", "20 → 12", "60 → 71", "10 → 12"]
    assert table.loc["IEMOCAP", list(EMOTIONS)].tolist() == ["48 → 39", "27 → 21", "13 → 20", "12 → 20"]


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


def test_the_readme_is_written_between_its_marks_only(tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text("before\n<!-- results:start -->\nstale\n<!-- results:end -->\nafter\n")
    tables.update_readme(scoring.scores(predictions({1: 20, 2: 8})), NO_FAILURES, readme)
    text = readme.read_text()
    assert text.startswith("before\n") and text.endswith("\nafter\n") and "stale" not in text
    assert "| table1-best |" in text
    readme.write_text("no marks")
    with pytest.raises(SerError, match="results:start"):
        tables.update_readme(scoring.scores(NONE), NO_FAILURES, readme)


def test_the_projects_readme_shows_the_committed_results():
    from ser_lib import collection

    results = collection.load_results(paths.PROJECT / "results")
    expected = tables.readme_tables(scoring.scores(results.predictions), results.failures)
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
    assert (table.iloc[2:, 2:] == wording.NOT_RUN).all(axis=None)


def test_a_network_that_never_converges_says_so():
    histories = pd.concat([course(name, 1, [1.4, 1.3], [1.4, 1.3]) for name in ("with", "without")])
    table = tables.convergence(histories, {"a network": ("with", "without")})
    assert table["Epochs to a training loss of 0.69"].tolist() == ["never", "never"]


def test_how_training_ended_counts_runs_that_the_limit_ended_while_there_was_patience_left():
    limit, patience = BASELINE.epochs, BASELINE.patience
    rows = [  # fold, epochs, best epoch
        (1, limit, limit), (2, limit, limit - patience + 1),  # the validation score could have risen still
        (3, limit, limit - patience), (4, patience + 3, 3),  # patience ran out
    ]  # fmt: skip
    runs = pd.DataFrame(rows, columns=["fold", "epochs", "best_epoch"]).assign(corpus="emodb", seed=0)
    histories = pd.concat([
        course("table3-64", 1, [1.4, 0.69, 1.0], [1.4] * 3), course("table3-64", 2, [1.4, 0.7], [1.4] * 2),
        course("table3-64", 3, [1.4, 0.5], [1.4] * 2), course("table3-64", 4, [1.4], [1.4]),
        course("another", 1, [0.1], [0.1]),
    ])  # fmt: skip
    table = tables.endings(runs.assign(experiment="table3-64"), histories, ["table3-64", "batch-128"])
    assert table["Emo-DB"].tolist() == ["2 of 4 by the limit; 2 have learnt", wording.NOT_RUN]
    assert table["IEMOCAP"].tolist() == [wording.LICENCE] * 2


def test_the_pace_of_each_convolution_is_a_geometric_mean_over_epochs_and_then_over_speakers():
    """The first convolution is moved half or twice so many times as the Bi-LSTM's two layers in the geometric mean."""
    rows = [
        (corpus, name, fold, seed, epoch, fold * 2.0 ** (2 * epoch - 3) * times, fold * 3.0, fold * 0.5, fold * 2.0)
        for corpus, name, folds, times in (
            ("emodb", "table1-baseline", 6, 8), ("nemo", "table1-baseline", 2, 1), ("emodb", "table1-best", 6, 1)
        )
        for fold in range(1, folds + 1)
        for seed in (0, 1)
        for epoch in (1, 2)
    ]  # fmt: skip
    layers = ["conv 1", "conv 2", "lstm 1", "lstm 2"]
    updates = pd.DataFrame(rows, columns=["corpus", "experiment", "fold", "seed", "epoch", *layers])
    updates["conv 3"] = np.where(updates["experiment"] == "table1-best", 1.0, np.nan)  # of a deeper network
    shown = tables.pace_by_layer(updates, "table1-baseline").set_index("Corpus")
    assert shown.columns.tolist() == ["Speakers", "conv 1", "conv 2"]
    assert shown.loc["Emo-DB"].tolist() == [6, "8.00 [8.00, 8.00]", "3.00 [3.00, 3.00]"]
    assert shown.loc["nEMO"].tolist() == [2, "1.00", "3.00"]
    assert shown.loc["RAVDESS"].tolist() == [0, wording.NOT_RUN, wording.NOT_RUN]
    assert shown.loc["IEMOCAP", "conv 1"] == wording.LICENCE
    slower = updates.assign(**{"conv 1": updates["conv 1"] * np.where(updates["fold"] == 1, 4, 1)})
    cell = tables.pace_by_layer(slower, "table1-baseline")["conv 1"].iloc[0]
    ends = np.exp(scoring.interval(np.log([32] + [8] * 5)))
    assert cell == f"{32 ** (1 / 6) * 8 ** (5 / 6):.2f} [{ends[0]:.2f}, {ends[1]:.2f}]"


def test_a_seed_of_a_reference_is_shown_beside_the_mean_of_those_that_every_fold_has():
    rows = [
        (corpus, "table1-baseline", fold, seed, 0.5 + 0.1 * seed + 0.05 * fold)
        for corpus, seeds in (("emodb", (0, 1)), ("nemo", (0, 2)))
        for fold in (1, 2)
        for seed in seeds
    ]
    rows += [("emodb", "table1-baseline", 1, 2, 0.0), ("ravdess", "table1-best", 1, 0, 0.9)]
    scored = pd.DataFrame(rows, columns=["corpus", "experiment", "fold", "seed", "ua"])
    shown = tables.by_seed(scored, "table1-baseline")
    assert shown.columns.tolist() == ["Corpus", "Seed 0", "Seed 1", "Seed 2", "Mean"]
    assert shown.to_numpy().tolist() == [
        ["Emo-DB", "57.5", "67.5", "–", "62.5"], ["nEMO", "57.5", "–", "77.5", "67.5"]
    ]  # fmt: skip


def test_variety_shows_each_corpus_with_its_speakers_and_says_where_nothing_was_measured():
    rows = [
        ("emodb", "table1-baseline", fold, size, size / 100 + 0.02 * (fold % 2))
        for fold in range(1, 7)
        for size in (16, 64)
    ]
    measured = pd.DataFrame(rows, columns=["corpus", "experiment", "fold", "batch_size", "cosine"])
    shown = tables.variety(measured).set_index("Corpus")
    low, high = scoring.interval(np.array([0.18, 0.16] * 3))
    assert shown.loc["Emo-DB", "batches of 16"] == f"0.17 [{low:.2f}, {high:.2f}]"
    assert shown.loc["Emo-DB", "Speakers"] == 6
    assert shown.loc["nEMO", "batches of 64"] == wording.NOT_RUN
    assert shown.loc["IEMOCAP", "batches of 64"] == wording.LICENCE
    two = tables.variety(measured[measured["fold"] <= 2]).set_index("Corpus")
    assert two.loc["Emo-DB", "batches of 16"] == "0.17"


def test_a_fold_of_several_speakers_has_no_row_of_table_2_beside_it():
    papers = tables.fold_beside_paper(scored("protocol-test-validates", {1: 0.5}))
    assert papers[""].tolist() == ["ours, Emo-DB", "paper, IEMOCAP"]
    assert tables.fold_beside_paper(scored("protocol-sessions", {1: 0.5}))[""].tolist() == ["ours, Emo-DB"]


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
    counts = pd.DataFrame(rows, columns=[*transfer.CELL, "count"])
    return counts.assign(source_fingerprint="ours", target_fingerprint="ours")


OURS = pd.DataFrame({"corpus": ["emodb", "nemo"], "fingerprint": "ours"})
"""What the table of transfer reads of runs: of which version of a corpus they are."""


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
    shown = tables.transfer_table(counts, ours, NO_FAILURES, OURS, "table1-baseline").set_index(
        ["Trained on", "Statistics of eq. 2"]
    )
    assert len(shown) == 8
    low, high = stats.t.interval(0.95, 7, 62.5, stats.sem([100, 75, 50, 25] * 2))
    assert shown.loc[("Emo-DB", "source's"), "Tested on nEMO"] == f"62.5 [{low:.1f}, {high:.1f}]"
    assert shown.loc[("Emo-DB", "target's own"), "Tested on nEMO"] == "87.5 (2 speakers)"
    assert set(shown.loc["Emo-DB", "Tested on Emo-DB"]) == {"within: 80.0 [80.0, 80.0]"}
    assert set(shown.loc["RAVDESS", "Tested on nEMO"]) == {"not run yet"}
    assert set(shown.loc["RAVDESS", "Tested on RAVDESS"]) == {"not run yet"}
    assert set(shown["Tested on IEMOCAP"]) | set(shown.loc["IEMOCAP"].stack()) == {"not run here"}
    wa = tables.transfer_table(counts, ours, NO_FAILURES, OURS, "table1-baseline", "wa").set_index(
        ["Trained on", "Statistics of eq. 2"]
    )
    assert wa.loc[("Emo-DB", "source's"), "Tested on Emo-DB"] == "within: 40.0 [40.0, 40.0]"


@pytest.mark.parametrize(("end", "corpus"), [("source", "emodb"), ("target", "nemo")])
def test_counts_on_another_version_of_a_corpus_do_not_stand_beside_its_runs(end, corpus):
    counts = confusion("emodb", "nemo", {"A": [4]}).assign(**{f"{end}_fingerprint": "another"})
    again = rf"\(python -m ser_lib transfer .*--{'corpus' if end == 'target' else end} {corpus}"
    with pytest.raises(SerError, match=f"{corpus}: the counts of the transfer are of the version another.*{again}"):
        tables.transfer_table(counts, scored("table1-baseline", {1: 0.8}), NO_FAILURES, OURS, "table1-baseline")


def test_without_any_count_the_table_of_transfer_says_so():
    shown = tables.transfer_table(transfer.load(), scoring.scores(NONE), NO_FAILURES, OURS, "table1-baseline")
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


def test_a_row_of_a_protocol_has_its_runs_its_speakers_and_means_over_them():
    eight = {fold: 0.5 + fold / 100 for fold in range(1, 9)}
    ours = pd.concat([scored("table1-baseline", eight, seed) for seed in (0, 1)] + [scored("protocol-sessions", eight)])
    made = pd.DataFrame(
        [("emodb", "table1-baseline", fold, seed) for fold in range(1, 9) for seed in (0, 1)]
        + [("emodb", "protocol-sessions", fold, 0) for fold in range(1, 5)]
        + [("emodb", "protocol-mixed-pair", 1, 0), ("nemo", "protocol-sessions", 5, 0)],
        columns=scoring.RUN,
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
    papers = papers.assign(validation_speaker="s7+s8")  # who validates does not test: the folds are what is paired
    mixed = mixed.assign(validation_speaker="s1+s2")
    best = shuffled(papers.assign(ua=[0.5 + fold / 10 for fold in folds]), mixed.assign(ua=0.7))
    columns = [*scoring.RUN, "validation_speaker", "wa", "ua"]
    tested = shuffled(papers, mixed.assign(test_speaker="s1+s2")).drop(columns="validation_speaker")
    shown = tables.chosen_against_tested(tested, best[columns], NO_FAILURES)
    ours = shown[shown["Corpus"] == "Emo-DB"].set_index("Protocol")
    low, high = stats.t.interval(0.95, 5, 35, stats.sem([10, 20, 30, 40, 50, 60]))
    row = {name: ours.loc[words].tolist() for name, words in tables.PROTOCOLS.items()}
    assert row["table1-baseline"][1:] == [6, "85.0", "50.0", f"+35.0 [{low:+.1f}, {high:+.1f}]"]
    assert row["protocol-mixed-pair"][1:] == [6, "70.0", "60.0", "+10.0"]  # folds share speakers: no interval
    assert ours.loc[tables.PROTOCOLS["protocol-sessions"], "Difference (points)"] == "not run yet"
    assert shown.loc[shown["Corpus"] == "nEMO", "Protocol"].tolist() == ["all"]
    same = papers.assign(experiment="protocol-test-validates", ua=[0.1, 1 / 3, 0.2, 2 / 3, 0.7, 0.9])
    kept = same.assign(ua=[0.1, 0.333333, 0.2, 0.666667, 0.7, 0.9], validation_speaker=same["test_speaker"])[columns]
    found = tables.chosen_against_tested(same.drop(columns="validation_speaker"), kept, NO_FAILURES)
    found = found.set_index("Protocol")["Difference (points)"]
    assert found[tables.PROTOCOLS["protocol-test-validates"]] == "+0.0 [+0.0, +0.0]"
    assert shown.set_index("Corpus").loc["IEMOCAP", "UA, test (%)"] == "not run here"


def test_where_every_speaker_validates_once_and_tests_once_a_speakers_two_scores_are_paired():
    tested = [0.4, 0.8, 0.3, 0.6, 0.5, 0.9]
    partner = [2, 1, 4, 3, 6, 5]
    papers = scored("table1-baseline", dict(enumerate(tested, start=1)))
    more = [0.11, 0.1, 0.12, 0.1, 0.1, 0.07]  # of each speaker, by which the score that chose is above the other
    chosen = papers.assign(
        validation_speaker=[f"s{other}" for other in partner],
        ua=[tested[other - 1] + more[other - 1] for other in partner],
    )
    validation = shuffled(chosen)[[*scoring.RUN, "validation_speaker", "wa", "ua"]]
    shown = tables.chosen_against_tested(shuffled(papers), validation, NO_FAILURES)
    low, high = stats.t.interval(0.95, 5, 10, stats.sem([11, 10, 12, 10, 10, 7]))
    assert shown["Difference (points)"].iloc[0] == f"+10.0 [{low:+.1f}, {high:+.1f}]"


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


def test_a_fold_beside_the_papers_has_each_score_in_its_own_column():
    shown = tables.fold_beside_paper(scored("table1-best", {3: 0.5})).set_index("")
    assert shown.loc["ours, Emo-DB", ["WA (%)", "UA (%)"]].tolist() == ["25.0", "50.0"]
    printed = next(row for row in paper.TABLE2 if row.fold == 3)
    assert printed.wa != printed.ua
    assert shown.loc["paper, IEMOCAP", ["WA (%)", "UA (%)"]].tolist() == [f"{printed.wa:.1f}", f"{printed.ua:.1f}"]


def test_table_2_has_each_fold_s_speaker_utterances_and_scores_means_over_seeds():
    run = shuffled(scored("table1-best", {1: 0.2, 2: 0.6}), scored("table1-best", {1: 0.4, 2: 0.8}, seed=1))
    assert tables.table2(run, "emodb").to_numpy().tolist() == [
        [1, "s1", 20, "15.0", "30.0"],
        [2, "s2", 20, "35.0", "70.0"],
    ]


def test_table_2_as_printed_has_ours_beside_the_same_speaker_of_iemocap_and_no_other():
    run = shuffled(
        scored("table1-best", {1: 0.2, 4: 0.6}, corpus="iemocap").replace({"s1": "1F", "s4": "2M"}),
        scored("table1-best", {1: 0.4, 4: 0.8}, seed=1, corpus="iemocap").replace({"s1": "1F", "s4": "2M"}),
        scored("table1-best", {2: 0.9}).replace({"s2": "1M"}),  # of another corpus
        scored("table1-vtlp", {3: 0.9}, corpus="iemocap").replace({"s3": "2F"}),  # another experiment
    )
    table = tables.table2_as_printed(run).set_index("Fold")
    assert table.loc[1].tolist() == [1, "F", "64.1", "15.0", "66.4", "30.0"]
    assert table.loc[4].tolist() == [2, "M", "62.0", "35.0", "67.6", "70.0"]
    assert (table.loc[[2, 3, *range(5, 11)], ["WA, ours (%)", "UA, ours (%)"]] == "not run here").all(axis=None)
    assert table.loc[10, ["WA, paper (%)", "UA, paper (%)"]].tolist() == ["51.0", "44.2"]


def test_the_works_that_table_2_names_have_the_paper_s_numbers_and_none_of_ours():
    averages = tables.averages(scored("table1-best", {1: 0.6, 2: 0.7}), "emodb").set_index("Average")
    assert averages.loc["[6] (5 fold cross-valid.)"].tolist() == ["62.9", "–", "63.9", "–"]
    assert averages.loc["[7] (5 fold cross-valid.)"].tolist() == ["67.3", "–", "62.0", "–"]


def test_averages_and_steps_keep_wa_and_ua_apart():
    run = shuffled(scored("table1-vtlp", {1: 0.4, 2: 0.5}), scored("table1-best", {1: 0.6, 2: 0.7}))
    averages = tables.averages(run, "emodb").set_index("Average")
    ours = ["WA ours (Emo-DB)", "UA ours (Emo-DB)"]
    assert averages.loc["mean over folds", ours].tolist() == ["32.5 (2 folds)", "65.0 (2 folds)"]
    assert averages.loc["pooled", ours].tolist() == ["50.0", "–"]
    assert averages.loc["better speaker of each session", ours].tolist() == ["35.0", "70.0"]
    assert averages.loc["mean over folds", ["WA paper (IEMOCAP)", "UA paper (IEMOCAP)"]].tolist() == ["64.5", "61.7"]
    for metric, printed, ours in (("wa", "+0.3", "+10.0 (2 folds)"), ("ua", "+0.8", "+20.0 (2 folds)")):
        step = tables.steps(run, NO_FAILURES, metric, "emodb").iloc[-1]
        assert (step["Paper, IEMOCAP"], step["Ours, Emo-DB"]) == (printed, ours)


def test_what_chose_and_what_was_tested_are_of_the_seeds_that_all_protocols_have():
    ours = [scored("table1-baseline", {1: 0.5, 2: 0.5}), scored("table1-baseline", {1: 0.9, 2: 0.9}, seed=1)]
    run = shuffled(*ours, scored("protocol-mixed-pair", {1: 0.6, 2: 0.6}))
    chosen = run.assign(validation_speaker="s9")[[*scoring.RUN, "validation_speaker", "wa", "ua"]]
    shown = tables.chosen_against_tested(run, chosen, NO_FAILURES)
    row = shown[shown["Protocol"] == tables.PROTOCOLS["table1-baseline"]].iloc[0]
    assert (row["Runs"], row["UA, test (%)"]) == (2, "50.0")


def test_seeds_of_a_network_are_averaged_before_the_variety_of_speakers():
    rows = [("emodb", "table1-baseline", fold, seed, 16, cosine + 0.02 * fold)
            for fold in range(1, 7) for seed, cosine in ((0, 0.1), (1, 0.3))]  # fmt: skip
    measured = pd.DataFrame(rows, columns=["corpus", "experiment", "fold", "seed", "batch_size", "cosine"])
    low, high = scoring.interval(np.array([0.2 + 0.02 * fold for fold in range(1, 7)]))
    shown = tables.variety(measured).set_index("Corpus").loc["Emo-DB", "batches of 16"]
    assert shown == f"0.27 [{low:.2f}, {high:.2f}]"


def test_a_corpus_in_numbers_has_its_emotions_minutes_and_the_range_of_its_frames():
    manifest = pd.DataFrame({
        "speaker": ["a", "a", "b"], "emotion": ["anger", "anger", "sadness"],
        "duration": [1024 / 16_000, (1024 + 512 * 9) / 16_000, 60.0],
    })  # fmt: skip
    row = tables.corpus_summary({"emodb": manifest, "nemo": None}).set_index("Corpus")
    columns = ["Utterances", "Speakers", "Neutral", "Sadness", "Anger", "Happiness", "Minutes", "Frames"]
    assert row.loc["Emo-DB", columns].tolist() == [3, 2, 0, 1, 2, 0, "1.0", "1 to 1874"]
    assert set(row.loc["nEMO", columns]) == {wording.NOT_RUN}

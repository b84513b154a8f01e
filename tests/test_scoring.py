"""Protects the scores: from predictions alone, paired by speaker, with intervals that hold what they claim."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from ser_lib import metrics, scoring, tables, verdicts, wording
from ser_lib.corpora import EMOTIONS
from ser_lib.errors import SerError
from tidy import NO_FAILURES, NONE, histories, predictions, runs, scored, shuffled


def test_scores_are_computed_from_predictions():
    scored = scoring.scores(predictions({1: 20, 2: 8}))
    assert scored["wa"].tolist() == [1.0, 0.4]
    assert scored["ua"].tolist() == [1.0, 0.4]
    assert scored["correct"].tolist() == [20, 8]
    assert scored["test_speaker"].tolist() == ["s1", "s2"]


def test_runs_scored_at_once_have_the_scores_of_each_one_alone():
    """Classes of unequal size, rows in no order: every run has its own accuracies, to the last digit."""
    random = np.random.default_rng(0)
    table = shuffled(predictions({2: 20, 10: 8}), predictions({1: 12}, seed=1, experiment="table1-vtlp"))
    table["truth"] = random.permutation(table["truth"])
    of_runs = scoring.scores(table).set_index(scoring.RUN)
    assert list(of_runs.index) == sorted(of_runs.index) and len(of_runs) == 3
    for run, part in table.groupby(scoring.RUN):
        truth, prediction = part["truth"], part["prediction"]
        assert of_runs.loc[run, "utterances"] == len(part) == 20
        assert of_runs.loc[run, "correct"] == (truth == prediction).sum()
        assert of_runs.loc[run, "wa"] == metrics.weighted_accuracy(truth, prediction)
        assert of_runs.loc[run, "ua"] == metrics.unweighted_accuracy(truth, prediction, EMOTIONS)


def test_a_run_without_an_emotion_has_no_score_and_is_named():
    table = predictions({1: 20, 7: 20})
    with pytest.raises(SerError, match="emodb, table1-best, 7, 0: no utterance of class anger"):
        scoring.scores(table[(table["fold"] != 7) | (table["truth"] != "anger")])


@pytest.mark.parametrize("column", ["truth", "prediction"])
def test_a_label_that_is_no_emotion_is_refused(column):
    table = predictions({1: 20})
    table.loc[3, column] = "boredom"
    with pytest.raises(SerError, match="label boredom is not one of neutral, sadness, anger, happiness"):
        scoring.scores(table)


def test_a_run_that_tests_two_speakers_is_refused():
    mixed = predictions({1: 20})
    mixed.loc[0, "speaker"] = "other"
    with pytest.raises(SerError, match="2 speakers"):
        scoring.scores(mixed)


def test_seeds_are_averaged_within_a_speaker_before_the_interval():
    one, other = {1: 20, 2: 8, 3: 12, 4: 20, 5: 8, 6: 12}, {1: 10, 2: 10, 3: 12, 4: 10, 5: 10, 6: 12}
    both = pd.concat([predictions(one), predictions(other, seed=1)])
    row = scoring.summary(scoring.scores(both)).iloc[0]
    by_speaker = np.array([0.75, 0.45, 0.6] * 2)
    low, high = stats.t.interval(0.95, 5, by_speaker.mean(), by_speaker.std(ddof=1) / np.sqrt(6))
    assert (row.folds, row.seeds, row.runs) == (6, 2, 12)
    np.testing.assert_allclose([row.wa, row.wa_low, row.wa_high], [0.6, low, high])


def test_seeds_counts_the_fold_that_has_fewest():
    uneven = pd.concat([predictions({1: 20, 2: 8}), predictions({1: 10}, seed=1)])
    assert scoring.summary(scoring.scores(uneven)).iloc[0]["seeds"] == 1


def test_pooled_accuracy_weighs_utterances_and_the_mean_over_folds_weighs_speakers():
    short = predictions({1: 20, 2: 0}).query(
        "fold == 1 or utterance_number < 8".replace("utterance_number", "index % 20")
    )
    row = scoring.summary(scoring.scores(short)).iloc[0]
    assert row.wa == 0.5
    assert row.pooled_wa == pytest.approx(20 / 28)


def test_intervals_hold_the_mean_as_often_as_they_claim():
    generator = np.random.default_rng(0)
    held = [low <= 0 <= high for low, high in (scoring.interval(generator.normal(size=10)) for _ in range(2000))]
    assert np.mean(held) == pytest.approx(0.95, abs=0.02)


def test_an_interval_without_spread_is_its_mean_and_stacks_have_one_each():
    assert scoring.interval(np.array([0.5, 0.5, 0.5])) == (0.5, 0.5)
    rows = np.array([[0.1, 0.2, 0.6], [0.5, 0.5, 0.5]])
    np.testing.assert_allclose(np.transpose(scoring.interval(rows)), [scoring.interval(row) for row in rows])


def test_one_speaker_has_no_interval():
    for values in ([0.7], []):
        assert np.isnan(scoring.interval(np.array(values))).all()
    assert wording.with_interval(0.7, np.nan, np.nan) == "70.0"


def test_tables_and_verdicts_agree_on_how_many_folds_are_enough():
    assert verdicts.MINIMUM_FOLDS == scoring.MINIMUM_FOLDS == 6


def test_validation_scores_are_those_of_the_chosen_epoch():
    history = shuffled(
        histories({1: [0.2, 0.8, 0.4], 2: [0.3, 0.5, 0.9]}), histories({1: [0.6, 0.1, 0.1]}, experiment="table1-vtlp")
    )
    found = scoring.validation_scores(history, shuffled(runs({1: 2, 2: 1}), runs({1: 3}, experiment="table1-vtlp")))
    expected = {("table1-best", 1): 0.8, ("table1-best", 2): 0.3, ("table1-vtlp", 1): 0.1}
    assert found.set_index(["experiment", "fold"])["ua"].to_dict() == expected
    np.testing.assert_allclose(found["wa"], found["ua"] / 2)


def test_validation_scores_serve_where_test_scores_do():
    names = ["table1-best", "table1-vtlp"]
    found = scoring.validation_scores(
        pd.concat([histories({1: [0.5], 2: [0.7]}, name) for name in names]).astype(object),  # as results are read
        pd.concat([runs({1: 1, 2: 1}, name) for name in names]).astype(object),
    )
    row = tables.comparison(found, NO_FAILURES, "emodb", {"table1-best": "table1-vtlp"}).iloc[0]
    assert (row["UA (%)"], row["UA, difference"]) == ("60.0 (2 folds)", "+0.0 (2 folds)")
    assert tables.table3(found, NO_FAILURES, "ua")["Ours, Emo-DB"][0] == "60.0 (2 folds)"
    assert scoring.summary(found)["pooled_wa"].isna().all()
    none = scoring.validation_scores(histories({}), runs({}))
    assert none.empty and list(none) == [*scoring.RUN, "validation_speaker", "wa", "ua"]


@pytest.mark.parametrize("history", [histories({1: [0.5, 0.6]}), histories({2: [0.5, 0.6, 0.7]}), histories({})])
def test_a_history_without_the_chosen_epoch_is_refused(history):
    with pytest.raises(SerError, match=r"\(emodb, table1-best, 1, 0\) lacks the epoch"):
        scoring.validation_scores(history, runs({1: 3}))


def test_the_runs_behind_differences_are_those_that_both_sides_have():
    best, vtlp = (runs(dict.fromkeys(range(1, 8), 1), name) for name in ("table1-best", "table1-vtlp"))
    more = (
        runs({1: 1, 2: 1}, "table1-best").assign(seed=3),
        runs({8: 1}, "table1-vtlp"),
        runs({1: 1}, "table1-baseline"),
    )
    every = pd.concat([best, vtlp, *more]).assign(test_speaker=lambda table: "s" + table["fold"].astype(str))
    counted = scoring.in_differences(every, {"table1-best": "table1-vtlp", "pooling-max": "table1-baseline"})
    named = counted[scoring.RUN].itertuples(index=False, name=None)
    wanted = [("emodb", name, fold, 0) for name in ("table1-best", "table1-vtlp") for fold in range(1, 8)]
    assert sorted(named) == sorted(wanted)
    assert scoring.in_differences(every.iloc[:0], {"table1-best": "table1-vtlp"}).empty


# Seeds that only some folds have run


def test_seeds_that_only_some_folds_have_run_change_no_mean():
    whole = pd.DataFrame(
        [("emodb", "table1-best", fold, 0, f"{fold:02d}", 10, 5, 0.5, 0.5) for fold in range(1, 7)],
        columns=["corpus", "experiment", "fold", "seed", "test_speaker", "utterances", "correct", "wa", "ua"],
    )
    more = whole[whole["fold"] == 1].assign(seed=1, wa=1.0, ua=1.0, correct=10)
    both = pd.concat([whole, more])
    pd.testing.assert_frame_equal(scoring.summary(both), scoring.summary(whole))
    pd.testing.assert_frame_equal(tables.table2(both, "emodb"), tables.table2(whole, "emodb"))
    pd.testing.assert_frame_equal(tables.averages(both, "emodb"), tables.averages(whole, "emodb"))
    assert len(scoring.balanced(more)) == 1  # where no other fold was run, the seed is complete


def test_averaged_over_seeds_a_fold_has_one_score_of_the_seeds_that_every_fold_has():
    parts = [
        scored("table1-best", {1: 0.5, 2: 0.7}),
        scored("table1-best", {1: 0.7, 2: 0.8}, seed=1),
        scored("table1-best", {1: 0.0}, seed=2),  # not of every fold
        scored("table1-vtlp", {2: 0.4}, seed=4),
    ]
    averaged = scoring.over_seeds(shuffled(*parts)).set_index(scoring.RUN)
    assert averaged["ua"].to_dict() == pytest.approx(
        {("emodb", "table1-best", 1, 0): 0.6, ("emodb", "table1-best", 2, 0): 0.75, ("emodb", "table1-vtlp", 2, 0): 0.4}
    )
    speakers = pd.concat(parts).drop_duplicates("fold").set_index("fold")["test_speaker"]
    assert averaged["test_speaker"].tolist() == speakers[averaged.index.get_level_values("fold")].tolist()
    (added,) = scoring.paired_difference(averaged.reset_index(), "emodb", "table1-best", "table1-vtlp", "ua")
    assert added == pytest.approx(0.35)  # no seed is shared


def test_predictions_of_a_family_are_those_of_its_members():
    predictions = pd.DataFrame({"experiment": ["table1-best", "pooling-max", "table3-16"]})
    chosen = scoring.predictions_of(predictions, "table1", "pooling-max")["experiment"].tolist()
    assert chosen == ["table1-best", "pooling-max"]
    with pytest.raises(SerError, match="did you mean 'table1'"):
        scoring.predictions_of(predictions, "tabel1")


def test_runs_in_means_are_those_that_the_summary_counts():
    parts = [scored("table1-best", dict.fromkeys(range(1, 7), 0.5)), scored("table1-best", {1: 0.9}, seed=1),
             scored("table1-vtlp", {1: 0.5}, seed=1)]  # fmt: skip
    kept = scoring.in_means(shuffled(*parts))
    assert kept.groupby("experiment").size().to_dict() == {"table1-best": 6, "table1-vtlp": 1}
    assert scoring.summary(pd.concat(parts)).set_index("experiment")["runs"].to_dict() == {
        "table1-best": 6, "table1-vtlp": 1,
    }  # fmt: skip
    assert scoring.in_means(parts[0].iloc[:0]).empty


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
    columns = [*scoring.RUN, "utterance", "speaker", "truth", "prediction"]
    return pd.DataFrame(rows, columns=columns)


PAPERS = {1: ["s2"], 2: ["s1"], 3: ["s4"], 4: ["s3"]}  # fold numbers do not follow the names
SESSIONS = {1: ["s1", "s2"], 2: ["s3", "s4"]}
ALL_RIGHT = {"s1": 4, "s2": 4, "s3": 4, "s4": 4}
MIXED = {1: ["s1/0", "s2/1"], 2: ["s1/1", "s2/0"], 3: ["s3/0", "s4/0"], 4: ["s3/1", "s4/1"]}


def test_a_run_of_several_speakers_is_scored_as_one_where_its_protocol_tests_several():
    scored = scoring.scores(of_protocol("protocol-sessions", SESSIONS, {"s1": 4, "s2": 2, "s3": 1, "s4": 1}))
    assert scored["test_speaker"].tolist() == ["s1+s2", "s3+s4"]
    assert scored["ua"].tolist() == [0.75, 0.25] and scored["utterances"].tolist() == [16, 16]
    with pytest.raises(SerError, match="tests 2 speakers: a fold tests one"):
        scoring.scores(of_protocol("protocol-test-validates", SESSIONS, ALL_RIGHT))


@pytest.mark.parametrize("experiment, folds", [("protocol-sessions", SESSIONS), ("protocol-mixed-pair", MIXED)])
def test_a_speaker_is_scored_over_all_runs_that_test_him_and_paired_with_his_fold_of_the_paper(experiment, folds):
    papers = of_protocol("table1-baseline", PAPERS, {"s1": 1, "s2": 2, "s3": 1, "s4": 1})
    other = of_protocol(experiment, folds, {"s1": 4, "s2": 3, "s3": 2, "s4": 1})
    scored = scoring.speaker_scores(shuffled(papers, other, other.assign(seed=5)))
    pd.testing.assert_frame_equal(scored[scored["experiment"] == "table1-baseline"], scoring.scores(papers))
    own = scored[(scored["experiment"] == experiment) & (scored["seed"] == 5)].set_index("test_speaker").sort_index()
    assert own["fold"].to_dict() == {"s1": 2, "s2": 1, "s3": 4, "s4": 3}
    assert own["ua"].tolist() == [1.0, 0.75, 0.5, 0.25] and set(own["utterances"]) == {8}
    differences = scoring.paired_difference(scored, "emodb", experiment, "table1-baseline", "ua")
    assert differences.tolist() == [0.25, 0.75, 0.0, 0.25]  # in the order of the paper's folds


def test_a_speaker_of_whom_a_part_is_not_tested_yet_or_whom_the_paper_s_protocol_does_not_test_has_no_score():
    papers = of_protocol("table1-baseline", {2: ["s1"], 3: ["s4"]}, {"s1": 1, "s4": 1})
    some = {fold: names for fold, names in MIXED.items() if fold != 4}  # s3 and s4 half, s2 unknown
    scored = scoring.speaker_scores(pd.concat([papers, of_protocol("protocol-mixed-pair", some, ALL_RIGHT)]))
    assert scored.loc[scored["experiment"] == "protocol-mixed-pair", "test_speaker"].tolist() == ["s1"]
    alone = scoring.speaker_scores(of_protocol("protocol-mixed-pair", MIXED, ALL_RIGHT))
    assert alone.empty and list(alone) == list(scored)
    assert list(scoring.speaker_scores(NONE.assign(utterance=""))) == list(scored)


def test_an_utterance_that_is_tested_twice_is_refused():
    papers = of_protocol("table1-baseline", PAPERS, ALL_RIGHT)
    twice = of_protocol("protocol-mixed-pair", {1: ["s1/0"], 2: ["s1/0"]}, {"s1": 4})
    with pytest.raises(SerError, match="emodb, protocol-mixed-pair, seed 0: s1-neutral-0 was tested twice"):
        scoring.speaker_scores(pd.concat([papers, twice]))


def test_folds_of_one_number_but_other_people_are_not_paired():
    papers, other = (
        of_protocol("table1-baseline", PAPERS, ALL_RIGHT),
        of_protocol("protocol-sessions", SESSIONS, ALL_RIGHT),
    )
    by_run, references = scoring.scores(pd.concat([papers, other])), {"protocol-sessions": "table1-baseline"}
    for refused in (
        lambda: scoring.paired_difference(by_run, "emodb", "protocol-sessions", "table1-baseline", "ua"),
        lambda: scoring.in_common(by_run, "emodb", ["table1-baseline", "protocol-sessions"]),
        lambda: tables.comparison(by_run, NO_FAILURES, "emodb", references),
    ):
        with pytest.raises(SerError, match="cannot be paired by fold"):
            refused()
    by_speaker = scoring.speaker_scores(pd.concat([papers, other]))
    assert tables.comparison(by_speaker, NO_FAILURES, "emodb", references)["Folds"].tolist() == [4]


def test_validation_scores_of_other_protocols_are_not_paired_with_the_papers():
    names = ["table1-baseline", "protocol-test-validates", "normalisation-training"]
    validation = pd.concat([scored(name, {1: 0.5, 2: 0.6}) for name in names]).drop(columns="test_speaker")
    assert len(scoring.paired_difference(validation, "emodb", "normalisation-training", "table1-baseline", "ua")) == 2
    with pytest.raises(SerError, match="cannot be paired by fold"):
        scoring.paired_difference(validation, "emodb", "protocol-test-validates", "table1-baseline", "ua")
    alone = validation[validation["experiment"] == "table1-baseline"]
    assert len(scoring.paired_difference(alone, "emodb", "protocol-test-validates", "table1-baseline", "ua")) == 0


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
    row = scoring.summary(ours.assign(test_speaker=speakers * 2)).iloc[0]
    assert row.ua == pytest.approx(0.57) and row.folds == 8
    assert np.isfinite([row.ua_low, row.wa_high]).all() == apart


def test_protocols_are_shown_on_the_seeds_that_all_of_them_have():
    baseline = [scored("table1-baseline", {1: 0.5, 2: 0.5}, seed) for seed in (0, 1, 2)]
    others = [scored("protocol-sessions", {1: 0.7, 2: 0.9}, 1), scored("protocol-sessions", {1: 0.1}, 2)]
    elsewhere = [scored("table1-baseline", {1: 0.5}, 7, "nemo"), scored("table1-best", {1: 0.5}, 9)]
    shared = scoring.of_shared_seeds(shuffled(*baseline, *others, *elsewhere), tables.PROTOCOLS)
    assert set(zip(shared["corpus"], shared["seed"], strict=True)) == {("emodb", 1), ("emodb", 2), ("nemo", 7)}
    apart = scoring.of_shared_seeds(pd.concat([baseline[0], others[0]]), tables.PROTOCOLS)
    assert len(apart) == 4  # no seed in common: all count


def test_speakers_of_one_name_on_two_corpora_are_two_speakers():
    """Emo-DB and RAVDESS both have a speaker 03; the scores of a corpus are the same whatever else was run."""
    papers = of_protocol("table1-baseline", PAPERS, {"s1": 1, "s2": 2, "s3": 1, "s4": 1})
    mixed = of_protocol("protocol-mixed-pair", MIXED, {"s1": 4, "s2": 3, "s3": 2, "s4": 1})
    elsewhere = of_protocol("table1-baseline", {1: ["s1"], 2: ["s2"]}, ALL_RIGHT)
    elsewhere = pd.concat([elsewhere, of_protocol("protocol-sessions", {1: ["s1", "s2"]}, ALL_RIGHT)])
    elsewhere = pd.concat([elsewhere, mixed[mixed["speaker"] < "s3"]]).assign(corpus="ravdess")
    alone = [scoring.speaker_scores(part) for part in (pd.concat([papers, mixed]), elsewhere)]
    both = scoring.speaker_scores(pd.concat([papers, mixed, elsewhere]))
    for own in alone:
        of_corpus = both[both["corpus"] == own["corpus"].iloc[0]].reset_index(drop=True)
        pd.testing.assert_frame_equal(of_corpus, own)


def test_a_speaker_with_more_seeds_weighs_no_more_than_one_with_fewer():
    """Where no seed is there for all of them, every run counts, but speakers are the sample."""
    apart = pd.concat(
        [scored("table1-best", {1: 0.2}), scored("table1-best", {1: 0.4}, 1), scored("table1-best", {2: 0.9}, 2)]
    )
    row = scoring.summary(apart).iloc[0]
    assert (row.ua, row.wa, row.runs) == (pytest.approx(0.6), pytest.approx(0.3), 3)


@pytest.mark.parametrize(
    ("low", "high", "guessing"),
    [(0.2, 0.3, True), (0.25, 0.3, True), (0.2, 0.25, True), (0.26, 0.3, False), (0.2, 0.24, False),
     (float("nan"), float("nan"), False)],
)  # fmt: skip
def test_guessing_is_an_interval_that_holds_a_quarter(low, high, guessing):
    """Below it lies what answers worse than chance, which no network that has learned nothing does."""
    assert scoring.is_guessing(low, high) == guessing

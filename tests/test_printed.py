"""What is read out of the printed numbers is right: by hand, by brute force, or against an independent computation."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from ser_lib import metrics, paper, printed
from ser_lib.corpora import EMOTIONS, iemocap
from ser_lib.errors import SerError
from ser_lib.features import frame_count

# Correct answers that each fold's WA implies, in the order of the folds.
CORRECT = [139, 141, 130, 129, 171, 182, 102, 142, 193, 132]


@pytest.fixture(scope="module")
def ways():
    return printed.all_answers()


# Ratios


@pytest.mark.parametrize("size", [1, 3, 7, 20, 149, 298, 1500])
def test_correct_answers_are_those_whose_percentage_rounds_to_the_print(size):
    for tenth in range(0, 1001, 7):
        near = [k for k in range(size + 1) if abs(100 * k / size - tenth / 10) <= 0.05 + 1e-9]
        assert printed.correct_answers(tenth / 10, size).tolist() == near


def test_a_share_half_way_between_two_scores_fits_both():
    assert printed.correct_answers(0.2, 400).tolist() == [1]  # 0.25 %
    assert printed.correct_answers(0.3, 400).tolist() == [1]
    assert printed.correct_answers(0.4, 400).tolist() == []


@pytest.mark.parametrize("size", [1, 8, 40, 149, 400, 583, 2280])
def test_chance_of_fit_is_the_share_of_scores_that_fit(size):
    fitting = [len(printed.correct_answers(tenth / 10, size)) > 0 for tenth in range(1001)]
    assert printed.chance_of_fit(size) == pytest.approx(np.mean(fitting))


def test_table_2_is_ratios_of_the_published_counts():
    table = printed.ratios(printed.rules()[printed.RIGHT])
    assert table["correct"].tolist() == CORRECT
    assert table["fits"].tolist() == [1] * 10
    assert table["utterances"].sum() == paper.NUMBERS["utterances"].value


def test_what_does_not_fit_has_no_correct_answers():
    table = printed.ratios(np.full(10, 7))  # sevenths are 57.1, 71.4, ...
    assert table["correct"].isna().all()
    assert table["fits"].tolist() == [0] * 10


def test_rules_test_the_utterances_that_their_names_say():
    rules, counts = printed.rules(), iemocap.PUBLISHED_COUNTS
    assert next(iter(rules)) == printed.RIGHT
    assert rules[printed.RIGHT].tolist() == [217, 205, 185, 208, 264, 274, 149, 221, 298, 259]
    assert rules["genders swapped"].tolist() == [205, 217, 208, 185, 274, 264, 221, 149, 259, 298]
    assert rules["speaker of the next session"].tolist() == [185, 208, 264, 274, 149, 221, 298, 259, 217, 205]
    assert rules["both speakers of the session"].tolist() == [422, 422, 393, 393, 538, 538, 370, 370, 557, 557]
    assert rules["excitement merged into happiness"][0] == 217 + 54
    assert rules["every label with a majority"][0] == 383 - 71
    assert rules["every improvised turn"].tolist() == counts["labelled"].tolist()


def test_only_the_right_rule_fits_everywhere():
    summary = printed.summary_of_rules().set_index("rule")
    assert summary.loc[printed.RIGHT, "fits"] == 10
    assert summary.loc["genders swapped", "fits"] == 1
    assert (summary.drop(printed.RIGHT)["fits"] < 10).all()
    chances = np.array([printed.chance_of_fit(size) for size in printed.SIZES])
    assert summary.loc[printed.RIGHT, "probability"] == pytest.approx(chances.prod())
    assert summary.loc["genders swapped", "probability"] == pytest.approx(1 - (1 - chances).prod())  # one or more
    assert summary.loc["genders swapped", "expected"] == pytest.approx(chances.sum())


def test_distribution_of_fits_is_that_of_independent_folds():
    assert printed.distribution_of_fits([0.3] * 4) == pytest.approx(stats.binom.pmf(range(5), 4, 0.3))
    by_hand = [0.9 * 0.5, 0.1 * 0.5 + 0.9 * 0.5, 0.1 * 0.5]
    assert printed.distribution_of_fits([0.1, 0.5]) == pytest.approx(by_hand)


def test_the_simulation_agrees_with_the_exact_distribution():
    sizes = printed.rules()["every improvised turn"]
    drawn = printed.simulated_fits(sizes, 20_000)
    exact = printed.distribution_of_fits([printed.chance_of_fit(size) for size in sizes])
    assert np.bincount(drawn, minlength=11) / len(drawn) == pytest.approx(exact, abs=0.015)


def test_simulations_repeat_and_depend_on_their_seed():
    sizes = printed.rules()[printed.RIGHT]
    assert (printed.simulated_fits(sizes, 50) == printed.simulated_fits(sizes, 50)).all()
    assert (printed.simulated_fits(sizes, 50) != printed.simulated_fits(sizes, 50, seed=1)).any()


def test_orders_are_counted_as_by_trying_them_all():
    fits = np.random.default_rng(3).random((6, 6)) < 0.4
    tried = [sum(fits[fold, s] for fold, s in enumerate(order)) for order in itertools.permutations(range(6))]
    assert printed.orders_with_fits(fits).tolist() == np.bincount(tried, minlength=7).tolist()


def test_all_orders_of_the_speakers_are_counted_the_printed_one_among_them():
    orders = printed.orders_by_fits()
    assert orders.sum() == math.factorial(10)
    assert orders[10] >= 1


def test_only_the_four_emotions_fit_of_all_selections_of_labels():
    table = printed.fits_by_labels()
    assert len(table) == 2**7 - 1
    assert set(table.loc[0, "labels"]) == set(EMOTIONS)
    assert table.loc[0, "utterances"] == 2280
    assert table["fits"].tolist().count(10) == 1
    assert table.loc[0, "probability"] == printed.summary_of_rules().loc[0, "probability"]


# Correct answers per emotion


def brute_force(row, size):
    """Every way by the definition of the scores."""
    found = set()
    for correct in itertools.product(*(range(count + 1) for count in size)):
        wa = 100 * sum(correct) / sum(size)
        ua = 100 * sum(c / n for c, n in zip(correct, size, strict=True)) / 4
        if abs(wa - row.wa) <= 0.05 + 1e-9 and abs(ua - row.ua) <= 0.05 + 1e-9:
            found.add(correct)
    return found


def test_answers_are_all_there_are():
    row = paper.Fold(1, 1, "F", wa=28.0, ua=41.7)  # a fourth of three happy utterances would give it, too
    sizes = pd.Series([12, 6, 4, 3], index=list(EMOTIONS))
    found = printed.answers(row, sizes)
    assert len(found) == 6
    assert set(found.itertuples(index=False, name=None)) == brute_force(row, sizes)
    assert not found.duplicated().any()


def test_answers_give_both_printed_scores(ways):
    for row in paper.TABLE2:
        sizes = iemocap.PUBLISHED_COUNTS.loc[row.speaker, list(EMOTIONS)]
        for answer in ways[row.speaker].sample(3, random_state=0).itertuples(index=False):
            truth = np.repeat(EMOTIONS, sizes)
            right = np.concatenate([np.arange(n) < c for n, c in zip(sizes, answer, strict=True)])
            prediction = np.where(right, truth, np.roll(EMOTIONS, 1)[np.repeat(range(4), sizes)])
            assert round(100 * metrics.weighted_accuracy(truth, prediction), 1) == row.wa
            assert 100 * metrics.unweighted_accuracy(truth, prediction, EMOTIONS) == pytest.approx(row.ua, abs=0.0501)


def test_scores_that_no_answers_give_are_an_error():
    with pytest.raises(SerError, match=r"fold 1.*\[9, 5, 4, 3\].*WA 100.0 and UA 50.0"):
        printed.answers(paper.Fold(1, 1, "F", wa=100.0, ua=50.0), pd.Series([9, 5, 4, 3], index=list(EMOTIONS)))


def test_recalls_span_the_answers(ways):
    table = printed.recalls(ways).set_index(["speaker", "emotion"])
    assert len(table) == 40
    for (speaker, emotion), row in table.iterrows():
        found = ways[speaker][emotion]
        assert row["ways"] == len(found)
        assert row["low"] == pytest.approx(100 * found.min() / row["utterances"])
        assert row["high"] == pytest.approx(100 * found.max() / row["utterances"])
        assert row["low"] <= row["lower"] <= row["upper"] <= row["high"]
    assert table.loc[("2M", "anger"), "utterances"] == 15


def test_pooled_recalls_are_reached_and_hold_for_any_mixture(ways):
    table = printed.pooled_recalls(ways).set_index("emotion")
    total = iemocap.PUBLISHED_COUNTS[list(EMOTIONS)].sum()
    rng = np.random.default_rng(0)
    for _ in range(200):
        pooled = 100 * sum(found.iloc[rng.integers(len(found))] for found in ways.values()) / total
        assert (
            (table["low"][list(EMOTIONS)] <= pooled + 1e-9) & (pooled <= table["high"][list(EMOTIONS)] + 1e-9)
        ).all()
        assert table.loc["mean of the four", "low"] <= pooled.mean() <= table.loc["mean of the four", "high"]
    highest = 100 * sum(found["anger"].max() for found in ways.values()) / total["anger"]
    assert table.loc["anger", "high"] == pytest.approx(highest)
    assert table.loc["mean of the four", "low"] > table["low"][list(EMOTIONS)].mean()


# Framing


def test_only_framing_without_padding_gives_the_printed_frames():
    table = printed.framings()
    fits = (table["frames"] == table["published"]).groupby(table["framing"]).all()
    assert fits.to_dict() == {framing: framing == "no padding" for framing in printed.FRAMINGS}


def test_the_durations_are_the_first_and_the_last_that_give_the_frames():
    for row in printed.framings().itertuples():
        first, last = (round(seconds * 16_000) for seconds in (row.at_least, row.at_most))
        assert [printed.frames(n, row.framing) for n in (first - 1, first, last, last + 1)] == [
            row.frames - 1, row.frames, row.frames, row.frames + 1,
        ]  # fmt: skip


@pytest.mark.parametrize("samples", [1024, 1535, 1536, 16_000, 466_080])
def test_framings_count_as_other_software_does(samples):
    assert printed.frames(samples, "no padding") == frame_count(samples)
    assert printed.frames(samples, "centred: half a window at each end") == 1 + samples // 512  # librosa, torch.stft
    assert printed.frames(samples, "padded at the end to a whole shift") == math.ceil((samples - 1024) / 512) + 1


# Averages and choices


def test_the_mean_over_folds_and_the_pooled_share():
    table = printed.averages().set_index("average")
    assert table.loc["mean over folds", "wa"] == pytest.approx(64.50)
    assert table.loc["mean over folds", "ua"] == pytest.approx(61.65)
    assert (table.loc["pooled", "correct"], table.loc["pooled", "utterances"]) == (1461, 2280)
    assert table.loc["pooled", "wa"] == pytest.approx(64.08, abs=0.005)
    assert np.isnan(table.loc["pooled", "ua"])


def test_choices_take_one_speaker_of_each_session():
    table = printed.choices()
    assert len(table) == len(set(table["folds"])) == 32
    assert all([(fold + 1) // 2 for fold in folds] == [1, 2, 3, 4, 5] for folds in table["folds"])
    assert table.loc[table["printed"], "folds"].tolist() == [(2, 3, 6, 8, 9)]
    assert table.loc[table["printed"], "speakers"].tolist() == ["1M 2F 3M 4M 5F"]
    assert table["wa"].mean() == pytest.approx(64.50)
    assert (table["ua"].min(), table["ua"].max()) == pytest.approx((58.00, 65.30))
    assert (table["wa"].min(), table["wa"].max()) == pytest.approx((61.24, 67.76))


def test_all_sets_of_five_folds_are_tried():
    table = printed.sets_of_five()
    assert len(table) == len(set(table["folds"])) == math.comb(10, 5)
    assert (2, 3, 6, 8, 9) in table.loc[table["printed"], "folds"].tolist()


def test_the_highest_folds():
    assert printed.highest("wa") == (2, 3, 6, 7, 9)  # fold 5 has the WA of fold 9, and a lower UA
    assert printed.highest("ua") == (1, 2, 3, 4, 8)


def test_the_better_speaker_of_each_session_by_ua_is_what_the_five_best_are():
    assert printed.better_of_sessions("ua") == (2, 3, 6, 8, 9)
    assert printed.better_of_sessions("wa") == (2, 3, 6, 7, 9)
    readings = printed.five_best_readings()
    assert [name for name, score in readings.items() if printed.is_five_best(score)] == ["better of each session by UA"]
    assert printed.sets_of_five()["printed"].sum() == 1  # no other five of the ten have these averages


# Intervals


def wilson(correct, size):
    z = 1.959964
    centre, margin = correct + z**2 / 2, z * math.sqrt(correct * (size - correct) / size + z**2 / 4)
    return 100 * (centre - margin) / (size + z**2), 100 * (centre + margin) / (size + z**2)


def test_wa_of_a_fold_has_wilsons_interval(ways):
    table = printed.fold_intervals(ways)
    sizes = printed.rules()[printed.RIGHT]
    expected = np.array([wilson(correct, size) for correct, size in zip(CORRECT, sizes, strict=True)])
    assert table[["wa_low", "wa_high"]].to_numpy() == pytest.approx(expected, abs=1e-4)


def test_ua_of_a_fold_has_the_delta_methods_interval(ways):
    table = printed.fold_intervals(ways).set_index("speaker")
    for speaker, found in ways.items():
        errors = []
        for answer in found.itertuples(index=False):
            shares = [c / n for c, n in zip(answer, iemocap.PUBLISHED_COUNTS.loc[speaker, list(EMOTIONS)], strict=True)]
            sizes = iemocap.PUBLISHED_COUNTS.loc[speaker, list(EMOTIONS)]
            errors.append(25 * math.sqrt(sum(r * (1 - r) / n for r, n in zip(shares, sizes, strict=True))))
            if len(errors) == 200:
                break
        row = table.loc[speaker]
        assert row["ua_error_min"] <= min(errors) + 1e-9
        assert row["ua_error_max"] >= max(errors) - 1e-9
        assert row["ua_high"] - row["ua"] == pytest.approx(1.959964 * row["ua_error_max"], abs=1e-4)
        assert row["ua"] - row["ua_low"] == pytest.approx(1.959964 * row["ua_error_max"], abs=1e-4)


def test_the_delta_method_agrees_with_a_simulation():
    sizes = pd.Series([60, 40, 30, 20], index=list(EMOTIONS))
    answer = pd.DataFrame([[45, 20, 12, 15]], columns=list(EMOTIONS))
    shares = (answer / sizes).to_numpy()[0]
    drawn = np.random.default_rng(0).binomial(sizes.to_numpy(), shares, (40_000, 4)) / sizes.to_numpy()
    assert printed._ua_errors(answer, sizes)[0] == pytest.approx(100 * drawn.mean(axis=1).std(), rel=0.02)


@pytest.mark.parametrize("metric", ["wa", "ua"])
def test_averages_have_students_interval_with_the_spread_of_table_2(metric):
    table = printed.score_intervals().set_index(["place", "column"])
    scores = [getattr(row, metric) for row in paper.TABLE2]
    low, high = stats.t.interval(0.95, 9, loc=np.mean(scores), scale=stats.sem(scores))
    row = table.loc[("Table 2", "mean over folds")]
    assert row[f"{metric}_high"] - row[f"{metric}_low"] == pytest.approx(high - low)
    assert row[f"{metric}_low"] == pytest.approx(low, abs=0.05)
    assert not row["borrowed"]
    others = table.drop(index=[("Table 2", "mean over folds")])
    assert others["borrowed"].all()
    assert len(others) == 7
    assert (others[f"{metric}_high"] - others[f"{metric}_low"]).to_numpy() == pytest.approx(high - low)


# Steps


def test_steps_are_differences_of_the_printed_columns():
    table = printed.steps().set_index(["step", "metric"])["points"]
    assert table["oversampling", "ua"] == 2.1
    assert table["oversampling", "wa"] == -2.9
    assert table["VTLP", "ua"] == 1.1
    assert table["VTLP", "wa"] == 0.7
    assert table["4 to 8 kHz", "ua"] == 0.8
    assert table["BN, 16", "ua"] == -2.8
    assert table["BN, 64", "wa"] == 0.9
    assert table["BN, 16 to 64", "ua"] == 1.9
    assert table["all together", "wa"] == -1.9


def columns_with(difference, correlation, deviation, folds=10):
    """Two columns of fold scores with exactly these sample moments."""
    drawn = np.random.default_rng(1).normal(size=(folds, 2))
    drawn -= drawn.mean(axis=0)
    one, other = np.linalg.qr(drawn)[0].T * np.sqrt(folds - 1)
    second = correlation * one + np.sqrt(1 - correlation**2) * other
    return deviation * one, deviation * second + difference


@pytest.mark.parametrize("correlation", [-0.5, 0.0, 0.6, 0.95])
def test_the_smallest_paired_step_is_just_significant_in_a_paired_t_test(correlation):
    smallest = printed.smallest_paired(correlation, 5.4)
    assert stats.ttest_rel(*columns_with(smallest, correlation, 5.4)).pvalue == pytest.approx(0.05)


def test_the_smallest_unpaired_step_is_just_significant_in_a_t_test():
    smallest = printed.smallest_unpaired(8.5)
    assert stats.ttest_ind(*columns_with(smallest, 0.3, 8.5)).pvalue == pytest.approx(0.05)


@pytest.mark.parametrize("points", [2.1, -2.9, 0.7])
def test_the_least_correlation_makes_a_step_just_significant(points):
    correlation = printed.least_correlation(points, 5.4)
    assert printed.smallest_paired(correlation, 5.4) == pytest.approx(abs(points))
    assert printed.least_correlation(30, 5.4) == -1


def test_mcnemars_test_is_two_sided_and_exact():
    assert printed.mcnemar(6, 6) == pytest.approx(2 / 2**6)
    assert printed.mcnemar(4, 10) == pytest.approx(2 * sum(math.comb(10, k) for k in range(4)) / 2**10)


def test_the_fewest_discordant_utterances():
    assert printed.fewest_discordant() == 6  # 2 / 2^5 = 0.0625, 2 / 2^6 = 0.03125


@pytest.mark.parametrize("net", [6, 16, 66])
def test_the_most_discordant_utterances_are_the_last_that_are_significant(net):
    most = printed.most_discordant(net)
    assert (most - net) % 2 == 0
    assert printed.mcnemar(net, most) < 0.05 <= printed.mcnemar(net, most + 2)


def test_a_net_gain_below_the_fewest_is_never_significant():
    assert printed.most_discordant(5) == 0


def test_each_step_is_held_against_its_bounds(ways):
    table = printed.distinguishable(ways).set_index(["step", "metric"])
    assert not table["unpaired"].any()
    row = table.loc[("oversampling", "wa")]
    assert row["correlation"] == pytest.approx(printed.least_correlation(2.9, printed.spread("wa")))
    assert row["net"] == round(0.029 * 2280)
    assert row["discordant"] == printed.most_discordant(66)
    assert pd.isna(table.loc[("oversampling", "ua"), "net"])
    assert table.loc[("oversampling", "ua"), "correlation"] == pytest.approx(
        printed.least_correlation(2.1, printed.spread("ua"))
    )


def test_the_share_between_speakers_is_what_sampling_leaves(ways):
    shares = np.array(CORRECT) / printed.rules()[printed.RIGHT]
    sampling = np.mean(shares * (1 - shares) / printed.rules()[printed.RIGHT])
    by_hand = 1 - sampling / np.var(shares, ddof=1)
    assert printed.share_between_speakers("wa", ways) == pytest.approx(by_hand, abs=0.002)
    errors = printed.fold_intervals(ways)[["ua_error_min", "ua_error_max"]].mean(axis="columns")
    by_hand = 1 - np.mean(errors**2) / np.var([row.ua for row in paper.TABLE2], ddof=1)
    assert printed.share_between_speakers("ua", ways) == pytest.approx(by_hand)


# Best runs


@pytest.mark.parametrize("count, expected", [(1, 0), (2, 1 / math.sqrt(math.pi)), (3, 1.5 / math.sqrt(math.pi))])
def test_the_expected_maximum_of_normals(count, expected):
    assert printed.expected_maximum(count) == pytest.approx(expected, abs=1e-9)


def test_the_simulated_rise_agrees_with_the_exact_one_and_grows_with_the_spread():
    table = printed.rise_of_best((1, 2, 5, 10), (0.5, 2.0))
    assert table["simulated"].to_numpy() == pytest.approx(table["rise"].to_numpy(), abs=0.05)
    by_spread = table.pivot(index="k", columns="deviation", values="rise")
    assert by_spread[2.0].to_numpy() == pytest.approx(4 * by_spread[0.5].to_numpy())
    assert by_spread[0.5].is_monotonic_increasing
    pd.testing.assert_frame_equal(table, printed.rise_of_best((1, 2, 5, 10), (0.5, 2.0)))


# Quoted scores


def test_where_a_score_is_printed():
    assert printed.where_printed(65.3) == ["UA, Table 2, 5 best folds"]
    assert printed.where_printed(70.3) == ["WA, Table 2, fold 3 (speaker 2F)"]
    assert printed.where_printed(64.5) == ["WA, Table 1, table1-best", "WA, Table 2, 10 fold cross-valid."]
    assert printed.where_printed(99.9) == []


# Slips


def test_consensus_of_improvised_and_scripted_turns():
    table = printed.consensus().set_index("scenario")
    assert table.loc["improvised", ["turns", "without"]].tolist() == [4784, 800]
    assert table.loc["scripted", ["turns", "without"]].tolist() == [10039 - 4784, 2507 - 800]
    assert table.loc["improvised", "counted"] == pytest.approx(100 * (1 - 800 / 4784))
    assert table["printed"].tolist() == [83.1, 66.9]


def test_places_of_the_emotions_count_no_missing_majority():
    words = printed.most_represented()[2]
    assert all(place in words for place in ("neutral 1 ", "sadness 4 ", "anger 5 ", "happiness 6 "))


def test_the_steps_of_the_text_are_those_of_table_1():
    table = printed.text_steps()
    assert len(table) == 5
    assert table["text"].tolist() == table["table"].tolist()


def test_the_thesis_differs_from_the_paper():
    table = printed.thesis_differences().set_index("experiment")
    assert table.loc["table1-baseline"].tolist() == [0, 0]
    assert table.loc["table1-oversampling"].tolist() == [-0.3, -1.2]
    assert table.loc["table1-vtlp"].tolist() == [0.7, -1.4]


def test_sigma_as_printed_divides_by_the_variance():
    values = np.random.default_rng(0).normal(3, 2, 1000)
    assert printed.normalised_by("meant", values).std() == pytest.approx(1)
    assert printed.normalised_by("printed", values).std() == pytest.approx(1 / values.std())


def test_slips_and_what_agrees():
    table = printed.slips()
    agrees = table.loc[table["verdict"] == "agrees", "print"].tolist()
    assert agrees == [
        "batch size of 16, and the mark of footnote 4 (164 where the text is copied)",
        "four of the most represented emotions",
        "least represented: happiness and anger",
        "steps of Table 1: +2.1, -2.9, +1.1, +0.7, +0.8",
        "10 folds: 64.5 / 61.7",
        "5 best folds: 66.9 / 65.3",
        "batch norm: “we did not manage to increase performance compared to the baseline”",
        "batch norm, 64 “almost reaches” the best model",
        "11 copies, α = 0.9 to 1.1 by 0.02",
    ]
    assert set(table["verdict"]) == {"agrees", "slip", "other count"}
    # What the paper quotes from elsewhere is no slip of its own.
    assert table.loc[table["verdict"] == "other count", "print"].str.contains("consensus").tolist() == [True, True]
    pd.testing.assert_frame_equal(table, printed.slips())

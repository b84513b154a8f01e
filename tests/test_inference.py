"""Protects what is said of uncertainty: intervals cover what they claim, tests err as often as they say, no more.

Simulations are seeded, and their tolerances are four Monte-Carlo standard errors.
"""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from ser_lib import inference, paper, scoring, verdicts, wording
from ser_lib.errors import SerError

GRID = np.array([[0.61, 0.64], [0.55, 0.58], [0.72, 0.65], [0.58, 0.51], [0.66, 0.68], [0.40, 0.35], [0.63, 0.70]])
METHODS = pytest.mark.parametrize("method", inference.INTERVALS)
TRIALS = 2000
NO_FAILURES = pd.DataFrame(columns=scoring.RUN)
# Fisher 1935: differences in height of 15 pairs of maize plants, crossed minus selfed, in eighths of an inch (Darwin).
MAIZE = np.array([49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48])


def runs(values, experiment="a", corpus="emodb", metric="ua"):
    """Scores of one experiment: (fold, seed) -> score."""
    rows = [
        {"corpus": corpus, "experiment": experiment, "fold": fold, "seed": seed, "wa": 0.5, "ua": 0.5, metric: value}
        for (fold, seed), value in values.items()
    ]
    return pd.DataFrame(rows, columns=[*scoring.RUN, "wa", "ua"])


def by_fold(values, **of):
    return runs({(fold, seed): value for fold, row in enumerate(values, 1) for seed, value in enumerate(row)}, **of)


def of_one(scored):
    """The grid of one experiment's scores: it is that of its differences from another that scores nothing."""
    nothing = scored.assign(experiment="b", wa=0.0, ua=0.0)
    return inference.differences_by_speaker(pd.concat([scored, nothing]), "emodb", "a", "b", "ua")


def monte_carlo(share, trials):
    """Four standard errors of a share that was simulated."""
    return 4 * np.sqrt(share * (1 - share) / trials)


@pytest.fixture(scope="module")
def covered():
    return inference.coverage(inference.DESIGNS[:2], trials=TRIALS)


def of_methods(covered, shape, seeds):
    """Coverage and width by method."""
    return covered[(covered["shape"] == shape) & (covered["seeds"] == seeds)].set_index("method")


# Which runs are compared


def test_scores_are_laid_out_by_speaker_and_seed():
    grid = of_one(by_fold([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]]))
    assert grid.to_numpy().tolist() == [[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]]
    assert grid.index.tolist() == [1, 2, 3] and grid.columns.tolist() == [0, 1]


def test_differences_are_paired_by_fold_and_seed():
    scored = pd.concat([by_fold([[0.5, 0.7], [0.2, 0.9]]), by_fold([[0.4, 0.4], [0.3, 0.1]], experiment="b")])
    found = inference.differences_by_speaker(scored.sample(frac=1, random_state=3), "emodb", "a", "b", "ua")
    np.testing.assert_allclose(found, [[0.1, 0.3], [-0.1, 0.8]])
    mean = scoring.paired_difference(scored, "emodb", "a", "b", "ua")
    np.testing.assert_allclose(found.mean(axis=1), mean)


def test_seeds_that_only_some_folds_have_run_are_left_out():
    scored = runs({(1, 0): 0.1, (2, 0): 0.2, (1, 1): 0.9})
    assert of_one(scored).to_numpy().tolist() == [[0.1], [0.2]]


def test_differences_leave_out_the_seeds_that_some_folds_lack_wherever_they_are_taken():
    scored = pd.concat(
        [runs({(1, 0): 0.5, (2, 0): 0.7, (1, 1): 0.9}), by_fold([[0.4, 0.4], [0.4, 0.4]], experiment="b")]
    )
    grid = inference.differences_by_speaker(scored, "emodb", "a", "b", "ua")
    np.testing.assert_allclose(grid, [[0.1], [0.3]])
    np.testing.assert_allclose(scoring.paired_difference(scored, "emodb", "a", "b", "ua"), [0.1, 0.3])
    alone = pd.concat([runs({(1, 0): 0.5, (2, 1): 0.7}), by_fold([[0.4, 0.4], [0.4, 0.4]], experiment="b")])
    np.testing.assert_allclose(scoring.paired_difference(alone, "emodb", "a", "b", "ua"), [0.1, 0.3])
    grid = inference.differences_by_speaker(alone, "emodb", "a", "b", "ua")
    np.testing.assert_allclose(grid, [[0.1, np.nan], [np.nan, 0.3]])


def test_without_a_seed_in_common_every_run_counts():
    grid = of_one(runs({(1, 0): 0.1, (2, 1): 0.2}))
    np.testing.assert_array_equal(grid, [[0.1, np.nan], [np.nan, 0.2]])


def test_without_runs_the_grid_is_empty():
    assert inference.differences_by_speaker(by_fold([[0.1]]), "emodb", "a", "b", "ua").empty


# Intervals


def test_students_interval_is_scipys_over_speaker_means():
    low, high = inference.student_interval(GRID, 0.9)
    means = GRID.mean(axis=1)
    expected = stats.ttest_1samp(means, 0).confidence_interval(0.9)
    np.testing.assert_allclose((low, high), expected)
    np.testing.assert_allclose((low, high), scoring.interval(means, 0.9))


def test_with_one_seed_the_percentile_interval_is_scipys_bootstrap():
    ours = inference.percentile_interval(GRID[:, :1], resamples=20_000, seed=1)
    scipys = stats.bootstrap((GRID[:, 0],), np.mean, n_resamples=20_000, method="percentile", random_state=2)
    np.testing.assert_allclose(ours, scipys.confidence_interval, atol=0.003)


def test_the_bootstrap_draws_speakers_and_seeds_within_them():
    """Its variance is known: that of speaker means, and that of a mean over drawn seeds, both divided by speakers."""
    grid = GRID + [[0.15, -0.15]]
    means = inference._resampled(grid, 40_000, seed=0).mean(axis=-1)
    speakers, seeds = grid.mean(axis=1).var(), grid.var(axis=1).mean() / 2
    assert means.var() == pytest.approx((speakers + seeds) / len(grid), rel=0.03)
    assert min(speakers, seeds) > 0.5 * max(speakers, seeds)  # without either, this would fail


def test_the_studentised_interval_reaches_further_to_the_side_of_the_tail():
    grid = np.array([0.7, 0.69, 0.71, 0.68, 0.72, 0.7, 0.69, 0.66, 0.6, 0.45])[:, None]
    low, high = inference.studentised_interval(grid)
    assert grid.mean() - low > 1.5 * (high - grid.mean()) > 0
    upside_down = inference.studentised_interval(-grid)
    np.testing.assert_allclose(upside_down, (-high, -low))


@METHODS
def test_an_interval_of_a_stack_is_that_of_each_grid(method):
    stack = inference.simulated_scores(3, 8, 2, seed=1)
    low, high = inference.INTERVALS[method](stack)
    for place, grid in enumerate(stack):
        np.testing.assert_allclose((low[place], high[place]), inference.INTERVALS[method](grid))


@METHODS
def test_an_interval_moves_and_stretches_with_the_scores(method):
    low, high = np.array(inference.INTERVALS[method](GRID))
    np.testing.assert_allclose(inference.INTERVALS[method](100 * GRID - 3), (100 * low - 3, 100 * high - 3))
    assert low < GRID.mean() < high


@METHODS
def test_a_lower_level_gives_a_narrower_interval(method):
    wide, narrow = (np.ptp(inference.INTERVALS[method](GRID, level)) for level in (0.95, 0.8))
    assert narrow < wide


@METHODS
@pytest.mark.parametrize("grid", [GRID[:1], GRID[0], GRID[:, :0], np.where(GRID > 0.7, np.nan, GRID)])
def test_too_few_speakers_or_missing_runs_have_no_interval(method, grid):
    with pytest.raises(SerError, match="two speakers or more|runs are missing"):
        inference.INTERVALS[method](grid)


@pytest.mark.parametrize("method", ["Student's t", "bootstrap, percentile", "bootstrap, studentised"])
def test_without_spread_the_interval_is_the_mean(method):
    np.testing.assert_allclose(inference.INTERVALS[method](np.full((6, 2), 0.5)), (0.5, 0.5))


@pytest.mark.parametrize("seeds", [1, 3])
def test_students_interval_covers_what_it_claims(seeds):
    scores = inference.simulated_scores(20_000, 10, seeds, seed=seeds)
    for level in (0.95, 0.8):
        low, high = inference.student_interval(scores, level)
        assert np.mean((low <= 0) & (0 <= high)) == pytest.approx(level, abs=monte_carlo(level, 20_000))
        assert np.mean(low > 0) == pytest.approx((1 - level) / 2, abs=monte_carlo((1 - level) / 2, 20_000))


@pytest.mark.parametrize("seeds", [1, 3])
def test_the_percentile_and_bca_bootstraps_are_too_narrow_for_ten_speakers(covered, seeds):
    of = of_methods(covered, "normal", seeds)
    assert of.loc["Student's t", "covered"] == pytest.approx(0.95, abs=monte_carlo(0.95, TRIALS))
    assert of.loc["bootstrap, studentised", "covered"] == pytest.approx(0.95, abs=monte_carlo(0.95, TRIALS))
    for method in ("bootstrap, percentile", "bootstrap, BCa"):
        assert of.loc[method, "covered"] < 0.95 - monte_carlo(0.95, TRIALS)
        assert of.loc[method, "width"] < 0.9


def test_where_speakers_are_skewed_every_interval_falls_short_and_students_by_at_most_five_points(covered):
    for seeds in (1, 3):
        of = of_methods(covered, "skewed", seeds)
        assert of["covered"].max() < 0.95
        assert 0.90 < of.loc["Student's t", "covered"] < 0.94
        assert of.loc["Student's t", "covered"] > of.loc["bootstrap, percentile", "covered"] + 0.015
        # The studentised interval is hardly nearer, and wider.
        assert abs(of.loc["bootstrap, studentised", "covered"] - of.loc["Student's t", "covered"]) < 0.03
        assert 1.03 < of.loc["bootstrap, studentised", "width"] < 1.2


def test_coverage_is_shown_by_method_and_kind_of_study(covered):
    shown = inference.coverage_shown(covered)
    assert shown["Interval"].tolist() == list(inference.INTERVALS)
    assert shown.columns.tolist()[1:] == ["normal, 10 × 1", "skewed, 10 × 1", "normal, 10 × 3", "skewed, 10 × 3"]
    row = of_methods(covered, "skewed", 3).loc["bootstrap, BCa"]
    assert shown["skewed, 10 × 3"][2] == f"{100 * row.covered:.1f} % (width {row.width:.2f})"


def test_simulated_scores_have_the_mean_and_the_spread_that_they_are_asked_for():
    for skewed, skewness in ((False, 0), (True, -2)):
        scores = inference.simulated_scores(40_000, 5, 4, between=3, within=2, skewed=skewed, seed=0)
        assert scores.mean() == pytest.approx(0, abs=0.03)
        assert scores.mean(axis=-1).var() == pytest.approx(9 + 4 / 4, rel=0.03)
        assert scores.var(axis=-1, ddof=1).mean() == pytest.approx(4, rel=0.03)
        speakers = inference.simulated_scores(40_000, 5, 1, within=0, skewed=skewed, seed=0)
        assert stats.skew(speakers.ravel()) == pytest.approx(skewness, abs=0.15)


# Tests


def test_fishers_p_of_darwins_maize():
    """Fisher 1935, Section 21: 863 of the 32,768 sums are as large as the one found, and as many as small."""
    assert inference.sign_flip_p(MAIZE) == pytest.approx(2 * 863 / 2**15, abs=1e-12)


@pytest.mark.parametrize(
    ("differences", "p"), [((1, 2, 3), 2 / 8), ((-1, 2, 3), 4 / 8), ((1, -2, -3), 4 / 8), ((1, -1, 0), 1), ((5,), 1)]
)
def test_p_values_counted_by_hand(differences, p):
    """Of 1 2 3 the sums are 6 4 2 0 0 -2 -4 -6: two as far from zero as 6, four as far as 4."""
    assert inference.sign_flip_p(np.array(differences)) == pytest.approx(p)


def test_p_is_the_share_of_flips_as_far_from_zero():
    differences = np.random.default_rng(4).normal(0.5, size=9)
    flips = np.array(list(itertools.product((-1, 1), repeat=9)))
    expected = np.mean(np.abs(flips @ differences) >= abs(differences.sum()) - 1e-12)
    assert inference.sign_flip_p(differences) == pytest.approx(expected)


def test_many_speakers_are_tested_by_random_flips_near_the_exact_p(monkeypatch):
    monkeypatch.setattr(inference, "EXACT_SPEAKERS", 10)
    p = 2 * 863 / 2**15
    assert inference.sign_flip_p(MAIZE) == pytest.approx(p, abs=2 * monte_carlo(p / 2, 19_999))
    assert inference.sign_flip_p(MAIZE) == inference.sign_flip_p(MAIZE)  # seeded
    assert inference.sign_flip_p(np.ones(24), resamples=999) == pytest.approx(2 / 1000)


@pytest.mark.parametrize("speakers", [2, 5, 6, 10])
def test_the_smallest_p_is_reached_when_all_speakers_agree(speakers):
    assert inference.sign_flip_p(np.linspace(1, 2, speakers)) == pytest.approx(inference.smallest_p(speakers))


def test_six_speakers_are_the_fewest_that_decide_anything():
    """The rule of tables and verdicts, and its reason."""
    speakers = np.arange(2, 20)
    assert speakers[inference.smallest_p(speakers) <= 1 - inference.LEVEL].min() == scoring.MINIMUM_FOLDS


@pytest.mark.parametrize("speakers", [5, 8, 10])
def test_the_smallest_corrected_p_is_what_holm_leaves_where_one_difference_alone_is_as_clear_as_can_be(speakers):
    p_values = [float(inference.smallest_p(speakers)), *[0.9] * 7]
    assert inference.smallest_p(speakers, 8) == pytest.approx(inference.holm(p_values)[0])


def test_without_an_effect_sign_flips_find_one_as_often_as_they_say():
    differences = inference.simulated_scores(2000, 10, 3, seed=5).mean(axis=-1)
    p = inference.sign_flip_p(differences)
    for level in (0.05, 0.25):
        assert np.mean(p <= level) == pytest.approx(level, abs=monte_carlo(level, 2000))


@pytest.mark.parametrize("differences", [(), (1.0, np.nan)])
def test_sign_flips_need_a_number_from_every_speaker(differences):
    with pytest.raises(SerError, match="one number per speaker"):
        inference.sign_flip_p(np.array(differences))


def test_holms_adjusted_p_values_of_an_example():
    """The worked example of the English Wikipedia's article on Holm's method: H4 and H1 are rejected at 0.05."""
    np.testing.assert_allclose(inference.holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])
    assert inference.holm([0.6, 0.9]).tolist() == [1, 1]
    assert inference.holm([0.2]).tolist() == [0.2]
    assert inference.holm([]).tolist() == []


@pytest.mark.parametrize("seed", range(5))
def test_holm_rejects_what_the_steps_of_1979_reject(seed):
    p = np.random.default_rng(seed).beta(0.3, 2, size=8)
    rejected = np.zeros(8, dtype=bool)
    for step, place in enumerate(np.argsort(p)):
        if p[place] > 0.05 / (8 - step):
            break
        rejected[place] = True
    np.testing.assert_array_equal(inference.holm(p) <= 0.05, rejected)


def test_holm_finds_anything_among_nothing_as_rarely_as_it_says():
    p = np.random.default_rng(1).random((4000, 6))
    found = np.mean([inference.holm(row).min() <= 0.05 for row in p])
    assert found == pytest.approx(1 - (1 - 0.05 / 6) ** 6, abs=monte_carlo(0.05, 4000))


@pytest.mark.parametrize("p", [[0.1, np.nan], [-0.1], [1.1]])
def test_holm_refuses_what_is_no_p_value(p):
    with pytest.raises(SerError, match="p value is missing or outside"):
        inference.holm(p)


# Components


def test_components_of_the_turnip_leaves():
    """Snedecor and Cochran, Statistical Methods: calcium of four leaves, four times each; s² 0.0066, leaves 0.0724."""
    leaves = [[3.28, 3.09, 3.03, 3.03], [3.52, 3.48, 3.38, 3.38], [2.88, 2.80, 2.81, 2.76], [3.34, 3.38, 3.23, 3.26]]
    found = inference.variance_components(leaves)
    assert (found.speakers, found.seeds) == (4, 4)
    assert found.within**2 == pytest.approx(0.0066, abs=5e-5)
    assert found.between**2 == pytest.approx(0.0724, abs=5e-5)
    assert found.one_seed**2 == pytest.approx(0.0790, abs=1e-4)


def test_components_with_fewer_seeds_for_some_by_hand():
    """0 2 and 4: means 1 and 4, mean of all 2, mean squares 2·1 + 1·4 = 6 and 2, n0 = 3 - 5/3; between (6 - 2) / n0."""
    found = inference.variance_components([[0, 2], [4, np.nan]])
    assert found.within**2 == pytest.approx(2)
    assert found.between**2 == pytest.approx(3)
    assert found.seeds == 1


def test_speakers_that_differ_less_than_their_seeds_have_no_spread_of_their_own():
    found = inference.variance_components([[0, 2], [2, 0]])
    assert found.between == 0 and found.one_seed == found.within == pytest.approx(2**0.5)


def test_one_seed_does_not_tell_speakers_from_seeds():
    found = inference.variance_components([[1], [3]])
    assert np.isnan(found.between) and np.isnan(found.within) and found.one_seed == pytest.approx(2**0.5)
    found = inference.variance_components([[1, np.nan], [np.nan, 3]])
    assert np.isnan(found.within) and found.one_seed == pytest.approx(2**0.5)


def test_components_are_those_of_the_simulation():
    found = inference.variance_components(inference.simulated_scores(1, 20_000, 3, between=2, within=5, seed=2)[0])
    assert found.between == pytest.approx(2, rel=0.05)
    assert found.within == pytest.approx(5, rel=0.05)


@pytest.mark.parametrize("grid", [[[1.0, 2.0]], [[1.0], [np.nan]]])
def test_components_need_two_speakers_with_runs(grid):
    with pytest.raises(SerError, match="components need two"):
        inference.variance_components(grid)


def test_pooled_components_are_root_mean_squares_of_those_that_tell_speakers_from_seeds():
    parts = [inference.Components(10, 3, 3, 1, 10**0.5), inference.Components(8, 2, 1, 7, 50**0.5)]
    single = inference.Components(6, 1, np.nan, np.nan, 99)
    assert inference.pooled([*parts, single]) == inference.Components(8, 2, 5**0.5, 5, 30**0.5)
    assert inference.pooled([single]).one_seed == 99
    assert inference.pooled([]) is None


# Power


@pytest.mark.parametrize(
    ("speakers", "effect", "power"),
    # Sample sizes for 80 % that Cohen 1988 and G*Power give for a paired t test, and the power they state.
    [(34, 0.5, 0.8078), (15, 0.8, 0.8213), (199, 0.2, 0.8017)],
)
def test_power_is_that_of_known_paired_t_tests(speakers, effect, power):
    assert inference.power(effect, speakers, 1, between=1, within=0) == pytest.approx(power, abs=2e-3)
    assert inference.power(effect, speakers - 1, 1, between=1, within=0) < 0.8 < power


def test_power_is_noncentral_t():
    """One side of it, as SciPy has it; the other is nothing at this size."""
    expected = stats.nct.sf(stats.t.ppf(0.975, 9), 9, 1.5 * np.sqrt(10) / np.sqrt(1 + 4 / 3))
    assert inference.power(1.5, 10, 3, between=1, within=2) == pytest.approx(expected, abs=1e-6)


def test_power_without_an_effect_is_the_level_of_the_test_and_has_two_sides():
    assert inference.power(0, 10, 3, 1, 1) == pytest.approx(0.05)
    assert inference.power(0, 10, 3, 1, 1, level=0.8) == pytest.approx(0.2)
    assert inference.power([0, 1e-4], 10, 3, 1, 1) == pytest.approx(0.05)
    assert inference.power(-1, 10, 1, 1, 1) == pytest.approx(inference.power(1, 10, 1, 1, 1))


@pytest.mark.parametrize(("speakers", "seeds"), [(10, 1), (10, 3), (6, 2)])
def test_power_is_what_simulated_studies_find(speakers, seeds):
    scores = inference.simulated_scores(20_000, speakers, seeds, between=2, within=3, seed=speakers + seeds)
    for effect in (1.0, 2.5):
        low, high = inference.student_interval(scores + effect)
        found = np.mean((low > 0) | (high < 0))
        assert inference.power(effect, speakers, seeds, 2, 3) == pytest.approx(found, abs=monte_carlo(found, 20_000))


def test_seeds_take_away_their_own_spread_and_no_more():
    only_speakers = [inference.power(1, 10, seeds, between=2, within=0) for seeds in (1, 100)]
    assert only_speakers[0] == pytest.approx(only_speakers[1])
    assert inference.power(1, 10, 4, between=0, within=2) == pytest.approx(inference.power(1, 10, 1, 0, 1))
    assert inference.power(1, 20, 1, 2, 2) > inference.power(1, 10, 2, 2, 2)


@pytest.mark.parametrize("power", [0.3, 0.8, 0.99])
@pytest.mark.parametrize("speakers", [2, 3, 10, 24, 1000])
def test_the_smallest_effect_has_the_power_that_was_asked_for(speakers, power):
    effect = inference.smallest_effect(speakers, 3, 2, 3, power=power)
    assert inference.power(effect, speakers, 3, 2, 3) == pytest.approx(power, abs=1e-6)


def test_the_smallest_effect_of_ten_speakers():
    """About one standard deviation of the differences: the t test of ten pairs finds d = 0.9960 with 80 %."""
    assert inference.smallest_effect(10, 1, between=1, within=0) == pytest.approx(0.996, abs=2e-3)
    assert inference.smallest_effect(10, 1, between=0, within=6) == pytest.approx(6 * 0.996, abs=0.012)
    assert inference.smallest_effect(10, 3, between=0, within=0) == 0


@pytest.mark.parametrize("study", [(1, 1, 1, 1), (10, 0, 1, 1), (10, 1, -1, 1), (10, 1, 1, np.nan)])
def test_studies_that_cannot_be_are_refused(study):
    with pytest.raises(SerError, match="two speakers or more"):
        inference.power(1, *study)
    with pytest.raises(SerError, match="two speakers or more"):
        inference.smallest_effect(*study)


def test_power_that_no_effect_or_every_effect_has_is_refused():
    with pytest.raises(SerError, match="without any spread"):
        inference.power(1, 10, 1, 0, 0)
    for power in (0.05, 1):
        with pytest.raises(SerError, match="must be above 0.05"):
            inference.smallest_effect(10, 1, 1, 1, power=power)


# Tables


def compared(corpora=("emodb", "nemo")):
    """Ten folds of two seeds on Emo-DB, of which one difference is tiny; three folds on nEMO."""
    generator = np.random.default_rng(0)
    base = generator.normal(0.6, 0.08, (10, 2))
    scored = pd.concat(
        [
            by_fold(base, experiment="b"),
            by_fold(base + 0.05 + generator.normal(0, 0.01, (10, 2)), experiment="a"),
            by_fold(base + generator.normal(0, 0.01, (10, 2)), experiment="c"),
            by_fold(base[:3], experiment="b", corpus="nemo"),
            by_fold(base[:3] + 0.02, experiment="a", corpus="nemo"),
        ]
    )
    failures = pd.DataFrame([("nemo", "c", 1, 0)], columns=scoring.RUN)
    return scored, inference.comparisons(scored, failures, corpora, {"a": "b", "c": "b", "d": "b"}, "ua")


def test_comparisons_are_in_points_and_agree_with_their_parts():
    scored, table = compared()
    row = table.iloc[0]
    grid = 100 * inference.differences_by_speaker(scored, "emodb", "a", "b", "ua")
    assert row["mean"] == pytest.approx(grid.to_numpy().mean()) and 4 < row["mean"] < 6
    assert (row.speakers, row.seeds) == (10, 2)
    np.testing.assert_allclose((row.low, row.high), inference.student_interval(grid))
    assert row.p == pytest.approx(inference.smallest_p(10))
    assert row.within == pytest.approx(inference.variance_components(grid).within)
    np.testing.assert_allclose(table.adjusted_p[:2], inference.holm(table.p[:2]))
    assert inference.spreads(table)[0] == inference.variance_components(grid)
    assert len(inference.spreads(table)) == 2


def test_comparisons_that_were_not_run_or_have_few_speakers_have_no_p():
    _, table = compared()
    assert table.speakers.tolist() == [10, 10, 0, 3, 0, 0]
    assert table.p.notna().tolist() == [True, True, False, False, False, False]
    shown = inference.comparisons_shown(table)
    assert shown["Points"].tolist()[2:] == [wording.NOT_RUN, "+2.0", wording.DIVERGED, wording.NOT_RUN]
    assert shown["p"].tolist()[2:] == ["–"] * 4
    assert shown["Speakers × seeds"].tolist()[:4] == ["10 × 2", "10 × 2", "–", "3 × 2"]


def test_no_p_value_is_shown_as_zero():
    """Where 24 speakers agree, p is far below what three digits show, and no test gives zero."""
    _, table = compared()
    shown = inference.comparisons_shown(
        table.assign(p=[1e-7, 0.0005, *table.p[2:]], adjusted_p=[0.0004, 1, *table.p[2:]])
    )
    assert shown["p"].tolist()[:2] == ["< 0.001", "0.001"]
    assert shown["p, Holm"].tolist()[:2] == ["< 0.001", "1.000"]


def test_a_corpus_without_a_run_has_one_row():
    _, table = compared(["ravdess", "iemocap"])
    shown = inference.comparisons_shown(table)
    assert shown["Corpus"].tolist() == ["RAVDESS", "IEMOCAP"]
    assert shown["Points"].tolist() == [wording.NOT_RUN, wording.LICENCE]


def test_runs_of_other_folds_are_no_run_in_common():
    scored = pd.concat([by_fold([[0.5]]), runs({(2, 0): 0.5}, experiment="b")])
    (row,) = inference.comparisons(scored, NO_FAILURES, ["emodb"], {"a": "b"}, "ua").to_dict("records")
    assert row["absence"] == wording.NOTHING_SHARED


def test_one_seed_is_shown_as_spread_that_cannot_be_told_apart():
    values = np.linspace(0.4, 0.7, 6)[:, None]
    scored = pd.concat([by_fold(values), by_fold(values**2, experiment="b")])
    table = inference.comparisons(scored, NO_FAILURES, ["emodb"], {"a": "b"}, "ua")
    (row,) = inference.comparisons_shown(table).to_dict("records")
    sd = 100 * (values - values**2).std(ddof=1)
    assert row["sd of speakers"] == f"{sd:.1f} with that of seeds"
    assert row["sd of seeds"] == "needs two seeds"
    assert row["Found at 80 %"] == f"{inference.smallest_effect(6, 1, sd, 0):.1f}"


def test_what_a_comparison_would_find_is_what_its_verdict_says():
    """Both are of the spread of speaker means that was seen, also where seeds account for all of it."""
    generator = np.random.default_rng(3)
    scored = pd.concat([by_fold(generator.uniform(0.3, 0.9, (8, 3)), experiment=name) for name in ("a", "b")])
    table = inference.comparisons(scored, NO_FAILURES, ["emodb"], {"a": "b"}, "ua")
    assert table["between"].tolist() == [0]
    differences = 100 * scoring.paired_difference(scored, "emodb", "a", "b", "ua")
    (row,) = inference.comparisons_shown(table).to_dict("records")
    assert f"80 % power at {row['Found at 80 %']} points" in verdicts.judge_difference(differences, +1).basis


def test_smallest_effects_are_a_range_where_seeds_cannot_be_told_from_speakers():
    shown = inference.smallest_effects(
        {
            "emodb": inference.Components(10, 1, np.nan, np.nan, 6),
            "nemo": inference.Components(10, 2, 3, 4, 5),
            "ravdess": None,
            "iemocap": None,
        }
    )
    one, two, absent, licensed = shown.to_numpy()[:, 1:].tolist()
    unit = inference.smallest_effect(10, 1, 1, 0)
    assert one == [f"{6 * unit:.1f}", f"{6 * unit / 3**0.5:.1f} to {6 * unit:.1f}", f"{6 * unit / 10**0.5:.1f} to "
                   f"{6 * unit:.1f}"]  # fmt: skip
    assert two == [f"{np.sqrt(9 + 16 / seeds) * unit:.1f}" for seeds in (1, 3, 10)]
    assert absent == [wording.NOT_RUN] * 3 and licensed == [wording.LICENCE] * 3


def test_the_printed_folds_spread_as_is_known_of_them():
    """5.4 points of WA and 8.5 of UA."""
    shown = inference.printed_folds().set_index("Score")
    assert shown["sd over folds"].to_dict() == {"UA": "8.5", "WA": "5.4"}
    for metric in ("wa", "ua"):  # what the page says of them
        low, high = scoring.interval([getattr(row, metric) for row in paper.TABLE2])
        assert all(low < getattr(column, metric) < high for column in paper.TABLE1)
    assert shown["Mean (%)"].tolist() == [f"{np.mean([row.ua for row in paper.TABLE2]):.1f}",
                                          f"{np.mean([row.wa for row in paper.TABLE2]):.1f}"]  # fmt: skip


def test_a_printed_step_needs_the_spread_with_which_its_power_is_80_percent():
    shown = inference.printed_steps()
    assert shown["Points"].tolist() == ["+2.1", "+1.1", "+0.8", "-2.9", "+0.7"]
    assert shown["Score"].tolist() == ["UA", "UA", "UA", "WA", "WA"]
    for row in shown.to_dict("records"):
        spread = float(row["sd of differences at most"])
        assert inference.power(abs(float(row["Points"])), 10, 1, spread, 0) == pytest.approx(0.8, abs=0.06)
        sd = np.std([getattr(fold, row["Score"].lower()) for fold in paper.TABLE2], ddof=1)
        correlation = float(row["correlation of folds at least"])
        assert np.sqrt(2 * (1 - correlation)) * sd == pytest.approx(spread, abs=0.06)


def test_comparisons_are_corrected_for_those_of_their_own_corpus_alone():
    scored, alone = compared(["emodb"])
    base = scored[scored["corpus"] == "emodb"]
    both = pd.concat([base, base.assign(corpus="ravdess")])
    table = inference.comparisons(both, NO_FAILURES, ["emodb", "ravdess"], {"a": "b", "c": "b", "d": "b"}, "ua")
    for _, part in table.groupby("corpus"):
        np.testing.assert_allclose(part["adjusted_p"], alone["adjusted_p"])

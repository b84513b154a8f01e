"""Several corpora together: every speaker counts the same, and no corpus lends another its spread or its mean."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from ser_lib import paper, scoring, together
from tidy import scored

A = np.array([1.0, 2.5, -0.5, 4.0, 2.0, 3.0])
B = np.array([-6.0, 5.0, 9.0, -2.0, 12.0, 0.0])


def test_of_one_corpus_it_is_students_interval():
    mean, low, high = together.stratified_interval([A])
    assert mean == A.mean()
    assert (low, high) == pytest.approx(scoring.interval(A))


def test_of_two_corpora_it_is_welchs():
    """Half the sum of two means is half the difference of one and the other turned over."""
    mean, low, high = together.stratified_interval([A, B], level=0.9)
    welch = stats.ttest_ind(A, -B, equal_var=False).confidence_interval(0.9)
    assert (2 * low, 2 * high) == pytest.approx((welch.low, welch.high))
    assert mean == pytest.approx(np.concatenate([A, B]).mean())


def test_it_holds_the_mean_over_speakers_as_often_as_it_says_however_unlike_the_corpora():
    random = np.random.default_rng(0)
    sizes, means, spreads = (10, 24, 8), (0.0, 30.0, -20.0), (3.0, 8.0, 12.0)
    true = np.average(means, weights=sizes)
    held = []
    for _ in range(3000):
        parts = [random.normal(mean, spread, size) for size, mean, spread in zip(sizes, means, spreads, strict=True)]
        _, low, high = together.stratified_interval(parts)
        held.append(low < true < high)
    assert np.mean(held) == pytest.approx(0.95, abs=0.012)


def test_without_any_spread_the_interval_is_the_mean():
    assert together.stratified_interval([np.full(6, 2.0), np.full(12, 5.0)]) == pytest.approx((4.0, 4.0, 4.0))


def of(corpus: str, experiment: str, points: np.ndarray) -> pd.DataFrame:
    """Scores of one speaker per fold, so many points above 50 %."""
    return scored(experiment, dict(enumerate(0.5 + np.asarray(points) / 100, start=1)), corpus=corpus)


SPEAKERS = {"emodb": A, "ravdess": np.concatenate([B, B]), "nemo": A[:5]}
SCORED = pd.concat(
    part
    for corpus, points in SPEAKERS.items()
    for part in (of(corpus, "table1-oversampling", points), of(corpus, "table1-baseline", np.zeros(len(points))))
)
STEP = {"table1-oversampling": "table1-baseline"}


def test_a_row_is_the_mean_over_all_speakers_beside_the_papers_step():
    (row,) = together.table(SCORED, ("emodb", "ravdess"), STEP).to_dict("records")
    assert row["Difference"] == "table1-oversampling − table1-baseline"
    assert (row["Corpora"], row["Speakers"]) == ("Emo-DB, RAVDESS", "6 + 12")
    assert (row["UA, paper"], row["WA, paper"]) == ("+2.1", "-2.9")
    parts = [A, SPEAKERS["ravdess"]]
    mean, low, high = together.stratified_interval(parts)
    assert mean == pytest.approx(np.concatenate(parts).mean())
    assert row["UA, ours"] == f"{mean:+.1f} [{low:+.1f}, {high:+.1f}]"
    assert row["WA, ours"] == f"{mean / 2:+.1f} [{low / 2:+.1f}, {high / 2:+.1f}]"  # of made-up scores half the UA
    assert row["UA, corpora alike: p"] == f"{stats.f_oneway(*parts, equal_var=False).pvalue:.3f}"


def test_a_corpus_with_few_speakers_is_left_out_and_the_same_row_is_said_once():
    rows = together.table(SCORED, ("emodb", "ravdess", "nemo"), STEP)
    assert rows["Corpora"].tolist() == ["Emo-DB, RAVDESS"]
    assert together.table(SCORED, ("emodb", "nemo"), STEP).empty  # one corpus is not several


def test_a_second_row_leaves_out_the_corpora_on_which_the_reference_only_guesses():
    guessing = [of("nemo", "table1-oversampling", A - 25), of("nemo", "table1-baseline", B - 25)]
    runs = pd.concat([SCORED[SCORED["corpus"] != "nemo"], *guessing])
    rows = together.table(runs, ("emodb", "ravdess", "nemo"), STEP)
    assert rows["Corpora"].tolist() == ["Emo-DB, RAVDESS, nEMO", "Emo-DB, RAVDESS"]


def test_corpora_that_differ_are_told_apart():
    apart = pd.concat([
        of("emodb", "table1-oversampling", A), of("emodb", "table1-baseline", np.zeros(6)),
        of("ravdess", "table1-oversampling", A + 30), of("ravdess", "table1-baseline", np.zeros(6)),
    ])  # fmt: skip
    (row,) = together.table(apart, ("emodb", "ravdess"), STEP).to_dict("records")
    assert row["UA, corpora alike: p"] == "< 0.001"


def test_what_the_paper_does_not_print_is_said_to_be_so():
    runs = SCORED.replace({"experiment": {"table1-oversampling": "frequency-8"}})
    (row,) = together.table(runs, ("emodb", "ravdess"), {"frequency-8": "table1-baseline"}).to_dict("records")
    assert row["UA, paper"] == row["WA, paper"] == "not printed"


def test_the_rate_that_is_scaled_stands_beside_the_column_of_its_batch_size():
    assert paper.COLUMNS["table3-64-scaled"] == paper.COLUMNS["table3-64"]
    assert paper.COLUMNS["table3-64"].ua == 60.8


def test_a_corpus_whose_interval_holds_guessing_is_not_told_from_it():
    runs = pd.concat(
        [
            of("emodb", "table1-baseline", A),  # 50 % and more
            of("ravdess", "table1-baseline", B - 25),  # 25 %, give or take
            of("nemo", "table1-baseline", A[:5]),  # five speakers have no interval
        ]
    )
    assert together.told_from_guessing(scoring.summary(runs), SPEAKERS, "table1-baseline") == ["emodb"]

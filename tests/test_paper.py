"""The paper's numbers agree with each other, where the paper says how they hang together."""

import itertools

import pytest

from ser_lib import experiments, paper
from ser_lib.corpora.iemocap import PUBLISHED_COUNTS

EMOTIONS = ["neutral", "sadness", "anger", "happiness"]
# Correct answers that each fold's WA implies, in the order of the folds.
CORRECT = [139, 141, 130, 129, 171, 182, 102, 142, 193, 132]


BEST_FOLDS = (2, 3, 6, 8, 9)
"""Those that the row "5 best folds" averages (Table 2, footnote 3); the paper does not name them."""


def mean(folds, score):
    return sum(getattr(row, score) for row in folds) / len(folds)


def rounds_to(value, printed, places=1):
    """Within half a unit of the last printed place; rows are rounded too, so a mean of them may be off by as much."""
    return abs(value - printed) <= 0.5 * 10**-places + 1e-9


@pytest.mark.parametrize("score", ["wa", "ua"])
def test_mean_over_the_folds_is_the_printed_average(score):
    assert rounds_to(mean(paper.TABLE2, score), getattr(paper.TABLE2_AVERAGES["10 fold cross-valid."], score))


def test_best_folds_are_the_better_speaker_of_each_session():
    better = [max((row for row in paper.TABLE2 if row.session == s), key=lambda row: row.ua) for s in range(1, 6)]
    assert tuple(row.fold for row in better) == BEST_FOLDS


@pytest.mark.parametrize("score", ["wa", "ua"])
def test_best_folds_give_the_printed_average(score):
    chosen = [row for row in paper.TABLE2 if row.fold in BEST_FOLDS]
    assert rounds_to(mean(chosen, score), getattr(paper.TABLE2_AVERAGES["5 best folds"], score))


def test_no_other_choice_of_one_speaker_per_session_gives_that_average():
    sessions = [[row for row in paper.TABLE2 if row.session == session] for session in range(1, 6)]
    printed = paper.TABLE2_AVERAGES["5 best folds"]
    fitting = [
        tuple(row.fold for row in choice)
        for choice in itertools.product(*sessions)
        if rounds_to(mean(choice, "wa"), printed.wa) and rounds_to(mean(choice, "ua"), printed.ua)
    ]
    assert fitting == [BEST_FOLDS]


@pytest.mark.parametrize(
    "name, before, after, score",
    [
        ("oversampling ua", 0, 1, "ua"),
        ("oversampling wa", 0, 1, "wa"),
        ("vtlp ua", 1, 2, "ua"),
        ("vtlp wa", 1, 2, "wa"),
        ("8 kHz ua", 2, 3, "ua"),
    ],
)
def test_steps_named_in_the_text_are_those_of_table_1(name, before, after, score):
    step = getattr(paper.TABLE1[after], score) - getattr(paper.TABLE1[before], score)
    assert step == pytest.approx(paper.NUMBERS[name].value)


def test_headline_is_the_best_column_and_the_fold_average():
    headline = paper.Score(paper.NUMBERS["wa"].value, paper.NUMBERS["ua"].value)
    assert headline == paper.TABLE2_AVERAGES["10 fold cross-valid."]
    assert headline == paper.Score(paper.TABLE1[-1].wa, paper.TABLE1[-1].ua)


def test_weighted_accuracies_are_counts_of_the_published_utterances():
    sizes = PUBLISHED_COUNTS[EMOTIONS].sum(axis="columns")
    for row, correct in zip(paper.TABLE2, CORRECT, strict=True):
        size = sizes[row.speaker]
        assert round(row.wa / 100 * size) == correct
        assert rounds_to(100 * correct / size, row.wa)


def test_swapped_genders_do_not_fit_the_counts():
    sizes = PUBLISHED_COUNTS[EMOTIONS].sum(axis="columns")
    other = {"F": "M", "M": "F"}
    fits = 0
    for row in paper.TABLE2:
        size = sizes[f"{row.session}{other[row.gender]}"]
        fits += any(rounds_to(100 * correct / size, row.wa) for correct in range(size + 1))
    assert fits == 1


def test_published_counts_are_the_papers_selection():
    assert PUBLISHED_COUNTS[EMOTIONS].to_numpy().sum() == paper.NUMBERS["utterances"].value


def test_folds_are_all_speakers_of_all_sessions():
    assert [row.fold for row in paper.TABLE2] == list(range(1, 11))
    assert [row.speaker for row in paper.TABLE2] == [f"{session}{gender}" for session in range(1, 6) for gender in "FM"]
    assert [row.speaker for row in paper.TABLE2] == list(PUBLISHED_COUNTS.index)


def test_copies_of_the_vote_span_the_range_of_alpha():
    low, high = paper.NUMBERS["alpha"].value
    assert round((high - low) / paper.NUMBERS["alpha step"].value) + 1 == paper.NUMBERS["copies"].value


def test_each_column_of_table_1_adds_one_technique():
    for before, after in itertools.pairwise(paper.TABLE1):
        techniques = ("augmentation", "oversampling", "kilohertz")
        assert sum(getattr(before, key) != getattr(after, key) for key in techniques) == 1


@pytest.mark.parametrize("column", paper.TABLE1, ids=lambda column: column.experiment)
def test_columns_of_table_1_are_experiments_with_those_settings(column):
    experiment = experiments.EXPERIMENTS[column.experiment]
    assert experiment.frequency_range == column.kilohertz
    assert experiment.oversampling == (paper.NUMBERS["oversampling factor"].value if column.oversampling else 1)
    assert (experiment.vtlp == "utterance") == column.augmentation
    assert experiment.test_copies == (paper.NUMBERS["copies"].value if column.augmentation else 1)
    assert experiment.batch_size == paper.NUMBERS["batch size"].value
    assert len(experiment.filters) == paper.NUMBERS["best conv layers"].value
    assert experiment.lstm_layers == paper.NUMBERS["best lstm layers"].value


@pytest.mark.parametrize(
    "table, rows, columns",
    [
        (paper.table2, 10, ["fold", "session", "gender", "speaker", "wa", "ua"]),
        (paper.numbers, len(paper.NUMBERS), ["name", "value", "unit", "place", "words"]),
    ],
)
def test_tables_have_the_documented_shape(table, rows, columns):
    frame = table()
    assert len(frame) == rows
    assert list(frame.columns) == columns
    assert not frame.isna().any(axis=None)

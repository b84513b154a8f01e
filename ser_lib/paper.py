"""Every number that Etienne et al. 2018 print, as data, each with its place in the paper.

Nothing here is computed, and a slip in print stays as printed, beside what was meant. Scores are per cent.
"""

from dataclasses import asdict, dataclass

import pandas

from ser_lib.experiments import batch_name


@dataclass(frozen=True)
class Score:
    """A pair of scores in per cent: weighted accuracy, and unweighted accuracy."""

    wa: float
    ua: float


@dataclass(frozen=True)
class Technique:
    """A column of Table 1: which techniques the experiment applies, and its scores (per cent, mean over ten folds)."""

    experiment: str
    augmentation: bool
    oversampling: bool
    kilohertz: int
    wa: float
    ua: float


@dataclass(frozen=True)
class Fold:
    """A row of Table 2: the fold, its session, the gender of the speaker under test, and the scores in per cent."""

    fold: int
    session: int
    gender: str
    wa: float
    ua: float

    @property
    def speaker(self) -> str:
        """The speaker under test, such as ``1F``: session and gender."""
        return f"{self.session}{self.gender}"


@dataclass(frozen=True)
class BatchSize:
    """A column of Table 3: recurrent batch normalisation at a size of minibatch, and its scores in per cent."""

    batch_size: int
    wa: float
    ua: float


@dataclass(frozen=True)
class Number:
    """A number of the text: its value (a pair for a range), unit, place, and the words it stands in."""

    value: float | tuple[float, float]
    unit: str
    place: str
    words: str


TABLE1 = (
    Technique("table1-baseline", augmentation=False, oversampling=False, kilohertz=4, wa=66.4, ua=57.7),
    Technique("table1-oversampling", augmentation=False, oversampling=True, kilohertz=4, wa=63.5, ua=59.8),
    Technique("table1-vtlp", augmentation=True, oversampling=True, kilohertz=4, wa=64.2, ua=60.9),
    Technique("table1-best", augmentation=True, oversampling=True, kilohertz=8, wa=64.5, ua=61.7),
)
"""Table 1: scores by technique; the caption adds that each column is the best of several runs."""

TABLE2 = (
    Fold(1, 1, "F", wa=64.1, ua=66.4),
    Fold(2, 1, "M", wa=68.8, ua=67.7),
    Fold(3, 2, "F", wa=70.3, ua=71.3),
    Fold(4, 2, "M", wa=62.0, ua=67.6),
    Fold(5, 3, "F", wa=64.8, ua=52.1),
    Fold(6, 3, "M", wa=66.4, ua=56.0),
    Fold(7, 4, "F", wa=68.5, ua=59.7),
    Fold(8, 4, "M", wa=64.3, ua=67.3),
    Fold(9, 5, "F", wa=64.8, ua=64.2),
    Fold(10, 5, "M", wa=51.0, ua=44.2),
)
"""Table 2, upper part: the best model, fold by fold."""

TABLE2_AVERAGES = {
    "10 fold cross-valid.": Score(64.5, 61.7),
    "5 best folds": Score(66.9, 65.3),
    "[6] (5 fold cross-valid.)": Score(62.9, 63.9),
    "[7] (5 fold cross-valid.)": Score(67.3, 62.0),
}
"""Table 2, lower part: two averages of the folds, and the scores of two other works ([6] and [7] of the paper)."""

TABLE3 = (
    BatchSize(16, wa=63.6, ua=58.9),
    BatchSize(32, wa=65.1, ua=59.0),
    BatchSize(64, wa=65.4, ua=60.8),
)
"""Table 3: the best model with recurrent batch normalisation; the caption says best run here too."""

COLUMNS = {column.experiment: column for column in TABLE1} | {
    batch_name(column.batch_size, scaled): column for column in TABLE3 for scaled in (False, True)
}
"""Experiment -> the column of Table 1 or 3 that prints its scores; it is one for both rules of learning rate."""

_FOOTNOTE_1 = "includes only five folds of the dataset out of the ten possible"
_ACTORS = "10 professional actors (five women and five men) and organized in 5 sessions"
_STUDENTS = "six students of USC, three at a time for each utterance"
_COPIES = "eleven copies of the test set with α = 0.9, 0.92, 0.94, ..., 1.1"
_FRAMES = "from 21 to 909 time steps for window size N = 64ms and shift S = 32ms"
_ARCHITECTURES = "architectures with 1-6 convolutional layers, 1-4 Bi-LSTM layers"
_OVERSAMPLING = "oversampling allowed to increase UA by 2.1%, but resulted in 2.9% decrease of WA"
_VTLP = "VTLP led to increase of both metrics by 1.1% and 0.7% for UA and WA correspondingly"
_BATCH_NORM = "architectures with 4 convolutional and 1-4 Bi-LSTM layers"
_SPLIT = "The training set was composed of the four remaining sessions"

NUMBERS = {
    "wa": Number(64.5, "%", "Abstract", "64.5% for weighted accuracy"),
    "ua": Number(61.7, "%", "Abstract", "61.7% for unweighted accuracy"),
    "emotions": Number(4, "classes", "Abstract", "on four emotions"),
    "usual folds": Number(5, "folds", "Section 1, footnote 1", _FOOTNOTE_1),
    "folds": Number(10, "folds", "Section 1, footnote 1", "we propose to use 10-fold cross validation"),
    "best conv layers": Number(4, "layers", "Section 1, footnote 2", "4 convolutional and 1 Bi-LSTM layers"),
    "best lstm layers": Number(1, "layers", "Section 1, footnote 2", "4 convolutional and 1 Bi-LSTM layers"),
    "hours": Number(12, "hours", "Section 1.1", "twelve hours of audio and video recordings"),
    "speakers": Number(10, "speakers", "Section 1.1", _ACTORS),
    "women": Number(5, "speakers", "Section 1.1", _ACTORS),
    "men": Number(5, "speakers", "Section 1.1", _ACTORS),
    "sessions": Number(5, "sessions", "Section 1.1", _ACTORS),
    "annotators": Number(6, "annotators", "Section 1.1", _STUDENTS),
    "annotators per utterance": Number(3, "annotators", "Section 1.1", _STUDENTS),
    "improvised consensus": Number(83.1, "%", "Section 1.1", "improvised utterances (83.1%)"),
    "scripted consensus": Number(66.9, "%", "Section 1.1", "scripted ones (66.9%)"),
    "utterances": Number(2280, "utterances", "Section 1.1", "which leave us 2280 utterances in total"),
    "alpha": Number((0.9, 1.1), "", "Section 2", "α taking values in the approximate range (0.9, 1.1)"),
    "knee": Number(0.9, "f0 / fmax", "Section 2", "we took f0 / fmax = 0.9"),
    "strategies": Number(2, "strategies", "Section 2", "We tried two strategies of data augmentation"),
    "copies": Number(11, "copies", "Section 2", _COPIES),
    "alpha step": Number(0.02, "", "Section 2", _COPIES),
    "training sessions": Number(4, "sessions", "Section 3", _SPLIT),
    "conv layers": Number((1, 6), "layers", "Section 3", _ARCHITECTURES),
    "lstm layers": Number((1, 4), "layers", "Section 3", _ARCHITECTURES),
    # Printed "164": 16, with the mark of footnote 4, which is about this batch size. Section 3 says 16 further down.
    "batch size": Number(16, "utterances", "Section 3", "stochastic gradient descent with momentum and the batch size"),
    "frames": Number((21, 909), "time steps", "Section 3", _FRAMES),
    "window": Number(64, "ms", "Section 3", _FRAMES),
    "shift": Number(32, "ms", "Section 3", _FRAMES),
    "small depth": Number(2, "conv layers at most", "Section 3", "networks of small depth (≤ 2 convolutional layers)"),
    "oversampling ua": Number(2.1, "points", "Section 3", _OVERSAMPLING),
    "oversampling wa": Number(-2.9, "points", "Section 3", _OVERSAMPLING),
    "vtlp ua": Number(1.1, "points", "Section 3", _VTLP),
    "vtlp wa": Number(0.7, "points", "Section 3", _VTLP),
    "8 kHz": Number(8, "kHz", "Section 3", "Considering a larger range of the frequencies (8kHz)"),
    "8 kHz ua": Number(0.8, "points", "Section 3", "(8kHz) increased the UA by 0.8%"),
    "batch norm conv layers": Number(4, "layers", "Section 3", _BATCH_NORM),
    "batch norm lstm layers": Number((1, 4), "layers", "Section 3", _BATCH_NORM),
    "batch norm first batch size": Number(16, "utterances", "Section 3", "the initial batch size of 16"),
    "batch norm best batch size": Number(64, "utterances", "Section 3", "scores obtained with the batch size of 64"),
    "oversampling factor": Number(2, "times", "Table 1", "Oversampling (×2) of happiness and anger"),
}
"""Numbers of the abstract, the text and the captions, under a short name of ours, in the order of the paper."""


def table1() -> pandas.DataFrame:
    """Table 1 as a table: a row per experiment.

    Returns:
        Columns ``experiment, augmentation, oversampling, kilohertz, wa, ua``; scores in per cent.

    Source: Table 1.
    """
    return pandas.DataFrame([asdict(column) for column in TABLE1])


def table2() -> pandas.DataFrame:
    """Upper part of Table 2 as a table: a row per fold.

    Returns:
        Columns ``fold, session, gender, speaker, wa, ua``; scores in per cent.

    Source: Table 2.
    """
    rows = pandas.DataFrame([asdict(row) for row in TABLE2])
    rows.insert(3, "speaker", [row.speaker for row in TABLE2])
    return rows


def table3() -> pandas.DataFrame:
    """Table 3 as a table: a row per size of minibatch.

    Returns:
        Columns ``batch_size, wa, ua``; scores in per cent.

    Source: Table 3.
    """
    return pandas.DataFrame([asdict(column) for column in TABLE3])


def numbers() -> pandas.DataFrame:
    """The numbers of the text as a table: a row per number.

    Returns:
        Columns ``name, value, unit, place, words``; a range is a pair of values.
    """
    return pandas.DataFrame([{"name": name, **asdict(number)} for name, number in NUMBERS.items()])

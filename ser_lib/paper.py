"""Every number that Etienne et al. 2018 print, and every statement, as data, each with its place in the paper.

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


@dataclass(frozen=True)
class Passage:
    """What the paper says: the place, and the words as printed, slips included; an ellipsis joins two passages."""

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

PASSAGES = {
    "headline": Passage(
        "Abstract",
        "obtain highly competitive results of 64.5% for weighted accuracy and 61.7% for unweighted accuracy on "
        "four emotions",
    ),
    "architecture": Passage(
        "Section 1",
        "Such a choice of an architecture, which has recently demonstrated very competitive performance",
    ),
    "convolutions": Passage(
        "Section 1",
        "adding few convolutional layers in the beginning of the network is an efficient way to reduce "
        "dimensionality of the data and can significantly simplify the training procedure … it is also possible to "
        "use a deep CNN for extracting high-level features",
    ),
    "state of the art": Passage("Section 1, footnote 1", "the present state of the art has been achieved in [6]"),
    "five folds": Passage(
        "Section 1, footnote 1, and Section 3",
        "the results obtained by 5-fold cross-validation without clarification what data has been used for the "
        "measurement are not possible to compare with",
    ),
    "ten folds": Passage(
        "Section 1, footnote 1, and Section 4",
        "we propose to use 10-fold cross validation as the correct way for measuring the scores on IEMOCAP dataset … "
        "which is more appropriate for this dataset",
    ),
    "vtlp significant": Passage(
        "Section 1",
        "we explored a vocal tract length perturbation for the purpose of data augmentation, and showed that it "
        "significantly improves the performance",
    ),
    "pace": Passage(
        "Sections 1 and 4",
        "parameters of convolutional and Bi-LSTM layers are trained at a very different pace",
    ),
    "recordings": Passage("Section 1.1", "It consists of twelve hours of audio and video recordings"),
    "actors": Passage(
        "Section 1.1",
        "10 professional actors (five women and five men) and organized in 5 sessions of dialogues between two "
        "actors of different genders",
    ),
    "labels": Passage(
        "Section 1.1",
        "Labeling was made by six students of USC, three at a time for each utterance. The annotators were allowed "
        "to assign multiple labels if necessary. The final true label for each utterance was chosen by majority "
        "vote if the emotion category with the highest vote was unique",
    ),
    "consensus": Passage(
        "Section 1.1",
        "the annotators reached consensus more often when labeling improvised utterances (83.1%) than scripted ones"
        " (66.9%) [8]",
    ),
    "emotions": Passage(
        "Section 1.1",
        "we predict four of the most represented emotions: neutral, sadness, anger and happiness, which leave us "
        "2280 utterances in total",
    ),
    "drawbacks": Passage(
        "Section 2",
        "The IEMOCAP dataset has two main drawbacks: class imbalance (see Fig. 1) and small size",
    ),
    "least represented": Passage(
        "Section 2",
        "oversampling the least represented classes of the dataset: happiness and anger",
    ),
    "vocal tract": Passage(
        "Section 2",
        "The difference in human’s vocal tract length can be modeled by rescaling the peaks of significant formants "
        "along the frequency axis with a factor α taking values in the approximate range (0.9, 1.1) … f0 is defined to "
        "be larger than the highest significant formants",
    ),
    "invariance": Passage(
        "Section 2",
        "Both approaches, normalization and augmentation, pursue the same objective: to enforce the invariance of "
        "the model to speaker-dependent features, since they are not relevant to the classification criterion",
    ),
    "easier": Passage(
        "Section 2",
        "Augmentation, however, is easier to implement because we don’t need to estimate the scaling factor of each"
        " speaker",
    ),
    "range": Passage(
        "Section 2, eq. 1",
        "we rescale the frequencies below f0 with α ∈ (0.9, 1.1), and then rescale the rest to ensure that the "
        "considered diapason stays constant",
    ),
    "copies": Passage(
        "Section 2",
        "the majority vote of the model predictions on eleven copies of the test set with α = 0.9, 0.92, 0.94, ...,"
        " 1.1",
    ),
    "strategies": Passage(
        "Section 2",
        "We present the scores obtained with the second augmentation strategy, which provided the best result",
    ),
    "speakers": Passage(
        "Section 3, Table 2",
        "we observed that the performance strongly depends on which speakers are chosen for the test set",
    ),
    "splits": Passage(
        "Section 3",
        "we choose 10-fold cross-validation strategy, in order to average over all possible choices of the dataset "
        "splitting",
    ),
    "others": Passage(
        "Section 3",
        "to the best of our knowledge, all the other results reported on the IEMOCAP dataset were obtained by "
        "5-fold cross-validation",
    ),
    "unweighted": Passage(
        "Section 3",
        "Since for imbalanced datasets UA is a more relevant characteristic, we rather concentrated our efforts on "
        "getting a high UA, in line with most of the other works on IEMOCAP",
    ),
    "batch size": Passage("Section 3", "we used stochastic gradient descent with momentum and the batch size of 164"),
    "variety": Passage(
        "Section 3, footnote 4",
        "We chose the small batch size in order to achieve high variability in the gradient descent directions",
    ),
    "frames": Passage(
        "Section 3",
        "Due to the significant variety of the data samples in the time length (from 21 to 909 time steps for "
        "window size N = 64ms and shift S = 32ms)",
    ),
    "convergence": Passage(
        "Section 3, eq. 2",
        "Such normalization significantly improves the convergence time of the model",
    ),
    "small depth": Passage(
        "Section 3, eq. 2",
        "applied to networks of small depth (≤ 2 convolutional layers), it results in strong overfitting",
    ),
    "pooling": Passage(
        "Section 3",
        "The presence of pooling layers alternating with the convolutions noticeably decreased the performance",
    ),
    "depth": Passage(
        "Section 3; Section 1, footnote 2",
        "The best results has been achieved with a choice of 4 convolutional and 1 Bi-LSTM layers",
    ),
    "oversampling": Passage(
        "Section 3, Table 1",
        "oversampling allowed to increase UA by 2.1%, but resulted in 2.9% decrease of WA",
    ),
    "vtlp": Passage(
        "Section 3, Table 1",
        "Data augmentation with VTLP led to increase of both metrics by 1.1% and 0.7% for UA and WA correspondingly",
    ),
    "steps": Passage(
        "Section 3, Table 1",
        "oversampling allowed to increase UA by 2.1%, but resulted in 2.9% decrease of WA … increase of both metrics "
        "by 1.1% and 0.7% for UA and WA correspondingly … (8kHz) increased the UA by 0.8%",
    ),
    "8 kHz": Passage(
        "Section 3, Table 1",
        "Considering a larger range of the frequencies (8kHz) increased the UA by 0.8%",
    ),
    "table 1 wa": Passage("Table 1", "Weighted accuracy 66.4 63.5 64.2 64.5"),
    "table 1 ua": Passage("Table 1", "Unweighted accuracy 57.7 59.8 60.9 61.7"),
    "table 2": Passage("Table 2", "The gender column indicates which speaker is used as test set in the fold"),
    "mean of folds": Passage("Table 2", "10 fold cross-valid. 64.5 61.7"),
    "best folds": Passage(
        "Section 3, Table 2",
        "the scores obtained by averaging our 5 best folds and the results obtained in the other works by 5 fold "
        "cross-validation",
    ),
    "sensitive": Passage(
        "Section 3",
        "During the experiments we observered that the data of interest are sensitive to normalization. Therefore "
        "we choose the most conservative normalizing strategy which implies averaging the samples over all the axes",
    ),
    "conservative": Passage(
        "Sections 3 and 4",
        "the most conservative normalizing strategy which implies averaging the samples over all the axes … In "
        "order to preserve the signal structure as much as possible we performed the normalization layer-wise as "
        "well as batch-wise",
    ),
    "deviation": Passage("Section 3, eqs. 3 and 4", "(π − π̂) / √(σ² + ε) in eq. 3, σ = Σ (π − π̂)² / btf in eq. 4"),
    "standard operation": Passage(
        "Section 3, eqs. 3 to 5",
        "averaging the samples over all the axes … BN stands for the standard batch normalization operation [17]",
    ),
    "degradation": Passage(
        "Section 3",
        "The experiments with the initial batch size of 16 demonstrated faster overfitting and degradation of the "
        "performance compared to the baseline",
    ),
    "degradation by layers": Passage(
        "Section 3",
        "architectures with 4 convolutional and 1-4 Bi-LSTM layers. The experiments with the initial batch size of "
        "16 demonstrated faster overfitting and degradation of the performance compared to the baseline",
    ),
    "larger batches": Passage(
        "Section 3, Table 3",
        "The further experiments with larger batch size showed that it strongly influences the performance (see "
        "Tab. 3), despite the fact that the normalization has been performed along all the axes of the batch",
    ),
    "almost": Passage(
        "Section 3",
        "the scores obtained with the batch size of 64 almost reaches the performance of our best model",
    ),
    "still larger batches": Passage(
        "Section 3",
        "it is possible that further augmenting the batch size would lead to even better results",
    ),
    "memory": Passage("Section 3", "Unfortunately, due to GPU memory restrictions, we could not verify it"),
    "gradients": Passage(
        "Section 3.1, Fig. 3",
        "the gradient with respect to the weights of the convolutional layers is much larger than with respect to "
        "the weights of Bi-LSTM",
    ),
    "steeper": Passage(
        "Section 3.1",
        "This observation allows an interpretation that regarding the convolutional weights the loss surface should"
        " be steeper and deeper than regarding the weights of the Bi-LSTM",
    ),
    "beta": Passage(
        "Section 3.1, eq. 6",
        "The coefficient β brought into use in this way does not accumulate in the velocity expression and provide "
        "better control of the momentum term of the optimizer",
    ),
    "layer-wise": Passage(
        "Section 3.1",
        "we were not able to draw any definite conclusion in favor of layer-wise adjustment of η, γ or β",
    ),
    "direction": Passage(
        "Sections 3.1 and 4",
        "we find that this is an interesting direction to persue and more thorough experiments might give more "
        "preferable result",
    ),
    "other settings": Passage(
        "Section 3.1",
        "It also might be interesting to test the update rule modification introduced in eq. (6) in the other "
        "settings in order to see whether it can provide an actual improvement of the momentum optimizer",
    ),
    "indispensable": Passage("Section 4", "batch normalization, an indispensable tool in most image recognition tasks"),
    "no gain": Passage("Section 4", "we did not manage to increase performance compared to the baseline"),
    "small batches": Passage(
        "Section 4",
        "we did not manage to increase performance compared to the baseline, which might be caused by the small "
        "batch size we had to use in order to fit into the available GPU memory",
    ),
}
"""What the paper says that can be true or false, under a short name of ours, in the order of the paper.

What it did, such as its split or its window, is no statement of this kind: the code does the same.
"""


def table2() -> pandas.DataFrame:
    """Upper part of Table 2 as a table: a row per fold.

    Returns:
        Columns ``fold, session, gender, speaker, wa, ua``; scores in per cent.

    Source: Table 2.
    """
    rows = pandas.DataFrame([asdict(row) for row in TABLE2])
    rows.insert(3, "speaker", [row.speaker for row in TABLE2])
    return rows


def numbers() -> pandas.DataFrame:
    """The numbers of the text as a table: a row per number.

    Returns:
        Columns ``name, value, unit, place, words``; a range is a pair of values.
    """
    return pandas.DataFrame([{"name": name, **asdict(number)} for name, number in NUMBERS.items()])

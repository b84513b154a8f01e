"""Weighted and unweighted accuracy, and the vote over warped copies (Sections 2 and 3)."""

from collections.abc import Sequence

import numpy as np
from sklearn.metrics import accuracy_score, recall_score

from ser_lib.errors import SerError


def weighted_accuracy(truth: Sequence, prediction: Sequence) -> float:
    """WA: the share of utterances that are recognised, in [0, 1].

    Args:
        truth: true labels, shape (utterances,).
        prediction: predicted labels, same shape.

    Raises:
        SerError (a ValueError): the shapes differ, or there is nothing to score.

    Source: Section 3 ("the standard accuracy computed over the whole test set").

    >>> weighted_accuracy(["sadness", "anger", "anger"], ["sadness", "anger", "sadness"])
    0.6666666666666666
    """
    truth, prediction = _pair(truth, prediction)
    return float(accuracy_score(truth, prediction))


def unweighted_accuracy(truth: Sequence, prediction: Sequence, labels: Sequence) -> float:
    """UA: the mean over the classes of the share of each class that is recognised, in [0, 1].

    Args:
        truth: true labels, shape (utterances,).
        prediction: predicted labels, same shape.
        labels: the fixed classes; every one must occur in ``truth``.

    Raises:
        SerError (a ValueError): a class is absent from ``truth`` (its recall does not exist, and libraries disagree on
            what to put in its place), a label is not one of ``labels``, or the shapes differ.

    Source: Section 3 ("an average over accuracies computed for each emotion separately").

    >>> unweighted_accuracy(["sadness", "anger", "anger"], ["sadness", "anger", "sadness"], ["sadness", "anger"])
    0.75
    """
    return float(recall_per_class(truth, prediction, labels).mean())


def recall_per_class(truth: Sequence, prediction: Sequence, labels: Sequence) -> np.ndarray:
    """The share of each class that is recognised, shape (classes,), in the order of ``labels``.

    Raises:
        SerError (a ValueError): as :func:`unweighted_accuracy`.
    """
    truth, prediction = _pair(truth, prediction)
    labels = list(labels)
    absent = [str(label) for label in labels if label not in set(truth.tolist())]
    if absent:
        raise SerError(f"no utterance of class {', '.join(absent)} to score: unweighted accuracy needs every class")
    unknown = sorted({str(label) for label in truth.tolist() + prediction.tolist() if label not in labels})
    if unknown:
        raise SerError(f"label {', '.join(unknown)} is not one of {', '.join(map(str, labels))}")
    return recall_score(truth, prediction, labels=labels, average=None)


def majority_vote(probabilities: np.ndarray) -> np.ndarray:
    """The class that most copies choose; ties go to the larger summed probability.

    Args:
        probabilities: shape (copies, utterances, classes).

    Returns:
        Class indices, shape (utterances,), int64. One copy is its own majority.

    Source: Section 2 ("the majority vote of the model predictions on eleven copies"); the rule for ties is ours.
    """
    votes = vote_counts(probabilities)
    summed = probabilities.sum(axis=0, dtype=np.float64)
    leading = votes == votes.max(axis=1, keepdims=True)
    return np.where(leading, summed, -np.inf).argmax(axis=1)


def vote_counts(probabilities: np.ndarray) -> np.ndarray:
    """How many copies choose each class: (copies, utterances, classes) -> (utterances, classes), int64."""
    classes = probabilities.shape[-1]
    return (probabilities.argmax(axis=-1)[..., None] == np.arange(classes)).sum(axis=0)


def _pair(truth: Sequence, prediction: Sequence) -> tuple[np.ndarray, np.ndarray]:
    truth, prediction = np.asarray(truth), np.asarray(prediction)
    if truth.shape != prediction.shape or truth.ndim != 1:
        raise SerError(f"truth {truth.shape} and prediction {prediction.shape} must be two lists of the same length")
    if len(truth) == 0:
        raise SerError("there is no utterance to score")
    return truth, prediction

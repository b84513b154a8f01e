"""Metrics: WA, UA and the vote, against numbers worked out by hand, another library, and laws that all of them obey."""

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from ser_lib import metrics
from ser_lib.corpora import EMOTIONS
from ser_lib.errors import SerError

TRUTH = ["neutral"] * 4 + ["sadness"] * 3 + ["anger"] * 2 + ["happiness"]
PREDICTION = ["neutral", "neutral", "neutral", "anger", "sadness", "neutral", "neutral", "anger", "sadness", "neutral"]
SCORES = {
    "weighted_accuracy": lambda truth, prediction, labels: metrics.weighted_accuracy(truth, prediction),
    "unweighted_accuracy": metrics.unweighted_accuracy,
    "recall_per_class": metrics.recall_per_class,
}
TABLE_2_CORRECT = [139, 141, 130, 129, 171, 182, 102, 142, 193, 132]
TABLE_2_SIZES = [217, 205, 185, 208, 264, 274, 149, 221, 298, 259]
TABLE_2_PRINTED = [64.1, 68.8, 70.3, 62.0, 64.8, 66.4, 68.5, 64.3, 64.8, 51.0]


def random_answers(seed: int, classes: int = 4, size: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """True and predicted classes, right half of the time; every class occurs."""
    random = np.random.default_rng(seed)
    truth = np.concatenate([np.arange(classes), random.integers(0, classes, size - classes)])
    return truth, np.where(random.random(size) < 0.5, truth, random.integers(0, classes, size))


# By hand


def test_scores_by_hand():
    assert metrics.weighted_accuracy(TRUTH, PREDICTION) == pytest.approx(5 / 10)
    assert metrics.recall_per_class(TRUTH, PREDICTION, EMOTIONS) == pytest.approx([3 / 4, 1 / 3, 1 / 2, 0])
    assert metrics.unweighted_accuracy(TRUTH, PREDICTION, EMOTIONS) == pytest.approx((3 / 4 + 1 / 3 + 1 / 2) / 4)


def test_always_the_same_answer_has_the_unweighted_accuracy_of_chance():
    answer = ["neutral"] * len(TRUTH)
    assert metrics.unweighted_accuracy(TRUTH, answer, EMOTIONS) == 0.25
    assert metrics.weighted_accuracy(TRUTH, answer) == 0.4


@pytest.mark.parametrize("correct, size, printed", zip(TABLE_2_CORRECT, TABLE_2_SIZES, TABLE_2_PRINTED, strict=True))
def test_weighted_accuracies_of_table_2_are_k_of_n(correct, size, printed):
    prediction = ["sadness"] * correct + ["anger"] * (size - correct)
    assert round(100 * metrics.weighted_accuracy(["sadness"] * size, prediction), 1) == printed


@pytest.mark.parametrize("seed", range(10))
def test_unweighted_accuracy_is_scikit_learns_balanced_accuracy(seed):
    truth, prediction = random_answers(seed)
    assert metrics.unweighted_accuracy(truth, prediction, range(4)) == pytest.approx(
        balanced_accuracy_score(truth, prediction), abs=1e-15
    )


# Laws


@pytest.mark.parametrize("score", SCORES.values(), ids=SCORES)
@pytest.mark.parametrize("seed", range(5))
class TestEveryScore:
    """What holds for every score, whatever the answers."""

    def test_the_order_of_the_utterances_does_not_matter(self, score, seed):
        truth, prediction = random_answers(seed)
        order = np.random.default_rng(seed).permutation(len(truth))
        np.testing.assert_allclose(score(truth[order], prediction[order], range(4)), score(truth, prediction, range(4)))

    def test_it_lies_between_0_and_1_and_perfect_answers_give_1(self, score, seed):
        truth, prediction = random_answers(seed)
        value = np.asarray(score(truth, prediction, range(4)))
        assert (value >= 0).all() and (value <= 1).all()
        assert (np.asarray(score(truth, truth, range(4))) == 1).all()
        assert (np.asarray(score(truth, (truth + 1) % 4, range(4))) == 0).all()

    def test_the_names_of_the_classes_do_not_matter(self, score, seed):
        truth, prediction = random_answers(seed)
        names = np.array(EMOTIONS)
        np.testing.assert_allclose(score(names[truth], names[prediction], EMOTIONS), score(truth, prediction, range(4)))

    def test_every_utterance_twice_scores_the_same(self, score, seed):
        truth, prediction = random_answers(seed)
        np.testing.assert_allclose(
            score(np.tile(truth, 2), np.tile(prediction, 2), range(4)), score(truth, prediction, range(4))
        )

    def test_nothing_to_score_and_unequal_lengths_are_value_errors(self, score, seed):
        truth, prediction = random_answers(seed)
        for bad in (([], []), (truth, prediction[1:]), (truth[:, None], prediction[:, None])):
            with pytest.raises(ValueError, match="score|same length"):
                score(*bad, range(4))


@pytest.mark.parametrize("seed", range(5))
def test_both_accuracies_agree_when_all_classes_are_equally_frequent(seed):
    truth = np.repeat(np.arange(4), 10)
    prediction = np.random.default_rng(seed).integers(0, 4, 40)
    assert metrics.unweighted_accuracy(truth, prediction, range(4)) == pytest.approx(
        metrics.weighted_accuracy(truth, prediction)
    )


def test_the_order_of_the_labels_orders_the_recalls_and_no_more():
    assert metrics.recall_per_class(TRUTH, PREDICTION, EMOTIONS[::-1]) == pytest.approx([0, 1 / 2, 1 / 3, 3 / 4])
    assert metrics.unweighted_accuracy(TRUTH, PREDICTION, EMOTIONS[::-1]) == pytest.approx(
        metrics.unweighted_accuracy(TRUTH, PREDICTION, EMOTIONS)
    )


# What has no score


def test_a_class_without_utterances_is_a_value_error():
    with pytest.raises(ValueError, match="no utterance of class happiness"):
        metrics.unweighted_accuracy(TRUTH[:-1], PREDICTION[:-1], EMOTIONS)


def test_a_class_that_is_only_predicted_is_no_substitute():
    with pytest.raises(ValueError, match="no utterance of class happiness"):
        metrics.unweighted_accuracy(TRUTH[:-1], ["happiness"] * 9, EMOTIONS)


@pytest.mark.parametrize("truth, prediction", [(["a", "b", "c"], ["a", "b", "a"]), (["a", "b", "a"], ["a", "b", "c"])])
def test_a_label_that_is_not_one_of_the_classes_is_refused(truth, prediction):
    with pytest.raises(SerError, match="label c is not one of a, b"):
        metrics.unweighted_accuracy(truth, prediction, ["a", "b"])


# The vote


def copies(*choices: list[float]) -> np.ndarray:
    """Probabilities of one utterance, one list per copy: (copies, 1, classes)."""
    return np.array(choices)[:, None, :]


def test_the_majority_wins_against_a_more_certain_minority():
    assert metrics.majority_vote(copies([0.4, 0.3, 0.3], [0.4, 0.3, 0.3], [0.0, 1.0, 0.0])) == [0]


def test_a_tie_goes_to_the_larger_summed_probability():
    assert metrics.majority_vote(copies([0.6, 0.4, 0.0], [0.2, 0.8, 0.0])) == [1]
    assert metrics.majority_vote(copies([0.9, 0.1, 0.0], [0.2, 0.8, 0.0])) == [0]


def test_a_class_that_does_not_lead_wins_no_tie():
    # Class 2 has the largest sum, but no vote.
    assert metrics.majority_vote(copies([0.51, 0.0, 0.49], [0.0, 0.52, 0.48])) == [1]


def test_one_copy_is_its_own_majority():
    probabilities = np.random.default_rng(0).dirichlet(np.ones(4), size=(1, 50))
    np.testing.assert_array_equal(metrics.majority_vote(probabilities), probabilities[0].argmax(axis=1))


def test_votes_are_counted_per_utterance_and_add_up_to_the_copies():
    probabilities = np.random.default_rng(0).dirichlet(np.ones(4), size=(11, 50))
    votes = metrics.vote_counts(probabilities)
    assert votes.shape == (50, 4) and (votes.sum(axis=1) == 11).all()
    chosen = probabilities.argmax(axis=2)
    np.testing.assert_array_equal(votes, [[(chosen[:, u] == c).sum() for c in range(4)] for u in range(50)])
    winners = metrics.majority_vote(probabilities)
    assert (votes[np.arange(50), winners] == votes.max(axis=1)).all()


def test_the_order_of_the_copies_does_not_matter():
    probabilities = np.random.default_rng(0).dirichlet(np.ones(4), size=(11, 200))
    np.testing.assert_array_equal(metrics.majority_vote(probabilities[::-1]), metrics.majority_vote(probabilities))

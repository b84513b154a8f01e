"""The kinds of statement that a paper makes, each with its test: what is judged, and by which rule.

What a statement is applied to, and so what it needs to be run, stands in its fields; :mod:`ser_lib.claims` lists them.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pandas as pd

from ser_lib import collection, paper, scoring, variety, verdicts, wording
from ser_lib.corpora import EMOTIONS
from ser_lib.experiments import find_experiment
from ser_lib.features import frame_counts
from ser_lib.model import describe
from ser_lib.training import build_model
from ser_lib.verdicts import FAILS, HOLDS, LEVEL, MINIMUM_FOLDS, NOT_RUN, UNDECIDED, Verdict
from ser_lib.wording import CORPORA

MARGIN = 2.0
"""Points within which a score is called "almost" another, or reached: the paper gives none; what it calls so is 0.9 of
UA apart, and this is about twice as much."""

_LEVEL = f"{100 * LEVEL:.0f} %"

PACE = 2.0
"""By what factor two speeds of training must differ to be called very different, and one gradient be "much larger"."""


@dataclass(frozen=True)
class Evidence:
    """What verdicts are computed from, all of it from records.

    Attributes:
        scored: WA and UA of every run, as :func:`ser_lib.scoring.scores` returns them.
        results: the records themselves.
        utterances: corpus -> its table of utterances, where one is kept.
        variety: as :func:`ser_lib.variety.load` returns it.
        repeats: runs that were made again; as :func:`ser_lib.collection.repeats_of` returns them.
    """

    scored: pd.DataFrame
    results: collection.Results
    utterances: dict[str, pd.DataFrame]
    variety: pd.DataFrame
    repeats: pd.DataFrame

    @classmethod
    def of(cls, results: collection.Results) -> "Evidence":
        """The evidence that some results are."""
        kept = {corpus: collection.load_utterances(corpus) for corpus in CORPORA}
        utterances = {corpus: table for corpus, table in kept.items() if table is not None}
        scored, repeats = scoring.scores(results.predictions), collection.repeats_of(results)
        return cls(scored, results, utterances, variety.load(), repeats)

    def holds(self, corpus: str) -> bool:
        """Whether anything of a corpus is here: a run, or its table of utterances."""
        return corpus in self.utterances or bool((self.scored["corpus"] == corpus).any())

    def difference(self, corpus: str, experiment: str, reference: str, metric: str) -> np.ndarray:
        """Points that an experiment adds to a reference, one per speaker: shape (speakers,)."""
        return 100 * scoring.paired_difference(self.scored, corpus, experiment, reference, metric)

    def guesses(self, corpus: str, experiment: str, beside: str) -> bool:
        """Whether an experiment's UA, in the runs shared with another, is not told apart from guessing.

        Then its interval over speakers holds 1 / classes.
        """
        part, _ = scoring.in_common(self.scored, corpus, [experiment, beside])
        by_speaker = part.groupby("fold")["ua"].mean().to_numpy(dtype=float)
        if len(by_speaker) < MINIMUM_FOLDS:
            return False
        return scoring.is_guessing(*scoring.interval(by_speaker))

    def seeds(self, corpus: str, groups: Iterable[Sequence[str]]) -> int:
        """The fewest seeds of any fold that some experiments share, group by group of those that share any."""
        shared = [scoring.in_common(self.scored, corpus, group)[0] for group in groups]
        return min((int(part.groupby("fold").size().min()) for part in shared if len(part)), default=0)


@dataclass(frozen=True)
class Statement(ABC):
    """A statement of the paper.

    Attributes:
        name: a name of ours.
        passage: its words in the paper, and their place.
        statement: what they say, as it is tested here; what the words have beyond that, or leave open, in brackets.
        chapter: the page that treats it.
    """

    name: str
    passage: paper.Passage
    statement: str
    chapter: str

    @property
    @abstractmethod
    def test(self) -> str:
        """The test in words: estimand, unit of resampling, and threshold."""


@dataclass(frozen=True)
class Measured(Statement):
    """One that records decide, corpus by corpus."""

    corpora: ClassVar[tuple[str, ...]] = CORPORA
    """Where it can be tested."""

    one_seed: ClassVar[bool] = False
    """Whether its test looks at one seed alone, however many were run."""

    @property
    def experiments(self) -> tuple[str, ...]:
        """What must be run to test it."""
        return ()

    @property
    def together(self) -> list[tuple[str, ...]]:
        """The experiments whose runs in common are compared, comparison by comparison."""
        return [self.experiments] if self.experiments else []

    @abstractmethod
    def judge(self, evidence: Evidence, corpus: str) -> Verdict:
        """The verdict on one corpus."""

    def command(self, corpus: str) -> str:
        """What an owner of the corpus runs to test it."""
        return (
            f"snakemake --cores 4 runs --config corpus={corpus} root={_folder(corpus)} "
            f"experiments={','.join(self.experiments)} && python -m ser_lib collect"
        )


def _folder(corpus: str) -> str:
    """What stands for a corpus's top folder in a command."""
    return f"/path/to/{'IEMOCAP_full_release' if corpus == 'iemocap' else corpus}"


@dataclass(frozen=True)
class Printed(Statement):
    """One that the paper's own numbers, or IEMOCAP's published counts, decide.

    ``check`` returns whether they agree with it, and the finding in words.
    """

    check: Callable[[], tuple[bool, str]]
    how: str

    @property
    def test(self) -> str:
        """The test in words."""
        return self.how


@dataclass(frozen=True)
class Untestable(Statement):
    """One that no recording decides, and why."""

    reason: str

    @property
    def test(self) -> str:
        """Why there is none."""
        return f"none: {self.reason}"


@dataclass(frozen=True)
class OfOne(Measured):
    """One about a single experiment."""

    experiment: str

    @property
    def experiments(self) -> tuple[str, ...]:
        """That one."""
        return (self.experiment,)


@dataclass(frozen=True)
class OfTwo(OfOne):
    """One about an experiment and another that it is compared with."""

    reference: str

    @property
    def experiments(self) -> tuple[str, ...]:
        """Both."""
        return self.experiment, self.reference


@dataclass(frozen=True)
class Difference(OfTwo):
    """One experiment beats (or loses to) another in one metric."""

    metric: str
    direction: float
    """Above or below zero: the side that is claimed. Where the paper prints the points, they stand here."""
    margin: float = 0.0
    """By how many points it may fall short and still be called as good."""

    @property
    def test(self) -> str:
        """The test in words."""
        side = "above" if self.direction > 0 else "below"
        threshold = "zero" if not self.margin else f"−{self.margin:g}"
        guessing = _OR_GUESSING if self.margin else _OR_LOWERED if self.direction < 0 else ""
        return (
            f"{self.metric.upper()} of {self.experiment} minus {self.reference}, paired by fold and seed; holds if the "
            f"{_LEVEL} interval over speakers lies {side} {threshold}, does not hold if on the other side{guessing}"
        )

    def judge(self, evidence: Evidence, corpus: str) -> Verdict:
        """The verdict on one corpus."""
        differences = evidence.difference(corpus, self.experiment, self.reference, self.metric)
        verdict = verdicts.judge_difference(differences, self.direction, self.margin)
        lowered = self.direction < 0 and verdict.outcome == HOLDS
        treat = _unless_guessing if self.margin or lowered else _saying_what_guesses
        return treat(verdict, evidence, corpus, self.reference, [self.experiment])


@dataclass(frozen=True)
class Growth(OfTwo):
    """What one experiment adds to another is more than what a third adds to a fourth: a difference of differences."""

    third: str
    fourth: str
    metric: str

    @property
    def experiments(self) -> tuple[str, ...]:
        """All four."""
        return self.experiment, self.reference, self.third, self.fourth

    @property
    def test(self) -> str:
        """The test in words."""
        return (
            f"{self.metric.upper()} of {self.experiment} minus {self.reference}, less that of {self.third} minus "
            f"{self.fourth}, all on the same folds and seeds; holds if the {_LEVEL} interval over speakers lies "
            "above zero, does not hold if below"
        )

    def judge(self, evidence: Evidence, corpus: str) -> Verdict:
        """The verdict on one corpus."""
        scores = [part[self.metric] for part in scoring.in_common(evidence.scored, corpus, self.experiments)]
        points = 100 * ((scores[0] - scores[1]) - (scores[2] - scores[3]))
        verdict = verdicts.judge_difference(points.groupby(level="fold").mean().to_numpy(dtype=float), +1)
        for name, beside in ((self.reference, self.experiment), (self.fourth, self.third)):
            verdict = _saying_what_guesses(verdict, evidence, corpus, name, [beside])
        return verdict


@dataclass(frozen=True)
class BothMetrics(OfTwo):
    """One experiment beats another in UA and in WA."""

    @property
    def test(self) -> str:
        """The test in words."""
        return (
            f"UA and WA of {self.experiment} minus {self.reference}, paired by fold and seed; holds if both "
            f"{_LEVEL} intervals over speakers lie above zero, does not hold if one lies below"
        )

    def judge(self, evidence: Evidence, corpus: str) -> Verdict:
        """The verdict on one corpus."""
        parts = {
            metric.upper(): verdicts.judge_difference(
                evidence.difference(corpus, self.experiment, self.reference, metric), +1
            )
            for metric in ("ua", "wa")
        }
        verdict = verdicts.judge_joint(parts)
        return _saying_what_guesses(verdict, evidence, corpus, self.reference, [self.experiment])


@dataclass(frozen=True)
class OfSeveral(Measured):
    """One about several experiments, each compared with the same reference."""

    others: tuple[str, ...]
    reference: str
    metric: str = "ua"

    @property
    def experiments(self) -> tuple[str, ...]:
        """All of them, the reference first."""
        return self.reference, *self.others

    @property
    def together(self) -> list[tuple[str, ...]]:
        """The reference with each of the others."""
        return [(self.reference, other) for other in self.others]

    def differences(self, evidence: Evidence, corpus: str) -> dict[str, np.ndarray]:
        """Points that each experiment adds to the reference, one per speaker: shape (speakers,)."""
        return {name: evidence.difference(corpus, name, self.reference, self.metric) for name in self.others}

    def _compared(self, which: str) -> str:
        """How they are compared, in words; ``which`` names the experiments."""
        return (
            f"{self.metric.upper()} of each of {which} minus {self.reference}, paired by fold and seed, t test over "
            "speakers, Holm's correction for their number"
        )


@dataclass(frozen=True)
class NoneBetter(OfSeveral):
    """None of several experiments is better than a reference, by more than a margin."""

    @property
    def test(self) -> str:
        """The test in words."""
        return (
            f"{self._compared(', '.join(self.others))}; holds if none is above zero with p < {1 - LEVEL:.2f} and every "
            f"interval lies below +{MARGIN:g} points, does not hold if one is above zero with such a p; what would "
            f"hold is {_GUESSING}"
        )

    def judge(self, evidence: Evidence, corpus: str) -> Verdict:
        """The verdict on one corpus."""
        verdict = verdicts.judge_none_better(self.differences(evidence, corpus), MARGIN)
        if verdict.outcome == FAILS:  # to be better than one that guesses is to be better
            return verdict
        return _unless_guessing(verdict, evidence, corpus, self.reference, self.others)


@dataclass(frozen=True)
class AnyDiffers(OfSeveral):
    """At least one of several experiments scores otherwise than a reference, higher or lower."""

    @property
    def test(self) -> str:
        """The test in words."""
        return (
            f"{self._compared(', '.join(self.others))}; holds if one differs from zero with p < {1 - LEVEL:.2f}, "
            "else undecided (equality cannot be shown)"
        )

    def judge(self, evidence: Evidence, corpus: str) -> Verdict:
        """The verdict on one corpus."""
        verdict = verdicts.judge_any_differs(self.differences(evidence, corpus))
        return _saying_what_guesses(verdict, evidence, corpus, self.reference, self.others)


@dataclass(frozen=True)
class Best(OfSeveral):
    """The reference is better than each of several other experiments."""

    @property
    def test(self) -> str:
        """The test in words."""
        return (
            f"{self._compared(f'the {len(self.others)} others')}; holds if all are below zero with "
            f"p < {1 - LEVEL:.2f}, does not hold if one is above zero with such a p"
        )

    def judge(self, evidence: Evidence, corpus: str) -> Verdict:
        """The verdict on one corpus."""
        verdict = verdicts.judge_best(self.differences(evidence, corpus))
        return _saying_what_guesses(verdict, evidence, corpus, self.reference, self.others)


@dataclass(frozen=True)
class Course(OfTwo):
    """Training goes differently in one experiment than in another."""

    quantity: str
    """A key of `COURSES`."""
    direction: float

    @property
    def test(self) -> str:
        """The test in words."""
        side, course = "above" if self.direction > 0 else "below", COURSES[self.quantity]
        return (
            f"{course.meaning}: {self.experiment} minus {self.reference}, paired by fold and seed; "
            f"holds if the {_LEVEL} interval over speakers lies {side} zero, does not hold if on the other side"
            f"{_OR_NOT_LEARNT if course.of_learners else _OR_NO_BOUND if course.at_least else ''}"
        )

    def judge(self, evidence: Evidence, corpus: str) -> Verdict:
        """The verdict on one corpus."""
        course = COURSES[self.quantity]
        histories = evidence.results.histories
        compared = histories["experiment"].isin([self.experiment, self.reference])
        histories = histories[compared & (histories["corpus"] == corpus)]
        values = by_run(histories, course.of).dropna()
        differences = scoring.paired_difference(values, corpus, self.experiment, self.reference, "value")
        verdict = verdicts.judge_difference(differences, self.direction, unit=course.unit, digits=course.digits)
        if course.at_least:
            return self._if_bound(verdict, by_run(histories, course.at_least), corpus)
        if course.of_learners:
            verdict = self._if_learnt(verdict, by_run(histories, learns), corpus)
            return _unless_guessing(verdict, evidence, corpus, self.reference, [self.experiment])
        return verdict

    def _if_learnt(self, verdict: Verdict, learnt: pd.DataFrame, corpus: str) -> Verdict:
        """A verdict, or undecided where most runs of the reference never learn what they could overfit to.

        Args:
            verdict: on the differences.
            learnt: of every run, whether it ever does.
            corpus: whose runs.
        """
        parts, said = self._shared(learnt, corpus)
        nothing = verdict.outcome == NOT_RUN
        if not len(parts[1]) or (parts[1].mean() >= 0.5 and not nothing):
            return verdict
        speakers = "no speaker" if nothing else verdict.basis.split("; ")[0]
        return replace(verdict, outcome=UNDECIDED, basis=f"{speakers}; {said} have learnt")

    def _if_bound(self, verdict: Verdict, at_least: pd.DataFrame, corpus: str) -> Verdict:
        """A verdict, or undecided where runs end too early for their difference to be a bound on what is claimed.

        Args:
            verdict: on the differences.
            at_least: of every run, whether its number is only the least that it can be.
            corpus: whose runs.
        """
        parts, said = self._shared(at_least, corpus)
        larger, smaller = parts if self.direction > 0 else parts[::-1]
        unsure = larger if verdict.outcome == FAILS else smaller  # a larger number there would undo the verdict
        if not unsure.any():
            return verdict
        basis = f"{verdict.basis.split('; ')[0]}; {said} never get there, so that it is no bound"
        return replace(verdict, outcome=UNDECIDED, basis=basis)

    def _shared(self, flags: pd.DataFrame, corpus: str) -> tuple[list[pd.Series], str]:
        """Which runs that both experiments share have a flag, experiment by experiment, and how many in words."""
        pair = self.experiment, self.reference
        parts = [part["value"].astype(bool) for part in scoring.in_common(flags, corpus, pair)]
        said = [f"{part.sum()} of {len(part)} runs of {name}" for name, part in zip(pair, parts, strict=True)]
        return parts, " and ".join(said)


@dataclass(frozen=True)
class Distinct(OfTwo):
    """Two experiments do not give the same."""

    @property
    def test(self) -> str:
        """The test in words."""
        return (
            f"test predictions and probabilities of {self.experiment} and {self.reference}, run by run, where both "
            "were made on processors of one kind, on which a training can be repeated; holds if one run differs, does "
            "not hold if all are the same to four digits"
        )

    def judge(self, evidence: Evidence, corpus: str) -> Verdict:
        """The verdict on one corpus."""
        results = evidence.results
        pairs = scoring.alike(results.predictions, results.runs, corpus, self.experiment, self.reference)
        return verdicts.judge_distinct(pairs.loc[pairs["repeats"], "alike"].to_numpy(), len(pairs))


@dataclass(frozen=True)
class Spread(OfOne):
    """Scores depend on the test speaker, and not only on the run."""

    @property
    def test(self) -> str:
        """The test in words."""
        return (
            f"UA of {self.experiment}: F of an analysis of variance, test speakers against the seeds of one speaker, "
            f"compared with the F found when the utterances of each emotion are dealt to speakers at random; holds if "
            f"p < {1 - LEVEL:.2f}, else undecided (equality cannot be shown)"
        )

    def judge(self, evidence: Evidence, corpus: str) -> Verdict:
        """The verdict on one corpus."""
        part = scoring.balanced(scoring.of_experiment(evidence.results.predictions, corpus, self.experiment))
        return verdicts.judge_spread(part.assign(correct=part["truth"] == part["prediction"]))


@dataclass(frozen=True)
class LayerRatio(OfOne):
    """The gradient of the convolutions is much larger than that of the Bi-LSTM layers.

    The paper does not say how it measures a gradient: the norm of a layer's gradient grows with the number of its
    weights, the root mean square over its weights does not.
    """

    per_weight: bool

    @property
    def test(self) -> str:
        """The test in words."""
        measure = "root mean square" if self.per_weight else "norm"
        return (
            f"{measure} of the gradient of all convolutions, biases included, over that of all Bi-LSTM layers in "
            f"{self.experiment}, geometric mean over epochs and seeds; holds if the {_LEVEL} interval over speakers "
            f"lies above {PACE:g}, does not hold if below"
        )

    def judge(self, evidence: Evidence, corpus: str) -> Verdict:
        """The verdict on one corpus."""
        part = scoring.of_experiment(evidence.results.gradients, corpus, self.experiment)
        logarithms = np.log(module_ratio(part, self.experiment, self.per_weight))
        return verdicts.judge_ratio(logarithms.groupby(part["fold"]).mean().to_numpy(), PACE)


@dataclass(frozen=True)
class Pace(OfOne):
    """Convolutions and Bi-LSTM layers are trained at very different speeds.

    The paper does not say how it measures a speed: here it is by how much of its own size a layer is moved in a step.
    """

    @property
    def test(self) -> str:
        """The test in words."""
        return (
            f"norm of the update over norm of the weights, convolutions over Bi-LSTM layers in {self.experiment}, "
            f"geometric mean over layers, epochs and seeds; holds if the {_LEVEL} interval over speakers lies above "
            f"{PACE:g} or below 1/{PACE:g}, does not hold if between the two"
        )

    def judge(self, evidence: Evidence, corpus: str) -> Verdict:
        """The verdict on one corpus."""
        part = scoring.of_experiment(evidence.results.updates, corpus, self.experiment)
        return verdicts.judge_pace(pace_of_convolutions(part).mean(axis=1).to_numpy(), PACE)


@dataclass(frozen=True)
class Level(OfOne):
    """An experiment reaches the scores of Table 2: on IEMOCAP alone, whose speakers are those of its rows."""

    metric: str

    corpora: ClassVar[tuple[str, ...]] = ("iemocap",)

    @property
    def test(self) -> str:
        """The test in words."""
        return (
            f"{self.metric.upper()} of {self.experiment} minus Table 2's of the same speaker; holds if the "
            f"{_LEVEL} interval over speakers lies above −{MARGIN:g}, does not hold if below (Table 2 is a best run "
            "and ours are means over seeds; ten speakers leave most exact replications undecided)"
        )

    def judge(self, evidence: Evidence, corpus: str) -> Verdict:
        """The verdict on one corpus."""
        part = scoring.balanced(scoring.of_experiment(evidence.scored, corpus, self.experiment))
        printed = paper.table2().set_index("speaker")[self.metric]
        points = (100 * part.groupby("test_speaker")[self.metric].mean() - printed).dropna()
        return verdicts.judge_difference(points.to_numpy(dtype=float), +1, MARGIN)


@dataclass(frozen=True)
class FrameRange(Measured):
    """The shortest and longest utterance have so many frames: of IEMOCAP."""

    printed: tuple[int, int]

    corpora: ClassVar[tuple[str, ...]] = ("iemocap",)

    @property
    def test(self) -> str:
        """The test in words."""
        return "frames of the shortest and longest utterance: 64 ms windows every 32 ms, unpadded; holds if both agree"

    def judge(self, evidence: Evidence, corpus: str) -> Verdict:
        """The verdict on one corpus."""
        table = evidence.utterances.get(corpus)
        if table is None:
            return verdicts.NO_RUNS
        frames = frame_counts(table["duration"])
        found = int(frames.min()), int(frames.max())
        basis = wording.counted(len(table), "utterance")
        return Verdict(HOLDS if found == self.printed else FAILS, f"{found[0]} to {found[1]}", basis)

    def command(self, corpus: str) -> str:
        """What an owner of the corpus runs to test it."""
        return f"python -m ser_lib corpus {corpus} --root {_folder(corpus)} --keep"


@dataclass(frozen=True)
class Variety(OfOne):
    """Gradients of small batches differ more in direction than those of large ones."""

    one_seed: ClassVar[bool] = True

    small: int
    large: int

    @property
    def test(self) -> str:
        """The test in words."""
        return (
            f"mean cosine between the gradients of two batches of {self.small} minus that of {self.large}, at the "
            f"weights that {self.experiment} kept, by fold; holds if the {_LEVEL} interval over speakers lies below "
            "zero, does not hold if above"
        )

    def judge(self, evidence: Evidence, corpus: str) -> Verdict:
        """The verdict on one corpus."""
        part = scoring.of_experiment(evidence.variety, corpus, self.experiment)
        by_size = part.pivot_table(index="fold", columns="batch_size", values="cosine", aggfunc="mean")
        sizes = by_size.reindex(columns=[self.small, self.large]).dropna()
        differences = 100 * (sizes[self.small] - sizes[self.large]).to_numpy(dtype=float)
        return verdicts.judge_difference(differences, -1, unit="hundredths of a cosine")

    def command(self, corpus: str) -> str:
        """What an owner of the corpus runs to test it."""
        return f"{super().command(corpus)} && python -m ser_lib variety --corpus {corpus} --root {_folder(corpus)}"


OF_SCORES = (Difference, Growth, BothMetrics, OfSeveral)
"""Those that compare scores of experiments, paired by fold and seed, and need nothing else."""


# What the course of training is judged by


@dataclass(frozen=True)
class Quantity:
    """A number of one run's history: what it means, its unit, and how it follows from the epochs, in their order."""

    meaning: str
    unit: str
    of: Callable[[pd.DataFrame], float]
    digits: int = 1
    """Behind the point, of what is shown."""
    of_learners: bool = False
    """Whether it says nothing beside a network that has not learnt, and so has nothing to overfit with."""
    at_least: Callable[[pd.DataFrame], bool] | None = None
    """Whether a run's number is only the least that it can be, if runs can end too early for it."""


LEARNT = math.log(len(EMOTIONS)) / 2
"""A training loss in nats, half of what guessing gives, from which on we say that a network has learnt."""


def has_learnt(history: pd.DataFrame) -> pd.Series:
    """Of each epoch, whether the training loss is `LEARNT` or less."""
    return history["training_loss"] <= LEARNT


def learns(history: pd.DataFrame) -> bool:
    """Whether the training loss ever is `LEARNT` or less."""
    return bool(has_learnt(history).any())


def epochs_to_learn(history: pd.DataFrame) -> float:
    """Epochs until the training loss is half of guessing's; one more than it was trained for, if it never is."""
    learnt = history.loc[has_learnt(history), "epoch"]
    return float(learnt.min() if len(learnt) else history["epoch"].max() + 1)


def turning_point(history: pd.DataFrame) -> float:
    """The epoch of the lowest validation loss, behind which it only fits the training speakers better."""
    return float(history.loc[history["validation_loss"].idxmin(), "epoch"])


def epochs_to_turn(history: pd.DataFrame) -> float:
    """Epochs from the one in which it has learnt to that of the lowest validation loss; NaN if it never learns."""
    return turning_point(history) - epochs_to_learn(history) if learns(history) else math.nan


def rise(history: pd.DataFrame) -> float:
    """How far the validation loss has risen above its lowest by the last epoch: what overfitting looks like.

    Its distance from the training loss is no measure of it here: a network that learns nothing has none. Nor does such
    a network's loss rise, so that none is told from one that only guesses.
    """
    losses = history["validation_loss"]
    return float(losses.iloc[-1] - losses.min())


COURSES = {
    "learn": Quantity(
        "epochs until the training loss is half of guessing's (a run that never gets there counts as one epoch more "
        "than it was trained for, the least that it would need)",
        "epochs",
        epochs_to_learn,
        at_least=lambda history: not learns(history),
    ),
    "turn": Quantity("epoch of the lowest validation loss", "epochs", turning_point, of_learners=True),
    "turn since learning": Quantity(
        "epochs from the first in which the training loss is half of guessing's to that of the lowest validation loss, "
        "in runs that get so far",
        "epochs",
        epochs_to_turn,
        of_learners=True,
    ),
    "rise": Quantity("validation loss in the last epoch minus the lowest", "nats", rise, digits=2, of_learners=True),
}


_GUESSING = (
    f"undecided where the {_LEVEL} interval of what it is compared with, in the same runs, holds guessing: to "
    "be as good as guessing says nothing"
)
_OR_GUESSING = f"; {_GUESSING}"
_OR_NOT_LEARNT = (
    f"{_OR_GUESSING}; and where most runs of what it is compared with never get to half of guessing's training loss: "
    "what has not learnt has nothing to overfit with"
)
_OR_LOWERED = (
    f"; what would hold is undecided where the {_LEVEL} interval of what it is compared with, in the same runs, "
    "holds guessing: what guesses has nothing to lose"
)
_OR_NO_BOUND = (
    "; undecided where a run of those claimed to be quicker never gets there or, if the claim would not hold, a run of "
    "the others: the difference is no bound then"
)


def _unless_guessing(
    verdict: Verdict, evidence: Evidence, corpus: str, reference: str, others: Iterable[str]
) -> Verdict:
    """A verdict against a reference, or undecided where that reference does no more than guess."""
    said = _saying_what_guesses(verdict, evidence, corpus, reference, others)
    return verdict if said == verdict else replace(said, outcome=UNDECIDED)


def _saying_what_guesses(
    verdict: Verdict, evidence: Evidence, corpus: str, reference: str, others: Iterable[str]
) -> Verdict:
    """A verdict whose basis says so if the reference does no more than guess, in the runs shared with any other."""
    if verdict.outcome == NOT_RUN or not any(evidence.guesses(corpus, reference, other) for other in others):
        return verdict
    basis = f"{verdict.basis}; {reference} is not told apart from guessing ({100 / len(EMOTIONS):.0f} %)"
    return replace(verdict, basis=basis)


def by_run(histories: pd.DataFrame, quantity: Callable[[pd.DataFrame], float]) -> pd.DataFrame:
    """A quantity of every run's history: ``corpus, experiment, fold, seed, value``."""
    rows = [(*run, quantity(part.sort_values("epoch"))) for run, part in histories.groupby(scoring.RUN, sort=True)]
    return pd.DataFrame(rows, columns=[*scoring.RUN, "value"])


def pace_of_convolutions(updates: pd.DataFrame) -> pd.DataFrame:
    """How many times the share of its weights that a Bi-LSTM layer is moved by in a step each convolution is moved by.

    Args:
        updates: norm of the update over norm of the weights of every layer, of one experiment on one corpus, as in
            :class:`ser_lib.collection.Results`.

    Returns:
        Logarithms, a row per fold and a column per convolution: means over epochs, seeds and Bi-LSTM layers.

    Source: Sections 1 and 4 ("trained at a very different pace").
    """
    convolutions, recurrent = (
        np.log(updates[[layer for layer in updates if layer.startswith(f"{module} ")]].astype(float))
        for module in ("conv", "lstm")
    )
    by_fold = convolutions.sub(recurrent.mean(axis=1), axis=0).groupby(updates["fold"]).mean()
    return by_fold.dropna(axis="columns", how="all")  # without the layers of other networks


def module_ratio(norms: pd.DataFrame, experiment: str, per_weight: bool) -> pd.Series:
    """How many times the gradient of all Bi-LSTM layers that of all convolutions is, row by row.

    Args:
        norms: one column per layer, as in ``gradients`` of :class:`ser_lib.collection.Results`.
        experiment: whose network it is.
        per_weight: whether to compare root mean squares over the weights, and not norms.
    """
    layers = describe(build_model(find_experiment(experiment))).set_index("layer")["parameters"]
    sizes = {}
    for module in ("conv", "lstm"):
        members = [layer for layer in layers.index if layer.startswith(f"{module} ")]
        norm = np.sqrt(np.square(norms.reindex(columns=members).astype(float)).sum(axis=1, skipna=False))
        sizes[module] = norm / np.sqrt(layers[members].sum()) if per_weight else norm
    return sizes["conv"] / sizes["lstm"]

"""The rules by which a verdict follows from numbers, and nothing else (the tests of every claim).

A claim about a difference is tested on the differences between two experiments, paired by fold and seed: seeds are
averaged within a speaker, and Student's t interval is taken over speakers. Folds share training data, so that an
interval is a guide and not exact. Where one claim rests on several comparisons, their p values are corrected by Holm's
method; the claims themselves are not corrected against each other.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from ser_lib import scoring, wording
from ser_lib.inference import POWER, deal_anew, holm, smallest_effect
from ser_lib.scoring import LEVEL, MINIMUM_FOLDS

HOLDS = "holds"
FAILS = "does not hold"
UNDECIDED = "undecided"
NOT_TESTABLE = "not testable here"
NOT_RUN = wording.NOT_RUN


@dataclass(frozen=True)
class Verdict:
    """What was found for a claim on one corpus (or on the printed numbers): outcome, effect, and what it rests on."""

    outcome: str
    effect: str
    basis: str


NO_RUNS = Verdict(NOT_RUN, "–", "no runs")


def _too_few(speakers: int, effect: Callable[[], str], share: str = "") -> Verdict | None:
    """The verdict where there are no runs, or fewer speakers than decide anything; None where there are enough.

    Args:
        speakers: how many.
        effect: what was found of them, in words; not asked for without any.
        share: of what they are the speakers, before their number.
    """
    if speakers == 0:
        return NO_RUNS
    if speakers < MINIMUM_FOLDS:
        basis = f"{share}{wording.counted(speakers, 'speaker')}, too few to decide (at least {MINIMUM_FOLDS})"
        return Verdict(UNDECIDED, effect(), basis)
    return None


def judge_difference(
    differences: np.ndarray, direction: float, margin: float = 0.0, unit: str = "points", digits: int = 1
) -> Verdict:
    """Verdict on a difference.

    Args:
        differences: one per speaker, in ``unit``, shape (speakers,).
        direction: above or below zero, the side that is claimed.
        margin: by how much the claim allows the difference to lie on the other side of zero.
        unit: of what the differences are.
        digits: behind the point, of what is shown.
    """
    named = "" if unit == "points" else f" {unit}"
    if too_few := _too_few(len(differences), lambda: f"{differences.mean():+.{digits}f}{named}"):
        return too_few
    basis = wording.counted(len(differences), "speaker")
    low, high = scoring.interval(differences, LEVEL)
    effect = f"{wording.with_ends(differences.mean(), low, high, digits)}{named}"
    towards = (low, high) if direction > 0 else (-high, -low)
    if towards[0] > -margin:
        return Verdict(HOLDS, effect, basis)
    if towards[1] < -margin:
        return Verdict(FAILS, effect, basis)
    if not np.ptp(differences):
        return Verdict(UNDECIDED, effect, basis)
    beyond = " beyond the margin" if margin else ""
    return Verdict(UNDECIDED, effect, f"{basis}; {_POWER} at {_found(differences):.{digits}f} {unit}{beyond}")


_POWER = f"{100 * POWER:.0f} % power"


def _found(differences: np.ndarray, level: float = LEVEL) -> float:
    """The smallest true effect that a study finds which is as large, and spreads as much, as these differences."""
    return smallest_effect(len(differences), 1, float(differences.std(ddof=1)), 0.0, level=level)


def judge_ratio(logarithms: np.ndarray, factor: float) -> Verdict:
    """Verdict on a ratio that is claimed to be large.

    Args:
        logarithms: of the ratio, one per speaker, shape (speakers,).
        factor: above what it is large.
    """
    return _judge_times(logarithms, lambda low, high: HOLDS if low > factor else FAILS if high < factor else UNDECIDED)


def judge_pace(logarithms: np.ndarray, factor: float) -> Verdict:
    """Verdict on two speeds that are claimed to be very different: apart by a factor, whichever is higher.

    Args:
        logarithms: of the ratio of the two, one per speaker, shape (speakers,).
        factor: the least that counts as very different, above 1.
    """

    def judge(low: float, high: float) -> str:
        apart, near = low > factor or high < 1 / factor, 1 / factor < low and high < factor
        return HOLDS if apart else FAILS if near else UNDECIDED

    return _judge_times(logarithms, judge)


def _judge_times(logarithms: np.ndarray, judge: Callable[[float, float], str]) -> Verdict:
    """Verdict on a ratio; ``judge`` gives the outcome from the two ends of its interval."""

    def times() -> str:
        return f"{np.exp(logarithms.mean()):.2f} times"

    if too_few := _too_few(len(logarithms), times):
        return too_few
    low, high = np.exp(scoring.interval(logarithms, LEVEL))
    return Verdict(judge(low, high), f"{times()} [{low:.2f}, {high:.2f}]", wording.counted(len(logarithms), "speaker"))


def judge_spread(answers: pd.DataFrame) -> Verdict:
    """Verdict on the spread of speakers, beyond that of their utterances and of their runs.

    Args:
        answers: see :func:`ser_lib.inference.deal_anew`; one seed is enough for what was found, but not to decide.
    """
    by_emotion = answers.groupby(["speaker", "truth"])["correct"].mean()
    means = 100 * by_emotion.groupby(level="speaker").mean()

    def effect() -> str:
        return f"UA {means.min():.1f} to {means.max():.1f}"

    if too_few := _too_few(len(means), effect):
        return too_few
    basis = wording.counted(len(means), "speaker")
    speakers = answers.groupby("seed")["speaker"].nunique()
    shared = answers[answers["seed"].isin(speakers.index[speakers == len(means)])]
    if shared["seed"].nunique() < 2:
        return Verdict(UNDECIDED, effect(), f"{basis}; needs two seeds of each, as runs of one speaker differ too")
    dealt = deal_anew(shared)
    found = f"{effect()}; sd over speakers {100 * dealt.between:.1f}, by chance {100 * dealt.by_chance:.1f}"
    return Verdict(HOLDS if dealt.p < 1 - LEVEL else UNDECIDED, found, f"{basis}; p = {dealt.p:.2g}")


def judge_joint(verdicts: Mapping[str, Verdict]) -> Verdict:
    """Verdict on a claim of several parts: it holds if all do, and does not if one does not.

    Args:
        verdicts: name of each part -> its verdict.
    """
    outcomes = {verdict.outcome for verdict in verdicts.values()}
    outcome = next((o for o in (NOT_RUN, FAILS, UNDECIDED) if o in outcomes), HOLDS)
    if outcome == NOT_RUN:
        return NO_RUNS
    effect = "; ".join(f"{name} {verdict.effect}" for name, verdict in verdicts.items())
    speakers = next(iter(verdicts.values())).basis.split("; ")[0]
    others = {name: verdict.basis.removeprefix(speakers) for name, verdict in verdicts.items()}
    said = [f"{name}{words[1:]}" for name, words in others.items() if words]
    return Verdict(outcome, effect, "; ".join([speakers, *said]))


def judge_none_better(differences: Mapping[str, np.ndarray], margin: float) -> Verdict:
    """Verdict on the claim that no experiment of several is better than the one that they are compared with.

    Args:
        differences: experiment -> percentage points over the reference, one per speaker, shape (speakers,).
        margin: below what the interval of every difference must lie: that nothing was found is no sign that there is
            nothing, and the fewer the speakers, the less is found.
    """

    def judge(compared: Mapping[str, np.ndarray], p: Mapping[str, float]) -> tuple[str, str]:
        better = [name for name in compared if p[name] < 1 - LEVEL and compared[name].mean() > 0]
        if better:
            return FAILS, f"better: {', '.join(better)}"
        below = all(scoring.interval(values, LEVEL)[1] < margin for values in compared.values())
        outcome = HOLDS if below and len(compared) == len(differences) else UNDECIDED
        # To be found among so many, an effect must pass the first step of Holm's method.
        level = 1 - (1 - LEVEL) / len(compared)
        found = max(_found(values, level) for values in compared.values())
        # Where the bound is kept, what could have been found below it is beside the point.
        power = "" if outcome == HOLDS else f"; {_POWER} at {found:.1f} points"
        return outcome, f"smallest p, Holm: {wording.p_value(min(p.values()))}{power}"

    return _judge_several(differences, judge)


def judge_any_differs(differences: Mapping[str, np.ndarray]) -> Verdict:
    """Verdict on the claim that it matters which of several experiments is run; that it does not cannot be shown.

    Args:
        differences: experiment -> percentage points over the reference, one per speaker, shape (speakers,).
    """

    def judge(compared: Mapping[str, np.ndarray], p: Mapping[str, float]) -> tuple[str, str]:
        unlike = [f"{name} {compared[name].mean():+.1f}" for name in compared if p[name] < 1 - LEVEL]
        found = f"; other: {', '.join(unlike)}" if unlike else ""
        return HOLDS if unlike else UNDECIDED, f"smallest p, Holm: {wording.p_value(min(p.values()))}{found}"

    return _judge_several(differences, judge)


def judge_best(differences: Mapping[str, np.ndarray]) -> Verdict:
    """Verdict on the claim that one experiment is better than every one of several others.

    Args:
        differences: other experiment -> its percentage points over the one that is claimed to be best, one per
            speaker, shape (speakers,).
    """

    def judge(compared: Mapping[str, np.ndarray], p: Mapping[str, float]) -> tuple[str, str]:
        decided = [values.mean() for name, values in compared.items() if p[name] < 1 - LEVEL]
        outcome = HOLDS if len(decided) == len(differences) else UNDECIDED
        return FAILS if any(mean > 0 for mean in decided) else outcome, f"{len(decided)} decided"

    return _judge_several(differences, judge)


def _judge_several(differences: Mapping[str, np.ndarray], judge: Callable) -> Verdict:
    """Verdict on several comparisons; ``judge`` gives it from those that have runs, and their p values."""
    compared = {name: values for name, values in differences.items() if len(values)}
    if not compared:
        return NO_RUNS
    best = max(compared, key=lambda name: compared[name].mean())
    above = sum(values.mean() > 0 for values in compared.values())
    effect = f"{above} of {len(compared)} above it; highest: {best} {compared[best].mean():+.1f}"
    fewest, most = min(map(len, compared.values())), max(map(len, compared.values()))
    share = f"{len(compared)} of {len(differences)} compared, "
    some = share if fewest == most else f"{share}some of them of "
    if too_few := _too_few(fewest, lambda: effect, some):
        return too_few
    outcome, finding = judge(compared, adjusted_p_values(compared))
    speakers = wording.counted(most, "speaker") if fewest == most else f"{fewest} to {most} speakers"
    return Verdict(outcome, effect, f"{share}{speakers}; {finding}")


def adjusted_p_values(differences: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Two-sided p value of each mean difference being zero (Student's t), corrected for their number (Holm)."""
    return dict(zip(differences, holm([_p_value(values) for values in differences.values()]), strict=True))


def _p_value(differences: np.ndarray) -> float:
    if np.ptp(differences) < 1e-9:  # SciPy has no test without spread, but for that of rounding
        return float(abs(differences[0]) < 1e-9)
    return float(stats.ttest_1samp(differences, 0).pvalue)


def judge_distinct(alike: np.ndarray, total: int) -> Verdict:
    """Verdict on the claim that two experiments differ, by how many of their runs predict alike.

    Args:
        alike: of each run in common that can be repeated, whether predictions and probabilities are the same; bool,
            shape (runs that can be repeated,).
        total: runs in common.
    """
    if total == 0:
        return NO_RUNS
    left_out = f"{wording.counted(total - len(alike), 'run')} on a GPU or on unlike hardware left out"
    if len(alike) == 0:
        return Verdict(UNDECIDED, "", left_out)
    return Verdict(
        FAILS if alike.all() else HOLDS,
        f"{alike.sum()} of {wording.counted(len(alike), 'run')} the same",
        "predictions" if len(alike) == total else f"predictions; {left_out}",
    )

"""The words that tables, figures and verdicts share: for numbers with their intervals, and for what is missing."""

import numpy as np
import pandas as pd

from ser_lib.scoring import RUN, of_experiment, supported_interval

OPEN_CORPORA = ("emodb", "ravdess", "nemo")
CORPORA = (*OPEN_CORPORA, "iemocap")
"""Those of the pages, in their order."""

NOT_RUN = "not run yet"
LICENCE = "not run here"
"""IEMOCAP's columns, until an owner of the licence runs them."""

DIVERGED = "diverged"
"""The experiment was run, and its loss did not stay finite in any run."""

NOTHING_SHARED = "no run in common"
"""Both experiments were run, but never on the same fold with the same seed."""

NOT_PRINTED = "not printed"

ABSENT = ("", "–", NOT_RUN, LICENCE, DIVERGED, NOTHING_SHARED, NOT_PRINTED)
"""What stands in place of a number."""

NO_FAILURES = pd.DataFrame(columns=RUN)


def absence(failures: pd.DataFrame, corpus: str, experiment: str) -> str:
    """What to say where an experiment has no score on a corpus: diverged, or not run (yet).

    Args:
        failures: runs whose loss did not stay finite, with ``corpus`` and ``experiment``.
        corpus, experiment: what has no score.
    """
    return DIVERGED if len(of_experiment(failures, corpus, experiment)) else unmeasured(corpus)


def unmeasured(corpus: str) -> str:
    """What to say where nothing was run or measured on a corpus: not yet, or not here."""
    return LICENCE if corpus == "iemocap" else NOT_RUN


def no_difference(scored: pd.DataFrame, failures: pd.DataFrame, corpus: str, experiment: str) -> str:
    """What to say where an experiment has no run in common with the one that it is compared with."""
    run = len(of_experiment(scored, corpus, experiment))
    return NOTHING_SHARED if run else absence(failures, corpus, experiment)


def with_interval(mean: float, low: float, high: float) -> str:
    """Percent with an interval: 81.3 [75.0, 87.6]. No end of one is shown below 0 or above 100, where no score is."""
    if np.isnan(low):
        return f"{100 * mean:.1f}"
    return f"{100 * mean:.1f} [{100 * max(low, 0):.1f}, {100 * min(high, 1):.1f}]"


def percent(mean: float, low: float, high: float, folds: int, noun: str = "fold") -> str:
    """Percent with an interval, or with the number of folds if they are too few for one."""
    text = with_interval(mean, low, high)
    return f"{text} ({counted(folds, noun)})" if np.isnan(low) else text


def signed(value: float, digits: int = 1) -> str:
    """A number with its sign, and one more digit where it would be rounded to zero: +1.2, −0.03."""
    for shown in (digits, digits + 1):
        text = f"{value:+.{shown}f}"
        if float(text) or not value:
            return text
    return f"{0:+.{digits}f}"


def with_ends(mean: float, low: float, high: float, digits: int = 1) -> str:
    """A difference with its interval: +1.2 [−0.3, +2.7]."""
    return f"{signed(mean, digits)} [{signed(low, digits)}, {signed(high, digits)}]"


def points_with_interval(differences: np.ndarray) -> str:
    """Mean of differences in percentage points, one per speaker, with its 95 % interval: +1.2 [−0.3, +2.7].

    Below `MINIMUM_FOLDS` there is no interval: +1.2 (2 folds).
    """
    mean, (low, high) = float(np.mean(differences)), supported_interval(differences)
    return f"{signed(mean)} ({counted(len(differences), 'fold')})" if np.isnan(low) else with_ends(mean, low, high)


def p_value(p: float) -> str:
    """A p value to three decimals: 0.049, < 0.001."""
    return "< 0.001" if p < 0.0005 else f"{p:.3f}"


def counted(count: int, noun: str) -> str:
    """A number of things in words: 1 fold, 2 folds."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"

"""What several corpora say together of a difference: its mean over all of their speakers (Tables 1 and 3).

Each speaker counts the same, whichever corpus recorded it. The corpora are taken as they are, and not for a sample of
corpora: an interval says what other speakers of the same corpora would have given, and nothing of one more corpus, such
as IEMOCAP. No verdict rests on it: it was added when the runs had been read.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from scipy import stats

from ser_lib import paper, scoring, wording
from ser_lib.corpora import TITLES


def stratified_interval(parts: Sequence[np.ndarray], level: float = scoring.LEVEL) -> tuple[float, float, float]:
    """Mean over the speakers of several corpora, and its interval; each corpus has a mean and a spread of its own.

    Args:
        parts: one value per speaker, an array for each corpus, of two speakers or more.
        level: share of intervals that hold the true mean, if the speakers of each corpus were drawn at random.

    Returns:
        The mean, and the lower and the upper end, in the unit of the values. Of one corpus: Student's t interval.

    Source: Satterthwaite 1946, for the degrees of freedom.
    """
    sizes = np.array([len(part) for part in parts])
    shares = sizes / sizes.sum()
    mean = float(shares @ [part.mean() for part in parts])
    variances = shares**2 * [part.var(ddof=1) for part in parts] / sizes
    variance = variances.sum()
    if variance == 0:
        return mean, mean, mean
    freedom = variance**2 / (variances**2 / (sizes - 1)).sum()
    half = float(stats.t.ppf((1 + level) / 2, freedom) * np.sqrt(variance))
    return mean, mean - half, mean + half


def told_from_guessing(summary: pd.DataFrame, corpora: Iterable[str], experiment: str) -> list[str]:
    """The corpora on which the UA of an experiment is told from guessing; see :func:`ser_lib.scoring.is_guessing`.

    Args:
        summary: as :func:`ser_lib.scoring.summary` returns it.
        corpora: whose runs.
        experiment: which of its experiments.
    """
    ends = summary.dropna(subset=["ua_low"]).set_index(["corpus", "experiment"])[["ua_low", "ua_high"]]
    found = [corpus for corpus in corpora if (corpus, experiment) in ends.index]
    return [corpus for corpus in found if not scoring.is_guessing(*ends.loc[(corpus, experiment)])]


def table(scored: pd.DataFrame, corpora: Collection[str], references: Mapping[str, str]) -> pd.DataFrame:
    """Differences over the speakers of several corpora, beside those that the paper prints, for a page.

    Args:
        scored: as :func:`ser_lib.scoring.scores` returns them.
        corpora: those that are taken together; one with fewer speakers than decide anything is left out.
        references: experiment -> the one that it is compared with.

    Returns:
        A row per difference of two corpora or more: these, their ``Speakers``, and for UA and WA the paper's points,
        ours with the 95 % interval, and ``p`` of all corpora having one mean (Welch's analysis of variance). Where the
        reference is not told from guessing on some of them, a second row without these.

    Source: Tables 1 and 3, as differences; Welch 1951.
    """
    rows, summary = [], scoring.summary(scored)
    for experiment, reference in references.items():
        learned = told_from_guessing(summary, corpora, reference)
        both = [_row(scored, group, experiment, reference) for group in (corpora, learned)]
        rows += [row for place, row in enumerate(both) if row and row not in both[:place]]
    columns = ["Difference", "Corpora", "Speakers"]
    columns += [f"{metric}, {what}" for metric in ("UA", "WA") for what in ("paper", "ours", "corpora alike: p")]
    return pd.DataFrame(rows, columns=columns)


def _row(scored: pd.DataFrame, group: Collection[str], experiment: str, reference: str) -> dict[str, str] | None:
    """One difference on one group of corpora; None where fewer than two of them have enough speakers."""
    row = {"Difference": f"{experiment} − {reference}"}
    for metric in ("ua", "wa"):
        found = {
            corpus: 100 * scoring.paired_difference(scored, corpus, experiment, reference, metric) for corpus in group
        }
        parts = {corpus: points for corpus, points in found.items() if len(points) >= scoring.MINIMUM_FOLDS}
        if len(parts) < 2:
            return None
        mean, low, high = stratified_interval(list(parts.values()))
        row |= {
            "Corpora": ", ".join(TITLES[corpus] for corpus in parts),
            "Speakers": " + ".join(str(len(points)) for points in parts.values()),
            f"{metric.upper()}, paper": _printed(experiment, reference, metric),
            f"{metric.upper()}, ours": wording.with_ends(mean, low, high),
            f"{metric.upper()}, corpora alike: p": _alike(parts.values()),
        }
    return row


def _alike(parts: Collection[np.ndarray]) -> str:
    """p of all corpora having one mean; there is none where the speakers of one do not differ."""
    if not all(np.ptp(part) for part in parts):
        return "–"
    return wording.p_value(stats.f_oneway(*parts, equal_var=False).pvalue)


def _printed(experiment: str, reference: str, metric: str) -> str:
    if experiment not in paper.COLUMNS or reference not in paper.COLUMNS:
        return wording.NOT_PRINTED
    return f"{getattr(paper.COLUMNS[experiment], metric) - getattr(paper.COLUMNS[reference], metric):+.1f}"

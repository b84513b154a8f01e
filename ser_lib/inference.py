"""How sure runs can make us: intervals, tests and power over speakers (Tables 1, 2 and 3).

Speakers are the sample, and seeds are repeats within a speaker. Scores and differences come as a grid of speakers
(rows) by seeds (columns). Folds share most of their training data, so that their scores are not independent as every
method here supposes: intervals, p values and power are a guide, and not exact.

The interval of this project is Student's t over speaker means (:func:`ser_lib.scoring.interval`). By simulation
(:func:`coverage`) it covers what it claims where ten speakers are normal, with one seed each and with several; the
percentile and BCa bootstraps do not. Where speakers are skewed all fall short; the studentised bootstrap comes nearer
by a few points at most, with wider intervals, which does not pay for an interval that depends on random numbers.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import optimize, stats

from ser_lib import paper, scoring, wording
from ser_lib.corpora import EMOTIONS, TITLES
from ser_lib.errors import SerError
from ser_lib.scoring import LEVEL

POWER = 0.8
"""Share of studies that should find an effect which is there; Cohen's convention."""

EXACT_SPEAKERS = 16
"""Up to so many speakers all sign flips are counted, from there on a random sample of them."""

DESIGNS = ((10, 1), (10, 3), (10, 10))
"""Speakers and seeds of the studies that are compared: the ten folds of the paper, with ever more seeds."""

PRINTED_STEPS = {
    "oversampling ua": "oversampling", "vtlp ua": "VTLP", "8 kHz ua": "8 kHz",
    "oversampling wa": "oversampling", "vtlp wa": "VTLP",
}  # fmt: skip
"""The steps of Table 1 that the text names: name in :data:`ser_lib.paper.NUMBERS` -> what it is a step to."""

_FOUND = f"Found at {100 * POWER:.0f} %"

_COMPARISONS = [
    "corpus", "experiment", "reference", "metric", "absence", "speakers", "seeds", "mean", "low", "high", "p",
    "adjusted_p", "between", "within", "one_seed", "of_means",
]  # fmt: skip


def differences_by_speaker(
    scored: pd.DataFrame, corpus: str, experiment: str, reference: str, metric: str
) -> pd.DataFrame:
    """What an experiment adds to a reference, paired by fold and seed, as a grid of speakers by seeds.

    Args:
        scored: as :func:`ser_lib.scoring.scores` returns them.
        corpus: whose runs.
        experiment, reference: what is compared with what.
        metric: ``wa`` or ``ua``.

    Returns:
        A row per fold, a column per seed; differences in [-1, 1], of the runs that both share
        (:func:`ser_lib.scoring.in_common`): seeds that only some folds have run with both are left out, unless there is
        no other; then NaN where not run. The mean of a row is what :func:`ser_lib.scoring.paired_difference` gives of
        that fold. Empty without runs.
    """
    sides = scoring.in_common(scored, corpus, [experiment, reference])
    return _grid(sides[0][metric] - sides[1][metric])


def student_interval(scores: np.ndarray, level: float = LEVEL) -> tuple[np.ndarray, np.ndarray]:
    """Student's t interval of the mean over speakers, seeds averaged first.

    The seeds need no term of their own: what they add to the spread of speaker means is already in it.

    Args:
        scores: a grid of speakers by seeds, or a stack of them, shape (..., speakers, seeds).
        level: share of intervals that hold the true mean, if speakers were drawn at random.

    Returns:
        Lower and upper end, shape (...), in the unit of the scores.

    Raises:
        SerError: there are fewer than two speakers, or runs are missing.
    """
    return scoring.interval(_complete(scores).mean(axis=-1), level)


def percentile_interval(
    scores: np.ndarray, level: float = LEVEL, resamples: int = 1999, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Percentile interval of the two-level bootstrap: speakers are drawn again, and seeds within each.

    Args:
        scores, level: as in :func:`student_interval`.
        resamples: how many data sets are drawn from the one.
        seed: of the drawing; the same for every grid of a stack.

    Returns:
        Lower and upper end, shape (...), in the unit of the scores.

    Raises:
        SerError: there are fewer than two speakers, or runs are missing.

    Source: Davison and Hinkley 1997, Sections 3.8 and 5.3.
    """
    means = _resampled(_complete(scores), resamples, seed).mean(axis=-1)
    low, high = np.quantile(means, _tails(level), axis=-1)
    return low, high


def studentised_interval(
    scores: np.ndarray, level: float = LEVEL, resamples: int = 1999, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Studentised interval of the two-level bootstrap: Student's t with quantiles from resampling, not from a table.

    Args:
        scores, level, resamples, seed: as in :func:`percentile_interval`.

    Returns:
        Lower and upper end, shape (...), in the unit of the scores; not finite where too few speakers differ.

    Raises:
        SerError: there are fewer than two speakers, or runs are missing.

    Source: Davison and Hinkley 1997, Sections 3.8 and 5.2.
    """
    scores = _complete(scores)
    means = scores.mean(axis=-1)
    mean, error = means.mean(axis=-1), stats.sem(means, axis=-1)
    again = _resampled(scores, resamples, seed)
    with np.errstate(divide="ignore", invalid="ignore"):  # a resample of one speaker alone has no spread
        ratios = (again.mean(axis=-1) - mean[..., None]) / stats.sem(again, axis=-1)
    ratios = np.where(np.isnan(ratios), 0, ratios)
    low, high = np.quantile(ratios, _tails(level), axis=-1)
    return mean - high * error, mean - low * error


def bca_interval(
    scores: np.ndarray, level: float = LEVEL, resamples: int = 1999, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """SciPy's bias-corrected and accelerated bootstrap interval over speakers, seeds averaged first.

    Args:
        scores, level, resamples, seed: as in :func:`percentile_interval`.

    Returns:
        Lower and upper end, shape (...), in the unit of the scores.

    Raises:
        SerError: there are fewer than two speakers, or runs are missing.

    Source: :func:`scipy.stats.bootstrap`.
    """
    means = _complete(scores).mean(axis=-1)
    interval = stats.bootstrap(
        (means,), np.mean, n_resamples=resamples, confidence_level=level, method="BCa", axis=-1,
        random_state=np.random.default_rng(seed),
    ).confidence_interval  # fmt: skip
    return interval.low, interval.high


INTERVALS: Mapping[str, Callable[..., tuple[np.ndarray, np.ndarray]]] = {
    "Student's t": student_interval,
    "bootstrap, percentile": percentile_interval,
    "bootstrap, BCa": bca_interval,
    "bootstrap, studentised": studentised_interval,
}
"""Intervals of a mean over speakers by name; the first is the one that this project uses."""


def simulated_scores(
    trials: int, speakers: int, seeds: int, between: float = 1, within: float = 1, skewed: bool = False, seed: int = 0
) -> np.ndarray:
    """Synthetic studies whose true mean is zero.

    Args:
        trials: how many studies.
        speakers, seeds: size of each.
        between, within: standard deviation between speakers, and between seeds within a speaker.
        skewed: whether speakers are exponential with a tail to the low side (skewness -2), and not normal.
        seed: of the simulation.

    Returns:
        Grids, shape (trials, speakers, seeds).
    """
    generator = np.random.default_rng(seed)
    shape = (trials, speakers, 1)
    speaker = 1 - generator.exponential(size=shape) if skewed else generator.normal(size=shape)
    return between * speaker + within * generator.normal(size=(trials, speakers, seeds))


def coverage(
    designs: Iterable[tuple[int, int]], trials: int = 2000, resamples: int = 599, level: float = LEVEL, seed: int = 0
) -> pd.DataFrame:
    """How often each interval holds the true mean, in synthetic studies whose speakers spread twice as much as seeds.

    Args:
        designs: speakers and seeds of the studies.
        trials: studies for each design and shape; the same for every method.
        resamples: of each bootstrap.
        level: what the intervals claim.
        seed: of the simulation.

    Returns:
        One row per design, shape (``normal`` or ``skewed``) and method: ``speakers, seeds, shape, method``,
        ``covered`` in [0, 1], its Monte-Carlo standard ``error``, and the median ``width`` as a multiple of that of
        Student's t.
    """
    rows = []
    for speakers, seeds in designs:
        for shape in ("normal", "skewed"):
            scores = simulated_scores(trials, speakers, seeds, 1, 0.5, skewed=shape == "skewed", seed=seed)
            widths = {}
            for method in INTERVALS:
                low, high = _in_pieces(method, scores, level, resamples)
                covered = np.mean((low <= 0) & (0 <= high))
                widths[method] = np.median(high - low)
                error = np.sqrt(covered * (1 - covered) / trials)
                width = widths[method] / widths["Student's t"]
                rows.append((speakers, seeds, shape, method, covered, error, width))
    return pd.DataFrame(rows, columns=["speakers", "seeds", "shape", "method", "covered", "error", "width"])


def coverage_shown(table: pd.DataFrame) -> pd.DataFrame:
    """Coverage in words, for a page: a row per method, a column per kind of study.

    Args:
        table: as :func:`coverage` returns it.
    """
    cells = table.assign(
        study=[f"{row.shape}, {row.speakers} × {row.seeds}" for row in table.itertuples()],
        words=[f"{100 * row.covered:.1f} % (width {row.width:.2f})" for row in table.itertuples()],
    )
    shown = cells.pivot(index="method", columns="study", values="words")
    shown = shown.loc[list(INTERVALS), cells["study"].unique()]
    return shown.rename_axis(index="Interval", columns=None).reset_index()


def sign_flip_p(differences: np.ndarray, resamples: int = 19_999, seed: int = 0) -> np.ndarray:
    """Two-sided p value of paired differences under random flips of their signs.

    Without an effect, and if differences are symmetric about zero, either sign of each is as likely. Up to
    `EXACT_SPEAKERS` the p value is exact: the share of all flips whose mean is as far from zero as the one found.

    Args:
        differences: one per speaker, seeds averaged, shape (..., speakers).
        resamples: random flips where there are too many to count; p is then at least 2 / (resamples + 1).
        seed: of these flips.

    Returns:
        p values, shape (...).

    Raises:
        SerError: there is no speaker, or a difference is missing.

    Source: Fisher 1935, The Design of Experiments, Section 21; :func:`scipy.stats.permutation_test`.
    """
    differences = np.asarray(differences, dtype=float)
    speakers = differences.shape[-1]
    if speakers == 0 or not np.isfinite(differences).all():
        raise SerError(f"{wording.counted(speakers, 'difference')} with gaps or none: give one number per speaker")
    if speakers == 1:  # of the two flips both are as far from zero; SciPy asks for two observations
        return np.ones(differences.shape[:-1])
    return stats.permutation_test(
        (differences,), np.mean, permutation_type="samples", alternative="two-sided", axis=-1, vectorized=True,
        n_resamples=2**speakers if speakers <= EXACT_SPEAKERS else resamples,
        random_state=np.random.default_rng(seed),
    ).pvalue  # fmt: skip


def smallest_p(speakers: int | np.ndarray, comparisons: int = 1) -> float | np.ndarray:
    """The smallest two-sided p value that sign flips can give: all differences on one side, 2 of 2^speakers flips.

    Of several comparisons it is the smallest that :func:`holm` leaves of it.
    """
    return np.minimum(1, comparisons * 2.0 ** (1 - np.asarray(speakers, dtype=float)))


def holm(p_values: Sequence[float]) -> np.ndarray:
    """p values corrected for several comparisons by Holm's step-down method.

    If those at most 1 - level are called findings, the chance of any false one is at most 1 - level, however the
    comparisons depend on each other.

    Args:
        p_values: one per comparison, in [0, 1], shape (comparisons,).

    Returns:
        Adjusted p values in [0, 1], in the same order.

    Raises:
        SerError: a p value is missing or out of range.

    Source: Holm 1979.

    >>> holm([0.01, 0.04, 0.03]).round(2).tolist()
    [0.03, 0.06, 0.06]
    """
    p_values = np.asarray(p_values, dtype=float)
    if not ((p_values >= 0) & (p_values <= 1)).all():
        raise SerError("a p value is missing or outside of [0, 1]: give those of the comparisons that were made")
    order = np.argsort(p_values)
    steps = np.maximum.accumulate(p_values[order] * np.arange(len(p_values), 0, -1))
    adjusted = np.empty_like(p_values)
    adjusted[order] = np.minimum(steps, 1)
    return adjusted


@dataclass(frozen=True)
class Components:
    """Where the spread of a score or difference comes from; standard deviations in its unit.

    Attributes:
        speakers, seeds: what they were estimated from; ``seeds`` is the fewest of any speaker.
        between: between speakers, seeds averaged for ever.
        within: between the seeds of a speaker.
        one_seed: of a speaker's value when one seed is run: both together.

    With one seed for every speaker the two cannot be told apart, and ``between`` and ``within`` are NaN.
    """

    speakers: int
    seeds: int
    between: float
    within: float
    one_seed: float


def variance_components(scores: np.ndarray) -> Components:
    """Spread between speakers, and between seeds within a speaker: one-way random effects, by analysis of variance.

    Args:
        scores: a grid of speakers by seeds, shape (speakers, seeds); NaN where not run, as speakers may have more or
            fewer seeds.

    Returns:
        The components; ``between`` is 0 where speakers differ less than their seeds account for.

    Raises:
        SerError: there are fewer than two speakers, or one without a run.

    Source: Searle, Casella and McCulloch 1992, Variance Components, Chapter 3 (unbalanced data, with their n0).
    """
    scores = np.asarray(scores, dtype=float)
    counts = np.isfinite(scores).sum(axis=1)
    if len(counts) < 2 or counts.min() == 0:
        raise SerError(f"{wording.counted(len(counts), 'speaker')}: components need two, each with a run")
    speakers, runs = len(counts), counts.sum()
    means = np.nanmean(scores, axis=1)
    if counts.max() == 1:
        return Components(speakers, 1, np.nan, np.nan, float(means.std(ddof=1)))
    mean_square_between = counts @ (means - np.nanmean(scores)) ** 2 / (speakers - 1)
    mean_square_within = np.nansum((scores - means[:, None]) ** 2) / (runs - speakers)
    seeds = (runs - (counts**2).sum() / runs) / (speakers - 1)  # n0; with as many for every speaker, their number
    between = max(0.0, (mean_square_between - mean_square_within) / seeds)
    return Components(
        speakers, int(counts.min()), between**0.5, mean_square_within**0.5, (between + mean_square_within) ** 0.5
    )


@dataclass(frozen=True)
class Dealt:
    """Whether speakers differ by more than chance would make of their utterances, and their runs.

    Attributes:
        between: standard deviation over speakers of their UA, seeds averaged, in [0, 1].
        by_chance: what it is on average where utterances are dealt to the speakers anew.
        p: share of such deals in which speakers differ as much, compared with the seeds of one speaker.
    """

    between: float
    by_chance: float
    p: float


def deal_anew(answers: pd.DataFrame, draws: int = 4999, seed: int = 0) -> Dealt:
    """A permutation test of speakers: the utterances of each emotion are dealt to them anew, answers and all.

    The seeds of a speaker are tested on the same utterances. An analysis of variance, which knows seeds only, takes any
    groups of utterances for different, however they were drawn; its F is the statistic here, and not the test.

    Args:
        answers: whether each test utterance was recognised, by seed: ``speaker``, ``truth``, ``utterance``, ``seed``
            and ``correct``; two seeds or more, and every utterance with each of them.
        draws: how many deals.
        seed: of the deals.

    Source: Edgington and Onghena 2007, Randomization Tests, Chapter 4 (one-way designs).
    """
    random = np.random.default_rng(seed)
    grid = answers.pivot(index=["truth", "speaker", "utterance"], columns="seed", values="correct").astype(float)
    observed, dealt = 0.0, 0.0
    for _, of_emotion in grid.sort_index().groupby(level="truth"):
        counts = of_emotion.groupby(level="speaker").size().to_numpy()
        starts = counts.cumsum() - counts
        values = of_emotion.to_numpy()
        order = random.permuted(np.tile(np.arange(len(values)), (draws, 1)), axis=1)
        recalls = [np.add.reduceat(part, starts, axis=-2) / counts[:, None] for part in (values, values[order])]
        observed, dealt = observed + recalls[0] / len(EMOTIONS), dealt + recalls[1] / len(EMOTIONS)
    ratios = _variance_ratio(dealt)
    return Dealt(
        float(observed.mean(axis=-1).std(ddof=1)),
        float(np.sqrt(dealt.mean(axis=-1).var(axis=-1, ddof=1).mean())),
        float((1 + (ratios >= _variance_ratio(observed) - 1e-9).sum()) / (1 + draws)),
    )


def _variance_ratio(scores: np.ndarray) -> np.ndarray:
    """F of a one-way analysis of variance, but for a factor; scores are of shape (..., speakers, seeds)."""
    never_zero = 1e-9  # where the seeds of every speaker agree, speakers alone count
    return scores.mean(axis=-1).var(axis=-1, ddof=1) / (scores.var(axis=-1, ddof=1).mean(axis=-1) + never_zero)


def spreads(table: pd.DataFrame) -> list[Components]:
    """The components of those comparisons that have them.

    Args:
        table: rows as :func:`comparisons` returns them.
    """
    known = table[table["one_seed"].notna()]
    return [
        Components(int(row.speakers), int(row.seeds), row.between, row.within, row.one_seed)
        for row in known.itertuples()
    ]


def pooled(components: Iterable[Components]) -> Components | None:
    """The typical spread of several differences: root mean square of each component.

    Args:
        components: of each difference; where some tell speakers from seeds, those that do not are left out.

    Returns:
        The components, with the fewest speakers and seeds of any; None if there are none.
    """
    components = list(components)
    chosen = [part for part in components if np.isfinite(part.within)] or components
    if not chosen:
        return None
    spreads = [[part.between, part.within, part.one_seed] for part in chosen]
    between, within, one_seed = np.sqrt(np.mean(np.square(spreads), axis=0))
    speakers, seeds = min(part.speakers for part in chosen), min(part.seeds for part in chosen)
    return Components(speakers, seeds, float(between), float(within), float(one_seed))


def power(
    effect: float | np.ndarray, speakers: int, seeds: int, between: float, within: float, level: float = LEVEL
) -> np.ndarray:
    """How likely a study finds a true mean difference: the two-sided t test over speaker means.

    Args:
        effect: the true difference, any shape.
        speakers, seeds: size of the study: folds, and runs of each.
        between, within: standard deviations as in :class:`Components`, in the unit of the effect.
        level: 1 - significance.

    Returns:
        Probability, in the shape of ``effect``; 1 - level where the effect is zero.

    Raises:
        SerError: there are fewer than two speakers or no seed, a spread is negative, or there is none at all.

    Source: the noncentral t distribution with speakers - 1 degrees of freedom, by its square, a noncentral F.
    """
    error = _standard_error(speakers, seeds, between, within)
    if error == 0:
        raise SerError("without any spread every effect is found: give a standard deviation above 0")
    return _power_of_ratio(np.asarray(effect, dtype=float) / error, speakers, level)


def smallest_effect(
    speakers: int, seeds: int, between: float, within: float, power: float = POWER, level: float = LEVEL
) -> float:
    """The smallest true mean difference that a study finds with the given power.

    Args:
        speakers, seeds, between, within, level: as in the function :func:`power`.
        power: share of such studies that find it, above 1 - level and below 1.

    Returns:
        The effect, in the unit of the standard deviations.

    Raises:
        SerError: as :func:`power`, or the power is out of range.
    """
    if not 1 - level < power < 1:
        raise SerError(f"power {power} must be above {1 - level:.2g}, what chance alone finds, and below 1")
    error = _standard_error(speakers, seeds, between, within)
    # Twice both quantiles is more than enough, but for the few degrees of freedom where the search goes on.
    high = 2.0 * (stats.t.ppf((1 + level) / 2, speakers - 1) + stats.norm.ppf(power))
    while _power_of_ratio(high, speakers, level) < power:
        high *= 2
    return error * optimize.brentq(lambda ratio: _power_of_ratio(ratio, speakers, level) - power, 0, high)


def comparisons(
    scored: pd.DataFrame, failures: pd.DataFrame, corpora: Iterable[str], references: Mapping[str, str], metric: str
) -> pd.DataFrame:
    """Differences between experiments with all that this module says about them, in percentage points.

    Args:
        scored: as :func:`ser_lib.scoring.scores` returns them.
        failures: runs whose loss did not stay finite.
        corpora: whose runs.
        references: experiment -> the one that it is compared with.
        metric: ``wa`` or ``ua``.

    Returns:
        One row per corpus and difference: ``corpus, experiment, reference, metric``, ``absence`` (why there is no
        difference, empty where there is one), ``speakers, seeds``, the ``mean`` with its 95 % interval ``low, high``,
        the ``p`` of sign flips and ``adjusted_p`` (Holm, over the differences of that corpus), ``between, within,
        one_seed`` of its :class:`Components`, and ``of_means``, the standard deviation of the means over seeds. NaN
        where there are no runs, or fewer speakers than decide anything (:data:`ser_lib.scoring.MINIMUM_FOLDS`).

    Source: Tables 1 and 3, as differences.
    """
    rows = []
    for corpus in corpora:
        for experiment, reference in references.items():
            grid = 100 * differences_by_speaker(scored, corpus, experiment, reference, metric)
            row = {"corpus": corpus, "experiment": experiment, "reference": reference, "metric": metric, "absence": ""}
            if grid.empty:
                row["absence"] = wording.no_difference(scored, failures, corpus, experiment)
            rows.append(row | _findings(grid))
    table = pd.DataFrame(rows, columns=_COMPARISONS)
    numbers = _COMPARISONS[7:]
    table[numbers] = table[numbers].astype(float)  # pandas takes a column of gaps for objects
    tested = table["p"].notna()
    table.loc[tested, "adjusted_p"] = table[tested].groupby("corpus")["p"].transform(holm)
    return table


def comparisons_shown(table: pd.DataFrame) -> pd.DataFrame:
    """Comparisons in words, for a page; a corpus without any run of them has one row.

    Args:
        table: as :func:`comparisons` returns it.
    """
    rows = []
    for corpus, part in table.groupby("corpus", sort=False):
        if not part["speakers"].any() and part["absence"].nunique() == 1:
            rows.append({"Corpus": TITLES[corpus], "Difference": "all", "Points": part["absence"].iloc[0]})
            continue
        rows += [{"Corpus": TITLES[corpus], **_in_words(row)} for row in part.itertuples()]
    columns = ["Corpus", "Difference", "Speakers × seeds", "Points", "p", "p, Holm", "sd of speakers", "sd of seeds"]
    return pd.DataFrame(rows, columns=[*columns, _FOUND]).fillna("–")


def smallest_effects(components: Mapping[str, Components | None]) -> pd.DataFrame:
    """What studies of ten speakers with one, three and ten seeds find with 80 % power, for a page.

    Args:
        components: corpus -> typical spread of a difference in percentage points; None if not run.

    Returns:
        A row per corpus, a column per design of `DESIGNS`: percentage points. Where speakers and seeds cannot be told
        apart, from what it is if all spread is of seeds to what it is if all is of speakers.
    """
    rows = []
    for corpus, spread in components.items():
        cells = dict.fromkeys(map(_design_name, DESIGNS), wording.unmeasured(corpus))
        if spread is not None:
            cells = {_design_name(design): _effect_in_words(spread, *design) for design in DESIGNS}
        rows.append({"Corpus": TITLES[corpus], **cells})
    return pd.DataFrame(rows, columns=["Corpus", *map(_design_name, DESIGNS)])


def printed_folds() -> pd.DataFrame:
    """What Table 2's ten folds say of the mean above them, for a page: per cent, one seed.

    Source: Table 2, upper part.
    """
    rows = []
    for metric in ("ua", "wa"):
        scores = paper.table2()[metric].to_numpy()
        low, high = scoring.interval(scores)
        rows.append(
            {
                "Score": metric.upper(),
                "Mean (%)": f"{scores.mean():.1f}",
                "sd over folds": f"{scores.std(ddof=1):.1f}",
                "Skewness": f"{stats.skew(scores, bias=False):+.1f}",
                "95 % interval of the mean": f"{low:.1f} to {high:.1f}",
            }
        )
    return pd.DataFrame(rows)


def printed_steps(speakers: int = 10) -> pd.DataFrame:
    """What each step that the paper names takes to be found by one run per fold, for a page.

    The paper prints no fold of any experiment but the best, and so no spread of a difference. A step s is found with
    80 % power if that spread is at most s / :func:`smallest_effect` of unit spread. Two experiments whose folds both
    spread as Table 2's have such a difference only if their folds correlate at least by 1 - spread² / (2 sd²).

    Args:
        speakers: folds of each experiment.

    Source: Section 3 ("oversampling allowed to increase UA by 2.1%"), Table 2.
    """
    unit = smallest_effect(speakers, 1, between=1, within=0)
    rows = []
    for name, step in PRINTED_STEPS.items():
        number, metric = paper.NUMBERS[name], name.split()[-1]
        spread = abs(number.value) / unit
        sd = paper.table2()[metric].std(ddof=1)
        rows.append(
            {
                "Step": step,
                "Score": metric.upper(),
                "Points": f"{number.value:+.1f}",
                "sd of differences at most": f"{spread:.1f}",
                "correlation of folds at least": f"{1 - spread**2 / (2 * sd**2):.3f}",
            }
        )
    return pd.DataFrame(rows)


def _grid(runs: pd.Series) -> pd.DataFrame:
    """Runs with the index ``fold, seed`` as a grid of folds by seeds."""
    return pd.DataFrame(dtype=float) if runs.empty else runs.unstack("seed")


def _complete(scores: np.ndarray) -> np.ndarray:
    """A grid, or a stack of them, that has an interval."""
    scores = np.asarray(scores, dtype=float)
    if scores.ndim < 2 or scores.shape[-2] < 2 or scores.shape[-1] < 1:
        raise SerError(f"shape {scores.shape}: an interval needs a grid of two speakers or more by one seed or more")
    if not np.isfinite(scores).all():
        raise SerError("runs are missing: give the seeds that every speaker has")
    return scores


def _resampled(scores: np.ndarray, resamples: int, seed: int) -> np.ndarray:
    """Speaker means of grids whose speakers, and whose seeds within each, are drawn again with replacement.

    Args:
        scores: shape (..., speakers, seeds).

    Returns:
        Shape (..., resamples, speakers). All grids of a stack are drawn from at the same places, as SciPy does.
    """
    generator = np.random.default_rng(seed)
    speakers, seeds = scores.shape[-2:]
    speaker = generator.integers(speakers, size=(resamples, speakers, 1))
    run = generator.integers(seeds, size=(resamples, speakers, seeds))
    return scores[..., speaker, run].mean(axis=-1)


def _tails(level: float) -> tuple[float, float]:
    return (1 - level) / 2, (1 + level) / 2


def _in_pieces(method: str, scores: np.ndarray, level: float, resamples: int) -> np.ndarray:
    """Ends of the interval of every grid, shape (2, trials); some hundred grids at a time, to spare memory."""
    settings = {} if method == "Student's t" else {"resamples": resamples}
    pieces = np.array_split(scores, max(1, len(scores) // 100))
    return np.concatenate([INTERVALS[method](piece, level, **settings) for piece in pieces], axis=-1)


def _standard_error(speakers: int, seeds: int, between: float, within: float) -> float:
    """Of a mean over speakers: each speaker adds its own spread, and that of its mean over seeds."""
    if speakers < 2 or seeds < 1 or not (between >= 0 and within >= 0):
        raise SerError(
            f"{speakers} speakers, {seeds} seeds, spreads {between} and {within}: a study has two speakers or more, "
            "one seed or more, and standard deviations that are not negative"
        )
    return float(np.sqrt((between**2 + within**2 / seeds) / speakers))


def _power_of_ratio(ratio: float | np.ndarray, speakers: int, level: float) -> np.ndarray:
    """Power of the two-sided t test for an effect in standard errors."""
    freedom = speakers - 1
    # The square of noncentral t has both sides in one, and is a number where SciPy's far tail of t is none. Just above
    # zero, as at zero itself SciPy's noncentral F is no probability.
    return stats.ncf.sf(stats.f.ppf(level, 1, freedom), 1, freedom, np.maximum(np.square(ratio), 1e-12))


def _findings(grid: pd.DataFrame) -> dict[str, float]:
    """The columns of a comparison that are computed from its grid of differences."""
    if grid.empty:
        return {"speakers": 0, "seeds": 0}
    means = grid.mean(axis=1).to_numpy()
    found = {"speakers": len(grid), "seeds": int(grid.notna().sum(axis=1).min()), "mean": means.mean()}
    if len(grid) < scoring.MINIMUM_FOLDS:
        return found
    low, high = scoring.interval(means, LEVEL)
    spread = variance_components(grid)
    found |= {"low": low, "high": high, "p": float(sign_flip_p(means))}
    found |= {"between": spread.between, "within": spread.within, "one_seed": spread.one_seed}
    return found | {"of_means": float(means.std(ddof=1))}


def _in_words(row: tuple) -> dict[str, str]:
    """A comparison as a page shows it."""
    words = {"Difference": f"{row.experiment} − {row.reference}", "Points": row.absence}
    if row.speakers == 0:
        return words
    words |= {"Speakers × seeds": f"{row.speakers} × {row.seeds}", "Points": f"{row.mean:+.1f}"}
    if np.isnan(row.low):
        return words
    words |= {"Points": wording.with_ends(row.mean, row.low, row.high)}
    words |= {"p": wording.p_value(row.p), "p, Holm": wording.p_value(row.adjusted_p)}
    if np.isnan(row.within):
        words |= {"sd of speakers": f"{row.one_seed:.1f} with that of seeds", "sd of seeds": "needs two seeds"}
    else:
        words |= {"sd of speakers": f"{row.between:.1f}", "sd of seeds": f"{row.within:.1f}"}
    # The spread of speaker means is all that a study of this size has, whatever it is made of.
    return words | {_FOUND: f"{smallest_effect(row.speakers, 1, row.of_means, 0):.1f}"}


def _design_name(design: tuple[int, int]) -> str:
    return f"{design[0]} speakers × {wording.counted(design[1], 'seed')}"


def _effect_in_words(spread: Components, speakers: int, seeds: int) -> str:
    if np.isfinite(spread.within):
        return f"{smallest_effect(speakers, seeds, spread.between, spread.within):.1f}"
    least, most = (smallest_effect(speakers, seeds, *of) for of in ((0, spread.one_seed), (spread.one_seed, 0)))
    return f"{most:.1f}" if seeds == 1 else f"{least:.1f} to {most:.1f}"

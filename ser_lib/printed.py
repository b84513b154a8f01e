"""What the paper's own printed numbers say, without a recording; pure functions (Tables 1 to 3, Sections 1.1 and 3).

The inputs are :mod:`ser_lib.paper` and the published counts of :mod:`ser_lib.corpora.iemocap`. Scores and differences
of scores are in per cent and percentage points throughout, as the paper prints them.
"""

import itertools
from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy import integrate, stats

from ser_lib import audio, features, paper
from ser_lib.corpora import EMOTIONS, iemocap
from ser_lib.errors import SerError
from ser_lib.scoring import LEVEL
from ser_lib.statements import MARGIN

COUNTS = iemocap.PUBLISHED_COUNTS
SIZES = COUNTS[list(EMOTIONS)].sum(axis="columns")
"""Utterances of each speaker in the paper's selection (Section 1.1)."""

RIGHT = "the four emotions, printed speaker"
"""Name of the rule that :func:`rules` sets the others against."""

FRAMINGS = {
    "no padding": 0,
    "padded at the end to a whole shift": features.HOP - 1,
    "centred: half a window at each end": features.WINDOW,
}
"""Way of framing -> samples that it adds to an utterance before windows are laid (the shift less one stands for "up to
a whole shift")."""

DURATIONS = {"shortest": 0.73, "longest": 29.13}
"""Seconds of IEMOCAP's shortest and longest utterance of the selection, from the published times, to 0.01 s."""

THESIS = {
    "table1-baseline": paper.Score(66.4, 57.7),
    "table1-oversampling": paper.Score(63.2, 58.6),
    "table1-vtlp": paper.Score(64.9, 59.5),
}
"""The first three columns of Table 1 as the first author's thesis reports them (Etienne 2019)."""

_TENTHS = 1001  # 0.0, 0.1, ..., 100.0
_HALF = 0.05 + 1e-9  # half a unit of the printed place
_FREQUENT = 5.0  # per cent of all labels


# Weighted accuracies as ratios of whole numbers (Table 2)


def correct_answers(printed: float, size: int) -> np.ndarray:
    """Numbers of correct answers whose share rounds to a printed score.

    Args:
        printed: score in per cent, to one decimal.
        size: number of utterances.

    Returns:
        Every fitting number from 0 to ``size``, int64; none, one or several. A share half-way between two printed
        scores fits both, because how the paper rounds is not known.

    >>> correct_answers(64.1, 217)
    array([139])
    """
    correct = np.arange(size + 1)
    return correct[2 * np.abs(1000 * correct - round(10 * printed) * size) <= size]


def chance_of_fit(size: int) -> float:
    """The probability that a score drawn evenly from 0.0, 0.1, ..., 100.0 is a ratio of ``size``; exact, in [0, 1]."""
    doubled = 2000 * np.arange(size + 1)
    up, down = (doubled + size) // (2 * size), -((size - doubled) // (2 * size))
    return len(np.union1d(up, down)) / _TENTHS


def rules() -> dict[str, np.ndarray]:
    """How many utterances each fold tests, under the rule that the paper describes and under wrong ones.

    Returns:
        Rule -> utterances, int64, shape (10,), in the order of Table 2; `RIGHT` comes first.

    Source: Table 2, Section 1.1 (the selection).
    """
    printed = [row.speaker for row in paper.TABLE2]
    swapped = [f"{row.session}{'M' if row.gender == 'F' else 'F'}" for row in paper.TABLE2]
    following = [f"{row.session % 5 + 1}{row.gender}" for row in paper.TABLE2]
    sizes = {
        RIGHT: SIZES[printed],
        "genders swapped": SIZES[swapped],
        "speaker of the next session": SIZES[following],
        "both speakers of the session": SIZES[printed].to_numpy() + SIZES[swapped].to_numpy(),
        "excitement merged into happiness": (SIZES + COUNTS["excitement"])[printed],
        "every label with a majority": (COUNTS["labelled"] - COUNTS["no majority"])[printed],
        "every improvised turn": COUNTS["labelled"][printed],
    }
    return {rule: np.asarray(of_folds) for rule, of_folds in sizes.items()}


def ratios(sizes: np.ndarray) -> pd.DataFrame:
    """Table 2's WA as ratios.

    Args:
        sizes: utterances that each fold tests, shape (10,), as :func:`rules` gives them.

    Returns:
        One row per fold: ``fold, speaker, wa`` (printed), ``utterances``, ``correct`` (missing where nothing fits, the
        lowest where several do) and ``fits``, how many numbers of correct answers fit.

    Source: Table 2.
    """
    table = paper.table2()[["fold", "speaker", "wa"]].assign(utterances=sizes)
    fitting = [correct_answers(wa, size) for wa, size in zip(table["wa"], sizes, strict=True)]
    table["correct"] = pd.array([found[0] if len(found) else pd.NA for found in fitting], dtype="Int64")
    table["fits"] = [len(found) for found in fitting]
    return table


def fits_by_rule() -> pd.DataFrame:
    """Which of Table 2's WA are ratios under each rule.

    Returns:
        One row per rule and fold: ``rule, fold, utterances, fits`` (bool) and ``chance`` of a fit, in [0, 1].
    """
    parts = [ratios(sizes).assign(rule=rule) for rule, sizes in rules().items()]
    table = pd.concat(parts, ignore_index=True)
    table["fits"] = table["fits"] > 0
    table["chance"] = table["utterances"].map(chance_of_fit)
    return table[["rule", "fold", "utterances", "fits", "chance"]]


def distribution_of_fits(chances: np.ndarray) -> np.ndarray:
    """How many of independent folds fit: exact probabilities (the Poisson binomial distribution).

    Args:
        chances: probability of each fold, in [0, 1], shape (folds,).

    Returns:
        Probability of 0, 1, ..., all fits, shape (folds + 1,).
    """
    return stats.poisson_binom.pmf(np.arange(len(chances) + 1), chances)


def simulated_fits(sizes: np.ndarray, draws: int, seed: int = 0) -> np.ndarray:
    """How often scores drawn at random are ratios: :func:`distribution_of_fits` by simulation.

    Args:
        sizes: utterances that each fold tests, shape (folds,).
        draws: how many tables of scores to draw, each score evenly from 0.0, 0.1, ..., 100.0.
        seed: of the random numbers.

    Returns:
        Number of folds that fit in each draw, int64, shape (draws,).
    """
    tenths = np.random.default_rng(seed).integers(_TENTHS, size=(draws, len(sizes)))
    fits = [
        np.array([len(correct_answers(tenth / 10, size)) > 0 for tenth in range(_TENTHS)])[drawn]
        for size, drawn in zip(sizes, tenths.T, strict=True)
    ]
    return np.sum(fits, axis=0)


def summary_of_rules() -> pd.DataFrame:
    """Each rule: ``rule, fits`` (folds), ``expected`` fits by chance, and the probability of so many or more."""
    rows = []
    for rule, part in fits_by_rule().groupby("rule", sort=False):
        fits, distribution = int(part["fits"].sum()), distribution_of_fits(part["chance"].to_numpy())
        rows.append((rule, fits, part["chance"].sum(), distribution[fits:].sum()))
    return pd.DataFrame(rows, columns=["rule", "fits", "expected", "probability"])


def orders_by_fits() -> np.ndarray:
    """How the ten speakers could be shuffled over the ten folds: orders counted by the number of folds that fit.

    Returns:
        Number of orders with 0, 1, ..., 10 fits, int64, shape (11,); exact, all 10! are counted.

    Source: Table 2.
    """
    fits = [[len(correct_answers(row.wa, size)) > 0 for size in SIZES] for row in paper.TABLE2]
    return orders_with_fits(np.array(fits))


def orders_with_fits(fits: np.ndarray) -> np.ndarray:
    """Count the ways to give each fold a speaker of its own, by the number of folds that fit.

    Fold by fold over the sets of speakers that are used up, so that 2^n sets are visited and not n! orders.

    Args:
        fits: whether a fold fits a speaker, bool, shape (n, n): folds by speakers.

    Returns:
        Number of orders with 0, 1, ..., n fits, int64, shape (n + 1,).
    """
    count = len(fits)
    ways = np.zeros((2**count, count + 1), dtype=np.int64)
    ways[0, 0] = 1
    for used in range(2**count - 1):
        fold = used.bit_count()
        for speaker in range(count):
            if not used >> speaker & 1:
                fitting = int(fits[fold, speaker])
                ways[used | 1 << speaker, fitting:] += ways[used, : count + 1 - fitting]
    return ways[-1]


def fits_by_labels() -> pd.DataFrame:
    """Every selection of the seven frequent labels, and how many of Table 2's WA it makes ratios.

    Returns:
        One row per selection, the best first: ``labels`` (a tuple), ``utterances`` in all, ``fits`` (folds) and the
        ``probability`` of so many or more by chance.

    Source: Table 2, Section 1.1.
    """
    columns = [column for column in COUNTS.columns if column != "labelled"]
    rows = []
    for labels in itertools.chain.from_iterable(
        itertools.combinations(columns, count) for count in range(1, len(columns) + 1)
    ):
        sizes = COUNTS[list(labels)].sum(axis="columns").to_numpy()
        fits = int((ratios(sizes)["fits"] > 0).sum())
        distribution = distribution_of_fits(np.array([chance_of_fit(size) for size in sizes]))
        rows.append((labels, int(sizes.sum()), fits, distribution[fits:].sum()))
    table = pd.DataFrame(rows, columns=["labels", "utterances", "fits", "probability"])
    return table.sort_values(["fits", "probability"], ascending=[False, True], ignore_index=True)


# Correct answers per emotion that both scores of a fold allow (Table 2)


def answers(row: paper.Fold, sizes: pd.Series) -> pd.DataFrame:
    """Every way to spread correct answers over the emotions that gives both printed scores of a fold.

    Args:
        row: the fold as printed.
        sizes: utterances of the test speaker by emotion, shape (4,).

    Returns:
        One row per way, one column per emotion: correct answers, int64. The four add up to what WA allows, and the mean
        of their shares rounds to UA.

    Raises:
        SerError: no way gives both scores.

    Source: Table 2; Section 3 (WA and UA).
    """
    size = sizes[list(EMOTIONS)].to_numpy()
    first = np.indices(size[:3] + 1).reshape(3, -1)  # every count of the first three: the last one follows from WA
    found = [np.empty((4, 0), dtype=np.int64)]
    for correct in correct_answers(row.wa, size.sum()):
        last = correct - first.sum(axis=0)
        ways = np.vstack([first, last])[:, (last >= 0) & (last <= size[3])]
        ua = 100 * (ways / size[:, None]).mean(axis=0)
        found.append(ways[:, np.abs(ua - row.ua) <= _HALF])
    table = pd.DataFrame(np.hstack(found).T, columns=list(EMOTIONS))
    if table.empty:
        raise SerError(f"fold {row.fold}: no correct answers of {size.tolist()} give WA {row.wa} and UA {row.ua}")
    return table


def all_answers() -> dict[str, pd.DataFrame]:
    """:func:`answers` of every fold of Table 2, by test speaker."""
    return {row.speaker: answers(row, COUNTS.loc[row.speaker]) for row in paper.TABLE2}


def recalls(ways: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """How far the printed scores pin down each emotion's recall.

    Args:
        ways: as :func:`all_answers` returns them.

    Returns:
        One row per fold and emotion, in per cent: ``speaker, emotion, utterances, ways``, the range from ``low`` to
        ``high``, and ``lower`` and ``upper``, between which the middle half of the ways lies if each counts once.

    Source: Table 2.
    """
    rows = []
    for speaker, table in ways.items():
        share = 100 * table / COUNTS.loc[speaker, list(EMOTIONS)]
        for emotion in EMOTIONS:
            low, lower, upper, high = np.quantile(share[emotion], [0, 0.25, 0.75, 1])
            rows.append((speaker, emotion, COUNTS.loc[speaker, emotion], len(table), low, lower, upper, high))
    columns = ["speaker", "emotion", "utterances", "ways", "low", "lower", "upper", "high"]
    return pd.DataFrame(rows, columns=columns)


def pooled_recalls(ways: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Bounds of each emotion's recall over all folds pooled, and of their mean, the pooled UA, in per cent.

    Args:
        ways: as :func:`all_answers` returns them.

    Returns:
        One row per emotion and one for the ``mean of the four``: ``emotion, utterances, low, high``. The mean's bounds
        are narrower than those of its parts, since a fold's correct answers are shared out among them.
    """
    total = COUNTS[list(EMOTIONS)].sum()
    parts = [100 * table / total for table in ways.values()]
    low, high = (sum(getattr(part, end)() for part in parts) for end in ("min", "max"))
    rows = [(emotion, total[emotion], low[emotion], high[emotion]) for emotion in EMOTIONS]
    means = [part.mean(axis="columns") for part in parts]
    rows.append(("mean of the four", total.sum(), sum(mean.min() for mean in means), sum(mean.max() for mean in means)))
    return pd.DataFrame(rows, columns=["emotion", "utterances", "low", "high"])


# Framing (Section 3)


def frames(samples: np.ndarray | int, framing: str) -> np.ndarray | int:
    """Frames of so many samples at 16 kHz under one of `FRAMINGS`: windows of 64 ms, 32 ms apart (Section 3)."""
    return (samples + FRAMINGS[framing] - features.WINDOW) // features.HOP + 1


def framings() -> pd.DataFrame:
    """What "from 21 to 909 time steps" implies under each way of framing.

    Returns:
        One row per way and printed number: ``framing, utterance`` (shortest or longest), ``frames`` (printed), the
        durations ``at_least`` and ``at_most`` that give it, in seconds, and ``published``, the frames that the
        published duration of that utterance gives.

    Source: Section 3 ("from 21 to 909 time steps for window size N = 64ms and shift S = 32ms").
    """
    rows = []
    for framing, padding in FRAMINGS.items():
        for (utterance, seconds), printed in zip(DURATIONS.items(), paper.NUMBERS["frames"].value, strict=True):
            first = (printed - 1) * features.HOP + features.WINDOW - padding
            ends = (first / audio.SAMPLE_RATE, (first + features.HOP - 1) / audio.SAMPLE_RATE)
            published = frames(round(seconds * audio.SAMPLE_RATE), framing)
            rows.append((framing, utterance, printed, *ends, published))
    return pd.DataFrame(rows, columns=["framing", "utterance", "frames", "at_least", "at_most", "published"])


# Averages, and choices of five folds (Table 2, footnote 3)


def averages() -> pd.DataFrame:
    """The mean over folds beside the share over all utterances.

    Returns:
        Rows ``mean over folds`` and ``pooled``: ``average, wa, ua`` in per cent (no pooled UA can be known), and for
        the pooled WA ``correct`` and ``utterances``.

    Source: Section 3 ("the average over all the folds"), Table 2.
    """
    folds, table = ratios(rules()[RIGHT]), paper.table2()
    correct, utterances = int(folds["correct"].sum()), int(folds["utterances"].sum())
    rows = [
        ("mean over folds", table["wa"].mean(), table["ua"].mean(), pd.NA, pd.NA),
        ("pooled", 100 * correct / utterances, np.nan, correct, utterances),
    ]
    return pd.DataFrame(rows, columns=["average", "wa", "ua", "correct", "utterances"])


def average_of(folds: tuple[int, ...]) -> paper.Score:
    """Mean WA and UA of some folds of Table 2, by their numbers, in per cent."""
    chosen = paper.table2().set_index("fold").loc[list(folds)]
    return paper.Score(float(chosen["wa"].mean()), float(chosen["ua"].mean()))


def choices() -> pd.DataFrame:
    """Every choice of one test speaker per session, which is what 5-fold cross-validation leaves open.

    Returns:
        32 rows: ``folds`` (a tuple of five), ``speakers``, ``wa`` and ``ua``, and ``printed``, whether both are those
        of the row "5 best folds".

    Source: Table 2; Section 3, footnote 3.
    """
    by_session = paper.table2().groupby("session")["fold"].apply(list)
    return _averages_of(itertools.product(*by_session))


def sets_of_five() -> pd.DataFrame:
    """Every set of five of the ten folds, with the columns of :func:`choices`; 252 rows."""
    return _averages_of(itertools.combinations([row.fold for row in paper.TABLE2], 5))


def better_of_sessions(metric: str) -> tuple[int, ...]:
    """Of each session the fold with the higher ``wa`` or ``ua``: the choice of five folds that looks best."""
    table = paper.table2().set_index("fold")
    return tuple(int(fold) for fold in table.groupby("session")[metric].idxmax())


def five_best_readings() -> dict[str, paper.Score]:
    """What "our 5 best folds" may mean -> mean WA and UA of these folds. Source: Section 3, Table 2."""
    readings = {"five highest": highest, "better of each session by": better_of_sessions}
    return {f"{name} {m.upper()}": average_of(chosen(m)) for name, chosen in readings.items() for m in ("wa", "ua")}


def is_five_best(score: paper.Score) -> bool:
    """Whether some averages are those that Table 2 prints for the "5 best folds", to rounding."""
    printed = paper.TABLE2_AVERAGES["5 best folds"]
    return abs(score.wa - printed.wa) <= _HALF and abs(score.ua - printed.ua) <= _HALF


def highest(metric: str) -> tuple[int, ...]:
    """The five folds with the highest ``wa`` or ``ua``, in order of number; among equals by the other score."""
    other = "ua" if metric == "wa" else "wa"
    table = paper.table2().sort_values([metric, other], ascending=False)
    return tuple(sorted(int(fold) for fold in table["fold"][:5]))


# Intervals of all printed scores (Tables 1, 2 and 3)


def spread(metric: str) -> float:
    """Standard deviation of Table 2's folds in ``wa`` or ``ua``, percentage points, with n - 1."""
    return float(paper.table2()[metric].std(ddof=1))


def fold_intervals(ways: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """How far each fold's scores would move with other utterances of the same speaker.

    WA has Wilson's interval of its exact ratio. UA has the delta method's: the variance of a mean of four independent
    recalls, r (1 - r) / n each. The recalls are not printed, so that the widest of all ways is taken.

    Args:
        ways: as :func:`all_answers` returns them.

    Returns:
        One row per fold, in per cent: ``fold, speaker, wa, wa_low, wa_high, ua, ua_low, ua_high``, and the smallest and
        the largest standard error of UA over the ways, ``ua_error_min`` and ``ua_error_max``.

    Source: Table 2.
    """
    z = stats.norm.ppf((1 + LEVEL) / 2)
    rows = []
    for row, found in zip(paper.TABLE2, ratios(rules()[RIGHT]).itertuples(), strict=True):
        wa = stats.binomtest(int(found.correct), int(found.utterances)).proportion_ci(LEVEL, "wilson")
        errors = _ua_errors(ways[row.speaker], COUNTS.loc[row.speaker])
        margin = z * errors.max()
        low, high = max(row.ua - margin, 0), min(row.ua + margin, 100)
        rows.append(
            (row.fold, row.speaker, row.wa, 100 * wa.low, 100 * wa.high, row.ua, low, high, errors.min(), errors.max())
        )
    columns = ["fold", "speaker", "wa", "wa_low", "wa_high", "ua", "ua_low", "ua_high", "ua_error_min", "ua_error_max"]
    return pd.DataFrame(rows, columns=columns)


def score_intervals() -> pd.DataFrame:
    """Every average of ten folds that the paper prints, with Student's t interval over speakers.

    Only Table 2 prints its folds. The columns of Tables 1 and 3 are given the spread of Table 2, which is the best
    that can be done and an assumption; ``borrowed`` says where.

    Returns:
        One row per column of Tables 1 and 3 and for Table 2's average: ``place, column, wa, wa_low, wa_high, ua,
        ua_low, ua_high, borrowed``, in per cent.

    Source: Tables 1, 2 and 3.
    """
    scores = [("Table 1", column.experiment, column) for column in paper.TABLE1]
    scores.append(("Table 2", "mean over folds", paper.TABLE2_AVERAGES["10 fold cross-valid."]))
    scores += [("Table 3", f"batch size {column.batch_size}", column) for column in paper.TABLE3]
    rows = []
    for place, name, score in scores:
        row = {"place": place, "column": name}
        for metric in ("wa", "ua"):
            mean, margin = getattr(score, metric), _quantile() * spread(metric) / np.sqrt(len(paper.TABLE2))
            row |= {metric: mean, f"{metric}_low": mean - margin, f"{metric}_high": mean + margin}
        rows.append(row | {"borrowed": place != "Table 2"})
    return pd.DataFrame(rows)


# Which steps of Tables 1 and 3 the data could distinguish


def steps() -> pd.DataFrame:
    """Differences between the printed columns; BN is recurrent batch normalisation with its batch size.

    Returns:
        One row per step and metric: ``step, metric, points`` (to one decimal, as the difference of two printed scores,
        which may be off by 0.1).

    Source: Tables 1 and 3.
    """
    pairs = {
        "oversampling": ("table1-baseline", "table1-oversampling"),
        "VTLP": ("table1-oversampling", "table1-vtlp"),
        "4 to 8 kHz": ("table1-vtlp", "table1-best"),
        "all together": ("table1-baseline", "table1-best"),
        "BN, 16": ("table1-best", "table3-16"),
        "BN, 64": ("table1-best", "table3-64"),
        "BN, 16 to 64": ("table3-16", "table3-64"),
    }
    rows = [
        (step, metric, round(getattr(paper.COLUMNS[after], metric) - getattr(paper.COLUMNS[before], metric), 1))
        for step, (before, after) in pairs.items()
        for metric in ("ua", "wa")
    ]
    return pd.DataFrame(rows, columns=["step", "metric", "points"])


def smallest_unpaired(deviation: float, folds: int = 10) -> float:
    """The smallest difference of two means that is significant if the columns are taken as independent samples.

    Args:
        deviation: standard deviation over folds of either column, percentage points.
        folds: number of folds.

    Returns:
        Percentage points; two-sided two-sample t test at `LEVEL` with equal variances.
    """
    return float(stats.t.ppf((1 + LEVEL) / 2, 2 * folds - 2) * deviation * np.sqrt(2 / folds))


def smallest_paired(correlation: np.ndarray | float, deviation: float, folds: int = 10) -> np.ndarray | float:
    """The smallest difference of two means that is significant if the columns are compared fold by fold.

    Args:
        correlation: of the two columns' scores over folds, in [-1, 1].
        deviation: standard deviation over folds, the same for both columns, percentage points.
        folds: number of folds.

    Returns:
        Percentage points; two-sided paired t test at `LEVEL`.
    """
    return _quantile(folds) * deviation * np.sqrt(2 * (1 - np.asarray(correlation)) / folds)


def least_correlation(points: float, deviation: float, folds: int = 10) -> float:
    """The correlation over folds from which on a step is significant: the inverse of :func:`smallest_paired`.

    Args:
        points: the step, percentage points, of either sign.
        deviation: standard deviation over folds, the same for both columns, percentage points.
        folds: number of folds.

    Returns:
        A correlation, at most 1; -1 for a step that is significant at every correlation.
    """
    return float(max(1 - folds / 2 * (points / (_quantile(folds) * deviation)) ** 2, -1))


def share_between_speakers(metric: str, ways: Mapping[str, pd.DataFrame]) -> float:
    """Share of the variance over folds that the sampling of utterances does not explain, in [0, 1].

    It is the correlation to expect of two columns that find the same speakers hard, and err on different utterances of
    theirs. Columns that err on the same utterances correlate more.

    Args:
        metric: ``wa`` or ``ua``.
        ways: as :func:`all_answers` returns them; for ``ua`` the middle of the smallest and the largest standard error
            is taken.

    Source: Table 2.
    """
    if metric == "wa":
        share = paper.table2()["wa"].to_numpy() / 100
        sampling = np.mean(100**2 * share * (1 - share) / rules()[RIGHT])
    else:
        errors = [_ua_errors(ways[row.speaker], COUNTS.loc[row.speaker]) for row in paper.TABLE2]
        sampling = np.mean([((of_fold.min() + of_fold.max()) / 2) ** 2 for of_fold in errors])
    return float(max(1 - sampling / spread(metric) ** 2, 0))


def mcnemar(net: int, discordant: int) -> float:
    """Two-sided p-value of McNemar's exact test.

    Args:
        net: how many more of the discordant utterances one of two networks gets right than the other.
        discordant: utterances that exactly one of the two gets right, at least ``net`` and as even or odd as it.
    """
    return float(stats.binomtest((discordant + net) // 2, discordant).pvalue)


def fewest_discordant() -> int:
    """The fewest discordant utterances that can be significant: all of them won by the same network."""
    return next(count for count in itertools.count(1) if mcnemar(count, count) < 1 - LEVEL)


def most_discordant(net: int) -> int:
    """The most discordant utterances among which a net gain is still significant; 0 if it never is.

    Args:
        net: net gain in utterances, at least 1.
    """
    if mcnemar(net, net) >= 1 - LEVEL:
        return 0
    discordant = net
    while mcnemar(net, discordant + 2) < 1 - LEVEL:
        discordant += 2
    return discordant


def distinguishable(ways: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Each step of Tables 1 and 3 against what ten folds, or 2280 utterances, can tell.

    Args:
        ways: as :func:`all_answers` returns them.

    Returns:
        The columns of :func:`steps` and: ``unpaired``, whether it is significant without pairing; ``correlation``, from
        which on it is with pairing; ``share``, :func:`share_between_speakers`; for WA, taken as the share of all
        utterances, ``net`` utterances and ``discordant``, the most that may be discordant (missing for UA).

    Source: Tables 1, 2 and 3.
    """
    table = steps()
    deviation = table["metric"].map(spread)
    table["unpaired"] = [abs(p) >= smallest_unpaired(sd) for p, sd in zip(table["points"], deviation, strict=True)]
    table["correlation"] = [least_correlation(p, sd) for p, sd in zip(table["points"], deviation, strict=True)]
    table["share"] = table["metric"].map({metric: share_between_speakers(metric, ways) for metric in ("ua", "wa")})
    net = (table["points"].abs() / 100 * SIZES.sum()).round().astype("Int64")
    table["net"] = net.where(table["metric"] == "wa")
    table["discordant"] = pd.array([pd.NA if pd.isna(n) else most_discordant(int(n)) for n in table["net"]], "Int64")
    return table


# Best runs (captions of Tables 1 and 3)


def expected_maximum(count: int) -> float:
    """Expected maximum of so many independent standard normals, by quadrature of z count φ(z) Φ(z)^(count - 1).

    >>> round(expected_maximum(2), 4)
    0.5642
    """
    density = stats.norm.pdf
    return integrate.quad(lambda z: z * count * density(z) * stats.norm.cdf(z) ** (count - 1), -10, 10)[0]


def rise_of_best(
    counts: tuple[int, ...], deviations: tuple[float, ...], draws: int = 20_000, seed: int = 0
) -> pd.DataFrame:
    """How far the best of k runs lies above a run taken by chance, if nothing but chance tells runs apart.

    Args:
        counts: values of k.
        deviations: standard deviations of the ten-fold mean between runs, percentage points; the paper prints none.
        draws: how many sets of k runs to simulate for each.
        seed: of the random numbers.

    Returns:
        One row per deviation and k: ``deviation, k, rise`` (exact, for normal scores) and ``simulated``, percentage
        points.

    Source: Tables 1 and 3 ("for each experiment we present the results corresponding to its best run").
    """
    rng = np.random.default_rng(seed)
    rows = []
    for deviation in deviations:
        for count in counts:
            best = rng.normal(0, deviation, (draws, count)).max(axis=1)
            rows.append((deviation, count, deviation * expected_maximum(count), best.mean()))
    return pd.DataFrame(rows, columns=["deviation", "k", "rise", "simulated"])


# What is quoted


def where_printed(value: float) -> list[str]:
    """Every place of the paper's tables where a score is printed, in words."""
    places = [(f"Table 1, {column.experiment}", column) for column in paper.TABLE1]
    places += [(f"Table 2, fold {row.fold} (speaker {row.speaker})", row) for row in paper.TABLE2]
    places += [(f"Table 2, {name}", score) for name, score in paper.TABLE2_AVERAGES.items()]
    places += [(f"Table 3, batch size {column.batch_size}", column) for column in paper.TABLE3]
    return [f"{metric.upper()}, {name}" for name, s in places for metric in ("wa", "ua") if getattr(s, metric) == value]


# Slips in print, each checked by computation


def consensus() -> pd.DataFrame:
    """Share of turns with a majority label, as printed and from the published counts, in per cent.

    Returns:
        Rows ``improvised`` and ``scripted``: ``scenario, turns, without, printed, counted``, and whether both of these
        agree to rounding, ``agrees``.

    Source: Section 1.1; label xxx of IEMOCAP is "no majority".
    """
    improvised, everything = iemocap.PUBLISHED_IMPROVISED_LABELS, iemocap.PUBLISHED_LABELS
    scripted = {code: everything[code] - improvised[code] for code in everything}
    rows = []
    for scenario, labels in (("improvised", improvised), ("scripted", scripted)):
        turns, without = sum(labels.values()), labels["xxx"]
        printed = paper.NUMBERS[f"{scenario} consensus"].value
        counted = 100 * (1 - without / turns)
        rows.append((scenario, turns, without, printed, counted, abs(counted - printed) <= _HALF))
    return pd.DataFrame(rows, columns=["scenario", "turns", "without", "printed", "counted", "agrees"])


def text_steps() -> pd.DataFrame:
    """The steps that the text names beside the differences of Table 1: ``step, metric, text, table``.

    Source: Section 3, the paragraph on Tab. 1.
    """
    names = {"oversampling": "oversampling", "vtlp": "VTLP", "8 kHz": "4 to 8 kHz"}
    of_table = steps().set_index(["step", "metric"])["points"]
    rows = [
        (step, metric, paper.NUMBERS[f"{name} {metric}"].value, of_table[step, metric])
        for name, step in names.items()
        for metric in ("ua", "wa")
        if f"{name} {metric}" in paper.NUMBERS
    ]
    return pd.DataFrame(rows, columns=["step", "metric", "text", "table"])


def thesis_differences() -> pd.DataFrame:
    """The thesis's scores minus the paper's for the same techniques: ``experiment, wa, ua``, percentage points."""
    rows = [
        (name, round(score.wa - paper.COLUMNS[name].wa, 1), round(score.ua - paper.COLUMNS[name].ua, 1))
        for name, score in THESIS.items()
    ]
    return pd.DataFrame(rows, columns=["experiment", "wa", "ua"])


def normalised_by(scale: str, values: np.ndarray) -> np.ndarray:
    """Eq. 3 with σ read literally or as meant.

    Args:
        scale: ``printed`` (σ of eq. 4, the mean square of the deviations, is squared) or ``meant`` (it is not).
        values: preactivations, any shape.

    Source: eqs. 3 and 4; ε is left out.
    """
    deviations = values - values.mean()
    variance = np.square(deviations).mean()
    return deviations / (variance if scale == "printed" else np.sqrt(variance))


def slips(seed: int = 0) -> pd.DataFrame:
    """Where the print contradicts itself or its sources, each with what was computed.

    Args:
        seed: of the preactivations on which eqs. 3 to 5 are tried.

    Returns:
        One row per statement: ``place, print, computed, verdict`` (``agrees``, ``slip``, or ``other count`` where the
        paper quotes a number that the release's counts do not give).

    Source: Abstract, Sections 1.1 and 3, Tables 1, 2 and 3.
    """
    rows = [batch_size(), *_consensus(), most_represented(), least_represented(), steps_of_text(), headline()]
    rows += [five_best(), against_baseline(), almost_reaches(), sigma(seed), standard_operation(seed), copies()]
    table = pd.DataFrame(rows, columns=["place", "print", "computed", "agrees"])
    quoted = table["print"].str.startswith("consensus")
    table["verdict"] = np.select([table.pop("agrees"), quoted], ["agrees", "other count"], "slip")
    return table


def batch_size() -> tuple[str, str, str, bool]:
    """The batch size of Section 3, with the mark of its footnote, against Table 3. A row of :func:`slips`."""
    size, first = paper.NUMBERS["batch size"].value, paper.TABLE3[0].batch_size
    statement = f"batch size of {size}, and the mark of footnote 4 ({size}4 where the text is copied)"
    return "Section 3", statement, f"Table 3 starts at {first}", size == first


def _consensus() -> list[tuple[str, str, str, bool]]:
    return [
        (
            "Section 1.1",
            f"consensus on {row.printed} % of {row.scenario} utterances",
            f"1 − {row.without}/{row.turns} = {row.counted:.1f} %",
            row.agrees,
        )
        for row in consensus().itertuples()
    ]


def most_represented() -> tuple[str, str, str, bool]:
    """Whether each of the four emotions is frequent among the improvised labels: 5 % of them or more.

    The paper does not say where the most represented ones end; the line is ours. A row of :func:`slips`.
    """
    labels = pd.Series(iemocap.PUBLISHED_IMPROVISED_LABELS).drop("xxx").rename(index=iemocap.CODES)
    shares = 100 * labels / labels.sum()
    places = labels.rank(ascending=False, method="min").astype(int)
    words = ", ".join(f"{emotion} {places[emotion]} ({shares[emotion]:.0f} %)" for emotion in EMOTIONS)
    agrees = bool((shares[list(EMOTIONS)] >= _FREQUENT).all())
    return "Section 1.1", "four of the most represented emotions", f"places: {words}", agrees


def least_represented() -> tuple[str, str, str, bool]:
    """Whether happiness and anger are the two rarest of the four. A row of :func:`slips`."""
    totals = COUNTS[list(EMOTIONS)].sum().sort_values()
    words = ", ".join(f"{emotion} {count}" for emotion, count in totals.items())
    return "Section 2", "least represented: happiness and anger", words, set(totals.index[:2]) == {"happiness", "anger"}


def steps_of_text() -> tuple[str, str, str, bool]:
    """The steps that the text names against Table 1. A row of :func:`slips`."""
    table = text_steps()
    printed, computed = (", ".join(f"{points:+.1f}" for points in table[column]) for column in ("text", "table"))
    return "Section 3", f"steps of Table 1: {printed}", computed, printed == computed


def headline() -> tuple[str, str, str, bool]:
    """The row "10 fold cross-valid." against the mean of the rows above it. A row of :func:`slips`."""
    printed, mean = paper.TABLE2_AVERAGES["10 fold cross-valid."], average_of(tuple(range(1, 11)))
    agrees = abs(mean.wa - printed.wa) <= _HALF and abs(mean.ua - printed.ua) <= _HALF
    return "Table 2", f"10 folds: {printed.wa} / {printed.ua}", f"mean {mean.wa:.2f} / {mean.ua:.2f}", agrees


def five_best() -> tuple[str, str, str, bool]:
    """The row "5 best folds" against what these may be. A row of :func:`slips`."""
    printed, readings = paper.TABLE2_AVERAGES["5 best folds"], five_best_readings()
    words = ", ".join(f"{name} {score.wa:.1f} / {score.ua:.1f}" for name, score in readings.items())
    agrees = any(map(is_five_best, readings.values()))
    return "Table 2", f"5 best folds: {printed.wa} / {printed.ua}", words, agrees


def gains_over(column: paper.Score) -> dict[str, list[float]]:
    """What each batch size of Table 3 adds to a column of Table 1: metric -> percentage points."""
    return {metric: [getattr(row, metric) - getattr(column, metric) for row in paper.TABLE3] for metric in ("ua", "wa")}


def against_baseline() -> tuple[str, str, str, bool]:
    """Recurrent batch normalisation against what the paper calls the baseline, in UA. A row of :func:`slips`.

    Section 3 means the best model by it, where it says that batch size 16 lowers the performance.
    """
    readings = {"the best model": paper.COLUMNS["table1-best"], "Table 1's column of that name": paper.TABLE1[0]}
    gains = {name: gains_over(column)["ua"] for name, column in readings.items()}
    words = "; ".join(f"less {name}: " + ", ".join(f"{p:+.1f}" for p in points) for name, points in gains.items())
    statement = "batch norm: “we did not manage to increase performance compared to the baseline”"
    return "Section 4", statement, f"UA of Table 3 {words}", max(gains["the best model"]) <= 0


def almost_reaches() -> tuple[str, str, str, bool]:
    """Table 3, batch size 64, against the best model: no more than `MARGIN` points below. A row of :func:`slips`."""
    table = steps().set_index(["step", "metric"])["points"]["BN, 64"]
    words = f"UA {table['ua']:+.1f}; WA {table['wa']:+.1f}, which is above it"
    return "Section 3", "batch norm, 64 “almost reaches” the best model", words, bool((table >= -MARGIN).all())


def sigma(seed: int = 0) -> tuple[str, str, str, bool]:
    """Whether eqs. 3 and 4 as printed leave a standard deviation of one. A row of :func:`slips`."""
    values = np.random.default_rng(seed).normal(1, 2, 10_000)
    printed, meant = (normalised_by(scale, values).std() for scale in ("printed", "meant"))
    words = f"of values with standard deviation {values.std():.2f} it leaves {printed:.2f}; with √σ {meant:.2f}"
    return "Eqs. 3, 4", "σ² + ε under the root, σ a mean square", words, bool(abs(printed - 1) < 0.01)


def standard_operation(seed: int = 0) -> tuple[str, str, str, bool]:
    """Whether one mean over all axes does what standard batch normalisation does. A row of :func:`slips`."""
    means = np.array([-1.0, 1.0])
    values = np.random.default_rng(seed).normal(means, 1, (8, 100, 2))  # batch, time, feature
    over_all = normalised_by("meant", values).mean(axis=(0, 1))
    standard = ((values - values.mean(axis=(0, 1))) / values.std(axis=(0, 1))).mean(axis=(0, 1))
    words = f"two features keep means {_pair(over_all)} over all axes, {_pair(standard)} with the standard operation"
    statement = "one mean “over all the axes”, yet BN is “the standard batch normalization”"
    return "Eqs. 3 to 5", statement, words, bool(np.allclose(over_all, standard, atol=0.01))


def copies() -> tuple[str, str, str, bool]:
    """The eleven copies against the range of alpha and its step. A row of :func:`slips`."""
    (low, high), step = paper.NUMBERS["alpha"].value, paper.NUMBERS["alpha step"].value
    copies = round((high - low) / step) + 1
    printed = paper.NUMBERS["copies"].value
    return "Section 2", f"{printed} copies, α = {low} to {high} by {step}", f"{copies} values", copies == printed


def _pair(values: np.ndarray) -> str:
    return " and ".join(f"{round(value, 2) + 0:.2f}" for value in values)  # + 0: no "-0.00"


def _averages_of(sets: itertools.product | itertools.combinations) -> pd.DataFrame:
    speakers = {row.fold: row.speaker for row in paper.TABLE2}
    rows = []
    for folds in sets:
        score = average_of(folds)
        rows.append((tuple(folds), " ".join(speakers[fold] for fold in folds), score.wa, score.ua, is_five_best(score)))
    return pd.DataFrame(rows, columns=["folds", "speakers", "wa", "ua", "printed"])


def _quantile(folds: int = 10) -> float:
    """Student's t quantile of a two-sided interval of a mean over folds."""
    return float(stats.t.ppf((1 + LEVEL) / 2, folds - 1))


def _ua_errors(ways: pd.DataFrame, sizes: pd.Series) -> pd.Series:
    """Standard error of UA by the delta method for each way, percentage points."""
    size = sizes[list(EMOTIONS)]
    recall = ways / size
    return 100 * np.sqrt((recall * (1 - recall) / size).sum(axis="columns")) / len(EMOTIONS)

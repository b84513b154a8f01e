"""Statements of the paper, how each is tested, and the verdict that the records give.

No verdict is typed: it is computed from the paper's printed numbers or from test predictions of our runs. A claim about
a difference is tested on the differences between two experiments, paired by fold and seed: seeds are averaged within a
speaker, and Student's t interval is taken over speakers. Folds share training data, so that the interval is a guide and
not exact. The rules below were fixed before the runs that they judge were read, but for that on gradients:
the gradients of Table 1's first runs on Emo-DB had been seen by then.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from ser_lib import paper, tables
from ser_lib.corpora import EMOTIONS, TITLES, iemocap
from ser_lib.errors import SerError
from ser_lib.experiments import find_experiment
from ser_lib.model import describe
from ser_lib.tables import OPEN_CORPORA
from ser_lib.training import build_model

HOLDS = "holds"
FAILS = "does not hold"
UNDECIDED = "undecided"
NOT_TESTABLE = "not testable here"
NOT_RUN = tables.NOT_RUN

LEVEL = 0.95
"""Confidence level of every interval and 1 - level the significance of every test."""

MINIMUM_FOLDS = tables.MINIMUM_FOLDS
"""Fewer speakers than this decide nothing."""

CSS = {HOLDS: "verdict holds", FAILS: "verdict fails", UNDECIDED: "verdict undecided",
       NOT_TESTABLE: "verdict untestable", NOT_RUN: "verdict missing"}  # fmt: skip


@dataclass(frozen=True)
class Verdict:
    """What was found for a claim on one corpus (or on the printed numbers): outcome, effect, and what it rests on."""

    outcome: str
    effect: str
    basis: str


@dataclass(frozen=True)
class Printed:
    """A claim that the paper's own numbers decide; ``check`` returns whether they agree, and the finding in words."""

    name: str
    place: str
    statement: str
    test: str
    check: Callable[[], tuple[bool, str]]


@dataclass(frozen=True)
class Difference:
    """A claim that one experiment beats (or loses to) another in one metric."""

    name: str
    place: str
    statement: str
    experiment: str
    reference: str
    metric: str
    direction: float
    """Above or below zero: the side that is claimed. Where the paper prints the points, they stand here."""

    @property
    def test(self) -> str:
        """The test in words."""
        side = "above" if self.direction > 0 else "below"
        return (
            f"{self.metric.upper()} of {self.experiment} minus {self.reference}, paired by fold and seed; holds if the "
            f"{LEVEL:.0%} interval over speakers lies {side} zero, does not hold if on the other side"
        )

    def judge(self, scored: pd.DataFrame, corpus: str) -> Verdict:
        """The verdict on one corpus."""
        differences = 100 * tables.paired_difference(scored, corpus, self.experiment, self.reference, self.metric)
        return judge_difference(differences, self.direction)


@dataclass(frozen=True)
class Spread:
    """The claim that scores depend on the test speaker."""

    name: str
    place: str
    statement: str
    experiment: str

    @property
    def test(self) -> str:
        """The test in words."""
        return (
            f"correct answers of {self.experiment} by test speaker, χ² test of equal shares; holds if "
            f"p < {1 - LEVEL:.2f}, else undecided (equality cannot be shown)"
        )

    def judge(self, scored: pd.DataFrame, corpus: str) -> Verdict:
        """The verdict on one corpus, from the first seed: seeds of a speaker repeat the same utterances."""
        part = scored[(scored["corpus"] == corpus) & (scored["experiment"] == self.experiment)]
        part = part[part["seed"] == part["seed"].min()]
        return judge_spread(part["correct"].to_numpy(), part["utterances"].to_numpy())


@dataclass(frozen=True)
class LayerRatio:
    """The claim that the gradient of the convolutions is larger than that of the Bi-LSTM layers.

    The paper does not say how it measures a gradient: the norm of a layer's gradient grows with the number of its
    weights, the root mean square over its weights does not.
    """

    name: str
    place: str
    statement: str
    experiment: str
    per_weight: bool

    @property
    def test(self) -> str:
        """The test in words."""
        measure = "root mean square" if self.per_weight else "norm"
        return (
            f"{measure} of the gradient of all convolutions over that of all Bi-LSTM layers in {self.experiment}, "
            f"geometric mean over epochs and seeds; holds if the {LEVEL:.0%} interval over speakers lies above one, "
            "does not hold if below"
        )

    def judge(self, gradients: pd.DataFrame, corpus: str) -> Verdict:
        """The verdict on one corpus."""
        part = gradients[(gradients["corpus"] == corpus) & (gradients["experiment"] == self.experiment)]
        logarithms = np.log(module_ratio(part, self.experiment, self.per_weight))
        return judge_ratio(logarithms.groupby(part["fold"]).mean().to_numpy())


def module_ratio(norms: pd.DataFrame, experiment: str, per_weight: bool) -> pd.Series:
    """How many times the gradient of all Bi-LSTM layers that of all convolutions is, row by row.

    Args:
        norms: one column per layer, as in ``gradients`` of :class:`ser_lib.records.Results`.
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


def judge_ratio(logarithms: np.ndarray) -> Verdict:
    """Verdict on a ratio that is claimed to be above one.

    Args:
        logarithms: of the ratio, one per speaker, shape (speakers,).
    """
    if len(logarithms) == 0:
        return Verdict(NOT_RUN, "–", "no runs")
    basis = tables.counted(len(logarithms), "speaker")
    mean = f"{np.exp(logarithms.mean()):.2f} times"
    if len(logarithms) < MINIMUM_FOLDS:
        return Verdict(UNDECIDED, mean, f"{basis}, too few to decide (at least {MINIMUM_FOLDS})")
    low, high = tables.interval(logarithms, LEVEL)
    effect = f"{mean} [{np.exp(low):.2f}, {np.exp(high):.2f}]"
    return Verdict(HOLDS if low > 0 else FAILS if high < 0 else UNDECIDED, effect, basis)


def judge_difference(differences: np.ndarray, direction: float) -> Verdict:
    """Verdict on a difference.

    Args:
        differences: percentage points, one per speaker, shape (speakers,).
        direction: above or below zero, the side that is claimed.
    """
    if len(differences) == 0:
        return Verdict(NOT_RUN, "–", "no runs")
    basis = tables.counted(len(differences), "speaker")
    mean = differences.mean()
    low, high = tables.interval(differences, LEVEL)
    if len(differences) < MINIMUM_FOLDS:
        return Verdict(UNDECIDED, f"{mean:+.1f}", f"{basis}, too few to decide (at least {MINIMUM_FOLDS})")
    effect = f"{mean:+.1f} [{low:+.1f}, {high:+.1f}]"
    towards = (low, high) if direction > 0 else (-high, -low)
    if towards[0] > 0:
        return Verdict(HOLDS, effect, basis)
    if towards[1] < 0:
        return Verdict(FAILS, effect, basis)
    return Verdict(UNDECIDED, effect, f"{basis}; an effect of {(high - low) / 2:.1f} points would have shown")


def judge_spread(correct: np.ndarray, utterances: np.ndarray) -> Verdict:
    """Verdict on the spread between speakers.

    Args:
        correct: recognised utterances of each speaker, shape (speakers,).
        utterances: all utterances of each speaker, shape (speakers,).
    """
    if len(correct) == 0:
        return Verdict(NOT_RUN, "–", "no runs")
    shares = 100 * correct / utterances
    effect = f"WA {shares.min():.1f} to {shares.max():.1f}"
    if len(correct) < MINIMUM_FOLDS:
        return Verdict(UNDECIDED, effect, f"{len(correct)} speakers, too few to decide (at least {MINIMUM_FOLDS})")
    wrong = utterances - correct
    if correct.sum() == 0 or wrong.sum() == 0:
        return Verdict(UNDECIDED, effect, f"{len(correct)} speakers, all alike")
    p = stats.chi2_contingency(np.stack([correct, wrong])).pvalue
    return Verdict(HOLDS if p < 1 - LEVEL else UNDECIDED, effect, f"{len(correct)} speakers, p = {p:.2g}")


def _deltas() -> tuple[bool, str]:
    """Whether the steps that the text names are the differences of Table 1's columns."""
    columns = {column.experiment: column for column in paper.TABLE1}
    steps = [
        ("oversampling ua", "table1-oversampling", "table1-baseline", "ua"),
        ("oversampling wa", "table1-oversampling", "table1-baseline", "wa"),
        ("vtlp ua", "table1-vtlp", "table1-oversampling", "ua"),
        ("vtlp wa", "table1-vtlp", "table1-oversampling", "wa"),
        ("8 kHz ua", "table1-best", "table1-vtlp", "ua"),
    ]
    found = []
    for name, after, before, metric in steps:
        difference = round(getattr(columns[after], metric) - getattr(columns[before], metric), 1)
        found.append((difference, paper.NUMBERS[name].value))
    text = ", ".join(f"{difference:+.1f}" for difference, _ in found)
    return all(difference == printed for difference, printed in found), text


def _fold_means() -> tuple[bool, str]:
    """Whether the printed averages are the means of Table 2's folds, to rounding."""
    wa, ua = (np.mean([getattr(row, metric) for row in paper.TABLE2]) for metric in ("wa", "ua"))
    printed = paper.TABLE2_AVERAGES["10 fold cross-valid."]
    agree = abs(wa - printed.wa) <= 0.0501 and abs(ua - printed.ua) <= 0.0501
    return agree, f"{wa:.2f} / {ua:.2f}"


def _five_best() -> tuple[bool, str]:
    """Whether "our 5 best folds" are the five folds with the highest UA."""
    best = sorted(paper.TABLE2, key=lambda row: row.ua)[-5:]
    highest = np.mean([row.wa for row in best]), np.mean([row.ua for row in best])
    chosen = tables.best_of_sessions([row.wa for row in paper.TABLE2], [row.ua for row in paper.TABLE2])
    printed = paper.TABLE2_AVERAGES["5 best folds"]
    agree = abs(highest[0] - printed.wa) <= 0.0501 and abs(highest[1] - printed.ua) <= 0.0501
    return agree, (
        f"five highest {highest[0]:.1f} / {highest[1]:.1f}, better speaker of each session "
        f"{chosen[0]:.1f} / {chosen[1]:.1f}, printed {printed.wa} / {printed.ua}"
    )


def _utterances() -> tuple[bool, str]:
    """Whether IEMOCAP's published counts add up to the paper's number of utterances."""
    total = int(iemocap.PUBLISHED_COUNTS[list(EMOTIONS)].to_numpy().sum())
    return total == paper.NUMBERS["utterances"].value, f"{total} utterances"


PRINTED = (
    Printed(
        "text-deltas", "Section 3", "The steps named in the text are those of Table 1",
        "differences of Table 1's columns against the text's +2.1, −2.9, +1.1, +0.7, +0.8", _deltas,
    ),
    Printed(
        "fold-means", "Table 2", "64.5 / 61.7 is the mean over the ten folds",
        "mean of Table 2's rows against the printed average, to rounding", _fold_means,
    ),
    Printed(
        "five-best", "Table 2", "66.9 / 65.3 averages the 5 best folds",
        "mean of the five folds with the highest UA against the printed average, to rounding", _five_best,
    ),
    Printed(
        "utterances", "Section 1.1", "The four emotions leave 2280 utterances",
        "sum of IEMOCAP's published counts of improvised turns by speaker and emotion", _utterances,
    ),
)  # fmt: skip

_BEST = next(column for column in paper.TABLE1 if column.experiment == "table1-best")
_TABLE3 = {row.batch_size: row for row in paper.TABLE3}

MEASURED = (
    Difference(
        "oversampling-ua", "Section 3, Table 1", "Oversampling raises UA by 2.1 points",
        "table1-oversampling", "table1-baseline", "ua", paper.NUMBERS["oversampling ua"].value,
    ),
    Difference(
        "oversampling-wa", "Section 3, Table 1", "Oversampling lowers WA by 2.9 points",
        "table1-oversampling", "table1-baseline", "wa", paper.NUMBERS["oversampling wa"].value,
    ),
    Difference(
        "vtlp-ua", "Section 3, Table 1", "VTLP raises UA by 1.1 points",
        "table1-vtlp", "table1-oversampling", "ua", paper.NUMBERS["vtlp ua"].value,
    ),
    Difference(
        "vtlp-wa", "Section 3, Table 1", "VTLP raises WA by 0.7 points",
        "table1-vtlp", "table1-oversampling", "wa", paper.NUMBERS["vtlp wa"].value,
    ),
    Difference(
        "8khz-ua", "Section 3, Table 1", "8 kHz instead of 4 raises UA by 0.8 points",
        "table1-best", "table1-vtlp", "ua", paper.NUMBERS["8 kHz ua"].value,
    ),
    Difference(
        "batchnorm-16-ua", "Section 3, Table 3",
        "Recurrent batch normalisation at batch size 16 lowers UA by 2.8 points",
        "table3-16", "table1-best", "ua", _TABLE3[16].ua - _BEST.ua,
    ),
    Difference(
        "batchnorm-16-wa", "Section 3, Table 3",
        "Recurrent batch normalisation at batch size 16 lowers WA by 0.9 points",
        "table3-16", "table1-best", "wa", _TABLE3[16].wa - _BEST.wa,
    ),
    *(
        Difference(
            f"batchnorm-64{rule}-{metric}", "Section 3, Table 3",
            f"With it, batch size 64 raises {metric.upper()} by {points:.1f} points over 16 (learning rate {how})",
            f"table3-64{rule}", "table3-16", metric, points,
        )
        for metric, points in (
            ("ua", _TABLE3[64].ua - _TABLE3[16].ua), ("wa", _TABLE3[64].wa - _TABLE3[16].wa)
        )
        for rule, how in (("", "held"), ("-scaled", "scaled"))
    ),
    *(
        Difference(
            f"batchnorm-{size}{rule}-ua", "Section 3",
            f"With it, batch size {size} would do better still than 64 (learning rate {how})",
            f"batch-{size}{rule}", f"table3-64{rule}", "ua", +1,
        )
        for size in (128, 256)
        for rule, how in (("", "held"), ("-scaled", "scaled"))
    ),
    Difference(
        "pooling-ua", "Section 3", "Pooling layers lower the performance (tested as UA)",
        "pooling-max", "table1-baseline", "ua", -1,
    ),
    Difference(
        "vtlp-strategy-ua", "Section 2", "The second strategy of VTLP gives a better UA than the first",
        "table1-vtlp", "vtlp-epoch-vote", "ua", +1,
    ),
    LayerRatio(
        "gradients-norm", "Section 3.1, Fig. 3",
        "The gradient of the convolutions is much larger than that of the Bi-LSTM (norm)",
        "table1-baseline", per_weight=False,
    ),
    LayerRatio(
        "gradients-per-weight", "Section 3.1, Fig. 3",
        "The gradient of the convolutions is much larger than that of the Bi-LSTM (per weight)",
        "table1-baseline", per_weight=True,
    ),
    Spread("speakers", "Section 3, Table 2", "Scores depend strongly on the test speaker", "table1-best"),
)  # fmt: skip


def ledger(scored: pd.DataFrame, gradients: pd.DataFrame) -> pd.DataFrame:
    """Every claim on every corpus that it can be tested on, with its verdict.

    Args:
        scored: scores of our runs, as :func:`ser_lib.tables.scores` returns them.
        gradients: gradient norms of our runs, as in :class:`ser_lib.records.Results`.

    Returns:
        One row per claim and corpus: ``name, place, claim, corpus, effect, basis, verdict, test``.
    """
    rows = []
    for claim in PRINTED:
        agree, finding = claim.check()
        rows.append(_row(claim, "the printed numbers", Verdict(HOLDS if agree else FAILS, finding, "the paper")))
    for claim in MEASURED:
        evidence = gradients if isinstance(claim, LayerRatio) else scored
        for corpus in OPEN_CORPORA:
            rows.append(_row(claim, TITLES[corpus], claim.judge(evidence, corpus)))
        verdict = claim.judge(evidence, "iemocap")
        if verdict.outcome == NOT_RUN:
            verdict = Verdict(NOT_TESTABLE, "–", "needs an IEMOCAP licence; see the page “Reproduce”")
        rows.append(_row(claim, TITLES["iemocap"], verdict))
    return pd.DataFrame(rows)


def shown(ledger: pd.DataFrame, *names: str) -> tables.Shown:
    """What the runs say on some claims, for the end of a chapter: a row per claim and finding, with its corpora.

    Args:
        ledger: as :func:`ledger` returns it.
        names: how the names of these claims begin.

    Raises:
        SerError: a name fits no claim.
    """
    for name in names:
        if not ledger["name"].str.startswith(name).any():
            raise SerError(f"no claim's name begins with {name!r}")
    chosen = ledger[ledger["name"].str.startswith(names)]
    same = ["claim", "effect", "basis", "verdict"]
    rows = chosen.groupby(same, sort=False)["corpus"].agg(", ".join).reset_index()
    columns = {"claim": "Claim", "corpus": "Corpus", "effect": "Found", "basis": "From", "verdict": "Verdict"}
    return tables.Shown(rows[list(columns)].rename(columns=columns), "What our runs say, by corpus", CSS)


def by_corpus(ledger: pd.DataFrame) -> pd.DataFrame:
    """The verdicts on measured claims, one row per claim and one column per corpus."""
    measured = ledger[ledger["corpus"].isin(TITLES.values())]
    table = measured.pivot(index="claim", columns="corpus", values="verdict")
    order = [TITLES[corpus] for corpus in (*OPEN_CORPORA, "iemocap")]
    return table.loc[measured["claim"].unique(), order].rename_axis(columns=None).reset_index()


def _row(claim: Printed | Difference | LayerRatio | Spread, corpus: str, verdict: Verdict) -> dict[str, str]:
    return {
        "name": claim.name,
        "place": claim.place,
        "claim": claim.statement,
        "corpus": corpus,
        "effect": verdict.effect,
        "basis": verdict.basis,
        "verdict": verdict.outcome,
        "test": claim.test,
    }

"""Statements of the paper, how each is tested, and the verdict that the records give.

No verdict is typed: it is computed by a rule of :mod:`ser_lib.verdicts` from the paper's printed numbers or from the
records of our runs. A statement is a kind of test and what it is applied to; what it needs to be run follows from that.
The tests were first fixed before the runs that they judge were read (runs of an earlier network had been seen, and
count for nothing here). Many were changed, or added, when runs or the published counts had been read: `REVISED` has
them by name, with what was done and why, and the pages show it beside each test. What holds by a test that was made
stricter held before, too.
"""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import torch
from scipy import stats

from ser_lib import paper, printed, vtlp
from ser_lib.corpora import EMOTIONS
from ser_lib.experiments import BATCH_SIZES, FAMILIES, batch_name, depth_name, members
from ser_lib.paper import PASSAGES
from ser_lib.statements import (
    MARGIN,
    PACE,
    AnyDiffers,
    Best,
    BothMetrics,
    Course,
    Difference,
    Distinct,
    FrameRange,
    Growth,
    LayerRatio,
    Level,
    NoneBetter,
    Pace,
    Printed,
    Spread,
    Statement,
    Untestable,
    Variety,
)
from ser_lib.verdicts import LEVEL

BEFORE = "before"
"""When a test was fixed that nothing was changed of since: before the runs that it judges were read."""

_GUESSED = "it held where the network only guesses"
_READING = "another reading of the same words"
REVISED: Mapping[str, tuple[str, str]] = {
    name: (f"after: {what}", why)
    for (what, why), names in {
        ("stricter", "it was enough that nothing was conclusively better, which the smallest study shows best"): (
            "batchnorm-no-gain",
        ),
        ("stricter", "the same, and the runs with a β, which are those with an η, were counted a second time"): (
            "layerwise",
        ),
        ("stricter", _GUESSED): (
            "batchnorm-64-almost", "batchnorm-64-scaled-almost", "batchnorm-overfits", "oversampling-wa",
            "batchnorm-16-ua", "batchnorm-16-wa", "batchnorm-layers-1", "batchnorm-layers-2", "batchnorm-layers-3",
            "batchnorm-layers-4", "pooling-ua",
        ),
        ("stricter", "it took the distance between both losses, which a network that learns nothing has not"): (
            "normalisation-overfits-1", "normalisation-overfits-2",
        ),
        ("stricter", "it took what differs from run to run for a difference of speakers"): ("speakers",),
        ("stricter", "it took any ratio above one for much larger"): ("gradients-norm", "gradients-per-weight"),
        ("stricter", "it took runs on a GPU, which does not repeat a training, for different trainings"): (
            "beta-constant",
        ),
        ("stricter", "it did not ask who shares a session"): ("speakers-sessions",),
        ("looser", "it asked for the first four places"): ("most-represented",),
        ("another", "it was a mean with the interval of speakers, and is paired with Table 2; nothing had been run on "
         "IEMOCAP"): ("headline-wa", "headline-ua"),
        ("another", "it was decided by scores of five folds"): ("competitive",),
        ("another", "it took a run that was stopped before it learned for one that learned after all planned epochs, "
         "and then for no more than is known of it, even where those that should be quicker were stopped"): (
            "normalisation-speed", "normalisation-speed-slow",
        ),
        ("another", "it was one test for two readings of the baseline"): ("no-gain-printed",),
        ("another", "it took the mark of a footnote for a digit"): ("batch-size-printed",),
        ("added", "it had no line"): (
            "8khz-wa", "pace", "sensitive", "batchnorm-batch-size", "together-ua", "together-wa", "all-splits",
            *(f"batchnorm-32{rule}-{metric}" for rule in ("", "-scaled") for metric in ("ua", "wa")),
            "batchnorm-small-batch", "batchnorm-small-batch-scaled",
            *(f"batchnorm-overfits-{layers}" for layers in (1, 2, 3, 4)),
            "normalisation-overfits-1-depth", "normalisation-overfits-2-depth",
        ),
        ("added", "what learns sooner can overfit sooner for that alone"): (
            "batchnorm-overfits-since-learning",
            *(f"batchnorm-overfits-{layers}-since-learning" for layers in (1, 2, 3, 4)),
        ),
        ("added", "at the learning rate of the others a network that is not normalised hardly learns"): (
            "normalisation-overfits-1-slow", "normalisation-overfits-2-slow", "normalisation-sensitive-slow",
        ),
        ("added", _READING): (
            "batchnorm-no-gain-baseline", "no-gain-printed-baseline", "five-best-sessions", "batchnorm-16-printed",
            "batchnorm-16-printed-baseline", "batchnorm-16-ua-baseline", "batchnorm-16-wa-baseline",
            "vtlp-training-ua", "vtlp-training-wa", "normalisation-sensitive",
        ),
    }.items()
    for name in names
}  # fmt: skip
"""Statement -> what was done to its test when runs, or the published counts, had been read, and why."""

TESTED_AS_UA = "tested as UA"
"""What a claim says where the paper speaks of the performance, and UA alone is judged."""


# What the printed numbers say


def _row_of(slip: Callable[[], tuple[str, str, str, bool]]) -> Callable[[], tuple[bool, str]]:
    """A row of :func:`ser_lib.printed.slips` as a claim takes it: whether it agrees, and what was computed."""

    def check() -> tuple[bool, str]:
        _, _, computed, agrees = slip()
        return agrees, computed

    return check


def _utterances() -> tuple[bool, str]:
    """Whether IEMOCAP's published counts add up to the paper's number of utterances."""
    total = int(printed.SIZES.sum())
    return total == paper.NUMBERS["utterances"].value, f"{total} utterances"


def _imbalance() -> tuple[bool, str]:
    """Whether chance explains that the four emotions differ in their published counts."""
    counts = printed.COUNTS[list(EMOTIONS)].sum().sort_values(ascending=False)
    shares = ", ".join(f"{emotion} {100 * count / counts.sum():.0f} %" for emotion, count in counts.items())
    return stats.chisquare(counts).pvalue < 1 - LEVEL, shares


def _diapason() -> tuple[bool, str]:
    """Whether eq. 1, with every factor of the vote, maps the range of frequencies onto itself, in its order."""
    frequency = torch.linspace(0, 1, 129, dtype=torch.float64).unsqueeze(0)  # a spectrogram that holds its own axis
    warped = torch.cat([vtlp.warp(frequency, alpha) for alpha in vtlp.VOTE_ALPHAS])
    moved = (warped - frequency)[:, [0, -1]].abs().max()
    return bool(moved < 1e-9 and (warped.diff() > 0).all()), f"{len(warped)} factors: both ends stay, none turns back"


def _headline() -> tuple[bool, str]:
    """Whether the headline scores are Table 1's best column and Table 2's average."""
    best = paper.COLUMNS["table1-best"]
    average = paper.TABLE2_AVERAGES["10 fold cross-valid."]
    named = paper.NUMBERS["wa"].value, paper.NUMBERS["ua"].value
    found = f"{best.wa} / {best.ua}, {average.wa} / {average.ua}"
    return (best.wa, best.ua) == (average.wa, average.ua) == named, found


def _speakers() -> tuple[bool, str]:
    """Whether every WA of Table 2 is a share of the utterances of the speaker that its row names."""
    fits = printed.fits_by_rule().groupby("rule")["fits"].sum()
    right = int(fits[printed.RIGHT])
    return right == len(paper.TABLE2), (
        f"{right} of {len(paper.TABLE2)} fit; with the genders swapped {fits['genders swapped']}"
    )


def _spread() -> tuple[bool, str]:
    """Whether chance explains that Table 2's speakers differ in WA."""
    folds = printed.ratios(printed.rules()[printed.RIGHT]).astype({"correct": int})
    p = stats.chi2_contingency(np.stack([folds["correct"], folds["utterances"] - folds["correct"]])).pvalue
    scores = [row.ua for row in paper.TABLE2]
    return p < 1 - LEVEL, f"UA {min(scores)} to {max(scores)}; WA: p = {p:.1g}"


def _five_best(reading: str) -> tuple[bool, str]:
    """Whether some five of Table 2's folds, as a reading of "5 best" has them, have the averages printed for these."""
    scores = {name: score for name, score in printed.five_best_readings().items() if name.startswith(reading)}
    words = ", ".join(f"{name} {score.wa:.1f} / {score.ua:.1f}" for name, score in scores.items())
    return any(map(printed.is_five_best, scores.values())), words


def _five_folds() -> tuple[bool, str]:
    """Whether the choice of one speaker per session moves UA by more than the compared works differ."""
    by_choice = printed.choices()["ua"]
    works = [score.ua for score in _OTHERS.values()]
    apart = max(works) - min(works)
    return by_choice.max() - by_choice.min() > apart, (
        f"UA {by_choice.min():.1f} to {by_choice.max():.1f} by choice; the compared works lie {apart:.1f} apart"
    )


def _consensus(scenario: str) -> tuple[bool, str]:
    """Whether the published counts give the printed share of utterances with a majority, to one decimal."""
    row = printed.consensus().set_index("scenario").loc[scenario]
    return bool(row["agrees"]), f"{row['counted']:.1f} % of the release's counts"


def _all_splits() -> tuple[bool, str]:
    """Whether Table 2 tests every speaker of the release, each once."""
    tested, there = [row.speaker for row in paper.TABLE2], set(printed.SIZES.index)
    return sorted(tested) == sorted(there), f"{len(set(tested))} speakers tested, {len(there)} in the release"


def _consensus_order() -> tuple[bool, str]:
    """Whether annotators agree more often on improvised utterances."""
    counted = printed.consensus().set_index("scenario")["counted"]
    improvised, scripted = counted["improvised"], counted["scripted"]
    return improvised > scripted, f"{improvised:.1f} % against {scripted:.1f} %"


def _degradation(experiment: str) -> tuple[bool, str]:
    """Whether Table 3 starts, at batch size 16, below a column of Table 1 in both metrics."""
    points = {metric: gains[0] for metric, gains in printed.gains_over(paper.COLUMNS[experiment]).items()}
    return max(points.values()) < 0, "; ".join(f"{metric.upper()} {gain:+.1f}" for metric, gain in points.items())


def _no_gain(experiment: str) -> tuple[bool, str]:
    """Whether no batch size of Table 3 has a higher UA than a column of Table 1."""
    gains = printed.gains_over(paper.COLUMNS[experiment])
    found = (
        "{} {}".format(metric.upper(), ", ".join(f"{points:+.1f}" for points in gains[metric])) for metric in gains
    )
    return max(gains["ua"]) <= 0, "; ".join(found)


def _frames() -> tuple[bool, str]:
    """Whether the published durations give the printed frames, without padding."""
    unpadded = printed.framings().set_index("framing").loc["no padding"]
    return bool((unpadded["frames"] == unpadded["published"]).all()), " and ".join(map(str, unpadded["published"]))


def _protocol() -> tuple[bool, str]:
    """Whether the release has the speakers and sessions that the paper names, a woman and a man in each."""
    speakers = printed.SIZES.index
    women, men = ({name[0] for name in speakers if name.endswith(gender)} for gender in "FM")
    found = [len(speakers), len(women), len(men), len(women & men)]
    wanted = [paper.NUMBERS[name].value for name in ("speakers", "women", "men", "sessions")]
    return found == wanted, "{} speakers, {} women, {} men; {} sessions with both".format(*found)


_BASELINE, _VTLP, _BEST = (paper.COLUMNS[f"table1-{name}"] for name in ("baseline", "vtlp", "best"))
_BATCHES = {size: paper.COLUMNS[batch_name(size, scaled=False)] for size in BATCH_SIZES[:3]}
_OTHERS = {name: score for name, score in paper.TABLE2_AVERAGES.items() if name.startswith("[")}
_LAYERWISE = tuple(name for name in FAMILIES["layerwise"].references if "-beta-" not in name)
_NORMALISED = tuple(batch_name(size, scaled) for size in BATCH_SIZES[:3] for scaled in (False, True))

_BASELINES = (
    ("", "the best model", "table1-best", "Table 1's last column, the likelier baseline of Section 3"),
    ("-baseline", "Table 1's baseline", "table1-baseline", "Table 1's first column, the baseline by name"),
)
"""What "the baseline" may mean where recurrent batch normalisation is compared with it."""

_OVERFITS = (("", "", "turn"), ("-since-learning", ", counted from when it has learnt", "turn since learning"))
"""What faster overfitting is tested by: whatever learns sooner can overfit sooner, too."""

PRINTED = (
    Printed(
        "headline", PASSAGES["headline"], "The headline scores are those of the tables", "tables", _headline,
        "64.5 and 61.7 of the abstract against Table 1's last column and Table 2's average",
    ),
    Printed(
        "text-deltas", PASSAGES["steps"], "The steps named in the text are those of Table 1", "tables",
        _row_of(printed.steps_of_text),
        "differences of Table 1's columns against the text's +2.1, −2.9, +1.1, +0.7, +0.8",
    ),
    Printed(
        "fold-means", PASSAGES["mean of folds"], "64.5 / 61.7 is the mean over the ten folds", "tables",
        _row_of(printed.headline),
        "mean of Table 2's rows against the printed average, to rounding",
    ),
    Printed(
        "five-best", PASSAGES["best folds"], "66.9 / 65.3 averages the 5 best folds (as: of all ten)",
        "printed_numbers", partial(_five_best, "five highest"),
        "mean of the five folds with the highest UA, or of those with the highest WA, against the printed averages, to "
        "rounding",
    ),
    Printed(
        "five-best-sessions", PASSAGES["best folds"], "66.9 / 65.3 averages the 5 best folds (as: one of each session)",
        "printed_numbers", partial(_five_best, "better of each session"),
        "mean of the folds of each session's better speaker by UA, or by WA, against the printed averages, to rounding",
    ),
    Printed(
        "five-fold", PASSAGES["five folds"], "Scores of five folds cannot be compared", "printed_numbers",
        _five_folds,
        "range of UA over all choices of one speaker per session in Table 2; holds if wider than the gap between "
        "the compared works (chance alone makes it so; that speakers differ is a test of its own)",
    ),
    Printed(
        "test-speakers", PASSAGES["table 2"], "The gender column names the speaker under test", "printed_numbers",
        _speakers, "every WA of Table 2 is, to its decimal, a whole number over that speaker's published count",
    ),
    Printed(
        "speakers-printed", PASSAGES["speakers"], "The printed scores depend on the test speaker (the paper: strongly)",
        "printed_numbers", _spread,
        f"correct answers that Table 2's WA imply, χ² test of equal shares; holds if p < {1 - LEVEL:.2f} (one run "
        "each: what differs from run to run is in it)",
    ),
    Printed(
        "utterances", PASSAGES["emotions"], "The four emotions leave 2280 utterances", "corpora", _utterances,
        "sum of IEMOCAP's published counts of improvised turns by speaker and emotion",
    ),
    Printed(
        "frames-published", PASSAGES["frames"],
        "The shortest and longest utterance have 21 and 909 frames", "printed_numbers",
        _frames, "frames of the published durations, 64 ms windows every 32 ms, no padding",
    ),
    Printed(
        "speakers-sessions", PASSAGES["actors"],
        "Ten actors, five women and five men, in five sessions, each of a woman and a man", "corpora", _protocol,
        "speakers of the published counts",
    ),
    Printed(
        "all-splits", PASSAGES["splits"],
        "Ten folds are all the choices of one speaker for the test", "printed_numbers",
        _all_splits, "speakers of Table 2 against those of the published counts; holds if each is there once",
    ),
    Printed(
        "consensus-order", PASSAGES["consensus"],
        "Annotators agree more often on improvised utterances", "printed_numbers",
        _consensus_order, "share of published labels with a majority, improvised against scripted",
    ),
    Printed(
        "consensus-improvised", PASSAGES["consensus"],
        "They agree on 83.1 % of improvised utterances, as quoted from IEMOCAP's authors", "printed_numbers",
        partial(_consensus, "improvised"), "share of published labels with a majority, to one decimal",
    ),
    Printed(
        "consensus-scripted", PASSAGES["consensus"],
        "They agree on 66.9 % of scripted utterances, as quoted from IEMOCAP's authors", "printed_numbers",
        partial(_consensus, "scripted"), "share of published labels with a majority, to one decimal",
    ),
    *(
        Printed(
            f"batchnorm-16-printed{suffix}", PASSAGES["degradation"],
            f"In print, recurrent batch normalisation at batch size 16 lowers the performance below {words} (in both "
            "metrics)",
            "printed_numbers", partial(_degradation, experiment),
            f"Table 3's first column minus {column}; holds if it is below zero in UA and WA",
        )
        for suffix, words, experiment, column in _BASELINES
    ),
    *(
        Printed(
            f"no-gain-printed{suffix}", PASSAGES["no gain"],
            f"In print, recurrent batch normalisation does not increase the performance over {words} (tested as UA)",
            "printed_numbers", partial(_no_gain, experiment),
            f"UA of Table 3 minus that of {column}; holds if it is above zero with no batch size",
        )
        for suffix, words, experiment, column in _BASELINES
    ),
    Printed(
        "most-represented", PASSAGES["emotions"], "The four emotions are among the most represented ones", "corpora",
        _row_of(printed.most_represented),
        "share of the published labels of the improvised part, those without a majority left out; holds if each of the "
        "four is 5 % or more of them (the paper draws no line)",
    ),
    Printed(
        "least-represented", PASSAGES["least represented"],
        "Happiness and anger are the least represented of the four", "corpora",
        _row_of(printed.least_represented), "order of the four by their published counts",
    ),
    Printed(
        "imbalance", PASSAGES["drawbacks"], "The classes are imbalanced", "corpora", _imbalance,
        f"published counts of the four emotions, χ² test of equal shares; holds if p < {1 - LEVEL:.2f}",
    ),
    Printed(
        "diapason", PASSAGES["range"], "The considered range of frequencies stays constant", "spectrograms", _diapason,
        "eq. 1, as it is run here, on a spectrogram that holds its own frequencies, for α = 0.9 to 1.1 by 0.02; holds "
        "if 0 and the cut-off frequency stay where they are and the others keep their order",
    ),
    Printed(
        "copies-printed", PASSAGES["copies"], "Eleven copies, α = 0.9 to 1.1 by 0.02", "spectrograms",
        _row_of(printed.copies), "how many values the range and the step give",
    ),
    Printed(
        "batch-size-printed", PASSAGES["batch size"], "The batch size is 16, with the mark of footnote 4 behind it",
        "printed_numbers", _row_of(printed.batch_size), "the number, without the mark, against Table 3's smallest",
    ),
    Printed(
        "almost-printed", PASSAGES["almost"],
        "In print, batch size 64 almost reaches the best model (in both metrics)", "printed_numbers",
        _row_of(printed.almost_reaches),
        f"Table 3 minus Table 1's last column; holds if neither metric lies more than {MARGIN:g} points below",
    ),
    Printed(
        "sigma-printed", PASSAGES["deviation"], "Eqs. 3 and 4 agree on what σ is: together they normalise to one",
        "recurrent_batch_normalisation", _row_of(printed.sigma),
        "the equations as printed, on random preactivations; synthetic",
    ),
    Printed(
        "standard-operation", PASSAGES["standard operation"],
        "Averaging over all the axes and the standard operation are one",
        "recurrent_batch_normalisation", _row_of(printed.standard_operation),
        "means of two features after each of the two, on random preactivations; synthetic",
    ),
)  # fmt: skip
"""What the printed numbers decide."""

MEASURED = (
    *(
        Level(
            f"headline-{metric}", PASSAGES["headline"],
            f"The best model reaches {metric.upper()} {getattr(_BEST, metric)} on IEMOCAP",
            "tables", "table1-best", metric,
        )
        for metric in ("wa", "ua")
    ),
    FrameRange(
        "frames", PASSAGES["frames"], "Utterances have 21 to 909 frames", "spectrograms", paper.NUMBERS["frames"].value,
    ),
    Difference(
        "oversampling-ua", PASSAGES["oversampling"], "Oversampling raises UA (printed: +2.1)", "tables",
        "table1-oversampling", "table1-baseline", "ua", paper.NUMBERS["oversampling ua"].value,
    ),
    Difference(
        "oversampling-wa", PASSAGES["oversampling"], "Oversampling lowers WA (printed: −2.9)", "tables",
        "table1-oversampling", "table1-baseline", "wa", paper.NUMBERS["oversampling wa"].value,
    ),
    Difference(
        "vtlp-ua", PASSAGES["vtlp"], "VTLP with its vote raises UA (printed: +1.1)", "tables",
        "table1-vtlp", "table1-oversampling", "ua", paper.NUMBERS["vtlp ua"].value,
    ),
    Difference(
        "vtlp-wa", PASSAGES["vtlp"], "VTLP with its vote raises WA (printed: +0.7)", "tables",
        "table1-vtlp", "table1-oversampling", "wa", paper.NUMBERS["vtlp wa"].value,
    ),
    *(
        Difference(
            f"vtlp-training-{metric}", PASSAGES["vtlp"],
            f"VTLP in training alone raises {metric.upper()} (printed: {points:+.1f}, if all columns voted)", "tables",
            "table1-vtlp", "vote-alone", metric, points,
        )
        for metric, points in (("ua", paper.NUMBERS["vtlp ua"].value), ("wa", paper.NUMBERS["vtlp wa"].value))
    ),
    BothMetrics(
        "vtlp-significant", PASSAGES["vtlp significant"],
        "VTLP with its vote significantly improves the performance (in both metrics)", "tables",
        "table1-vtlp", "table1-oversampling",
    ),
    Difference(
        "8khz-ua", PASSAGES["8 kHz"], "8 kHz instead of 4 raises UA (printed: +0.8)", "tables",
        "table1-best", "table1-vtlp", "ua", paper.NUMBERS["8 kHz ua"].value,
    ),
    Difference(
        "8khz-wa", PASSAGES["table 1 wa"], "8 kHz instead of 4 raises WA (printed: +0.3)", "tables",
        "table1-best", "table1-vtlp", "wa", _BEST.wa - _VTLP.wa,
    ),
    *(
        Difference(
            f"together-{metric}", PASSAGES[f"table 1 {metric}"],
            f"Oversampling, VTLP and 8 kHz together {'raise' if points > 0 else 'lower'} {metric.upper()} "
            f"(printed: {points:+.1f})".replace("-", "−"),
            "tables", "table1-best", "table1-baseline", metric, points,
        )
        for metric, points in (("ua", _BEST.ua - _BASELINE.ua), ("wa", _BEST.wa - _BASELINE.wa))
    ),
    Difference(
        "vtlp-strategy-ua", PASSAGES["strategies"],
        "The second strategy of VTLP gives a better UA than the first", "ablations",
        "table1-vtlp", "vtlp-epoch-vote", "ua", +1,
    ),
    Spread(
        "speakers", PASSAGES["speakers"], "Scores depend on the test speaker (the paper: strongly)", "tables",
        "table1-best",
    ),
    Difference(
        "batchnorm-16-ua", PASSAGES["degradation"],
        "Recurrent batch normalisation at batch size 16 lowers UA (printed: −2.8)", "recurrent_batch_normalisation",
        "table3-16", "table1-best", "ua", _BATCHES[16].ua - _BEST.ua,
    ),
    Difference(
        "batchnorm-16-wa", PASSAGES["degradation"],
        "Recurrent batch normalisation at batch size 16 lowers WA (printed: −0.9)", "recurrent_batch_normalisation",
        "table3-16", "table1-best", "wa", _BATCHES[16].wa - _BEST.wa,
    ),
    *(
        Difference(
            f"batchnorm-16-{metric}-baseline", PASSAGES["degradation"],
            f"Recurrent batch normalisation at batch size 16 lowers {metric.upper()} below Table 1's baseline "
            f"(in print {points:+.1f})".replace("-", "−"),
            "recurrent_batch_normalisation", "table3-16", "table1-baseline", metric, -1,
        )
        for metric, points in (("ua", _BATCHES[16].ua - _BASELINE.ua), ("wa", _BATCHES[16].wa - _BASELINE.wa))
    ),
    *(
        Course(
            f"batchnorm-overfits{suffix}", PASSAGES["degradation"],
            f"At batch size 16 recurrent batch normalisation overfits faster{how}", "recurrent_batch_normalisation",
            "table3-16", "table1-best", quantity, -1,
        )
        for suffix, how, quantity in _OVERFITS
    ),
    *(
        Course(
            f"batchnorm-overfits-{layers}{suffix}", PASSAGES["degradation by layers"],
            f"Recurrent batch normalisation overfits faster with {layers} Bi-LSTM layer{'s' if layers > 1 else ''}"
            f"{how}",
            "recurrent_batch_normalisation", f"batchnorm-4x{layers}", depth_name(4, layers), quantity, -1,
        )
        for suffix, how, quantity in _OVERFITS
        for layers in (1, 2, 3, 4)
    ),
    *(
        Difference(
            f"batchnorm-layers-{layers}", PASSAGES["degradation by layers"],
            f"Recurrent batch normalisation lowers UA with {layers} Bi-LSTM layer{'s' if layers > 1 else ''}",
            "recurrent_batch_normalisation", f"batchnorm-4x{layers}", depth_name(4, layers), "ua", -1,
        )
        for layers in (1, 2, 3, 4)
    ),
    *(
        Difference(
            f"batchnorm-{size}{rule}-{metric}", PASSAGES["larger batches"],
            f"With recurrent batch normalisation, batch size {size} raises {metric.upper()} over 16 "
            f"(printed: {points:+.1f}; learning rate {how})",
            "recurrent_batch_normalisation", f"table3-{size}{rule}", "table3-16", metric, points,
        )
        for size in (32, 64)
        for metric, points in (
            ("ua", _BATCHES[size].ua - _BATCHES[16].ua), ("wa", _BATCHES[size].wa - _BATCHES[16].wa)
        )
        for rule, how in (("", "held"), ("-scaled", "scaled"))
    ),
    AnyDiffers(
        "batchnorm-batch-size", PASSAGES["larger batches"],
        "With recurrent batch normalisation, the batch size influences the performance (the paper: strongly, the "
        "larger the better; tested as UA, in either direction)",
        "recurrent_batch_normalisation", tuple(name for name in dict.fromkeys(_NORMALISED) if name != "table3-16"),
        "table3-16",
    ),
    *(
        Difference(
            f"batchnorm-64{rule}-almost", PASSAGES["almost"],
            "With recurrent batch normalisation, batch size 64 almost reaches the best model "
            f"(tested as UA; learning rate {how})",
            "recurrent_batch_normalisation", f"table3-64{rule}", "table1-best", "ua", +1, MARGIN,
        )
        for rule, how in (("", "held"), ("-scaled", "scaled"))
    ),
    *(
        Difference(
            f"batchnorm-{size}{rule}-ua", PASSAGES["still larger batches"],
            f"With recurrent batch normalisation, batch size {size} does better still than 64 "
            f"(the paper: possibly; tested as UA; learning rate {how})",
            "recurrent_batch_normalisation", f"batch-{size}{rule}", f"table3-64{rule}", "ua", +1,
        )
        for size in (128, 256)
        for rule, how in (("", "held"), ("-scaled", "scaled"))
    ),
    *(
        NoneBetter(
            f"batchnorm-no-gain{suffix}", PASSAGES["no gain"],
            f"Recurrent batch normalisation does not increase the performance over {words} (tested as UA)",
            "recurrent_batch_normalisation", tuple(dict.fromkeys(_NORMALISED)), reference,
        )
        for suffix, words, reference in (
            ("", "the same network without it", "table1-best"),
            ("-baseline", "Table 1's baseline", "table1-baseline"),
        )
    ),
    *(
        Growth(
            f"batchnorm-small-batch{rule}", PASSAGES["small batches"],
            "Small batches are why recurrent batch normalisation brings no gain: 64 instead of 16 helps a network with "
            f"it more than the same network without it (the paper: perhaps; tested as UA; learning rate {how})",
            "recurrent_batch_normalisation", f"table3-64{rule}", f"table3-64{rule}-without", "table3-16", "table1-best",
            "ua",
        )
        for rule, how in (("", "held"), ("-scaled", "scaled"))
    ),
    AnyDiffers(
        "sensitive", PASSAGES["sensitive"],
        "The data are sensitive to normalisation: it matters what the recurrent one averages over (tested as UA)",
        "recurrent_batch_normalisation", ("batchnorm-gate", "batchnorm-frame"), "batchnorm-4x1",
    ),
    *(
        AnyDiffers(
            f"normalisation-sensitive{rule}", PASSAGES["sensitive"],
            "The data are sensitive to normalisation: it matters whether spectrograms are normalised (tested as "
            f"UA{how})",
            "ablations", (f"normalisation-none{rule}-4",), reference,
        )
        for rule, how, reference in (
            ("", "", "table1-baseline"), ("-slow", "; at a tenth of the learning rate", "normalisation-slow-4")
        )
    ),
    LayerRatio(
        "gradients-norm", PASSAGES["gradients"],
        "The gradient of the convolutions is much larger than that of the Bi-LSTM (norm)", "gradients",
        "table1-baseline", per_weight=False,
    ),
    LayerRatio(
        "gradients-per-weight", PASSAGES["gradients"],
        "The gradient of the convolutions is much larger than that of the Bi-LSTM (per weight)", "gradients",
        "table1-baseline", per_weight=True,
    ),
    Pace(
        "pace", PASSAGES["pace"],
        f"Convolutions and Bi-LSTM are trained at a very different pace (a factor of {PACE:g}; steps against the size "
        "of the weights; gradients have lines of their own)",
        "gradients",
        "table1-baseline",
    ),
    NoneBetter(
        "layerwise", PASSAGES["layer-wise"],
        f"No layer-wise η, γ or β is better, and none can be by {MARGIN:g} points (the paper: none conclusively; "
        "tested as UA; β as η, which it rescales)",
        "optimizer",
        _LAYERWISE, "table1-baseline",
    ),
    Distinct(
        "beta-constant", PASSAGES["beta"],
        "A constant β gives a control that the learning rate does not (the paper: better control of the momentum term)",
        "optimizer",
        "convolution-beta-4", "convolution-learning-rate-0.04",
    ),
    Difference(
        "pooling-ua", PASSAGES["pooling"],
        "Pooling in place of strides lowers the performance (the paper: noticeably; tested as UA)", "ablations",
        "pooling-max", "table1-baseline", "ua", -1,
    ),
    Variety(
        "batch-variety", PASSAGES["variety"], "A smaller batch gives more variety of gradient directions",
        "gradients", "table1-baseline", 16, 64,
    ),
    Course(
        "normalisation-speed", PASSAGES["convergence"],
        "Normalising the spectrogram speeds up convergence", "ablations",
        "normalisation-none-4", depth_name(4, 1), "learn", +1,
    ),
    Course(
        "normalisation-speed-slow", PASSAGES["convergence"],
        "Normalising speeds up convergence (at a tenth of the learning rate)", "ablations",
        "normalisation-none-slow-4", "normalisation-slow-4", "learn", +1,
    ),
    *(
        Course(
            f"normalisation-overfits-{number}", PASSAGES["small depth"],
            f"With {number} convolution{'s' if number > 1 else ''}, normalising results in overfitting (the paper: "
            "strong)",
            "ablations", depth_name(number, 1), f"normalisation-none-{number}", "rise", +1,
        )
        for number in (1, 2)
    ),
    *(
        Course(
            f"normalisation-overfits-{number}-slow", PASSAGES["small depth"],
            f"With {number} convolution{'s' if number > 1 else ''}, normalising results in overfitting (the paper: "
            "strong; at a tenth of the learning rate)",
            "ablations", f"normalisation-slow-{number}", f"normalisation-none-slow-{number}", "rise", +1,
        )
        for number in (1, 2)
    ),
    *(
        Course(
            f"normalisation-overfits-{number}-depth", PASSAGES["small depth"],
            f"Normalised, a network of {number} convolution{'s' if number > 1 else ''} overfits more than one of 4",
            "ablations", depth_name(number, 1), depth_name(4, 1), "rise", +1,
        )
        for number in (1, 2)
    ),
    Best(
        "depth", PASSAGES["depth"], "4 convolutions and 1 Bi-LSTM layer are best (tested as UA)", "depth",
        tuple(name for name in members("depth") if name != depth_name(4, 1)), depth_name(4, 1),
    ),
)  # fmt: skip
"""What runs, or recordings, decide."""

UNTESTABLE = (
    Untestable(
        "competitive",
        PASSAGES["headline"],
        "64.5 / 61.7 is highly competitive",
        "printed_numbers",
        "no line is drawn, and footnote 1 finds scores of five folds incomparable; beside it stand "
        + " and ".join(f"{score.wa} / {score.ua}" for score in _OTHERS.values()),
    ),
    Untestable(
        "state-of-the-art",
        PASSAGES["state of the art"],
        "The state of the art has been achieved in [6]",
        "printed_numbers",
        "a statement on the literature of 2018",
    ),
    Untestable(
        "others-five-folds",
        PASSAGES["others"],
        "All other results on IEMOCAP use five folds",
        "printed_numbers",
        "a statement on the literature of 2018",
    ),
    Untestable(
        "gpu-memory",
        PASSAGES["memory"],
        "Their GPU's memory allowed no batch above 64",
        "recurrent_batch_normalisation",
        "the network and the GPU are not described; larger batches are run here",
    ),
    Untestable(
        "release",
        PASSAGES["recordings"],
        "Twelve hours of recordings",
        "corpora",
        "a statement on the release as a whole; its improvised turns, and counts of its labels, are all that is used "
        "here",
    ),
    Untestable(
        "labelling",
        PASSAGES["labels"],
        "Six students labelled it, three at a time, with one emotion or several; the majority decides",
        "corpora",
        "a statement on how the release was made, of which only the outcome is used here",
    ),
    Untestable(
        "more-appropriate",
        PASSAGES["ten folds"],
        "Ten folds are the correct, more appropriate way to measure",
        "protocols",
        "a judgement; what the protocols are worth against each other is measured",
    ),
    Untestable(
        "ua-relevant",
        PASSAGES["unweighted"],
        "UA is the more relevant accuracy for imbalanced classes, and what most works report",
        "tables",
        "a judgement, and a statement on the literature of 2018; both accuracies are reported here",
    ),
    Untestable(
        "dimensionality",
        PASSAGES["convolutions"],
        "Convolutions reduce dimensionality and simplify training; deep ones extract high-level features",
        "depth",
        "two interpretations, from which nothing is predicted; what depth is worth is measured",
    ),
    Untestable(
        "vocal-tract",
        PASSAGES["vocal tract"],
        "Vocal tracts of different lengths shift formants by factors of 0.9 to 1.1; f0 lies above the highest of them",
        "spectrograms",
        "quoted from the paper's [13]; formants are not measured here",
    ),
    Untestable(
        "invariance",
        PASSAGES["invariance"],
        "VTLP enforces invariance to speaker-dependent features",
        "ablations",
        "an aim, for which no measure is named; what VTLP does to scores is measured",
    ),
    Untestable(
        "easier",
        PASSAGES["easier"],
        "Augmentation is easier to implement than normalising each speaker's vocal tract length",
        "spectrograms",
        "a judgement; the factor of a speaker is not estimated here",
    ),
    Untestable(
        "small-size",
        PASSAGES["drawbacks"],
        "IEMOCAP's small size is a drawback",
        "corpora",
        "a judgement; what more speakers would do for scores takes recordings that IEMOCAP does not have",
    ),
    Untestable(
        "architecture",
        PASSAGES["architecture"],
        "Convolutions in front of recurrent layers have recently shown very competitive performance",
        "model",
        "a statement on the literature of 2018",
    ),
    Untestable(
        "conservative",
        PASSAGES["conservative"],
        "Averaging over all the axes is the most conservative normalisation, and preserves the signal's structure most",
        "recurrent_batch_normalisation",
        "no measure is named; what averaging over fewer axes does to scores is measured",
    ),
    Untestable(
        "indispensable",
        PASSAGES["indispensable"],
        "Batch normalisation is indispensable in most image recognition tasks",
        "recurrent_batch_normalisation",
        "a statement on the literature of 2018, and on images",
    ),
    Untestable(
        "steeper",
        PASSAGES["steeper"],
        "The loss surface is steeper and deeper along the weights of the convolutions",
        "gradients",
        "an interpretation of the gradients, which are measured; how deep a surface is along some weights is undefined",
    ),
    Untestable(
        "layerwise-direction",
        PASSAGES["direction"],
        "Adjusting η, γ and β by layer is an interesting direction, and more thorough experiments might gain more",
        "optimizer",
        f"a suggestion; {len(FAMILIES['layerwise'].references)} adjustments are tried",
    ),
    Untestable(
        "beta-elsewhere",
        PASSAGES["other settings"],
        "Whether eq. 6 improves momentum in other settings is worth a test",
        "optimizer",
        "a suggestion; with a constant β it cannot, and schedules are tried",
    ),
)
"""What nothing here can decide."""

STATEMENTS: tuple[Statement, ...] = (*PRINTED, *MEASURED, *UNTESTABLE)

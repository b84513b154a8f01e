"""Figures, drawn from tidy tables and arrays; pure functions (Figures 1, 2 and 3, eq. 1, Tables 1, 2 and 3, Section 3).

Call :func:`ser_lib.style.use` once before. Each function returns a figure that pyplot knows nothing of, so that a
notebook shows it once, where it is returned. UA and validation are drawn solid and filled, WA and training dashed or
hollow.
"""

import math
import textwrap
from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
import pandas as pd
import seaborn as sns
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.legend_handler import HandlerTuple
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Patch, Rectangle

from ser_lib import audio, features, inference, optim, paper, scoring, style, tables, vtlp, wording
from ser_lib.corpora import EMOTIONS, TITLES, iemocap
from ser_lib.errors import SerError
from ser_lib.experiments import BATCH_SIZES, FAMILIES, batch_name, family_of
from ser_lib.folds import Fold, oversample

GREY = "#767676"
"""What belongs to the drawing, not to the data: reference lines, outlines, arrows."""

WITHOUT = "#8A5A00"
"""Our runs without what the figure is about, beside `style.OURS` with it."""

METRICS = {"ua": "unweighted accuracy", "wa": "weighted accuracy"}
"""Column of a table of scores -> its name, in the order in which figures show them."""

TECHNIQUES = {
    "table1-baseline": "baseline",
    "table1-oversampling": "+ over-\nsampling",
    "table1-vtlp": "+ VTLP",
    "table1-best": "+ 8 kHz\n(best)",
}
"""Experiment of Table 1 -> what it adds to the one before."""

_SECONDS_PER_FRAME = features.HOP / audio.SAMPLE_RATE
_PAPER_MARKER = "*"
_BLOCKS_IN_A_ROW = 9
_NORMALISATION = {
    "normalised": {"color": style.OURS},
    "not normalised": {"color": WITHOUT, "marker": "o", "markersize": 3},
}


def class_distribution(counts: pd.Series, title: str) -> Figure:
    """How many utterances carry each label, the most frequent on top; the four emotions in use are filled.

    Args:
        counts: utterances by label, shape (labels,); IEMOCAP's codes are written out.
        title: what was counted.

    Returns:
        The figure.

    Source: Fig. 1.
    """
    counts = counts.rename(index=iemocap.CODES).sort_values(kind="stable")
    figure = Figure(figsize=style.size(height=0.9 + 0.25 * len(counts)))
    axes = figure.subplots()
    colours = [style.EMOTION.get(label, "white") for label in counts.index]
    edges = [style.EMOTION.get(label, GREY) for label in counts.index]
    bars = axes.barh(counts.index, counts, color=colours, edgecolor=edges)
    axes.bar_label(bars, padding=3, fontsize=8)
    axes.set(title=title, xlabel="utterances")
    axes.grid(axis="y", visible=False)
    axes.margins(x=0.08, y=0.02)
    if not set(counts.index) <= set(EMOTIONS):
        used = tuple(Patch(color=colour) for colour in style.EMOTION.values())
        left_out = Patch(facecolor="white", edgecolor=GREY)
        handlers = {tuple: HandlerTuple(ndivide=None, pad=0)}
        axes.legend([used, left_out], ["the four emotions", "left out"], handler_map=handlers, loc="lower right")
    return figure


def class_distributions(counts: Mapping[str, pd.Series]) -> Figure:
    """How many utterances of each of the four emotions a corpus holds, side by side.

    Args:
        counts: title of each corpus -> utterances by emotion, shape (emotions,); an absent emotion counts none.

    Returns:
        The figure; each panel has its own scale.

    Source: Fig. 1, for our corpora.
    """
    figure = Figure(figsize=style.size(height=2.1))
    grid = figure.subplots(1, max(len(counts), 1), sharey=True, squeeze=False)[0]
    if not counts:
        _say_not_run(grid[0], wording.NOT_RUN)
        grid[0].set_axis_off()
    for axes, (title, of_corpus) in zip(grid, counts.items(), strict=False):
        numbers = of_corpus.reindex(EMOTIONS, fill_value=0).to_numpy()
        _draw_emotions(axes, title, numbers, numbers)
    grid[0].invert_yaxis()
    return figure


def warp_curves(alphas: Sequence[float], knee: float = 0.9) -> Figure:
    """Where eq. 1 moves each frequency, and by how much, with f_max = 8 kHz.

    Args:
        alphas: warp factors, shape (curves,).
        knee: f0 as a share of f_max.

    Returns:
        The figure.

    Source: eq. 1 (Section 2).
    """
    limit = 8.0
    # 0, the knee and f_max are all there is to a curve of two straight pieces.
    f = torch.tensor([0, knee, 1], dtype=torch.float64)
    figure = Figure(figsize=style.size(height=3.1))
    moved, shift = figure.subplots(1, 2)
    for alpha, colour in zip(alphas, _shades(len(alphas)), strict=True):
        warped = vtlp.warped_frequency(f, torch.tensor(alpha, dtype=torch.float64), knee)
        moved.plot(limit * f, limit * warped, color=colour, label=f"{alpha:.2f}")
        shift.plot(limit * f, limit * (warped - f), color=colour)
    for axes in (moved, shift):
        axes.axvline(limit * knee, color=GREY, linestyle=":", linewidth=1)
        axes.set(xlabel="frequency f (kHz)", xlim=(0, limit), xticks=range(0, 9, 2))
    moved.annotate(
        f"knee f₀ = {limit * knee:.1f} kHz", (limit * knee, 0.3), xytext=(-4, 0), textcoords="offset points",
        ha="right", color=GREY, fontsize=8,
    )  # fmt: skip
    moved.set(title="where f goes", ylabel="warped frequency G(f) (kHz)", ylim=(0, limit + 0.1), yticks=range(0, 9, 2))
    shift.set(title="how far it moves", ylabel="shift G(f) − f (kHz)")
    moved.legend(title="α", reverse=True)
    return figure


def warps(picture: np.ndarray | torch.Tensor, alphas: Sequence[float], frequency_range: int) -> Figure:
    """A spectrogram warped by each factor; as it is for the factor 1, which comes first if it is not named.

    Args:
        picture: level in dB, shape (frequency, time), from 0 Hz to the frequency range.
        alphas: warp factors, shape (warps,).
        frequency_range: 4 or 8, kHz.

    Returns:
        The figure: a panel each, all with one scale of dB.

    Raises:
        SerError: the picture does not have the bins of that range.

    Source: Section 2.
    """
    picture = torch.as_tensor(picture)
    if picture.dim() != 2 or picture.shape[0] != features.BINS[frequency_range]:
        raise SerError(
            f"a spectrogram up to {frequency_range} kHz has shape ({features.BINS[frequency_range]}, time), "
            f"not {tuple(picture.shape)}"
        )
    alphas = alphas if 1 in alphas else [1.0, *alphas]
    panels = {"original" if a == 1 else f"α = {a:.2f}": vtlp.warp_rows(picture, a) for a in alphas}
    rows = math.ceil(len(panels) / 4)
    columns = math.ceil(len(panels) / rows)
    figure = Figure(figsize=style.size(height=0.5 + 2.3 * rows), dpi=200)  # dots count for the pictures in an SVG
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    extent = (0, picture.shape[1] * _SECONDS_PER_FRAME, 0, frequency_range)
    scale = {"vmin": float(picture.min()), "vmax": float(picture.max())}
    for axes, (title, panel) in zip(grid.flat, panels.items(), strict=False):
        image = axes.imshow(panel.numpy(), extent=extent, interpolation="antialiased", **scale)
        axes.set(title=title, yticks=range(frequency_range + 1))
        axes.grid(visible=False)
    for axes in grid.flat[len(panels) :]:
        axes.set_axis_off()
    figure.supxlabel("time (s)", fontsize=9)
    figure.supylabel("frequency (kHz)", fontsize=9)
    figure.colorbar(image, ax=grid, label="level (dB, full-scale sine = 0)")
    return figure


def frame_lengths(lengths: Mapping[str, np.ndarray]) -> Figure:
    """Share of utterances up to each length, by corpus, with the shortest and longest that the paper names.

    Args:
        lengths: title of each corpus -> frames of its utterances, shape (utterances,).

    Returns:
        The figure; frames below, seconds above.

    Source: Section 3 ("from 21 to 909 time steps").
    """
    names = {title: name for name, title in TITLES.items()}
    figure = Figure(figsize=style.size(height=3.3))
    axes = figure.subplots()
    for title, frames in lengths.items():
        sns.ecdfplot(np.asarray(frames), stat="percent", ax=axes, color=style.CORPUS[names[title]], label=title)
    shortest, longest = paper.NUMBERS["frames"].value
    for frames, side in ((shortest, "left"), (longest, "right")):
        axes.axvline(frames, color=style.PAPER, linestyle="--", linewidth=1)
        axes.annotate(
            f"paper: {frames}", (frames, 0.5), xycoords=axes.get_xaxis_transform(), rotation=90, va="center",
            xytext=(3 if side == "left" else -3, 0), textcoords="offset points", ha=side, fontsize=8,
        )  # fmt: skip
    axes.set_xscale("log")
    _plain_ticks(axes.xaxis, [10, 20, 50, 100, 200, 500, 1000])
    axes.set(xlabel="length (frames)", ylabel="utterances up to this length (%)", ylim=(0, 101))
    seconds = axes.secondary_xaxis("top", functions=(frames_to_seconds, seconds_to_frames))
    _plain_ticks(seconds.xaxis, [0.5, 1, 2, 5, 10, 20])
    seconds.set_xlabel("length (s)")
    if lengths:
        axes.legend(loc="lower right", bbox_to_anchor=(0.93, 0))
    else:
        _say_not_run(axes, wording.NOT_RUN)
    return figure


def frames_to_seconds(frames: np.ndarray) -> np.ndarray:
    """The shortest duration that fills so many frames, in seconds: windows of 64 ms, 32 ms apart (Section 3)."""
    return (np.asarray(frames, dtype=float) - 1) * _SECONDS_PER_FRAME + features.WINDOW / audio.SAMPLE_RATE


def seconds_to_frames(seconds: np.ndarray) -> np.ndarray:
    """The inverse of :func:`frames_to_seconds`, not rounded."""
    return (np.asarray(seconds, dtype=float) - features.WINDOW / audio.SAMPLE_RATE) / _SECONDS_PER_FRAME + 1


def fold_counts(table: pd.DataFrame, fold: Fold, factor: int = 1) -> Figure:
    """How many utterances of each emotion train, validate and test in one fold.

    Args:
        table: utterances of the corpus, with the column ``emotion``.
        fold: row positions of the three parts.
        factor: how often happiness and anger occur in training; what oversampling adds is hatched.

    Returns:
        The figure; each panel has its own scale.

    Source: Section 3, first paragraph; Table 1 ("Oversampling (×2) of happiness and anger").
    """
    emotions = table["emotion"].to_numpy()
    parts = {
        "training": (fold.train, factor),
        f"validation: {_who(fold.validation_speaker)}": (fold.validation, 1),
        f"test: {_who(fold.test_speaker)}": (fold.test, 1),
    }
    figure = Figure(figsize=style.size(height=2.1))
    grid = figure.subplots(1, 3, sharey=True, width_ratios=[1.6, 1, 1])
    for axes, (title, (rows, times)) in zip(grid, parts.items(), strict=True):
        once, repeated = _counts(emotions[rows]), _counts(emotions[oversample(rows, emotions, times)])
        _draw_emotions(axes, title, once, repeated)
    grid[0].invert_yaxis()
    return figure


def learning_curves(history: pd.DataFrame, best_epoch: int) -> Figure:
    """Loss and validation scores of one run, epoch by epoch, and the epoch that was chosen.

    Args:
        history: ``epoch, training_loss, validation_loss, validation_wa, validation_ua``, one row per epoch.
        best_epoch: the epoch whose weights were kept.

    Returns:
        The figure.

    Raises:
        SerError: an epoch occurs twice, as it does in the histories of several runs.

    Source: Section 3, third paragraph (the paper shows no such curve).
    """
    _refuse_several_runs(history, "epoch")
    figure = Figure(figsize=style.size(height=3.2))
    loss, score = figure.subplots(1, 2)
    history = history.set_index("epoch")
    loss.plot(history["training_loss"], "--", color=style.OURS, label="training")
    loss.plot(history["validation_loss"], color=style.OURS, label="validation")
    score.plot(100 * history["validation_wa"], "--", color=style.OURS, label="WA")
    score.plot(100 * history["validation_ua"], color=style.OURS, label="UA")
    loss.plot(best_epoch, history.loc[best_epoch, "validation_loss"], "o", color=style.OURS)
    score.plot(best_epoch, 100 * history.loc[best_epoch, "validation_ua"], "o", color=style.OURS)
    for axes in (loss, score):
        axes.axvline(best_epoch, color=GREY, linestyle=":", linewidth=1, label=f"chosen epoch: {best_epoch}")
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(mpl.ticker.MaxNLocator(integer=True))
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=3, columnspacing=1, handlelength=1.8)
    loss.set(title="loss", ylabel="cross-entropy (nats)")
    score.set(title="validation speaker", ylabel="accuracy (%)")
    return figure


def confusion(predictions: pd.DataFrame) -> Figure:
    """Which emotion was taken for which.

    Args:
        predictions: ``truth`` and ``prediction`` of each utterance.

    Returns:
        The figure: a row per true emotion, in per cent of the row, with the number of utterances.

    Source: the paper shows none; its UA is the mean of the diagonal.
    """
    counts = pd.crosstab(predictions["truth"], predictions["prediction"])
    counts = counts.reindex(index=EMOTIONS, columns=EMOTIONS, fill_value=0)
    totals = counts.sum(axis=1)
    share = 100 * counts.div(totals.where(totals > 0), axis=0)
    texts = share.map("{:.0f} %\n".format) + counts.astype(str)
    figure = Figure(figsize=style.size(0.72, 3.9))
    axes = figure.subplots()
    sns.heatmap(
        share, annot=texts, fmt="", vmin=0, vmax=100, cmap=style.SEQUENTIAL, linewidths=1, square=True, ax=axes,
        cbar_kws={"label": "share of the true emotion (%)"}, annot_kws={"fontsize": 9},
    )  # fmt: skip
    axes.set_yticklabels([f"{emotion}\n({totals[emotion]})" for emotion in EMOTIONS], rotation=0)
    axes.tick_params(length=0)
    axes.grid(visible=False)
    axes.set(xlabel="predicted emotion", ylabel="true emotion (utterances)")
    return figure


def architecture(description: pd.DataFrame, picture: tuple[int, int] | None = None) -> Figure:
    """The network, from the spectrogram to the four probabilities.

    Args:
        description: ``layer, output, parameters``, as :func:`ser_lib.model.describe` returns them.
        picture: (bins, frames) of the spectrogram that the description is for; named, not numbered, if None.

    Returns:
        The figure: a block per layer with the shape of its output, and its parameters below; rows of nine blocks.

    Source: Fig. 2.
    """
    blocks = _blocks(description, picture)
    rows = [blocks[first : first + _BLOCKS_IN_A_ROW] for first in range(0, len(blocks), _BLOCKS_IN_A_ROW)]
    width, height, left = style.PAGE, 1.75 * len(rows), 0.7
    pitch = (width - left - 0.12) / _BLOCKS_IN_A_ROW
    figure = Figure(figsize=style.size(height=height), layout="none")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(0, height))  # units are inches
    axes.set_axis_off()
    for number, row in enumerate(rows):
        bottom = height - 1.75 * (number + 1) + 0.5
        axes.text(0.06, bottom + 0.38, "output", fontsize=7, color=GREY, va="center")
        axes.text(0.06, bottom - 0.18, "parameters", fontsize=7, color=GREY, va="center")
        for place, block in enumerate(row):
            start = left + 0.12 + place * pitch
            _draw_block(axes, block, start, bottom, pitch - 0.12)
            if number + place:
                ends = (start - 0.12, bottom + 0.55), (start, bottom + 0.55)
                axes.add_patch(FancyArrowPatch(*ends, arrowstyle="-|>", mutation_scale=6, color=GREY, shrinkA=0))
    return figure


def table1_scores(summary: pd.DataFrame) -> Figure:
    """The four experiments of Table 1: the paper's score beside ours, a mark per corpus.

    Args:
        summary: as :func:`ser_lib.scoring.summary` returns it; corpora and experiments may be missing.

    Returns:
        The figure: UA and WA in per cent; ours are means over speakers with 95 % intervals from `MINIMUM_FOLDS`
        speakers on, the paper printed none.

    Source: Table 1.
    """
    names = list(TECHNIQUES)
    part = summary[summary["experiment"].isin(names)]
    corpora = _corpora_of(part)
    figure = Figure(figsize=style.size(height=3.9))
    grid = figure.subplots(1, 2, sharey=True)
    offsets = np.linspace(-0.3, 0.3, len(corpora) + 1)
    for axes, (metric, label) in zip(grid, METRICS.items(), strict=True):
        printed = [getattr(technique, metric) for technique in paper.TABLE1]
        axes.plot(
            np.arange(len(names)) + offsets[0], printed, _PAPER_MARKER, color=style.PAPER, markersize=8,
            label="paper, IEMOCAP: no interval printed",
        )  # fmt: skip
        for corpus, offset in zip(corpora, offsets[1:], strict=True):
            ours = part[part["corpus"] == corpus].set_index("experiment")
            _draw_means(axes, ours.reindex(names), metric, offset, corpus, _mean_label(ours, corpus, len(names)))
        axes.set(title=label, xlim=(-0.5, len(names) - 0.5))
        axes.set_xticks(range(len(names)), TECHNIQUES.values())
        axes.grid(axis="x", visible=False)
        for border in np.arange(len(names) - 1) + 0.5:
            axes.axvline(border, color="#dddddd", linewidth=0.6)
    grid[0].set_ylabel("accuracy (%)")
    figure.legend(*grid[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def fold_scores(scored: pd.DataFrame, corpus: str, experiment: str = "table1-best") -> Figure:
    """How much the score depends on the test speaker: the paper's Table 2, and beside it one of our corpora.

    Args:
        scored: as :func:`ser_lib.scoring.scores` returns them.
        corpus: whose runs to show.
        experiment: which of its experiments.

    Returns:
        The figure: UA above WA, in per cent; a mark per run, a bar per speaker (mean over seeds), and the mean over
        speakers with its 95 % interval from `MINIMUM_FOLDS` speakers on.

    Source: Table 2.
    """
    printed = paper.table2().rename(columns={"speaker": "test_speaker"})
    part = scoring.of_experiment(scored, corpus, experiment).sort_values(["fold", "seed"])
    part = part.assign(**{metric: 100 * part[metric] for metric in METRICS})
    figure = Figure(figsize=style.size(height=4.6))
    grid = figure.subplots(2, 2, sharex="col", sharey=True)
    for row, (metric, label) in zip(grid, METRICS.items(), strict=True):
        _draw_folds(row[0], printed, metric, style.PAPER, _PAPER_MARKER)
        if len(part):
            _draw_folds(row[1], part, metric, style.CORPUS[corpus], style.MARKER[corpus])
        else:
            _say_not_run(row[1], _absent(corpus))
            row[1].set_xticks([])
        row[0].set_ylabel(f"{label} (%)")
    grid[0, 0].set_title("paper, IEMOCAP")
    grid[0, 1].set_title(f"ours, {TITLES[corpus]}")
    for axes in grid[1]:
        axes.set_xlabel("test speaker")
    return figure


def cost_growth(growth: Mapping[str, pd.DataFrame]) -> Figure:
    """How the cost of training grows with utterances, with their frames, and with runs at once.

    Args:
        growth: as :func:`ser_lib.speed.growth` returns it.

    Returns:
        The figure: seconds of an epoch by utterances and by frames, on logarithmic scales beside a line of exact
        proportion through the middle measurement, and the throughput by runs at once beside that of one run repeated.

    Source: none in the paper; ``benchmarks/growth.py``.
    """
    figure = Figure(figsize=style.size(height=2.8))
    panels = figure.subplots(1, 3)
    for axes, name, column, label in zip(
        panels, ("by_utterances", "by_frames"), ("utterances", "frames"), ("utterances", "frames per utterance"),
        strict=False,
    ):  # fmt: skip
        measured = growth[name]
        middle = measured.iloc[len(measured) // 2]
        axes.loglog(measured[column], measured["seconds"], color=style.OURS, marker="o", label="measured")
        proportion = middle["seconds"] * measured[column] / middle[column]
        axes.loglog(measured[column], proportion, color=GREY, linestyle=":", label="in proportion")
        axes.set(xlabel=label, ylabel="epoch (s)", xticks=measured[column], xticklabels=measured[column])
        axes.minorticks_off()
    at_once = growth["by_runs_at_once"]
    rate = at_once["utterances_per_second"]
    panels[2].plot(at_once["runs"], rate, color=style.OURS, marker="o")
    panels[2].plot(at_once["runs"], rate[0] * at_once["runs"] / at_once["runs"][0], color=GREY, linestyle=":")
    panels[2].set(xlabel="runs at once", ylabel="throughput (utterances/s)", xticks=at_once["runs"], ylim=0)
    panels[0].legend()
    return figure


def gradient_norms(gradients: pd.DataFrame) -> Figure:
    """Norm of the loss gradient of each layer over the epochs of one run.

    Args:
        gradients: ``epoch`` and a column per layer (conv 1, ..., dense); where there is a row per step, the line is the
            mean of an epoch and the band holds 90 % of its steps.

    Returns:
        The figure, with a logarithmic axis.

    Raises:
        SerError: the table holds several runs.

    Source: Fig. 3.
    """
    _refuse_several_runs(gradients, "epoch", "step")
    return _layer_lines(gradients, ("pi", 90), "norm of the gradient (Euclidean)")


def layer_curves(table: pd.DataFrame, title: str, quantity: str) -> Figure:
    """What each layer does over the epochs, over all runs of one experiment on one corpus.

    Args:
        table: ``corpus, experiment, fold, seed, epoch`` and a column per layer (conv 1, ..., dense), a row per run and
            epoch: gradients or updates of :class:`ser_lib.records.Results`.
        title: whose runs they are.
        quantity: what the columns hold, for the axis: "gradient norm", or "update as a share of the weights' norm, per
            step".

    Returns:
        The figure, with a logarithmic axis: the mean over runs, and a band from the lowest to the highest run. Epochs
        that fewer than half of the runs reached are left out: training stops early, and few runs say little.

    Raises:
        SerError: the table holds several corpora or experiments.

    Source: Fig. 3, Section 3.1.
    """
    _refuse_mixture(table, "corpus", "experiment")
    if table.empty:
        figure = Figure(figsize=style.size(height=3.3))
        axes = figure.subplots()
        axes.set(title=title, xlabel="epoch", ylabel=quantity, xticks=[], yticks=[])
        _say_not_run(axes, wording.NOT_RUN)
        return figure
    figure = _layer_lines(_reached_by_half(table), ("pi", 100), quantity)
    runs = len(table[scoring.RUN].drop_duplicates())
    figure.axes[0].set(title=title)
    figure.axes[0].get_legend().set_title(wording.counted(runs, "run"))
    return figure


def paired_differences(
    scored: pd.DataFrame,
    corpus: str,
    references: Mapping[str, str],
    metric: str = "ua",
    failures: pd.DataFrame | None = None,
) -> Figure:
    """What each experiment adds to the one that it is compared with, paired by fold and seed.

    Args:
        scored: as :func:`ser_lib.scoring.scores` or :func:`ser_lib.scoring.validation_scores` return them.
        corpus: whose runs to show.
        references: experiment -> the one that it is compared with, a row each, in this order from the top.
        metric: ``ua`` or ``wa``.
        failures: runs whose loss did not stay finite, to tell experiments that diverged from those not run.

    Returns:
        The figure, in percentage points: a dot per fold (mean over seeds), a mark for their mean and, from
        `MINIMUM_FOLDS` folds on, its 95 % interval.

    Source: Sections 3 and 3.1, as far as they compare without a table.
    """
    failures = pd.DataFrame(columns=scoring.RUN) if failures is None else failures
    colour, marker = style.CORPUS[corpus], style.MARKER[corpus]
    face = colour if metric == "ua" else "white"
    figure = Figure(figsize=style.size(height=1.35 + 0.3 * len(references)))
    axes = figure.subplots()
    axes.axvline(0, color=GREY, linewidth=1)
    labels = []
    for row, (experiment, reference) in enumerate(references.items()):
        points = 100 * scoring.paired_difference(scored, corpus, experiment, reference, metric)
        labels.append(f"{experiment} ({wording.counted(len(points), 'fold')})" if len(points) else experiment)
        if not len(points):
            (own,) = scoring.in_common(scored, corpus, [experiment])
            words = wording.NOTHING_SHARED if len(own) else wording.absence(failures, corpus, experiment)
            axes.text(
                0.5, row, words, transform=axes.get_yaxis_transform(), ha="center", va="center", color=GREY, fontsize=8,
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
            )  # fmt: skip
            continue
        axes.plot(points, np.full(len(points), row + 0.22), "o", color=colour, markersize=2.5, alpha=0.7)
        if len(points) >= scoring.MINIMUM_FOLDS:
            axes.hlines(row, *scoring.supported_interval(points), color=colour)
        axes.plot(points.mean(), row, marker, color=colour, markerfacecolor=face, markersize=6)
    axes.set_yticks(range(len(labels)), labels)
    axes.set(
        title=f"ours, {TITLES[corpus]}", ylim=(len(labels) - 0.4, -0.6),
        xlabel=f"{metric.upper()} minus that of the experiment compared with (percentage points)",
    )  # fmt: skip
    axes.grid(axis="y", visible=False)
    if not axes.lines[1:]:  # nothing but the line at zero
        axes.set(xlim=(-1, 1), xticks=[0])
    marks = {
        "one fold": Line2D([], [], color=colour, marker="o", markersize=2.5, linestyle="none", alpha=0.7),
        "mean over folds": Line2D(
            [], [], color=colour, marker=marker, markerfacecolor=face, markersize=6, linestyle="none"
        ),
        f"95 % interval, from {scoring.MINIMUM_FOLDS} folds on": Line2D([], [], color=colour),
    }
    figure.legend(marks.values(), marks, loc="outside lower center", ncols=3)
    return figure


def depth_map(scores: pd.DataFrame, costs: pd.DataFrame) -> Figure:
    """How well each network of the depth study does, and what it costs.

    Args:
        scores: as :func:`ser_lib.tables.depth_scores` returns them.
        costs: as :func:`ser_lib.tables.depth_costs` returns them.

    Returns:
        The figure: a row per number of convolutions, a column per number of Bi-LSTM layers. Scores in per cent on the
        left, hatched where a network was not run; on the right million multiply-adds of an utterance, and below them
        thousand parameters.

    Source: Section 3 (the paper prints neither).
    """
    work = costs.pivot(index="convolutions", columns="layers", values="multiply_adds") / 1e6
    weights = costs.pivot(index="convolutions", columns="layers", values="parameters") / 1e3
    metric, folds = scores.attrs.get("metric", "ua"), len(scores.attrs.get("folds", ()))
    figure = Figure(figsize=style.size(height=3.9))
    left, right = figure.subplots(1, 2)
    _draw_map(left, 100 * scores, (100 * scores).map("{:.1f}".format))
    _draw_map(right, work, work.map("{:.1f}".format) + "\n" + weights.map("{:.0f} k".format))
    count = f", mean of {wording.counted(folds, 'fold')}" if folds else ""
    corpus = f"{TITLES[scores.attrs['corpus']]}: " if "corpus" in scores.attrs else ""
    left.set_title(f"{corpus}{metric.upper()} (%){count}")
    right.set_title("million multiply-adds, parameters")
    if scores.isna().to_numpy().any():
        words = f"hatched, –: {wording.NOT_RUN}"
        left.annotate(
            words, (0, 0), (0, -38), xycoords="axes fraction", textcoords="offset points", color=GREY, fontsize=8
        )
    return figure


def table3_scores(scored: pd.DataFrame, metric: str = "ua") -> Figure:
    """Recurrent batch normalisation by batch size: the paper's score beside ours, a mark per corpus.

    Args:
        scored: as :func:`ser_lib.scoring.scores` or :func:`ser_lib.scoring.validation_scores` return them; corpora and
            experiments may be missing.
        metric: ``ua`` or ``wa``.

    Returns:
        The figure, in per cent: ours are means over speakers, with 95 % intervals from `MINIMUM_FOLDS` speakers on; a
        line joins sizes whose means are of the same folds and seeds, and no others. The paper does not say whether its
        learning rate grew with the batch.

    Source: Table 3.
    """
    summary = scoring.summary(scored)
    corpora = _corpora_of(scored)
    rules = {False: {"linestyle": "-"}, True: {"linestyle": "-.", "markerfacecolor": "white"}}
    figure = Figure(figsize=style.size(height=4.4))
    axes = figure.subplots()
    offsets = np.linspace(-0.3, 0.3, 2 * len(corpora) + 1)  # in doublings
    axes.plot(
        np.log2([column.batch_size for column in paper.TABLE3]) + offsets[0],
        [getattr(column, metric) for column in paper.TABLE3],
        _PAPER_MARKER, color=style.PAPER, markersize=8, label="paper, IEMOCAP: no interval printed",
    )  # fmt: skip
    for place, corpus in enumerate(corpora):
        names = {batch_name(size, scaled) for size in BATCH_SIZES for scaled in rules}
        ours = summary[(summary["corpus"] == corpus) & summary["experiment"].isin(names)]
        label = _mean_label(ours, corpus, len(names))
        axes.plot([], [], style.MARKER[corpus], color=style.CORPUS[corpus], label=label)
        for scaled, look in rules.items():
            offset = offsets[1 + 2 * place + scaled]
            _draw_batch_sizes(axes, scored, ours.set_index("experiment"), metric, corpus, scaled, offset, look)
    sizes = np.log2(BATCH_SIZES)
    axes.set_xticks(sizes, BATCH_SIZES)
    for border in sizes[:-1] + 0.5:
        axes.axvline(border, color="#dddddd", linewidth=0.6)
    axes.set(xlabel="batch size (utterances)", ylabel=f"{METRICS[metric]} (%)", xlim=(sizes[0] - 0.5, sizes[-1] + 0.5))
    axes.grid(axis="x", visible=False)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center")
    held = [Line2D([], [], marker="o", color=GREY, linewidth=1, **look) for look in rules.values()]
    words = ["learning rate held", "learning rate scaled with the batch size"]
    axes.legend(held, words, loc="lower left", bbox_to_anchor=(0, 1), ncols=2, handlelength=3)
    return figure


def normalisation_curves(histories: pd.DataFrame, pairs: Mapping[str, tuple[str, str]]) -> Figure:
    """Loss over the epochs with and without normalisation of the input, a panel per pair of experiments.

    Args:
        histories: ``corpus, experiment, fold, seed, epoch, training_loss, validation_loss`` of one corpus.
        pairs: title of a panel -> the experiment with, and the one without.

    Returns:
        The figure, with a logarithmic axis: means over the folds and seeds that both have run. Epochs that fewer than
        half of the runs of an experiment reached are left out.

    Raises:
        SerError: the histories are of several corpora.

    Source: Section 3, eq. 2 ("significantly improves the convergence time", "strong overfitting").
    """
    _refuse_mixture(histories, "corpus")
    rows = math.ceil(len(pairs) / 3)
    figure = Figure(figsize=style.size(height=0.7 + 1.9 * rows))
    grid = figure.subplots(rows, 3, sharex=True, sharey=True, squeeze=False)
    for axes, (title, pair) in zip(grid.flat, pairs.items(), strict=False):
        runs = [histories[histories["experiment"] == name].set_index(["fold", "seed"]) for name in pair]
        shared = set(runs[0].index) & set(runs[1].index)
        axes.set_title(title)
        if not shared:
            _say_not_run(axes, wording.NOTHING_SHARED if all(map(len, runs)) else wording.NOT_RUN)
            continue
        axes.set_title(f"{wording.counted(len(shared), 'run')} each", loc="right", fontsize=8)
        for part, look in zip(runs, _NORMALISATION.values(), strict=True):
            part = part[np.array([run in shared for run in part.index])].reset_index()
            mean = _reached_by_half(part).groupby("epoch")[["training_loss", "validation_loss"]].mean()
            every = max(1, len(mean) // 6)
            axes.plot(mean["training_loss"], "--", markevery=every, **look)
            axes.plot(mean["validation_loss"], markevery=every, **look)
    for axes in grid.flat[len(pairs) :]:
        axes.set_axis_off()
    if any(axes.lines for axes in grid.flat):  # the axes are shared
        grid[0, 0].set_yscale("log")
        grid[0, 0].xaxis.set_major_locator(mpl.ticker.MaxNLocator(5, integer=True))
    else:
        grid[0, 0].set(xticks=[], yticks=[])
    for axes in grid[-1]:
        axes.set_xlabel("epoch")
    figure.supylabel("cross-entropy (nats)", fontsize=9)
    lines = {
        f"{part}, {words}": Line2D([], [], linestyle=dash, **look)
        for words, look in _NORMALISATION.items()
        for part, dash in (("training", "--"), ("validation", "-"))
    }
    figure.legend(lines.values(), lines, loc="outside lower center", ncols=2)
    return figure


def schedule_response(momentum: float = 0.9, drop: int = 60, steps: int = 120) -> Figure:
    """What eq. 6 makes of a constant gradient when η, or β, falls to a tenth.

    Args:
        momentum: γ.
        drop: the step from which the factor is 0.1 and no longer 1.
        steps: how many steps to show.

    Returns:
        The figure: size of the update by step, as a share of that before the fall.

    Source: eq. 6, by way of :class:`ser_lib.optim.BetaSGD`.
    """
    figure = Figure(figsize=style.size(0.72, 2.9))
    axes = figure.subplots()
    looks = {"lr": ("η falls", "-", style.OURS), "beta": ("β falls", "--", style.CORPUS["emodb"])}
    for setting, (label, dash, colour) in looks.items():
        weight = torch.zeros(1, dtype=torch.float64)
        optimizer = optim.BetaSGD([weight], lr=1 - momentum, momentum=momentum)
        (group,) = optimizer.param_groups
        before, updates = group[setting], []
        for step in range(steps):
            group[setting] = before * (1 if step < drop else 0.1)
            weight.grad = torch.ones_like(weight)
            optimizer.step()
            updates.append(float(optimizer.update_norm([weight])))
        axes.plot(range(1, steps + 1), updates, dash, color=colour, label=label)
    axes.set(xlabel="step", ylabel="size of the update", title=f"constant gradient, γ = {momentum:g}", ylim=(0, 1.05))
    axes.legend()
    return figure


def best_of_seeds(table: pd.DataFrame, title: str) -> Figure:
    """What showing only the best of k runs adds.

    Args:
        table: as :func:`ser_lib.tables.best_of` returns it.
        title: whose runs they are, and which score.

    Returns:
        The figure, in per cent, each point with its rise above a run taken by chance, in percentage points.

    Source: Tables 1 and 3 ("for each experiment we present the results corresponding to its best run").
    """
    figure = Figure(figsize=style.size(0.72, 2.9))
    axes = figure.subplots()
    axes.set(title=title, xlabel="runs to choose from", ylabel="expected score of the best run (%)")
    if table.empty:
        _say_not_run(axes, f"{wording.NOT_RUN} with two seeds")
        axes.set(xticks=[], yticks=[])
        return figure
    axes.plot(table["k"], 100 * table["expected_best"], "o-", color=style.OURS)
    for row in table.iloc[1:].itertuples():
        axes.annotate(
            f"{100 * row.rise:+.1f}", (row.k, 100 * row.expected_best), (0, 5), textcoords="offset points", ha="center",
            fontsize=8,
        )  # fmt: skip
    axes.set_xticks(table["k"])
    axes.margins(0.08, 0.15)
    folds = len(table.attrs.get("folds", ()))
    if folds:
        axes.set_title(f"mean of {wording.counted(folds, 'fold')}", loc="right", fontsize=8)
    return figure


def power_curves(spread: inference.Components | None, title: str, speakers: Sequence[int] = (6, 10, 24)) -> Figure:
    """How likely a study finds a difference, by its true size: with more speakers, and with more seeds.

    Args:
        spread: typical spread of a difference in percentage points; None where nothing was run.
        title: whose spread it is.
        speakers: of the studies with one seed; those of ten speakers have as many seeds as `inference.DESIGNS` says.

    Returns:
        The figure, in per cent, with the steps that the paper names marked below the curves.

    Source: Section 3 (the steps); power by :func:`ser_lib.inference.power`.
    """
    figure = Figure(figsize=style.size(height=3.1))
    panels = figure.subplots(1, 2, sharey=True)
    figure.suptitle(title, fontsize=10)
    steps = sorted(abs(paper.NUMBERS[name].value) for name in inference.PRINTED_STEPS)
    limit = 6.0 if spread is None else max(6.0, np.ceil(1.2 * spread.one_seed))
    effects = np.linspace(0, limit, 121)
    studies: list[list[tuple[str, int, int, float, float]]] = [[], []]
    if spread is not None:
        studies[0] = [(f"{count} speakers", count, 1, spread.one_seed, 0.0) for count in speakers]
        if np.isfinite(spread.within):
            studies[1] = [
                (wording.counted(seeds, "seed"), count, seeds, spread.between, spread.within)
                for count, seeds in inference.DESIGNS
            ]
    absent = wording.NOT_RUN if spread is None else f"{wording.NOT_RUN} with two seeds"
    for axes, words, lines in zip(panels, ("one seed each", "ten speakers"), studies, strict=True):
        axes.axhline(100 * inference.POWER, color=GREY, linestyle=":", linewidth=1)
        axes.plot(steps, np.zeros(len(steps)), _PAPER_MARKER, color=style.PAPER, markersize=8, clip_on=False, zorder=3)
        for (label, *study), colour, dash in zip(lines, _shades(len(lines)), ("-", "--", "-."), strict=False):
            count, seeds, between, within = study
            found = inference.power(effects, count, seeds, between, within)
            axes.plot(effects, 100 * found, dash, color=colour, label=label)
        if lines:
            axes.legend(loc="lower right", bbox_to_anchor=(1, 0.05))
        else:
            _say_not_run(axes, absent)
        axes.set(xlabel="true difference (percentage points)", xlim=(0, limit), ylim=(0, 102))
        axes.set_title(words, fontsize=9)
    panels[0].set_ylabel("studies that find it (%)")
    star = Line2D([], [], color=style.PAPER, marker=_PAPER_MARKER, markersize=8, linestyle="none")
    figure.legend([star], ["steps that the paper names (IEMOCAP)"], loc="outside lower center")
    return figure


def ratio_fits(table: pd.DataFrame, summary: pd.DataFrame) -> Figure:
    """Which folds' WA are ratios of whole numbers, by the rule that says whom a fold tests and with which labels.

    Args:
        table: as :func:`ser_lib.printed.fits_by_rule` returns it.
        summary: as :func:`ser_lib.printed.summary_of_rules` returns it.

    Returns:
        The figure: a row per rule, a mark per fold, filled where it fits; on the right how many fit, and how many are
        expected by chance.

    Source: Table 2.
    """
    rules = list(summary["rule"])
    figure = Figure(figsize=style.size(height=1.2 + 0.3 * len(rules)))
    axes = figure.subplots()
    for fits, face, label in ((True, style.PAPER, "a ratio"), (False, "white", "no ratio")):
        part = table[table["fits"] == fits]
        axes.plot(
            part["fold"], part["rule"].map(rules.index), "o", color=style.PAPER, markerfacecolor=face, label=label
        )
    folds = sorted(table["fold"].unique())
    for place, row in enumerate(summary.itertuples()):
        words = f"{row.fits} of {len(folds)}  ({row.expected:.1f})"
        axes.annotate(words, (1.02, place), xycoords=axes.get_yaxis_transform(), va="center", fontsize=8)
    axes.annotate("fit (expected)", (1.02, -0.75), xycoords=axes.get_yaxis_transform(), va="center", fontsize=8)
    axes.set_yticks(range(len(rules)), rules)
    axes.set_xticks(folds)
    axes.set(xlabel="fold", ylim=(len(rules) - 0.5, -0.5))
    axes.grid(visible=False)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def recall_ranges(table: pd.DataFrame) -> Figure:
    """How far the printed WA and UA pin down each emotion's recall, fold by fold.

    Args:
        table: as :func:`ser_lib.printed.recalls` returns it.

    Returns:
        The figure, in per cent: a panel per emotion; thin lines span all that is possible, thick ones the middle half
        of the ways to get both scores.

    Source: Table 2.
    """
    figure = Figure(figsize=style.size(height=4.6))
    grid = figure.subplots(2, 2, sharex=True, sharey=True)
    for axes, emotion in zip(grid.flat, EMOTIONS, strict=True):
        part = table[table["emotion"] == emotion]
        places = np.arange(len(part))
        axes.vlines(places, part["low"], part["high"], color=style.EMOTION[emotion], linewidth=1.2)
        axes.vlines(places, part["lower"], part["upper"], color=style.EMOTION[emotion], linewidth=6)
        axes.set(title=emotion, ylim=(-2, 102))
        axes.set_xticks(places, part["speaker"])
        axes.grid(axis="x", visible=False)
    for axes in grid[-1]:
        axes.set_xlabel("test speaker")
    for axes in grid[:, 0]:
        axes.set_ylabel("recall (%)")
    marks = [Line2D([], [], color=GREY, linewidth=1.2), Line2D([], [], color=GREY, linewidth=6)]
    figure.legend(marks, ["all that is possible", "middle half of the ways"], loc="outside lower center", ncols=2)
    return figure


def choices_of_folds(choices: pd.DataFrame, others: Mapping[str, paper.Score]) -> Figure:
    """WA and UA of every choice of one test speaker per session.

    Args:
        choices: as :func:`ser_lib.printed.choices` returns them.
        others: words -> scores to show beside them, in per cent; at most six.

    Returns:
        The figure; the choice that gives the printed row "5 best folds" is a star.

    Source: Table 2; Section 3, footnote 3.
    """
    figure = Figure(figsize=style.size(height=4.4))
    axes = figure.subplots()
    left, best = choices[~choices["printed"]], choices[choices["printed"]]
    label = f"one speaker per session ({len(choices)} choices)"
    axes.plot(left["wa"], left["ua"], "o", color=GREY, markersize=4, alpha=0.8, label=label)
    label = "of these: printed, “5 best folds”"
    axes.plot(best["wa"], best["ua"], _PAPER_MARKER, color=style.PAPER, markersize=11, label=label)
    looks = zip("Ds^vPX", _shades(6), strict=True)
    for (words, score), (marker, colour) in zip(others.items(), looks, strict=False):
        axes.plot(score.wa, score.ua, marker, color=colour, label=words, markersize=6)
    axes.set(xlabel="weighted accuracy (%)", ylabel="unweighted accuracy (%)")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def printed_intervals(folds: pd.DataFrame, scores: pd.DataFrame) -> Figure:
    """95 % intervals of every score that the paper prints.

    Args:
        folds: as :func:`ser_lib.printed.fold_intervals` returns them.
        scores: as :func:`ser_lib.printed.score_intervals` returns them.

    Returns:
        The figure, in per cent: UA left, WA right; above the folds, with the uncertainty of a speaker's utterances,
        below the averages, with that of the speakers, dashed where the spread is taken from Table 2.

    Source: Tables 1, 2 and 3.
    """
    labels = [f"fold {row.fold}, {row.speaker}" for row in folds.itertuples()]
    labels += [f"{row.place}, {row.column}" for row in scores.itertuples()]
    figure = Figure(figsize=style.size(height=1.2 + 0.23 * len(labels)))
    grid = figure.subplots(1, 2, sharey=True)
    borrowed = [None] * len(folds) + list(scores["borrowed"])
    for axes, metric in zip(grid, METRICS, strict=True):
        table = pd.concat([folds, scores], ignore_index=True)
        for place, (row, of_other) in enumerate(zip(table.to_dict("records"), borrowed, strict=True)):
            colour = style.OURS if of_other is None else style.PAPER
            ends = row[f"{metric}_low"], row[f"{metric}_high"]
            axes.hlines(place, *ends, color=colour, linestyle="--" if of_other else "-", linewidth=1.2)
            axes.plot(row[metric], place, _PAPER_MARKER, color=style.PAPER, markersize=6)
        axes.axhline(len(folds) - 0.5, color="#dddddd", linewidth=0.6)
        axes.set_xlabel(f"{METRICS[metric]} (%)")
        axes.grid(axis="y", visible=False)
    grid[0].set_yticks(range(len(labels)), labels)
    grid[0].set_ylim(len(labels) - 0.5, -0.5)
    marks = {
        "printed": Line2D([], [], color=style.PAPER, marker=_PAPER_MARKER, linestyle="none"),
        "over utterances": Line2D([], [], color=style.OURS),
        "over speakers": Line2D([], [], color=style.PAPER),
        "the same, spread of Table 2": Line2D([], [], color=style.PAPER, linestyle="--"),
    }
    figure.legend(marks.values(), marks, loc="outside lower center", ncols=4)
    return figure


def distinguishable_steps(
    table: pd.DataFrame, smallest: Mapping[str, pd.DataFrame], unpaired: Mapping[str, float]
) -> Figure:
    """From which correlation on between two columns' fold scores each step of Tables 1 and 3 is significant.

    Args:
        table: as :func:`ser_lib.printed.distinguishable` returns it.
        smallest: metric -> the smallest significant step by correlation: ``correlation`` below 1, ``points``.
        unpaired: metric -> the smallest step that is significant without pairing, percentage points.

    Returns:
        The figure: a panel per metric; a step is significant right of its mark. Both axes are logarithmic, that of the
        correlation in its distance from 1.

    Source: Tables 1 and 3, with the spread of Table 2.
    """
    figure = Figure(figsize=style.size(height=4.4))
    grid = figure.subplots(1, 2, sharex=True, sharey=True)
    for axes, metric in zip(grid, METRICS, strict=True):
        curve, part = smallest[metric], table[table["metric"] == metric].sort_values("correlation")
        axes.plot(curve["correlation"], curve["points"], color=style.OURS)
        axes.axhline(unpaired[metric], color=WITHOUT, linestyle="--")
        axes.plot(part["correlation"], part["points"].abs(), _PAPER_MARKER, color=style.PAPER, markersize=7)
        axes.axvline(part["share"].iloc[0], color=GREY, linestyle=":")
        for place, row in enumerate(part.itertuples()):  # above the curve and below it in turn
            side, shift = ("left", (6, 3)) if place % 2 == 0 else ("right", (-6, -3))
            axes.annotate(
                f"{row.step} {row.points:+.1f}", (row.correlation, abs(row.points)), shift, textcoords="offset points",
                ha=side, va="bottom" if side == "left" else "top", fontsize=7,
            )  # fmt: skip
        axes.set(title=METRICS[metric], xlabel="correlation of the two columns' fold scores", yscale="log")
        axes.set_xscale("function", functions=(_distance_from_one, _correlation_at))
        axes.set(xlim=(-1, 0.9999), ylim=(0.2, 1.3 * max(unpaired.values())))
        _plain_ticks(axes.xaxis, [-1, 0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999])
        _plain_ticks(axes.yaxis, [0.2, 0.5, 1, 2, 5])
        axes.tick_params(axis="x", rotation=90)
    grid[0].set_ylabel("size of a step (percentage points)")
    marks = {
        "printed step: significant to its right": Line2D(
            [], [], color=style.PAPER, marker=_PAPER_MARKER, linestyle="none"
        ),
        "smallest significant step, paired by fold": Line2D([], [], color=style.OURS),
        "the same, unpaired": Line2D([], [], color=WITHOUT, linestyle="--"),
        "correlation that hard speakers alone give": Line2D([], [], color=GREY, linestyle=":"),
    }
    figure.legend(marks.values(), marks, loc="outside lower center", ncols=2)
    return figure


def rise_by_best_of(table: pd.DataFrame) -> Figure:
    """How far the best of k runs lies above a run taken by chance, by the spread between runs.

    Args:
        table: as :func:`ser_lib.printed.rise_of_best` returns it.

    Returns:
        The figure, in percentage points: lines are exact for normal scores, marks simulated.

    Source: Tables 1 and 3 ("for each experiment we present the results corresponding to its best run").
    """
    figure = Figure(figsize=style.size(0.72, 3.2))
    axes = figure.subplots()
    parts = list(table.groupby("deviation"))
    for (deviation, part), colour in zip(parts, _shades(len(parts)), strict=True):
        axes.plot(part["k"], part["rise"], color=colour, label=f"{deviation:g}")
        axes.plot(part["k"], part["simulated"], "o", color=colour, markersize=4)
    axes.set(xlabel="runs to choose from", ylabel="rise of the score (percentage points)")
    axes.set_xticks(sorted(table["k"].unique()))
    axes.legend(title="standard deviation\nbetween runs (points)", reverse=True)
    return figure


def _corpora_of(table: pd.DataFrame) -> list[str]:
    """The corpora that a figure shows: all of the pages, run or not, and the synthetic one where it is in the table."""
    return [*wording.CORPORA] + ["synthetic"] * ("synthetic" in set(table["corpus"]))


def _distance_from_one(correlation: np.ndarray) -> np.ndarray:
    """0 for a correlation of 0, 1 for 0.9, 2 for 0.99, ..."""
    return -np.log10(np.maximum(1 - np.asarray(correlation, dtype=float), 1e-9))


def _correlation_at(distance: np.ndarray) -> np.ndarray:
    """The inverse of :func:`_distance_from_one`."""
    return 1 - 10 ** -np.asarray(distance, dtype=float)


def baseline_scores(scored: pd.DataFrame, predictions: pd.DataFrame) -> Figure:
    """The baselines and the network on the same folds, a mark per corpus.

    Args:
        scored: of the network, as :func:`ser_lib.scoring.scores` returns them.
        predictions: of the baselines, as :func:`ser_lib.baselines.load` returns them; corpora may be missing.

    Returns:
        The figure: UA and WA in per cent, means over speakers with 95 % intervals from `MINIMUM_FOLDS` speakers on;
        a line parts the baselines from the network.
    """
    variants = tables.baseline_variants()
    labels = [f"{title}\n({by})" if by != "none" else title for title, by in variants.values()]
    labels += tables.NETWORKS.values()
    names = [*variants, *tables.NETWORKS]
    summarised = scoring.summary(pd.concat([scored, tables.baseline_scores(predictions)]))
    part = summarised[summarised["experiment"].isin(names)]
    corpora = _corpora_of(part)
    figure = Figure(figsize=style.size(height=5.4))
    grid = figure.subplots(1, 2, sharey=True, sharex=True)
    offsets = np.linspace(-0.3, 0.3, len(corpora))
    for axes, (metric, label) in zip(grid, METRICS.items(), strict=True):
        for corpus, offset in zip(corpora, offsets, strict=True):
            ours = part[part["corpus"] == corpus].set_index("experiment")
            words = _mean_label(ours, corpus, len(names), "methods")
            _draw_means(axes, ours.reindex(names), metric, offset, corpus, words, across=True)
        axes.set(title=label, xlabel="accuracy (%)", ylim=(len(names) - 0.5, -0.5))
        axes.set_yticks(range(len(names)), labels)
        axes.grid(axis="y", visible=False)
        for border in np.arange(len(names) - 1) + 0.5:
            parts = border == len(variants) - 0.5
            axes.axhline(border, color=GREY if parts else "#dddddd", linewidth=1 if parts else 0.6)
    figure.legend(*grid[0].get_legend_handles_labels(), loc="outside lower center")
    return figure


def protocol_scores(scored: pd.DataFrame) -> Figure:
    """What speakers score under each protocol, a mark per corpus.

    Args:
        scored: as :func:`ser_lib.scoring.speaker_scores` returns them; of each corpus, the seeds that all protocols
            have are drawn.

    Returns:
        The figure: UA and WA in per cent; a dot per speaker (mean over seeds), means over speakers with 95 % intervals
        from `MINIMUM_FOLDS` speakers on.

    Source: Section 3, first paragraph.
    """
    chosen = scoring.of_shared_seeds(scored, tables.PROTOCOLS)
    summarised = scoring.summary(chosen)
    corpora = _corpora_of(chosen)
    names = list(tables.PROTOCOLS)
    figure = Figure(figsize=style.size(height=5.0))
    grid = figure.subplots(1, 2, sharey=True, sharex=True)
    offsets = np.linspace(-0.3, 0.3, len(corpora))
    for axes, (metric, label) in zip(grid, METRICS.items(), strict=True):
        for corpus, offset in zip(corpora, offsets, strict=True):
            for row, name in enumerate(names):
                part = scoring.balanced(scoring.of_experiment(chosen, corpus, name))
                dots = 100 * part.groupby("fold")[metric].mean().to_numpy(dtype=float)
                places = np.full(len(dots), row + offset)
                axes.plot(dots, places, "o", color=style.CORPUS[corpus], markersize=2, alpha=0.4)
            ours = summarised[summarised["corpus"] == corpus].set_index("experiment")
            words = _mean_label(ours, corpus, len(names), "protocols")
            _draw_means(axes, ours.reindex(names), metric, offset, corpus, words, across=True)
        axes.set(title=label, xlabel="accuracy (%)", ylim=(len(names) - 0.5, -0.5))
        axes.set_yticks(range(len(names)), [textwrap.fill(words, 28) for words in tables.PROTOCOLS.values()])
        axes.grid(axis="y", visible=False)
        for border in np.arange(len(names) - 1) + 0.5:
            axes.axhline(border, color="#dddddd", linewidth=0.6)
    figure.legend(*grid[0].get_legend_handles_labels(), loc="outside lower center")
    return figure


def run_seconds(runs: pd.DataFrame) -> Figure:
    """How long single runs took, by family of experiments and corpus.

    Args:
        runs: as in :class:`ser_lib.records.Results`, each run in the family of :func:`ser_lib.experiments.family_of`.

    Returns:
        The figure, in seconds of wall clock on a logarithmic scale: a mark per run, hollow if it was made on a GPU, and
        a line at the median of each corpus; families from the longest median on, those without a run last.

    Source: none in the paper, which states no cost.
    """
    runs = runs.assign(family=runs["experiment"].map(family_of))
    medians = runs.groupby("family")["seconds"].median().sort_values(ascending=False, kind="stable")
    families = [*medians.index, *(family for family in FAMILIES if family not in medians.index)]
    corpora = _corpora_of(runs)
    figure = Figure(figsize=style.size(height=1.6 + 0.34 * len(families)))
    axes = figure.subplots()
    offsets = np.linspace(-0.3, 0.3, len(corpora))
    for corpus, offset in zip(corpora, offsets, strict=True):
        part = runs[runs["corpus"] == corpus]
        colour, marker = style.CORPUS[corpus], style.MARKER[corpus]
        count = wording.counted(len(part), "run") if len(part) else _absent(corpus)
        label = f"ours, {TITLES[corpus]}: {count}"
        axes.plot([], [], marker, color=colour, markersize=4, label=label)
        for row, family in enumerate(families):
            of_family = part[part["family"] == family]
            if of_family.empty:
                continue
            on_gpu = of_family["device"].astype(str).str.startswith("cuda")
            for seconds, face in ((of_family["seconds"][~on_gpu], colour), (of_family["seconds"][on_gpu], "none")):
                places = np.full(len(seconds), row + offset)
                axes.plot(seconds, places, marker, color=colour, markerfacecolor=face, markersize=3, alpha=0.4)
            median = of_family["seconds"].median()
            axes.vlines(median, row + offset - 0.1, row + offset + 0.1, color=colour, linewidth=2)
    for row in range(len(medians), len(families)):
        axes.text(
            0.5, row, wording.NOT_RUN, transform=axes.get_yaxis_transform(), ha="center", va="center", color=GREY,
            fontsize=8,
        )  # fmt: skip
    axes.plot([], [], "|", color=GREY, markersize=8, markeredgewidth=2, label="median")
    if runs["device"].astype(str).str.startswith("cuda").any():
        axes.plot([], [], "o", color=GREY, markerfacecolor="none", markersize=4, label="hollow: on a GPU")
    axes.set_yticks(range(len(families)), families)
    axes.set(xscale="log", xlabel="one run (s)", ylim=(len(families) - 0.5, -0.5))
    axes.xaxis.set_major_locator(mpl.ticker.LogLocator(subs=(1, 3)))
    axes.xaxis.set_major_formatter(mpl.ticker.FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(mpl.ticker.NullFormatter())
    axes.grid(axis="y", visible=False)
    if runs.empty:  # a logarithmic scale has no default
        axes.set_xlim(1, 1000)
    for border in np.arange(len(families) - 1) + 0.5:
        axes.axhline(border, color="#dddddd", linewidth=0.6)
    figure.legend(loc="outside lower center", ncols=2)
    return figure


def _shades(count: int) -> list[tuple[float, ...]]:
    """Colours of an ordered quantity, dark to light; the lightest still stands out from white."""
    return [tuple(colour) for colour in mpl.colormaps[style.SEQUENTIAL](np.linspace(0, 0.7, count))]


def _plain_ticks(axis: mpl.axis.Axis, ticks: Sequence[float]) -> None:
    axis.set_major_locator(mpl.ticker.FixedLocator(ticks))
    axis.set_major_formatter(mpl.ticker.FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_locator(mpl.ticker.NullLocator())


def _refuse_several_runs(table: pd.DataFrame, *identity: str) -> None:
    if table.duplicated([column for column in identity if column in table]).any():
        raise SerError("one run is drawn at a time, but the table holds several: choose corpus, experiment, fold, seed")


def _refuse_mixture(table: pd.DataFrame, *columns: str) -> None:
    for column in columns:
        if table[column].nunique() > 1:
            raise SerError(f"one {column} is drawn at a time, but the table holds {table[column].nunique()}")


def _reached_by_half(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of those epochs that at least half of the runs reached, with numbers as numbers."""
    runs = table.groupby("epoch").size()
    most = runs.max()  # every run has a first epoch
    return table[table["epoch"].map(2 * runs >= most)].infer_objects()


def _layer_lines(table: pd.DataFrame, band: tuple[str, float], quantity: str) -> Figure:
    """A line per layer over the epochs, the mean of an epoch's rows, with a band of so many per cent of them."""
    layers = [column for column in table if column.split()[0] in ("conv", "lstm", "dense")]
    layers = [layer for layer in layers if table[layer].notna().any()]
    long = table.melt("epoch", layers, "layer", "norm")
    kinds = [layer.split()[0] for layer in layers]
    dashes = {"conv": "", "lstm": (4, 1.5), "dense": (1, 1)}
    figure = Figure(figsize=style.size(height=3.3))
    axes = figure.subplots()
    sns.lineplot(
        long, x="epoch", y="norm", hue="layer", style="layer", hue_order=layers, style_order=layers,
        palette=_shades(len(layers)), dashes=[dashes[kind] for kind in kinds], errorbar=band,
        err_kws={"alpha": 0.15, "linewidth": 0}, ax=axes,
    )  # fmt: skip
    axes.set(yscale="log", xlabel="epoch", ylabel=quantity)
    axes.xaxis.set_major_locator(mpl.ticker.MaxNLocator(integer=True))
    axes.legend(*axes.get_legend_handles_labels(), loc="upper left", bbox_to_anchor=(1, 1))
    return figure


def _who(speakers: str, most: int = 2) -> str:
    """The speakers of a fold's part by name, or how many they are."""
    names = speakers.split("+")
    return speakers if len(names) <= most else f"{len(names)} speakers"


def _counts(emotions: np.ndarray) -> np.ndarray:
    return np.array([np.count_nonzero(emotions == emotion) for emotion in EMOTIONS])


def _draw_emotions(axes: Axes, title: str, once: np.ndarray, repeated: np.ndarray) -> None:
    """Bars of the four emotions with their numbers; what repetition adds is hatched."""
    colours = list(style.EMOTION.values())
    axes.barh(EMOTIONS, once, color=colours)
    axes.barh(EMOTIONS, repeated - once, left=once, color="white", edgecolor=colours, hatch="////", linewidth=0.8)
    for emotion, before, after in zip(EMOTIONS, once, repeated, strict=True):
        text = f"{after}" if before == after else f"{before} × {after // before} = {after}"
        axes.annotate(text, (after, emotion), (3, 0), textcoords="offset points", va="center", fontsize=8)
    axes.set(title=f"{title} ({repeated.sum()})", xlabel="utterances", xlim=(0, 1.45 * max(repeated.max(), 1)))
    axes.xaxis.set_major_locator(mpl.ticker.MaxNLocator(4, integer=True))
    axes.grid(axis="y", visible=False)


def _draw_means(
    axes: Axes, ours: pd.DataFrame, metric: str, offset: float, corpus: str, label: str, across: bool = False
) -> None:
    """Means with intervals at 0, 1, ... + offset, upright or across; rows without a score stay empty."""
    mean, low, high = (100 * ours[metric + end].to_numpy(dtype=float) for end in ("", "_low", "_high"))
    places, ends = np.arange(len(ours)) + offset, [mean - low, high - mean]
    points = {"x": mean, "y": places, "xerr": ends} if across else {"x": places, "y": mean, "yerr": ends}
    axes.errorbar(**points, fmt=style.MARKER[corpus], color=style.CORPUS[corpus], capsize=2, elinewidth=1, label=label)


def _mean_label(ours: pd.DataFrame, corpus: str, experiments: int, noun: str = "experiments") -> str:
    """What the legend says of a corpus: how many speakers the means are of, or that there are none."""
    if not len(ours):
        return f"ours, {TITLES[corpus]}: {_absent(corpus)}"
    fewest, most = ours["folds"].min(), ours["folds"].max()
    speakers = wording.counted(most, "speaker") if fewest == most else f"{fewest} to {most} speakers"
    some = "" if len(ours) == experiments else f", {len(ours)} of {experiments} {noun}"
    interval = ", 95 % interval" if most >= scoring.MINIMUM_FOLDS else ""
    interval += f" from {scoring.MINIMUM_FOLDS} on" if fewest < scoring.MINIMUM_FOLDS <= most else ""
    return f"ours, {TITLES[corpus]}: mean of {speakers}{interval}{some}"


def _absent(corpus: str) -> str:
    return wording.LICENCE if corpus == "iemocap" else wording.NOT_RUN


def _say_not_run(axes: Axes, words: str) -> None:
    axes.text(0.5, 0.5, words, transform=axes.transAxes, ha="center", va="center", color=GREY)


def _draw_map(axes: Axes, values: pd.DataFrame, texts: pd.DataFrame) -> None:
    """A cell per network with its text in the ink that stands out most; grey and hatched where there is no value."""
    found = values.stack().dropna()
    limits = (found.min(), found.max()) if len(found) else (0, 1)
    norm, colours = mpl.colors.Normalize(*limits), mpl.colormaps[style.SEQUENTIAL]
    for y, convolutions in enumerate(values.index):
        for x, layers in enumerate(values.columns):
            value, text = values.loc[convolutions, layers], texts.loc[convolutions, layers]
            missing = np.isnan(value)
            colour = "#eeeeee" if missing else colours(norm(value))
            look = {"hatch": "////", "edgecolor": "#cccccc", "linewidth": 0} if missing else {"edgecolor": "white"}
            axes.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor=colour, **look))
            ink = max(("black", "white"), key=lambda ink, colour=colour: style.contrast(ink, colour))
            axes.text(x, y, "–" if missing else text, ha="center", va="center", color=ink, fontsize=8)
    axes.set(xlim=(-0.5, values.shape[1] - 0.5), ylim=(values.shape[0] - 0.5, -0.5))
    axes.set_xticks(range(values.shape[1]), values.columns)
    axes.set_yticks(range(values.shape[0]), values.index)
    axes.set(xlabel="Bi-LSTM layers", ylabel="convolutions")
    axes.tick_params(length=0)
    axes.grid(visible=False)


def _draw_batch_sizes(
    axes: Axes,
    scored: pd.DataFrame,
    ours: pd.DataFrame,
    metric: str,
    corpus: str,
    scaled: bool,
    offset: float,
    look: Mapping[str, str],
) -> None:
    """Means of one corpus and rule by batch size, with intervals; neighbours of the same runs are joined."""
    names = [batch_name(size, scaled) for size in BATCH_SIZES]
    places = np.log2(BATCH_SIZES) + offset
    mean, low, high = (100 * ours.reindex(names)[metric + end].to_numpy(dtype=float) for end in ("", "_low", "_high"))
    colour = style.CORPUS[corpus]
    face = {key: value for key, value in look.items() if key != "linestyle"}
    axes.errorbar(
        places, mean, [mean - low, high - mean], fmt=style.MARKER[corpus], color=colour, capsize=2, elinewidth=1, **face
    )
    of = scored[scored["corpus"] == corpus]
    runs = [
        set(of.loc[of["experiment"] == name, ["fold", "seed"]].itertuples(index=False, name=None)) for name in names
    ]
    for first in range(len(names) - 1):
        if runs[first] and runs[first] == runs[first + 1]:
            pair = slice(first, first + 2)
            axes.plot(places[pair], mean[pair], color=colour, linewidth=1, linestyle=look["linestyle"])


def _draw_folds(axes: Axes, scores: pd.DataFrame, metric: str, colour: str, marker: str) -> None:
    """Scores in per cent by test speaker, their mean over speakers and its interval."""
    speakers = list(scores["test_speaker"].drop_duplicates())
    by_speaker = scores.groupby("test_speaker")[metric].mean()[speakers]
    mean, (low, high) = by_speaker.mean(), scoring.supported_interval(by_speaker.to_numpy())
    if low < high:  # no interval for few speakers
        axes.axhspan(low, high, color=colour, alpha=0.12, linewidth=0)
    axes.axhline(mean, color=colour, linewidth=1)
    places = scores["test_speaker"].map(speakers.index)
    face = colour if metric == "ua" else "white"
    size = 8 if marker == _PAPER_MARKER else 4
    if len(scores) > len(speakers):
        axes.hlines(by_speaker, np.arange(len(speakers)) - 0.3, np.arange(len(speakers)) + 0.3, color=colour)
    axes.plot(places, scores[metric], marker, color=colour, markerfacecolor=face, markersize=size)
    axes.set_title(f"mean {wording.with_interval(mean / 100, low / 100, high / 100)}", loc="right", fontsize=8)
    axes.set_xticks(range(len(speakers)), speakers, rotation=90 if len(speakers) > 12 else 0)
    axes.set_xlim(-0.6, len(speakers) - 0.4)
    axes.grid(axis="x", visible=False)


def _blocks(description: pd.DataFrame, picture: tuple[int, int] | None) -> list[tuple[str, str, str]]:
    """Title, output and parameters of each block; what has no parameters says nothing there."""
    layers = description[description["layer"] != "total"]
    bins, frames = picture or ("bins", "frames")
    blocks = [("spectro-\ngram", f"{bins} bins\n{frames} steps" if picture else f"{bins}\n{frames}", "")]
    titles = {"conv": "conv", "lstm": "Bi-LSTM", "dense": "dense"}
    units = {"conv": ("maps", "bins", "steps"), "lstm": ("units", "steps"), "dense": ("units",)}
    for layer, output, parameters in layers[["layer", "output", "parameters"]].itertuples(index=False):
        kind, _, number = layer.partition(" ")
        if kind == "lstm" and number == "1":
            blocks.append(("mask", "valid\nsteps only", ""))
        shape = "\n".join(f"{size} {unit}" for size, unit in zip(output.split(" × "), units[kind], strict=True))
        blocks.append((f"{titles[kind]}\n{number}".strip(), shape, f"{parameters:,}"))
    return [*blocks, ("softmax", f"{len(EMOTIONS)} proba-\nbilities", "")]


def _draw_block(axes: Axes, block: tuple[str, str, str], left: float, bottom: float, width: float) -> None:
    title, output, parameters = block
    face, line = (style.OURS + "26", "-") if parameters else ("white", "--")
    box = FancyBboxPatch(
        (left, bottom), width, 1.1, boxstyle="round,pad=0,rounding_size=0.05", facecolor=face, edgecolor=GREY,
        linestyle=line, linewidth=0.8,
    )  # fmt: skip
    axes.add_patch(box)
    middle = left + width / 2
    axes.text(middle, bottom + 0.88, title, ha="center", va="center", fontsize=8, fontweight="bold")
    axes.text(middle, bottom + 0.38, output, ha="center", va="center", fontsize=7, linespacing=1.4)
    axes.text(middle, bottom - 0.18, parameters or "none", ha="center", va="center", fontsize=7)

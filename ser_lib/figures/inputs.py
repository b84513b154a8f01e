"""Figures of what goes in, and of the network: labels, folds, eq. 1, lengths, layers (Figures 1 and 2, Section 2)."""

import math
from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
import pandas as pd
import seaborn as sns
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.legend_handler import HandlerTuple
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Patch

from ser_lib import audio, features, paper, style, vtlp, wording
from ser_lib.corpora import EMOTIONS, TITLES, iemocap
from ser_lib.errors import SerError
from ser_lib.figures.drawing import GREY, plain_ticks, say_not_run, shades
from ser_lib.folds import Fold, oversample

_SECONDS_PER_FRAME = features.HOP / audio.SAMPLE_RATE
_BLOCKS_IN_A_ROW = 10


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
        say_not_run(grid[0], wording.NOT_RUN)
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
    for alpha, colour in zip(alphas, shades(len(alphas)), strict=True):
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
    plain_ticks(axes.xaxis, [10, 20, 50, 100, 200, 500, 1000])
    axes.set(xlabel="length (frames)", ylabel="utterances up to this length (%)", ylim=(0, 101))
    seconds = axes.secondary_xaxis("top", functions=(frames_to_seconds, seconds_to_frames))
    plain_ticks(seconds.xaxis, [0.5, 1, 2, 5, 10, 20])
    seconds.set_xlabel("length (s)")
    if lengths:
        axes.legend(loc="lower right", bbox_to_anchor=(0.93, 0))
    else:
        say_not_run(axes, wording.NOT_RUN)
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


def architecture(description: pd.DataFrame, picture: tuple[int, int] | None = None) -> Figure:
    """The network, from the spectrogram to the four probabilities.

    Args:
        description: ``layer, output, parameters``, as :func:`ser_lib.model.describe` returns them.
        picture: (bins, frames) of the spectrogram that the description is for; named, not numbered, if None.

    Returns:
        The figure: a block per layer with the shape of its output, and its parameters below; rows of ten blocks.

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
        if kind == "dense":  # by the mean, or the last step: see the setting `aggregation`
            blocks.append(("over\ntime", f"{blocks[-1][1].split()[0]} units", ""))
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

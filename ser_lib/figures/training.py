"""Figures of training: curves over the epochs, gradients by layer, and what a run costs (Figure 3, eqs. 2 and 6)."""

import math
from collections.abc import Mapping

import matplotlib as mpl
import numpy as np
import pandas as pd
import seaborn as sns
import torch
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ser_lib import optim, scoring, style, wording
from ser_lib.corpora import TITLES
from ser_lib.errors import SerError
from ser_lib.experiments import FAMILIES, family_of
from ser_lib.figures.drawing import GREY, WITHOUT, corpora_of, plain_ticks, say_not_run, shades

_NORMALISATION = {
    "normalised": {"color": style.OURS},
    "not normalised": {"color": WITHOUT, "marker": "o", "markersize": 3},
}


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
            epoch: gradients or updates of :class:`ser_lib.collection.Results`.
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
        say_not_run(axes, wording.NOT_RUN)
        return figure
    figure = _layer_lines(_reached_by_half(table), ("pi", 100), quantity)
    runs = len(table[scoring.RUN].drop_duplicates())
    figure.axes[0].set(title=title)
    figure.axes[0].get_legend().set_title(wording.counted(runs, "run"))
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
    figure.suptitle(", ".join(TITLES[corpus] for corpus in histories["corpus"].unique()), fontsize=10)
    grid = figure.subplots(rows, 3, sharex=True, sharey=True, squeeze=False)
    for axes, (title, pair) in zip(grid.flat, pairs.items(), strict=False):
        runs = [histories[histories["experiment"] == name].set_index(["fold", "seed"]) for name in pair]
        shared = set(runs[0].index) & set(runs[1].index)
        axes.set_title(title)
        if not shared:
            say_not_run(axes, wording.NOTHING_SHARED if all(map(len, runs)) else wording.NOT_RUN)
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
        low, high = grid[0, 0].get_ylim()
        marks = (1, 2, 5) if high > 6 * low else (1, 1.5, 2, 3, 5, 7)
        plain_ticks(grid[0, 0].yaxis, [mark * 10.0**power for power in range(-4, 2) for mark in marks])
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


def run_seconds(runs: pd.DataFrame) -> Figure:
    """How long single runs took, by family of experiments and corpus.

    Args:
        runs: as in :class:`ser_lib.collection.Results`, each run in the family of
            :func:`ser_lib.experiments.family_of`.

    Returns:
        The figure, in seconds of wall clock on a logarithmic scale: a mark per run, hollow if it was made on a GPU, and
        a line at the median of each corpus; families from the longest median on, those without a run last.

    Source: none in the paper, which states no cost.
    """
    runs = runs.assign(family=runs["experiment"].map(family_of))
    medians = runs.groupby("family")["seconds"].median().sort_values(ascending=False, kind="stable")
    families = [*medians.index, *(family for family in FAMILIES if family not in medians.index)]
    corpora = corpora_of(runs)
    figure = Figure(figsize=style.size(height=1.6 + 0.34 * len(families)))
    axes = figure.subplots()
    offsets = np.linspace(-0.3, 0.3, len(corpora))
    for corpus, offset in zip(corpora, offsets, strict=True):
        part = runs[runs["corpus"] == corpus]
        colour, marker = style.CORPUS[corpus], style.MARKER[corpus]
        count = wording.counted(len(part), "run") if len(part) else wording.unmeasured(corpus)
        label = f"ours, {TITLES[corpus]}: {count}"
        axes.plot([], [], marker, color=colour, markersize=4, label=label)
        for row, family in enumerate(families):
            of_family = part[part["family"] == family]
            if of_family.empty:
                continue
            on_gpu = scoring.on_gpu(of_family)
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
    if scoring.on_gpu(runs).any():
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
        palette=shades(len(layers)), dashes=[dashes[kind] for kind in kinds], errorbar=band,
        err_kws={"alpha": 0.15, "linewidth": 0}, ax=axes,
    )  # fmt: skip
    axes.set(yscale="log", xlabel="epoch", ylabel=quantity)
    axes.xaxis.set_major_locator(mpl.ticker.MaxNLocator(integer=True))
    axes.legend(*axes.get_legend_handles_labels(), loc="upper left", bbox_to_anchor=(1, 1))
    return figure

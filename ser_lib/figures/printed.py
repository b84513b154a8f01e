"""Figures of what the paper's own printed numbers say (Tables 1, 2 and 3)."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ser_lib import paper, style
from ser_lib.corpora import EMOTIONS
from ser_lib.figures.drawing import GREY, METRICS, PAPER_MARKER, WITHOUT, plain_ticks, shades


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
    axes.plot(best["wa"], best["ua"], PAPER_MARKER, color=style.PAPER, markersize=11, label=label)
    looks = zip("Ds^vPX", shades(6), strict=True)
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
            axes.plot(row[metric], place, PAPER_MARKER, color=style.PAPER, markersize=6)
        axes.axhline(len(folds) - 0.5, color="#dddddd", linewidth=0.6)
        axes.set_xlabel(f"{METRICS[metric]} (%)")
        axes.grid(axis="y", visible=False)
    grid[0].set_yticks(range(len(labels)), labels)
    grid[0].set_ylim(len(labels) - 0.5, -0.5)
    marks = {
        "printed": Line2D([], [], color=style.PAPER, marker=PAPER_MARKER, linestyle="none"),
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
        axes.plot(part["correlation"], part["points"].abs(), PAPER_MARKER, color=style.PAPER, markersize=7)
        axes.axvline(part["share"].iloc[0], color=GREY, linestyle=":")
        for place, row in enumerate(part.itertuples()):  # above the curve and below it in turn
            side, shift = ("left", (6, 3)) if place % 2 == 0 else ("right", (-6, -3))
            axes.annotate(
                f"{row.step} {row.points:+.1f}".replace("-", "−"), (row.correlation, abs(row.points)), shift,
                textcoords="offset points", ha=side, va="bottom" if side == "left" else "top", fontsize=7,
                bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 0.8},
            )  # fmt: skip
        axes.set(title=METRICS[metric], xlabel="correlation of the two columns' fold scores", yscale="log")
        axes.set_xscale("function", functions=(_distance_from_one, _correlation_at))
        axes.set(xlim=(-1, 0.9999), ylim=(0.2, 1.3 * max(unpaired.values())))
        plain_ticks(axes.xaxis, [-1, 0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999])
        plain_ticks(axes.yaxis, [0.2, 0.5, 1, 2, 5])
        axes.tick_params(axis="x", rotation=90)
    grid[0].set_ylabel("size of a step (percentage points)")
    marks = {
        "printed step: significant to its right": Line2D(
            [], [], color=style.PAPER, marker=PAPER_MARKER, linestyle="none"
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
    for (deviation, part), colour in zip(parts, shades(len(parts)), strict=True):
        axes.plot(part["k"], part["rise"], color=colour, label=f"{deviation:g}")
        axes.plot(part["k"], part["simulated"], "o", color=colour, markersize=4)
    axes.set(xlabel="runs to choose from", ylabel="rise of the score (percentage points)")
    axes.set_xticks(sorted(table["k"].unique()))
    axes.legend(title="standard deviation\nbetween runs (points)", reverse=True)
    return figure


def _distance_from_one(correlation: np.ndarray) -> np.ndarray:
    """0 for a correlation of 0, 1 for 0.9, 2 for 0.99, ..."""
    return -np.log10(np.maximum(1 - np.asarray(correlation, dtype=float), 1e-9))


def _correlation_at(distance: np.ndarray) -> np.ndarray:
    """The inverse of :func:`_distance_from_one`."""
    return 1 - 10 ** -np.asarray(distance, dtype=float)

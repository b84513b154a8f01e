"""Figures of scores: by experiment, speaker, emotion and network (Tables 1, 2 and 3, Section 3)."""

import textwrap
from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from ser_lib import inference, paper, scoring, style, tables, wording
from ser_lib.corpora import EMOTIONS, TITLES
from ser_lib.experiments import BATCH_SIZES, batch_name
from ser_lib.figures.drawing import GREY, METRICS, PAPER_MARKER, corpora_of, say_not_run, shades

TECHNIQUES = {
    "table1-baseline": "baseline",
    "table1-oversampling": "+ over-\nsampling",
    "table1-vtlp": "+ VTLP",
    "table1-best": "+ 8 kHz\n(best)",
}
"""Experiment of Table 1 -> what it adds to the one before."""


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
    corpora = corpora_of(part)
    figure = Figure(figsize=style.size(height=3.9))
    grid = figure.subplots(1, 2, sharey=True)
    offsets = np.linspace(-0.3, 0.3, len(corpora) + 1)
    for axes, (metric, label) in zip(grid, METRICS.items(), strict=True):
        printed = [getattr(technique, metric) for technique in paper.TABLE1]
        axes.plot(
            np.arange(len(names)) + offsets[0], printed, PAPER_MARKER, color=style.PAPER, markersize=8,
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
    corpora = corpora_of(scored)
    rules = {False: {"linestyle": "-"}, True: {"linestyle": "-.", "markerfacecolor": "white"}}
    figure = Figure(figsize=style.size(height=4.4))
    axes = figure.subplots()
    offsets = np.linspace(-0.3, 0.3, 2 * len(corpora) + 1)  # in doublings
    axes.plot(
        np.log2([column.batch_size for column in paper.TABLE3]) + offsets[0],
        [getattr(column, metric) for column in paper.TABLE3],
        PAPER_MARKER, color=style.PAPER, markersize=8, label="paper, IEMOCAP: no interval printed",
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
    words = ["learning rate held", "scaled with the batch size (a line joins means over the same folds and seeds)"]
    axes.legend(held, words, loc="lower left", bbox_to_anchor=(0, 1), ncols=2, handlelength=3)
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
        _draw_folds(row[0], printed, metric, style.PAPER, PAPER_MARKER)
        if len(part):
            _draw_folds(row[1], part, metric, style.CORPUS[corpus], style.MARKER[corpus])
        else:
            say_not_run(row[1], wording.unmeasured(corpus))
            row[1].set_xticks([])
        row[0].set_ylabel(f"{label} (%)")
    grid[0, 0].set_title("paper, IEMOCAP")
    grid[0, 1].set_title(f"ours, {TITLES[corpus]}")
    for axes in grid[1]:
        axes.set_xlabel("test speaker")
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
    failures = wording.NO_FAILURES if failures is None else failures
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
            words = wording.no_difference(scored, failures, corpus, experiment)
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
        say_not_run(axes, f"{wording.NOT_RUN} with two seeds")
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
        axes.plot(steps, np.zeros(len(steps)), PAPER_MARKER, color=style.PAPER, markersize=8, clip_on=False, zorder=3)
        for (label, *study), colour, dash in zip(lines, shades(len(lines)), ("-", "--", "-."), strict=False):
            count, seeds, between, within = study
            found = inference.power(effects, count, seeds, between, within)
            axes.plot(effects, 100 * found, dash, color=colour, label=label)
        if lines:
            axes.legend(loc="lower right", bbox_to_anchor=(1, 0.05))
        else:
            say_not_run(axes, absent)
        axes.set(xlabel="true difference (percentage points)", xlim=(0, limit), ylim=(0, 102))
        axes.set_title(words, fontsize=9)
    panels[0].set_ylabel("studies that find it (%)")
    star = Line2D([], [], color=style.PAPER, marker=PAPER_MARKER, markersize=8, linestyle="none")
    figure.legend([star], ["steps that the paper names (IEMOCAP)"], loc="outside lower center")
    return figure


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
    corpora = corpora_of(part)
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
    corpora = corpora_of(chosen)
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
        return f"ours, {TITLES[corpus]}: {wording.unmeasured(corpus)}"
    fewest, most = ours["folds"].min(), ours["folds"].max()
    speakers = wording.counted(most, "speaker") if fewest == most else f"{fewest} to {most} speakers"
    some = "" if len(ours) == experiments else f", {len(ours)} of {experiments} {noun}"
    interval = ", 95 % interval" if most >= scoring.MINIMUM_FOLDS else ""
    interval += f" from {scoring.MINIMUM_FOLDS} on" if fewest < scoring.MINIMUM_FOLDS <= most else ""
    return f"ours, {TITLES[corpus]}: mean of {speakers}{interval}{some}"


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
    size = 8 if marker == PAPER_MARKER else 4
    if len(scores) > len(speakers):
        axes.hlines(by_speaker, np.arange(len(speakers)) - 0.3, np.arange(len(speakers)) + 0.3, color=colour)
    axes.plot(places, scores[metric], marker, color=colour, markerfacecolor=face, markersize=size)
    axes.set_title(f"mean {wording.with_interval(mean / 100, low / 100, high / 100)}", loc="right", fontsize=8)
    axes.set_xticks(range(len(speakers)), speakers, rotation=90 if len(speakers) > 12 else 0)
    axes.set_xlim(-0.6, len(speakers) - 0.4)
    axes.grid(axis="x", visible=False)

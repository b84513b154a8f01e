"""Figures of training and of cost: means over the runs that are there, and what is refused."""

import numpy as np
import pandas as pd
import pytest

from drawn import (
    BEST_OF,
    GRADIENTS,
    GROWTH,
    HISTORIES,
    HISTORY,
    LAYERS,
    PAIRS,
    REFERENCES,
    TIMED,
    lines,
    overlaps,
    scored,
    svg,
    texts,
)
from ser_lib import figures, style, wording
from ser_lib.errors import SerError
from ser_lib.experiments import FAMILIES

pytestmark = pytest.mark.usefixtures("in_style")


def test_learning_curves_mark_the_chosen_epoch():
    loss, score = figures.learning_curves(HISTORY, 2).axes
    drawn = lines(loss) | lines(score)
    for label, column, scale in (
        ("training", "training_loss", 1), ("validation", "validation_loss", 1),
        ("WA", "validation_wa", 100), ("UA", "validation_ua", 100),
    ):  # fmt: skip
        np.testing.assert_allclose(drawn[label], np.stack([HISTORY["epoch"], scale * HISTORY[column]], axis=1))
    for axes, height in ((loss, 0.8), (score, 65)):
        assert lines(axes)["chosen epoch: 2"][:, 0].tolist() == [2, 2]
        (dot,) = (line for line in axes.lines if line.get_marker() == "o")
        np.testing.assert_allclose(dot.get_xydata(), [[2, height]])


def test_figures_of_one_run_refuse_several():
    with pytest.raises(SerError, match="one run is drawn at a time"):
        figures.learning_curves(pd.concat([HISTORY, HISTORY]), 2)
    with pytest.raises(SerError, match="one run is drawn at a time"):
        figures.gradient_norms(pd.concat([GRADIENTS, GRADIENTS]))


def test_gradient_norms_are_the_means_of_each_epoch():
    (axes,) = figures.gradient_norms(GRADIENTS).axes
    assert axes.get_yscale() == "log"
    drawn = [line.get_xydata().tolist() for line in axes.lines[:3]]
    assert drawn == [[[1, 4], [2, 2]], [[1, 0.5], [2, 0.5]], [[1, 2], [2, 4]]]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["conv 1", "lstm 1", "dense"]
    assert len(axes.collections) == 3  # a band for each


def test_gradient_norms_leave_out_layers_of_other_networks():
    collected = GRADIENTS.groupby("epoch").mean().reset_index().drop(columns="step").assign(**{"conv 2": np.nan})
    collected = collected.assign(corpus="emodb", experiment="table1-best", fold=1, seed=0)
    (axes,) = figures.gradient_norms(collected).axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["conv 1", "lstm 1", "dense"]


def test_layer_curves_are_means_between_the_lowest_and_the_highest_run():
    (axes,) = figures.layer_curves(LAYERS.sample(frac=1, random_state=0), "Emo-DB", "gradient norm").axes
    assert axes.get_yscale() == "log" and axes.get_title(loc="left") == "Emo-DB"
    conv, lstm = (line.get_xydata() for line in axes.lines[:2])
    np.testing.assert_allclose(conv, [[1, 2], [2, 6]])  # epoch 3: one run of three
    np.testing.assert_allclose(lstm, [[1, 1.75 / 3], [2, 0.75]])
    bands = [band.get_paths()[0].vertices for band in axes.collections]
    for band, ends in zip(
        bands, [{(1, 1), (1, 3), (2, 4), (2, 8)}, {(1, 0.25), (1, 1), (2, 0.5), (2, 1)}], strict=True
    ):
        assert {tuple(corner) for corner in band.tolist()} == ends
    legend = axes.get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["conv 1", "lstm 1"]
    assert legend.get_title().get_text() == "3 runs"


def test_an_epoch_that_half_of_the_runs_reached_is_drawn():
    table = LAYERS[LAYERS["fold"] < 3].astype(object)  # as results are read
    (axes,) = figures.layer_curves(table.astype({"conv 1": float, "lstm 1": float}), "Emo-DB", "norm").axes
    np.testing.assert_allclose(axes.lines[0].get_xydata(), [[1, 2], [2, 6], [3, 9]])


@pytest.mark.parametrize("column", ["corpus", "experiment"])
def test_curves_of_several_corpora_or_experiments_are_refused(column):
    mixed = pd.concat([LAYERS, LAYERS.assign(**{column: "other"})])
    with pytest.raises(SerError, match=f"one {column} is drawn at a time"):
        figures.layer_curves(mixed, "", "")
    if column == "corpus":
        with pytest.raises(SerError, match="one corpus is drawn at a time"):
            figures.normalisation_curves(pd.concat([HISTORIES, HISTORIES.assign(corpus="nemo")]), PAIRS)


def test_normalisation_curves_are_means_over_the_runs_that_both_have():
    figure = figures.normalisation_curves(HISTORIES.sample(frac=1, random_state=0).astype(object), PAIRS)
    first, second, third = figure.axes
    drawn = {(line.get_color(), line.get_linestyle()): line.get_xydata().tolist() for line in first.lines}
    assert drawn == {
        (style.OURS, "--"): [[1, 1.5], [2, 1.0], [3, 0.1]],  # half of the runs reached the third epoch
        (style.OURS, "-"): [[1, pytest.approx(1.3)], [2, 1.1], [3, 1.1]],
        (figures.WITHOUT, "--"): [[1, 4.0], [2, 2.0]],
        (figures.WITHOUT, "-"): [[1, 5.0], [2, 3.0]],
    }
    assert first.get_yscale() == "log"
    assert first.get_title(loc="left") == "1 convolution" and first.get_title(loc="right") == "2 runs each"
    assert texts(second).count("not run yet") == 1 and not second.lines
    assert not third.axison
    legend = dict(zip(texts(figure.legends[0]), figure.legends[0].get_lines(), strict=True))
    looks = {words: (line.get_color(), line.get_linestyle()) for words, line in legend.items()}
    assert looks == {
        "training, normalised": (style.OURS, "--"), "validation, normalised": (style.OURS, "-"),
        "training, not normalised": (figures.WITHOUT, "--"), "validation, not normalised": (figures.WITHOUT, "-"),
    }  # fmt: skip


def test_normalisation_curves_do_not_mix_folds_of_one_experiment_with_others_of_the_other():
    apart = HISTORIES[HISTORIES["experiment"].isin(["depth-1x1", "normalisation-none-1"]) & HISTORIES["fold"].gt(6)]
    figure = figures.normalisation_curves(apart, {"1 convolution": PAIRS["1 convolution"]})
    assert "no run in common" in texts(figure.axes[0]) and not figure.axes[0].lines


def test_with_and_without_are_told_apart():
    assert style.contrast(figures.WITHOUT) > 3
    assert figures.WITHOUT not in (style.OURS, style.PAPER, *style.CORPUS.values(), *style.EMOTION.values())


def test_curves_that_have_not_been_run_say_so():
    for figure in (
        figures.layer_curves(LAYERS.iloc[:0], "Emo-DB", "gradient norm"),
        figures.normalisation_curves(HISTORIES.iloc[:0], PAIRS),
        figures.best_of_seeds(BEST_OF.iloc[:0], "UA"),
        figures.paired_differences(scored([]), "emodb", REFERENCES),
    ):
        assert any(text.startswith("not run yet") for text in texts(figure))
        assert not any(line.get_xdata().size for axes in figure.axes for line in axes.lines if line.get_marker() == "o")
        assert overlaps(figure) == []


def test_the_update_falls_at_once_with_beta_and_as_momentum_forgets_with_eta():
    (axes,) = figures.schedule_response(momentum=0.9, drop=60, steps=120).axes
    eta, beta = (line.get_ydata() for line in axes.lines)
    assert eta[59] == pytest.approx(beta[59]) == pytest.approx(1, abs=0.01)
    assert beta[60:] == pytest.approx(0.1, abs=0.001)
    fading = 0.1 + 0.9 * 0.9 ** np.arange(1, 61)
    assert eta[60:] == pytest.approx(fading, abs=0.01)


def test_cost_growth_draws_measurements_beside_exact_proportion():
    utterances, frames, runs = figures.cost_growth(GROWTH).axes
    proportional = {utterances: [1, 2, 4], frames: [2 * 21 / 135, 2, 2 * 909 / 135], runs: [100, 200, 400]}
    for axes, expected in proportional.items():
        np.testing.assert_allclose(axes.lines[1].get_ydata(), expected)
    assert runs.lines[0].get_ydata().tolist() == [100, 190, 200]


def test_run_seconds_draws_every_run_in_the_row_of_its_family_with_the_longest_on_top():
    axes = figures.run_seconds(TIMED).axes[0]
    rows = [tick.get_text() for tick in axes.get_yticklabels()]
    assert rows[:2] == ["pooling", "table1"] and set(rows) == set(FAMILIES)
    drawn = [line for line in axes.lines if line.get_markersize() == 3]
    marks = sorted((rows[round(y)], x, line.get_markerfacecolor() == "none")
                   for line in drawn for x, y in line.get_xydata())  # fmt: skip
    assert marks == [
        ("pooling", 400.0, False), ("table1", 5.0, True), ("table1", 6.0, False), ("table1", 20.0, False),
        ("table1", 30.0, False), ("table1", 70.0, False),
    ]  # fmt: skip
    medians = [collection.get_segments()[0] for collection in axes.collections]
    assert [(x, rows[round(y)]) for ((x, y), _) in medians] == [(400, "pooling"), (30, "table1"), (5.5, "table1")]
    assert axes.get_xscale() == "log"


def test_run_seconds_says_what_was_not_run():
    figure = figures.run_seconds(TIMED.iloc[:0])
    assert {"ours, Emo-DB: not run yet", "ours, IEMOCAP: not run here"} <= set(texts(figure))
    assert texts(figure).count(wording.NOT_RUN) == len(FAMILIES)
    svg(figure)

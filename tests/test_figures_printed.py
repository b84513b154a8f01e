"""Figures of the paper's printed numbers: they draw what was computed from them."""

import numpy as np
import pytest

from drawn import DISTINGUISHABLE, FOLD_INTERVALS, RECALLS, RISE, RULE_SUMMARY, RULES, SMALLEST, lines
from ser_lib import figures, paper, printed, style
from ser_lib.corpora import EMOTIONS

pytestmark = pytest.mark.usefixtures("in_style")


def test_ratio_fits_fills_the_folds_that_fit():
    axes = figures.ratio_fits(RULES, RULE_SUMMARY).axes[0]
    drawn = {line.get_label(): (line.get_xydata().tolist(), line.get_markerfacecolor()) for line in axes.lines}
    assert drawn["a ratio"] == ([[1, 0], [2, 0], [2, 1]], style.PAPER)
    assert drawn["no ratio"] == ([[1, 1]], "white")


def test_recall_ranges_draw_the_whole_range_thin_and_the_middle_half_thick():
    for place, axes in enumerate(figures.recall_ranges(RECALLS).axes):
        thin, thick = axes.collections
        assert axes.get_title(loc="left") == EMOTIONS[place]
        assert thin.get_segments()[1].tolist() == [[1, 10], [1, 90 + place]]
        assert thick.get_segments()[0].tolist() == [[0, 30], [0, 50]]
        assert thin.get_linewidths()[0] < thick.get_linewidths()[0]


def test_choices_of_folds_marks_the_printed_one():
    points = lines(figures.choices_of_folds(printed.choices(), {"mean": paper.Score(64.5, 61.7)}).axes[0])
    best = paper.TABLE2_AVERAGES["5 best folds"]
    assert len(points["one speaker per session (32 choices)"]) == 31
    assert points["of these: printed, “5 best folds”"] == pytest.approx(np.array([[best.wa, best.ua]]), abs=0.05)
    assert points["mean"].tolist() == [[64.5, 61.7]]


def test_printed_intervals_dash_what_borrows_its_spread():
    ua, wa = figures.printed_intervals(FOLD_INTERVALS, printed.score_intervals()).axes
    dashed = [bool(bar.get_linestyle()[0][1]) for bar in ua.collections]
    assert dashed == [False] + [True] * 4 + [False] + [True] * 3
    assert ua.collections[0].get_segments()[0].tolist() == [[60, 0], [72, 0]]
    assert wa.collections[0].get_segments()[0].tolist() == [[58, 0], [70, 0]]


def test_distinguishable_steps_place_each_step_at_its_correlation():
    ua, wa = figures.distinguishable_steps(DISTINGUISHABLE, SMALLEST, {"ua": 8.0, "wa": 5.0}).axes
    for axes, unpaired, mark, share in ((ua, 8, [0.9, 2], 0.7), (wa, 5, [0.5, 3], 0.6)):
        curve, line, printed_steps, speakers = axes.lines
        assert curve.get_xydata().tolist() == [[0, 5], [0.99, 0.5]]
        assert list(line.get_ydata()) == [unpaired, unpaired]
        assert printed_steps.get_xydata().tolist() == [mark]
        assert list(speakers.get_xdata()) == [share, share]


def test_rise_by_best_of_draws_the_exact_rise_as_a_line_and_the_simulated_as_marks():
    axes = figures.rise_by_best_of(RISE).axes[0]
    assert lines(axes)["1"].tolist() == [[1, 0], [2, 0.6]]
    assert [line.get_xydata()[1, 1] for line in axes.lines if line.get_marker() == "o"] == [0.31, 0.59]

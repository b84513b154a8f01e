"""Figures of scores: means, intervals and pairs as the tables have them, and what has not been run."""

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import QuadMesh
from matplotlib.colors import to_rgba
from matplotlib.patches import Rectangle
from scipy import stats

import tidy
from drawn import (
    BASELINES,
    BEST_OF,
    DEPTH,
    PAIRED,
    PREDICTIONS,
    PROTOCOL_SCORES,
    REFERENCES,
    SIX,
    lines,
    overlaps,
    scored,
    texts,
)
from ser_lib import figures, inference, paper, scoring, style, tables, wording
from ser_lib.corpora import EMOTIONS, NAMES, TITLES
from ser_lib.experiments import CONVOLUTIONS, FAMILIES, depth_name

pytestmark = pytest.mark.usefixtures("in_style")


def test_table1_names_every_experiment_of_the_paper_in_order():
    assert list(figures.TECHNIQUES) == [technique.experiment for technique in paper.TABLE1]


def test_confusion_has_a_row_per_true_emotion():
    axes = figures.confusion(PREDICTIONS).axes[0]
    (mesh,) = (child for child in axes.get_children() if isinstance(child, QuadMesh))
    drawn = np.ma.filled(mesh.get_array(), np.nan).reshape(4, 4)
    expected = [[75, 0, 25, 0], [0, 100, 0, 0], [0, 0, 50, 50], [np.nan] * 4]  # nobody is happy
    np.testing.assert_allclose(drawn, expected)
    assert axes.yaxis_inverted()  # the first row on top
    assert [tick.get_text() for tick in axes.get_xticklabels()] == list(EMOTIONS)
    totals = ["neutral\n(4)", "sadness\n(1)", "anger\n(2)", "happiness\n(0)"]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == totals
    assert {"75 %\n3", "25 %\n1", "50 %\n1"} <= set(texts(axes))


def test_confusion_diagonal_is_what_ua_averages():
    predictions = PREDICTIONS[PREDICTIONS["truth"] != "happiness"].replace({"truth": {"sadness": "happiness"}})
    predictions = pd.concat([predictions, pd.DataFrame({"truth": ["sadness"] * 2, "prediction": ["sadness", "anger"]})])
    axes = figures.confusion(predictions).axes[0]
    diagonal = np.asarray(axes.collections[0].get_array()).reshape(4, 4).diagonal()
    score = scoring.scores(predictions.assign(corpus="emodb", experiment="e", fold=1, seed=0, speaker="03"))["ua"][0]
    assert diagonal.mean() == pytest.approx(100 * score)


def test_table1_scores_draws_the_papers_scores_and_ours_with_intervals():
    summary = scoring.summary(scored(["emodb", "ravdess"], speakers=SIX))
    summary[["wa_low", "ua_low"]] -= 0.01  # lopsided, so that a swap of the ends shows
    panels = figures.table1_scores(summary).axes
    for axes, metric in zip(panels, figures.METRICS, strict=True):
        assert axes.get_title(loc="left") == figures.METRICS[metric]
        (printed,) = (line for line in axes.lines if line.get_label().startswith("paper"))
        assert printed.get_ydata().tolist() == [getattr(technique, metric) for technique in paper.TABLE1]
        assert printed.get_color() == style.PAPER
        for corpus in ("emodb", "ravdess"):
            (bars,) = (bars for bars in axes.containers if f"ours, {TITLES[corpus]}:" in bars.get_label())
            ours = summary[summary["corpus"] == corpus].set_index("experiment").loc[list(figures.TECHNIQUES)]
            mark, _, (interval,) = bars
            assert mark.get_color() == style.CORPUS[corpus] and mark.get_marker() == style.MARKER[corpus]
            np.testing.assert_allclose(mark.get_ydata(), 100 * ours[metric])
            ends = np.array(interval.get_segments())[:, :, 1]
            np.testing.assert_allclose(ends, 100 * ours[[f"{metric}_low", f"{metric}_high"]].to_numpy())


def test_table1_scores_puts_no_two_marks_on_one_another():
    axes = figures.table1_scores(scoring.summary(scored(NAMES))).axes[0]
    places = [x for line in axes.lines if line.get_marker() not in ("", "None", "_") for x in line.get_xdata()]
    assert np.diff(np.sort(places)).min() > 0.05


@pytest.mark.parametrize("corpora", [(), ("emodb",), ("emodb", "ravdess", "nemo")])
def test_table1_scores_names_what_has_not_been_run(corpora):
    figure = figures.table1_scores(scoring.summary(scored(corpora)))
    (legend,) = figure.legends
    shown = texts(legend)
    for corpus in ("emodb", "ravdess", "nemo"):
        assert (f"ours, {TITLES[corpus]}: not run yet" in shown) == (corpus not in corpora)
    assert "ours, IEMOCAP: not run here" in shown
    assert not any("Synthetic" in text for text in shown)


def test_table1_scores_says_how_much_of_a_corpus_there_is():
    some = pd.concat(
        [scored(experiments=["table1-baseline"]), scored(experiments=["table1-best"], speakers=["03"])],
    )
    figure = figures.table1_scores(scoring.summary(some))
    assert "ours, Emo-DB: mean of 1 to 3 speakers, 2 of 4 experiments" in texts(figure.legends[0])
    (mark, *_) = next(bars for bars in figure.axes[0].containers if "Emo-DB" in bars.get_label())
    assert np.isnan(mark.get_ydata()).tolist() == [False, True, True, False]


@pytest.mark.parametrize(
    ("speakers", "words"),
    [((1, 1), "mean of 1 speaker"), ((2, 5), "mean of 2 to 5 speakers"),
     ((2, 6), "mean of 2 to 6 speakers, 95 % interval from 6 on"), ((6, 6), "mean of 6 speakers, 95 % interval")],
)  # fmt: skip
def test_table1_scores_draws_no_interval_of_fewer_than_six_speakers(speakers, words):
    fewest, most = speakers
    first, *others = figures.TECHNIQUES
    summary = scoring.summary(
        pd.concat([scored(experiments=[first], speakers=SIX[:fewest]), scored(experiments=others, speakers=SIX[:most])])
    )
    figure = figures.table1_scores(summary)
    (bars,) = (bars for bars in figure.axes[0].containers if bars.get_label() == f"ours, Emo-DB: {words}")
    drawn = [len(segment) > 0 for segment in bars[2][0].get_segments()]  # nothing, where an end is NaN
    assert drawn == [fewest >= 6] + [most >= 6] * 3


def test_fold_scores_draws_runs_speakers_and_the_mean_with_its_interval():
    runs = scored(speakers=SIX)
    left_ua, right_ua, left_wa, right_wa = figures.fold_scores(runs, "emodb").axes
    part = runs[runs["experiment"] == "table1-best"]
    for axes, metric in ((right_ua, "ua"), (right_wa, "wa")):
        (marks,) = (line for line in axes.lines if line.get_marker() == style.MARKER["emodb"])
        np.testing.assert_allclose(marks.get_ydata(), 100 * part[metric])
        assert marks.get_xdata().tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
        by_fold = part.groupby("fold")[metric].mean()
        (means,) = axes.collections
        np.testing.assert_allclose(np.array(means.get_segments())[:, 0, 1], 100 * by_fold)
        np.testing.assert_allclose(axes.lines[0].get_ydata(), 100 * by_fold.mean())
        low, high = scoring.interval(by_fold.to_numpy())
        (band,) = axes.patches
        np.testing.assert_allclose([band.get_y(), band.get_y() + band.get_height()], [100 * low, 100 * high])
        assert f"mean {wording.with_interval(by_fold.mean(), low, high)}" == axes.get_title(loc="right")
    for axes, metric in ((left_ua, "ua"), (left_wa, "wa")):
        (marks,) = (line for line in axes.lines if line.get_marker() == "*")
        assert marks.get_ydata().tolist() == [getattr(row, metric) for row in paper.TABLE2]
    assert [tick.get_text() for tick in right_wa.get_xticklabels()] == list(SIX)
    assert [tick.get_text() for tick in left_wa.get_xticklabels()] == [row.speaker for row in paper.TABLE2]


@pytest.mark.parametrize(("corpus", "words"), [("nemo", "not run yet"), ("iemocap", "not run here")])
def test_fold_scores_of_a_corpus_that_has_not_been_run_says_so(corpus, words):
    figure = figures.fold_scores(scored(), corpus)
    assert [texts(axes).count(words) for axes in figure.axes] == [0, 1, 0, 1]
    assert overlaps(figure) == []


@pytest.mark.parametrize(("speakers", "mean"), [(1, "60.0"), (5, "80.0")])
def test_fold_scores_of_few_speakers_have_no_interval(speakers, mean):
    axes = figures.fold_scores(scored(speakers=SIX[:speakers], seeds=1), "emodb").axes[1]
    assert axes.get_title(loc="right") == f"mean {mean}"
    assert not axes.patches


def test_fold_scores_of_many_speakers_stay_legible():
    speakers = [f"{number:02d}" for number in range(1, 25)]
    runs = scored(["ravdess"], speakers=speakers)
    assert overlaps(figures.fold_scores(runs, "ravdess")) == []


def points(axes, marker, row):
    """What is drawn with this marker in a row of paired differences, in percentage points."""
    marks = [line.get_xydata() for line in axes.lines if line.get_marker() == marker]
    return np.concatenate([xy[np.abs(xy[:, 1] - row) < 0.4, 0] for xy in marks])


def test_paired_differences_draws_folds_means_and_an_interval_from_six_folds_on():
    figure = figures.paired_differences(PAIRED.sample(frac=1, random_state=0), "emodb", REFERENCES)
    (axes,) = figure.axes
    labels = [tick.get_text() for tick in axes.get_yticklabels()]
    assert labels == ["pooling-max (10 folds)", "frequency-8 (2 folds)", "vtlp-alone"]
    assert axes.yaxis_inverted()
    gains = np.arange(2, 21, 2)
    np.testing.assert_allclose(points(axes, "o", 0), gains)
    np.testing.assert_allclose(points(axes, "o", 1), [4, -3])
    assert [points(axes, style.MARKER["emodb"], row).round(9).tolist() for row in (0, 1, 2)] == [[11], [0.5], []]
    (interval,) = axes.collections  # two folds have none
    ends = stats.t.interval(0.95, 9, 11, gains.std(ddof=1) / np.sqrt(10))
    np.testing.assert_allclose(interval.get_segments()[0], [[ends[0], 0], [ends[1], 0]])
    (words,) = (text for text in axes.texts if text.get_text() == "not run yet")
    assert words.get_position()[1] == 2
    assert axes.lines[0].get_xdata() == [0, 0]
    wa = figures.paired_differences(PAIRED, "emodb", REFERENCES, "wa").axes[0]
    np.testing.assert_allclose(points(wa, "o", 1), [2, -1.5])
    assert wa.get_xlabel().startswith("WA minus")


@pytest.mark.parametrize(("folds", "intervals"), [(5, 0), (6, 1)])
def test_paired_differences_of_five_folds_have_no_interval(folds, intervals):
    (axes,) = figures.paired_differences(
        PAIRED[PAIRED["fold"] <= folds], "emodb", {"pooling-max": "table1-baseline"}
    ).axes
    assert len(axes.collections) == intervals


def test_paired_differences_say_what_diverged_and_what_was_not_run():
    failures = pd.DataFrame([("emodb", "pooling-max", 1, 0), ("nemo", "vtlp-alone", 1, 0)], columns=scoring.RUN)
    run = PAIRED[PAIRED["experiment"] != "pooling-max"].query("experiment != 'table1-baseline' or fold == 9")
    figure = figures.paired_differences(run, "emodb", REFERENCES, failures=failures)
    assert [text.get_text() for text in figure.axes[0].texts] == ["diverged", "no run in common", "not run yet"]
    assert overlaps(figure) == []
    iemocap = figures.paired_differences(run, "iemocap", REFERENCES)
    assert texts(iemocap).count("not run here") == 3


@pytest.mark.parametrize("family", ["layerwise", "depth"])
def test_paired_differences_of_large_families_stay_legible(family):
    figure = figures.paired_differences(PAIRED, "emodb", FAMILIES[family].references)
    assert overlaps(figure) == []


def cells(axes):
    """(convolutions, Bi-LSTM layers) -> colour and hatch of the cell, its text and the text's colour."""
    columns, rows = ([tick.get_text() for tick in ticks] for ticks in (axes.get_xticklabels(), axes.get_yticklabels()))
    found = {}
    for patch in (patch for patch in axes.patches if isinstance(patch, Rectangle)):
        x, y = patch.get_x() + 0.5, patch.get_y() + 0.5
        (text,) = (text for text in axes.texts if text.get_position() == (x, y))
        place = int(rows[round(y)]), int(columns[round(x)])
        found[place] = patch.get_facecolor(), patch.get_hatch(), text.get_text(), text.get_color()
    return found


def test_depth_map_draws_scores_and_costs_and_hatches_what_was_not_run():
    scores, costs = tables.depth_scores(DEPTH, "emodb", "ua"), tables.depth_costs()
    figure = figures.depth_map(scores, costs)
    left, right = (cells(axes) for axes in figure.axes)
    assert figure.axes[0].yaxis_inverted() and len(left) == len(right) == 24
    assert {place: cell[2] for place, cell in left.items() if cell[2] != "–"} == {(1, 1): "55.0", (6, 4): "75.0"}
    assert all((hatch is not None) == (text == "–") for _, hatch, text, _ in left.values())
    for row in costs.itertuples():
        text = f"{row.multiply_adds / 1e6:.1f}\n{row.parameters / 1e3:.0f} k"
        assert right[row.convolutions, row.layers][1:3] == (None, text)
    lowest, highest = mpl.colormaps[style.SEQUENTIAL]([0.0, 1.0])
    np.testing.assert_allclose([left[1, 1][0], left[6, 4][0]], [lowest, highest])
    assert "hatched, –: not run yet" in texts(figure)


def test_every_text_of_the_depth_map_stands_out_from_its_cell():
    ramp = {(c, layers): 0.5 + 0.01 * (4 * c + layers) for c in CONVOLUTIONS for layers in tables.LAYERS}
    run = pd.concat([tidy.scored(depth_name(*place), {1: ua}) for place, ua in ramp.items()])
    figure = figures.depth_map(tables.depth_scores(run, "emodb", "ua"), tables.depth_costs())
    for axes in figure.axes:
        assert min(style.contrast(ink, colour) for colour, _, _, ink in cells(axes).values()) > 4.5
    assert not any("not run yet" in text for text in texts(figure))
    assert "Emo-DB: UA (%), mean of 1 fold" in texts(figure)


def test_depth_map_of_no_run_at_all_says_so():
    figure = figures.depth_map(tables.depth_scores(scored([]), "emodb", "wa"), tables.depth_costs())
    assert {cell[2] for cell in cells(figure.axes[0]).values()} == {"–"}
    assert {"Emo-DB: WA (%)", "hatched, –: not run yet"} <= set(texts(figure))
    assert overlaps(figure) == []


def marks(axes, corpus, scaled):
    """Batch size -> mean and interval, in per cent, of the marks of one corpus and rule."""
    found = {}
    for bars in axes.containers:
        mark, _, (lines,) = bars
        hollow = to_rgba(mark.get_markerfacecolor()) == (1, 1, 1, 1)
        if mark.get_color() == style.CORPUS[corpus] and hollow == scaled:
            segments = [segment for segment in lines.get_segments() if len(segment)]  # nothing, where an end is NaN
            ends = {segment[0, 0]: tuple(segment[:, 1]) for segment in segments}
            for x, mean in mark.get_xydata():
                if np.isfinite(mean):
                    found[2 ** round(x)] = (mean, ends.get(x))
    return found


def joined(axes, corpus, linestyle):
    """Pairs of batch sizes that a line of one corpus joins."""
    lines = [line for line in axes.lines if line.get_color() == style.CORPUS[corpus]]
    return [
        tuple(2 ** round(x) for x in line.get_xdata())
        for line in lines
        if line.get_linestyle() == linestyle and len(line.get_xdata())
    ]


def test_table3_scores_draws_the_paper_and_ours_with_the_rate_held_and_scaled():
    six = {fold: 0.5 + 0.02 * fold for fold in range(1, 7)}
    two = {1: 0.5, 2: 0.6}
    run = pd.concat(
        [
            tidy.scored("table3-16", six),
            tidy.scored("table3-32", six),
            tidy.scored("table3-32-scaled", {**six, 6: 0.5}),
            tidy.scored("table3-64", two),
            tidy.scored("batch-128", two),
            tidy.scored("batch-256", {3: 0.6, 4: 0.6}),
            tidy.scored("batch-256-scaled", two),
            tidy.scored("table1-best", six),
            tidy.scored("table3-64", two, corpus="nemo"),
        ]
    )
    figure = figures.table3_scores(run)
    (axes,) = figure.axes
    (printed,) = (line for line in axes.lines if line.get_marker() == "*")
    assert printed.get_color() == style.PAPER
    assert [2 ** round(x) for x in printed.get_xdata()] == [16, 32, 64]
    assert printed.get_ydata().tolist() == [58.9, 59.0, 60.8]
    mean, ends = 57.0, tuple(100 * end for end in scoring.interval(np.array(list(six.values()))))
    held, scaled = marks(axes, "emodb", False), marks(axes, "emodb", True)
    assert {size: score for size, (score, _) in held.items()} == pytest.approx(
        {16: mean, 32: mean, 64: 55, 128: 55, 256: 60}
    )
    assert {size: score for size, (score, _) in scaled.items()} == pytest.approx({16: mean, 32: 55, 256: 55})
    assert {size for size, (_, interval) in held.items() if interval} == {16, 32}
    assert held[16][1] == pytest.approx(ends)
    # Sizes whose means are of other speakers are not joined.
    assert joined(axes, "emodb", "-") == [(16, 32), (64, 128)]
    assert joined(axes, "emodb", "-.") == [(16, 32)]
    assert marks(axes, "nemo", False) == {64: (pytest.approx(55), None)} and marks(axes, "nemo", True) == {}
    shown = texts(figure.legends[0])
    assert "ours, Emo-DB: mean of 2 to 6 speakers, 95 % interval from 6 on, 7 of 9 experiments" in shown
    assert {"ours, RAVDESS: not run yet", "ours, IEMOCAP: not run here"} <= set(shown)


def test_table3_scores_puts_no_two_marks_on_one_another():
    axes = figures.table3_scores(scored(NAMES, [*FAMILIES["table3"].references])).axes[0]
    places = [x for line in axes.lines if line.get_marker() not in ("", "None", "_") for x in line.get_xdata()]
    assert np.diff(np.sort(places)).min() > 0.05


def test_table3_scores_of_no_run_shows_the_paper_and_says_so():
    figure = figures.table3_scores(scored([]), "wa")
    (printed,) = (line for line in figure.axes[0].lines if line.get_marker() == "*")
    assert printed.get_ydata().tolist() == [63.6, 65.1, 65.4]
    assert "ours, Emo-DB: not run yet" in texts(figure.legends[0])
    assert overlaps(figure) == []


def test_best_of_seeds_draws_the_expected_best_and_its_rise():
    table = BEST_OF.copy()
    table.attrs["folds"] = (1, 2)
    (axes,) = figures.best_of_seeds(table, "UA").axes
    np.testing.assert_allclose(axes.lines[0].get_xydata(), [[1, 60], [2, 62], [3, 62.5]])
    assert [text.get_text() for text in axes.texts] == ["+2.0", "+2.5"]
    assert axes.get_title(loc="right") == "mean of 2 folds"


def test_power_curves_are_those_of_the_spread_and_mark_the_papers_steps():
    spread = inference.Components(10, 3, 2.0, 1.5, 2.5)
    speakers, seeds = figures.power_curves(spread, "Emo-DB").axes
    for axes, label, study in (
        (speakers, "6 speakers", (6, 1, 2.5, 0)),
        (speakers, "24 speakers", (24, 1, 2.5, 0)),
        (seeds, "1 seed", (10, 1, 2.0, 1.5)),
        (seeds, "10 seeds", (10, 10, 2.0, 1.5)),
    ):
        effects, found = lines(axes)[label].T
        np.testing.assert_allclose(found, 100 * inference.power(effects, *study))
        (stars,) = [line for line in axes.lines if line.get_marker() == "*"]
        assert list(stars.get_xdata()) == [0.7, 0.8, 1.1, 2.1, 2.9]
    np.testing.assert_allclose(lines(speakers)["10 speakers"], lines(seeds)["1 seed"])
    wide, _ = figures.power_curves(inference.Components(10, 3, 8.0, 6.0, 10.0), "Emo-DB").axes
    assert lines(wide)["10 speakers"][-1, 1] > 80  # however large the spread, the curve of ten is seen to come there


def test_power_curves_say_what_has_not_been_run():
    assert texts(figures.power_curves(None, "nEMO")).count("not run yet") == 2
    of_one_seed = figures.power_curves(inference.Components(10, 1, np.nan, np.nan, 3.0), "Emo-DB")
    assert "not run yet with two seeds" in texts(of_one_seed) and "not run yet" not in texts(of_one_seed)
    assert overlaps(of_one_seed) == []


def test_baseline_scores_draws_the_means_of_each_method_in_its_row():
    figure = figures.baseline_scores(scored(["emodb"], speakers=SIX), BASELINES)
    ua, _ = figure.axes
    rows = [tick.get_text().split("\n")[0] for tick in ua.get_yticklabels()]
    assert rows[0] == "majority class" and rows[-1] == "network, best model of Table 1" and len(rows) == 7
    emodb = ua.containers[0].lines[0].get_xydata()
    means = {rows[round(y + 0.3)]: x for x, y in emodb if not np.isnan(x)}
    assert means["majority class"] == pytest.approx(12.5)  # none, then one of four, right
    assert means["linear SVM, eGeMAPS"] == pytest.approx(87.5)
    assert means["network, best model of Table 1"] == pytest.approx(100 * (0.5 + 0.1 * 3.5 - 0.01))
    low, high = ua.containers[0].lines[2][0].get_segments()[0][:, 0]
    assert (low, high) == pytest.approx([100 * end for end in scoring.supported_interval([0, 0, 0, 0.25, 0.25, 0.25])])
    assert "ours, Emo-DB: mean of 6 speakers, 95 % interval, 4 of 7 methods" in texts(figure)
    assert "ours, nEMO: not run yet" in texts(figure)


def test_the_legend_of_baseline_scores_fits_however_much_it_has_to_say():
    runs = [scored([corpus], ["table1-best"], speakers=SIX[:count]) for corpus, count in (("emodb", 1), ("nemo", 6))]
    more = [scored([corpus], ["table1-baseline"], speakers=SIX) for corpus in ("emodb", "ravdess", "nemo", "synthetic")]
    figure = figures.baseline_scores(pd.concat(runs + more), BASELINES)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    (legend,) = figure.legends
    box = legend.get_window_extent(canvas.get_renderer())
    assert box.x0 >= 0 and box.x1 <= figure.bbox.x1 and box.y0 >= 0
    assert "ours, Emo-DB: mean of 1 to 6 speakers, 95 % interval from 6 on, 4 of 7 methods" in texts(figure)


def test_protocol_scores_draws_each_speaker_and_the_mean_over_them_in_the_row_of_the_protocol():
    figure = figures.protocol_scores(PROTOCOL_SCORES)
    ua, wa = figure.axes
    rows = [tick.get_text().replace("\n", " ") for tick in ua.get_yticklabels()]
    assert rows == list(tables.PROTOCOLS.values())
    ua_of, wa_of = (
        {tuple(line.get_xydata()[0]): line.get_xdata().tolist() for line in axes.lines
         if line.get_markersize() == 2 and len(line.get_xdata())} for axes in (ua, wa)
    )  # fmt: skip
    dots = {rows[round(y)]: xs for (_, y), xs in ua_of.items()}
    # Seed 1 of the baseline is left out, as the other protocol does not have it.
    assert dots[tables.PROTOCOLS["table1-baseline"]] == pytest.approx([60, 70, 80, 90, 100, 110])
    assert dots[tables.PROTOCOLS["protocol-sessions"]] == pytest.approx([40, 30, 20, 10, 0, -10])
    assert dots[tables.PROTOCOLS["protocol-utterances"]] == pytest.approx([60, 70])
    assert sorted(len(xs) for xs in wa_of.values()) == [2, 6, 6]
    emodb = ua.containers[0].lines[0].get_xydata()
    means = {rows[round(y + 0.3)]: x for x, y in emodb if not np.isnan(x)}
    assert means == pytest.approx({tables.PROTOCOLS["table1-baseline"]: 85, tables.PROTOCOLS["protocol-sessions"]: 15})
    assert "ours, Emo-DB: mean of 6 speakers, 95 % interval, 2 of 6 protocols" in texts(figure)
    assert {"ours, RAVDESS: not run yet", "ours, IEMOCAP: not run here"} <= set(texts(figure))

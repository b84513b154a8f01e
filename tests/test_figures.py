"""Figures: they draw the numbers they are given, name their units, and say what has not been run."""

import dataclasses
import io
from unittest import mock

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib import pyplot as plt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import QuadMesh
from matplotlib.colors import to_rgba
from matplotlib.patches import Rectangle
from scipy import stats

from ser_lib import (
    baselines,
    features,
    figures,
    inference,
    model,
    paper,
    printed,
    scoring,
    style,
    tables,
    vtlp,
    wording,
)
from ser_lib.corpora import EMOTIONS, NAMES, TITLES, iemocap
from ser_lib.errors import SerError
from ser_lib.experiments import CONVOLUTIONS, FAMILIES, depth_name
from ser_lib.folds import Fold

CORPUS = pd.DataFrame({"emotion": ["neutral"] * 5 + ["sadness"] * 3 + ["anger"] * 2 + ["happiness"] * 4})
FOLD = Fold(1, "03", "08", np.array([0, 1, 2, 5, 8, 9, 10]), np.array([3, 6, 11]), np.array([4, 7, 12, 13]))
HISTORY = pd.DataFrame(
    {
        "epoch": [1, 2, 3],
        "training_loss": [1.3, 0.9, 0.5],
        "validation_loss": [1.2, 0.8, 1.0],
        "validation_wa": [0.4, 0.7, 0.6],
        "validation_ua": [0.3, 0.65, 0.5],
    }
)
GRADIENTS = pd.DataFrame(
    {
        "epoch": [1, 1, 1, 2, 2, 2],
        "step": [1, 2, 3, 1, 2, 3],
        "conv 1": [1.0, 2, 9, 2, 2, 2],
        "lstm 1": 0.5,
        "dense": [1.0, 1, 4, 3, 4, 5],
    }
)
PREDICTIONS = pd.DataFrame(
    {
        "truth": ["neutral", "neutral", "neutral", "neutral", "sadness", "anger", "anger"],
        "prediction": ["neutral", "neutral", "neutral", "anger", "sadness", "happiness", "anger"],
    }
)
NETWORK = model.ConvLSTM(257, [4, 8], [(3, 3), (3, 3)], [(4, 1), (2, 2)], hidden_size=16, lstm_layers=1)


SIX = ("03", "08", "09", "10", "11", "12")


def scored(corpora=("emodb",), experiments=tuple(figures.TECHNIQUES), speakers=("03", "08", "09"), seeds=2):
    rows = [
        {
            "corpus": corpus, "experiment": experiment, "fold": fold, "seed": seed, "test_speaker": speaker,
            "utterances": 100, "correct": 70,
            "wa": 0.6 + 0.05 * fold + 0.01 * seed, "ua": 0.5 + 0.1 * fold - 0.02 * seed,
        }
        for corpus in corpora
        for experiment in experiments
        for fold, speaker in enumerate(speakers, start=1)
        for seed in range(seeds)
    ]  # fmt: skip
    columns = [*scoring.RUN, "test_speaker", "utterances", "correct", "wa", "ua"]
    return pd.DataFrame(rows, columns=columns)


def of_folds(experiment, ua_by_fold, seed=0, corpus="emodb"):
    """Scores of one seed of an experiment, by fold; WA is half of UA."""
    run = scored([corpus], [experiment], [f"s{fold}" for fold in ua_by_fold], seeds=1)
    return run.assign(fold=list(ua_by_fold), seed=seed, ua=list(ua_by_fold.values())).eval("wa = ua / 2")


def by_epoch(experiment, columns, fold=1, corpus="emodb"):
    """What one run leaves for each of its epochs."""
    length = len(next(iter(columns.values())))
    identity = {"corpus": corpus, "experiment": experiment, "fold": fold, "seed": 0, "epoch": range(1, length + 1)}
    return pd.DataFrame(identity | columns)


REFERENCES = {"pooling-max": "table1-baseline", "frequency-8": "table1-baseline", "vtlp-alone": "table1-best"}
PAIRED = pd.concat(
    [
        of_folds("table1-baseline", {fold: 0.5 + 0.01 * fold for fold in range(1, 11)}),
        of_folds("pooling-max", {fold: 0.5 + 0.03 * fold for fold in range(10, 0, -1)}),
        of_folds("frequency-8", {3: 0.5, 1: 0.55}),
    ]
)
LAYERS = pd.concat(
    [
        by_epoch("table1-best", {"conv 1": [1.0, 4.0, 9.0], "lstm 1": [1.0, 1.0, 1.0]}),
        by_epoch("table1-best", {"conv 1": [3.0, 8.0], "lstm 1": [0.5, 0.5]}, fold=2),
        by_epoch("table1-best", {"conv 1": [2.0], "lstm 1": [0.25]}, fold=3),
    ]
).assign(dense=np.nan)
DEPTH = pd.concat([of_folds("depth-1x1", {1: 0.5, 2: 0.6}), of_folds("depth-6x4", {1: 0.7, 2: 0.8})])
PAIRS = {"1 convolution": ("depth-1x1", "normalisation-none-1"), "4": ("table1-baseline", "normalisation-none-4")}
HISTORIES = pd.concat(
    [
        by_epoch("depth-1x1", {"training_loss": [1.0, 0.5, 0.1], "validation_loss": [1.2, 1.0, 1.1]}),
        by_epoch("depth-1x1", {"training_loss": [2.0, 1.5], "validation_loss": [1.4, 1.2]}, fold=2),
        by_epoch("depth-1x1", {"training_loss": [9.0], "validation_loss": [9.0]}, fold=7),
        by_epoch("normalisation-none-1", {"training_loss": [3.0], "validation_loss": [4.0]}, fold=2),
        by_epoch("normalisation-none-1", {"training_loss": [5.0, 2.0], "validation_loss": [6.0, 3.0]}),
        by_epoch("normalisation-none-1", {"training_loss": [9.0], "validation_loss": [9.0]}, fold=8),
        by_epoch("table1-baseline", {"training_loss": [9.0], "validation_loss": [9.0]}),
    ]
)
BEST_OF = pd.DataFrame({"k": [1, 2, 3], "expected_best": [0.6, 0.62, 0.625], "rise": [0.0, 0.02, 0.025]})

TIMED = pd.DataFrame(
    [
        ("emodb", "table1-best", 20.0, "cpu"),
        ("emodb", "table1-baseline", 30.0, "cpu"),
        ("emodb", "table1-vtlp", 70.0, "cpu"),
        ("emodb", "pooling-max", 400.0, "cpu"),
        ("nemo", "table1-best", 5.0, "cuda"),
        ("nemo", "table1-best", 6.0, "cpu"),
    ],
    columns=["corpus", "experiment", "seconds", "device"],
)

GROWTH = {
    "by_utterances": pd.DataFrame({"utterances": [10, 20, 40], "seconds": [1.0, 2.0, 4.5]}),
    "by_frames": pd.DataFrame({"frames": [21, 135, 909], "seconds": [0.5, 2.0, 20.0]}),
    "by_runs_at_once": pd.DataFrame({"runs": [1, 2, 4], "utterances_per_second": [100, 190, 200]}),
}


RULES = pd.DataFrame(
    {
        "rule": ["right", "right", "wrong", "wrong"],
        "fold": [1, 2, 1, 2],
        "fits": [True, True, False, True],
        "chance": [0.2, 0.3, 0.5, 0.6],
    }
)
RULE_SUMMARY = pd.DataFrame({"rule": ["right", "wrong"], "fits": [2, 1], "expected": [0.5, 1.1]})
RECALLS = pd.DataFrame(
    [
        {"speaker": speaker, "emotion": emotion, "low": 10.0, "lower": 30.0, "upper": 50.0, "high": 90.0 + place}
        for speaker in ("1F", "1M")
        for place, emotion in enumerate(EMOTIONS)
    ]
)
FOLD_INTERVALS = pd.DataFrame(
    {
        "fold": [1],
        "speaker": ["1F"],
        "wa": 64.0,
        "wa_low": 58.0,
        "wa_high": 70.0,
        "ua": 66.0,
        "ua_low": 60.0,
        "ua_high": 72.0,
    }
)
DISTINGUISHABLE = pd.DataFrame(
    {
        "step": ["VTLP", "oversampling"],
        "metric": ["ua", "wa"],
        "points": [2.0, -3.0],
        "correlation": [0.9, 0.5],
        "share": [0.7, 0.6],
    }
)
SMALLEST = {metric: pd.DataFrame({"correlation": [0.0, 0.99], "points": [5.0, 0.5]}) for metric in ("ua", "wa")}
RISE = pd.DataFrame(
    {"deviation": [0.5, 0.5, 1.0, 1.0], "k": [1, 2, 1, 2], "rise": [0, 0.3, 0, 0.6], "simulated": [0, 0.31, 0, 0.59]}
)


def picture(bins=257, frames=50):
    return torch.linspace(-80, 0, bins * frames).reshape(bins, frames)


BASELINES = pd.DataFrame(
    [
        ("emodb", name, by, fold, f"s{fold}", f"{fold}-{place}", truth, EMOTIONS[place - (place >= right)], 0.1)
        for (name, by), best in {("majority", "none"): 1, ("svm-egemaps", "training"): 4}.items()
        for fold, right in enumerate([best - 1] * 3 + [best] * 3, start=1)
        for place, truth in enumerate(EMOTIONS)
    ],
    columns=baselines.COLUMNS,
)

PROTOCOL_SCORES = pd.concat(
    [
        scored(["emodb"], ["table1-baseline"], SIX, seeds=2),
        scored(["emodb"], ["protocol-sessions"], SIX, seeds=1).eval("ua = 1 - ua"),
        scored(["nemo"], ["protocol-utterances"], SIX[:2], seeds=1),
    ]
)

DRAW = {
    "class_distribution": lambda: figures.class_distribution(pd.Series({"neu": 9, "fru": 7, "ang": 3}), "Improvised"),
    "class_distributions": lambda: figures.class_distributions({"Emo-DB": CORPUS["emotion"].value_counts()}),
    "warp_curves": lambda: figures.warp_curves([0.9, 1.0, 1.1]),
    "warps": lambda: figures.warps(picture(), [0.9, 1.1], 4),
    "frame_lengths": lambda: figures.frame_lengths({"Emo-DB": np.array([30, 60, 90]), "nEMO": np.array([25, 700])}),
    "fold_counts": lambda: figures.fold_counts(CORPUS, FOLD, 2),
    "learning_curves": lambda: figures.learning_curves(HISTORY, 2),
    "confusion": lambda: figures.confusion(PREDICTIONS),
    "architecture": lambda: figures.architecture(model.describe(NETWORK)),
    "table1_scores": lambda: figures.table1_scores(scoring.summary(scored())),
    "fold_scores": lambda: figures.fold_scores(scored(), "emodb"),
    "gradient_norms": lambda: figures.gradient_norms(GRADIENTS),
    "layer_curves": lambda: figures.layer_curves(LAYERS, "table1-best, Emo-DB", "gradient norm"),
    "paired_differences": lambda: figures.paired_differences(PAIRED, "emodb", REFERENCES),
    "depth_map": lambda: figures.depth_map(tables.depth_scores(DEPTH, "emodb", "ua"), tables.depth_costs()),
    "table3_scores": lambda: figures.table3_scores(scored(["emodb", "nemo"], FAMILIES["table3"].references)),
    "normalisation_curves": lambda: figures.normalisation_curves(HISTORIES, PAIRS),
    "best_of_seeds": lambda: figures.best_of_seeds(BEST_OF, "UA of table1-best, Emo-DB"),
    "schedule_response": lambda: figures.schedule_response(),
    "cost_growth": lambda: figures.cost_growth(GROWTH),
    "power_curves": lambda: figures.power_curves(inference.Components(10, 3, 2.0, 1.5, 2.5), "Emo-DB"),
    "ratio_fits": lambda: figures.ratio_fits(RULES, RULE_SUMMARY),
    "recall_ranges": lambda: figures.recall_ranges(RECALLS),
    "choices_of_folds": lambda: figures.choices_of_folds(printed.choices(), {"mean": paper.Score(64.5, 61.7)}),
    "printed_intervals": lambda: figures.printed_intervals(FOLD_INTERVALS, printed.score_intervals()),
    "distinguishable_steps": lambda: figures.distinguishable_steps(DISTINGUISHABLE, SMALLEST, {"ua": 8.0, "wa": 5.0}),
    "rise_by_best_of": lambda: figures.rise_by_best_of(RISE),
    "baseline_scores": lambda: figures.baseline_scores(scored(["emodb", "nemo"], speakers=SIX), BASELINES),
    "run_seconds": lambda: figures.run_seconds(TIMED),
    "protocol_scores": lambda: figures.protocol_scores(PROTOCOL_SCORES),
}
# What each axis must say, units included where there are any.
LABELS = {
    "class_distribution": {"utterances"},
    "class_distributions": {"utterances"},
    "warp_curves": {"frequency f (kHz)", "warped frequency G(f) (kHz)", "shift G(f) − f (kHz)"},
    "warps": {"time (s)", "frequency (kHz)", "level (dB, full-scale sine = 0)"},
    "frame_lengths": {"length (frames)", "length (s)", "utterances up to this length (%)"},
    "fold_counts": {"utterances"},
    "learning_curves": {"epoch", "cross-entropy (nats)", "accuracy (%)"},
    "confusion": {"predicted emotion", "true emotion (utterances)", "share of the true emotion (%)"},
    "architecture": {"output", "parameters"},
    "table1_scores": {"accuracy (%)"},
    "fold_scores": {"test speaker", "unweighted accuracy (%)", "weighted accuracy (%)"},
    "gradient_norms": {"epoch", "norm of the gradient (Euclidean)"},
    "layer_curves": {"epoch", "gradient norm"},
    "paired_differences": {"UA minus that of the experiment compared with (percentage points)"},
    "depth_map": {
        "Emo-DB: UA (%), mean of 2 folds",
        "million multiply-adds, parameters",
        "Bi-LSTM layers",
        "convolutions",
        "37.8\n711 k",
    },
    "table3_scores": {"batch size (utterances)", "unweighted accuracy (%)"},
    "normalisation_curves": {"epoch", "cross-entropy (nats)"},
    "best_of_seeds": {"runs to choose from", "expected score of the best run (%)"},
    "schedule_response": {"step", "size of the update"},
    "baseline_scores": {"unweighted accuracy", "accuracy (%)", "linear SVM, eGeMAPS\n(training rows)"},
    "cost_growth": {
        "utterances",
        "frames per utterance",
        "epoch (s)",
        "runs at once",
        "throughput (utterances/s)",
    },
    "power_curves": {"true difference (percentage points)", "studies that find it (%)", "ten speakers"},
    "ratio_fits": {"fold", "2 of 2  (0.5)", "1 of 2  (1.1)"},
    "recall_ranges": {"recall (%)", "test speaker", *EMOTIONS},
    "choices_of_folds": {"weighted accuracy (%)", "unweighted accuracy (%)", "one speaker per session (32 choices)"},
    "printed_intervals": {"weighted accuracy (%)", "unweighted accuracy (%)", "fold 1, 1F", "Table 3, batch size 16"},
    "distinguishable_steps": {
        "correlation of the two columns' fold scores",
        "size of a step (percentage points)",
        "VTLP +2.0",
        "oversampling -3.0",
    },
    "rise_by_best_of": {"runs to choose from", "rise of the score (percentage points)"},
    "protocol_scores": {"unweighted accuracy", "accuracy (%)", "both speakers of a session\ntest"},
    "run_seconds": {"one run (s)", "table1", "ours, nEMO: 2 runs", "median", "hollow: on a GPU"},
}
everything = pytest.mark.parametrize("name", DRAW)


@pytest.fixture(autouse=True)
def in_style():
    with mpl.rc_context():
        style.use()
        yield


def svg(figure):
    file = io.BytesIO()
    figure.savefig(file, format="svg", metadata=style.METADATA)
    return file.getvalue()


def texts(artist):
    return [text.get_text() for text in artist.findobj(mpl.text.Text) if text.get_text()]


def lines(axes):
    """Label of each labelled line -> its points."""
    return {line.get_label(): line.get_xydata() for line in axes.lines if not line.get_label().startswith("_")}


def bars(axes):
    """Length of each horizontal bar, in the order of drawing."""
    return [bar.get_width() for bar in axes.patches]


def overlaps(figure):
    """Pairs of texts that cover each other in the drawn figure."""
    draw, drawn = mpl.text.Text.draw, {}

    def record(text, renderer, *arguments):
        drawn[text] = text.get_text().strip()
        draw(text, renderer, *arguments)

    canvas = FigureCanvasAgg(figure)
    with mock.patch.object(mpl.text.Text, "draw", record):
        canvas.draw()
    boxes = [(shown, text.get_window_extent(canvas.get_renderer())) for text, shown in drawn.items() if shown]
    return [
        (one, other)
        for place, (one, box) in enumerate(boxes)
        for other, against in boxes[:place]
        if min(box.x1, against.x1) - max(box.x0, against.x0) > 1
        and min(box.y1, against.y1) - max(box.y0, against.y0) > 1
    ]


@everything
def test_a_figure_is_shown_once_and_fits_the_page(name):
    figure = DRAW[name]()
    svg(figure)
    assert plt.get_fignums() == []
    assert figure.get_size_inches()[0] <= style.PAGE
    assert to_rgba(figure.get_facecolor()) == (1, 1, 1, 1)


@everything
def test_a_figure_is_the_same_bytes_every_time(name):
    assert svg(DRAW[name]()) == svg(DRAW[name]())


@everything
def test_axes_are_labelled_with_units(name):
    assert LABELS[name] <= set(texts(DRAW[name]()))


@everything
def test_no_text_covers_another(name):
    assert overlaps(DRAW[name]()) == []


def test_the_check_for_covered_text_sees_one():
    figure = mpl.figure.Figure()
    figure.text(0.5, 0.5, "one")
    figure.text(0.505, 0.5, "another")
    assert overlaps(figure) == [("another", "one")]


def test_every_function_is_tested():
    public = {key for key, value in vars(figures).items() if getattr(value, "__module__", "") == figures.__name__}
    drawing = {key for key in public if not key.startswith("_")} - {"frames_to_seconds", "seconds_to_frames"}
    assert drawing == set(DRAW) == set(LABELS)


def test_class_distribution_draws_the_published_counts():
    counts = pd.Series(iemocap.PUBLISHED_IMPROVISED_LABELS)
    (axes,) = figures.class_distribution(counts, "IEMOCAP, improvised part").axes
    labels = [tick.get_text() for tick in axes.get_yticklabels()]
    assert dict(zip(labels, bars(axes), strict=True)) == counts.rename(index=iemocap.CODES).to_dict()
    assert axes.get_title(loc="left") == "IEMOCAP, improvised part"
    faces = {label: bar.get_facecolor() for label, bar in zip(labels, axes.patches, strict=True)}
    for label, face in faces.items():
        assert face == to_rgba(style.EMOTION.get(label, "white"))
    assert bars(axes) == sorted(bars(axes))  # the longest is drawn last, on top
    assert {str(count) for count in counts} <= set(texts(axes))


def test_class_distribution_of_the_four_emotions_needs_no_key():
    (axes,) = figures.class_distribution(pd.Series({emotion: 5 for emotion in EMOTIONS}), "Emo-DB").axes
    assert axes.get_legend() is None


def test_class_distributions_draws_a_panel_for_each_corpus():
    counts = {"Emo-DB": CORPUS["emotion"].value_counts(), "nEMO": pd.Series({"anger": 800, "neutral": 20})}
    emodb, nemo = figures.class_distributions(counts).axes
    assert bars(emodb)[:4] == [5, 3, 2, 4]
    assert bars(nemo)[:4] == [20, 0, 800, 0]
    assert {"Emo-DB (14)", "5"} <= set(texts(emodb))
    assert "nEMO (820)" in texts(nemo)


def test_figures_of_no_corpus_at_all_say_so():
    for figure in (figures.class_distributions({}), figures.frame_lengths({})):
        assert "not run yet" in texts(figure)
        assert overlaps(figure) == []


def test_warp_curves_go_through_the_knee():
    moved, shift = figures.warp_curves([0.9, 1.1]).axes
    for label, alpha in (("0.90", 0.9), ("1.10", 1.1)):
        np.testing.assert_allclose(lines(moved)[label], [[0, 0], [7.2, alpha * 7.2], [8, 8]], atol=1e-12)
    knees = [line.get_xdata()[0] for axes in (moved, shift) for line in axes.lines if line.get_linestyle() == ":"]
    np.testing.assert_allclose(knees, 7.2)
    np.testing.assert_allclose(shift.lines[0].get_ydata(), [0, -0.72, 0], atol=1e-12)
    assert "knee f₀ = 7.2 kHz" in texts(moved)


@pytest.mark.parametrize("frequency_range", [4, 8])
def test_warps_draws_the_original_and_each_warp_on_one_scale(frequency_range):
    original = picture(features.BINS[frequency_range], 20)
    panels = [axes for axes in figures.warps(original.numpy(), [0.9, 1.1], frequency_range).axes if axes.images]
    assert [axes.get_title(loc="left") for axes in panels] == ["original", "α = 0.90", "α = 1.10"]
    for axes, alpha in zip(panels, [1.0, 0.9, 1.1], strict=True):
        (image,) = axes.images
        torch.testing.assert_close(torch.from_numpy(np.asarray(image.get_array())), vtlp.warp_rows(original, alpha))
        assert image.get_extent() == pytest.approx([0, 20 * 0.032, 0, frequency_range])
        assert image.get_clim() == (-80, 0)


def test_warps_keeps_the_order_when_the_original_is_asked_for():
    panels = [axes for axes in figures.warps(picture(), [0.9, 1.0, 1.1], 4).axes if axes.images]
    assert [axes.get_title(loc="left") for axes in panels] == ["α = 0.90", "original", "α = 1.10"]
    np.testing.assert_array_equal(panels[1].images[0].get_array(), picture())


def test_warps_refuses_bins_of_another_range():
    with pytest.raises(SerError, match=r"up to 8 kHz has shape \(513, time\), not \(257, 50\)"):
        figures.warps(picture(), [0.9], 8)


def test_frame_lengths_climb_to_all_utterances_between_the_papers_marks():
    figure = figures.frame_lengths({"Emo-DB": np.array([30, 60, 90, 120]), "nEMO": np.array([25, 700])})
    axes = figure.axes[0]
    climbs = lines(axes)
    assert climbs["Emo-DB"][1:].tolist() == [[30, 25], [60, 50], [90, 75], [120, 100]]
    assert climbs["nEMO"][1:].tolist() == [[25, 50], [700, 100]]
    marks = [line.get_xdata()[0] for line in axes.lines if line.get_linestyle() == "--"]
    assert tuple(marks) == paper.NUMBERS["frames"].value
    assert {"paper: 21", "paper: 909"} <= set(texts(axes))


def test_frames_and_seconds_agree_with_the_features():
    frames = np.array([1, 21, 909])
    seconds = figures.frames_to_seconds(frames)
    np.testing.assert_allclose(seconds, [0.064, 0.704, 29.12])
    np.testing.assert_allclose(figures.seconds_to_frames(seconds), frames)
    assert [features.frame_count(round(16000 * second)) for second in seconds] == frames.tolist()


def test_fold_counts_draws_each_part_and_what_oversampling_adds():
    training, validation, test = figures.fold_counts(CORPUS, FOLD, 2).axes
    assert bars(training) == [3, 1, 2, 1, 0, 0, 2, 1]  # once, then the repeats
    assert bars(validation)[:4] == [1, 1, 0, 1]
    assert bars(test)[:4] == [1, 1, 0, 2]
    assert not any(bars(validation)[4:] + bars(test)[4:])
    assert {"2 × 2 = 4", "1 × 2 = 2", "training (10)"} <= set(texts(training))
    assert "validation: 08 (3)" in texts(validation)
    assert {"test: 03 (4)", "0"} <= set(texts(test))


def test_fold_counts_without_oversampling_adds_nothing():
    training = figures.fold_counts(CORPUS, FOLD).axes[0]
    assert bars(training) == [3, 1, 2, 1, 0, 0, 0, 0]
    assert "training (7)" in texts(training)


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


def test_architecture_shows_every_layer_with_shape_and_parameters():
    description = model.describe(NETWORK)
    shown = texts(figures.architecture(description, (257, 108)))
    assert [text for text in shown if text in ("mask", "dense", "softmax")] == ["mask", "dense", "softmax"]
    assert {"conv\n1", "conv\n2", "Bi-LSTM\n1", "257 bins\n108 steps", "4 maps\n65 bins\n108 steps"} <= set(shown)
    for parameters in description.loc[description["layer"] != "total", "parameters"]:
        assert f"{parameters:,}" in shown
    assert shown.index("conv\n2") < shown.index("mask") < shown.index("Bi-LSTM\n1")


def test_architecture_of_the_largest_network_wraps_into_rows_that_overlap_nowhere():
    largest = model.ConvLSTM(513, [16] * 6, [(3, 3)] * 6, [(2, 1)] * 6, hidden_size=512, lstm_layers=4)
    figure = figures.architecture(model.describe(largest), (513, 108))
    assert {"conv\n6", "Bi-LSTM\n4"} <= set(texts(figure))
    assert overlaps(figure) == []
    assert figure.get_size_inches()[1] == pytest.approx(
        2 * figures.architecture(model.describe(NETWORK)).get_figheight()
    )


def test_table1_names_every_experiment_of_the_paper_in_order():
    assert list(figures.TECHNIQUES) == [technique.experiment for technique in paper.TABLE1]


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
    run = pd.concat([of_folds(depth_name(*place), {1: ua}) for place, ua in ramp.items()])
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
            of_folds("table3-16", six), of_folds("table3-32", six), of_folds("table3-32-scaled", {**six, 6: 0.5}),
            of_folds("table3-64", two), of_folds("batch-128", two), of_folds("batch-256", {3: 0.6, 4: 0.6}),
            of_folds("batch-256-scaled", two), of_folds("table1-best", six), of_folds("table3-64", two, corpus="nemo"),
        ]
    )  # fmt: skip
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


def test_best_of_seeds_draws_the_expected_best_and_its_rise():
    table = BEST_OF.copy()
    table.attrs["folds"] = (1, 2)
    (axes,) = figures.best_of_seeds(table, "UA").axes
    np.testing.assert_allclose(axes.lines[0].get_xydata(), [[1, 60], [2, 62], [3, 62.5]])
    assert [text.get_text() for text in axes.texts] == ["+2.0", "+2.5"]
    assert axes.get_title(loc="right") == "mean of 2 folds"


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


# Schedules


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


def test_a_part_of_a_fold_names_its_speakers_or_says_how_many_they_are():
    many = dataclasses.replace(FOLD, test_speaker="03+08", validation_speaker="+".join(SIX))
    said = texts(figures.fold_counts(CORPUS, many))
    for words in ("test: 03+08 (", "validation: 6 speakers ("):
        assert any(text.startswith(words) for text in said), said

"""A made-up table for every figure, and what tests read off a figure."""

import io
from unittest import mock

import matplotlib as mpl
import numpy as np
import pandas as pd
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg

import tidy
from ser_lib import baselines, figures, inference, model, paper, printed, scoring, style, tables
from ser_lib.corpora import EMOTIONS
from ser_lib.experiments import FAMILIES
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


def by_epoch(experiment, columns, fold=1, corpus="emodb"):
    """What one run leaves for each of its epochs."""
    length = len(next(iter(columns.values())))
    identity = {"corpus": corpus, "experiment": experiment, "fold": fold, "seed": 0, "epoch": range(1, length + 1)}
    return pd.DataFrame(identity | columns)


REFERENCES = {"pooling-max": "table1-baseline", "frequency-8": "table1-baseline", "vtlp-alone": "table1-best"}

PAIRED = pd.concat(
    [
        tidy.scored("table1-baseline", {fold: 0.5 + 0.01 * fold for fold in range(1, 11)}),
        tidy.scored("pooling-max", {fold: 0.5 + 0.03 * fold for fold in range(10, 0, -1)}),
        tidy.scored("frequency-8", {3: 0.5, 1: 0.55}),
    ]
)

LAYERS = pd.concat(
    [
        by_epoch("table1-best", {"conv 1": [1.0, 4.0, 9.0], "lstm 1": [1.0, 1.0, 1.0]}),
        by_epoch("table1-best", {"conv 1": [3.0, 8.0], "lstm 1": [0.5, 0.5]}, fold=2),
        by_epoch("table1-best", {"conv 1": [2.0], "lstm 1": [0.25]}, fold=3),
    ]
).assign(dense=np.nan)

DEPTH = pd.concat([tidy.scored("depth-1x1", {1: 0.5, 2: 0.6}), tidy.scored("depth-6x4", {1: 0.7, 2: 0.8})])

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
        "oversampling −3.0",
    },
    "rise_by_best_of": {"runs to choose from", "rise of the score (percentage points)"},
    "protocol_scores": {"unweighted accuracy", "accuracy (%)", "both speakers of a session\ntest"},
    "run_seconds": {"one run (s)", "table1", "ours, nEMO: 2 runs", "median", "hollow: on a GPU"},
}


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

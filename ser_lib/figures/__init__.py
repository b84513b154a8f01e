"""Figures, drawn from tidy tables and arrays; pure functions (Figures 1, 2 and 3, eq. 1, Tables 1, 2 and 3, Section 3).

Call :func:`ser_lib.style.use` once before. Each function returns a figure that pyplot knows nothing of, so that a
notebook shows it once, where it is returned. UA and validation are drawn solid and filled, WA and training dashed or
hollow.
"""

from ser_lib.figures.drawing import METRICS, WITHOUT
from ser_lib.figures.inputs import (
    architecture,
    class_distribution,
    class_distributions,
    fold_counts,
    frame_lengths,
    frames_to_seconds,
    seconds_to_frames,
    warp_curves,
    warps,
)
from ser_lib.figures.printed import (
    choices_of_folds,
    distinguishable_steps,
    printed_intervals,
    ratio_fits,
    recall_ranges,
    rise_by_best_of,
)
from ser_lib.figures.scores import (
    TECHNIQUES,
    baseline_scores,
    best_of_seeds,
    confusion,
    depth_map,
    fold_scores,
    paired_differences,
    power_curves,
    protocol_scores,
    table1_scores,
    table3_scores,
)
from ser_lib.figures.training import (
    cost_growth,
    gradient_norms,
    layer_curves,
    learning_curves,
    normalisation_curves,
    run_seconds,
    schedule_response,
)

__all__ = [
    "METRICS",
    "TECHNIQUES",
    "WITHOUT",
    "architecture",
    "baseline_scores",
    "best_of_seeds",
    "choices_of_folds",
    "class_distribution",
    "class_distributions",
    "confusion",
    "cost_growth",
    "depth_map",
    "distinguishable_steps",
    "fold_counts",
    "fold_scores",
    "frame_lengths",
    "frames_to_seconds",
    "gradient_norms",
    "layer_curves",
    "learning_curves",
    "normalisation_curves",
    "paired_differences",
    "power_curves",
    "printed_intervals",
    "protocol_scores",
    "ratio_fits",
    "recall_ranges",
    "rise_by_best_of",
    "run_seconds",
    "schedule_response",
    "seconds_to_frames",
    "table1_scores",
    "table3_scores",
    "warp_curves",
    "warps",
]

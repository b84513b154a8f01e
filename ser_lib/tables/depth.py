"""The depth study: 1 to 6 convolutions, 1 to 4 Bi-LSTM layers (Section 3)."""

import itertools

import numpy as np
import pandas as pd
import torch

from ser_lib import model, training
from ser_lib.experiments import CONVOLUTIONS, EXPERIMENTS, depth_name
from ser_lib.scoring import in_common, of_experiment

LAYERS = (1, 2, 3, 4)
"""Numbers of Bi-LSTM layers of the depth study (Section 3)."""


def depth_scores(scored: pd.DataFrame, corpus: str, metric: str) -> pd.DataFrame:
    """Mean score of each network of the depth study, all of them over the same runs.

    Args:
        scored: as :func:`ser_lib.scoring.scores` or :func:`ser_lib.scoring.validation_scores` return them.
        corpus: whose runs to show.
        metric: ``wa`` or ``ua``.

    Returns:
        A row per number of convolutions, a column per number of Bi-LSTM layers; means in [0, 1] over the runs that all
        networks have in common (:func:`in_common`), seeds averaged first; NaN where a network was not run.
        ``attrs`` holds ``corpus``, ``metric``, and the ``folds`` and ``seeds`` in common.

    Source: Section 3 ("architectures with 1-6 convolutional layers, 1-4 Bi-LSTM layers").
    """
    places = {depth_name(convolutions, layers): (convolutions, layers) for convolutions, layers in _grid()}
    run = [name for name in places if len(of_experiment(scored, corpus, name))]
    rows, columns = pd.Index(CONVOLUTIONS, name="convolutions"), pd.Index(LAYERS, name="layers")
    table = pd.DataFrame(np.nan, index=rows, columns=columns)
    shared = []
    for name, part in zip(run, in_common(scored, corpus, run), strict=True):
        table.loc[places[name]] = part.groupby(level="fold")[metric].mean().mean()
        shared = list(part.index)
    folds, seeds = (tuple(sorted(set(values))) for values in zip(*shared, strict=True)) if shared else ((), ())
    table.attrs |= {"corpus": corpus, "metric": metric, "folds": folds, "seeds": seeds}
    return table


def depth_costs(frames: int = 108) -> pd.DataFrame:
    """What each network of the depth study costs, and how much of the spectrogram its convolutions see.

    Args:
        frames: length of the utterance; the default is the median of the paper's selection of IEMOCAP.

    Returns:
        One row per network: ``convolutions``, ``layers``, ``parameters``, ``multiply_adds`` of one utterance, and the
        receptive field of the convolutions, ``field_bins`` and ``field_frames``.

    Source: Section 3 (the paper states no cost).
    """
    rows = []
    for convolutions, layers in _grid():
        experiment = EXPERIMENTS[depth_name(convolutions, layers)]
        with torch.device("meta"):  # shapes only: no weights are drawn, and no random number is used up
            total = model.describe(training.build_model(experiment), frames).iloc[-1]
        field = model.receptive_field(experiment.kernels, experiment.strides)
        rows.append((convolutions, layers, total["parameters"], total["multiply_adds"], *field))
    columns = ["convolutions", "layers", "parameters", "multiply_adds", "field_bins", "field_frames"]
    return pd.DataFrame(rows, columns=columns)


def _grid() -> list[tuple[int, int]]:
    """(convolutions, Bi-LSTM layers) of each network of the depth study."""
    return list(itertools.product(CONVOLUTIONS, LAYERS))

"""How much the direction of the gradient varies from batch to batch, by batch size (Section 3, footnote 4).

Two batches are drawn from the training part without an utterance in common, and the cosine between the gradients of
their losses is taken, at the weights that a finished run kept. One means that every batch points the same way, zero
that they have nothing in common.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch.nn import functional
from tqdm import tqdm

from ser_lib import collection, measurements, origins, paths, records
from ser_lib.corpora import EMOTIONS
from ser_lib.errors import SerError
from ser_lib.features import BINS
from ser_lib.files import one_at_a_time, write_file
from ser_lib.folds import oversample
from ser_lib.model import ConvLSTM
from ser_lib.protocols import find_fold
from ser_lib.training import DeviceData

BATCH_SIZES = (16, 32, 64)
PAIRS = 16
"""Pairs of batches of each size."""

COLUMNS = [*records.IDENTITY, "batch_size", "pairs", "cosine", "configuration", "fingerprint", "code", "hardware"]
_NUMBERS = ["fold", "seed", "batch_size", "pairs", "cosine"]


def mean_cosine(
    model: ConvLSTM,
    data: DeviceData,
    labels: torch.Tensor,
    rows: np.ndarray,
    batch_size: int,
    pairs: int,
    generator: np.random.Generator,
) -> float:
    """The mean cosine between the gradients of two batches, over some pairs of them.

    Args:
        model: the network; its weights stay as they are.
        data: the spectrograms.
        labels: emotion of every utterance of the table, int64, shape (utterances,).
        rows: the utterances that batches are drawn from, as rows of the table.
        batch_size: utterances in a batch; two batches without one in common must fit into ``rows``.
        pairs: how many pairs.
        generator: where the draws come from.

    Raises:
        SerError: two batches do not fit.
    """
    cosines = []
    for _ in range(pairs):
        drawn = generator.permutation(rows)
        one, rest = drawn[:batch_size], drawn[batch_size:]
        other = rest[~np.isin(rest, one)][:batch_size]  # oversampling repeats utterances
        if len(other) < batch_size:
            raise SerError(f"two batches of {batch_size} do not fit into {len(rows)} training utterances")
        first, second = (_gradient(model, data, labels, batch) for batch in (one, other))
        cosines.append(float(functional.cosine_similarity(first, second, dim=0)))
    return float(np.mean(cosines))


def measure(table: pd.DataFrame, experiment: str = "table1-baseline", seed: int = 0) -> pd.DataFrame:
    """Mean cosines for every fold of an experiment that has been run: a row per fold and batch size, `COLUMNS`.

    Args:
        table: utterances of the corpus.
        experiment: whose finished runs give the weights.
        seed: which of them.

    Raises:
        SerError: no fold of it has been run.
    """
    found = [
        record
        for record in collection.finished_runs(say=lambda text: None).get((table.attrs["corpus"], experiment), [])
        if record.run["seed"] == seed and record.run["fingerprint"] == table.attrs["fingerprint"]
    ]
    if not found:
        raise SerError(
            f"no fold of {experiment} with seed {seed} has been run on {table.attrs['corpus']}: run it first"
        )
    store = records.open_store(table, found[0].settings.floor_db, progress=True)
    emotions = table["emotion"].to_numpy()
    labels = torch.tensor([EMOTIONS.index(emotion) for emotion in emotions])
    origin = origins.provenance("cpu")
    rows = []
    for record in tqdm(found, desc="gradients", unit="fold"):
        run, settings = record.run, record.settings
        data = DeviceData(
            store, BINS[settings.frequency_range], run["mean_db"], run["variance_db2"], torch.device("cpu")
        )
        fold = find_fold(table, settings.protocol, run["fold"])
        training_rows = oversample(fold.train, emotions, settings.oversampling)
        generator = np.random.default_rng([seed, run["fold"]])
        model = record.model()
        for size in BATCH_SIZES:
            cosine = mean_cosine(model, data, labels, training_rows, size, PAIRS, generator)
            rows.append({**run, **origin, "batch_size": size, "pairs": PAIRS, "cosine": cosine})
    return pd.DataFrame(rows)[COLUMNS]


def save(measured: pd.DataFrame, folder: Path | None = None) -> Path:
    """Keep what was measured on one corpus in ``results/<corpus>/variety.csv``, with what was kept of other runs.

    Raises:
        SerError: the code is not that of a commit, or what was kept is of another version of the corpus.
    """
    measurements.refuse_unnamed_code(measured["code"])
    corpus, folder = measured["corpus"].iloc[0], folder or paths.results_folder()
    file, remedy = folder / corpus / "variety.csv", paths.remedy("SER_RESULTS")
    with one_at_a_time(file.parent, remedy):
        before = load(folder)
        before = before[before["corpus"] == corpus]
        if not before["fingerprint"].isin(measured["fingerprint"]).all():
            raise SerError(f"{file} is of another version of the corpus: remove it, and measure again")
        again = list(measured[records.IDENTITY].itertuples(index=False, name=None))
        before = before[~pd.MultiIndex.from_frame(before[records.IDENTITY]).isin(again)]
        rows = pd.concat([before, measured], ignore_index=True) if len(before) else measured
        rows = rows.sort_values([*records.IDENTITY, "batch_size"])
        write_file(file, lambda aside: rows.to_csv(aside, index=False, float_format="%.6g"), remedy)
    return file


def load(folder: Path | None = None) -> pd.DataFrame:
    """What was measured on all corpora with the present settings; an empty table where nothing was.

    Raises:
        SerError: a table is damaged, or lacks a column.
    """
    files = (folder or paths.results_folder()).glob("*/variety.csv")
    return measurements.load(files, COLUMNS, _NUMBERS, "variety --experiment ...")


def _gradient(model: ConvLSTM, data: DeviceData, labels: torch.Tensor, rows: np.ndarray) -> torch.Tensor:
    """Gradient of the mean cross-entropy of a batch, all weights in one vector."""
    model.train()
    logits = model.score(*data.batch(rows, model.layout))
    gradients = torch.autograd.grad(functional.cross_entropy(logits, labels[rows]), list(model.parameters()))
    return torch.cat([gradient.flatten() for gradient in gradients])

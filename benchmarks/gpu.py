"""Training on a GPU at IEMOCAP's scale, the roofline beside it, VTLP against a copy, and whether a CPU agrees.

    python benchmarks/gpu.py [--root /path/to/emodb]

2280 utterances of noise as long as IEMOCAP's, `table1-best` (513 bins), in both precisions: utterances and useful
operations per second of an epoch, beside the device's own best product and copy. Then one epoch of fold 1 of
`table1-baseline` on Emo-DB, on the GPU and on a processor from the same weights: by how much the test probabilities
differ. Writes benchmarks/gpu.json. Without a GPU it measures nothing and says so; nothing else should use the GPU
meanwhile.
"""

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import report
import torch
import typer
from epoch import useful_operations
from growth import noise_table
from memory import noise_lengths

from ser_lib import corpora, features, training, vtlp
from ser_lib.device import multiplying
from ser_lib.experiments import Experiment, find_experiment
from ser_lib.features import BINS, FeatureStore
from ser_lib.protocols import find_fold

PRECISIONS = ("float32", "tf32")


def seconds_of(function: Callable[[], object], device: torch.device, repetitions: int) -> float:
    """Median time until the device has done what a function asks of it; one run more to warm up."""
    times = []
    for _ in range(-1, repetitions):
        wait(device)
        start = time.perf_counter()
        function()
        wait(device)
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])


def wait(device: torch.device) -> None:
    """Until the device has nothing left to do; a processor never has."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def noise_store(lengths: np.ndarray) -> FeatureStore:
    """Spectrograms of noise with so many frames each."""
    generator = torch.Generator().manual_seed(0)
    return FeatureStore.of([torch.randn(BINS[8], int(n), generator=generator) * 12 - 70 for n in lengths])


def epochs(experiment: Experiment, store: FeatureStore, device: torch.device, repetitions: int) -> dict:
    """The median epoch of training in the experiment's precision, with its augmentation and without its validation."""
    table = noise_table(len(store.lengths))
    with multiplying(experiment.precision, device):
        run = training._Run(table, store, experiment, find_fold(table, "speakers", 1), 0, device)
        seconds = seconds_of(lambda: run._train_epoch(1), device, repetitions)
    trained = store.lengths[run.training_rows]
    return {
        "trained_on": len(trained),
        "seconds": round(seconds, 4),
        "utterances_per_second": round(len(trained) / seconds),
        "useful_gflop_per_second": round(useful_operations(experiment, trained) / seconds / 1e9, 1),
    }


def roofline(device: torch.device, size: int, repetitions: int) -> dict:
    """The best that this device does: products of square matrices in each precision, and copies."""
    a, b = (torch.randn(size, size, device=device) for _ in range(2))
    result = {}
    for precision in PRECISIONS if device.type == "cuda" else PRECISIONS[:1]:
        with multiplying(precision, device):
            seconds = seconds_of(lambda: a @ b, device, repetitions)
        result[f"{precision}_gflop_per_second"] = round(2 * size**3 / seconds / 1e9, 1)
    seconds = seconds_of(lambda: a.clone(), device, repetitions)
    return result | {"copy_gb_per_second": round(2 * a.nbytes / seconds / 1e9, 1)}


def warping(store: FeatureStore, device: torch.device, repetitions: int) -> dict:
    """A batch laid on its strip, warped and not; the second is a copy of the batch."""
    data = training.DeviceData(store, BINS[4], -70.0, 144.0, device)
    rows, layout = np.arange(16), training.build_model(find_experiment("table1-baseline")).layout
    alphas = vtlp.draw_alphas(len(rows), torch.Generator().manual_seed(0))
    warped, copied = (seconds_of(lambda a=a: data.batch(rows, layout, a), device, repetitions) for a in (alphas, None))
    return {
        "warped_ms": round(1e3 * warped, 3),
        "copied_ms": round(1e3 * copied, 3),
        "ratio": round(warped / copied, 2),
    }


def agreement(table: pd.DataFrame, store: FeatureStore, devices: list[torch.device]) -> dict:
    """Test probabilities of one fold after one epoch from the same weights and batches, on each of two devices."""
    experiment = find_experiment("table1-baseline").with_settings(epochs=1)
    first, second = (
        training.train(
            table, store, experiment, find_fold(table, "speakers", 1), seed=0, device=str(device)
        ).predictions
        for device in devices
    )
    columns = [column for column in first if column.startswith("p_")]
    return {
        "utterances": len(first),
        "largest_difference_of_a_probability": float(f"{np.abs(first[columns] - second[columns]).max(axis=None):.2g}"),
        "same_prediction": int((first["prediction"] == second["prediction"]).sum()),
    }


def main(
    root: Annotated[Path | None, typer.Option(help="Top folder of Emo-DB; without it, $SER_CORPORA/emodb.")] = None,
    repetitions: int = 5,
) -> None:
    """Measure and write the medians."""
    if not torch.cuda.is_available():
        sys.exit("PyTorch finds no GPU of NVIDIA here: nothing is measured, and the page goes on saying so")
    device, experiment = torch.device("cuda"), find_experiment("table1-best")
    noise, table = noise_store(noise_lengths()), corpora.load("emodb", root)
    result = {
        "roofline": roofline(device, 8192, 20),
        "epoch": {
            precision: epochs(experiment.with_settings(precision=precision), noise, device, repetitions)
            for precision in PRECISIONS
        },
        "vtlp": warping(noise, device, 100),
        "agreement": agreement(table, features.open_store(table), [torch.device("cpu"), device]),
    }
    report.write("gpu", result, str(device))


if __name__ == "__main__":
    typer.run(main)

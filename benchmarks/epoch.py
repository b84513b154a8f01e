"""Time of one training epoch on Emo-DB, on one thread: the product against the same network as most people write it.

    python benchmarks/epoch.py --root /path/to/emodb

Fold 1, batches of 16, the same utterances and batches for both, without VTLP (the ordinary implementation has none);
the product records the norms of every layer in every step, as in its runs. Then the throughput of two such trainings at
once, each with one thread, over that of one. Useful operations are counted on valid frames alone, two for each
multiply-add, three times those of the forward pass but for the first convolution, whose input wants no gradient.
Writes benchmarks/epoch.json. Takes a minute or two; nothing else should run meanwhile.
"""

import contextlib
import importlib.util
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import numpy as np
import report
import torch
import typer
from ordinary import OrdinaryConvLSTM
from torch import nn
from torch.nn import functional

from ser_lib import corpora, features, training
from ser_lib.experiments import Experiment, find_experiment
from ser_lib.model import describe
from ser_lib.protocols import find_fold

WITHOUT_VTLP = {"vtlp": "none", "test_copies": 1}


def gemm_peak() -> float:
    """GFLOP/s of the best of some large matrix products."""
    a, b = torch.randn(1024, 1024), torch.randn(1024, 1024)
    return 2 * 1024**3 / min(timed(lambda: a @ b) for _ in range(30)) / 1e9


def convolution_peak() -> float:
    """GFLOP/s of the best of some convolutions: they go through oneDNN, which may use wider instructions."""
    x = torch.randn(1, 64, 64, 256).contiguous(memory_format=torch.channels_last)
    layer = nn.Conv2d(64, 64, 3, padding=1).to(memory_format=torch.channels_last)
    with torch.inference_mode():
        best = min(timed(lambda: layer(x)) for _ in range(30))
    return 2 * x.shape[2] * x.shape[3] * layer.weight.numel() / best / 1e9


def timed(function: Callable[[], object]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def useful_operations(experiment: Experiment, lengths: np.ndarray) -> float:
    """Floating-point operations of an epoch on utterances of so many frames."""
    model, total = training.build_model(experiment), 0
    for length, count in zip(*np.unique(lengths, return_counts=True), strict=True):
        table = describe(model, int(length)).set_index("layer")["multiply_adds"]
        total += 2 * count * (3 * table["total"] - table["conv 1"])
    return float(total)


class Ours:
    """An epoch of the product's own loop."""

    def __init__(self, table, store, experiment: Experiment) -> None:
        self.run = training._Run(table, store, experiment, find_fold(table, "speakers", 1), 0, torch.device("cpu"))
        self.run.model.train()

    def epoch(self, batches: list[np.ndarray]) -> None:
        for rows in batches:
            self.run._step(rows, None, len(batches))
            self.run.steps = 0  # no schedule comes to its end, however often this is repeated


class Ordinary:
    """An epoch of plain PyTorch, from spectrograms that are normalised already."""

    def __init__(self, ours: Ours, store, experiment: Experiment) -> None:
        data = ours.run.data
        bins = features.BINS[experiment.frequency_range]
        self.pictures = [
            features.normalise(torch.from_numpy(store.picture(row, bins)), data.mean, data.variance).T
            for row in range(len(data.lengths))
        ]
        self.labels = ours.run.labels
        self.model = OrdinaryConvLSTM.like(ours.run.model, experiment)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-4)

    def epoch(self, batches: list[np.ndarray]) -> None:
        for rows in batches:
            parts = [self.pictures[row] for row in rows]
            batch = nn.utils.rnn.pad_sequence(parts, batch_first=True).transpose(1, 2)
            loss = functional.cross_entropy(
                self.model(batch, torch.tensor([len(part) for part in parts])), self.labels[rows]
            )
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            loss.item()


@contextlib.contextmanager
def keras(ordinary: Ordinary, experiment: Experiment, batches: list[np.ndarray]):
    """A function that trains epochs in Keras and returns their seconds, in another process; None if not installed.

    The process gets batches and weights, and checks that they give the logits of the ordinary implementation.
    """
    if not (importlib.util.find_spec("keras") and importlib.util.find_spec("tensorflow")):
        yield None
        return
    arrays = {f"weight {name}": value.numpy() for name, value in ordinary.model.state_dict().items()}
    for number, rows in enumerate(batches):
        parts = [ordinary.pictures[row] for row in rows]
        arrays[f"pictures {number}"] = nn.utils.rnn.pad_sequence(parts, batch_first=True).transpose(1, 2).numpy()
        arrays[f"lengths {number}"] = np.array([len(part) for part in parts])
        arrays[f"labels {number}"] = ordinary.labels[rows].numpy()
    with torch.inference_mode():
        first = (torch.from_numpy(arrays[f"{kind} 0"]) for kind in ("pictures", "lengths"))
        arrays["logits"] = ordinary.model(*first).numpy()
    for setting in ("strides", "hidden_size", "learning_rate", "momentum", "weight_decay"):
        arrays[setting] = np.array(getattr(experiment, setting))
    with tempfile.TemporaryDirectory() as folder:
        np.savez(f"{folder}/case.npz", **arrays)
        script = Path(__file__).with_name("keras_network.py")
        with subprocess.Popen(
            [sys.executable, str(script), f"{folder}/case.npz"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"},
        ) as process:  # fmt: skip

            def epoch() -> list[float]:
                print("epoch", file=process.stdin, flush=True)
                return [float(seconds) for seconds in process.stdout.readline().split()]

            yield epoch


def prepare(root: Path | None, name: str) -> tuple[Ours, Ordinary, Experiment, np.ndarray, list[np.ndarray]]:
    table = corpora.load("emodb", root)
    store = features.open_store(table)
    experiment = find_experiment(name).with_settings(**WITHOUT_VTLP)
    ours = Ours(table, store, experiment)
    rows = np.random.default_rng(0).permutation(ours.run.training_rows)
    batches = np.split(rows, range(experiment.batch_size, len(rows), experiment.batch_size))
    return ours, Ordinary(ours, store, experiment), experiment, store.lengths[rows], batches


def measure(root: Path | None, name: str, repetitions: int, peak: float) -> dict:
    """Medians of both, interleaved, and the median of the ratios."""
    ours, ordinary, experiment, lengths, batches = prepare(root, name)
    with keras(ordinary, experiment, batches) as keras_epoch:
        times = [
            [
                timed(lambda: ours.epoch(batches)),
                timed(lambda: ordinary.epoch(batches)),
                *(keras_epoch() if keras_epoch else []),
            ]
            for _ in range(-1, repetitions)
        ][1:]  # the first is to warm up
    mine, other, *in_keras = (statistics.median(column) for column in zip(*times, strict=True))
    ratios = [statistics.median(row[column] / row[0] for row in times) for column in range(1, 2 + len(in_keras))]
    operations = useful_operations(experiment, lengths)
    return {
        "utterances": len(lengths),
        "frames": int(lengths.sum()),
        "useful_gflop": round(operations / 1e9, 2),
        "ours_seconds": round(mine, 3),
        "ordinary_seconds": round(other, 3),
        "ratio": round(ratios[0], 2),
        "keras": {
            way: {"seconds": round(seconds, 3), "ratio": round(ratio, 2)}
            for way, seconds, ratio in zip(("train_on_batch", "fit"), in_keras, ratios[1:], strict=False)
        }
        or "not measured",
        "ours_gflop_per_second": round(operations / mine / 1e9, 1),
        "ordinary_gflop_per_second": round(operations / other / 1e9, 1),
        "share_of_gemm_peak": round(operations / mine / 1e9 / peak, 2),
        "utterances_per_second": round(len(lengths) / mine),
    }


def main(
    root: Annotated[Path | None, typer.Option(help="Top folder of Emo-DB; without it, $SER_CORPORA/emodb.")] = None,
    repetitions: int = 11,
    worker: Annotated[float | None, typer.Option(hidden=True)] = None,
) -> None:
    """Measure and write the medians."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    if worker is not None:
        ours, _, _, lengths, batches = prepare(root, "table1-baseline")
        report.work(lambda: ours.epoch(batches), len(lengths), worker)
        return
    peak = gemm_peak()
    options = ["--root", str(root)] if root else []
    one, two = (
        statistics.median(report.throughput(__file__, count, 8, *options) for _ in range(3)) for count in (1, 2)
    )
    result = {
        "gemm_peak_gflop_per_second": round(peak, 1),
        "convolution_peak_gflop_per_second": round(convolution_peak(), 1),
        "experiments": {name: measure(root, name, repetitions, peak) for name in ("table1-baseline", "table1-best")},
        "one_run_utterances_per_second": round(one),
        "two_runs_utterances_per_second": round(two),
        "two_over_one": round(two / one, 2),
    }
    report.write("epoch", result)


if __name__ == "__main__":
    typer.run(main)

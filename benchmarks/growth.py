"""How the cost of training grows: with utterances, with their frames, with runs at once. The features are noise.

    python benchmarks/growth.py

Seconds of an epoch of `table1-best` without its test, on one thread, for corpora of noise; then the throughput of
several such trainings at once, each a process with one thread. Writes benchmarks/growth.json. Nothing else should run
meanwhile.
"""

import os
import statistics
import time
from typing import Annotated

import numpy as np
import pandas as pd
import report
import torch
import typer

from ser_lib import training
from ser_lib.corpora import EMOTIONS
from ser_lib.experiments import find_experiment
from ser_lib.features import BINS, FeatureStore
from ser_lib.protocols import find_fold

UTTERANCES, FRAMES = 320, 135
"""Where one of the two is varied, the other is this; 135 frames are IEMOCAP's mean."""


def noise_table(utterances: int) -> pd.DataFrame:
    """A table of noise: ten speakers, each emotion as frequent as the others."""
    rows = np.arange(utterances)
    return pd.DataFrame(
        {
            "utterance": [f"{row:05d}" for row in rows],
            "speaker": [f"{row % 10 // 2 + 1}{'FM'[row % 2]}" for row in rows],
            "gender": ["FM"[row % 2] for row in rows],
            "session": rows % 10 // 2 + 1,
            "emotion": [EMOTIONS[row // 10 % 4] for row in rows],
        }
    )


def training_run(utterances: int, frames: int) -> training._Run:
    """A training on noise."""
    generator = torch.Generator().manual_seed(0)
    pictures = [torch.randn(BINS[8], frames, generator=generator) * 12 - 70 for _ in range(utterances)]
    table, experiment = noise_table(utterances), find_experiment("table1-best")
    return training._Run(
        table, FeatureStore.of(pictures), experiment, find_fold(table, "speakers", 1), 0, torch.device("cpu")
    )


def epoch_seconds(utterances: int, frames: int, repetitions: int) -> dict:
    """The median epoch, and what it trained on."""
    run, times = training_run(utterances, frames), []
    for repetition in range(-1, repetitions):  # one to warm up
        start = time.perf_counter()
        run._train_epoch(1)
        if repetition >= 0:
            times.append(time.perf_counter() - start)
    trained, seconds = len(run.training_rows), statistics.median(times)
    return {
        "utterances": utterances,
        "frames": frames,
        "trained_on": trained,
        "seconds": round(seconds, 3),
        "frames_per_second": round(trained * frames / seconds),
    }


def main(repetitions: int = 5, worker: Annotated[float | None, typer.Option(hidden=True)] = None) -> None:
    """Measure and write the medians."""
    torch.set_num_threads(1)
    if worker is not None:
        run = training_run(UTTERANCES, FRAMES)
        report.work(lambda: run._train_epoch(1), len(run.training_rows), worker)
        return
    cores = os.cpu_count()
    at_once = sorted({1, 2, cores, 2 * cores})
    result = {
        "experiment": "table1-best",
        "by_utterances": [epoch_seconds(number, FRAMES, repetitions) for number in (80, 160, 320, 640, 1280)],
        "by_frames": [epoch_seconds(UTTERANCES, frames, repetitions) for frames in (21, 45, 135, 405, 909)],
        "by_runs_at_once": [
            {"runs": runs, "utterances_per_second": round(report.throughput(__file__, runs, 10))} for runs in at_once
        ],
    }
    report.write("growth", result)


if __name__ == "__main__":
    typer.run(main)

"""How every benchmark leaves what it measured, and how those measure that run several trainings at once."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

from ser_lib import origins


def write(name: str, result: dict, device: str = "cpu") -> None:
    """Print a result with the hardware it is of, and write it to benchmarks/NAME.json; all run on one thread.

    Args:
        name: of the JSON file, without its ending.
        result: what was measured.
        device: the torch device it was measured on.
    """
    result = result | {
        "hardware": origins.provenance(device)["hardware"],
        "threads": 1,
        "torch": torch.__version__,
    }
    text = json.dumps(result, indent=1)
    Path(__file__).with_name(f"{name}.json").write_text(text + "\n")
    print(text)


def throughput(script: str, processes: int, seconds: float, *options: str) -> float:
    """Utterances per second of so many trainings at once, each a process with one thread.

    Args:
        script: its path; with ``--worker SECONDS`` it is to call :func:`work`.
        processes: how many.
        seconds: how long each trains.
        options: of the script, besides.
    """
    command = [sys.executable, script, "--worker", str(seconds), *options]
    workers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(processes)]
    return sum(float(worker.communicate()[0]) for worker in workers)


def work(epoch: Callable[[], object], utterances: int, seconds: float) -> None:
    """Be one of those trainings: epochs of so many utterances, one to warm up; prints utterances per second."""
    epoch()
    start, epochs = time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        epoch()
        epochs += 1
    print(epochs * utterances / (time.perf_counter() - start))

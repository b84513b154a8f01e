"""Runs of the made-up corpus, finished, failed and collected, for the tests of records and of tables."""

import multiprocessing
from pathlib import Path

import pandas as pd
import pytest

from ser_lib import collection, origins, paths, training
from ser_lib.errors import SerError

FILES = [
    "gradients.csv", "history.csv", "predictions.csv", "provenance.json", "run.json", "updates.csv",
    "weights.safetensors",
]  # fmt: skip


def contents(folder: Path) -> dict[str, bytes]:
    """What must be the same bytes in every repetition: all of a record but its provenance."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "provenance.json"}


def finished_runs() -> list[Path]:
    return sorted(paths.runs_folder().glob("*/*/fold-*"))


def in_another_process(work) -> multiprocessing.Process:
    child = multiprocessing.get_context("fork").Process(target=work)
    child.start()
    return child


def collect() -> list[str]:
    """Collect the runs; what was said meanwhile."""
    said = []
    collection.collect(say=said.append)
    return said


def diverging(patch: pytest.MonkeyPatch, epoch: int = 2, batch: int | None = 3) -> None:
    """Let every training end with a loss that is not finite."""

    def train(*_):
        problem = training.Diverged(epoch, batch, ["1F_anger_0", "2M_sadness_1"])
        problem.history = pd.DataFrame({"epoch": range(1, epoch), "training_loss": 1.25})
        raise problem

    patch.setattr(training, "train", train)


def failed(obtain, **run) -> Path:
    """Let a run of the made-up corpus fail; where the failure is kept."""
    with pytest.MonkeyPatch.context() as patch:
        diverging(patch)
        patch.setattr(origins, "code_version", lambda: "older code")
        with pytest.raises(SerError, match="not finite") as caught:
            obtain(**run)
    return Path(str(caught.value).partition("(kept in ")[2].rstrip(")"))

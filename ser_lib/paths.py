"""Where the project keeps what it makes; every place can be moved with an environment variable."""

import os
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]


def chosen(variable: str) -> Path | None:
    """The folder that an environment variable names; None if it is not set.

    A relative one is below the project, wherever a process was started: each page of the book runs in its own folder.
    """
    value = os.environ.get(variable)
    return PROJECT / Path(value).expanduser() if value else None


def data_folder() -> Path:
    """Folder of what can be made again from the corpora: feature stores and the synthetic corpus (``SER_DATA``)."""
    return chosen("SER_DATA") or PROJECT / "data"


def runs_folder() -> Path:
    """Folder of runs, one folder each, never committed (``SER_RUNS``)."""
    return chosen("SER_RUNS") or PROJECT / "runs"


def results_folder() -> Path:
    """Folder of the committed tidy tables that the book reads (``SER_RESULTS``)."""
    return chosen("SER_RESULTS") or PROJECT / "results"


def remedy(variable: str) -> str:
    """What to do when a folder cannot be written: words for an error, by the variable that moves the folder."""
    return f"make room, or set {variable} to a folder that can be written"

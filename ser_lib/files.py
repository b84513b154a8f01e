"""Writing that a kill, a full disk or a second process cannot spoil, and reading that names what is damaged."""

import contextlib
import fcntl
import json
import os
import shutil
import time
import uuid
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from ser_lib.errors import SerError

LEFTOVER_SECONDS = 24 * 3600
"""How old a half-written folder must be to be taken for one that a killed process left."""


def write_folder(folder: Path, marker: str, fill: Callable[[Path], None], remedy: str) -> None:
    """Fill a folder aside and rename it when it is whole; if another process was first, its folder stays.

    Args:
        folder: the folder to make.
        marker: a file that a whole folder holds; a folder without it does not count.
        fill: writes the content into the folder it is given.
        remedy: what the user can do when nothing can be written there.

    Raises:
        SerError: the folder cannot be written. Nothing half-written is left in its place.
    """
    folder = folder.resolve()  # a link stays one
    aside = _aside(folder)
    try:
        aside.mkdir(parents=True)
        _clear_leftovers(folder)
        fill(aside)
        try:
            aside.rename(folder)
        except OSError:
            if not (folder / marker).exists():
                raise
    except OSError as problem:
        raise SerError(f"{folder} could not be written: {problem.strerror or problem}; {remedy}") from problem
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def write_file(file: Path, fill: Callable[[Path], None], remedy: str) -> None:
    """As :func:`write_folder`, for a single file; a later writer replaces an earlier one."""
    aside = _aside(file)
    try:
        aside.parent.mkdir(parents=True, exist_ok=True)
        fill(aside)
        aside.replace(file)
    except OSError as problem:
        raise SerError(f"{file} could not be written: {problem.strerror or problem}; {remedy}") from problem
    finally:
        with contextlib.suppress(OSError):  # never there, or not reachable: the error above says why
            aside.unlink()


def make_folder(folder: Path, remedy: str) -> None:
    """Make a folder, and those above it, where they are not there.

    Raises:
        SerError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise SerError(f"{folder} could not be written: {problem.strerror or problem}; {remedy}") from problem


@contextlib.contextmanager
def one_at_a_time(folder: Path, remedy: str) -> Iterator[None]:
    """Wait until no other process is in here for a folder: for those who read a file of it and write it anew.

    Args:
        folder: made if it is not there.
        remedy: what the user can do when it cannot be made.

    Raises:
        SerError: the folder cannot be made.
    """
    make_folder(folder, remedy)
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError as problem:
        raise SerError(f"{folder} could not be read: {problem.strerror or problem}; {remedy}") from problem
    try:
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def read_table(file: Path, remedy: str, columns: Collection[str] = (), **options: Any) -> pd.DataFrame:
    """A table from a CSV file.

    Args:
        file: the file.
        remedy: what the user can do when it is damaged.
        columns: those that it must have.
        options: as :func:`pandas.read_csv` takes them.

    Raises:
        SerError: the file is not there, is empty or no table, or lacks a column.
    """
    try:
        table = pd.read_csv(file, **options)
    except (ValueError, FileNotFoundError) as problem:  # pandas' own errors and those of decoding are ValueErrors
        raise damaged(file, problem, remedy) from problem
    missing = [column for column in columns if column not in table]
    if missing:
        raise SerError(f"{file} lacks the column(s) {', '.join(missing)}: {remedy}")
    return table


def read_json(file: Path, remedy: str) -> Any:
    """What a JSON file holds.

    Args:
        file: the file.
        remedy: what the user can do when it is damaged.

    Raises:
        SerError: the file is not there, is empty or no JSON.
    """
    try:
        return json.loads(file.read_text())
    except (ValueError, FileNotFoundError) as problem:
        raise damaged(file, problem, remedy) from problem


def damaged(file: Path, problem: Exception, remedy: str) -> SerError:
    """The error of a file that does not hold what it should, in one line."""
    reason = problem.strerror if isinstance(problem, OSError) and problem.strerror else " ".join(str(problem).split())
    return SerError(f"{file} cannot be read ({reason}): {remedy}")


def _aside(path: Path) -> Path:
    return path.with_name(f".{path.name}-{uuid.uuid4().hex[:8]}")


def _clear_leftovers(folder: Path) -> None:
    """Remove what killed writers left beside a folder; what is younger than a day may still be written."""
    for leftover in folder.parent.glob(f".{folder.name}-????????"):
        with contextlib.suppress(OSError):  # renamed by its writer meanwhile: not a leftover
            if time.time() - leftover.stat().st_mtime > LEFTOVER_SECONDS:
                shutil.rmtree(leftover, ignore_errors=True)

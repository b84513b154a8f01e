"""What is measured beside the runs and kept with their results: by code that can be found again, of present settings.

The tables of :mod:`ser_lib.variety` and :mod:`ser_lib.transfer` are of finished runs; those of :mod:`ser_lib.repeats`
and :mod:`ser_lib.baselines` name their code, too.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from ser_lib.errors import SerError
from ser_lib.experiments import EXPERIMENTS
from ser_lib.files import read_table
from ser_lib.origins import is_named


def refuse_unnamed_code(versions: Iterable[str]) -> None:
    """Refuse to keep what was made by code that is not that of a commit: nobody could tell later what made it.

    Args:
        versions: as :func:`ser_lib.origins.code_version` gives them.

    Raises:
        SerError: one of them names no commit.
    """
    if not all(map(is_named, versions)):
        raise SerError(
            "nothing is kept: ser_lib differs from its last commit, or has none; commit it first, so that what is "
            "kept can name its code"
        )


def load(files: Iterable[Path], columns: Sequence[str], numbers: Sequence[str], command: str) -> pd.DataFrame:
    """Rows of some tables one below the other, those of present settings alone: as with runs, no others count.

    Args:
        files: a table for each corpus, in the corpus's folder.
        columns: those that it must have.
        numbers: which of them are numbers; all others are words, although some look like numbers.
        command: the one that measures it again, but for the corpus.

    Returns:
        The rows whose ``configuration`` is the one that their ``experiment`` has now; an empty table if there are none.

    Raises:
        SerError: a table is damaged, or lacks a column.
    """
    words = {column: str for column in columns if column not in numbers}
    present = {name: experiment.digest for name, experiment in EXPERIMENTS.items()}
    found = []
    for file in sorted(files):
        remedy = f"remove it, and measure it again: python -m ser_lib {command} --corpus {file.parent.name}"
        table = read_table(file, remedy, columns, dtype=words)
        table = table[table["configuration"] == table["experiment"].map(present)]
        found += [table] if len(table) else []
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=list(columns))

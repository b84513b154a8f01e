"""What runs took, and what the whole study would: seconds, memory and energy, as tables.

The paper states no cost.
"""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from ser_lib.corpora import TITLES
from ser_lib.experiments import FAMILIES, NO_FAMILY, family_of
from ser_lib.records import IDENTITY, RunKey
from ser_lib.wording import CORPORA, NOT_RUN, counted, unmeasured


def of_runs(runs: pd.DataFrame, by: Iterable[str] = ("corpus", "experiment", "hardware")) -> pd.DataFrame:
    """What runs took, by corpus and whatever else is asked for.

    Args:
        runs: as in :class:`ser_lib.collection.Results`.
        by: ``corpus``, and any of ``family`` (see :func:`family_of`), ``experiment`` and ``hardware``.

    Returns:
        One row per group: its runs, the median and the longest of their wall clock seconds, the median over runs of
        their seconds per epoch, the highest peak memory in MiB, and hours in all. A corpus without any run has a row
        that says so.

    Source: none in the paper, which states no cost.
    """
    by = list(by)
    families = [*FAMILIES, NO_FAMILY]
    keyed = runs.assign(
        corpus=pd.Categorical(runs["corpus"], list(TITLES)),
        family=pd.Categorical(runs["experiment"].map(family_of), families),
    )
    rows = []
    for key, part in keyed.groupby(by, observed=True):
        rows.append(
            {column.capitalize(): value for column, value in zip(by, key, strict=True)}
            | {
                "Corpus": TITLES[key[by.index("corpus")]],
                "Runs": len(part),
                "Median (s)": _seconds(part["seconds"].median()),
                "Longest (s)": _seconds(part["seconds"].max()),
                "Epoch (s)": f"{(part['seconds'] / part['epochs']).median():.2f}",
                "Peak (MiB)": f"{part['peak_memory_mib'].max():,.0f}",
                "In all (h)": f"{part['seconds'].sum() / 3600:.2f}",
            }
        )
    columns = [column.capitalize() for column in by]
    columns += ["Runs", "Median (s)", "Longest (s)", "Epoch (s)", "Peak (MiB)", "In all (h)"]
    for corpus in CORPORA:
        if corpus not in set(runs["corpus"]):
            rows.append(dict.fromkeys(columns, unmeasured(corpus)) | {"Corpus": TITLES[corpus]})
    return pd.DataFrame(rows, columns=columns)


def energy_of_runs(
    runs: pd.DataFrame, by: Iterable[str] = ("corpus", "experiment", "hardware", "device")
) -> pd.DataFrame:
    """The energy of the runs of which it was read; see :mod:`ser_lib.energy` for what is in it.

    Args:
        runs: as in :class:`ser_lib.collection.Results`.
        by: columns of ``runs``, ``corpus`` among them.

    Returns:
        One row per group: how many of its runs were read, and the median and the highest in kJ of what their machine
        used meanwhile. There is no sum, in which runs side by side would count the same energy several times. A group
        of which none was read has no row.

    Source: none in the paper, which states no energy.
    """
    by = list(by)
    rows = []
    for key, part in runs.groupby(by):
        joules = part["energy_joules"].dropna()
        if len(joules):
            group = dict(zip(by, key, strict=True))
            rows.append(
                {column.capitalize(): value for column, value in group.items()}
                | {
                    "Corpus": TITLES[group["corpus"]],
                    "Read": f"{len(joules)} of {counted(len(part), 'run')}",
                    "Median (kJ)": f"{joules.median() / 1e3:,.2f}",
                    "Highest (kJ)": f"{joules.max() / 1e3:,.2f}",
                }
            )
    columns = [*(column.capitalize() for column in by), "Read", "Median (kJ)", "Highest (kJ)"]
    return pd.DataFrame(rows, columns=columns)


def energy_read(runs: pd.DataFrame) -> str:
    """Of how many runs the energy was read, in a sentence."""
    if not runs["energy_joules"].notna().any():
        return f"No run's energy could be read ({counted(len(runs), 'run')})."
    return f"The energy of {runs['energy_joules'].count()} of {counted(len(runs), 'run')} was read."


def runs_made(planned: Iterable[RunKey], runs: pd.DataFrame, failures: pd.DataFrame) -> str:
    """How many runs of the study were made on each corpus, those that diverged among them, in words.

    Args:
        planned: as :func:`ser_lib.study.plan` gives them.
        runs, failures: as in :class:`ser_lib.collection.Results`.
    """
    made = {run for table in (runs, failures) for run in table[IDENTITY].itertuples(index=False, name=None)}
    counts: dict[str, list[bool]] = {}
    for run in planned:
        counts.setdefault(run.corpus, []).append(tuple(run.identity.values()) in made)
    found = ", ".join(f"{sum(of):,} of {len(of):,} on {TITLES[corpus]}" for corpus, of in counts.items())
    return f"Runs of the whole study that were made: {found}."


def study_by_corpus(estimates: pd.DataFrame, utterances: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """What the whole study takes on each corpus, one run at a time.

    Args:
        estimates: as :func:`ser_lib.study.estimates` returns them.
        utterances: corpus -> its table of utterances, in the order of the rows.

    Returns:
        One row per corpus and kind of hardware: utterances, minutes of speech, runs, hours ("at least" where some
        experiments were never measured), the highest peak memory, and from which corpus's runs how many experiments
        were estimated. An open corpus of which no table is kept has a row that says so.
    """
    columns = ["Utterances", "Speech (min)", "Runs", "Hours", "Peak (GiB)", "Estimated from runs on", "Hardware"]
    rows = []
    for corpus in CORPORA:
        if corpus not in utterances:
            rows.append({"Corpus": TITLES[corpus]} | dict.fromkeys(columns, NOT_RUN))
            continue
        table = utterances[corpus]
        for hardware, part in estimates[estimates["corpus"] == corpus].groupby("hardware"):
            peak = part["memory_mib"].max() / 1024
            values = [
                f"{len(table):,}", f"{table['duration'].sum() / 60:.0f}", f"{len(part):,}", _hours(part),
                NOT_RUN if np.isnan(peak) else f"{peak:.1f}", _bases(part), hardware or NOT_RUN,
            ]  # fmt: skip
            rows.append({"Corpus": TITLES[corpus]} | dict(zip(columns, values, strict=True)))
    return pd.DataFrame(rows, columns=["Corpus", *columns])


def study_by_stage(estimates: pd.DataFrame) -> pd.DataFrame:
    """What each stage of the study takes on each corpus, one run at a time.

    Args:
        estimates: as :func:`ser_lib.study.estimates` returns them.

    Returns:
        One row per stage and kind of hardware: the stage, what it decides, runs and hours on each corpus, and the
        hardware.
    """
    rows = []
    for (hardware, stage), part in estimates.groupby(["hardware", "stage"], sort=False):
        row = {"Stage": stage, "Decides": part["decides"].iloc[0]}
        for corpus, of_corpus in part.groupby("corpus", sort=False):
            hours = _hours(of_corpus)
            row[TITLES[corpus]] = f"{len(of_corpus):,} runs, {hours}" + ("" if hours == NOT_RUN else " h")
        rows.append(row | {"Hardware": hardware or NOT_RUN})
    return pd.DataFrame(rows)


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f}" if seconds < 10 else f"{seconds:,.0f}"


def _hours(estimates: pd.DataFrame) -> str:
    """Hours of some planned runs in all; "at least" where some of them could not be estimated."""
    known = estimates["seconds"].dropna()
    if known.empty:
        return NOT_RUN
    return ("at least " if len(known) < len(estimates) else "") + f"{known.sum() / 3600:,.1f}"


def _bases(estimates: pd.DataFrame) -> str:
    """From which corpus how many experiments were estimated: Emo-DB (85 experiments), not run yet (2 experiments)."""
    sources = estimates.drop_duplicates("experiment")["source"].map(TITLES)
    counts = {**sources.value_counts().to_dict(), NOT_RUN: sources.isna().sum()}
    return ", ".join(f"{source} ({counted(count, 'experiment')})" for source, count in counts.items() if count)

"""The whole study: which runs, in which order, what they need, and what became of them.

A stage is some experiments, over some folds, with some seeds. Stages are run in their order, so that
stopping anywhere leaves the most decisive claims decided. What a run needs is estimated from runs that were measured.
"""

import math
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import torch

from ser_lib import experiments, paths, scoring
from ser_lib.audio import SAMPLE_RATE, WINDOW
from ser_lib.corpora import EMOTIONS
from ser_lib.corpora.iemocap import PUBLISHED_COUNTS
from ser_lib.device import choose_device
from ser_lib.errors import SerError
from ser_lib.features import BINS, HOP
from ser_lib.protocols import PROTOCOLS, folds_of
from ser_lib.records import IDENTITY, RunKey, finished
from ser_lib.training import build_model

MEMORY_FACTOR = 1.5
"""Memory that is asked for, as a multiple of the largest peak measured."""

TIME_FACTOR = 3
"""Minutes that are asked for, as a multiple of the longest run measured: other machines are slower, or busy."""

EXTRA_MINUTES = 10
"""What a run may take besides: reading the corpus, and making the spectrograms if it is the first."""

DEFAULT_MEMORY_MIB, DEFAULT_MINUTES = 8192, 360
"""What is asked for where nothing was measured."""

TABLES_BYTES = 2**20
"""Histories, gradients and predictions of one run, at most."""


IEMOCAP_FRAMES = 309_000
"""Frames of IEMOCAP's 2280 utterances of the selection, from the published times of the turns, to the next thousand."""


@dataclass(frozen=True)
class Stage:
    """Runs that are made before those of later stages.

    Attributes:
        name: a word for it.
        purpose: what its runs decide.
        families: families of experiments, or single experiments, in their order.
        folds: how many of a corpus's folds, from the first; None for all.
        seeds: the seeds of each run.
    """

    name: str
    purpose: str
    families: tuple[str, ...]
    folds: int | None
    seeds: tuple[int, ...]

    @property
    def experiments(self) -> list[str]:
        """Every experiment of its families, each once."""
        return list(dict.fromkeys(name for family in self.families for name in experiments.members(family)))


TABLES = ("table1", "table3")
ISOLATING = ("alone", "batch-size-without", "vtlp")
PROTOCOL = ("protocol",)
PAIRS = (
    "pooling",
    "normalisation-none-4", "normalisation-none-slow-4", "normalisation-slow-4",  # whether eq. 2 speeds up convergence
    "normalisation-none-1", "depth-1x1", "normalisation-none-2", "depth-2x1",  # and overfits where the network is small
    "normalisation-none-slow-1", "normalisation-slow-1", "normalisation-none-slow-2", "normalisation-slow-2",
    "batchnorm-4x1",
)  # fmt: skip
"""What the paper says of two networks that are quick to train, and that no table of it holds."""
OTHERS = tuple(family for family in experiments.FAMILIES if family not in TABLES + ISOLATING + PROTOCOL)

STAGES = (
    Stage("tables", "Tables 1 and 3, over all speakers", TABLES, None, (0,)),
    Stage("isolating", "what each technique of the tables does on its own", ISOLATING, None, (0,)),
    Stage("protocol", "what the paper's protocol is worth against others", PROTOCOL, None, (0,)),
    Stage("pairs", "what the paper says of pooling, eq. 2 and recurrent batch normalisation", PAIRS, None, (0,)),
    Stage("families", "a first look at all else that the paper tried", OTHERS, 2, (0,)),
    Stage("seeds", "how far Tables 1 and 3 depend on the seed", TABLES, None, (1, 2)),
    Stage("rest", "all else that the paper tried, over all speakers", OTHERS, None, (0,)),
)
"""The study, the most decisive first."""


@dataclass(frozen=True)
class Needs:
    """What one run is expected to take.

    Attributes:
        seconds: median of the measured runs.
        longest: of the longest of them.
        memory_mib: largest peak of them.
        source: the corpus on which they were measured; if not the run's own, its numbers were scaled.
    """

    seconds: float
    longest: float
    memory_mib: float
    source: str


def plan(tables: Sequence[pd.DataFrame], stages: Sequence[Stage] = STAGES) -> dict[RunKey, Stage]:
    """Every run of the study on some corpora, in the order in which they are made, each with its first stage.

    Args:
        tables: loaded corpora, in order.
        stages: see :data:`STAGES`.
    """
    runs: dict[RunKey, Stage] = {}
    folds = [
        {protocol: [fold.number for fold in folds_of(table, protocol)] for protocol in PROTOCOLS} for table in tables
    ]
    for stage in stages:
        for seed in stage.seeds:
            for table, numbers in zip(tables, folds, strict=True):
                corpus, fingerprint = table.attrs["corpus"], table.attrs["fingerprint"]
                for name in stage.experiments:
                    settings = experiments.find_experiment(name)
                    for number in numbers[settings.protocol][: stage.folds]:
                        runs.setdefault(RunKey(corpus, fingerprint, name, settings, number, seed), stage)
    return runs


def is_gpu(device: str) -> bool:
    """Whether a device that is asked for is a GPU; the runs may be made on another machine, so it need not be here.

    Args:
        device: a torch device; ``auto`` is a GPU if this machine has one.

    Raises:
        SerError: PyTorch knows no such device.
    """
    if device == "auto":
        device = choose_device(device)
    try:
        return torch.device(device).type == "cuda"
    except RuntimeError as problem:
        raise SerError(f"device {device!r} cannot be used: {str(problem).splitlines()[0]}") from None


def needs(
    runs: pd.DataFrame, durations: Callable[[str], pd.Series | None], corpus: str, experiment: str, gpu: bool = False
) -> Needs | None:
    """What a run is expected to take, from the runs of its experiment that were measured.

    Runs of another corpus are scaled: time with the seconds of speech in all, since every epoch reads all of it;
    memory with the mean length of an utterance, which is that of a batch, if it is longer.

    Args:
        runs: as in :class:`ser_lib.collection.Results`.
        durations: corpus -> seconds of each of its utterances, or None where they are not known.
        corpus, experiment: of the run.
        gpu: whether it is made on a GPU; only runs of the same kind of device count.

    Returns:
        None if nothing was measured that it can be estimated from.
    """
    measured = runs[runs["experiment"] == experiment]
    measured = measured[scoring.on_gpu(measured) == gpu]
    # The corpus itself, or else the one with the most runs.
    sources = sorted(measured["corpus"].value_counts().index, key=lambda source: source != corpus)
    for source in sources:
        part = measured[measured["corpus"] == source]
        longer, larger = 1.0, 1.0
        if source != corpus:
            own, other = durations(corpus), durations(source)
            if own is None or other is None:
                continue
            longer, larger = own.sum() / other.sum(), max(1.0, own.mean() / other.mean())
        return Needs(
            float(part["seconds"].median() * longer),
            float(part["seconds"].max() * longer),
            float(part["peak_memory_mib"].max() * larger),
            source,
        )
    return None


def tables_without_recordings(corpora: Iterable[str], kept: Callable[[str], pd.DataFrame | None]) -> list[pd.DataFrame]:
    """Tables of utterances to plan with, where no recordings are at hand.

    Args:
        corpora: their names; one of which nothing is kept is left out, but for IEMOCAP, whose counts are published.
        kept: corpus -> its table of utterances, where one is kept; see :func:`ser_lib.collection.load_utterances`.

    Returns:
        One table per corpus, as :func:`plan` takes them; nothing can be trained from them.
    """
    tables = []
    for corpus in corpora:
        table = kept(corpus)
        if table is None and corpus == "iemocap":
            table = published_iemocap()
        if table is not None:
            table.attrs |= {"corpus": corpus, "fingerprint": "not read"}
            tables.append(table)
    return tables


def published_iemocap() -> pd.DataFrame:
    """A stand-in for IEMOCAP's table: the published number of utterances, all of the mean length.

    Returns:
        One row per utterance: ``utterance`` (a number), ``speaker``, ``gender``, ``session``, ``emotion`` and
        ``duration`` (seconds), whose sum is that of `IEMOCAP_FRAMES` frames.

    Source: Section 1.1; the release's published counts.
    """
    rows = [
        (speaker, speaker[1], int(speaker[0]), emotion)
        for speaker, counts in PUBLISHED_COUNTS[list(EMOTIONS)].iterrows()
        for emotion, count in counts.items()
        for _ in range(count)
    ]
    table = pd.DataFrame(rows, columns=["speaker", "gender", "session", "emotion"])
    table.insert(0, "utterance", [f"{place:04d}" for place in range(len(table))])
    # A window for the first frame of each utterance, a hop for every other one.
    samples = WINDOW + (IEMOCAP_FRAMES / len(table) - 1) * HOP
    return table.assign(duration=samples / SAMPLE_RATE)


def estimates(
    tables: Sequence[pd.DataFrame], runs: pd.DataFrame, kept: Callable[[str], pd.DataFrame | None]
) -> pd.DataFrame:
    """What every run of the study is expected to take, whether it is finished or not.

    Args:
        tables: corpora, as :func:`plan` takes them.
        runs: what was measured; as in :class:`ser_lib.collection.Results`.
        kept: corpus -> its table of utterances, where one is kept; see :func:`ser_lib.collection.load_utterances`.

    Returns:
        One row per run of the study and kind of device that was measured: ``corpus, experiment, fold, seed, stage``,
        ``decides`` (the stage's purpose), ``hardware`` (all of that kind), ``seconds``, ``memory_mib`` and ``source``
        as in :class:`Needs`. The last three are empty where nothing was measured.
    """
    planned, durations = plan(tables), durations_of(tables, kept)
    on_gpu = scoring.on_gpu(runs)
    rows = []
    for gpu in sorted(set(on_gpu)) or [False]:
        hardware = "; ".join(sorted(runs.loc[on_gpu == gpu, "hardware"].unique()))
        pairs = dict.fromkeys((run.corpus, run.experiment) for run in planned)
        needed = {pair: needs(runs, durations, *pair, gpu=gpu) for pair in pairs}
        for run, stage in planned.items():
            need = needed[run.corpus, run.experiment]
            expected = (need.seconds, need.memory_mib, need.source) if need else (math.nan, math.nan, None)
            rows.append((*run.identity.values(), stage.name, stage.purpose, hardware, *expected))
    columns = [*IDENTITY, "stage", "decides", "hardware", "seconds", "memory_mib", "source"]
    return pd.DataFrame(rows, columns=columns)


def memory_to_ask(need: Needs | None) -> int:
    """Memory to ask a scheduler for, MiB."""
    return DEFAULT_MEMORY_MIB if need is None else math.ceil(MEMORY_FACTOR * need.memory_mib)


def minutes_to_ask(need: Needs | None) -> int:
    """Time to ask a scheduler for, minutes."""
    return DEFAULT_MINUTES if need is None else math.ceil(TIME_FACTOR * need.longest / 60) + EXTRA_MINUTES


def disk_bytes(runs: Iterable[RunKey], seconds: Mapping[str, float]) -> tuple[int, int]:
    """Bytes of the spectrograms, and of the records, that some runs leave on disk.

    Args:
        runs: the runs.
        seconds: corpus -> seconds of speech.
    """
    runs = list(runs)
    stores = {(run.corpus, run.settings.floor_db) for run in runs}
    pixels = sum(seconds[corpus] * SAMPLE_RATE / HOP * max(BINS.values()) for corpus, _ in stores)
    weights = {
        settings: sum(4 * value.numel() for value in build_model(settings).state_dict().values())
        for settings in {run.settings for run in runs}
    }
    return round(4 * pixels), sum(weights[run.settings] + TABLES_BYTES for run in runs)


def describe(
    tables: Sequence[pd.DataFrame],
    runs: pd.DataFrame,
    kept: Callable[[str], pd.DataFrame | None],
    cores: int = 1,
    gpu: bool = False,
) -> str:
    """The study on some corpora in words: how many runs, how many finished, how long, how much memory and disk.

    Args:
        tables: loaded corpora, in order.
        runs: what was measured; as in :class:`ser_lib.collection.Results`.
        kept: corpus -> its table of utterances, where one is kept; see :func:`ser_lib.collection.load_utterances`.
        cores: how many runs are made at once.
        gpu: whether they are made on a GPU.
    """
    planned = plan(tables)
    durations = durations_of(tables, kept)
    pairs = dict.fromkeys((run.corpus, run.experiment) for run in planned)
    needed = {pair: needs(runs, durations, *pair, gpu=gpu) for pair in pairs}
    rows = []
    for run, stage in planned.items():
        need = needed[run.corpus, run.experiment]
        to_go = not finished(run)
        rows.append((stage.name, to_go, need.seconds / 3600 if to_go and need else 0.0, to_go and need is None))
    frame = pd.DataFrame(rows, columns=["stage", "to_go", "hours", "unknown"])
    shown = frame.groupby("stage", sort=False).agg(
        runs=("to_go", "size"), to_go=("to_go", "sum"), hours=("hours", "sum"), unmeasured=("unknown", "sum")
    )
    shown["hours"] = shown["hours"].map("{:.1f}".format).where(shown["unmeasured"] < shown["to_go"], "unknown")
    shown.loc[shown["to_go"] == 0, "hours"] = "0.0"
    shown["decides"] = shown.index.map({stage.name: stage.purpose for stage in planned.values()})
    shown = shown.rename(columns={"to_go": "to go", "hours": "hours, one at a time"}).reset_index()
    to_go = [run for run in planned if not finished(run)]
    corpora = ", ".join(table.attrs["corpus"] for table in tables)
    seconds = {table.attrs["corpus"]: float(table["duration"].sum()) for table in tables}
    store, records = disk_bytes(to_go, seconds)
    diverged = sum((run.failure_folder / "failure.json").exists() for run in to_go)
    note = f" ({diverged} of these diverged: the same code does not make them again)" if diverged else ""
    lines = [
        f"The study on {corpora}: {len(planned)} runs, {len(planned) - len(to_go)} finished, {len(to_go)} to go{note}",
        "",
        shown.to_string(index=False),
        "",
        f"time    {_time(frame, cores)}",
        *(f"        {note}" for note in _sources(needed, runs, gpu)),
        f"memory  {_memory(needed, to_go, cores)}",
        f"disk    {store / 1e6:,.0f} MB for the spectrograms, {records / 1e6:,.0f} MB for the records",
    ]
    return "\n".join(lines)


def durations_of(
    tables: Iterable[pd.DataFrame], kept: Callable[[str], pd.DataFrame | None]
) -> Callable[[str], pd.Series | None]:
    """A function from a corpus to the seconds of each of its utterances, from its table here or the one kept."""
    loaded = {table.attrs["corpus"]: table["duration"] for table in tables}

    def durations(corpus: str) -> pd.Series | None:
        if corpus not in loaded:
            table = kept(corpus)
            loaded[corpus] = None if table is None else table["duration"]
        return loaded[corpus]

    return durations


def _time(frame: pd.DataFrame, cores: int) -> str:
    unknown = int(frame["unknown"].sum())
    if unknown == frame["to_go"].sum() > 0:
        return "unknown: no run of these experiments was measured on this kind of device"
    more = f"; not counted: {unknown} runs of experiments that were never measured" if unknown else ""
    return f"about {frame['hours'].sum() / cores:.1f} hours, {cores} at once{more}"


def _sources(needed: Mapping[tuple[str, str], Needs | None], runs: pd.DataFrame, gpu: bool) -> list[str]:
    """Where the measured runs come from: hardware, and corpora whose runs were scaled."""
    notes = []
    sources = {(corpus, need.source) for (corpus, _), need in needed.items() if need}
    if sources:
        part = runs[runs["corpus"].isin({source for _, source in sources})]
        on_gpu = scoring.on_gpu(part)
        notes.append(f"as measured on {', '.join(sorted(part.loc[on_gpu == gpu, 'hardware'].unique()))}")
    for corpus in sorted({corpus for corpus, source in sources if corpus != source}):
        others = sorted(source for of, source in sources if of == corpus != source)
        notes.append(f"{corpus}: scaled from {' and '.join(others)}, by seconds of speech")
    return notes


def _memory(needed: Mapping[tuple[str, str], Needs | None], to_go: Iterable[RunKey], cores: int) -> str:
    known = [need.memory_mib for run in to_go if (need := needed[run.corpus, run.experiment])]
    if not known:
        return "unknown"
    largest = max(known)
    return f"up to {largest / 1024:.1f} GiB for one run, {cores * largest / 1024:.1f} GiB for {cores} at once"


@dataclass(frozen=True)
class Failed:
    """A run that was started and left no record: its log, and the last line of it."""

    record: Path
    log: Path
    reason: str


def log_file(record: Path) -> Path:
    """Where the messages of a run go, by the place of its ``run.json``."""
    return paths.runs_folder() / "logs" / ("-".join(record.parts[-4:-1]) + ".log")


def failed_runs(records: Iterable[Path], since: float) -> list[Failed]:
    """Those runs that have no record, but a log that was written to.

    Args:
        records: the ``run.json`` of each.
        since: when their making began, seconds since the epoch; older logs are of earlier attempts.
    """
    failed = []
    for record in records:
        log = log_file(record)
        if not record.exists() and log.exists() and log.stat().st_mtime >= since:
            failed.append(Failed(record, log, last_line(log.read_text(errors="replace"))))
    return failed


def last_line(text: str) -> str:
    """The last line that is not empty; a progress bar draws each of its states on a line of its own."""
    lines = [line.strip() for line in re.split(r"[\r\n]+", text)]
    return next((line for line in reversed(lines) if line), "it left no message")


def summary(records: Collection[Path], since: float) -> str:
    """What became of the runs that were asked for: how many are finished, and why each of the others failed."""
    failed = failed_runs(records, since)
    missing = sum(not record.exists() for record in records)
    lines = [f"{len(records) - missing} of {len(records)} runs are finished"]
    if missing > len(failed):
        lines.append(f"{missing - len(failed)} were not started, or left no log")
    if failed:
        lines.append(f"{len(failed)} failed:")
    for run in failed:
        lines += [f"  {'/'.join(run.record.parts[-4:-1])}: {run.reason}", f"    {run.log}"]
    return "\n".join(lines)

"""What a run leaves behind, and the tidy tables that are collected from it.

A record is one folder: ``run.json`` (who, what, which configuration), ``history.csv``, ``gradients.csv``,
``updates.csv``, ``predictions.csv``, ``weights.safetensors`` and ``provenance.json`` (when, where, how long). All but
the last are the same bytes whenever the same run is repeated on the same machine. Accuracies are never stored: they
are computed from predictions. A run whose loss is no longer finite leaves a folder below ``failures/`` instead, which
never counts as a result.
"""

import ast
import hashlib
import importlib.metadata
import json
import math
import os
import platform
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import safetensors
import safetensors.torch
import torch

from ser_lib import audio, energy, features, paths, training
from ser_lib.corpora import EMOTIONS
from ser_lib.device import choose_device, multiplying
from ser_lib.errors import SerError
from ser_lib.experiments import EXPERIMENTS, Experiment
from ser_lib.files import damaged, make_folder, one_at_a_time, read_json, read_table, write_file, write_folder
from ser_lib.protocols import ONE_TEST_SPEAKER, find_fold

IDENTITY = ["corpus", "experiment", "fold", "seed"]
"""What names a run in every tidy table."""

UTTERANCE_COLUMNS = ["utterance", "speaker", "gender", "session", "scenario", "emotion", "duration"]
RUN_MODULES = (
    "audio", "device", "features", "folds", "linear", "metrics", "model", "optim", "recurrence", "recurrent_bn",
    "strip", "training", "vtlp",
)  # fmt: skip
"""The modules that make a record what it is, besides those of settings and corpora, which have digests, and of
protocols, whose folds a test pins."""
_WORDS = ("utterance", "speaker", "test_speaker", "validation_speaker", "fingerprint", "configuration", "code")
"""Columns that are words although some of them look like numbers."""
_KINDS = ("runs", "predictions", "histories", "gradients", "updates")
_PACKAGES = ("torch", "torchaudio", "soundfile", "numpy", "scipy", "scikit-learn", "pandas")
_PREDICTIONS = ["utterance", "speaker", "truth", "prediction"] + [
    f"{kind}_{emotion}" for kind in ("p", "votes") for emotion in EMOTIONS
]
_LATER = ("energy_joules", "notes")
"""Columns that older records and tables lack: they are read as not known (NaN)."""
_FAILURE_COLUMNS = ["fingerprint", "configuration", "learning_rate", "epoch", "batch", "message"]
_IN_FAILURE = {*IDENTITY, *_FAILURE_COLUMNS, "settings", "device", "code"} - {"learning_rate"}
_IN_NAME = ("fold", "seed", "configuration", "fingerprint")
_RUN_COLUMNS = [
    "run", "fingerprint", "configuration", "test_speaker", "validation_speaker", "best_epoch", "epochs",
    "seconds", "peak_memory_mib", "energy_joules", "code", "hardware", "device", "python", *_PACKAGES, "notes",
]  # fmt: skip

REPEAT_COLUMNS = [
    *IDENTITY, "code_before", "hardware_before", "device_before", "torch_before", "code", "hardware", "device", "torch",
    "seconds", "same", "best_epoch_before", "best_epoch", "utterances", "other_predictions", "largest_difference",
    "wa_before", "ua_before", "wa", "ua", "configuration", "fingerprint",
]  # fmt: skip
"""Of a collected run that was made again; see :mod:`ser_lib.repeats`."""
_LATER_OF_REPEATS = ("wa_before", "ua_before", "wa", "ua", "configuration", "fingerprint")
"""Those that older repetitions lack."""


_WORDS_OF_REPEATS = ("code", "code_before", "configuration", "fingerprint")


@dataclass(frozen=True)
class RunKey:
    """What names a run: corpus, experiment with its settings, fold and seed."""

    corpus: str
    fingerprint: str
    experiment: str
    settings: Experiment
    fold: int
    seed: int

    @property
    def folder(self) -> Path:
        """Where the record lies when the run is finished."""
        return paths.runs_folder() / self.corpus / self.experiment / self._name

    @property
    def failure_folder(self) -> Path:
        """Where the failure is kept if the loss does not stay finite; apart from all that counts as a result."""
        return paths.runs_folder() / "failures" / self.corpus / self.experiment / self._name

    @property
    def _name(self) -> str:
        return _folder_name(self.fold, self.seed, self.settings.digest, self.fingerprint)

    @property
    def identity(self) -> dict:
        """What stands in front of every row in tidy tables: corpus, experiment, fold, seed."""
        return {name: getattr(self, name) for name in IDENTITY}


def _folder_name(fold: int, seed: int, configuration: str, fingerprint: str) -> str:
    """Of a run's folder; it ends in twelve digits of configuration and corpus together."""
    digest = hashlib.sha256(f"{configuration} {fingerprint}".encode()).hexdigest()[:12]
    return f"fold-{fold:02d}-seed-{seed}-{digest}"


@dataclass(frozen=True)
class Record:
    """A finished run, read from its folder.

    Raises:
        SerError: by any property, and by :meth:`model`, where its file is not there or damaged.
    """

    folder: Path

    @property
    def run(self) -> dict:
        """Identity, configuration, best epoch and the statistics of eq. 2."""
        return self._json("run.json")

    @property
    def provenance(self) -> dict:
        """Code version, hardware, library versions, seconds, peak memory and, where it could be read, energy."""
        return self._json("provenance.json")

    @property
    def settings(self) -> Experiment:
        """The configuration that was run."""
        settings = self.run["settings"]
        try:
            return Experiment(**settings)
        except ValueError as problem:
            remedy = f"read it with the code that made it (see its provenance.json), or {self._remedy}"
            raise damaged(self.folder / "run.json", problem, remedy) from problem

    @property
    def history(self) -> pd.DataFrame:
        """One row per epoch; see :class:`ser_lib.training.Outcome`."""
        return self._table("history.csv")

    @property
    def gradients(self) -> pd.DataFrame:
        """One row per step; see :class:`ser_lib.training.Outcome`."""
        return self._table("gradients.csv")

    @property
    def updates(self) -> pd.DataFrame:
        """One row per step; see :class:`ser_lib.training.Outcome`."""
        return self._table("updates.csv")

    @property
    def predictions(self) -> pd.DataFrame:
        """One row per test utterance; see :class:`ser_lib.training.Outcome`."""
        return self._table("predictions.csv", dtype={"utterance": str, "speaker": str})

    @property
    def identity(self) -> dict:
        """What stands in front of every row in tidy tables: corpus, experiment, fold, seed."""
        run = self.run
        return {name: run[name] for name in IDENTITY}

    def model(self) -> torch.nn.Module:
        """The trained network, on the CPU."""
        model = training.build_model(self.settings)
        file = self.folder / "weights.safetensors"
        try:
            weights = safetensors.torch.load_file(file)
        except (safetensors.SafetensorError, FileNotFoundError) as problem:
            raise damaged(file, problem, self._remedy) from problem
        try:
            model.load_state_dict(weights)
        except RuntimeError as problem:  # other parameters, or others of a name
            raise damaged(file, problem, self._remedy) from problem
        return model.eval()

    def _json(self, name: str) -> dict:
        content = read_json(self.folder / name, self._remedy)
        if not isinstance(content, dict):
            raise damaged(self.folder / name, ValueError("it is no record of a run"), self._remedy)
        return content

    def _table(self, name: str, **options: Any) -> pd.DataFrame:
        return read_table(self.folder / name, self._remedy, **options)

    @property
    def _remedy(self) -> str:
        return f"remove the folder {self.folder} and run again"


def run_key(table: pd.DataFrame, name: str, settings: Experiment, fold: int, seed: int) -> RunKey:
    """The key of a run on a loaded corpus.

    Raises:
        SerError: the corpus has no such fold, or the seed is negative.
    """
    if seed < 0:
        raise SerError(f"seed {seed} must be 0 or above")
    find_fold(table, settings.protocol, fold)
    return RunKey(table.attrs["corpus"], table.attrs["fingerprint"], name, settings, fold, seed)


def finished(key: RunKey) -> bool:
    """Whether the record of this run is there and whole."""
    return (key.folder / "run.json").exists()


def obtain(table: pd.DataFrame, key: RunKey, device: str = "auto", progress: bool = False) -> Record:
    """The record of a run: read if the run is finished, else made by running it.

    A record is written aside and renamed once it is whole; a kill at any moment leaves nothing that counts.

    Args:
        table: the corpus of the key.
        key: see :func:`run_key`.
        device: a torch device, or ``auto`` for a GPU if there is one.
        progress: whether to show progress bars.

    Raises:
        SerError: the training fails, or the folder cannot be written. A loss that is not finite is kept as a failure,
            and such a run is not made again on the same kind of device by code that trains in the same way.
    """
    if finished(key):
        return Record(key.folder)
    # Said before the training and not behind it. Snakemake makes an empty folder, which is no hindrance.
    if key.folder.is_dir() and any(key.folder.iterdir()) and not finished(key):
        raise SerError(f"{key.folder} holds what is no whole record (run.json is missing): remove it and run again")
    # Before training: who commits while it runs must not give it another version.
    device, code = choose_device(device), code_version()
    _refuse_to_diverge_again(key, device)
    remedy = paths.remedy("SER_RUNS")
    make_folder(key.folder.parent, remedy)
    manifest = _manifest(key.corpus, key.fingerprint)
    if not manifest.exists():
        write_file(manifest, lambda aside: _write_utterances(table, aside), remedy)
    started, clock = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), time.perf_counter()
    with energy.Meter(energy.counters_of(device)) as meter:
        store = open_store(table, key.settings.floor_db, progress)
        fold = find_fold(table, key.settings.protocol, key.fold)
        try:
            outcome = training.train(table, store, key.settings, fold, key.seed, device, progress)
        except training.Diverged as problem:
            keep_failure(key, problem, provenance(device, code))
            raise SerError(f"{problem} (kept in {key.failure_folder})") from problem
    run = {
        "corpus": key.corpus,
        "fingerprint": key.fingerprint,
        "corpus_options": table.attrs["options"],
        "notes": departures(table),
        "experiment": key.experiment,
        "configuration": key.settings.digest,
        "settings": key.settings.model_dump(),
        "fold": key.fold,
        "test_speaker": fold.test_speaker,
        "validation_speaker": fold.validation_speaker,
        "seed": key.seed,
        "best_epoch": outcome.best_epoch,
        "mean_db": outcome.mean,
        "variance_db2": outcome.variance,
    }
    seconds = round(time.perf_counter() - clock, 2)
    origin = {"started": started, "seconds": seconds, "energy_joules": meter.joules, **provenance(device, code)}

    def write(folder: Path) -> None:
        outcome.history.to_csv(folder / "history.csv", index=False)
        outcome.gradients.to_csv(folder / "gradients.csv", index=False, float_format="%.6g")
        outcome.updates.to_csv(folder / "updates.csv", index=False, float_format="%.6g")
        outcome.predictions.to_csv(folder / "predictions.csv", index=False)
        weights = {name: weight.contiguous() for name, weight in outcome.weights.items()}
        # Not save_file: a full disk would be an error of its own kind there, not an OSError.
        (folder / "weights.safetensors").write_bytes(safetensors.torch.save(weights))
        (folder / "provenance.json").write_text(json.dumps(origin, indent=1))
        (folder / "run.json").write_text(json.dumps(run, indent=1))

    write_folder(key.folder, "run.json", write, remedy)
    return Record(key.folder)


def open_store(table: pd.DataFrame, floor_db: float, progress: bool = False) -> features.FeatureStore:
    """See :func:`ser_lib.features.open_store`; of many processes that begin at once one makes it, and the others wait.

    Raises:
        SerError: it cannot be made, or is damaged.
    """
    with one_at_a_time(paths.data_folder(), paths.remedy("SER_DATA")):
        try:
            return features.open_store(table, floor_db, progress)
        except SerError:
            raise
        except (ValueError, KeyError, EOFError) as problem:
            folder = paths.data_folder() / "features"
            raise damaged(folder, problem, "delete this folder, and the spectrograms are made again") from problem


def departures(table: pd.DataFrame) -> str:
    """In what a loaded corpus is not the paper's selection of it, or not whole; empty if in nothing."""
    options = [f"{key}={value}" for key, value in table.attrs["options"].items() if value not in ("improvised", False)]
    return " ".join([*(note for note in table.attrs["notes"] if note.startswith("Partial corpus")), *options])


def _refuse_to_diverge_again(key: RunKey, device: str) -> None:
    """Refuse a run whose kept failure comes from the same kind of device, and from code that trains in the same way."""
    file = key.failure_folder / "failure.json"
    if not file.exists():
        return
    failure, code = _read_failure(file), code_version()
    # Of code without a name nobody can tell whether it trains in the same way.
    if is_named(code) and failure["device"] == device and code_of_runs(failure["code"]) == code_of_runs(code):
        raise SerError(
            f"{failure['message']} (this run diverged before, by code that trains in the same way, and is not made "
            f"again: to do so, delete {key.failure_folder})"
        )


def _read_failure(file: Path) -> dict:
    remedy = f"delete {file.parent}, and the run is made again"
    failure = read_json(file, remedy)
    if not isinstance(failure, dict) or not _IN_FAILURE <= failure.keys():
        raise damaged(file, ValueError("it is no record of a failure"), remedy)
    return failure


def keep_failure(key: RunKey, problem: training.Diverged, origin: dict) -> None:
    """Keep what is known of a run whose loss did not stay finite, apart from results; a later failure replaces it."""
    failure = {
        **key.identity,
        "fingerprint": key.fingerprint,
        "configuration": key.settings.digest,
        "settings": key.settings.model_dump(),
        "epoch": problem.epoch,
        "batch": problem.batch,
        "utterances": problem.utterances,
        "message": str(problem),
        **origin,
    }

    def write(folder: Path) -> None:
        problem.history.to_csv(folder / "history.csv", index=False)
        (folder / "failure.json").write_text(json.dumps(failure, indent=1))

    shutil.rmtree(key.failure_folder, ignore_errors=True)
    write_folder(key.failure_folder, "failure.json", write, paths.remedy("SER_RUNS"))


def predict(folder: Path, recordings: Sequence[Path], device: str = "auto") -> pd.DataFrame:
    """Emotions of recordings, by the network of a finished run and with the copies that its experiment votes over.

    Args:
        folder: folder of the record.
        recordings: audio files, in any order.
        device: see :func:`obtain`.

    Returns:
        One row per recording: ``recording``, ``prediction``, probabilities and votes.

    Raises:
        SerError: the folder holds no record, or a recording cannot be read.
    """
    if not (Path(folder) / "run.json").exists():
        raise SerError(f"{folder} holds no finished run (no run.json): give the folder that `ser_lib run` prints")
    record = Record(Path(folder))
    place = torch.device(choose_device(device))
    run, settings = record.run, record.settings
    pictures = [features.spectrogram(audio.load(path), settings.floor_db) for path in recordings]
    store = features.FeatureStore.of(pictures)
    bins = features.BINS[settings.frequency_range]
    data = training.DeviceData(store, bins, run["mean_db"], run["variance_db2"], place)
    with multiplying("float32", place):  # however it was trained: a score should not depend on the device
        probabilities = training.vote(record.model().to(place), data, np.arange(len(pictures)), settings.test_copies)
    names = pd.DataFrame({"recording": [str(path) for path in recordings]})
    return pd.concat([names, training.votes_table(probabilities)], axis=1)


def provenance(device: str, code: str | None = None) -> dict:
    """Code version, hardware and library versions of this process, and its peak memory in MiB so far.

    Args:
        device: a torch device.
        code: the version when the work began; that of now if None.
    """
    hardware = torch.cuda.get_device_name(device) if device.startswith("cuda") else _processor()
    return {
        "peak_memory_mib": _peak_memory_mib(),
        "code": code or code_version(),
        "hardware": hardware,
        "device": device,
        "python": platform.python_version(),
        "packages": {package: importlib.metadata.version(package) for package in _PACKAGES},
    }


def code_version() -> str:
    """The commit of the checkout, with ``+`` if ``ser_lib`` differs from it; "unknown" outside of a checkout."""
    try:
        commit = _git("rev-parse", "--short=12", "HEAD")
        if not _git("ls-tree", "--name-only", "HEAD", "--", "ser_lib"):
            return "unknown"  # another project's checkout, in which this one lies unpacked
        return commit + ("+" if _git("status", "--porcelain", "--", "ser_lib") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def is_named(version: str) -> bool:
    """Whether a version of the code is that of a commit, so that it can be found again."""
    return version != "unknown" and not version.endswith("+")


@cache
def code_of_runs(version: str) -> str:
    """What stands for the code that a run of some version executes: equal for versions that train in the same way.

    Settings and corpus have digests of their own, so the modules that define them do not count, nor do those that only
    read records, nor comments, docstrings and the lines' form.

    Args:
        version: as :func:`code_version` gives it.

    Returns:
        A digest of the statements of that commit's files; the version itself where the commit is not known, or was
        changed.
    """
    files = [f"ser_lib/{module}.py" for module in RUN_MODULES]
    try:
        there = _git("ls-tree", "--name-only", version, "--", *files).split()
        statements = {file: _statements(_git("show", f"{version}:./{file}")) for file in there}
    except (OSError, subprocess.CalledProcessError):
        return version
    if not there:
        return version
    return hashlib.sha256(json.dumps(statements).encode()).hexdigest()[:12]


def _statements(source: str) -> str:
    """What a module does, without comments, docstrings and form."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            del node.body[0]
    return ast.dump(tree)


def collect(destination: Path | None = None, say: Callable[[str], None] = print, mixed_code: bool = False) -> int:
    """Gather finished runs into tidy tables, one folder per corpus and experiment.

    Only runs whose configuration is the experiment's present one count; others are named and left out. Runs that were
    collected before stay, unless the experiment's configuration has changed since.

    Args:
        destination: folder of the tables; the committed ``results/`` if None.
        say: where to report what was collected and what was left out.
        mixed_code: whether runs of one experiment and corpus may come from code that trains differently; the table of
            runs names the version of each. Code that was seen to give the same counts as the same
            (:mod:`ser_lib.repeats`).

    Returns:
        The number of runs collected.

    Raises:
        SerError: there is nothing to collect, or runs of one experiment come from different versions of a corpus or,
            unless ``mixed_code``, of the code. Nothing is written then.
    """
    destination = destination or paths.results_folder()
    groups = finished_runs(say)
    if not groups and _failures().empty:
        raise SerError(f"there is no finished run of a named experiment in {paths.runs_folder()}: run some first")
    with one_at_a_time(destination, paths.remedy("SER_RESULTS")):
        _collect(groups, destination, say, mixed_code)
    return sum(map(len, groups.values()))


def _collect(
    groups: dict[tuple[str, str], list["Record"]], destination: Path, say: Callable[[str], None], mixed_code: bool
) -> None:
    """See :func:`collect`; nothing is written before all of it was found to belong together."""
    collected = {}
    _one_version(groups, destination)
    for (corpus, name), records in groups.items():
        tables = _tidy(records)
        kept = _collected_before(destination / corpus / name, tables["runs"], say)
        joined = {kind: _joined([kept[kind], table], kind) for kind, table in tables.items()}
        if not mixed_code:
            _one_code(corpus, name, joined["runs"], load_repeats(destination))
        unnamed = sum(not is_named(version) for version in joined["runs"]["code"].astype(str))
        if unnamed > 1:
            say(f"{corpus}, {name}: {unnamed} runs are by code that no commit names: it need not have been the same")
        collected[corpus, name] = kept, joined
    for (corpus, name), records in groups.items():
        kept, joined = collected[corpus, name]
        _write_tables(destination / corpus / name, joined, records[0])
        fingerprint = records[0].run["fingerprint"]
        manifest = _manifest(corpus, fingerprint)
        if manifest.exists():
            kept_as = destination / corpus / "utterances.csv"
            write_file(
                kept_as, lambda aside, manifest=manifest: shutil.copyfile(manifest, aside), paths.remedy("SER_RESULTS")
            )
        before = f", and {len(kept['runs'])} collected before" if len(kept["runs"]) else ""
        say(f"{corpus}, {name}: {len(records)} runs{before}")
    _collect_failures(destination, say)


def finished_runs(say: Callable[[str], None] = print) -> dict[tuple[str, str], list[Record]]:
    """The records of all finished runs by corpus and experiment, but for those of settings that have changed since.

    Nor do those count that lie elsewhere than they were made: copies, and what was moved aside so as not to count.
    """
    groups: dict[tuple[str, str], list[Record]] = {}
    for file in sorted(paths.runs_folder().glob("*/*/fold-*/run.json")):
        record = Record(file.parent)
        corpus, name = file.parts[-4], file.parts[-3]
        run = record.run
        own = run["corpus"], run["experiment"], _folder_name(*(run[of] for of in _IN_NAME))
        if file.parts[-4:-1] != own:
            say(f"left out: {record.folder}: it was made as {'/'.join(own)}, and is a copy or was moved aside")
        elif name not in EXPERIMENTS:
            say(f"left out: {record.folder}: there is no experiment {name!r} (any more)")
        elif run["configuration"] != EXPERIMENTS[name].digest:
            say(f"left out: {record.folder}: its settings are not those of {name!r}")
        else:
            groups.setdefault((corpus, name), []).append(record)
    return groups


@dataclass(frozen=True)
class Results:
    """Tidy tables of all collected runs; each has ``corpus``, ``experiment``, ``fold`` and ``seed`` in front.

    Attributes:
        runs: where each run comes from.
        predictions: every test utterance of every run.
        histories: every epoch of every run.
        gradients, updates: means over the steps of an epoch, per layer; see :class:`ser_lib.training.Outcome`.
        failures: runs whose loss did not stay finite, and that are in none of the other tables.
    """

    runs: pd.DataFrame
    predictions: pd.DataFrame
    histories: pd.DataFrame
    gradients: pd.DataFrame
    updates: pd.DataFrame
    failures: pd.DataFrame


def load_results(folder: Path | None = None) -> Results:
    """Read the tables that :func:`collect` wrote; runs of settings that their experiment has no more do not count.

    Args:
        folder: the committed ``results/`` if None. A folder without results gives empty tables.

    Raises:
        SerError: a table lacks a column, or the tables do not belong together or are not whole.
    """
    folder = folder or paths.results_folder()
    results = Results(
        **{kind: _joined(_read_tables(folder.glob(f"*/*/{kind}.csv"), kind), kind) for kind in _KINDS},
        failures=_joined(_read_tables(folder.glob("*/failures.csv"), "failures"), "failures"),
    )
    return _checked(_of_present_settings(results), folder, "collect the results again")


def _of_present_settings(results: Results) -> Results:
    """The results without runs of settings that their experiment has no more: as it is now, it was not run."""
    present = results.runs["experiment"].map({name: settings.digest for name, settings in EXPERIMENTS.items()})
    outdated = pd.MultiIndex.from_frame(results.runs.loc[results.runs["configuration"] != present, IDENTITY])
    if outdated.empty:
        return results
    tables = {kind: getattr(results, kind) for kind in _KINDS}
    kept = {kind: table[~pd.MultiIndex.from_frame(table[IDENTITY]).isin(outdated)] for kind, table in tables.items()}
    return replace(results, **{kind: table.reset_index(drop=True) for kind, table in kept.items()})


def load_runs() -> Results:
    """As :func:`load_results`, straight from the finished runs on this machine, collected or not."""
    tables = [_tidy(records) for records in finished_runs(lambda text: None).values()]
    results = Results(
        **{kind: _joined([table[kind] for table in tables], kind) for kind in _KINDS},
        failures=_failures(),
    )
    return _checked(results, paths.runs_folder(), "move the runs that should not count out of that folder")


def _checked(results: Results, folder: Path, remedy: str) -> Results:
    """The results, if their tables belong together and are whole.

    Raises:
        SerError: a run is there twice, runs of a corpus come from several versions of it, predictions or histories are
            not those of the runs, or lack rows: as many utterances are tested in every run that tests a speaker alone,
            and gradients and updates have a row for each epoch.
    """

    def refuse(text: str) -> None:
        raise SerError(f"{folder}: {text}: {remedy}")

    runs = results.runs.set_index(IDENTITY)
    if runs.index.has_duplicates:
        refuse(f"a run is there twice {runs.index[runs.index.duplicated()][0]}")
    for corpus, versions in results.runs.groupby("corpus")["fingerprint"].unique().items():
        if len(versions) > 1:
            refuse(f"the runs on {corpus} come from different versions of it ({', '.join(sorted(versions))})")
    utterances, epochs = (table.groupby(IDENTITY).size() for table in (results.predictions, results.histories))
    for name, rows in (("predictions", utterances), ("histories", epochs)):
        if apart := set(runs.index) ^ set(rows.index):
            refuse(f"runs and {name} do not name the same runs (first difference: {sorted(apart)[0]})")
    short = epochs[epochs != runs["epochs"].reindex(epochs.index)]
    if len(short):
        refuse(f"the history of run {short.index[0]} has not as many epochs as the run")
    for name, table in (("gradients", results.gradients), ("updates", results.updates)):
        rows = table.groupby(IDENTITY).size().reindex(runs.index, fill_value=0)
        older = (name == "updates") & (rows == 0)  # they were not recorded yet
        for run in runs.index[~older & (rows != runs["epochs"])]:
            refuse(f"the {name} of run {run} have not as many epochs as the run")
    one_speaker = [name for name, settings in EXPERIMENTS.items() if settings.protocol in ONE_TEST_SPEAKER]
    tested = runs.assign(tested=utterances)[runs.index.get_level_values("experiment").isin(one_speaker)].reset_index()
    most = tested.groupby(["corpus", "test_speaker"])["tested"].transform("max")
    for run in tested[tested["tested"] < most][IDENTITY].itertuples(index=False, name=None):
        refuse(f"predictions of run {run} are missing: other runs test more utterances of that speaker")
    return results


def load_repeats(folder: Path | None = None) -> pd.DataFrame:
    """Collected runs that were made again, on all corpora; an empty table where there are none."""
    found = [read_repeats(file) for file in sorted((folder or paths.results_folder()).glob("*/repeats.csv"))]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=REPEAT_COLUMNS).astype({"same": bool})


def read_repeats(file: Path) -> pd.DataFrame:
    """The repetitions on one corpus; versions of code are words, although some look like numbers.

    Older rows lack accuracies, and settings and version of the corpus: they are read as not known (NaN).
    """
    remedy = f"remove it, and make runs again: python -m ser_lib repeat --corpus {file.parent.name} ... --keep"
    known = [column for column in REPEAT_COLUMNS if column not in _LATER_OF_REPEATS]
    table = read_table(file, remedy, known, dtype=dict.fromkeys(_WORDS_OF_REPEATS, str))
    return table.reindex(columns=REPEAT_COLUMNS)


def load_utterances(corpus: str, folder: Path | None = None) -> pd.DataFrame | None:
    """The utterances of a corpus as it was run (no audio), or None where none is kept."""
    file = (folder or paths.results_folder()) / corpus / "utterances.csv"
    if not file.exists():
        return None
    remedy = f"keep it again: python -m ser_lib corpus {corpus} --keep"
    return read_table(file, remedy, UTTERANCE_COLUMNS, dtype={"utterance": str, "speaker": str})


def save_utterances(table: pd.DataFrame, folder: Path | None = None) -> Path:
    """Keep a corpus's table of utterances beside its results: no audio, no paths."""
    file = (folder or paths.results_folder()) / table.attrs["corpus"] / "utterances.csv"
    write_file(file, lambda aside: _write_utterances(table, aside), paths.remedy("SER_RESULTS"))
    return file


def _tidy(records: list[Record]) -> dict[str, pd.DataFrame]:
    """The tables of some runs by kind; gradients and updates are averaged over the steps of an epoch."""
    parts: dict[str, list[pd.DataFrame]] = {kind: [] for kind in _KINDS}
    for record in records:
        run, origin, history = record.run, record.provenance, record.history
        row = {**dict.fromkeys(_LATER), **run, **origin, **origin["packages"]}
        row |= {"run": record.folder.name, "epochs": len(history), "notes": run.get("notes") or math.nan}
        row_table = pd.DataFrame([{column: row[column] for column in _RUN_COLUMNS}])
        parts["runs"].append(row_table.astype({"energy_joules": float}))
        parts["predictions"].append(record.predictions)
        parts["histories"].append(history)
        for kind, steps in (("gradients", record.gradients), ("updates", record.updates)):
            parts[kind].append(steps.drop(columns="step").groupby("epoch").mean().reset_index())
        for tables in parts.values():
            tables[-1] = tables[-1].assign(**record.identity)
    return {kind: _identity_first(pd.concat(tables, ignore_index=True)) for kind, tables in parts.items()}


def _identity_first(table: pd.DataFrame) -> pd.DataFrame:
    return table[IDENTITY + [column for column in table if column not in IDENTITY]]


def _collected_before(folder: Path, runs: pd.DataFrame, say: Callable[[str], None]) -> dict[str, pd.DataFrame]:
    """Those runs in the tables of a folder that new ones of the same configuration neither replace nor contradict."""
    tables = {kind: _joined(_read_tables(folder.glob(f"{kind}.csv"), kind), kind) for kind in _KINDS}
    old = tables["runs"]
    current = old["configuration"].isin(runs["configuration"])
    if (~current).any():
        say(f"dropped: {(~current).sum()} runs in {folder}: the settings of the experiment have changed since")
    new = set(runs[IDENTITY].itertuples(index=False, name=None))
    predicted = tables["predictions"][IDENTITY].drop_duplicates()
    named, answered = (set(table[IDENTITY].itertuples(index=False, name=None)) for table in (old, predicted))
    if named - new != answered - new:  # a collection that was killed leaves what the next one writes anyway
        raise SerError(
            f"{folder}: runs.csv and predictions.csv, as they were collected before, do not name the same runs: take "
            "both from the last commit (git checkout), or remove the folder, and collect again"
        )
    keep = [run for run in old.loc[current, IDENTITY].itertuples(index=False, name=None) if run not in new]
    return {
        kind: table[pd.MultiIndex.from_frame(table[IDENTITY]).isin(keep)] if keep else table.iloc[:0]
        for kind, table in tables.items()
    }


def _write_tables(folder: Path, tables: dict[str, pd.DataFrame], record: Record) -> None:
    for kind, table in tables.items():
        _write_table(folder / f"{kind}.csv", table.sort_values(["fold", "seed"], kind="stable"))
    settings = json.dumps(record.run["settings"], indent=1) + "\n"
    write_file(folder / "settings.json", lambda aside: aside.write_text(settings), paths.remedy("SER_RESULTS"))


def _write_table(file: Path, table: pd.DataFrame) -> None:
    write_file(
        file,
        lambda aside: table.to_csv(aside, index=False, float_format="%.6g"),
        paths.remedy("SER_RESULTS"),
    )


def _one_version(groups: dict[tuple[str, str], list[Record]], destination: Path) -> None:
    """Refuse runs of different versions of a corpus, collected ones of present settings included.

    Experiments are compared with each other: one version for each of them is not enough.
    """
    for corpus in dict.fromkeys(corpus for corpus, _ in groups):
        seen: dict[str, str] = {}
        for (of, name), records in groups.items():
            if of == corpus:
                seen |= {record.run["fingerprint"]: f"{name} in {paths.runs_folder() / corpus}" for record in records}
        collected = _joined(_read_tables((destination / corpus).glob("*/runs.csv"), "runs"), "runs")
        for row in collected.drop_duplicates(["experiment", "fingerprint", "configuration"]).itertuples():
            if row.experiment in EXPERIMENTS and row.configuration == EXPERIMENTS[row.experiment].digest:
                seen.setdefault(row.fingerprint, f"{row.experiment} in {destination / corpus}")
        if len(seen) > 1:
            found = "; ".join(f"{fingerprint}, such as {where}" for fingerprint, where in sorted(seen.items()))
            raise SerError(
                f"{corpus}: the runs come from different versions of the corpus ({found}): move those that should not "
                "count out of these folders"
            )


def _one_code(corpus: str, name: str, runs: pd.DataFrame, repeats: pd.DataFrame) -> None:
    """Refuse runs of one experiment that were made by code that trains differently, unless it gave the same."""
    versions = sorted(runs["code"].astype(str).unique())
    own = repeats[(repeats["corpus"] == corpus) & (repeats["experiment"] == name) & repeats["same"]]
    # What trained alike with other settings need not with these; older repetitions do not say with which.
    own = own[own["configuration"].isna() | own["configuration"].isin(runs["configuration"])]
    groups = [{code_of_runs(version)} for version in versions]
    for before, after in own[["code_before", "code"]].itertuples(index=False, name=None):
        pair = {code_of_runs(before), code_of_runs(after)}
        joined = [group for group in groups if group & pair]
        groups = [group for group in groups if not group & pair] + [pair.union(*joined)]
    # Versions that no chain of repetitions joins lie in different groups.
    if len({next(i for i, group in enumerate(groups) if code_of_runs(version) in group) for version in versions}) > 1:
        counts = ", ".join(f"{version} made {(runs['code'] == version).sum()}" for version in versions)
        raise SerError(
            f"{corpus}, {name}: the runs come from versions of the code that train differently ({counts}): make the "
            f"older ones again (move them out of {paths.runs_folder() / corpus / name}, and the collected ones out of "
            f"the results); or, if both should give the same, show it (`python -m ser_lib repeat --corpus {corpus} "
            f"--experiment {name} --fold 1 --keep`); or collect with --mixed-code, and the table of runs names the "
            "version of each"
        )


def _failures() -> pd.DataFrame:
    """Runs of present configurations whose loss did not stay finite, and that were not finished since."""
    rows = []
    for file in sorted(paths.runs_folder().glob("failures/*/*/fold-*/failure.json")):
        failure = _read_failure(file)
        name = failure["experiment"]
        # Of whatever version of the corpus: a run of these settings that was finished since did not diverge.
        same = f"{failure['corpus']}/{name}/fold-{failure['fold']:02d}-seed-{failure['seed']}-*/run.json"
        finished = (Record(run.parent).run["configuration"] for run in paths.runs_folder().glob(same))
        finished_since = failure["configuration"] in finished
        if name in EXPERIMENTS and failure["configuration"] == EXPERIMENTS[name].digest and not finished_since:
            row = {**failure, "learning_rate": failure["settings"]["learning_rate"]}
            rows.append({column: row[column] for column in [*IDENTITY, *_FAILURE_COLUMNS]})
    return pd.DataFrame(rows, columns=[*IDENTITY, *_FAILURE_COLUMNS])


def _collect_failures(destination: Path, say: Callable[[str], None]) -> None:
    """Write each corpus's failures, those collected before included, but for runs that were finished since."""
    before = _joined(_read_tables(destination.glob("*/failures.csv"), "failures"), "failures")
    runs = _joined(_read_tables(destination.glob("*/*/runs.csv"), "runs"), "runs")
    failures = _joined([_failures(), before], "failures").drop_duplicates(IDENTITY).sort_values(IDENTITY)
    versions = dict(runs[["corpus", "fingerprint"]].drop_duplicates("corpus").itertuples(index=False, name=None))
    other = failures["fingerprint"] != failures["corpus"].map(versions).fillna(failures["fingerprint"])
    for row in failures[other].itertuples():
        say(f"left out: the failure of {row.experiment}, fold {row.fold}: it is of another version of {row.corpus}")
    failures = failures[~other]
    run = [*IDENTITY, "configuration"]
    over = pd.MultiIndex.from_frame(failures[run]).isin(list(runs[run].itertuples(index=False, name=None)))
    present = failures["configuration"].isin([experiment.digest for experiment in EXPERIMENTS.values()])
    for corpus in sorted({*before["corpus"], *failures["corpus"]}):
        file = destination / corpus / "failures.csv"
        own = failures[(failures["corpus"] == corpus) & present & ~over]
        if own.empty:
            file.unlink(missing_ok=True)
            continue
        _write_table(file, own)
        say(f"{corpus}: {len(own)} runs whose loss did not stay finite")


def _read_tables(files: Iterable[Path], kind: str) -> Iterable[pd.DataFrame]:
    columns = [column for column in _empty(kind).columns if column not in _LATER]
    for file in sorted(files):
        # What is collected joins what was before: as long as a damaged table is there, collecting does not mend it.
        gone = file if kind == "failures" else file.parent
        remedy = f"put it back from git, or remove {gone} and collect the results again"
        table = read_table(file, remedy, columns, dtype=dict.fromkeys(_WORDS, str))
        later = [column for column in _empty(kind) if column not in table]
        yield table.assign(**dict.fromkeys(later, math.nan)) if later else table


def _joined(tables: Iterable[pd.DataFrame], kind: str) -> pd.DataFrame:
    """Tables of one kind one below the other; an empty one with the kind's columns if there are none."""
    filled = [table for table in tables if len(table)]
    return pd.concat(filled, ignore_index=True) if filled else _empty(kind)


def _empty(kind: str) -> pd.DataFrame:
    own = {
        "runs": _RUN_COLUMNS,
        "predictions": _PREDICTIONS,
        "histories": ["epoch", "training_loss", "validation_loss", "validation_wa", "validation_ua"],
        "gradients": ["epoch"],
        "updates": ["epoch"],
        "failures": _FAILURE_COLUMNS,
    }
    return pd.DataFrame(columns=[*IDENTITY, *own[kind]])


def _manifest(corpus: str, fingerprint: str) -> Path:
    return paths.runs_folder() / corpus / f"utterances-{fingerprint}.csv"


def _write_utterances(table: pd.DataFrame, file: Path) -> None:
    table[UTTERANCE_COLUMNS].to_csv(file, index=False, float_format="%.12f")


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(paths.PROJECT), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    names = (
        [line.split(":")[1].strip() for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        if cpuinfo.exists()
        else []
    )
    return f"{names[0] if names else platform.processor() or platform.machine()}, {os.cpu_count()} cores"


def _peak_memory_mib() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (2**20 if sys.platform == "darwin" else 2**10))

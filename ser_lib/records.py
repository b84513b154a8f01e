"""A run and what it leaves behind.

A record is one folder: ``run.json`` (who, what, which configuration), ``history.csv``, ``gradients.csv``,
``updates.csv``, ``predictions.csv``, ``weights.safetensors`` and ``provenance.json`` (when, where, how long). All but
the last are the same bytes whenever the same run is repeated on the same machine. Accuracies are never stored: they
are computed from predictions. A run whose loss is no longer finite leaves a folder below ``failures/`` instead, which
never counts as a result.
"""

import hashlib
import json
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import safetensors
import safetensors.torch
import torch

from ser_lib import audio, energy, features, origins, paths, training
from ser_lib.device import choose_device, multiplying
from ser_lib.errors import SerError
from ser_lib.experiments import Experiment
from ser_lib.files import damaged, make_folder, one_at_a_time, read_json, read_table, write_file, write_folder
from ser_lib.protocols import find_fold

IDENTITY = ["corpus", "experiment", "fold", "seed"]
"""What names a run in every tidy table."""

UTTERANCE_COLUMNS = ["utterance", "speaker", "gender", "session", "scenario", "emotion", "duration"]
FAILURE_COLUMNS = ["fingerprint", "configuration", "learning_rate", "epoch", "batch", "message"]
"""Of a run whose loss did not stay finite, behind its identity."""
_IN_FAILURE = {*IDENTITY, *FAILURE_COLUMNS, "settings", "device", "code"} - {"learning_rate"}
_IN_NAME = ("fold", "seed", "configuration", "fingerprint")


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

    @property
    def made_as(self) -> tuple[str, str, str]:
        """Corpus, experiment and folder's name, as it was made: elsewhere it is a copy, or was moved aside."""
        run = self.run
        return run["corpus"], run["experiment"], _folder_name(*(run[name] for name in _IN_NAME))

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
    device, code = choose_device(device), origins.code_version()
    _refuse_to_diverge_again(key, device)
    remedy = paths.remedy("SER_RUNS")
    make_folder(key.folder.parent, remedy)
    manifest = manifest_file(key.corpus, key.fingerprint)
    if not manifest.exists():
        write_file(manifest, lambda aside: write_utterances(table, aside), remedy)
    started, clock = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), time.perf_counter()
    with energy.Meter(energy.counters_of(device)) as meter:
        store = open_store(table, key.settings.floor_db, progress)
        fold = find_fold(table, key.settings.protocol, key.fold)
        try:
            outcome = training.train(table, store, key.settings, fold, key.seed, device, progress)
        except training.Diverged as problem:
            keep_failure(key, problem, origins.provenance(device, code))
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
    origin = {"started": started, "seconds": seconds, "energy_joules": meter.joules, **origins.provenance(device, code)}

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
    failure, code = read_failure(file), origins.code_version()
    before, now = map(origins.code_of_runs, (failure["code"], code))
    # Of code without a name nobody can tell whether it trains in the same way.
    if origins.is_named(code) and failure["device"] == device and before == now:
        raise SerError(
            f"{failure['message']} (this run diverged before, by code that trains in the same way, and is not made "
            f"again: to do so, delete {key.failure_folder})"
        )


def read_failure(file: Path) -> dict:
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


def manifest_file(corpus: str, fingerprint: str) -> Path:
    return paths.runs_folder() / corpus / f"utterances-{fingerprint}.csv"


def write_utterances(table: pd.DataFrame, file: Path) -> None:
    table[UTTERANCE_COLUMNS].to_csv(file, index=False, float_format="%.12f")

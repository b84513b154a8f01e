"""Collected runs made again: whether this code, on this machine and device, gives what was collected.

The same code on the same kind of processor gives the same bytes. Another processor or a GPU rounds otherwise, and a
training carries that on: how far is measured here. Code that gives the same bytes as other code is taken for the same
by :func:`ser_lib.collection.collect`, experiment by experiment.
"""

import time
from pathlib import Path

import pandas as pd
import torch

from ser_lib import collection, metrics, origins, paths, records, training
from ser_lib.corpora import EMOTIONS
from ser_lib.device import choose_device
from ser_lib.errors import SerError
from ser_lib.files import one_at_a_time, write_file
from ser_lib.measurements import refuse_unnamed_code
from ser_lib.protocols import find_fold

_EPOCH_COLUMNS = ["training_loss", "validation_loss", "validation_wa", "validation_ua"]


def repeat(
    table: pd.DataFrame, key: records.RunKey, results: collection.Results, device: str = "auto", progress: bool = False
) -> dict:
    """Make a collected run again, and compare.

    Args:
        table: the corpus of the key.
        key: the run, with the settings that the experiment has now.
        results: where it was collected.
        device: a torch device, or ``auto`` for a GPU if there is one.
        progress: whether to show a progress bar.

    Returns:
        A row of `collection.REPEAT_COLUMNS`. ``same`` is whether every epoch's losses and accuracies, and every test
        utterance's prediction and probabilities, are those that were collected, to the six digits that are kept.

    Raises:
        SerError: the run was not collected, or with other settings or another version of the corpus.
    """
    before = _only_run(results.runs, key)
    device, code = choose_device(device), origins.code_version()
    clock = time.perf_counter()
    store = records.open_store(table, key.settings.floor_db, progress)
    fold = find_fold(table, key.settings.protocol, key.fold)
    outcome = training.train(table, store, key.settings, fold, key.seed, device, progress)
    origin = origins.provenance(device, code)
    history, predictions = (_of_run(part, key) for part in (results.histories, results.predictions))
    probabilities = [column for column in predictions if column.startswith("p_")]
    both = predictions.merge(outcome.predictions, on="utterance", suffixes=("", " again"), validate="one_to_one")
    differences = both[probabilities].to_numpy() - both[[f"{name} again" for name in probabilities]].to_numpy()
    kept = ["utterance", "prediction", *probabilities]
    same = _digits(outcome.history[_EPOCH_COLUMNS]) == _digits(history[_EPOCH_COLUMNS]) and (
        _digits(outcome.predictions[kept]) == _digits(predictions[kept])
    )
    return {
        **key.identity,
        **{f"{name}_before": before[name] for name in ("code", "hardware", "device", "torch")},
        **{name: origin[name] for name in ("code", "hardware", "device")},
        "torch": torch.__version__,
        "seconds": round(time.perf_counter() - clock, 2),
        "same": same,
        "best_epoch_before": int(before["best_epoch"]),
        "best_epoch": outcome.best_epoch,
        "utterances": len(predictions),
        "other_predictions": int((both["prediction"] != both["prediction again"]).sum()),
        "largest_difference": round(float(abs(differences).max()), 5),  # six digits are kept
        **_accuracies(predictions, "_before"),
        **_accuracies(outcome.predictions, ""),
        "configuration": key.settings.digest,
        "fingerprint": key.fingerprint,
    }


def save(row: dict, folder: Path | None = None) -> Path:
    """Add a repetition to ``results/<corpus>/repeats.csv``; one of the same run by the same code, hardware and
    device goes.

    Raises:
        SerError: the code is not that of a commit, so that nobody could tell later what was compared.
    """
    refuse_unnamed_code([row["code"]])
    file = (folder or paths.results_folder()) / row["corpus"] / "repeats.csv"
    remedy = paths.remedy("SER_RESULTS")
    with one_at_a_time(file.parent, remedy):
        rows = pd.DataFrame([row], columns=collection.REPEAT_COLUMNS)
        if file.exists():
            rows = pd.concat([collection.read_repeats(file), rows], ignore_index=True)
        rows = rows.drop_duplicates([*records.IDENTITY, "code", "hardware", "device"], keep="last")
        write_file(file, lambda aside: rows.to_csv(aside, index=False, float_format="%.6g"), remedy)
    return file


def describe(row: dict) -> str:
    """A repetition in words."""
    run = f"{row['corpus']}, {row['experiment']}, fold {row['fold']}, seed {row['seed']}"
    who = f"{row['code']} on {row['hardware']} ({row['device']})"
    if row["same"]:
        return f"{run}: {who} gives what {row['code_before']} gave, to the last digit that was kept"
    return (
        f"{run}: {who} differs from {row['code_before']} on {row['hardware_before']} ({row['device_before']}): "
        f"{row['other_predictions']} of {row['utterances']} predictions are others, a probability differs by up to "
        f"{row['largest_difference']:.2g}, the best epoch is {row['best_epoch']} and was {row['best_epoch_before']}, "
        f"unweighted accuracy is {100 * row['ua']:.1f} % and was {100 * row['ua_before']:.1f} %"
    )


def _only_run(runs: pd.DataFrame, key: records.RunKey) -> pd.Series:
    found = _of_run(runs, key)
    if found.empty:
        raise SerError(
            f"{key.corpus}, {key.experiment}, fold {key.fold}, seed {key.seed} was not collected: there is nothing to "
            "compare with (`python -m ser_lib run` makes it, `collect` collects it)"
        )
    before = found.iloc[0]
    for what, now in (("configuration", key.settings.digest), ("fingerprint", key.fingerprint)):
        if before[what] != now:
            raise SerError(
                f"{key.experiment} was collected with {what} {before[what]}, and has {now} now: collect it again"
            )
    return before


def _accuracies(predictions: pd.DataFrame, suffix: str) -> dict[str, float]:
    truth, prediction = predictions["truth"], predictions["prediction"]
    return {
        f"wa{suffix}": round(metrics.weighted_accuracy(truth, prediction), 6),
        f"ua{suffix}": round(metrics.unweighted_accuracy(truth, prediction, EMOTIONS), 6),
    }


def _of_run(table: pd.DataFrame, key: records.RunKey) -> pd.DataFrame:
    own = (table[list(key.identity)] == pd.Series(key.identity)).all(axis=1)
    return table[own].drop(columns=records.IDENTITY)


def _digits(table: pd.DataFrame) -> str:
    """A table as the results keep it."""
    return table.to_csv(index=False, float_format="%.6g")

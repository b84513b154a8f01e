"""Networks that were trained on one corpus, tested on another: is what they learnt more than that corpus?

Every finished run of an experiment on the source corpus scores all utterances of the target corpus, of whom none was
ever trained on. Kept are counts of what was recognised as what; accuracies are computed from them.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

from ser_lib import collection, features, measurements, origins, paths, records
from ser_lib.device import choose_device, multiplying
from ser_lib.errors import SerError
from ser_lib.features import BINS, FeatureStore
from ser_lib.files import one_at_a_time, write_file
from ser_lib.training import DeviceData, vote, votes_table

NORMALISATIONS = {"source": "source's", "target": "target's own"}
"""Whose mean and variance eq. 2 takes -> how tables name it. The target's take all of its recordings, but no label."""

CELL = ["source", "experiment", "fold", "seed", "target", "normalisation", "speaker", "truth", "prediction"]
"""What is counted: fold and seed are those of the source's run, speaker and truth those of the target's utterance."""

COLUMNS = [*CELL, "count", "configuration", "source_fingerprint", "target_fingerprint", "code", "hardware"]

_NUMBERS = ["fold", "seed", "count"]


def confusions(record: records.Record, table: pd.DataFrame, store: FeatureStore, device: str = "cpu") -> pd.DataFrame:
    """What the network of one run recognises in the utterances of another corpus.

    Args:
        record: the finished run.
        table: utterances of the target corpus.
        store: their spectrograms, with the floor that the run's experiment has.
        device: a torch device.

    Returns:
        One row per normalisation, speaker, true emotion and recognised emotion that occur together: those four and the
        ``count`` of utterances. Without eq. 2 in the run, there is nothing to take from either corpus, and both
        normalisations count the same.

    Source: Section 2 (the vote, if the run's experiment votes); eq. 2.
    """
    run, settings, place = record.run, record.settings, torch.device(device)
    bins = BINS[settings.frequency_range]
    own = features.statistics(store, bins) if settings.normalisation != "none" else (0.0, 1.0)
    statistics = {"source": (run["mean_db"], run["variance_db2"]), "target": own}
    model, rows, parts = record.model().to(place), np.arange(len(table)), []
    for normalisation in NORMALISATIONS:
        data = DeviceData(store, bins, *statistics[normalisation], place)
        with multiplying("float32", place):  # however it was trained: a score should not depend on the device
            probabilities = vote(model, data, rows, settings.test_copies)
        prediction = votes_table(probabilities)["prediction"].to_numpy()
        counted = table[["speaker"]].assign(normalisation=normalisation, truth=table["emotion"], prediction=prediction)
        parts.append(counted)
    cells = ["normalisation", "speaker", "truth", "prediction"]
    return pd.concat(parts).groupby(cells, sort=True).size().rename("count").reset_index()


def measure(
    source: str, table: pd.DataFrame, experiment: str = "table1-baseline", device: str = "auto"
) -> pd.DataFrame:
    """Counts for every finished run of an experiment on another corpus, of all folds and seeds: `COLUMNS`.

    Args:
        source: the corpus whose runs give the networks.
        table: utterances of the target corpus.
        experiment: whose runs.
        device: see :func:`ser_lib.records.obtain`.

    Raises:
        SerError: source and target are one corpus, or no run of the experiment on the source is finished here.
    """
    target = table.attrs["corpus"]
    if source == target:
        raise SerError(f"{source} is source and target: its networks were trained on it, and its runs hold their tests")
    found = collection.finished_runs(say=lambda text: None).get((source, experiment), [])
    if not found:
        raise SerError(f"no run of {experiment} on {source} is finished on this machine: run it first")
    fingerprints = {record.run["fingerprint"] for record in found}
    if len(fingerprints) > 1:
        raise SerError(
            f"the runs of {experiment} come from different versions of {source} ({', '.join(sorted(fingerprints))}): "
            f"move those that should not count out of {paths.runs_folder() / source / experiment}"
        )
    device = choose_device(device)
    store = records.open_store(table, found[0].settings.floor_db, progress=True)
    origin = {"target": target, "target_fingerprint": table.attrs["fingerprint"], **origins.provenance(device)}
    parts = []
    for record in tqdm(found, desc=f"{source} to {target}", unit="run"):
        run = record.run
        of_run = {name: run[name] for name in ("experiment", "fold", "seed", "configuration")}
        of_run |= {"source": source, "source_fingerprint": run["fingerprint"]}
        counted = confusions(record, table, store, device)
        parts.append(counted.assign(**of_run, **{name: origin[name] for name in COLUMNS if name in origin}))
    return pd.concat(parts, ignore_index=True)[COLUMNS]


def save(counts: pd.DataFrame, folder: Path | None = None) -> Path:
    """Keep the counts of one target in ``results/<target>/transfer.csv``.

    Those of other runs that were kept before stay, so that networks can be counted on the machine that has them; but
    for runs of the same experiment on another version of the source, or with other settings.

    Raises:
        SerError: the code is not that of a commit, or what stays was counted on another version of the target.
    """
    measurements.refuse_unnamed_code(counts["code"])
    target, version = counts["target"].iloc[0], counts["target_fingerprint"].iloc[0]
    folder = folder or paths.results_folder()
    file, remedy = folder / target / "transfer.csv", paths.remedy("SER_RESULTS")
    with one_at_a_time(file.parent, remedy):
        before = load(folder)
        before = before[before["target"] == target]
        experiment = ["source", "experiment"]
        present = [*experiment, "source_fingerprint", "configuration"]
        outdated = _among(before, counts, experiment) & ~_among(before, counts, present)
        before = before[~outdated & ~_among(before, counts, [*experiment, "fold", "seed"])]
        for row in before[before["target_fingerprint"] != version].itertuples():
            raise SerError(
                f"{file} holds what networks of {row.source} recognise on another version of {target} "
                f"({row.target_fingerprint}; this is {version}), and the two cannot be compared: remove the file, then "
                "measure every source again"
            )
        kept = pd.concat([before, counts], ignore_index=True) if len(before) else counts
        write_file(file, lambda aside: kept.sort_values(CELL).to_csv(aside, index=False), remedy)
    return file


def _among(rows: pd.DataFrame, others: pd.DataFrame, columns: list[str]) -> np.ndarray:
    """Which rows agree in some columns with one of the others."""
    return pd.MultiIndex.from_frame(rows[columns]).isin(list(others[columns].itertuples(index=False, name=None)))


def load(folder: Path | None = None) -> pd.DataFrame:
    """The counts of all corpora by networks of present settings; an empty table where nothing was counted.

    Raises:
        SerError: a table is damaged, or lacks a column.
    """
    files = (folder or paths.results_folder()).glob("*/transfer.csv")
    return measurements.load(files, COLUMNS, _NUMBERS, "transfer --source ...")

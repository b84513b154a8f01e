"""The tidy tables of all runs: collected from records on this machine, and read again by pages and notebooks.

One folder per corpus and experiment, one file per kind of table. What does not belong together, such as runs on two
versions of a corpus, is refused, when it is collected and when it is read.
"""

import json
import math
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from ser_lib import paths
from ser_lib.corpora import EMOTIONS
from ser_lib.errors import SerError
from ser_lib.experiments import EXPERIMENTS
from ser_lib.files import one_at_a_time, read_table, write_file
from ser_lib.origins import PACKAGES, code_of_runs, is_named
from ser_lib.protocols import ONE_TEST_SPEAKER
from ser_lib.records import (
    FAILURE_COLUMNS,
    IDENTITY,
    UTTERANCE_COLUMNS,
    Record,
    manifest_file,
    read_failure,
    write_utterances,
)

_WORDS = ("utterance", "speaker", "test_speaker", "validation_speaker", "fingerprint", "configuration", "code")
"""Columns that are words although some of them look like numbers."""
_KINDS = ("runs", "predictions", "histories", "gradients", "updates")
_PREDICTIONS = ["utterance", "speaker", "truth", "prediction"] + [
    f"{kind}_{emotion}" for kind in ("p", "votes") for emotion in EMOTIONS
]
_LATER = ("energy_joules", "notes")
"""Columns that older records and tables lack: they are read as not known (NaN)."""
_RUN_COLUMNS = [
    "run", "fingerprint", "configuration", "test_speaker", "validation_speaker", "best_epoch", "epochs",
    "seconds", "peak_memory_mib", "energy_joules", "code", "hardware", "device", "python", *PACKAGES, "notes",
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
        manifest = manifest_file(corpus, fingerprint)
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
        if file.parts[-4:-1] != record.made_as:
            own = "/".join(record.made_as)
            say(f"left out: {record.folder}: it was made as {own}, and is a copy or was moved aside")
        elif name not in EXPERIMENTS:
            say(f"left out: {record.folder}: there is no experiment {name!r} (any more)")
        elif record.run["configuration"] != EXPERIMENTS[name].digest:
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


def repeats_of(results: Results) -> pd.DataFrame:
    """Those of :func:`load_repeats` that are of collected runs, as these are now: of their settings and corpus.

    Args:
        results: what is collected.
    """
    repeats, run = load_repeats(), [*IDENTITY, "configuration", "fingerprint"]
    return repeats[pd.MultiIndex.from_frame(repeats[run]).isin(pd.MultiIndex.from_frame(results.runs[run]))]


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
    write_file(file, lambda aside: write_utterances(table, aside), paths.remedy("SER_RESULTS"))
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
        failure = read_failure(file)
        name = failure["experiment"]
        # Of whatever version of the corpus: a run of these settings that was finished since did not diverge.
        same = f"{failure['corpus']}/{name}/fold-{failure['fold']:02d}-seed-{failure['seed']}-*/run.json"
        finished = (Record(run.parent).run["configuration"] for run in paths.runs_folder().glob(same))
        finished_since = failure["configuration"] in finished
        if name in EXPERIMENTS and failure["configuration"] == EXPERIMENTS[name].digest and not finished_since:
            row = {**failure, "learning_rate": failure["settings"]["learning_rate"]}
            rows.append({column: row[column] for column in [*IDENTITY, *FAILURE_COLUMNS]})
    return pd.DataFrame(rows, columns=[*IDENTITY, *FAILURE_COLUMNS])


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
        "failures": FAILURE_COLUMNS,
    }
    return pd.DataFrame(columns=[*IDENTITY, *own[kind]])

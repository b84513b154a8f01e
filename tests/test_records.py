"""Records: a finished run is never repeated, half of one never counts, and every table is computed from predictions."""

import contextlib
import dataclasses
import json
import multiprocessing
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from ser_lib import experiments, features, files, paths, provenance, records, scoring, training
from ser_lib.corpora import EMOTIONS
from ser_lib.errors import SerError
from ser_lib.protocols import find_fold

FILES = [
    "gradients.csv", "history.csv", "predictions.csv", "provenance.json", "run.json", "updates.csv",
    "weights.safetensors",
]  # fmt: skip


@pytest.fixture(autouse=True)
def named(monkeypatch, tiny_experiment):
    """Two small experiments with names, instead of the paper's."""
    known = {"small": tiny_experiment, "small-vote": tiny_experiment.with_settings(test_copies=11, vtlp="utterance")}
    monkeypatch.setattr(records, "EXPERIMENTS", known)
    return known


@pytest.fixture
def obtain(tiny_table, named, monkeypatch):
    """A function that gives the record of a run on the made-up corpus, by code of one commit."""
    monkeypatch.setattr(records, "code_version", lambda: "c0mm1ttedc0de")

    def run(name: str = "small", fold: int = 1, seed: int = 0, **settings) -> records.Record:
        chosen = named[name].with_settings(**settings)
        return records.obtain(tiny_table, records.run_key(tiny_table, name, chosen, fold, seed), "cpu")

    return run


def contents(folder: Path) -> dict[str, bytes]:
    """What must be the same bytes in every repetition: all of a record but its provenance."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "provenance.json"}


def finished_runs() -> list[Path]:
    return sorted(paths.runs_folder().glob("*/*/fold-*"))


def in_another_process(work) -> multiprocessing.Process:
    child = multiprocessing.get_context("fork").Process(target=work)
    child.start()
    return child


def collect() -> list[str]:
    """Collect the runs; what was said meanwhile."""
    said = []
    records.collect(say=said.append)
    return said


# One record


def test_a_record_holds_everything_that_a_run_leaves_behind(obtain, tiny_experiment):
    record = obtain()
    assert sorted(path.name for path in record.folder.iterdir()) == FILES
    assert record.folder.is_relative_to(paths.runs_folder() / "tiny" / "small")
    run, origin = record.run, record.provenance
    assert (run["corpus"], run["experiment"], run["fold"], run["seed"]) == ("tiny", "small", 1, 0)
    assert (run["test_speaker"], run["validation_speaker"]) == ("1F", "1M")
    assert run["configuration"] == tiny_experiment.digest and record.settings == tiny_experiment
    assert run["fingerprint"] == "0123456789ab"
    assert {
        "code", "hardware", "device", "python", "packages", "seconds", "peak_memory_mib", "energy_joules", "started",
    } <= set(origin)  # fmt: skip
    assert origin["packages"]["torch"] and origin["seconds"] > 0 and origin["peak_memory_mib"] > 0
    assert len(record.history) == 2 and len(record.gradients) == len(record.updates) == 12
    assert len(record.predictions) == 11
    assert not {"wa", "ua", "test_wa", "test_ua"} & {*run, *origin, *record.history, *record.predictions}


def test_what_is_read_is_what_was_written_to_the_last_bit(obtain, tiny_table, tiny_experiment):
    record = obtain()
    store = features.open_store(tiny_table)
    outcome = training.train(tiny_table, store, tiny_experiment, find_fold(tiny_table, "speakers", 1), 0)
    pd.testing.assert_frame_equal(record.predictions, outcome.predictions, check_exact=True, check_dtype=False)
    pd.testing.assert_frame_equal(record.history, outcome.history, check_exact=True)
    for kind in ("gradients", "updates"):  # six digits, which a figure does not exceed
        pd.testing.assert_frame_equal(getattr(record, kind), getattr(outcome, kind), check_dtype=False, rtol=1e-5)
    for name, weight in record.model().state_dict().items():
        np.testing.assert_array_equal(weight, outcome.weights[name])


def test_a_finished_run_is_never_repeated(obtain, monkeypatch):
    folder = obtain().folder
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    monkeypatch.setattr(training, "train", lambda *_: pytest.fail("trained again"))
    monkeypatch.setattr(features, "open_store", lambda *_: pytest.fail("opened the store"))
    assert obtain().folder == folder
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before


def test_a_run_repeated_elsewhere_is_the_same_bytes(obtain, tmp_path, monkeypatch):
    first = contents(obtain("small-vote").folder)
    monkeypatch.setenv("SER_RUNS", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("SER_DATA", str(tmp_path / "other data"))
    again = obtain("small-vote").folder
    assert again.is_relative_to(tmp_path) and contents(again) == first


@pytest.mark.parametrize("other", [{"fold": 2}, {"seed": 1}, {"name": "small-vote"}, {"epochs": 1}], ids=str)
def test_another_fold_seed_or_setting_is_another_record(obtain, other):
    assert obtain().folder != obtain(**other).folder
    assert len(finished_runs()) == 2


def test_another_version_of_the_corpus_is_another_record(obtain, tiny_table):
    first = obtain().folder
    tiny_table.attrs["fingerprint"] = "ba9876543210"
    assert obtain().folder != first


@pytest.mark.parametrize("fold, seed, message", [(7, 0, "no fold 7"), (1, -1, "seed -1 must be 0 or above")])
def test_a_fold_or_seed_that_cannot_be_is_refused(obtain, fold, seed, message):
    with pytest.raises(SerError, match=message):
        obtain(fold=fold, seed=seed)


# Kills, full disks, other processes


def kill_when(patch: pytest.MonkeyPatch, moment: str) -> None:
    """Let this process kill itself at one moment of a run."""

    def kill(*_, **__):
        os.kill(os.getpid(), signal.SIGKILL)

    if moment == "training":
        patch.setattr(training, "evaluate", kill)
    elif moment == "weights":
        patch.setattr(Path, "write_bytes", kill)
    elif moment == "rename":
        patch.setattr(Path, "rename", kill)
    else:
        true_write = Path.write_text
        patch.setattr(Path, "write_text", lambda path, *a: kill() if path.name == moment else true_write(path, *a))


@pytest.mark.parametrize("moment", ["training", "weights", "provenance.json", "run.json", "rename"])
def test_a_run_killed_leaves_no_record_that_counts_and_started_again_it_finishes(obtain, moment, tiny_table, tmp_path):
    features.open_store(tiny_table)
    reference = contents(obtain(seed=5).folder)
    (finished,) = finished_runs()
    finished.rename(tmp_path / "reference")
    with pytest.MonkeyPatch.context() as patch:
        kill_when(patch, moment)
        child = in_another_process(lambda: obtain(seed=5))
        child.join(60)
    assert child.exitcode == -signal.SIGKILL
    assert finished_runs() == []
    with pytest.raises(SerError, match="no finished run"):
        collect()
    assert contents(obtain(seed=5).folder) == reference
    assert collect() == ["tiny, small: 1 runs"]


def test_a_run_killed_at_any_moment_is_whole_or_is_not_there(obtain, tiny_table):
    features.open_store(tiny_table)
    reference = contents(obtain(seed=0).folder)
    random = np.random.default_rng(0)
    for seed in range(1, 6):
        child = in_another_process(lambda seed=seed: obtain(seed=seed))
        time.sleep(random.uniform(0, 0.5))
        child.kill()
        child.join(60)
        for folder in finished_runs():
            assert sorted(path.name for path in folder.iterdir()) == FILES
        assert set(contents(obtain(seed=seed).folder)) == set(reference)
    assert collect() == ["tiny, small: 6 runs"]


def test_two_processes_at_once_leave_one_record(obtain, tiny_table):
    features.open_store(tiny_table)
    children = [in_another_process(obtain) for _ in range(2)]
    for child in children:
        child.join(60)
    assert [child.exitcode for child in children] == [0, 0]
    [folder] = finished_runs()
    assert sorted(path.name for path in folder.iterdir()) == FILES
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_a_disk_that_is_full_is_one_error_with_its_remedy_and_earlier_runs_stay(obtain, tiny_table, tmp_path):
    before = contents(obtain().folder)

    def work():
        resource.setrlimit(resource.RLIMIT_FSIZE, (2500, resource.RLIM_INFINITY))  # a file cannot grow beyond this
        try:
            obtain(seed=1)
        except SerError as problem:
            (tmp_path / "message").write_text(str(problem))

    child = in_another_process(work)
    child.join(60)
    assert child.exitcode == 0
    message = (tmp_path / "message").read_text()
    assert "could not be written" in message and "make room, or set SER_RUNS" in message
    [folder] = finished_runs()
    assert contents(folder) == before
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_a_folder_that_cannot_be_made_is_one_error_with_its_remedy(obtain, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SER_RUNS", str(tmp_path / "file" / "runs"))
    with pytest.raises(SerError, match="could not be written.*set SER_RUNS"):
        obtain()


# A loss that does not stay finite


def diverging(patch: pytest.MonkeyPatch, epoch: int = 2, batch: int | None = 3) -> None:
    """Let every training end with a loss that is not finite."""

    def train(*_):
        problem = training.Diverged(epoch, batch, ["1F_anger_0", "2M_sadness_1"])
        problem.history = pd.DataFrame({"epoch": range(1, epoch), "training_loss": 1.25})
        raise problem

    patch.setattr(training, "train", train)


def failed(obtain, **run) -> Path:
    """Let a run of the made-up corpus fail; where the failure is kept."""
    with pytest.MonkeyPatch.context() as patch:
        diverging(patch)
        patch.setattr(records, "code_version", lambda: "older code")
        with pytest.raises(SerError, match="not finite") as caught:
            obtain(**run)
    return Path(str(caught.value).partition("(kept in ")[2].rstrip(")"))


def test_a_run_that_diverges_says_when_and_on_what_and_where_that_is_kept(obtain, tiny_table, tiny_experiment):
    with pytest.raises(SerError) as caught:
        obtain(learning_rate=1e30)
    key = records.run_key(tiny_table, "small", tiny_experiment.with_settings(learning_rate=1e30), 1, 0)
    failure = json.loads((key.failure_folder / "failure.json").read_text())
    assert (failure["epoch"], failure["batch"]) == (1, 2)
    assert set(failure["utterances"]) <= set(tiny_table["utterance"]) and len(failure["utterances"]) == 8
    place = f"epoch 1, batch 2, utterances {', '.join(failure['utterances'])}"
    assert str(caught.value) == (
        f"the loss is not finite in {place}: lower the learning rate, or look at these recordings "
        f"(kept in {key.failure_folder})"
    )


def test_a_failure_is_kept_with_its_history_and_never_where_finished_runs_lie(obtain, tiny_experiment):
    folder = failed(obtain)
    assert sorted(path.name for path in folder.iterdir()) == ["failure.json", "history.csv"]
    failure = json.loads((folder / "failure.json").read_text())
    assert [failure[name] for name in records.IDENTITY] == ["tiny", "small", 1, 0]
    assert (failure["epoch"], failure["batch"], failure["utterances"]) == (2, 3, ["1F_anger_0", "2M_sadness_1"])
    assert experiments.Experiment(**failure["settings"]) == tiny_experiment
    assert failure["code"] and failure["hardware"] and failure["packages"]["torch"]
    assert pd.read_csv(folder / "history.csv")["epoch"].tolist() == [1]
    assert finished_runs() == [] and folder.is_relative_to(paths.runs_folder() / "failures")
    assert collect() == ["tiny: 1 runs whose loss did not stay finite"]
    assert [path.name for path in (paths.results_folder() / "tiny").iterdir()] == ["failures.csv"]


def test_a_run_that_fails_before_the_first_epoch_ends_is_collected_too(obtain, monkeypatch):
    obtain(fold=2)
    diverging(monkeypatch, epoch=1, batch=None)
    with pytest.raises(SerError, match="not finite in epoch 1, validation"):
        obtain()
    collect()
    [failure] = records.load_results().failures.to_dict("records")
    assert failure["epoch"] == 1 and np.isnan(failure["batch"])


def test_a_repeated_failure_replaces_the_earlier_one(obtain, monkeypatch):
    folder = failed(obtain)
    diverging(monkeypatch, epoch=5, batch=1)
    with pytest.raises(SerError):
        obtain()
    failure = json.loads((folder / "failure.json").read_text())
    assert (failure["epoch"], failure["batch"]) == (5, 1) and len(pd.read_csv(folder / "history.csv")) == 4
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_a_run_that_diverged_is_not_made_again_by_the_same_code_until_its_failure_is_deleted(obtain, monkeypatch):
    folder = failed(obtain)
    monkeypatch.setattr(records, "code_version", lambda: "older code")
    with monkeypatch.context() as patch:
        patch.setattr(training, "train", lambda *_: pytest.fail("trained again"))
        with pytest.raises(SerError, match=rf"^the loss is not finite in epoch 2, .* delete {folder}\)$"):
            obtain()
    obtain(seed=1)
    shutil.rmtree(folder)
    assert len(obtain().history) == 2


@pytest.mark.parametrize("code", ["newer code", "unknown", "older code+"])
def test_a_run_that_diverged_is_made_again_by_code_that_may_train_differently(obtain, monkeypatch, code):
    monkeypatch.setattr(records, "code_version", lambda: code)
    file = failed(obtain) / "failure.json"
    if code != "newer code":  # of these versions, two of one name need not be the same
        file.write_text(json.dumps(json.loads(file.read_text()) | {"code": code}))
    with contextlib.suppress(SerError):
        obtain()
    assert len(finished_runs()) == 1


@pytest.mark.parametrize("content", ["", "{}", "[]"])
def test_a_damaged_failure_is_named_with_what_to_do(obtain, content):
    file = failed(obtain) / "failure.json"
    file.write_text(content)
    for read in (obtain, records.load_runs, records.collect):
        with pytest.raises(SerError, match=rf"^{file} cannot be read .*: delete {file.parent}, and the run is made"):
            read()


def test_a_run_that_diverged_on_another_device_is_made_on_this_one(obtain, monkeypatch):
    file = failed(obtain) / "failure.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"device": "cuda"}))
    monkeypatch.setattr(records, "code_version", lambda: "older code")
    assert obtain().history["epoch"].tolist() == [1, 2]


def test_a_failure_is_collected_by_itself_and_is_in_no_other_table(obtain, tiny_experiment):
    obtain(fold=2)
    failed(obtain)
    assert collect() == ["tiny, small: 1 runs", "tiny: 1 runs whose loss did not stay finite"]
    results = records.load_results()
    [failure] = results.failures.to_dict("records")
    message = failure.pop("message")
    assert failure == {
        "corpus": "tiny", "experiment": "small", "fold": 1, "seed": 0, "fingerprint": "0123456789ab",
        "configuration": tiny_experiment.digest, "learning_rate": 0.01, "epoch": 2, "batch": 3,
    }  # fmt: skip
    assert message.startswith("the loss is not finite in epoch 2, batch 3, utterances 1F_anger_0, 2M_sadness_1")
    for kind in ("runs", "predictions", "histories", "gradients", "updates"):
        assert set(getattr(results, kind)["fold"]) == {2}, kind


def test_a_failure_does_not_count_once_the_run_is_finished(obtain):
    obtain(fold=2)
    failed(obtain)
    collect()
    obtain()
    assert collect() == ["tiny, small: 2 runs"]
    assert len(records.load_results().failures) == 0 and len(records.load_runs().failures) == 0


def test_a_failure_of_settings_that_have_changed_since_does_not_count(obtain, named):
    obtain(fold=2)
    failed(obtain, epochs=1)
    failed(obtain, name="small-vote")
    del named["small-vote"]
    assert collect() == ["tiny, small: 1 runs"]
    assert len(records.load_results().failures) == 0


def test_failures_collected_before_stay_although_they_are_not_on_this_machine(obtain):
    obtain(fold=2)
    folder = failed(obtain)
    collect()
    shutil.rmtree(folder)
    failed(obtain, fold=3)
    collect()
    assert sorted(records.load_results().failures["fold"]) == [1, 3]


# Collecting


def test_scores_from_the_collected_tables_are_those_from_the_records(obtain, tiny_table):
    made = [obtain(name, fold, seed) for name in ("small", "small-vote") for fold, seed in ((1, 0), (2, 0), (2, 1))]
    assert collect() == ["tiny, small: 3 runs", "tiny, small-vote: 3 runs"]
    results = records.load_results()
    direct = pd.concat(
        [
            record.predictions.assign(**{key: record.run[key] for key in ("corpus", "experiment", "fold", "seed")})
            for record in made
        ]
    )
    pd.testing.assert_frame_equal(scoring.scores(results.predictions), scoring.scores(direct), check_dtype=False)
    assert len(results.runs) == 6
    assert len(results.histories) == len(results.gradients) == len(results.updates) == 12
    assert results.runs["best_epoch"].tolist() == [record.run["best_epoch"] for record in made]
    utterances = records.load_utterances("tiny")
    assert utterances["utterance"].tolist() == tiny_table["utterance"].tolist() and "path" not in utterances


def test_collecting_twice_is_the_same_bytes(obtain):
    obtain(fold=2)
    obtain(fold=1)
    collect()
    files = [path for path in paths.results_folder().rglob("*") if path.is_file()]
    before = {path: path.read_bytes() for path in files}
    collect()
    assert {path: path.read_bytes() for path in files} == before and len(files) == 7


def test_collected_gradients_and_updates_are_means_over_the_steps_of_an_epoch(obtain):
    record = obtain()
    collect()
    results = records.load_results()
    for kind in ("gradients", "updates"):
        steps = getattr(record, kind)
        for epoch in (1, 2):
            expected = steps[steps["epoch"] == epoch].drop(columns=["epoch", "step"]).mean()
            [row] = getattr(results, kind).query("epoch == @epoch")[list(expected.index)].to_numpy(dtype=float)
            np.testing.assert_allclose(row, expected, rtol=1e-5)


def test_runs_on_this_machine_are_the_same_tables_collected_or_not(obtain):
    for name in ("small", "small-vote"):
        for fold, seed in ((1, 0), (2, 0), (2, 1)):
            obtain(name, fold, seed)
    failed(obtain, fold=3)
    direct = records.load_runs()
    assert not paths.results_folder().exists()
    collect()
    collected = records.load_results()
    for field in dataclasses.fields(records.Results):
        one, other = getattr(direct, field.name), getattr(collected, field.name)
        assert len(one) > 0, field.name
        pd.testing.assert_frame_equal(one, other, check_dtype=False, rtol=1e-5, obj=field.name)


def test_runs_collected_before_stay_although_they_are_not_on_this_machine(obtain):
    gone = obtain(fold=1).folder
    obtain(fold=2)
    collect()
    before = contents(paths.results_folder() / "tiny" / "small")
    shutil.rmtree(gone)
    assert collect() == ["tiny, small: 1 runs, and 1 collected before"]
    assert contents(paths.results_folder() / "tiny" / "small") == before
    assert collect() == ["tiny, small: 1 runs, and 1 collected before"]
    obtain(fold=3)
    assert collect() == ["tiny, small: 2 runs, and 1 collected before"]
    results = records.load_results()
    for kind in ("runs", "predictions", "histories", "gradients", "updates"):
        assert getattr(results, kind)["fold"].drop_duplicates().tolist() == [1, 2, 3], kind


def test_a_run_that_is_repeated_replaces_the_one_collected_before(obtain):
    folder = obtain().folder
    collect()
    shutil.rmtree(folder)
    obtain()
    provenance = json.loads((folder / "provenance.json").read_text())
    (folder / "provenance.json").write_text(json.dumps(provenance | {"seconds": 1234.5}))
    assert collect() == ["tiny, small: 1 runs"]
    assert records.load_results().runs["seconds"].tolist() == [1234.5]


def test_runs_collected_before_of_settings_that_have_changed_are_dropped_with_a_word(obtain, named):
    obtain(fold=1)
    obtain(fold=2)
    collect()
    named["small"] = named["small"].with_settings(epochs=1)
    shutil.rmtree(paths.runs_folder())
    obtain(fold=2)
    folder = paths.results_folder() / "tiny" / "small"
    dropped = f"dropped: 2 runs in {folder}: the settings of the experiment have changed since"
    assert collect() == [dropped, "tiny, small: 1 runs"]
    results = records.load_results()
    assert results.runs["fold"].tolist() == [2] and set(results.predictions["fold"]) == {2}
    assert len(results.histories) == 1


def test_runs_of_settings_that_have_changed_since_they_were_collected_do_not_count(obtain, named):
    obtain(fold=1)
    collect()
    assert len(records.load_results().runs) == 1
    named["small"] = named["small"].with_settings(epochs=1)
    results = records.load_results()
    assert all(getattr(results, kind).empty for kind in ("runs", "predictions", "histories", "gradients", "updates"))


def test_what_is_left_of_a_record_is_said_before_the_training(obtain, monkeypatch):
    folder = obtain().folder
    (folder / "run.json").unlink()
    monkeypatch.setattr(training, "train", None)
    with pytest.raises(SerError, match=rf"{folder} holds what is no whole record.*remove it and run again"):
        obtain()


def test_runs_collected_before_on_another_version_of_the_corpus_are_refused(obtain, tiny_table):
    obtain()
    collect()
    before = contents(paths.results_folder() / "tiny" / "small")
    shutil.rmtree(paths.runs_folder())
    tiny_table.attrs["fingerprint"] = "ba9876543210"
    obtain(fold=2)
    with pytest.raises(
        SerError, match="different versions of the corpus .* small in .*results/tiny; .* small in .*runs/tiny"
    ):
        collect()
    assert contents(paths.results_folder() / "tiny" / "small") == before


def test_tables_of_an_earlier_version_without_updates_are_read_and_added_to(obtain):
    gone = obtain().folder
    collect()
    (paths.results_folder() / "tiny" / "small" / "updates.csv").unlink()
    results = records.load_results()
    assert len(results.runs) == 1 and len(results.updates) == 0
    shutil.rmtree(gone)
    obtain(fold=2)
    assert collect() == ["tiny, small: 1 runs, and 1 collected before"]
    results = records.load_results()
    assert results.runs["fold"].tolist() == [1, 2] and set(results.updates["fold"]) == {2}


def test_the_energy_of_a_run_is_collected_where_it_was_read(obtain, monkeypatch):
    values = iter([5.0, 30.5])  # joules when the run begins and when it ends
    monkeypatch.setattr(records.energy, "counters_of", lambda device: [records.energy.Counter(lambda: next(values))])
    assert obtain().provenance["energy_joules"] == 25.5
    monkeypatch.setattr(records.energy, "counters_of", lambda device: [])
    assert obtain(fold=2).provenance["energy_joules"] is None
    collect()
    for results in (records.load_results(), records.load_runs()):
        assert results.runs.set_index("fold")["energy_joules"].dropna().to_dict() == {1: 25.5}


def test_runs_made_or_collected_before_energy_was_read_count_as_not_read(obtain):
    file = obtain().folder / "provenance.json"
    older = {key: value for key, value in json.loads(file.read_text()).items() if key != "energy_joules"}
    file.write_text(json.dumps(older))
    collect()
    table = paths.results_folder() / "tiny" / "small" / "runs.csv"
    assert pd.read_csv(table)["energy_joules"].isna().all()
    pd.read_csv(table).drop(columns="energy_joules").to_csv(table, index=False)
    shutil.rmtree(file.parent)
    obtain(fold=2)
    collect()
    runs = records.load_results().runs
    assert runs["fold"].tolist() == [1, 2] and runs["energy_joules"].isna().all()


def test_collected_numbers_have_six_digits_those_collected_before_too(obtain):
    obtain()
    collect()
    shutil.rmtree(paths.runs_folder())
    obtain(fold=2)
    collect()
    for kind in ("predictions", "histories", "gradients", "updates"):
        text = (paths.results_folder() / "tiny" / "small" / f"{kind}.csv").read_text()
        numbers = re.findall(r"(?<=,)-?([0-9.]+)(?:e-?[0-9]+)?(?=,|$)", text, re.MULTILINE)
        assert numbers and max(len(number.replace(".", "").lstrip("0")) for number in numbers) == 6, kind


def test_collected_settings_are_those_that_were_run(obtain, tiny_experiment):
    obtain()
    collect()
    settings = json.loads((paths.results_folder() / "tiny" / "small" / "settings.json").read_text())
    assert experiments.Experiment(**settings) == tiny_experiment


def test_a_changed_prediction_changes_the_score(obtain):
    obtain()
    collect()
    file = paths.results_folder() / "tiny" / "small" / "predictions.csv"
    [before] = scoring.scores(records.load_results().predictions)["wa"]
    table = pd.read_csv(file)
    hit = table.loc[0, "prediction"] == table.loc[0, "truth"]
    other = next(emotion for emotion in EMOTIONS if emotion != table.loc[0, "truth"])
    table.loc[0, "prediction"] = other if hit else table.loc[0, "truth"]
    table.to_csv(file, index=False)
    [after] = scoring.scores(records.load_results().predictions)["wa"]
    assert after - before == pytest.approx(-1 / 11 if hit else 1 / 11)


def test_runs_with_other_settings_are_named_and_left_out(obtain):
    obtain()
    stale = obtain(fold=2, epochs=1).folder
    said = collect()
    assert said == [f"left out: {stale}: its settings are not those of 'small'", "tiny, small: 1 runs"]
    assert records.load_results().runs["fold"].tolist() == [1]


def test_runs_of_a_forgotten_experiment_are_named_and_left_out(obtain, named):
    obtain()
    forgotten = obtain("small-vote").folder
    del named["small-vote"]
    left_out = f"left out: {forgotten}: there is no experiment 'small-vote' (any more)"
    assert collect() == [left_out, "tiny, small: 1 runs"]


def test_what_was_moved_aside_or_copied_does_not_count_wherever_it_lies(obtain):
    """Its words say which run it is, and the place which it is taken for: the one without the other decides nothing."""
    obtain()
    aside = obtain(fold=2).folder
    moved = paths.runs_folder() / "older" / "small" / aside.name
    moved.parent.mkdir(parents=True)
    aside.rename(moved)
    first = obtain().folder
    copy = first.with_name(f"{first.name}.bak")
    shutil.copytree(first, copy)
    made_as = f"tiny/small/{first.name}"
    assert collect() == [
        f"left out: {moved}: it was made as tiny/small/{aside.name}, and is a copy or was moved aside",
        f"left out: {copy}: it was made as {made_as}, and is a copy or was moved aside",
        "tiny, small: 1 runs",
    ]
    assert records.load_results().runs["fold"].tolist() == [1]
    assert not (paths.results_folder() / "older").exists()


def test_a_collection_that_was_killed_between_two_tables_is_mended_by_the_next(obtain, monkeypatch):
    """Fold 1 was collected before, on another machine, and its record is not here."""
    elsewhere = obtain().folder
    collect()
    shutil.rmtree(elsewhere)
    obtain(fold=2)
    write = records._write_table

    def killed(file, table):
        if file.name == "predictions.csv":
            raise KeyboardInterrupt
        write(file, table)

    with monkeypatch.context() as patch:
        patch.setattr(records, "_write_table", killed)
        with pytest.raises(KeyboardInterrupt):
            collect()
    with pytest.raises(SerError, match="collect the results again"):
        records.load_results()
    assert collect() == ["tiny, small: 1 runs, and 1 collected before"]
    assert records.load_results().runs["fold"].tolist() == [1, 2]


def test_a_failure_on_another_version_of_the_corpus_is_none_of_its_runs(obtain, tiny_table, monkeypatch):
    obtain()
    with monkeypatch.context() as patch:
        patch.setitem(tiny_table.attrs, "fingerprint", "ba9876543210")
        diverging(patch, epoch=2, batch=1)
        with pytest.raises(SerError, match="not finite"):
            obtain(fold=2)
    said = "left out: the failure of small, fold 2: it is of another version of tiny"
    assert collect() == ["tiny, small: 1 runs", said]
    assert records.load_results().failures.empty and not (paths.results_folder() / "tiny" / "failures.csv").exists()


def test_a_folder_for_runs_that_cannot_be_made_is_told_before_the_training(obtain, monkeypatch, tmp_path):
    (tmp_path / "a file").write_text("")
    monkeypatch.setenv("SER_RUNS", str(tmp_path / "a file"))
    monkeypatch.setattr(training, "train", lambda *_: pytest.fail("trained, and lost"))
    with pytest.raises(SerError, match="could not be written.*set SER_RUNS"):
        obtain()


@pytest.mark.parametrize("damage", [("strip.npy", b"\x93NUMPY"), ("store.json", b""), ("store.json", b"{}")])
def test_damaged_spectrograms_are_named_with_what_to_do(obtain, damage):
    obtain()
    name, content = damage
    [file] = (paths.data_folder() / "features").glob(f"*/{name}")
    file.write_bytes(content)
    with pytest.raises(SerError, match=r"features cannot be read \(.*\): delete this folder"):
        obtain(fold=2)


@pytest.mark.parametrize("file", ["run.json", "provenance.json"])
def test_a_record_that_is_json_but_no_record_is_named(obtain, file):
    folder = obtain().folder
    (folder / file).write_text("null")
    with pytest.raises(SerError, match=rf"{file} cannot be read \(it is no record of a run\): remove the folder"):
        collect()


def test_runs_on_two_versions_of_a_corpus_are_refused(obtain, tiny_table):
    obtain()
    tiny_table.attrs["fingerprint"] = "ba9876543210"
    obtain(fold=2)
    with pytest.raises(SerError, match=r"different versions of the corpus \(0123456789ab, .*; ba9876543210, .*: move"):
        collect()
    assert not any(paths.results_folder().rglob("*.csv"))


def test_experiments_on_two_versions_of_a_corpus_are_refused_too(obtain, tiny_table):
    """They are compared with each other: that each is of one version by itself is not enough."""
    obtain()
    collect()
    before = contents(paths.results_folder() / "tiny" / "small")
    tiny_table.attrs["fingerprint"] = "ba9876543210"
    shutil.rmtree(paths.runs_folder())
    obtain("small-vote")
    with pytest.raises(SerError, match="different versions of the corpus .* small in .*; .* small-vote in"):
        collect()
    assert contents(paths.results_folder() / "tiny" / "small") == before
    assert not (paths.results_folder() / "tiny" / "small-vote").exists()


def test_runs_on_this_machine_on_two_versions_of_a_corpus_are_not_shown_as_one(obtain, tiny_table):
    obtain()
    tiny_table.attrs["fingerprint"] = "ba9876543210"
    obtain()
    with pytest.raises(SerError, match="a run is there twice"):
        records.load_runs()
    shutil.rmtree(next(paths.runs_folder().glob("tiny/small/*")))
    obtain(fold=2)
    obtain(fold=3)
    assert len(records.load_runs().runs) == 3


@pytest.mark.parametrize(
    ("kind", "problem"),
    [("predictions", "predictions of run .*'small', 2, 1.* are missing"), ("histories", "not as many epochs as")],
)
def test_a_table_that_was_cut_at_the_end_of_a_line_is_refused(obtain, kind, problem):
    for seed in (0, 1):
        obtain(fold=2, seed=seed)
    collect()
    file = paths.results_folder() / "tiny" / "small" / f"{kind}.csv"
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(SerError, match=problem):
        records.load_results()


def test_what_was_collected_before_and_does_not_belong_together_is_not_sealed(obtain):
    for fold in (1, 2):
        obtain(fold=fold)
    collect()
    for folder in paths.runs_folder().glob("tiny/small/fold-02*"):
        shutil.rmtree(folder)
    file = paths.results_folder() / "tiny" / "small" / "predictions.csv"
    table = pd.read_csv(file)
    table[table["fold"] == 1].to_csv(file, index=False)
    cut = file.read_bytes()
    with pytest.raises(SerError, match="collected before, do not name the same runs"):
        collect()
    assert file.read_bytes() == cut


def test_runs_that_begin_at_once_make_the_spectrograms_once(obtain, tiny_table, monkeypatch):
    made, spectrogram = [], features.spectrogram

    def slow(*arguments):
        made.append(arguments)
        time.sleep(0.005)
        return spectrogram(*arguments)

    monkeypatch.setattr(features, "spectrogram", slow)
    both = [threading.Thread(target=obtain, kwargs={"fold": fold}) for fold in (1, 2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join(60)
    assert len(made) == len(tiny_table) and len(finished_runs()) == 2


def test_collect_waits_for_another_that_is_at_work(obtain):
    obtain()
    with files.one_at_a_time(paths.results_folder(), ""):
        other = threading.Thread(target=collect)  # not a fork, which would hold the lock of its parent
        other.start()
        other.join(0.5)
        assert other.is_alive() and not any(paths.results_folder().rglob("*.csv"))
    other.join(30)
    assert (paths.results_folder() / "tiny" / "small" / "runs.csv").exists()


def test_a_run_has_the_code_that_began_it_whatever_is_committed_meanwhile(obtain, monkeypatch):
    train = training.train

    def train_and_commit(*arguments):
        monkeypatch.setattr(records, "code_version", lambda: "committed later")
        return train(*arguments)

    monkeypatch.setattr(records, "code_version", lambda: "0123456789ab")
    monkeypatch.setattr(training, "train", train_and_commit)
    assert obtain().provenance["code"] == "0123456789ab"


def test_what_departs_from_the_papers_selection_is_noted_and_stands_below_tables(obtain, tiny_table):
    obtain(fold=1)
    tiny_table.attrs["notes"] = ["Pairs are ours.", "Partial corpus: Session5 is missing."]
    tiny_table.attrs["options"] = {"scenarios": "all", "merge_excited": True}
    obtain(fold=2)
    collect()
    runs = records.load_results().runs.set_index("fold")
    assert pd.isna(runs.loc[1, "notes"])
    assert runs.loc[2, "notes"] == "Partial corpus: Session5 is missing. scenarios=all merge_excited=True"
    below = provenance.behind(runs.reset_index().assign(corpus="emodb"))
    assert "Not the paper's selection: Partial corpus: Session5 is missing. scenarios=all" in below
    assert "selection" not in provenance.behind(runs.loc[[1]].reset_index().assign(corpus="emodb"))


def made_by(folder: Path, code: str) -> None:
    """Let a record come from some version of the code."""
    file = folder / "provenance.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"code": code}))


def test_runs_of_one_experiment_by_code_that_trains_differently_are_refused_and_nothing_is_written(obtain):
    for fold, code in ((1, "aaaaaaaaaaaa"), (2, "bbbbbbbbbbbb"), (3, "bbbbbbbbbbbb")):
        made_by(obtain("small-vote", fold=fold).folder, code)
    made_by(obtain().folder, "aaaaaaaaaaaa")
    problem = r"tiny, small-vote: .* differently \(aaaaaaaaaaaa made 1, bbbbbbbbbbbb made 2\): .* --mixed-code"
    with pytest.raises(SerError, match=problem):
        collect()
    assert not any(paths.results_folder().rglob("*.csv"))


def test_code_that_trains_differently_is_collected_when_asked_and_each_runs_version_is_shown(obtain):
    for fold, code in ((1, "bbbbbbbbbbbb"), (2, "aaaaaaaaaaaa"), (3, "bbbbbbbbbbbb+")):
        made_by(obtain(fold=fold).folder, code)
    records.collect(say=lambda text: None, mixed_code=True)
    results = records.load_results()
    assert results.runs["code"].tolist() == ["bbbbbbbbbbbb", "aaaaaaaaaaaa", "bbbbbbbbbbbb+"]
    summary = provenance.run_summary(results.runs.assign(corpus="emodb"))
    assert summary["Code"].tolist() == ["aaaaaaaaaaaa, bbbbbbbbbbbb, bbbbbbbbbbbb+"]


def test_each_experiment_may_have_a_version_of_its_own(obtain):
    made_by(obtain().folder, "aaaaaaaaaaaa")
    made_by(obtain("small-vote").folder, "bbbbbbbbbbbb")
    assert collect() == ["tiny, small: 1 runs", "tiny, small-vote: 1 runs"]


def test_runs_collected_before_by_code_that_trains_differently_are_refused(obtain):
    made_by(obtain().folder, "aaaaaaaaaaaa")
    collect()
    before = contents(paths.results_folder() / "tiny" / "small")
    shutil.rmtree(paths.runs_folder())
    made_by(obtain(fold=2).folder, "bbbbbbbbbbbb")
    with pytest.raises(SerError, match=r"\(aaaaaaaaaaaa made 1, bbbbbbbbbbbb made 1\)"):
        collect()
    assert contents(paths.results_folder() / "tiny" / "small") == before
    made_by(obtain(fold=1).folder, "bbbbbbbbbbbb")  # the older one is repeated, and replaced
    assert collect() == ["tiny, small: 2 runs"]


@pytest.mark.parametrize("code", ["012345678901", "1234567e8901"])
def test_a_version_that_looks_like_a_number_stays_what_it_is(obtain, code):
    made_by(obtain().folder, code)
    collect()
    assert records.load_results().runs["code"].tolist() == [code]
    shutil.rmtree(paths.runs_folder())
    made_by(obtain(fold=2).folder, code)
    assert collect() == ["tiny, small: 1 runs, and 1 collected before"]


ONE = 'def step(x):\n    """One."""\n    return x + 1\n'


@pytest.fixture
def commit(tmp_path, monkeypatch):
    """A project of its own below git, as a function that commits a file and returns the version of the code then."""
    monkeypatch.setattr(paths, "PROJECT", tmp_path)
    (tmp_path / "ser_lib").mkdir()
    (tmp_path / "ser_lib" / "optim.py").write_text("as_ever = 1")
    author = ["-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false"]
    git = ["git", "-C", str(tmp_path), *author]
    subprocess.run([*git, "init", "-q"], check=True)

    def add(file: str, text: str) -> str:
        (tmp_path / file).write_text(text)
        for words in (["add", "-A"], ["commit", "-qm", file]):
            subprocess.run([*git, *words], check=True)
        return records.code_version()

    return add


def test_commits_that_differ_in_nothing_that_trains_are_one_version_of_the_code(commit):
    first = commit("ser_lib/training.py", ONE)
    others = [commit("ser_lib/figures.py", "blue"), commit("README.md", "words")]
    others.append(
        commit(
            "ser_lib/training.py", "# why\n" + ONE.replace("One.", "Two.").replace("x + 1", "(\n        x + 1\n    )")
        )
    )
    changed = commit("ser_lib/training.py", ONE.replace("x + 1", "x + 2"))
    back = commit("ser_lib/training.py", ONE)
    added = commit("ser_lib/strip.py", "new = 1")
    assert {records.code_of_runs(version) for version in [first, *others, back]} == {records.code_of_runs(first)}
    assert len({records.code_of_runs(version) for version in (first, changed, added)}) == 3
    for unknown in (f"{first}+", "unknown", "bbbbbbbbbbbb"):  # not a commit, or not as it was committed
        assert records.code_of_runs(unknown) == unknown


def test_a_checkout_of_something_else_around_the_project_names_no_code_of_it(commit, tmp_path):
    version = commit("ser_lib/training.py", ONE)
    subprocess.run(["git", "-C", str(tmp_path), "rm", "-rq", "--cached", "ser_lib"], check=True)
    (tmp_path / ".gitignore").write_text("ser_lib")
    assert commit("README.md", "another project, in which this one lies unpacked") == "unknown"
    without = subprocess.run(["git", "-C", str(tmp_path), "rev-parse", "HEAD"], capture_output=True, text=True).stdout
    assert records.code_of_runs(without.strip()) == without.strip() != records.code_of_runs(version)


def test_versions_are_told_apart_where_the_project_is_a_folder_of_a_larger_checkout(commit, tmp_path, monkeypatch):
    (tmp_path / "project" / "ser_lib").mkdir(parents=True)
    monkeypatch.setattr(paths, "PROJECT", tmp_path / "project")
    first = commit("project/ser_lib/training.py", ONE)
    same = commit("words.md", "words")
    changed = commit("project/ser_lib/training.py", ONE.replace("x + 1", "x + 2"))
    assert len({first, same, changed}) == 3
    assert records.code_of_runs(first) == records.code_of_runs(same) != records.code_of_runs(changed)
    assert records.code_of_runs(first) != first


def test_runs_of_code_without_a_name_are_collected_with_a_warning(obtain, monkeypatch):
    monkeypatch.setattr(records, "code_version", lambda: "0123456789ab+")
    obtain()
    assert collect() == ["tiny, small: 1 runs"]
    obtain(fold=2)
    warning = "tiny, small: 2 runs are by code that no commit names: it need not have been the same"
    assert collect() == [warning, "tiny, small: 2 runs"]


def test_the_modules_that_tell_versions_apart_are_all_that_training_imports_but_settings_and_corpora():
    script = "import ser_lib.training, sys; print(*(name for name in sys.modules if name.startswith('ser_lib.')))"
    done = subprocess.run([sys.executable, "-c", script], cwd=paths.PROJECT, capture_output=True, text=True, check=True)
    imported = {name.split(".")[1] for name in done.stdout.split()}
    assert imported == {*records.RUN_MODULES, "corpora", "experiments", "errors", "files", "paths"}


def test_nothing_to_collect_is_an_error():
    with pytest.raises(SerError, match="no finished run .* run some first"):
        collect()


def test_a_licensed_corpuss_results_stay_with_their_owner(obtain, tiny_table):
    """Its table of utterances decides how many frames there are; like its predictions, git never takes it."""
    tiny_table.attrs["corpus"] = "iemocap"
    obtain()
    assert collect() == ["iemocap, small: 1 runs"]
    assert len(records.load_utterances("iemocap")) == len(tiny_table)
    ignored = (paths.PROJECT / ".gitignore").read_text().splitlines()
    assert "/results/iemocap/" in ignored


def test_a_corpuss_utterances_can_be_kept_without_runs(tiny_table):
    records.save_utterances(tiny_table)
    kept = records.load_utterances("tiny")
    expected = tiny_table[records.UTTERANCE_COLUMNS]
    pd.testing.assert_frame_equal(kept, expected, check_dtype=False, atol=1e-6)


# Reading tables that somebody touched


@pytest.mark.parametrize("kind", ["runs", "predictions"])
def test_runs_and_predictions_that_do_not_belong_together_are_refused(obtain, kind):
    obtain()
    obtain(fold=2)
    collect()
    file = paths.results_folder() / "tiny" / "small" / f"{kind}.csv"
    table = pd.read_csv(file)
    table[table["fold"] == 1].to_csv(file, index=False)
    with pytest.raises(SerError, match=r"do not name the same runs .*'small', 2, 0.*collect the results again"):
        records.load_results()


def test_a_run_that_is_listed_twice_is_refused(obtain):
    obtain()
    collect()
    file = paths.results_folder() / "tiny" / "small" / "runs.csv"
    table = pd.read_csv(file)
    pd.concat([table, table]).to_csv(file, index=False)
    with pytest.raises(SerError, match="a run is there twice .*collect the results again"):
        records.load_results()


@pytest.mark.parametrize("kind, column", [("predictions", "truth"), ("runs", "seconds"), ("histories", "epoch")])
def test_a_table_without_one_of_its_columns_is_named(obtain, kind, column):
    obtain()
    collect()
    file = paths.results_folder() / "tiny" / "small" / f"{kind}.csv"
    pd.read_csv(file).drop(columns=column).to_csv(file, index=False)
    with pytest.raises(SerError, match=rf"{file} lacks the column\(s\) {column}: .* collect the results again"):
        records.load_results()


@pytest.mark.parametrize("kind", ["runs", "predictions", "histories", "gradients", "updates"])
def test_a_damaged_table_is_named_and_what_it_says_to_do_mends_it(obtain, kind):
    obtain()
    collect()
    folder = paths.results_folder() / "tiny" / "small"
    (folder / f"{kind}.csv").write_text("")
    for read in (records.load_results, collect):
        with pytest.raises(SerError, match=rf"^{folder}/{kind}.csv cannot be read .* or remove {folder} and collect"):
            read()
    shutil.rmtree(folder)
    collect()
    assert len(records.load_results().runs) == 1


def test_a_damaged_table_of_failures_does_not_ask_for_more_to_be_removed(own_folders):
    file = own_folders / "results" / "tiny" / "failures.csv"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"\xff\xfe\n")
    with pytest.raises(SerError, match=rf"^{file} cannot be read .* or remove {file} and collect"):
        records.load_results()


def test_a_damaged_table_of_utterances_is_named(tiny_table):
    file = records.save_utterances(tiny_table)
    file.write_text("")
    with pytest.raises(SerError, match=rf"^{file} cannot be read .*: keep it again: .* corpus tiny --keep$"):
        records.load_utterances("tiny")


@pytest.mark.parametrize(
    "name, kept",  # how many bytes of the file; None: it is gone
    [(name, kept) for name in FILES for kept in (0, None)] + [("run.json", 40), ("weights.safetensors", 40)],
)
def test_a_damaged_file_of_a_record_is_named_with_what_to_do(obtain, name, kept):
    record = obtain()
    read = {
        "run.json": lambda: record.settings,
        "provenance.json": lambda: record.provenance,
        "weights.safetensors": record.model,
    }.get(name, lambda: getattr(record, name.removesuffix(".csv")))
    read()
    file = record.folder / name
    if kept is None:
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(SerError, match=rf"^{file} cannot be read .*: remove the folder {record.folder} and run again$"):
        read()


def test_a_record_of_settings_that_there_are_no_more_is_named(obtain):
    record = obtain()
    file = record.folder / "run.json"
    run = record.run
    file.write_text(json.dumps(run | {"settings": run["settings"] | {"dropout": 0.5}}))
    with pytest.raises(SerError, match=rf"^{file} cannot be read .*dropout.*: read it with the code that made it"):
        _ = record.settings


def test_weights_of_another_network_are_named(obtain):
    record, other = obtain(), obtain(hidden_size=5)
    file = record.folder / "weights.safetensors"
    file.write_bytes((other.folder / file.name).read_bytes())
    with pytest.raises(SerError, match=rf"^{file} cannot be read .*size mismatch.*: remove the folder"):
        record.model()


def test_no_results_are_empty_tables():
    for results in (records.load_results(), records.load_runs()):
        assert not any(len(getattr(results, field.name)) for field in dataclasses.fields(results))
    assert len(scoring.scores(results.predictions)) == 0
    assert records.load_utterances("emodb") is None


# Predicting


@pytest.mark.parametrize("name", ["small", "small-vote"])
def test_recordings_are_predicted_as_they_were_when_they_were_the_test(obtain, tiny_table, name):
    record = obtain(name, epochs=15, learning_rate=0.1)
    tested = tiny_table.set_index("utterance").loc[record.predictions["utterance"], "path"]
    predicted = records.predict(record.folder, [Path(path) for path in tested], "cpu")
    assert predicted["recording"].tolist() == tested.tolist()
    assert predicted["prediction"].tolist() == record.predictions["prediction"].tolist()
    columns = [f"{kind}_{emotion}" for kind in ("p", "votes") for emotion in EMOTIONS]
    np.testing.assert_allclose(predicted[columns], record.predictions[columns], rtol=0, atol=1e-5)
    assert record.predictions["prediction"].nunique() > 1


def test_a_folder_without_a_record_predicts_nothing(tmp_path):
    with pytest.raises(SerError, match=rf"{tmp_path} holds no finished run"):
        records.predict(tmp_path, [])


def test_a_recording_that_cannot_be_read_is_named(obtain, tmp_path):
    (tmp_path / "empty.wav").write_bytes(b"")
    with pytest.raises(SerError, match=rf"{tmp_path}/empty.wav: the file is empty"):
        records.predict(obtain().folder, [tmp_path / "empty.wav"])


# Where it was run


def test_the_code_version_is_the_commit_and_says_when_the_code_differs_from_it(monkeypatch):
    def answer(*arguments):
        return {"rev-parse": "abcdef012345", "ls-tree": "ser_lib", "status": changed}[arguments[0]]

    monkeypatch.setattr(records, "_git", answer)
    changed = ""
    assert records.code_version() == "abcdef012345"
    changed = " M ser_lib/model.py"
    assert records.code_version() == "abcdef012345+"


def test_outside_of_a_checkout_the_code_version_is_unknown(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "PROJECT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert records.code_version() == "unknown"


def test_a_run_is_trained_from_its_own_seed(obtain, tiny_table, tiny_experiment):
    """Were every seed the same training, their spread would be nothing, and no other test would show it."""
    one, other = (obtain(seed=seed) for seed in (0, 7))
    assert not one.history.equals(other.history) and not one.gradients.equals(other.gradients)
    fold = find_fold(tiny_table, "speakers", 1)
    expected = training.train(tiny_table, features.open_store(tiny_table), tiny_experiment, fold, 7)
    pd.testing.assert_frame_equal(other.history, expected.history, check_exact=True)


def test_a_run_reads_spectrograms_with_the_floor_of_its_experiment_and_so_does_predicting(obtain, tiny_table):
    record = obtain(floor_db=-50.0)
    mean, variance = features.statistics(features.open_store(tiny_table, -50.0), 257)
    assert (record.run["mean_db"], record.run["variance_db2"]) == (mean, variance)
    tested = tiny_table.set_index("utterance").loc[record.predictions["utterance"], "path"]
    predicted = records.predict(record.folder, [Path(path) for path in tested], "cpu")
    columns = [f"p_{emotion}" for emotion in EMOTIONS]
    np.testing.assert_allclose(predicted[columns], record.predictions[columns], rtol=0, atol=1e-5)


def test_runs_of_different_folds_on_two_versions_of_a_corpus_are_not_loaded_together(obtain, tiny_table):
    obtain()
    tiny_table.attrs["fingerprint"] = "ba9876543210"
    obtain(fold=2)
    versions = r"the runs on tiny come from different versions of it \(0123456789ab, ba9876543210\): move the runs"
    with pytest.raises(SerError, match=versions):
        records.load_runs()


def test_a_run_without_a_history_is_refused(obtain):
    obtain()
    obtain(fold=2)
    collect()
    file = paths.results_folder() / "tiny" / "small" / "histories.csv"
    table = pd.read_csv(file)
    table[table["fold"] == 1].to_csv(file, index=False)
    with pytest.raises(SerError, match=r"runs and histories do not name the same runs .*'small', 2, 0"):
        records.load_results()


def test_a_failure_that_was_collected_does_not_count_once_its_settings_have_changed(obtain, named):
    obtain(fold=2)
    failed(obtain)
    collect()
    assert len(records.load_results().failures) == 1
    named["small"] = named["small"].with_settings(epochs=1)
    shutil.rmtree(paths.runs_folder())
    obtain(fold=2)
    collect()
    assert len(records.load_results().failures) == 0


@pytest.mark.parametrize("digits", ["012345678901", "1234567e8901"])
def test_digests_that_look_like_numbers_stay_what_they_are(obtain, tiny_table, monkeypatch, digits):
    """One of a few hundred digests has no letter; read as a number, it is nobody's, and its runs would be dropped."""
    monkeypatch.setattr(experiments.Experiment, "digest", property(lambda self: digits))
    tiny_table.attrs["fingerprint"] = digits[::-1].replace("e", "4") if "e" not in digits else digits
    obtain()
    collect()
    runs = records.load_results().runs
    assert runs["configuration"].tolist() == [digits]
    assert runs["fingerprint"].tolist() == [tiny_table.attrs["fingerprint"]]
    shutil.rmtree(paths.runs_folder())
    obtain(fold=2)
    assert collect() == ["tiny, small: 1 runs, and 1 collected before"]


def test_speakers_whose_names_look_like_numbers_keep_their_names(obtain, tiny_table, monkeypatch):
    """Emo-DB's and RAVDESS's are called 03 and 08, and a speaker 3 would be nobody's partner."""
    names = dict(zip(sorted(set(tiny_table["speaker"])), ["03", "08", "09", "10", "1e5", "13"], strict=True))
    tiny_table["speaker"] = tiny_table["speaker"].map(names)
    record = obtain()
    collect()
    results = records.load_results()
    assert set(results.predictions["speaker"]) == {record.run["test_speaker"]} <= set(names.values())
    assert results.runs[["test_speaker", "validation_speaker"]].to_numpy().tolist() == [["03", "08"]]
    assert set(records.load_utterances("tiny")["speaker"]) == set(names.values())


def test_kept_durations_give_the_frames_that_the_recordings_have(tiny_table):
    """A microsecond more, and some utterances would have a frame more: the paper's range is of the two at the ends."""
    samples = 1024 + 512 * np.arange(1, len(tiny_table) + 1) - 1  # a sample more is a frame more
    tiny_table["duration"] = samples / 16_000
    records.save_utterances(tiny_table)
    kept = features.frame_counts(records.load_utterances("tiny")["duration"])
    np.testing.assert_array_equal(kept, features.frame_count(samples))


def test_what_is_changed_or_new_in_the_code_after_its_commit_is_marked_and_nothing_else(commit, tmp_path):
    version = commit("ser_lib/training.py", ONE)
    (tmp_path / "README.md").write_text("words")
    assert not version.endswith("+") and records.code_version() == version
    (tmp_path / "ser_lib" / "new.py").write_text("")
    assert records.code_version() == f"{version}+"
    (tmp_path / "ser_lib" / "new.py").unlink()
    (tmp_path / "ser_lib" / "optim.py").write_text("as_ever = 2")
    assert records.code_version() == f"{version}+"


def test_the_newest_failure_of_a_run_is_the_one_that_is_collected(obtain, monkeypatch):
    obtain(fold=2)
    failed(obtain)
    collect()
    diverging(monkeypatch, epoch=5, batch=1)
    with pytest.raises(SerError):
        obtain()
    collect()
    assert records.load_results().failures["epoch"].tolist() == [5]


def test_a_run_that_was_collected_with_other_settings_does_not_hide_a_failure(obtain, named):
    obtain()
    collect()
    named["small"] = named["small"].with_settings(epochs=3)
    shutil.rmtree(paths.runs_folder())
    failed(obtain)
    assert collect() == ["tiny: 1 runs whose loss did not stay finite"]
    assert len(records.load_results().failures) == 1


def test_predicting_is_not_rounded_to_tf32_whatever_was_set(obtain, tiny_table, monkeypatch):
    backends, seen, folder = (
        (torch.backends.cuda.matmul, torch.backends.cudnn.conv, torch.backends.cudnn.rnn),
        [],
        obtain().folder,
    )

    def vote(*arguments):
        seen.append([backend.fp32_precision for backend in backends])
        return genuine(*arguments)

    genuine = training.vote
    monkeypatch.setattr(training, "vote", vote)
    records.predict(folder, [Path(tiny_table["path"][0])], "cpu")
    assert seen == [["ieee"] * 3]


def test_a_run_with_other_settings_does_not_hide_a_failure(obtain):
    obtain(fold=2)
    failed(obtain)
    obtain(epochs=1)  # the same name, fold and seed: python -m ser_lib run --set epochs=1
    assert len(records.load_runs().failures) == 1
    collect()
    assert len(records.load_results().failures) == 1


@pytest.mark.parametrize(
    ("kind", "cut"),
    [("gradients", lambda table: table[table["fold"] == 1]), ("gradients", lambda table: table[:-1]),
     ("updates", lambda table: table[:-1])],
    ids=["gradients of a run", "gradients of an epoch", "updates of an epoch"],
)  # fmt: skip
def test_a_run_without_all_its_gradients_and_updates_is_refused(obtain, kind, cut):
    for fold in (1, 2):
        obtain(fold=fold)
    collect()
    file = paths.results_folder() / "tiny" / "small" / f"{kind}.csv"
    cut(pd.read_csv(file)).to_csv(file, index=False)
    with pytest.raises(SerError, match=rf"the {kind} of run \(.*'small', 2, 0\) have not as many epochs as the run"):
        records.load_results()

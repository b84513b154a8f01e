"""Records: a finished run is never repeated, half of one never counts, and what a run needs is said before it."""

import contextlib
import json
import os
import resource
import shutil
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from made import FILES, collect, contents, diverging, failed, finished_runs, in_another_process
from ser_lib import experiments, features, origins, paths, records, training
from ser_lib.corpora import EMOTIONS
from ser_lib.errors import SerError
from ser_lib.protocols import find_fold

pytestmark = pytest.mark.usefixtures("named")


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


def test_a_run_has_the_code_that_began_it_whatever_is_committed_meanwhile(obtain, monkeypatch):
    train = training.train

    def train_and_commit(*arguments):
        monkeypatch.setattr(origins, "code_version", lambda: "committed later")
        return train(*arguments)

    monkeypatch.setattr(origins, "code_version", lambda: "0123456789ab")
    monkeypatch.setattr(training, "train", train_and_commit)
    assert obtain().provenance["code"] == "0123456789ab"


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


def test_what_is_left_of_a_record_is_said_before_the_training(obtain, monkeypatch):
    folder = obtain().folder
    (folder / "run.json").unlink()
    monkeypatch.setattr(training, "train", None)
    with pytest.raises(SerError, match=rf"{folder} holds what is no whole record.*remove it and run again"):
        obtain()


def test_a_folder_for_runs_that_cannot_be_made_is_told_before_the_training(obtain, monkeypatch, tmp_path):
    (tmp_path / "a file").write_text("")
    monkeypatch.setenv("SER_RUNS", str(tmp_path / "a file"))
    monkeypatch.setattr(training, "train", lambda *_: pytest.fail("trained, and lost"))
    with pytest.raises(SerError, match="could not be written.*set SER_RUNS"):
        obtain()


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


# A loss that does not stay finite


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
    monkeypatch.setattr(origins, "code_version", lambda: "older code")
    with monkeypatch.context() as patch:
        patch.setattr(training, "train", lambda *_: pytest.fail("trained again"))
        with pytest.raises(SerError, match=rf"^the loss is not finite in epoch 2, .* delete {folder}\)$"):
            obtain()
    obtain(seed=1)
    shutil.rmtree(folder)
    assert len(obtain().history) == 2


@pytest.mark.parametrize("code", ["newer code", "unknown", "older code+"])
def test_a_run_that_diverged_is_made_again_by_code_that_may_train_differently(obtain, monkeypatch, code):
    monkeypatch.setattr(origins, "code_version", lambda: code)
    file = failed(obtain) / "failure.json"
    if code != "newer code":  # of these versions, two of one name need not be the same
        file.write_text(json.dumps(json.loads(file.read_text()) | {"code": code}))
    with contextlib.suppress(SerError):
        obtain()
    assert len(finished_runs()) == 1


def test_a_run_that_diverged_on_another_device_is_made_on_this_one(obtain, monkeypatch):
    file = failed(obtain) / "failure.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"device": "cuda"}))
    monkeypatch.setattr(origins, "code_version", lambda: "older code")
    assert obtain().history["epoch"].tolist() == [1, 2]


# What somebody touched


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

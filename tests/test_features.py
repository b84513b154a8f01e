"""Spectrograms against another implementation, and a store that nothing can spoil: kill, second process, full disk."""

import json
import multiprocessing
import os
import resource
import signal
from pathlib import Path

import numpy as np
import pytest
import scipy.signal
import soundfile
import torch

from ser_lib import audio, features, paths
from ser_lib.errors import SerError


def noise(samples: int, level: float = 0.1) -> np.ndarray:
    return np.random.default_rng(0).normal(0, level, samples).astype(np.float32)


def reference(samples: np.ndarray, floor_db: float = -80.0) -> np.ndarray:
    """Level in dB of a full-scale sine, with numpy and scipy in float64."""
    window = scipy.signal.get_window("hann", 1024)
    frames = np.lib.stride_tricks.sliding_window_view(samples.astype(np.float64), 1024)[::512]
    amplitude = 2 * np.abs(np.fft.rfft(frames * window)) / window.sum()
    return 20 * np.log10(np.maximum(amplitude, 10 ** (floor_db / 20))).T


def store_folders() -> list:
    folder = paths.data_folder() / "features"
    return sorted(folder.iterdir()) if folder.exists() else []


def in_another_process(work) -> int:
    """Exit status of a forked child that does ``work``; minus the signal's number if one killed it."""
    child = multiprocessing.get_context("fork").Process(target=work)
    child.start()
    child.join(60)
    return child.exitcode


# Spectrograms


@pytest.mark.parametrize(
    "samples, frames", [(1024, 1), (1535, 1), (1536, 2), (0.73 * 16_000, 21), (29.13 * 16_000, 909)]
)
def test_frames_are_counted_as_the_paper_counts_its_time_steps(samples, frames):
    samples = round(samples)
    assert features.frame_count(samples) == frames
    assert features.spectrogram(noise(samples)).shape == (513, frames)


def test_bins_reach_4_and_8_khz():
    width = audio.SAMPLE_RATE / features.WINDOW
    assert {khz: (bins - 1) * width / 1000 for khz, bins in features.BINS.items()} == {4: 4, 8: 8}


@pytest.mark.parametrize("floor_db", [-80.0, -50.0])
def test_levels_are_those_of_numpy(floor_db):
    samples = noise(5000, level=0.01)
    np.testing.assert_allclose(
        features.spectrogram(samples, floor_db).numpy(), reference(samples, floor_db), rtol=0, atol=0.01
    )


def test_levels_are_not_relative_to_the_loudest_of_the_utterance():
    samples = noise(5000)
    quieter = features.spectrogram(samples / 10, -150.0)
    torch.testing.assert_close(quieter, features.spectrogram(samples, -150.0) - 20, rtol=0, atol=0.01)


@pytest.mark.parametrize("bin_", [16, 64, 300])
def test_a_full_scale_sine_is_0_db_at_its_bin(bin_):
    sine = np.sin(2 * np.pi * bin_ * 15.625 * np.arange(4096) / 16_000).astype(np.float32)
    levels = features.spectrogram(sine)
    assert (levels.argmax(dim=0) == bin_).all()
    torch.testing.assert_close(levels[bin_], torch.zeros(levels.shape[1]), rtol=0, atol=1e-3)


@pytest.mark.parametrize("floor_db", [-80.0, -50.0, -120.0])
def test_silence_is_at_the_floor(floor_db):
    levels = features.spectrogram(np.zeros(2048, dtype=np.float32), floor_db)
    torch.testing.assert_close(levels, torch.full_like(levels, floor_db), rtol=0, atol=1e-3)


# Statistics (eq. 2)


@pytest.mark.parametrize("bins", [257, 513])
@pytest.mark.parametrize("rows", [None, [0, 5, 7], [7, 5, 5, 0, 0]])
def test_statistics_are_those_of_all_pixels_of_the_utterances_each_counted_once(tiny_store, bins, rows):
    counted = range(len(tiny_store.lengths)) if rows is None else sorted(set(rows))
    pixels = np.concatenate([tiny_store.picture(row, bins).ravel() for row in counted]).astype(np.float64)
    given = None if rows is None else np.array(rows)
    assert features.statistics(tiny_store, bins, given) == pytest.approx((pixels.mean(), pixels.var()), rel=1e-9)


def test_after_eq_2_the_pixels_have_mean_0_and_variance_1(tiny_store):
    mean, variance = features.statistics(tiny_store, 513)
    pixels = features.normalise(torch.from_numpy(tiny_store.strip).double(), mean, variance)
    assert float(pixels.mean()) == pytest.approx(0, abs=1e-9)
    assert float(pixels.var(correction=0)) == pytest.approx(1, abs=1e-9)


def test_a_constant_corpus_is_normalised_to_zero():
    constant = torch.full((513, 4), -80.0)
    store = features.FeatureStore.of([constant, constant])
    mean, variance = features.statistics(store, 513)
    assert (features.normalise(constant, mean, variance) == 0).all()


# The store


def test_the_store_equals_the_spectrograms_one_by_one_bit_for_bit(tiny_table):
    store = features.open_store(tiny_table)
    assert store.strip.shape == (513, store.starts[-1]) and len(store.lengths) == len(tiny_table)
    for row, path in enumerate(tiny_table["path"]):
        expected = features.spectrogram(audio.load(path)).numpy()
        np.testing.assert_array_equal(store.picture(row), expected)
        np.testing.assert_array_equal(store.picture(row, 257), expected[:257])


def test_a_store_written_in_many_blocks_is_the_same(tiny_table, tiny_store, monkeypatch):
    monkeypatch.setattr(features, "_BLOCK_BYTES", 100_000)
    np.testing.assert_array_equal(features.open_store(tiny_table).strip, tiny_store.strip)


def test_a_store_is_made_once(tiny_table, monkeypatch):
    features.open_store(tiny_table)
    [folder] = store_folders()
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    monkeypatch.setattr(features, "spectrogram", lambda *_: pytest.fail("made again"))
    features.open_store(tiny_table)
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before


def test_a_store_is_mapped_and_what_is_done_to_it_does_not_reach_the_disk(tiny_table):
    features.open_store(tiny_table).strip[:] = 0
    assert features.open_store(tiny_table).strip.any()


def test_other_code_or_another_library_is_another_store(tiny_table, monkeypatch):
    """A store that older code made would be trained on as if it were this code's."""
    features.open_store(tiny_table)
    stores = paths.data_folder() / "features"
    monkeypatch.setattr(features, "_code", lambda: "0123456789ab")
    features.open_store(tiny_table)
    assert len(list(stores.iterdir())) == 2
    monkeypatch.setattr(features.importlib.metadata, "version", lambda name: "0.0")
    features.open_store(tiny_table)
    assert len(list(stores.iterdir())) == 3


@pytest.mark.parametrize("module", ["audio.py", "features.py"])
def test_the_code_of_a_store_is_that_of_both_modules_that_make_it(module, monkeypatch):
    before, true_bytes = features._code(), Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda file: true_bytes(file) + b" " * (file.name == module))
    assert features._code.__wrapped__() != before


def test_another_corpus_or_floor_is_another_store(tiny_table):
    features.open_store(tiny_table)
    lower = features.open_store(tiny_table, -50.0)
    assert lower.strip.min() == pytest.approx(-50, abs=1e-3)
    tiny_table.attrs["fingerprint"] = "other"
    features.open_store(tiny_table)
    assert len(store_folders()) == 3


def test_a_recording_at_48_khz_is_resampled(tmp_path, tiny_table):
    tone = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(48_001) / 48_000)
    soundfile.write(tmp_path / "tone.wav", tone, 48_000)
    table = tiny_table.iloc[:1].assign(path=str(tmp_path / "tone.wav"), duration=48_001 / 48_000)
    table.attrs = tiny_table.attrs | {"fingerprint": "one tone"}
    [frames] = features.open_store(table).lengths
    picture = features.open_store(table).picture(0)
    assert frames == features.frame_count(16_001)
    assert (picture.argmax(axis=0) == 64).all()
    assert picture[64] == pytest.approx(np.full(frames, 20 * np.log10(0.5)), abs=0.05)


# What could spoil it


def test_a_kill_in_the_middle_leaves_nothing_that_counts(tiny_table, tiny_store, monkeypatch):
    true_spectrogram, made = features.spectrogram, []

    def killing(*arguments):
        made.append(1)
        if len(made) == len(tiny_table) // 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return true_spectrogram(*arguments)

    monkeypatch.setattr(features, "_BLOCK_BYTES", 100_000)  # so that half of the strip is on disk by then
    monkeypatch.setattr(features, "spectrogram", killing)
    assert in_another_process(lambda: features.open_store(tiny_table)) == -signal.SIGKILL
    assert not list((paths.data_folder() / "features").glob("tiny-*"))
    monkeypatch.setattr(features, "spectrogram", true_spectrogram)
    np.testing.assert_array_equal(features.open_store(tiny_table).strip, tiny_store.strip)


def test_two_processes_at_once_get_the_same_store_and_leave_nothing_aside(tiny_table, tiny_store, monkeypatch):
    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(2, timeout=60)
    true_write = features._write_strip

    def together(*arguments):
        barrier.wait()  # both have seen that there is no store
        true_write(*arguments)

    def work():
        np.testing.assert_array_equal(features.open_store(tiny_table).strip, tiny_store.strip)

    monkeypatch.setattr(features, "_write_strip", together)
    children = [context.Process(target=work) for _ in range(2)]
    for child in children:
        child.start()
    for child in children:
        child.join(60)
    assert [child.exitcode for child in children] == [0, 0]
    [folder] = store_folders()
    assert sorted(path.name for path in folder.iterdir()) == ["store.json", "strip.npy"]


def test_a_disk_that_is_full_is_one_error_with_its_remedy_and_nothing_is_lost(tiny_table, tmp_path):
    features.open_store(tiny_table, -50.0)
    before = store_folders()

    def work():
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, resource.RLIM_INFINITY))  # a file cannot grow beyond this
        try:
            features.open_store(tiny_table)
        except SerError as problem:
            (tmp_path / "message").write_text(str(problem))

    assert in_another_process(work) == 0
    message = (tmp_path / "message").read_text()
    assert str(paths.data_folder() / "features") in message and "make room, or set SER_DATA" in message
    assert store_folders() == before


def test_a_folder_that_cannot_be_made_is_one_error_with_its_remedy(tiny_table, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SER_DATA", str(tmp_path / "file" / "data"))
    with pytest.raises(SerError, match=rf"{tmp_path}/file/data/.* could not be written.*set SER_DATA"):
        features.open_store(tiny_table)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write into any folder")
def test_a_read_only_folder_is_one_error_with_its_remedy(tiny_table, tmp_path, monkeypatch):
    (tmp_path / "data").mkdir(mode=0o555)
    monkeypatch.setenv("SER_DATA", str(tmp_path / "data"))
    with pytest.raises(SerError, match=rf"{tmp_path}/data/.* could not be written: Permission denied.*set SER_DATA"):
        features.open_store(tiny_table)


def test_a_recording_that_changed_since_the_corpus_was_loaded_is_named(tiny_table):
    tiny_table["duration"] = tiny_table["duration"].where(tiny_table.index != 3, 2.0)
    with pytest.raises(SerError, match=rf"{tiny_table['path'][3]} has changed"):
        features.open_store(tiny_table)
    assert store_folders() == []


def test_a_store_that_lost_part_of_itself_is_refused(tiny_table):
    features.open_store(tiny_table)
    [folder] = store_folders()
    description = json.loads((folder / "store.json").read_text())
    (folder / "store.json").write_text(json.dumps(description | {"frames": description["frames"][:-1]}))
    with pytest.raises(SerError, match=rf"{folder} does not fit its corpus: delete the folder"):
        features.open_store(tiny_table)


@pytest.mark.parametrize("less", [0, 1, 2])
def test_a_recording_whose_last_frame_ends_with_its_last_sample_has_that_frame_at_any_rate(tmp_path, tiny_table, less):
    """Resampling rounds the number of samples up: counted otherwise, one of some hundred recordings would not fit."""
    samples = 3 * (1024 + 512 * 3) - less
    soundfile.write(tmp_path / "noise.wav", noise(samples), 48_000)
    table = tiny_table.iloc[:1].assign(path=str(tmp_path / "noise.wav"), duration=samples / 48_000)
    table.attrs = tiny_table.attrs | {"fingerprint": "noise"}
    assert features.open_store(table).lengths.tolist() == [4]

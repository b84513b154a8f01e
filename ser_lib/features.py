"""Spectrograms, their statistics (eq. 2) and the store that keeps them (Section 3).

The store lays all utterances of a corpus end to end in one frequency-major strip, ``(frequency, frames)``. A lower
frequency range is then its first rows, an utterance a range of its columns, and nothing is stored twice.
"""

import hashlib
import importlib.metadata
import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

from ser_lib import audio, paths
from ser_lib.audio import WINDOW
from ser_lib.errors import SerError
from ser_lib.files import write_folder

HOP = 512
"""Samples from a window to the next: 32 ms at 16 kHz (Section 3)."""

BINS = {4: 257, 8: 513}
"""Frequency bins from 0 Hz up to each frequency range in kHz, 15.625 Hz apart (Table 1)."""

EPSILON = 1e-8
"""The constant of eq. 2, in dB²; it only guards against a constant corpus."""

_BLOCK_BYTES = 64 * 2**20


def frame_count(samples):
    """Frames of so many samples (a number or an array), uncentred and unpadded: 21 to 909 time steps (Section 3)."""
    return (samples - WINDOW) // HOP + 1


def frame_counts(durations: Sequence[float]) -> np.ndarray:
    """Frames of utterances of so many seconds at 16 kHz, int64; resampling rounds the number of samples up."""
    samples = np.ceil(np.asarray(durations, dtype=np.float64) * audio.SAMPLE_RATE - 1e-6)
    return frame_count(samples.astype(np.int64))


def spectrogram(samples: np.ndarray, floor_db: float = -80.0) -> torch.Tensor:
    """Log magnitude of the short-time Fourier transform.

    Args:
        samples: one utterance at 16 kHz, float32 in [-1, 1], shape (samples,), at least one window long.
        floor_db: the smallest level that is kept, in dB below a full-scale sine.

    Returns:
        Level in dB relative to a full-scale sine, float32, shape (513, frames).

    Source: Section 3 (64 ms windows, 32 ms shift). Window function (Hann) and logarithm are not stated there.
    """
    # torch.stft, as torchaudio's Spectrogram, which squares an absolute value: a root taken for nothing.
    transform = torch.stft(torch.from_numpy(samples), WINDOW, HOP, window=_window(), center=False, return_complex=True)
    power = transform.real.square().addcmul_(transform.imag, transform.imag)
    return power.clamp_min_(10 ** (floor_db / 10)).contiguous().log10_().mul_(10)


@cache
def _window() -> torch.Tensor:
    """A Hann window, scaled so that a full-scale sine has the power 1: half the sum of the window, squared."""
    return torch.hann_window(WINDOW) / (WINDOW / 4)


@dataclass(frozen=True)
class FeatureStore:
    """The spectrograms of one corpus, memory-mapped when they come from disk.

    Attributes:
        strip: level in dB, float32, shape (513, frames of all utterances).
        starts: the first column of each utterance and, last, the end; int64, shape (utterances + 1,).
    """

    strip: np.ndarray
    starts: np.ndarray

    @classmethod
    def of(cls, pictures: Sequence[torch.Tensor]) -> "FeatureStore":
        """A store in memory, of spectrograms of shape (513, frames) each."""
        starts = np.cumsum([0, *(picture.shape[1] for picture in pictures)])
        return cls(torch.cat(list(pictures), dim=1).numpy(), starts.astype(np.int64))

    @property
    def lengths(self) -> np.ndarray:
        """Frames of each utterance, int64, shape (utterances,)."""
        return np.diff(self.starts)

    def picture(self, row: int, bins: int = BINS[8]) -> np.ndarray:
        """The spectrogram of one utterance in dB, shape (bins, frames)."""
        return self.strip[:bins, self.starts[row] : self.starts[row + 1]]


def open_store(table: pd.DataFrame, floor_db: float = -80.0, progress: bool = False) -> FeatureStore:
    """The feature store of a corpus, made first if it is not there yet.

    A store is made aside and renamed when it is whole, so that a kill leaves none that counts, and two processes that
    make the same one do not meet: the later one throws its copy away.

    Args:
        table: utterances as :func:`ser_lib.corpora.load` returns them.
        floor_db: see :func:`spectrogram`.
        progress: whether to show a progress bar.

    Raises:
        SerError: the folder cannot be written (full, read-only), or a recording cannot be read.
    """
    identity = _store_identity(table, floor_db)
    digest = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:12]
    folder = paths.data_folder() / "features" / f"{table.attrs['corpus']}-{digest}"
    if not (folder / "store.json").exists():
        _make_store(folder, table, identity, floor_db, progress)
    starts = np.concatenate([[0], np.cumsum(json.loads((folder / "store.json").read_text())["frames"])])
    strip = np.load(folder / "strip.npy", mmap_mode="c")  # "c": torch only takes what it could write to
    if len(starts) != len(table) + 1 or strip.shape != (BINS[8], starts[-1]):
        raise SerError(f"the feature store {folder} does not fit its corpus: delete the folder and start again")
    return FeatureStore(strip, starts.astype(np.int64))


def consecutive(frames: np.ndarray, limit: int) -> list[range]:
    """Utterances of so many frames each in consecutive groups of at most ``limit`` frames (or a single utterance)."""
    bounds, width = [0], 0
    for row, count in enumerate(frames):
        if width and width + count > limit:
            bounds.append(row)
            width = 0
        width += count
    return [range(first, end) for first, end in itertools.pairwise([*bounds, len(frames)])]


def statistics(store: FeatureStore, bins: int, rows: np.ndarray | None = None) -> tuple[float, float]:
    """Mean (dB) and variance (dB²) of all spectrogram pixels, over time and frequency together.

    Args:
        store: the feature store.
        bins: how many bins count, from 0 Hz up.
        rows: the utterances that count; all of them if None.

    Source: eq. 2. The paper takes "the whole dataset"; the training rows alone are the strict variant.
    """
    columns = slice(None)
    if rows is not None:
        columns = np.zeros(store.strip.shape[1], dtype=bool)
        for row in np.unique(rows):
            columns[store.starts[row] : store.starts[row + 1]] = True
    # Bin by bin: a float64 copy of the whole strip would take twice its memory.
    sums = [(part.sum(), np.square(part).sum(), part.size) for part in _float64_bins(store.strip[:bins], columns)]
    total, square, count = np.sum(sums, axis=0)
    mean = total / count
    return float(mean), float(square / count - mean**2)


def normalise(picture: torch.Tensor, mean: float, variance: float) -> torch.Tensor:
    """Eq. 2: (x - mean) / sqrt(variance + epsilon), same shape as ``picture``."""
    return normalise_(picture.clone(), mean, variance)


def normalise_(picture: torch.Tensor, mean: float, variance: float) -> torch.Tensor:
    """As :func:`normalise`, in place."""
    return picture.sub_(mean).div_((variance + EPSILON) ** 0.5)


def _float64_bins(strip: np.ndarray, columns: slice | np.ndarray) -> Iterator[np.ndarray]:
    for row in strip:
        yield row[columns].astype(np.float64)


def _store_identity(table: pd.DataFrame, floor_db: float) -> dict:
    """Everything that the content of a store depends on."""
    return {
        "fingerprint": table.attrs["fingerprint"],
        "sample_rate": audio.SAMPLE_RATE,
        "window": WINDOW,
        "hop": HOP,
        "floor_db": float(floor_db),
        "code": _code(),
        "libraries": {name: importlib.metadata.version(name) for name in ("soundfile", "torch", "torchaudio")},
    }


@cache
def _code() -> str:
    """Digest of the modules that make a store: other code may round otherwise, and a training carries that on."""
    sources = (Path(module).read_bytes() for module in (audio.__file__, __file__))
    return hashlib.sha256(b"".join(sources)).hexdigest()[:12]


def _make_store(folder: Path, table: pd.DataFrame, identity: dict, floor_db: float, progress: bool) -> None:
    write_folder(
        folder,
        "store.json",
        lambda aside: _write_strip(aside, table, identity, floor_db, progress),
        "make room, or set SER_DATA to a folder that can be written",
    )


def _write_strip(folder: Path, table: pd.DataFrame, identity: dict, floor_db: float, progress: bool) -> None:
    """Write ``strip.npy`` block by block. Plain writes report a full disk; a memory map would kill the process."""
    paths, frames = table["path"].tolist(), frame_counts(table["duration"])
    starts = np.concatenate([[0], np.cumsum(frames)])
    shape = (BINS[8], int(starts[-1]))
    with (
        open(folder / "strip.npy", "wb") as file,
        tqdm(total=len(table), desc="spectrograms", unit="utterance", disable=not progress) as bar,
    ):
        np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": shape})
        origin = file.tell()
        for rows in consecutive(frames, _BLOCK_BYTES // (4 * BINS[8])):
            first, end = starts[rows[0]], starts[rows[-1] + 1]
            block = np.empty((BINS[8], end - first), dtype="<f4")
            for row in rows:
                picture = spectrogram(audio.load(paths[row]), floor_db)
                if picture.shape[1] != frames[row]:
                    raise SerError(f"{paths[row]} has changed since the corpus was loaded: load the corpus again")
                block[:, starts[row] - first : starts[row + 1] - first] = picture
                bar.update()
            for bin_, levels in enumerate(block):
                file.seek(origin + 4 * (bin_ * shape[1] + int(first)))
                file.write(levels.data)
    (folder / "store.json").write_text(json.dumps({**identity, "frames": frames.tolist()}))

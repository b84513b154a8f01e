"""Time from the recordings of Emo-DB to its feature store on disk, against decoding and torch.stft alone.

    python benchmarks/store.py --root /path/to/emodb

On one thread, repetitions interleaved; the ordinary ways keep the power of each recording and write nothing; librosa's
is measured where it is installed. Writes benchmarks/store.json.
"""

import importlib.util
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import report
import soundfile
import torch
import typer

from ser_lib import corpora, features


def decode(table: pd.DataFrame) -> None:
    for path in table["path"]:
        soundfile.read(path, dtype="float32")


def ordinary(table: pd.DataFrame) -> None:
    """Decoding, and the power of the short-time Fourier transform."""
    window = torch.hann_window(features.WINDOW)
    for path in table["path"]:
        samples = torch.from_numpy(soundfile.read(path, dtype="float32")[0])
        transform = torch.stft(samples, features.WINDOW, features.HOP, window=window, center=False, return_complex=True)
        _ = transform.real**2 + transform.imag**2


def with_librosa(table: pd.DataFrame) -> None:
    """Decoding, and the power as librosa gives it."""
    import librosa

    for path in table["path"]:
        samples = soundfile.read(path, dtype="float32")[0]
        _ = np.abs(librosa.stft(samples, n_fft=features.WINDOW, hop_length=features.HOP, center=False)) ** 2


def main(
    root: Annotated[Path | None, typer.Option(help="Top folder of Emo-DB; without it, $SER_CORPORA/emodb.")] = None,
    repetitions: int = 11,
) -> None:
    """Measure and write the medians."""
    torch.set_num_threads(1)
    table = corpora.load("emodb", root)
    ways = {"decoding": decode, "decoding and torch.stft": ordinary, "files to store": features.open_store}
    if importlib.util.find_spec("librosa"):
        ways["decoding and librosa.stft"] = with_librosa
    times: dict[str, list[float]] = {way: [] for way in ways}
    for repetition in range(-1, repetitions):  # one to warm up
        for way, function in ways.items():
            with tempfile.TemporaryDirectory() as scratch:
                os.environ["SER_DATA"] = scratch
                start = time.perf_counter()
                function(table)
                seconds = time.perf_counter() - start
            if repetition >= 0:
                times[way].append(seconds)
    ratios = [
        ours / other for ours, other in zip(times["files to store"], times["decoding and torch.stft"], strict=True)
    ]
    result = {
        "seconds": {way: round(statistics.median(values), 3) for way, values in times.items()},
        "ratio": round(statistics.median(ratios), 2),
        "utterances": len(table),
    }
    report.write("store", result)


if __name__ == "__main__":
    typer.run(main)

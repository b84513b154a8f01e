"""Peak memory of making a feature store at IEMOCAP's scale and of training from it; the audio is noise.

    python benchmarks/memory.py

2280 recordings of noise, 21 to 909 frames each and as many in all as IEMOCAP's of the selection; then one epoch of
`table1-best` (513 bins) on them. Writes benchmarks/memory.json. Needs 1 GB of disk and some minutes.
"""

import os
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import report
import soundfile

from ser_lib import audio, features, training
from ser_lib.corpora import EMOTIONS
from ser_lib.experiments import find_experiment
from ser_lib.protocols import find_fold
from ser_lib.study import IEMOCAP_FRAMES

UTTERANCES = 2280


def noise_lengths() -> np.ndarray:
    """Frames of each utterance: log-normal, with IEMOCAP's range and sum."""
    lengths = np.clip(np.exp(np.random.default_rng(0).normal(4.7, 0.65, UTTERANCES)), 21, 909)
    lengths = np.clip(lengths * IEMOCAP_FRAMES / lengths.sum(), 21, 909).astype(int)
    lengths[:2] = 21, 909
    return lengths


def noise_corpus(folder: Path) -> pd.DataFrame:
    """Write the recordings and return their table: ten speakers, as long as IEMOCAP's utterances."""
    generator, rows = np.random.default_rng(1), []
    for number, frames in enumerate(noise_lengths()):
        path, speaker = folder / f"{number:04d}.wav", number % 10
        samples = features.WINDOW + (frames - 1) * features.HOP
        soundfile.write(path, generator.normal(0, 0.1, samples).clip(-1, 1), audio.SAMPLE_RATE, subtype="PCM_16")
        session, gender = speaker // 2 + 1, "FM"[speaker % 2]
        emotion, duration = EMOTIONS[number // 10 % 4], samples / audio.SAMPLE_RATE
        rows.append((path.stem, str(path), f"{session}{gender}", gender, session, "improvised", emotion, duration))
    columns = ["utterance", "path", "speaker", "gender", "session", "scenario", "emotion", "duration"]
    table = pd.DataFrame(rows, columns=columns)
    table.attrs |= {"corpus": "noise", "fingerprint": "noise", "options": {}, "notes": []}
    return table


def peak_mib() -> float:
    """Peak resident memory of this process, MiB; what the memory-mapped store holds in the page cache counts."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def main() -> None:
    """Make the store, train one epoch, and write the peaks."""
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["SER_DATA"] = scratch
        table = noise_corpus(Path(scratch))
        clock = time.perf_counter()
        store = features.open_store(table, progress=True)
        seconds, peak = time.perf_counter() - clock, peak_mib()
        result = {
            "utterances": len(table),
            "frames": int(store.starts[-1]),
            "shortest": int(store.lengths.min()),
            "longest": int(store.lengths.max()),
            "store_seconds": round(seconds, 1),
            "store_peak_mib": peak,
        }
        clock = time.perf_counter()
        experiment = find_experiment("table1-best").with_settings(epochs=1)
        training.train(table, store, experiment, find_fold(table, "speakers", 1), seed=0, progress=True)
        result |= {
            "epoch_and_test_seconds": round(time.perf_counter() - clock, 1),
            "training_peak_mib": peak_mib(),
        }
    report.write("memory", result)


if __name__ == "__main__":
    main()

"""What all tests share: the synthetic corpus, written once, and the open corpora where they are at hand."""

import os
from pathlib import Path

import pytest

# Before torch is imported: small jobs want no threads, and a forked child must not wait for threads it did not inherit.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def synthetic_root(tmp_path_factory) -> Path:
    """The synthetic corpus, written once per test session; read it, never change it."""
    from ser_lib.corpora import synthetic

    return synthetic.write(tmp_path_factory.mktemp("corpora") / "synthetic")


@pytest.fixture
def in_style():
    """The style of the book's figures, for one test."""
    import matplotlib as mpl

    from ser_lib import style

    with mpl.rc_context():
        style.use()
        yield


@pytest.fixture(scope="session")
def open_corpus():
    """A function from a corpus's name to its folder below ``$SER_CORPORA``; skips the test where it is not there."""

    def find(name: str) -> Path:
        if not os.environ.get("SER_CORPORA"):
            pytest.skip("SER_CORPORA is not set: no real recordings to test with")
        root = Path(os.environ["SER_CORPORA"]) / name
        if not root.is_dir():
            pytest.skip(f"{root} is not there")
        return root

    return find


# A made-up corpus for tests of everything behind the corpora: six speakers, tones for emotions, under a second each.


TINY_COUNTS = {"neutral": 4, "sadness": 3, "anger": 2, "happiness": 2}  # of each speaker: imbalanced, as IEMOCAP
TINY_SETTINGS = {
    "filters": (3, 4),
    "kernels": ((3, 3), (3, 3)),
    "strides": ((8, 1), (4, 2)),
    "hidden_size": 4,
    "batch_size": 8,
    "epochs": 2,
}


@pytest.fixture(autouse=True)
def own_folders(tmp_path_factory, monkeypatch) -> Path:
    """Point every folder that the project writes to at a place of the test's own; nothing touches the checkout."""
    made = tmp_path_factory.mktemp("made")
    for name in ("data", "runs", "results"):
        monkeypatch.setenv(f"SER_{name.upper()}", str(made / name))
    return made


@pytest.fixture(scope="session")
def tiny_corpus(tmp_path_factory):
    """Table of the made-up corpus, its recordings on disk; take ``tiny_table`` unless a fixture must share it."""
    import numpy
    import pandas
    import soundfile

    random = numpy.random.default_rng(2018)
    folder = tmp_path_factory.mktemp("tiny")
    rows = []
    for session in (1, 2, 3):
        for gender in "FM":
            for tone, (emotion, count) in enumerate(TINY_COUNTS.items(), start=1):
                for take in range(count):
                    samples = int(random.integers(1024, 9000))
                    pitch = 500 * tone * (1.1 if gender == "F" else 0.95) * random.uniform(0.97, 1.03)
                    wave = 0.3 * numpy.sin(2 * numpy.pi * pitch * numpy.arange(samples) / 16_000)
                    wave += random.normal(0, 0.003, samples)
                    name = f"{session}{gender}_{emotion}_{take}"
                    soundfile.write(folder / f"{name}.wav", wave, 16_000, subtype="PCM_16")
                    rows.append((name, str(folder / f"{name}.wav"), f"{session}{gender}", gender, session, "acted",
                                 emotion, samples / 16_000))  # fmt: skip
    columns = ["utterance", "path", "speaker", "gender", "session", "scenario", "emotion", "duration"]
    table = pandas.DataFrame(rows, columns=columns).sort_values("utterance", ignore_index=True)
    table.attrs = {"corpus": "tiny", "fingerprint": "0123456789ab", "options": {}, "notes": []}
    return table


@pytest.fixture
def tiny_table(tiny_corpus):
    """A copy of the made-up corpus's table, to change at will."""
    return tiny_corpus.copy()


@pytest.fixture(scope="session")
def tiny_store(tiny_corpus):
    """Spectrograms of the made-up corpus, in memory."""
    from ser_lib import audio, features

    return features.FeatureStore.of([features.spectrogram(audio.load(path)) for path in tiny_corpus["path"]])


@pytest.fixture(scope="session")
def tiny_experiment():
    """A network that trains on the made-up corpus in a fraction of a second."""
    from ser_lib.experiments import Experiment

    return Experiment(**TINY_SETTINGS)


# Runs of the made-up corpus


@pytest.fixture
def named(monkeypatch, tiny_experiment):
    """Two small experiments with names, instead of the paper's."""
    from ser_lib import collection

    known = {"small": tiny_experiment, "small-vote": tiny_experiment.with_settings(test_copies=11, vtlp="utterance")}
    monkeypatch.setattr(collection, "EXPERIMENTS", known)
    return known


@pytest.fixture
def obtain(tiny_table, named, monkeypatch):
    """A function that gives the record of a run on the made-up corpus, by code of one commit."""
    from ser_lib import origins, records

    monkeypatch.setattr(origins, "code_version", lambda: "c0mm1ttedc0de")

    def run(name: str = "small", fold: int = 1, seed: int = 0, **settings):
        chosen = named[name].with_settings(**settings)
        return records.obtain(tiny_table, records.run_key(tiny_table, name, chosen, fold, seed), "cpu")

    return run

"""How alike gradients are: the measure itself, what it draws from, and where it is kept."""

import threading
import time

import numpy as np
import pandas as pd
import pytest
import torch

from ser_lib import collection, experiments, origins, records, variety
from ser_lib.corpora import EMOTIONS
from ser_lib.errors import SerError
from ser_lib.features import BINS, open_store, statistics
from ser_lib.folds import oversample, speaker_folds
from ser_lib.protocols import find_fold
from ser_lib.training import DeviceData, build_model


@pytest.fixture(autouse=True)
def committed(monkeypatch):
    monkeypatch.setattr(origins, "code_version", lambda: "aaaaaaaaaaaa")


@pytest.fixture
def case(tiny_table, tiny_store, tiny_experiment):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = build_model(tiny_experiment)
    data = DeviceData(tiny_store, BINS[4], *statistics(tiny_store, BINS[4]), torch.device("cpu"))
    labels = torch.tensor([EMOTIONS.index(emotion) for emotion in tiny_table["emotion"]])
    return model, data, labels, speaker_folds(tiny_table)[0].train


def test_no_utterance_is_in_both_batches_of_a_pair_however_often_it_is_shown_and_the_weights_stay(case, monkeypatch):
    model, data, labels, rows = case
    before = [parameter.clone() for parameter in model.parameters()]
    drawn, genuine = [], variety._gradient
    monkeypatch.setattr(variety, "_gradient", lambda *args: drawn.append(args[3]) or genuine(*args))
    variety.mean_cosine(model, data, labels, np.repeat(rows, 2), 8, 5, np.random.default_rng(0))
    assert len(drawn) == 10 and all(len(batch) == 8 for batch in drawn)
    assert not any(set(one) & set(other) for one, other in zip(drawn[::2], drawn[1::2], strict=True))
    assert any(len(set(batch)) < 8 for batch in drawn)  # within a batch one may be shown twice, as in training
    assert all(torch.equal(*pair) for pair in zip(before, model.parameters(), strict=True))


def test_a_cosine_is_that_of_the_two_gradients_written_out(case):
    model, data, labels, rows = case
    first, second = np.random.default_rng(3).permutation(rows)[:8].reshape(2, 4)
    vectors = []
    for batch in (first, second):
        model.zero_grad()
        logits = model.score(*data.batch(batch, model.layout))
        torch.nn.functional.cross_entropy(logits, labels[batch]).backward()
        vectors.append(torch.cat([parameter.grad.flatten() for parameter in model.parameters()]).double())
    expected = float(vectors[0] @ vectors[1] / vectors[0].norm() / vectors[1].norm())
    found = variety.mean_cosine(model, data, labels, rows, 4, 1, np.random.default_rng(3))
    assert found == pytest.approx(expected, abs=1e-5)


def test_two_batches_must_fit(case):
    model, data, labels, rows = case
    with pytest.raises(SerError, match=f"two batches of 64 do not fit into {len(rows)}"):
        variety.mean_cosine(model, data, labels, rows, 64, 1, np.random.default_rng(0))


def test_every_finished_fold_is_measured_on_its_own_training_speakers(tiny_table, tiny_experiment, monkeypatch):
    monkeypatch.setitem(collection.EXPERIMENTS, "table1-baseline", tiny_experiment)
    monkeypatch.setattr(variety, "BATCH_SIZES", (4, 8))
    for fold in (1, 2):
        records.obtain(tiny_table, records.run_key(tiny_table, "table1-baseline", tiny_experiment, fold, 0), "cpu")
    drawn = []
    genuine = variety.mean_cosine
    monkeypatch.setattr(variety, "mean_cosine", lambda *args: drawn.append(args[3]) or genuine(*args))
    measured = variety.measure(tiny_table)
    assert measured[["fold", "batch_size"]].to_numpy().tolist() == [[1, 4], [1, 8], [2, 4], [2, 8]]
    assert measured["cosine"].between(-1, 1).all()
    for rows, fold in zip(drawn[::2], speaker_folds(tiny_table)[:2], strict=True):
        assert sorted(rows) == sorted(fold.train)
    assert variety.load().empty
    variety.save(measured)
    assert variety.load()["cosine"].tolist() == pytest.approx(measured["cosine"].tolist(), rel=1e-5)


def test_without_runs_it_says_what_to_do(tiny_table):
    with pytest.raises(SerError, match="no fold of table1-baseline with seed 0 has been run on tiny: run it first"):
        variety.measure(tiny_table)


# What is kept


def measured(experiment: str = "table1-baseline", fold: int = 1, cosine: float = 0.5, **changes) -> pd.DataFrame:
    """What is measured of one run, with batches of three sizes."""
    row = {
        "corpus": "tiny", "experiment": experiment, "fold": fold, "seed": 0, "pairs": 16, "cosine": cosine,
        "configuration": experiments.find_experiment(experiment).digest, "fingerprint": "012345678901",
        "code": "1234567e8901", "hardware": "a processor",
    }  # fmt: skip
    return pd.DataFrame([row | {"batch_size": size} | changes for size in (16, 32, 64)])[variety.COLUMNS]


def test_what_is_measured_again_replaces_its_own_rows_and_leaves_those_of_other_runs():
    for part in (measured(), measured(fold=2), measured("table1-best"), measured(fold=2, seed=1)):
        variety.save(part)
    variety.save(measured(corpus="other"))
    file = variety.save(measured(fold=2, cosine=0.25))
    kept = variety.load()
    kept = kept[kept["corpus"] == "tiny"]
    means = kept.groupby(["experiment", "fold", "seed"])["cosine"].agg(["mean", "size"])
    assert means.reset_index().to_numpy().tolist() == [
        ["table1-baseline", 1, 0, 0.5, 3], ["table1-baseline", 2, 0, 0.25, 3], ["table1-baseline", 2, 1, 0.5, 3],
        ["table1-best", 1, 0, 0.5, 3],
    ]  # fmt: skip
    assert set(kept["code"]) == {"1234567e8901"} and set(kept["fingerprint"]) == {"012345678901"}
    assert len(pd.read_csv(file)) == 12


def test_versions_of_a_corpus_are_not_mixed():
    file = variety.save(measured())
    with pytest.raises(SerError, match=rf"{file} is of another version of the corpus: remove it, and measure again"):
        variety.save(measured(fold=2, fingerprint="ba9876543210"))
    assert len(variety.load()) == 3


def test_rows_of_settings_that_have_changed_since_do_not_count():
    variety.save(pd.concat([measured(), measured(fold=2, configuration="000000000000")]))
    variety.save(measured("table1-best", configuration="7d349910bedc"))
    assert variety.load()[["experiment", "fold"]].drop_duplicates().to_numpy().tolist() == [["table1-baseline", 1]]


@pytest.mark.parametrize("code", ["unknown", "aaaaaaaaaaaa+"])
def test_code_that_nobody_can_find_again_is_not_kept(code):
    with pytest.raises(SerError, match="commit it first"):
        variety.save(pd.concat([measured(), measured(fold=2, code=code)]))
    assert variety.load().empty


@pytest.mark.parametrize("content", [b"", b"corpus,experiment\n", b"corpus\n\xff\n"], ids=["empty", "columns", "bytes"])
def test_a_damaged_table_is_named_with_what_to_do(content):
    file = variety.save(measured())
    file.write_bytes(content)
    with pytest.raises(SerError, match=rf"^{file} .*: remove it, .*python -m ser_lib variety .*--corpus tiny"):
        variety.load()


def test_only_runs_of_the_seed_and_of_the_version_of_the_corpus_that_are_asked_for_are_measured(
    tiny_table, tiny_experiment, monkeypatch
):
    monkeypatch.setitem(collection.EXPERIMENTS, "table1-baseline", tiny_experiment)
    monkeypatch.setattr(variety, "BATCH_SIZES", (4,))
    other = tiny_table.copy()
    other.attrs = tiny_table.attrs | {"fingerprint": "ba9876543210"}
    for table, fold, seed in ((tiny_table, 1, 0), (tiny_table, 2, 1), (other, 3, 0)):
        records.obtain(table, records.run_key(table, "table1-baseline", tiny_experiment, fold, seed), "cpu")
    assert variety.measure(tiny_table)[["fold", "seed"]].to_numpy().tolist() == [[1, 0]]
    assert variety.measure(tiny_table, seed=1)[["fold", "seed"]].to_numpy().tolist() == [[2, 1]]


def test_batches_are_drawn_and_normalised_as_in_the_training_that_is_measured(tiny_table, tiny_experiment, monkeypatch):
    """On the folds of its own protocol, with its oversampling, its floor and its statistics."""
    experiment = tiny_experiment.with_settings(
        protocol="utterances", oversampling=2, floor_db=-50.0, normalisation="training"
    )
    monkeypatch.setitem(collection.EXPERIMENTS, "table1-baseline", experiment)
    monkeypatch.setattr(variety, "BATCH_SIZES", (4,))
    record = records.obtain(tiny_table, records.run_key(tiny_table, "table1-baseline", experiment, 2, 0), "cpu")
    seen = []
    monkeypatch.setattr(variety, "mean_cosine", lambda *given: seen.append(given) or 0.5)
    variety.measure(tiny_table)
    [(_, data, _, rows, *_)] = seen
    fold = find_fold(tiny_table, "utterances", 2)
    assert sorted(rows) == sorted(oversample(fold.train, tiny_table["emotion"].to_numpy(), 2))
    assert (data.mean, data.variance) == (record.run["mean_db"], record.run["variance_db2"])
    assert (data.mean, data.variance) == statistics(open_store(tiny_table, -50.0), BINS[4], fold.train)
    assert float(data.strip.min()) == pytest.approx(-50, abs=1e-3)


def test_what_two_processes_keep_at_once_is_both_kept(monkeypatch):
    """Each reads what is there and writes it anew: without waiting for each other, the slower would undo the faster."""
    variety.save(measured())
    load = variety.load

    def slowly(folder=None):
        rows = load(folder)
        time.sleep(0.2)
        return rows

    monkeypatch.setattr(variety, "load", slowly)
    savers = [threading.Thread(target=variety.save, args=(measured(fold=fold),)) for fold in (2, 3)]
    for saver in savers:
        saver.start()
    for saver in savers:
        saver.join()
    assert sorted(set(load()["fold"])) == [1, 2, 3]

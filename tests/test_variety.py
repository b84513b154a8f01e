"""How alike gradients are: the measure itself, what it draws from, and where it is kept."""

import numpy as np
import pytest
import torch

from ser_lib import records, variety
from ser_lib.corpora import EMOTIONS
from ser_lib.errors import SerError
from ser_lib.features import BINS, statistics
from ser_lib.folds import speaker_folds
from ser_lib.training import DeviceData, build_model


@pytest.fixture
def case(tiny_table, tiny_store, tiny_experiment):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = build_model(tiny_experiment)
    data = DeviceData(tiny_store, BINS[4], *statistics(tiny_store, BINS[4]), torch.device("cpu"))
    labels = torch.tensor([EMOTIONS.index(emotion) for emotion in tiny_table["emotion"]])
    return model, data, labels, speaker_folds(tiny_table)[0].train


def test_the_same_utterances_point_the_same_way_and_the_weights_stay(case):
    model, data, labels, rows = case
    before = [parameter.clone() for parameter in model.parameters()]
    twice = np.repeat(rows[:1], 8)
    assert variety.mean_cosine(model, data, labels, twice, 4, 2, np.random.default_rng(0)) == pytest.approx(1)
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
    monkeypatch.setitem(records.EXPERIMENTS, "table1-baseline", tiny_experiment)
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

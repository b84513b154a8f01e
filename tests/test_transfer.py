"""Transfer: whose networks score whose utterances, with whose statistics, and that counts alone are kept."""

import threading
import time

import numpy as np
import pandas as pd
import pytest
import torch

from ser_lib import experiments, features, origins, records, transfer
from ser_lib.corpora import EMOTIONS
from ser_lib.errors import SerError
from ser_lib.training import DeviceData


@pytest.fixture(autouse=True)
def committed(monkeypatch):
    monkeypatch.setattr(origins, "code_version", lambda: "aaaaaaaaaaaa")


@pytest.fixture
def target(tiny_table) -> pd.DataFrame:
    """Another corpus: two thirds of the made-up one, under another name."""
    table = tiny_table[tiny_table["session"] > 1].reset_index(drop=True)
    table.attrs = {**tiny_table.attrs, "corpus": "other", "fingerprint": "ba9876543210"}
    return table


@pytest.fixture
def small(monkeypatch, tiny_experiment):
    """Lets ``table1-baseline`` be an experiment of seconds; a function that makes others of it."""

    def use(**settings) -> experiments.Experiment:
        experiment = tiny_experiment.with_settings(**settings)
        monkeypatch.setitem(experiments.EXPERIMENTS, "table1-baseline", experiment)
        return experiment

    use()
    return use


def run(table: pd.DataFrame, fold: int, seed: int = 0) -> records.Record:
    experiment = experiments.find_experiment("table1-baseline")
    return records.obtain(table, records.run_key(table, "table1-baseline", experiment, fold, seed), "cpu")


def open_store(table: pd.DataFrame) -> features.FeatureStore:
    return features.open_store(table, experiments.find_experiment("table1-baseline").floor_db)


def louder(store: features.FeatureStore) -> features.FeatureStore:
    """The same spectrograms 25 dB higher, and far higher above 4 kHz: with the statistics of the wrong corpus, or of
    the wrong bins, a network reads something else."""
    strip = np.asarray(store.strip) + np.float32(25)
    strip[features.BINS[4] :] += 60
    return features.FeatureStore(strip, store.starts)


def by_hand(record, table: pd.DataFrame, store, mean: float, variance: float, copies=(None,)) -> pd.Series:
    """Counts of speaker, truth and prediction, written out utterance by utterance."""
    model = record.model()
    bins = features.BINS[record.settings.frequency_range]
    data, rows = DeviceData(store, bins, mean, variance, torch.device("cpu")), []
    for row in range(len(table)):
        probabilities, votes = np.zeros(4), np.zeros(4)
        for alpha in copies:
            alphas = None if alpha is None else torch.tensor([alpha], dtype=torch.float64)
            with torch.inference_mode():
                logits = model.score(*data.batch(np.array([row]), model.layout, alphas))[0]
            share = logits.double().softmax(dim=0).numpy()
            probabilities += share
            votes[share.argmax()] += 1
        winner = EMOTIONS[np.where(votes == votes.max(), probabilities, -1).argmax()]
        rows.append((table["speaker"][row], table["emotion"][row], winner))
    return pd.DataFrame(rows, columns=["speaker", "truth", "prediction"]).value_counts().sort_index()


def counted(counts: pd.DataFrame, **where) -> pd.Series:
    part = counts[np.logical_and.reduce([counts[name] == value for name, value in where.items()])]
    return part.set_index(["speaker", "truth", "prediction"])["count"].sort_index()


@pytest.mark.parametrize("copies", [1, 11])
def test_each_statistic_is_the_one_that_it_is_said_to_be_and_votes_are_taken_as_the_experiment_does(
    tiny_table, target, small, copies
):
    small(test_copies=copies, frequency_range=8 if copies == 11 else 4, epochs=15, learning_rate=0.05)
    record, store = run(tiny_table, 1), louder(open_store(target))
    counts = transfer.confusions(record, target, store)
    bins = features.BINS[record.settings.frequency_range]
    alphas = (None,) if copies == 1 else np.linspace(0.9, 1.1, 11)
    source = (record.run["mean_db"], record.run["variance_db2"])
    own = features.statistics(store, bins)
    counted_alike = by_hand(record, target, store, *source, alphas).equals(by_hand(record, target, store, *own, alphas))
    assert not counted_alike  # or a mix-up of the two would not show
    for normalisation, statistics in (("source", source), ("target", own)):
        expected = by_hand(record, target, store, *statistics, alphas)
        pd.testing.assert_series_equal(counted(counts, normalisation=normalisation), expected, check_names=False)


def test_without_eq_2_in_training_there_is_none_in_the_test(tiny_table, target, small):
    small(normalisation="none", learning_rate=1e-4)
    record, store = run(tiny_table, 1), louder(open_store(target))
    counts = transfer.confusions(record, target, store)
    for normalisation in transfer.NORMALISATIONS:
        expected = by_hand(record, target, store, 0.0, 1.0)
        pd.testing.assert_series_equal(counted(counts, normalisation=normalisation), expected, check_names=False)


def test_every_run_of_every_fold_and_seed_scores_every_utterance_of_the_target(tiny_table, target, small):
    made = [run(tiny_table, fold, seed) for fold, seed in ((1, 0), (2, 0), (1, 3))]
    counts = transfer.measure("tiny", target, device="cpu")
    assert list(counts) == transfer.COLUMNS
    runs = counts.groupby(["fold", "seed", "normalisation"])["count"].sum()
    assert runs.index.tolist() == [(f, s, n) for f, s in ((1, 0), (1, 3), (2, 0)) for n in ("source", "target")]
    assert set(runs) == {len(target)}
    by_truth = counts.groupby(["fold", "seed", "normalisation", "speaker", "truth"])["count"].sum()
    expected = target.groupby(["speaker", "emotion"]).size()
    for _, part in by_truth.groupby(level=[0, 1, 2]):
        assert part.droplevel([0, 1, 2]).to_dict() == expected.to_dict()
    for record in made:
        own = counts[(counts["fold"] == record.run["fold"]) & (counts["seed"] == record.run["seed"])]
        found = transfer.confusions(record, target, open_store(target))
        assert own["count"].tolist() == found["count"].tolist()
    assert not counts.duplicated(transfer.CELL).any()
    one = counts.iloc[0]
    assert (one.source, one.target, one.experiment) == ("tiny", "other", "table1-baseline")
    assert (one.source_fingerprint, one.target_fingerprint) == ("0123456789ab", "ba9876543210")
    assert one.configuration == experiments.find_experiment("table1-baseline").digest


def test_what_is_kept_is_read_back_and_holds_neither_utterances_nor_accuracies(tiny_table, target, small):
    run(tiny_table, 1)
    assert transfer.load().empty and list(transfer.load()) == transfer.COLUMNS
    counts = transfer.measure("tiny", target, device="cpu")
    file = transfer.save(counts)
    assert file.parts[-2:] == ("other", "transfer.csv")
    read = transfer.load().sort_values(transfer.CELL, ignore_index=True)
    expected = counts.sort_values(transfer.CELL, ignore_index=True)
    pd.testing.assert_frame_equal(read, expected, check_dtype=False)
    assert not any(utterance in file.read_text() for utterance in target["utterance"])


def test_networks_of_other_seeds_are_counted_where_they_are_and_join_those_that_were(tiny_table, target, small):
    run(tiny_table, 1)
    counts = transfer.measure("tiny", target, device="cpu")
    for seed in (0, 1, 2, 1):
        transfer.save(counts.assign(seed=seed))
    assert len(transfer.load()) == 3 * len(counts)
    later = counts.assign(seed=3, source_fingerprint="cccccccccccc")  # the networks of two versions are never one mean
    transfer.save(later)
    assert set(transfer.load()["seed"]) == {3}


def test_a_run_replaces_its_own_counts_and_leaves_those_of_others(tiny_table, target, small):
    run(tiny_table, 1)
    counts = transfer.measure("tiny", target, device="cpu")
    best = {"experiment": "table1-best", "configuration": experiments.find_experiment("table1-best").digest}
    for changes in ({"source": "third"}, best, {"target": "elsewhere"}, {}):
        transfer.save(counts.assign(**changes))
    again = counts.assign(count=7)
    transfer.save(again)
    kept = transfer.load()
    assert len(kept) == 4 * len(counts)
    own = (kept["source"] == "tiny") & (kept["experiment"] == "table1-baseline") & (kept["target"] == "other")
    assert set(kept.loc[own, "count"]) == {7} and own.sum() == len(counts)
    assert kept.loc[~own, "count"].sum() == 3 * counts["count"].sum()


def test_counts_on_two_versions_of_the_target_are_not_kept_in_one_table(tiny_table, target, small):
    run(tiny_table, 1)
    counts = transfer.measure("tiny", target, device="cpu")
    file = transfer.save(counts.assign(source="third"))
    kept = file.read_bytes()
    with pytest.raises(SerError, match=r"networks of third .* \(ba9876543210; this is aaaaaaaaaaaa\)"):
        transfer.save(counts.assign(target_fingerprint="aaaaaaaaaaaa"))
    assert file.read_bytes() == kept
    transfer.save(counts.assign(source="third", target_fingerprint="aaaaaaaaaaaa"))
    assert set(transfer.load()["target_fingerprint"]) == {"aaaaaaaaaaaa"}


def test_counts_of_settings_that_have_changed_since_do_not_count(tiny_table, target, small):
    run(tiny_table, 1)
    transfer.save(transfer.measure("tiny", target, device="cpu"))
    assert len(transfer.load())
    small(learning_rate=0.05)
    assert transfer.load().empty and list(transfer.load()) == transfer.COLUMNS


@pytest.mark.parametrize("code", ["unknown", "aaaaaaaaaaaa+"])
def test_code_that_nobody_can_find_again_is_not_kept(tiny_table, target, small, code):
    run(tiny_table, 1)
    counts = transfer.measure("tiny", target, device="cpu")
    with pytest.raises(SerError, match="commit it first"):
        transfer.save(counts.assign(code=code))
    assert transfer.load().empty


@pytest.mark.parametrize("content", ["", "source,experiment\n"], ids=["empty", "columns"])
def test_a_damaged_table_is_named_with_what_to_do(tiny_table, target, small, content):
    run(tiny_table, 1)
    file = transfer.save(transfer.measure("tiny", target, device="cpu"))
    file.write_text(content)
    with pytest.raises(SerError, match=rf"^{file} .*: remove it, .*python -m ser_lib transfer .*--corpus other"):
        transfer.load()


def test_no_score_is_rounded_to_tf32_whatever_was_set(tiny_table, target, small, monkeypatch):
    """By itself, PyTorch lets a GPU's convolutions and recurrence round: scores would depend on the device."""
    backends, seen = (torch.backends.cuda.matmul, torch.backends.cudnn.conv, torch.backends.cudnn.rnn), []

    def vote(*arguments):
        seen.append([backend.fp32_precision for backend in backends])
        return genuine(*arguments)

    genuine = transfer.vote
    monkeypatch.setattr(transfer, "vote", vote)
    transfer.confusions(run(tiny_table, 1), target, open_store(target))
    assert seen == [["ieee"] * 3] * 2


def test_a_corpus_is_not_tested_on_itself(tiny_table, small):
    run(tiny_table, 1)
    with pytest.raises(SerError, match="tiny is source and target"):
        transfer.measure("tiny", tiny_table)


def test_without_runs_it_says_what_to_do(target, small):
    with pytest.raises(SerError, match="no run of table1-baseline on tiny is finished on this machine: run it first"):
        transfer.measure("tiny", target)


def test_runs_of_two_versions_of_the_source_are_refused(tiny_table, target, small):
    run(tiny_table, 1)
    tiny_table.attrs["fingerprint"] = "fedcba987654"
    run(tiny_table, 2)
    with pytest.raises(SerError, match="different versions of tiny .0123456789ab, fedcba987654.*move those"):
        transfer.measure("tiny", target)


def test_the_test_speaker_of_a_run_is_recognised_as_in_the_run_itself(tiny_table, small):
    """The one case in which the answer is known: the run's own test utterances, with the run's own statistics."""
    small(epochs=15, learning_rate=0.05)
    record = run(tiny_table, 3)
    own = counted(transfer.confusions(record, tiny_table, open_store(tiny_table)), normalisation="source")
    expected = record.predictions[["speaker", "truth", "prediction"]].value_counts().sort_index()
    assert own.loc[["2F"]].to_dict() == expected.to_dict()
    assert record.predictions["prediction"].nunique() > 1


def test_what_two_processes_keep_at_once_is_both_kept(tiny_table, target, small, monkeypatch):
    """Each reads what is there and writes it anew: without waiting for each other, the slower would undo the faster."""
    run(tiny_table, 1)
    counts, load = transfer.measure("tiny", target, device="cpu"), transfer.load

    def slowly(folder=None):
        rows = load(folder)
        time.sleep(0.2)
        return rows

    monkeypatch.setattr(transfer, "load", slowly)
    savers = [threading.Thread(target=transfer.save, args=(counts.assign(source=source),)) for source in ("one", "two")]
    for saver in savers:
        saver.start()
    for saver in savers:
        saver.join()
    assert set(load()["source"]) == {"one", "two"}


def test_the_target_is_read_with_the_floor_of_the_experiment(tiny_table, target, small, monkeypatch):
    small(floor_db=-50.0)
    run(tiny_table, 1)
    stores, genuine = [], transfer.confusions
    monkeypatch.setattr(
        transfer,
        "confusions",
        lambda record, table, store, device: stores.append(store) or genuine(record, table, store, device),
    )
    transfer.measure("tiny", target, device="cpu")
    assert [float(store.strip.min()) for store in stores] == [pytest.approx(-50, abs=1e-3)]

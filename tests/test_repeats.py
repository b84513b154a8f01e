"""A collected run that is made again: the same is the same in every digit, and a difference anywhere is told."""

import dataclasses
import json
import shutil
import threading
import time

import pandas as pd
import pytest
import typer.testing

from ser_lib import collection, origins, paths, provenance, records, repeats, scoring
from ser_lib.errors import SerError
from tidy import scored, shuffled


@pytest.fixture(autouse=True)
def named(monkeypatch, tiny_experiment):
    monkeypatch.setattr(collection, "EXPERIMENTS", {"small": tiny_experiment, "other": tiny_experiment})
    monkeypatch.setattr(origins, "code_version", lambda: "aaaaaaaaaaaa")


@pytest.fixture
def key(tiny_table, tiny_experiment):
    return records.run_key(tiny_table, "small", tiny_experiment, 1, 0)


@pytest.fixture
def results(tiny_table, key):
    """What was collected of a run."""
    records.obtain(tiny_table, key, "cpu")
    collection.collect(say=lambda text: None)
    return collection.load_results()


def test_the_same_code_on_the_same_machine_gives_the_same_digits(tiny_table, key, results):
    row = repeats.repeat(tiny_table, key, results, "cpu")
    assert list(row) == collection.REPEAT_COLUMNS
    assert row["same"] and row["other_predictions"] == 0 and row["largest_difference"] == 0
    assert row["utterances"] == 11 and row["best_epoch"] == row["best_epoch_before"]
    assert row["code"] == row["code_before"] == "aaaaaaaaaaaa"
    run = scoring.scores(results.predictions).iloc[0]
    assert (
        [row["wa"], row["ua"]]
        == [row["wa_before"], row["ua_before"]]
        == pytest.approx([run["wa"], run["ua"]], abs=1e-6)
    )
    assert repeats.describe(row).endswith("gives what aaaaaaaaaaaa gave, to the last digit that was kept")


@pytest.mark.parametrize(
    "kind, column", [("histories", "training_loss"), ("histories", "validation_ua"), ("predictions", "p_anger")]
)
def test_a_difference_anywhere_is_not_the_same(tiny_table, key, results, kind, column):
    changed = getattr(results, kind).copy()
    changed.loc[1, column] += 1e-4
    row = repeats.repeat(tiny_table, key, dataclasses.replace(results, **{kind: changed}), "cpu")
    assert not row["same"]
    assert row["largest_difference"] == pytest.approx(1e-4 if kind == "predictions" else 0, abs=1e-6)


def test_predictions_that_are_others_are_counted(tiny_table, key, results):
    """Here what was collected had every prediction right, and what is made again has not."""
    changed = results.predictions.assign(prediction=results.predictions["truth"])
    wrong = int((results.predictions["prediction"] != results.predictions["truth"]).sum())
    row = repeats.repeat(tiny_table, key, dataclasses.replace(results, predictions=changed), "cpu")
    assert not row["same"] and row["other_predictions"] == wrong > 0
    assert f"{wrong} of 11 predictions are others" in repeats.describe(row)
    assert row["wa_before"] == row["ua_before"] == 1 and row["wa"] == pytest.approx(1 - wrong / 11, abs=1e-6)


def test_what_was_not_collected_or_of_something_else_cannot_be_compared(tiny_table, key, results, tiny_experiment):
    with pytest.raises(SerError, match="fold 2, seed 0 was not collected"):
        repeats.repeat(tiny_table, dataclasses.replace(key, fold=2), results, "cpu")
    for change, what in (
        ({"settings": tiny_experiment.with_settings(epochs=1)}, "configuration"),
        ({"fingerprint": "ba9876543210"}, "fingerprint"),
    ):
        with pytest.raises(SerError, match=f"collected with {what} .* collect it again"):
            repeats.repeat(tiny_table, dataclasses.replace(key, **change), results, "cpu")


ROW = {
    "corpus": "tiny", "experiment": "small", "fold": 1, "seed": 0, "code_before": "012345678901",
    "hardware_before": "a processor", "device_before": "cpu", "torch_before": "2.13.0", "code": "1234567e8901",
    "hardware": "a processor", "device": "cpu", "torch": "2.13.0", "seconds": 1.0, "same": True, "best_epoch_before": 3,
    "best_epoch": 3, "utterances": 11, "other_predictions": 0, "largest_difference": 0.0,
    "wa_before": 0.5, "wa": 0.5, "ua_before": 0.4, "ua": 0.4,
}  # fmt: skip


def test_what_is_kept_comes_back_and_the_newest_of_its_kind_stays():
    assert collection.load_repeats().empty
    repeats.save(ROW)
    repeats.save(ROW | {"device": "cuda", "same": False})
    repeats.save(ROW | {"same": False, "other_predictions": 2})
    kept = collection.load_repeats()
    assert kept[["device", "same", "other_predictions"]].values.tolist() == [["cuda", False, 0], ["cpu", False, 2]]
    assert kept[["code_before", "code"]].values.tolist() == [["012345678901", "1234567e8901"]] * 2
    assert kept["same"].dtype == bool


def test_what_two_processes_keep_at_once_is_both_kept(monkeypatch):
    """Each reads what is there and writes it anew: without waiting for each other, the slower would undo the faster."""
    repeats.save(ROW)
    read = collection.read_repeats

    def slowly(file):
        rows = read(file)
        time.sleep(0.2)
        return rows

    monkeypatch.setattr(collection, "read_repeats", slowly)
    savers = [threading.Thread(target=repeats.save, args=(ROW | {"fold": fold},)) for fold in (2, 3)]
    for saver in savers:
        saver.start()
    for saver in savers:
        saver.join()
    assert sorted(collection.load_repeats()["fold"]) == [1, 2, 3]


def test_accuracies_that_older_repetitions_lack_are_not_known(own_folders):
    repeats.save(ROW)
    file = own_folders / "results" / "tiny" / "repeats.csv"
    pd.read_csv(file, dtype=str).drop(columns=["wa_before", "wa", "ua_before", "ua"]).to_csv(file, index=False)
    repeats.save(ROW | {"device": "cuda"})
    assert collection.load_repeats()["ua"].fillna(-1).tolist() == [-1, 0.4]


def test_what_is_shown_of_a_repetition_says_what_differs():
    rows = pd.DataFrame(
        [ROW, ROW | {"same": False, "best_epoch": 7, "other_predictions": 2, "largest_difference": 0.3}]
    )
    shown = provenance.repeats_shown(rows.assign(corpus="emodb"))
    columns = ["Same digits", "Best epoch", "Other predictions", "Largest difference of a probability"]
    assert shown[columns].values.tolist() == [["yes", 3, "0 of 11", "0"], ["no", "3, then 7", "2 of 11", "0.3"]]
    assert shown["Made again by"].tolist() == ["1234567e8901, a processor, cpu, torch 2.13.0"] * 2
    assert provenance.repeats_shown(collection.load_repeats()).iloc[0, 0] == "not run yet"


def test_agreement_is_of_other_hardware_alone_and_counts_a_fold_once():
    """Two seeds of a fold are no two folds; runs on the same hardware, and rows without accuracies, say nothing."""
    gpu = ROW | {"corpus": "emodb", "hardware": "a card", "other_predictions": 2, "ua_before": 0.4}
    rows = [gpu | {"fold": fold, "ua": 0.5} for fold in range(1, 7)]
    rows += [gpu | {"fold": 6, "seed": 1, "ua": 0.7}, gpu | {"fold": 7, "ua": float("nan")}]
    rows += [ROW | {"corpus": "emodb", "fold": fold, "ua": 1.0} for fold in range(1, 7)]
    # Made again once more there, by other code: still one run, and the later one.
    rows.insert(0, gpu | {"fold": 1, "ua": 0.9, "code": "another"})
    shown = provenance.agreement(pd.DataFrame(rows))
    assert shown["Made again on"].tolist() == ["a card, torch 2.13.0"]
    row = shown.iloc[0]
    assert (row["Runs"], row["Folds"], row["UA before (%)"], row["UA again (%)"]) == (7, 6, "40.0", "51.7")
    assert row["Same prediction (%)"] == "81.8" and row["Difference"].startswith("+11.7 [")
    assert row["sd of folds"] == "4.1"  # of five differences of 10 and one of 20
    assert shown["Experiment"].tolist() == ["small"]
    assert provenance.agreement(collection.load_repeats()).iloc[0, 0] == "not run yet"


def test_a_repetition_of_other_settings_or_another_corpus_than_the_collected_run_is_none_of_it(results, key):
    row = ROW | {"configuration": key.settings.digest, "fingerprint": key.fingerprint}
    others = [{"configuration": "0" * 12}, {"fingerprint": "0" * 12}, {"seed": 5}]
    for number, change in enumerate([{}, *others]):
        repeats.save(row | change | {"code": f"00000000000{number}"})
    assert len(collection.load_repeats()) == 4
    assert collection.repeats_of(results)["code"].tolist() == ["000000000000"]
    assert collection.repeats_of(collection.load_results(paths.PROJECT / "no such folder")).empty


def test_a_difference_again_is_of_the_runs_made_again_where_there_are_some_and_of_the_collected_ones_elsewhere():
    gpu = ROW | {"corpus": "emodb", "experiment": "pooling-max", "hardware": "a card"}
    rows = [gpu | {"fold": fold, "ua": 0.7} for fold in range(1, 7)]
    # On the hardware that they were collected on, of another experiment, and of too few folds.
    rows += [gpu | {"fold": 7, "ua": 0.1, "hardware": ROW["hardware_before"]}]
    rows += [gpu | {"experiment": "vtlp-utterance", "fold": fold, "ua": 0.1} for fold in range(1, 6)]
    by_fold = dict.fromkeys(range(1, 9), 0.5)
    collected = shuffled(scored("table1-baseline", by_fold), scored("pooling-max", by_fold | {7: 0.9}))
    (row,) = provenance.compared_again(collected, pd.DataFrame(rows)).to_dict("records")
    assert (row["Experiment"], row["Compared with"], row["Made again on"]) == (
        "pooling-max",
        "table1-baseline",
        "a card",
    )
    assert row["Runs made again"] == "6 of 8"
    assert row["Difference as collected"].startswith("+5.0 [") and row["Difference again"].startswith("+20.0 [")
    alone = provenance.compared_again(scored("pooling-max", by_fold), pd.DataFrame(rows))
    assert alone.iloc[0, 0] == "not run yet"  # nothing to compare with


@pytest.mark.parametrize("code", ["unknown", "aaaaaaaaaaaa+"])
def test_code_that_nobody_can_find_again_is_not_kept(code):
    with pytest.raises(SerError, match="commit it first"):
        repeats.save(ROW | {"code": code})
    assert collection.load_repeats().empty


@pytest.mark.parametrize("content", ["", "corpus,experiment\n"], ids=["empty", "columns"])
def test_a_damaged_table_of_repetitions_is_named_with_what_to_do(own_folders, content):
    repeats.save(ROW)
    file = own_folders / "results" / "tiny" / "repeats.csv"
    file.write_text(content)
    for read in (collection.load_repeats, lambda: repeats.save(ROW)):
        with pytest.raises(SerError, match=rf"^{file} .*: remove it, and make runs again: .* --corpus tiny"):
            read()


def made_by(record: records.Record, code: str) -> None:
    file = record.folder / "provenance.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"code": code}))


def test_code_that_gave_the_same_is_collected_together_and_no_other(tiny_table, tiny_experiment):
    def obtain(name: str, fold: int, code: str) -> None:
        key = records.run_key(tiny_table, name, tiny_experiment, fold, 0)
        made_by(records.obtain(tiny_table, key, "cpu"), code)

    def repeated(before: str, code: str, **changes) -> None:
        repeats.save(ROW | {"code_before": before, "code": code} | changes)

    first, second, third = "aaaaaaaaaaaa", "bbbbbbbbbbbb", "cccccccccccc"
    obtain("small", 1, first)
    obtain("small", 2, third)
    repeated(first, second)
    repeated(second, third, same=False)
    repeated(first, third, same=False, device="cuda")
    repeated(second, third, experiment="other")
    repeated(second, third, corpus="another")
    repeated(second, third, configuration="0123456789ab")  # the same with other settings than these runs have
    with pytest.raises(SerError, match=r"train differently .*`python -m ser_lib repeat --corpus tiny"):
        collection.collect(say=lambda text: None)
    repeated(third, second, fold=2, configuration=tiny_experiment.digest)  # the chain is whole: first, second, third
    assert collection.collect(say=lambda text: None) == 2
    obtain("other", 1, first)
    obtain("other", 2, second)
    with pytest.raises(SerError, match="tiny, other: the runs come from versions"):
        collection.collect(say=lambda text: None)


def test_on_the_command_line_a_difference_is_exit_status_1(tiny_table, key, results, monkeypatch, tiny_experiment):
    from ser_lib import __main__, experiments

    monkeypatch.setattr(experiments, "EXPERIMENTS", {"small": tiny_experiment})
    monkeypatch.setattr(__main__, "_load", lambda *_: tiny_table)
    command = ["repeat", "--corpus", "tiny", "--experiment", "small", "--fold", "1", "--device", "cpu", "--keep"]
    runner = typer.testing.CliRunner()
    done = runner.invoke(__main__.app, command)
    assert done.exit_code == 0 and "to the last digit" in done.output, done.output
    assert collection.load_repeats()["same"].tolist() == [True]
    file = paths.results_folder() / "tiny" / "small" / "histories.csv"
    pd.read_csv(file).assign(training_loss=1.0).to_csv(file, index=False)
    done = runner.invoke(__main__.app, command)
    assert done.exit_code == 1 and "differs from" in done.output, done.output
    assert collection.load_repeats()["same"].tolist() == [False]
    shutil.rmtree(paths.results_folder())
    assert isinstance(runner.invoke(__main__.app, command).exception, SerError)


def test_a_repetition_on_other_hardware_stays_beside_the_others():
    for hardware in ("a processor", "another", "a processor"):
        repeats.save(ROW | {"hardware": hardware})
    assert collection.load_repeats()["hardware"].tolist() == ["another", "a processor"]


def test_of_several_runs_the_one_that_was_asked_for_is_made_again_with_its_own_settings(
    tiny_table, tiny_experiment, monkeypatch
):
    """Another seed, the experiment's own protocol and its own floor: without any of them it would be another run."""
    experiment = tiny_experiment.with_settings(protocol="utterances", floor_db=-50.0)
    monkeypatch.setattr(collection, "EXPERIMENTS", {"small": experiment})
    keys = [records.run_key(tiny_table, "small", experiment, 1, seed) for seed in (0, 3)]
    for key in keys:
        records.obtain(tiny_table, key, "cpu")
    collection.collect(say=lambda text: None)
    row = repeats.repeat(tiny_table, keys[1], collection.load_results(), "cpu")
    assert row["seed"] == 3 and row["same"]

"""The page on speed shows what the benchmarks wrote, and calls an aim met only where it is."""

import json
import shutil

import pandas as pd
import pytest

from ser_lib import paths, speed
from ser_lib.errors import SerError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for file in (paths.PROJECT / "benchmarks").glob("*.json"):
        shutil.copy(file, tmp_path)
    shutil.copy(paths.PROJECT / "benchmarks" / "network_choice.csv", tmp_path)
    monkeypatch.setattr(speed, "FOLDER", tmp_path)
    return tmp_path


def change(folder, name: str, **values) -> None:
    file = folder / f"{name}.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | values))


@pytest.mark.parametrize("ratio, met", [(1.5, "met"), (1.51, "not met")])
def test_whether_an_aim_is_met_follows_from_the_measurement(folder, ratio, met):
    change(folder, "store", ratio=ratio)
    row = speed.targets().set_index("Aim").loc["recordings to store: time over decoding and torch.stft"]
    assert (row["Measured"], row["Met"]) == (f"{ratio:g} ×", met)


@pytest.mark.parametrize("value, met", [(1.8, "met"), (1.79, "not met")])
def test_an_aim_that_is_a_least_value_is_met_from_there_on(folder, value, met):
    change(folder, "epoch", two_over_one=value)
    rows = speed.targets().set_index("Aim")["Met"]
    assert rows["two runs at once on two cores, table1-baseline: throughput over one"] == met


def test_two_runs_at_once_are_shown_of_both_experiments_that_were_measured(folder):
    change(folder, "growth", by_runs_at_once=[{"runs": n, "utterances_per_second": v} for n, v in ((1, 200), (2, 390))])
    rows = speed.targets().set_index("Aim").filter(like="two runs at once", axis=0)
    assert rows.loc[rows.index.str.contains("table1-best"), ["Measured", "Met"]].to_numpy().tolist() == [
        ["1.95 ×", "met"]
    ]
    assert len(rows) == 2


def test_what_was_not_measured_says_so(folder):
    change(folder, "vtlp", over_nlpaug="not measured")
    rows = speed.targets().set_index("Aim")["Met"]
    assert rows["VTLP: times as fast as nlpaug"] == "not measured"
    assert rows["forty folds of Table 1 on a GPU"] == "not measured"


def test_keras_that_was_not_measured_has_no_row_and_its_aims_say_so(folder):
    epoch = speed.load("epoch")
    change(folder, "epoch", experiments={k: v | {"keras": "not measured"} for k, v in epoch["experiments"].items()})
    assert len(speed.epochs()) == 2 * len(epoch["experiments"])
    rows = speed.targets().set_index("Aim")["Met"].filter(like="Keras")
    assert len(rows) == 4 and set(rows) == {"not measured"}


def test_five_times_keras_is_five_times_the_useful_operations_of_its_faster_way(folder):
    epoch = speed.load("epoch")
    ways = {way: {"seconds": seconds, "ratio": 1} for way, seconds in (("train_on_batch", 4.0), ("fit", 2.0))}
    part = epoch["experiments"]["table1-best"] | {"keras": ways, "useful_gflop": 20.0}
    change(folder, "epoch", experiments={"table1-best": part})
    row = speed.against_keras().iloc[0]
    assert (row["Keras"], row["Five times Keras"]) == (10, 50)
    assert row["Best product"] == epoch["gemm_peak_gflop_per_second"]
    share = 100 * 50 / epoch["convolution_peak_gflop_per_second"]
    assert row["Five times Keras, of the best convolution"] == f"{share:.0f} %"
    change(folder, "epoch", experiments={"table1-best": part | {"keras": "not measured"}})
    assert speed.against_keras().empty


def test_a_gpu_has_its_rows_once_it_was_measured(folder):
    (folder / "gpu.json").unlink()
    assert speed.on_gpu().empty and speed.agreement().empty
    rows = speed.targets().set_index("Aim")["Met"]
    assert rows["VTLP on a GPU: time over copying the batch"] == "not measured"
    part = {"trained_on": 10, "seconds": 2.0, "utterances_per_second": 5, "useful_gflop_per_second": 7.5}
    roofline = {"float32_gflop_per_second": 40.0, "tf32_gflop_per_second": 300.0, "copy_gb_per_second": 3000.0}
    measured = {
        "hardware": "a card",
        "roofline": roofline,
        "epoch": {"float32": part, "tf32": part},
        "vtlp": {"ratio": 2.5},
        "agreement": {"utterances": 42, "largest_difference_of_a_probability": 1e-7, "same_prediction": 41},
    }
    (folder / "gpu.json").write_text(json.dumps(measured))
    (folder / "forty_folds_gpu.json").write_text(json.dumps({"hardware": "a card", "seconds": 119.0}))
    assert speed.on_gpu().values.tolist() == [
        ["a card", "float32", 5, 7.5, 40.0, 3000.0], ["a card", "tf32", 5, 7.5, 300.0, 3000.0],
    ]  # fmt: skip
    assert speed.agreement().values.tolist() == [["a card", "1e-07", "41 of 42"]]
    rows = speed.targets().set_index("Aim")["Met"]
    assert rows["forty folds of Table 1 on a GPU, a card"] == "met"
    assert rows["VTLP on a GPU: time over copying the batch"] == "not met"


def test_a_missing_or_broken_file_is_named_with_what_makes_it(folder):
    (folder / "vtlp.json").write_text("{")
    with pytest.raises(SerError, match=r"vtlp.json cannot be read \(.*line 1.*\): run python benchmarks/vtlp.py"):
        speed.rates()
    (folder / "vtlp.json").unlink()
    with pytest.raises(SerError, match=r"vtlp.json cannot be read \(No such file.*\): run python benchmarks/vtlp.py"):
        speed.targets()


def test_every_table_has_a_row_for_all_that_was_measured(folder):
    of_experiments = speed.load("epoch")["experiments"].values()
    in_keras = sum(len(part["keras"]) for part in of_experiments if part["keras"] != "not measured")
    assert len(speed.epochs()) == 2 * len(of_experiments) + in_keras
    assert len(speed.stores()) == len(speed.load("store")["seconds"])
    assert {name: len(table) for name, table in speed.growth().items()} == {
        "by_utterances": 5, "by_frames": 5, "by_runs_at_once": 3,
    }  # fmt: skip
    hidden = speed.load("recurrence")["hidden"]
    assert len(speed.recurrences()) == sum(map(len, hidden.values()))
    assert speed.networks()["Seconds per epoch"].is_monotonic_increasing


@pytest.mark.parametrize(
    "ua, loss, as_good",
    [((0.7, 0.8, 0.9), (0.4, 0.3, 0.2), True), ((0.6, 0.7, 0.8), (0.4, 0.3, 0.2), False),
     ((0.7, 0.8, 0.9), (0.5, 0.4, 0.3), False), ((0.65, 0.8, 0.92), (0.4, 0.3, 0.2), True)],
)  # fmt: skip
def test_a_network_is_as_good_unless_ua_or_loss_is_worse_by_more_than_a_standard_error(ua, loss, as_good):
    measured = {("best", 2.0): ((0.7, 0.8, 0.9), (0.4, 0.3, 0.2)), ("cheap", 1.0): (ua, loss)}
    rows = [
        (name, fold, 0, seconds, *scores)
        for (name, seconds), values in measured.items()
        for fold, scores in enumerate(zip(*values, strict=True), start=1)
    ]
    columns = ["network", "fold", "seed", "epoch_seconds", "validation_ua", "validation_loss"]
    table = speed.network_choice(pd.DataFrame(rows, columns=columns))
    assert table.index.tolist() == ["cheap", "best"] and table["as_good"].tolist() == [as_good, True]

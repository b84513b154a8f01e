"""Energy: every package counts once, whenever its counter starts again, and a sum that is not whole is none."""

import sys
import time
import types
from pathlib import Path

import pytest
import torch

from ser_lib import energy

RANGE = 1_000_000_000  # microjoules


@pytest.fixture
def powercap(tmp_path) -> Path:
    """A powercap folder of two packages; one with parts, and beside them what counts the same energy again."""
    zones = {
        "intel-rapl:0": "package-0", "intel-rapl:0:0": "core", "intel-rapl:0:1": "dram", "intel-rapl:1": "package-1",
        "intel-rapl:2": "psys", "intel-rapl-mmio:0": "package-0",
    }  # fmt: skip
    for zone, name in zones.items():
        (tmp_path / zone).mkdir()
        (tmp_path / zone / "name").write_text(name + "\n")
        (tmp_path / zone / "max_energy_range_uj").write_text(f"{RANGE}\n")
        count(tmp_path, zone, 0)
    (tmp_path / "intel-rapl").mkdir()  # the control type, without a counter
    return tmp_path


def count(folder: Path, zone: str, microjoules: int) -> None:
    (folder / zone / "energy_uj").write_text(f"{microjoules}\n")


def test_the_packages_are_added_and_neither_their_parts_nor_the_whole_platform(powercap):
    count(powercap, "intel-rapl:0", 5_000_000)
    with energy.Meter(energy.processors(powercap)) as meter:
        assert meter.joules is None
        for zone, joules in {"0": 12, "0:0": 100, "0:1": 100, "1": 30, "2": 1000}.items():
            count(powercap, f"intel-rapl:{zone}", joules * 1_000_000)
        count(powercap, "intel-rapl-mmio:0", 500_000_000)
    assert meter.joules == pytest.approx(7 + 30)


def test_a_counter_that_starts_again_from_zero_goes_on(powercap):
    count(powercap, "intel-rapl:0", RANGE - 4_000_000)
    with energy.Meter(energy.processors(powercap)) as meter:
        count(powercap, "intel-rapl:0", 3_000_000)
    assert meter.joules == pytest.approx(7)


def test_a_counter_is_read_often_enough_to_start_again_more_than_once():
    values = iter([0, 6, 2, 8, 4, 4])  # joules of a counter of 10: 6 more each time, and nothing more at the end
    readings = []

    def value() -> float:
        readings.append(next(values, 4))
        return readings[-1]

    with energy.Meter([energy.Counter(value, 10)], interval=0.01) as meter:
        deadline = time.monotonic() + 30
        while len(readings) < 6 and time.monotonic() < deadline:
            time.sleep(0.01)
    assert meter.joules == 24


def test_energy_is_not_read_where_there_is_no_counter(tmp_path):
    for folder in (tmp_path, tmp_path / "missing"):
        with energy.Meter(energy.processors(folder)) as meter:
            pass
        assert meter.joules is None


@pytest.mark.parametrize("file", ["energy_uj", "max_energy_range_uj", "name"])
def test_one_package_that_cannot_be_read_leaves_no_sum(powercap, file):
    (powercap / "intel-rapl:1" / file).unlink()
    (powercap / "intel-rapl:1" / file).mkdir()  # as root, nothing else is sure to be unreadable
    assert energy.processors(powercap) == []


def test_a_counter_that_cannot_be_read_any_more_leaves_no_sum(powercap):
    with energy.Meter(energy.processors(powercap)) as meter:
        (powercap / "intel-rapl:1" / "energy_uj").unlink()
    assert meter.joules is None


def test_the_meter_stops_reading_when_the_block_is_left(powercap):
    readings = []
    with pytest.raises(ZeroDivisionError), energy.Meter([energy.Counter(lambda: readings.append(0) or 0)], 0.01):
        _ = 1 / 0
    before = len(readings)
    time.sleep(0.1)
    assert len(readings) == before


class NVMLError(Exception):
    """As pynvml has it."""


@pytest.fixture
def nvml(monkeypatch):
    """NVML of a machine with one GPU, made up: its counter is in millijoules."""
    counts = {"GPU-1234": 0}

    def handle(uuid: str) -> str:
        if uuid not in counts:
            raise NVMLError
        return uuid

    def total(card: str) -> int:
        if counts[card] is None:
            raise NVMLError
        return counts[card]

    module = types.SimpleNamespace(
        NVMLError=NVMLError, nvmlInit=lambda: None, nvmlDeviceGetHandleByUUID=handle,
        nvmlDeviceGetTotalEnergyConsumption=total,
    )  # fmt: skip
    monkeypatch.setitem(sys.modules, "pynvml", module)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: types.SimpleNamespace(uuid="1234"))
    return counts


def test_a_run_on_a_gpu_counts_the_gpu_in_joules(nvml):
    with energy.Meter(energy.counters_of("cuda:0")) as meter:
        nvml["GPU-1234"] = 2500
    assert meter.joules == 2.5


def test_a_gpu_without_a_counter_or_without_nvml_is_not_read(nvml, monkeypatch):
    nvml["GPU-1234"] = None
    assert energy.counters_of("cuda") == []
    nvml.clear()
    assert energy.counters_of("cuda") == []
    monkeypatch.setitem(sys.modules, "pynvml", None)  # as where it is not installed
    assert energy.counters_of("cuda") == []


def test_a_run_on_the_processor_counts_the_processor(nvml, powercap, monkeypatch):
    monkeypatch.setattr(energy, "processors", lambda: ["packages"])
    assert energy.counters_of("cpu") == ["packages"]

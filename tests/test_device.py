"""The device that is asked for, and the precision in which a GPU multiplies: never TF32 unless it is asked for."""

import pytest
import torch

from ser_lib import training
from ser_lib.device import choose_device, multiplying
from ser_lib.errors import SerError
from ser_lib.protocols import find_fold

CPU, GPU = torch.device("cpu"), torch.device("cuda", 0)


def in_use() -> list[str]:
    backends = (torch.backends.cuda.matmul, torch.backends.cudnn.conv, torch.backends.cudnn.rnn)
    return [backend.fp32_precision for backend in backends]


def test_an_unknown_device_is_refused():
    with pytest.raises(SerError, match="device 'abacus' cannot be used"):
        choose_device("abacus")


def test_without_a_gpu_auto_is_the_cpu(monkeypatch):
    for there, device in ((False, "cpu"), (True, "cuda")):
        monkeypatch.setattr(torch.cuda, "is_available", lambda there=there: there)
        assert choose_device("auto") == device


@pytest.mark.parametrize("precision, name", [("float32", "ieee"), ("tf32", "tf32")])
def test_all_that_a_gpu_multiplies_is_in_the_precision_asked_for_and_only_meanwhile(precision, name):
    before = in_use()
    with multiplying(precision, GPU):
        assert in_use() == [name] * 3
    assert in_use() == before
    with pytest.raises(KeyError), multiplying(precision, GPU):
        raise KeyError
    assert in_use() == before


def test_a_run_is_in_the_precision_of_its_experiment(tiny_table, tiny_store, tiny_experiment, monkeypatch):
    seen = []

    class Run:
        def __init__(self, *arguments):
            pass

        def train(self, progress):
            seen.append(in_use())

    monkeypatch.setattr(training, "_Run", Run)
    for precision in ("float32", "tf32"):
        settings = tiny_experiment.with_settings(precision=precision)
        training.train(tiny_table, tiny_store, settings, find_fold(tiny_table, "speakers", 1), 0, device="cuda")
    assert seen == [["ieee"] * 3, ["tf32"] * 3]


def test_tf32_without_a_gpu_is_refused(tiny_table, tiny_store, tiny_experiment):
    settings = tiny_experiment.with_settings(precision="tf32")
    with pytest.raises(SerError, match="precision = tf32 is for GPUs of NVIDIA; on cpu there is float32 alone"):
        training.train(tiny_table, tiny_store, settings, find_fold(tiny_table, "speakers", 1), 0)
    with multiplying("float32", CPU):
        assert in_use() == ["ieee"] * 3


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_a_gpu_rounds_its_factors_only_if_it_is_asked_to():
    x = torch.randn(256, 256, generator=torch.Generator().manual_seed(0))
    errors = []
    for precision in ("float32", "tf32"):
        with multiplying(precision, GPU):
            errors.append(float(((x.cuda() @ x.cuda()).cpu() - x @ x).abs().max()))
    assert errors[0] < 1e-3 < errors[1]

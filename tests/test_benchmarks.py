"""The implementation that the product is measured against is the same network: same logits, same gradients."""

import importlib.util
import sys
from pathlib import Path

import pytest
import torch

from ser_lib.experiments import EXPERIMENTS, depth_name
from ser_lib.training import build_model

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"
LENGTHS = torch.tensor([31, 5, 64, 1, 22])


def benchmark(name: str):
    spec = importlib.util.spec_from_file_location(name, BENCHMARKS / f"{name}.py")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


NAMES = ["table1-baseline", "table1-best", depth_name(1, 2), depth_name(2, 1), depth_name(6, 4)]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype, tolerance", [(torch.float64, 1e-10), (torch.float32, 1e-4)], ids=str)
def test_the_ordinary_implementation_has_the_same_logits_and_gradients(name, dtype, tolerance):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = build_model(EXPERIMENTS[name]).to(dtype)
        for layer in model.convolutions:
            torch.nn.init.uniform_(layer.bias, 0.1, 1)
        ordinary = benchmark("ordinary").OrdinaryConvLSTM.like(model, EXPERIMENTS[name])
        pictures = torch.randn(len(LENGTHS), model.bins, int(LENGTHS.max()), dtype=dtype)
    pictures *= torch.arange(pictures.shape[2]) < LENGTHS[:, None, None]
    results = []
    for network in (model, ordinary):
        logits = network(pictures, LENGTHS)
        torch.nn.functional.cross_entropy(logits, torch.arange(5) % 4).backward()
        results.append([logits.detach(), *(parameter.grad for parameter in network.parameters())])
    for ours, expected in zip(*results, strict=True):
        scale = expected.abs().max().clamp(min=1e-3)
        assert (ours - expected).abs().max() <= tolerance * scale


def test_useful_operations_are_those_of_valid_frames_alone(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    epoch = benchmark("epoch")
    experiment = EXPERIMENTS["table1-baseline"]
    one, two = (epoch.useful_operations(experiment, torch.tensor(n).numpy()) for n in ([40], [40, 40]))
    assert two == 2 * one
    first = 129 * 20 * 16 * 25  # places, filters, and the pixels under a 5 x 5 kernel
    others = (65 * 10 * 24 * 16 + 33 * 10 * 32 * 24 + 17 * 10 * 32 * 32) * 9
    lstm, dense = 10 * 2 * 4 * 128 * (544 + 128), 256 * 4
    assert one == 2 * (2 * first + 3 * (others + lstm + dense))

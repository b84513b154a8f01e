"""The implementation that the product is measured against is the same network: same logits, same gradients."""

import importlib.util
import sys
from pathlib import Path

import pytest
import torch

from ser_lib.experiments import EXPERIMENTS, depth_name
from ser_lib.study import IEMOCAP_FRAMES
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


def test_what_a_gpu_is_measured_with_runs_on_a_processor_too(monkeypatch, tiny_table, tiny_store):
    monkeypatch.syspath_prepend(BENCHMARKS)
    gpu, device = benchmark("gpu"), torch.device("cpu")
    lengths = gpu.noise_lengths()
    assert (len(lengths), lengths.min(), lengths.max()) == (2280, 21, 909)
    assert abs(lengths.sum() - IEMOCAP_FRAMES) < 1000
    noise = gpu.noise_store(lengths[2:42])
    measured = gpu.epochs(EXPERIMENTS["table1-best"], noise, device, 1)
    # Fold 1 trains on the four other sessions, happiness and anger twice.
    assert measured["trained_on"] == 48 and measured["utterances_per_second"] > 0
    assert set(gpu.roofline(device, 64, 1)) == {"float32_gflop_per_second", "copy_gb_per_second"}
    assert set(gpu.warping(noise, device, 1)) == {"warped_ms", "copied_ms", "ratio"}
    agreed = gpu.agreement(tiny_table, tiny_store, [device, device])
    assert agreed["largest_difference_of_a_probability"] == 0 and agreed["same_prediction"] == agreed["utterances"] > 0


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_without_a_gpu_nothing_is_measured_and_it_says_so(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    with pytest.raises(SystemExit, match="no GPU of NVIDIA here"):
        benchmark("gpu").main()


def test_the_throughput_of_several_trainings_is_their_sum(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(BENCHMARKS)
    script = tmp_path / "script.py"
    script.write_text("import sys\nassert sys.argv[1:] == ['--worker', '8', '--root', 'here']\nprint(2.5)\n")
    assert benchmark("report").throughput(str(script), 3, 8, "--root", "here") == 7.5


def test_a_training_counts_its_epochs_but_the_one_to_warm_up(monkeypatch, capsys):
    monkeypatch.syspath_prepend(BENCHMARKS)
    report, clock = benchmark("report"), iter(range(100))
    monkeypatch.setattr(report.time, "perf_counter", lambda: next(clock))
    epochs = []
    report.work(lambda: epochs.append(1), 20, 3)
    # The clock goes on by one whenever it is read: 0 at the start, two epochs at 1 and 2, and it is 4 at the end.
    assert len(epochs) == 3 and float(capsys.readouterr().out) == 2 * 20 / 4

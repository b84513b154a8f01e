"""The recurrence equals PyTorch's own LSTM in all that comes out of it, gradients included, on ragged batches."""

import copy

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from ser_lib.recurrence import Recurrence, hand_through, pack, recur, run_lstm

INPUT, HIDDEN = 4, 3
LENGTHS = torch.tensor([3, 7, 1, 5, 7])
STARTS = torch.tensor([2, 6, 15, 18, 25])
WIDTH = 33

both_directions = pytest.mark.parametrize("bidirectional", [False, True], ids=["one direction", "two"])
every_length = pytest.mark.parametrize(
    "lengths", [[3, 7, 1, 5, 7], [1], [6], [4, 4, 4], [1, 1], [9, 2]], ids=lambda lengths: "-".join(map(str, lengths))
)


def network(bidirectional: bool = True, layers: int = 1, dtype=torch.float64) -> nn.LSTM:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(layers)
        return nn.LSTM(INPUT, HIDDEN, layers, batch_first=True, bidirectional=bidirectional, dtype=dtype)


def batch(lengths: torch.Tensor, dtype=torch.float64) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(len(lengths), int(lengths.max()), INPUT, generator=generator, dtype=torch.float64).to(dtype)


def run_ours(lstm: nn.LSTM, x: torch.Tensor, lengths: torch.Tensor):
    packing = pack(x.shape[1] * torch.arange(len(x)), lengths)
    outputs, state = run_lstm(lstm, x.flatten(0, 1)[packing.columns], packing)
    return packing.padded(outputs, *x.shape[:2]), state


def run_torch(lstm: nn.LSTM, x: torch.Tensor, lengths: torch.Tensor):
    outputs, (state, _) = lstm(pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False))
    return pad_packed_sequence(outputs, batch_first=True)[0], state


def with_gradients(run, lstm: nn.LSTM, x: torch.Tensor, lengths: torch.Tensor) -> list[torch.Tensor]:
    """Outputs, states, and the gradients of a sum in which each of their values has a weight of its own."""
    lstm, x = copy.deepcopy(lstm), x.clone().requires_grad_()
    results = run(lstm, x, lengths)
    loss = 0
    for number, result in enumerate(results):
        weights = torch.linspace(-1, 1 + number, result.numel(), dtype=result.dtype).view_as(result)
        loss = loss + (result * weights).sum()
    loss.backward()
    return [*(result.detach() for result in results), x.grad, *(parameter.grad for parameter in lstm.parameters())]


@every_length
@both_directions
@pytest.mark.parametrize("layers", [1, 2, 4])
def test_outputs_states_and_gradients_are_those_of_torch(lengths, bidirectional, layers):
    lengths = torch.tensor(lengths)
    lstm, x = network(bidirectional, layers), batch(lengths)
    ours, expected = (with_gradients(run, lstm, x, lengths) for run in (run_ours, run_torch))
    for actual, value in zip(ours, expected, strict=True):
        torch.testing.assert_close(actual, value, rtol=0, atol=1e-12)


def test_in_single_precision_too_to_rounding():
    lstm, x = network(layers=2, dtype=torch.float32), batch(LENGTHS, torch.float32)
    ours, expected = (with_gradients(run, lstm, x, LENGTHS) for run in (run_ours, run_torch))
    for actual, value in zip(ours, expected, strict=True):
        torch.testing.assert_close(actual, value, rtol=1e-4, atol=1e-5)


def test_without_gradients_the_results_are_the_same():
    lstm, x = network(layers=2), batch(LENGTHS)
    expected = run_ours(lstm, x, LENGTHS)
    with torch.inference_mode():
        for actual, value in zip(run_ours(lstm, x, LENGTHS), expected, strict=True):
            assert torch.equal(actual, value)


@both_directions
def test_the_written_out_gradient_is_right(bidirectional):
    packing = pack(torch.zeros(3, dtype=torch.int64), torch.tensor([2, 4, 1]))
    directions = 1 + bidirectional
    generator = torch.Generator().manual_seed(0)
    preactivations = torch.randn(7, directions, 8, dtype=torch.float64, generator=generator, requires_grad=True)
    weight = torch.randn(directions, 8, 2, dtype=torch.float64, generator=generator, requires_grad=True)
    assert torch.autograd.gradcheck(lambda *given: Recurrence.apply(*given, packing), (preactivations, weight))


def test_what_is_given_is_left_alone():
    packing = pack(STARTS, LENGTHS)
    preactivations = torch.randn(int(LENGTHS.sum()), 2, 4 * HIDDEN)
    weight, before = torch.randn(2, 4 * HIDDEN, HIDDEN), preactivations.clone()
    recur(preactivations, weight, packing)
    with torch.no_grad():
        recur(preactivations, weight, packing)
    assert torch.equal(preactivations, before)


# Packing


def test_frames_are_packed_in_the_order_of_torchs_packed_sequences():
    packing = pack(STARTS, LENGTHS)
    x = torch.arange(WIDTH)
    padded = nn.utils.rnn.pad_sequence([x[s : s + n] for s, n in zip(STARTS, LENGTHS, strict=True)])
    expected = pack_padded_sequence(padded, LENGTHS, enforce_sorted=False)
    assert torch.equal(x[packing.columns], expected.data)
    assert packing.sizes == expected.batch_sizes.tolist()
    assert torch.equal(packing.utterances[: packing.sizes[0]], expected.sorted_indices)


def test_each_frame_knows_its_step_its_utterance_and_its_mirror():
    packing = pack(STARTS, LENGTHS)
    assert torch.equal(STARTS[packing.utterances] + packing.steps, packing.columns)
    assert torch.equal(packing.utterances[packing.mirror], packing.utterances)
    assert torch.equal(packing.steps[packing.mirror] + packing.steps, LENGTHS[packing.utterances] - 1)


@both_directions
def test_what_a_gpu_runs_gives_the_same(bidirectional, monkeypatch):
    """The branch for CUDA hands packed frames to torch's LSTM; here it runs on the CPU."""
    lstm, x = network(bidirectional, 2), batch(LENGTHS)
    expected = run_ours(lstm, x, LENGTHS)
    seen, true_forward = [], nn.LSTM.forward
    monkeypatch.setattr(nn.LSTM, "forward", lambda self, given: seen.append(type(given)) or true_forward(self, given))
    monkeypatch.setattr(torch.Tensor, "is_cuda", True)
    actual = run_ours(lstm, x, LENGTHS)
    monkeypatch.undo()
    assert seen == [PackedSequence]
    for value, other in zip(actual, expected, strict=True):
        torch.testing.assert_close(value, other, rtol=0, atol=1e-12)


@every_length
@both_directions
def test_pre_activations_handed_through_torchs_lstm_give_the_same(lengths, bidirectional):
    """What a GPU runs in place of the loop, with gradients and without; here it runs on the CPU."""
    lengths, directions = torch.tensor(lengths), 1 + bidirectional
    packing = pack(9 * torch.arange(len(lengths)), lengths)
    generator = torch.Generator().manual_seed(0)
    given = (
        torch.randn(int(lengths.sum()), directions, 4 * HIDDEN, generator=generator, dtype=torch.float64),
        torch.randn(directions, 4 * HIDDEN, HIDDEN, generator=generator, dtype=torch.float64),
    )
    values = []
    for function in (hand_through, recur):
        leaves = [part.clone().requires_grad_() for part in given]
        results = function(*leaves, packing)
        sum((part * torch.linspace(-1, 2, part.numel()).view_as(part)).sum() for part in results).backward()
        with torch.no_grad():
            again = function(*given, packing)
        values.append([*results, *again, *(leaf.grad for leaf in leaves)])
    for actual, expected in zip(*values, strict=True):
        torch.testing.assert_close(actual, expected, rtol=0, atol=1e-12)


def test_a_gpu_does_not_run_the_loop(monkeypatch):
    packing, gates, weight = pack(STARTS, LENGTHS), torch.ones(int(LENGTHS.sum()), 1, 4), torch.ones(1, 4, 1)
    expected = recur(gates, weight, packing)
    monkeypatch.setattr("ser_lib.recurrence.run_steps", None)
    monkeypatch.setattr(torch.Tensor, "is_cuda", True)
    actual = recur(gates, weight, packing)
    monkeypatch.undo()
    torch.testing.assert_close(actual, expected)


def test_means_are_over_each_utterances_own_frames():
    packing = pack(STARTS, LENGTHS)
    values = torch.randn(WIDTH, 5, dtype=torch.float64)
    expected = torch.stack([values[s : s + n].mean(dim=0) for s, n in zip(STARTS, LENGTHS, strict=True)])
    torch.testing.assert_close(packing.mean(values[packing.columns]), expected, rtol=0, atol=1e-14)

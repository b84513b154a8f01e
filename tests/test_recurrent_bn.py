"""Batch-normalised LSTM: eqs. 3-5 against plain loops, statistics of valid frames alone, and what evaluation uses."""

import copy

import pytest
import safetensors.torch
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from ser_lib.errors import SerError
from ser_lib.recurrent_bn import FRAMES, BatchNormLSTM

INPUT, HIDDEN, TIME = 4, 3, 7
LENGTHS = torch.tensor([3, 7, 1, 5, 7])
LONGER = torch.tensor([9, 2, 4])


def network(dtype=torch.float64, seed: int = 0, **settings) -> BatchNormLSTM:
    """A small network whose gain, shift and running statistics are not what they start from."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = BatchNormLSTM(INPUT, HIDDEN, **settings)
        for name, value in model.state_dict().items():
            if name.startswith(("gain", "running_var")):
                nn.init.uniform_(value, 0.5, 2)
            elif name.startswith(("shift", "running_mean")):
                nn.init.uniform_(value, -1, 1)
    return model.to(dtype)


def noise(*shape: int, seed: int = 0, dtype=torch.float64) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def batch(lengths: torch.Tensor = LENGTHS, seed: int = 0, dtype=torch.float64) -> torch.Tensor:
    return 3 * noise(len(lengths), int(lengths.max()), INPUT, seed=seed, dtype=dtype) + 1


def valid(lengths: torch.Tensor, time: int) -> torch.Tensor:
    return torch.arange(time) < lengths.unsqueeze(1)


def padded(x: torch.Tensor, fill: float, more: int = 0, lengths: torch.Tensor = LENGTHS) -> torch.Tensor:
    """The same utterances with ``fill`` behind each one's length, and ``more`` frames of it behind the longest."""
    x = nn.functional.pad(x.detach(), (0, 0, 0, more), value=fill)
    return torch.where(valid(lengths, x.shape[1]).unsqueeze(2), x, fill)


def buffers(model: BatchNormLSTM) -> dict[str, torch.Tensor]:
    return {name: buffer.clone() for name, buffer in model.named_buffers()}


def running(model: BatchNormLSTM, kind: str) -> torch.Tensor:
    """A kind of running statistics of all layers and directions, one after another."""
    return torch.stack([buffer for name, buffer in model.named_buffers() if name.startswith(f"running_{kind}")])


def assert_same(actual, expected, tolerance: float = 0.0) -> None:
    torch.testing.assert_close(actual, expected, rtol=0, atol=tolerance)


every_scope = pytest.mark.parametrize("scope", ["all", "gate", "frame"])
both_directions = pytest.mark.parametrize("bidirectional", [False, True])
training_or_not = pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])


# A plain loop over utterances and steps: eqs. 3-5 as printed


def plain_lstm(model: BatchNormLSTM, x: torch.Tensor, lengths: torch.Tensor, state: dict):
    """What the model should give for padded x, computed one utterance and step at a time; moves the buffers in state.

    The statistics are of lists of frames, cut out of each utterance, so that there is nothing to mask or to reverse.
    """
    counts = state["num_batches_tracked"]
    if model.training:
        counts += torch.arange(len(counts)) < lengths.max()
    sequences = [row[:length] for row, length in zip(x, lengths.tolist(), strict=True)]
    h_n, c_n = [], []
    for layer in range(model.num_layers):
        outputs = []
        for suffix in ["", "_reverse"] if model.bidirectional else [""]:
            name = f"_l{layer}{suffix}"
            contributions = [sequence @ getattr(model, "weight_ih" + name).T for sequence in sequences]
            normalised = plain_normalise(model, contributions, state, name)
            gain, shift = getattr(model, "gain" + name), getattr(model, "shift" + name)
            runs = [
                plain_run(frames * gain + shift, getattr(model, "weight_hh" + name), bool(suffix))
                for frames in normalised
            ]
            outputs.append([run[0] for run in runs])
            h_n.append(torch.stack([run[1] for run in runs]))
            c_n.append(torch.stack([run[2] for run in runs]))
        sequences = [torch.cat(directions, dim=1) for directions in zip(*outputs, strict=True)]
    result = torch.stack([nn.functional.pad(rows, (0, 0, 0, x.shape[1] - len(rows))) for rows in sequences])
    return result, (torch.stack(h_n), torch.stack(c_n))


def plain_normalise(model: BatchNormLSTM, contributions: list[torch.Tensor], state: dict, name: str):
    """Eqs. 3 and 4 group by group: each group is a list of (utterance, frames, features) that share a statistic."""
    everything, quarter = slice(None), model.hidden_size
    if model.scope == "all":
        groups = [[(row, everything, everything) for row in range(len(contributions))]]
    elif model.scope == "gate":
        features = [slice(gate * quarter, (gate + 1) * quarter) for gate in range(4)]
        groups = [[(row, everything, cut) for row in range(len(contributions))] for cut in features]
    else:
        frames = [slice(step, step + 1) for step in range(FRAMES - 1)] + [slice(FRAMES - 1, None)]
        groups = [[(row, cut, everything) for row, c in enumerate(contributions) if len(c[cut])] for cut in frames]
    counts = state["num_batches_tracked"].expand(len(groups))
    results = [frames.clone() for frames in contributions]
    for number, group in enumerate(groups):
        pixels = [contributions[row][frames, features] for row, frames, features in group]
        if not pixels:
            continue
        means, variances = state["running_mean" + name], state["running_var" + name]
        if model.training:
            flat = torch.cat([part.flatten() for part in pixels])
            mean = flat.sum() / len(flat)
            variance = ((flat - mean) ** 2).sum() / len(flat)
            share = 1 / int(counts[number]) if model.momentum is None else model.momentum
            means[number] += share * (mean.detach() - means[number])
            variances[number] += share * (variance.detach() - variances[number])
        else:
            seen = int((counts > 0).sum())
            source = min(number, max(seen - 1, 0)) if model.scope == "frame" else number
            mean, variance = means[source], variances[source]
        for (row, frames, features), part in zip(group, pixels, strict=True):
            results[row][frames, features] = (part - mean) / (variance + model.eps) ** 0.5
    return results


def plain_run(preactivations: torch.Tensor, weight_hh: torch.Tensor, backward: bool):
    """Eq. 5 for one utterance: hidden states in the order of its frames, and the last hidden and cell state."""
    h = c = torch.zeros(weight_hh.shape[1], dtype=weight_hh.dtype)
    states = []
    for frame in preactivations.flip(0) if backward else preactivations:
        i, f, g, o = (frame + weight_hh @ h).chunk(4)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
        states.append(h)
    return torch.stack(states[::-1] if backward else states), h, c


def run_with_gradients(function, model: BatchNormLSTM, x: torch.Tensor) -> list[torch.Tensor]:
    """Outputs and final states, then the gradients of x and of every parameter for a loss that all of them enter."""
    x = x.clone().requires_grad_()
    model.zero_grad()
    outputs, (h_n, c_n) = function(x)
    # What lies behind a length is zero: it may be weighted with anything.
    sum((noise(*part.shape, seed=9) * part).sum() for part in (outputs, h_n, c_n)).backward()
    return [outputs.detach(), h_n.detach(), c_n.detach(), x.grad, *(p.grad.clone() for p in model.parameters())]


@every_scope
@both_directions
@pytest.mark.parametrize("layers", [1, 2, 3])
def test_outputs_statistics_and_gradients_are_those_of_a_plain_loop(scope, bidirectional, layers):
    model = network(num_layers=layers, bidirectional=bidirectional, scope=scope)
    state = buffers(model)
    steps = [(True, LENGTHS), (True, torch.tensor([2, 4])), (False, LONGER)]  # evaluation reaches unseen steps, too
    for seed, (training, lengths) in enumerate(steps):
        model.train(training)
        x = batch(lengths, seed)
        expected = run_with_gradients(lambda x, n=lengths: plain_lstm(model, x, n, state), model, x)
        actual = run_with_gradients(lambda x, n=lengths: model(x, n), model, x)
        for ours, plain in zip(actual, expected, strict=True):
            assert_same(ours, plain, 1e-11)
        assert_same(buffers(model), state, 1e-12)


def test_steps_beyond_those_with_statistics_of_their_own_share_the_last():
    lengths = torch.tensor([FRAMES + 4, 2, FRAMES + 1])
    model = network(bidirectional=True, scope="frame")
    state, x = buffers(model), batch(lengths)
    for training in (True, False):
        model.train(training)
        expected = run_with_gradients(lambda x: plain_lstm(model, x, lengths, state), model, x)
        for ours, plain in zip(run_with_gradients(lambda x: model(x, lengths), model, x), expected, strict=True):
            assert_same(ours, plain, 1e-10)
        assert_same(buffers(model), state, 1e-12)


@every_scope
@training_or_not
def test_the_gradient_is_right(scope, training):
    model = network(bidirectional=True, scope=scope).train(training)
    lengths = torch.tensor([3, 1, 4])
    names, values = zip(*((name, p.detach().requires_grad_()) for name, p in model.named_parameters()), strict=True)

    def function(x, *parameters):
        outputs, states = torch.func.functional_call(model, dict(zip(names, parameters, strict=True)), (x, lengths))
        return outputs, *states

    assert torch.autograd.gradcheck(function, (batch(lengths).requires_grad_(), *values), fast_mode=True)


def test_going_backward_twice_gives_the_same_gradients():
    model, x = network(num_layers=2, bidirectional=True), batch().requires_grad_()
    loss = model(x, LENGTHS)[0].square().sum()
    first, again = (torch.autograd.grad(loss, [x, *model.parameters()], retain_graph=True) for _ in range(2))
    assert_same(first, again)


def test_states_alone_have_gradients_too():
    for state in (0, 1):
        model, x = network(bidirectional=True), batch()
        gradients = []
        for function in (model, lambda x, n, m=model: plain_lstm(m, x, n, buffers(m))):
            x.grad = None
            function(x.requires_grad_(), LENGTHS)[1][state].square().sum().backward()
            gradients.append(x.grad)
        assert_same(*gradients, 1e-11)


@every_scope
@training_or_not
@pytest.mark.parametrize("momentum", [0.1, None])
def test_it_computes_on_its_own_device_and_asks_it_for_no_number(scope, training, momentum):
    # The meta device knows shapes and no values, and refuses tensors that are elsewhere.
    model = BatchNormLSTM(INPUT, HIDDEN, 2, bidirectional=True, scope=scope, momentum=momentum)
    model.to("meta").train(training)
    x = torch.zeros(len(LENGTHS), TIME, INPUT, device="meta", requires_grad=True)
    outputs, (h_n, c_n) = model(x, LENGTHS)
    (outputs.sum() + h_n.sum() + c_n.sum()).backward()
    assert outputs.device.type == x.grad.device.type == "meta" and outputs.shape == (*x.shape[:2], 2 * HIDDEN)


@every_scope
@training_or_not
def test_what_a_gpu_runs_gives_the_same(scope, training, monkeypatch):
    """The branch for CUDA runs torch's own LSTM; here it runs on the CPU."""
    model = network(num_layers=2, bidirectional=True, scope=scope).train(training)
    there = copy.deepcopy(model)
    expected = run_with_gradients(lambda x: model(x, LENGTHS), model, batch())
    monkeypatch.setattr(torch.Tensor, "is_cuda", True)
    actual = run_with_gradients(lambda x: there(x, LENGTHS), there, batch())
    monkeypatch.undo()
    assert_same(actual, expected, 1e-11)
    assert_same(buffers(there), buffers(model), 1e-12)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
@every_scope
def test_a_gpu_gives_the_same(scope):
    model = network(num_layers=2, bidirectional=True, scope=scope)
    there = copy.deepcopy(model).cuda()
    expected = run_with_gradients(lambda x: model(x, LENGTHS), model, batch())
    x = batch().cuda().requires_grad_()
    outputs, states = there(x, LENGTHS.cuda())
    sum((noise(*part.shape, seed=9).cuda() * part).sum() for part in (outputs, *states)).backward()
    actual = [outputs.detach(), *(s.detach() for s in states), x.grad, *(p.grad for p in there.parameters())]
    for ours, plain in zip(actual, expected, strict=True):
        assert_same(ours.cpu(), plain, 1e-10)
    assert_same({name: buffer.cpu() for name, buffer in buffers(there).items()}, buffers(model), 1e-11)


# Against torch's LSTM


def folded(model: BatchNormLSTM) -> nn.LSTM:
    """torch's LSTM with weights W * gain / sigma and biases shift - gain * mean / sigma."""
    plain = nn.LSTM(INPUT, HIDDEN, model.num_layers, batch_first=True, bidirectional=model.bidirectional).double()
    for name in [name.removeprefix("gain") for name, _ in model.named_parameters() if name.startswith("gain")]:
        given = {key.removesuffix(name): value for key, value in model.state_dict().items() if key.endswith(name)}
        mean, sigma = given["running_mean"], (given["running_var"] + model.eps).sqrt()
        mean, sigma = (part.repeat_interleave(4 * HIDDEN // len(part)) for part in (mean, sigma))
        scale = given["gain"] / sigma
        with torch.no_grad():
            getattr(plain, "weight_ih" + name).copy_(given["weight_ih"] * scale.unsqueeze(1))
            getattr(plain, "weight_hh" + name).copy_(given["weight_hh"])
            getattr(plain, "bias_ih" + name).copy_(given["shift"] - mean * scale)
            getattr(plain, "bias_hh" + name).zero_()
    return plain


def run_torch(plain: nn.LSTM, x: torch.Tensor, lengths: torch.Tensor):
    packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    outputs, states = plain(packed)
    return pad_packed_sequence(outputs, batch_first=True, total_length=x.shape[1])[0], states


@pytest.mark.parametrize("scope", ["all", "gate"])
@both_directions
@pytest.mark.parametrize("layers", [1, 2])
def test_in_evaluation_it_is_torchs_lstm_with_the_normalisation_folded_in(scope, bidirectional, layers):
    model = network(num_layers=layers, bidirectional=bidirectional, scope=scope).eval()
    x = padded(batch(), 0.0, more=2)
    assert_same(model(x, LENGTHS), run_torch(folded(model), x, LENGTHS), 1e-12)


@every_scope
def test_before_any_training_evaluation_takes_mean_0_and_variance_1(scope):
    model = BatchNormLSTM(INPUT, HIDDEN, bidirectional=True, scope=scope).double().eval()
    assert running(model, "mean").eq(0).all() and running(model, "var").eq(1).all()
    like_all = BatchNormLSTM(INPUT, HIDDEN, bidirectional=True).double()
    weights = {name: value for name, value in model.named_parameters()}
    like_all.load_state_dict(weights, strict=False)
    assert_same(model(batch(), LENGTHS), run_torch(folded(like_all), batch(), LENGTHS), 1e-12)


def test_weights_have_torchs_names_shapes_and_range_and_the_shift_is_the_only_bias():
    model = BatchNormLSTM(5, 40, num_layers=2, bidirectional=True)
    plain = nn.LSTM(5, 40, 2, bidirectional=True)
    shapes = {name: value.shape for name, value in plain.named_parameters() if name.startswith("weight")}
    ours = {name: value for name, value in model.named_parameters()}
    assert {name: value.shape for name, value in ours.items() if name.startswith("weight")} == shapes
    for name in shapes:
        assert 0.95 * 40**-0.5 < float(ours.pop(name).detach().abs().max()) <= 40**-0.5
    places = ["_l0", "_l0_reverse", "_l1", "_l1_reverse"]
    assert set(ours) == {kind + place for kind in ("gain", "shift") for place in places}
    for name, value in ours.items():
        assert_same(value.detach(), torch.full((160,), 1.0 if name.startswith("gain") else 0.0))


# The statistics


def unit_network(scope: str) -> BatchNormLSTM:
    """One feature, one unit, the gates' input weights 1, 2, 3, 4; running statistics are those of the last batch."""
    model = BatchNormLSTM(1, 1, bidirectional=True, scope=scope, momentum=1.0).double()
    for weight in (model.weight_ih_l0, model.weight_ih_l0_reverse):
        weight.data = torch.tensor([[1.0], [2], [3], [4]], dtype=torch.float64)
    return model


@pytest.mark.parametrize(
    "scope, mean, variance",
    [
        # Frames 1, 2, 4 and 3, times 1, 2, 3 and 4: mean 2.5 * 2.5, mean square 7.5 * 7.5.
        ("all", [6.25], [7.5 * 7.5 - 6.25**2]),
        ("gate", [2.5, 5, 7.5, 10], [1.25, 5, 11.25, 20]),
        # Step 0 has frames 1 and 3, step 1 has frame 2, step 2 has frame 4; no utterance has a step 3.
        ("frame", [5, 5, 10, 0], [7.5 * 5 - 25, 7.5 * 4 - 25, 7.5 * 16 - 100, 1]),
    ],
)
def test_statistics_by_hand_are_over_valid_frames_alone(scope, mean, variance):
    model = unit_network(scope)
    x = torch.tensor([[1.0, 2, 4, 100], [3, 100, 100, 100]], dtype=torch.float64).unsqueeze(2)
    model(x, torch.tensor([3, 1]))
    for kind, expected in (("mean", mean), ("var", variance)):
        expected = torch.tensor(expected, dtype=torch.float64).expand(2, -1)  # the same in both directions
        assert_same(running(model, kind)[:, : expected.shape[1]], expected, 1e-12)


@every_scope
def test_constants_alone_are_normalised_to_the_shift(scope):
    model = unit_network(scope)
    for weight in (model.weight_ih_l0, model.weight_ih_l0_reverse):
        weight.data.fill_(2)
    x = torch.ones(2, 3, 1, dtype=torch.float64)
    gate = torch.tensor([0.3, -0.2, 0.5, 1.0], dtype=torch.float64)
    model.shift_l0.data, model.weight_hh_l0.data = gate, torch.zeros(4, 1, dtype=torch.float64)
    outputs, _ = model(x, torch.tensor([1, 3]))
    i, _, g, o = gate
    assert_same(outputs[0, 0, 0], o.sigmoid() * (i.sigmoid() * g.tanh()).tanh(), 1e-12)


@every_scope
def test_a_scale_and_an_offset_of_the_input_contribution_are_normalised_away(scope):
    # A constant first feature with one weight for all gates and units is an offset that batch normalisation removes.
    model, x = network(bidirectional=True, scope=scope), batch()
    model.weight_ih_l0.data[:, 0] = model.weight_ih_l0_reverse.data[:, 0] = 1
    model.eps = 0.0
    x[..., 0] = 2
    expected = model(x, LENGTHS)
    x *= 5
    x[..., 0] -= 4
    assert_same(model(x, LENGTHS), expected, 1e-12)


def test_momentum_is_the_share_of_the_newest_batch():
    model = network(num_layers=2, bidirectional=True, momentum=0.3)
    newest = copy.deepcopy(model)
    newest.momentum = 1.0
    for seed in (1, 2):
        before = buffers(model)
        model(batch(seed=seed), LENGTHS)
        newest(batch(seed=seed), LENGTHS)
        for name, buffer in model.named_buffers():
            if name.startswith("running"):
                assert_same(buffer, 0.7 * before[name] + 0.3 * buffers(newest)[name], 1e-14)


def test_without_momentum_statistics_are_the_mean_over_batches_since_the_last_reset():
    model = network(num_layers=2, bidirectional=True, momentum=None)
    newest = copy.deepcopy(model)
    newest.momentum = 1.0
    model(100 * batch(seed=7), LENGTHS)
    model.reset_running_stats()
    moments = []
    for seed in (1, 2, 3):
        model(batch(seed=seed), LENGTHS)
        newest(batch(seed=seed), LENGTHS)
        moments.append(torch.stack([running(newest, "mean"), running(newest, "var")]))
        mean = torch.stack(moments).mean(dim=0)
        assert_same(torch.stack([running(model, "mean"), running(model, "var")]), mean, 1e-12)
        assert model.num_batches_tracked.tolist() == [seed]


def test_without_momentum_each_step_has_its_mean_over_the_batches_that_reach_it():
    model = unit_network("frame")
    model.momentum = None
    for frames in ([1.0], [2.0, 3.0], [6.0, 5.0, 4.0]):
        x = torch.tensor(frames, dtype=torch.float64).view(1, -1, 1)
        model(x, torch.tensor([len(frames)]))
    assert model.num_batches_tracked[:4].tolist() == [3, 2, 1, 0]
    expected = torch.tensor([2.5 * 3, 2.5 * 4, 2.5 * 4, 0], dtype=torch.float64)
    assert_same(running(model, "mean")[:, :4], expected.expand(2, -1), 1e-12)


def test_a_step_never_seen_in_training_is_normalised_as_the_last_seen_one():
    model = network(scope="frame", momentum=1.0)
    model(batch(torch.tensor([2, 3])), torch.tensor([2, 3]))
    model.eval()
    x, lengths = batch(torch.tensor([8])), torch.tensor([8])
    expected = model(x, lengths)
    for name in ("running_mean_l0", "running_var_l0"):
        getattr(model, name)[3:8] = getattr(model, name)[2]
    model.num_batches_tracked[:8] = 1
    assert_same(model(x, lengths), expected)


@every_scope
def test_evaluation_takes_the_running_statistics_and_leaves_them(scope):
    model = network(num_layers=2, bidirectional=True, scope=scope)
    model(batch(), LENGTHS)
    model.eval()
    before, expected = buffers(model), model(batch(), LENGTHS)[0][1]
    together = torch.cat([100 * batch(seed=1), batch()])  # loud company does not change what an utterance gives
    assert_same(model(together, LENGTHS.repeat(2))[0][len(LENGTHS) + 1], expected, 1e-12)
    assert_same(buffers(model), before)
    for name, buffer in model.named_buffers():
        if name.startswith("running_var"):
            buffer.mul_(4)
    assert (model(batch(), LENGTHS)[0][1] - expected).abs().max() > 1e-3


@every_scope
def test_after_a_reset_it_is_as_if_it_had_never_been_trained(scope):
    model = network(num_layers=2, bidirectional=True, scope=scope)
    model(batch(), LENGTHS)
    model.reset_running_stats()
    fresh = BatchNormLSTM(INPUT, HIDDEN, 2, bidirectional=True, scope=scope).double()
    assert_same(buffers(model), buffers(fresh))
    fresh.load_state_dict(dict(model.named_parameters()), strict=False)
    assert_same(model.eval()(batch(), LENGTHS), fresh.eval()(batch(), LENGTHS))


# Alone, in a batch, behind padding


@every_scope
@training_or_not
@pytest.mark.parametrize("fill", [0.0, 1e9, float("inf"), float("nan")])
def test_padding_and_whatever_is_in_it_change_nothing(scope, training, fill):
    results = []
    for x in (padded(batch(), 0.0), padded(batch(), fill, more=5)):
        model = network(num_layers=2, bidirectional=True, scope=scope).train(training)
        x.requires_grad_()
        outputs, states = model(x, LENGTHS)
        behind = ~valid(LENGTHS, x.shape[1])
        assert outputs.shape[1] == x.shape[1] and (outputs[behind] == 0).all()
        # Nor does it matter what the next layer has to say about padding.
        gradient = noise(*outputs[:, :TIME].shape)
        gradient = padded(gradient, fill, more=x.shape[1] - TIME)
        torch.autograd.backward([outputs, *states], [gradient, *(torch.ones_like(state) for state in states)])
        assert (x.grad[behind] == 0).all()
        gradients = [parameter.grad for parameter in model.parameters()]
        results.append((outputs.detach()[:, :TIME], *states, x.grad[:, :TIME], gradients, buffers(model)))
    for clean, filled in zip(*results, strict=True):
        assert_same(filled, clean)


@every_scope
@pytest.mark.parametrize("dtype, tolerance", [(torch.float64, 1e-12), (torch.float32, 1e-5)])
def test_in_evaluation_an_utterance_gives_the_same_alone_and_in_any_batch(scope, dtype, tolerance):
    model, x = network(dtype, num_layers=2, bidirectional=True, scope=scope).eval(), batch(dtype=dtype)
    model.num_batches_tracked.fill_(1)
    outputs, (h_n, c_n) = model(x, LENGTHS)
    for row, length in enumerate(LENGTHS.tolist()):
        alone, (h, c) = model(x[row : row + 1, :length], LENGTHS[row : row + 1])
        assert_same(outputs[row : row + 1, :length], alone, tolerance)
        assert_same((h_n[:, row : row + 1], c_n[:, row : row + 1]), (h, c), tolerance)


@every_scope
def test_the_order_of_a_batch_does_not_matter(scope):
    order = torch.tensor([3, 1, 0, 4, 2])
    one, other = (network(num_layers=2, bidirectional=True, scope=scope) for _ in range(2))
    outputs, (h_n, c_n) = one(batch(), LENGTHS)
    shuffled, (h, c) = other(batch()[order], LENGTHS[order])
    assert_same((shuffled, h, c), (outputs[order], h_n[:, order], c_n[:, order]), 1e-12)
    assert_same(buffers(other), buffers(one), 1e-12)


@training_or_not
def test_the_given_frames_and_lengths_are_left_alone(training):
    x, lengths = batch(), LENGTHS.clone()
    with torch.no_grad():
        network(bidirectional=True).train(training)(x, lengths)
    assert torch.equal(x, batch()) and torch.equal(lengths, LENGTHS)


@training_or_not
def test_without_gradients_it_computes_the_same(training):
    model = network(num_layers=2, bidirectional=True).train(training)
    expected = copy.deepcopy(model)(batch(), LENGTHS)
    for mode in (torch.no_grad, torch.inference_mode):
        with mode():
            actual = copy.deepcopy(model)(batch(), LENGTHS)
        assert_same(actual, tuple(expected))
        assert not actual[0].requires_grad


# Layout, precision, storage


@every_scope
@both_directions
def test_time_first_is_the_same_with_its_dimensions_swapped(scope, bidirectional):
    settings = {"num_layers": 2, "bidirectional": bidirectional, "scope": scope}
    expected, states = network(**settings)(batch(), LENGTHS)
    outputs, other = network(batch_first=False, **settings)(batch().transpose(0, 1), LENGTHS)
    assert_same(outputs.transpose(0, 1), expected)
    assert_same(other, states)


def test_states_are_those_after_the_last_valid_frame():
    outputs, (h_n, c_n) = network(num_layers=2, bidirectional=True)(batch(), LENGTHS)
    assert h_n.shape == c_n.shape == (4, len(LENGTHS), HIDDEN)
    assert_same(h_n[2], outputs[torch.arange(len(LENGTHS)), LENGTHS - 1, :HIDDEN])
    assert_same(h_n[3], outputs[:, 0, HIDDEN:])


@every_scope
def test_float32_is_close_to_float64(scope):
    lengths = torch.tensor([60, 31, 2])
    results = []
    for dtype in (torch.float64, torch.float32):
        model = network(dtype, num_layers=2, bidirectional=True, scope=scope)
        x = batch(lengths, dtype=dtype).requires_grad_()
        outputs, states = model(x, lengths)
        outputs.square().sum().backward()
        values = (outputs.detach(), *states, x.grad, *(p.grad for p in model.parameters()), running(model, "var"))
        assert all(value.dtype == dtype for value in values)
        results.append([value.double() / value.double().abs().max() for value in values])
    for double, single in zip(*results, strict=True):
        assert_same(single, double, 1e-5)


@every_scope
def test_weights_and_statistics_come_back_from_a_file(scope):
    model = network(num_layers=2, bidirectional=True, scope=scope)
    model(batch(), LENGTHS)
    expected = model.eval()(batch(), LENGTHS)
    stored = safetensors.torch.load(safetensors.torch.save(model.state_dict()))
    for state in (model.state_dict(), stored):
        again = BatchNormLSTM(INPUT, HIDDEN, 2, bidirectional=True, scope=scope).double().eval()
        again.load_state_dict(state)
        assert_same(again(batch(), LENGTHS), expected)
        assert_same(buffers(again), buffers(model))


# What cannot be run


@pytest.mark.parametrize(
    "shape, lengths, message",
    [
        ((2, 5, INPUT), [5, 0], "length 0 is out of range"),
        ((2, 5, INPUT), [-1, 5], "length -1 is out of range"),
        ((2, 5, INPUT), [5, 6], "length 6 is out of range: it must be from 1 to the 5"),
        ((2, 5, INPUT), [5], "do not fit a batch of 2"),
        ((2, 5, INPUT), [[5], [5]], "do not fit a batch of 2"),
        ((2, 5, INPUT), [5.0, 5.0], "torch.float32 lengths"),
        ((0, 5, INPUT), [], "one utterance at least"),
        ((2, 5, INPUT + 1), [5, 5], r"it should be \(batch, time, 4\)"),
        ((5, INPUT), [5, 5], r"it should be \(batch, time, 4\)"),
    ],
)
def test_lengths_and_shapes_that_do_not_fit_are_value_errors(shape, lengths, message):
    with pytest.raises(ValueError, match=message) as caught:
        network()(torch.zeros(shape, dtype=torch.float64), torch.tensor(lengths))
    assert isinstance(caught.value, SerError)


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"scope": "feature"}, "there is no scope 'feature'; there are: all, gate, frame"),
        ({"momentum": 0.0}, "momentum = 0.0 must be above 0"),
        ({"momentum": -0.1}, "momentum = -0.1 must be above 0"),
        ({"momentum": 1.5}, "momentum = 1.5 must be above 0 and at most 1"),
        ({"momentum": float("nan")}, "momentum = nan must be"),
    ],
)
def test_settings_out_of_range_are_value_errors(settings, message):
    with pytest.raises(ValueError, match=message) as caught:
        BatchNormLSTM(INPUT, HIDDEN, **settings)
    assert isinstance(caught.value, SerError)


def test_the_constant_of_eq_3_is_torchs_unless_it_is_given():
    assert BatchNormLSTM(INPUT, HIDDEN).eps == nn.BatchNorm1d(1).eps == 1e-5

"""The network: an utterance scores the same alone, in any batch and behind any padding; and describe() counts right."""

import pytest
import torch
from torch import nn

from ser_lib.experiments import CONVOLUTIONS
from ser_lib.model import ConvLSTM, describe, layer_of, receptive_field
from ser_lib.strip import lay

BINS = 33
KERNELS = [(5, 5), (3, 3), (3, 5), (1, 3), (3, 1), (3, 3)]
STRIDES = [(2, 2), (2, 1), (2, 3), (1, 2), (1, 1), (2, 2)]
LENGTHS = torch.tensor([23, 1, 40, 7, 8, 9])


def network(convolutions: int = 4, lstm_layers: int = 1, dtype=torch.float64, **settings: str) -> ConvLSTM:
    """A small network whose biases are not zero, so that padding shows wherever it is not cleared."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(convolutions * 10 + lstm_layers)
        filters = [2, 3, 4, 3, 2, 3][:convolutions]
        model = ConvLSTM(BINS, filters, KERNELS[:convolutions], STRIDES[:convolutions], 5, lstm_layers, **settings)
        for layer in model.convolutions:
            nn.init.uniform_(layer.bias, 0.1, 1)
    return model.to(dtype)


def pictures(frames: int = 40, dtype=torch.float64) -> torch.Tensor:
    return torch.randn(len(LENGTHS), BINS, frames, generator=torch.Generator().manual_seed(0)).to(dtype)


def convolved(model: ConvLSTM, maps: torch.Tensor) -> torch.Tensor:
    """The convolutions applied one after another to one utterance, (1, 1, bins, frames), by what was asked for."""
    for layer, stride in zip(model.convolutions, STRIDES, strict=False):
        padding = [size // 2 for size in layer.kernel_size]
        step = stride if model.pooling == "none" else 1
        maps = torch.relu(nn.functional.conv2d(maps, layer.weight, layer.bias, step, padding))
        if model.pooling == "max":
            maps = nn.functional.max_pool2d(maps, stride, ceil_mode=True)
    return maps.permute(0, 3, 1, 2).flatten(2)


def features_of(model: ConvLSTM, batch: torch.Tensor, lengths: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """What the convolutions make of padded spectrograms: (batch, steps, features), and the steps of each."""
    strip = lay(lengths, model.layout)
    features, strip = model.convolve(strip.laid(batch), strip)
    return strip.padded(features), strip.lengths


def padded(values: torch.Tensor, fill: float, more: int = 0) -> torch.Tensor:
    """The same utterances with ``fill`` behind each one's length, and ``more`` frames of it behind the longest."""
    values = nn.functional.pad(values, (0, more), value=fill)
    return torch.where(torch.arange(values.shape[-1]) < LENGTHS[:, None, None], values, fill)


every_depth = pytest.mark.parametrize("convolutions", range(1, 7))
both_aggregations = pytest.mark.parametrize("aggregation", ["mean", "last"])
every_reduction = pytest.mark.parametrize("pooling", ["none", "max"])
TECHNIQUES = [{"pooling": "max"}, *({"recurrent_normalisation": scope} for scope in ("all", "gate", "frame"))]
every_technique = pytest.mark.parametrize("technique", TECHNIQUES, ids=str)


# Shapes and lengths


@every_depth
@pytest.mark.parametrize("lstm_layers", range(1, 5))
def test_one_to_six_convolutions_and_one_to_four_lstm_layers_give_a_score_per_class(convolutions, lstm_layers):
    model = network(convolutions, lstm_layers)
    assert len(model.convolutions) == convolutions and model.lstm.num_layers == lstm_layers
    logits = model(pictures(), LENGTHS)
    assert logits.shape == (6, 4) and logits.isfinite().all()
    assert (logits[0] != logits[1]).any()


@every_reduction
@every_depth
@pytest.mark.parametrize("frames", [1, 2, 3, 12, 13, 37])
def test_the_valid_length_is_what_the_convolutions_leave_of_the_utterance_alone(convolutions, frames, pooling):
    model = network(convolutions, pooling=pooling)
    plain = torch.randn(1, 1, BINS, frames, dtype=torch.float64)
    features, lengths = features_of(model, plain[0], torch.tensor([frames]))
    expected = convolved(model, plain)
    assert lengths.tolist() == [expected.shape[1]] == [features.shape[1]]
    torch.testing.assert_close(features, expected)


@every_depth
def test_pooling_leaves_as_many_bins_and_frames_as_strides_do(convolutions):
    strided, pooled = (features_of(network(convolutions, pooling=way), pictures(), LENGTHS) for way in ("none", "max"))
    assert pooled[0].shape == strided[0].shape and torch.equal(pooled[1], strided[1])


@both_aggregations
@pytest.mark.parametrize("technique", [{}, *TECHNIQUES], ids=str)
def test_scores_are_those_of_the_layers_applied_one_after_another(aggregation, technique):
    model = network(aggregation=aggregation, **technique).eval()
    picture = torch.randn(1, BINS, 30, dtype=torch.float64)
    features = convolved(model, picture.unsqueeze(1))
    steps = [torch.tensor([features.shape[1]])] if "recurrent_normalisation" in technique else []
    outputs, _ = model.lstm(features, *steps)
    forward, backward = outputs[0].chunk(2, dim=1)
    summary = outputs[0].mean(dim=0) if aggregation == "mean" else torch.cat([forward[-1], backward[0]])
    torch.testing.assert_close(model(picture, torch.tensor([30]))[0], model.dense(summary))


# Alone, in a batch, behind padding


@both_aggregations
@every_depth
@pytest.mark.parametrize("dtype, tolerance", [(torch.float64, 1e-10), (torch.float32, 1e-5)])
def test_an_utterance_scores_the_same_alone_and_in_a_batch_with_longer_ones(
    convolutions, aggregation, dtype, tolerance
):
    model, batch = network(convolutions, 2, dtype, aggregation=aggregation), pictures(dtype=dtype)
    together = model(batch, LENGTHS).softmax(dim=1)
    for row, length in enumerate(LENGTHS):
        alone = model(batch[row : row + 1, :, :length], LENGTHS[row : row + 1]).softmax(dim=1)
        torch.testing.assert_close(together[row], alone[0], rtol=0, atol=tolerance)


@both_aggregations
@every_technique
def test_with_a_technique_too_an_utterance_scores_the_same_alone_and_in_any_batch(aggregation, technique):
    model, batch = network(lstm_layers=2, aggregation=aggregation, **technique), pictures()
    model(batch, LENGTHS)  # in training: running statistics that are not the first ones
    model.eval()
    together = model(batch, LENGTHS)
    for row, length in enumerate(LENGTHS):
        alone = model(batch[row : row + 1, :, :length], LENGTHS[row : row + 1])
        torch.testing.assert_close(together[row], alone[0], rtol=0, atol=1e-12)


@pytest.mark.parametrize("technique", [{"aggregation": "mean"}, {"aggregation": "last"}, *TECHNIQUES], ids=str)
@pytest.mark.parametrize("fill", [0.0, 1e6, -1e6, float("inf"), float("nan")])
def test_more_padding_and_whatever_is_in_it_change_neither_scores_nor_gradients(technique, fill):
    model, batch = network(lstm_layers=2, **technique), pictures()
    results = []
    for given in (padded(batch, 0.0), padded(batch, fill, more=17)):
        given.requires_grad_()
        model.zero_grad()
        logits = model(given, LENGTHS)
        logits.square().sum().backward()
        parameters = torch.cat([parameter.grad.flatten() for parameter in model.parameters()])
        results.append((logits.detach(), parameters, given.grad[..., :40]))
        behind = torch.arange(given.shape[-1]) >= LENGTHS[:, None, None]
        assert (given.grad.masked_select(behind) == 0).all()
    for plain, filled in zip(*results, strict=True):
        torch.testing.assert_close(filled, plain, rtol=0, atol=1e-10)


@every_reduction
@pytest.mark.parametrize("convolutions", [1, 2, 4])
def test_no_convolution_hands_padding_on(convolutions, pooling):
    model = network(convolutions, pooling=pooling)
    strip = lay(LENGTHS, model.layout)
    features, strip = model.convolve(strip.laid(pictures()), strip)
    between = torch.zeros(len(features), dtype=torch.bool).index_fill_(0, strip.gaps(), True)
    assert (features[between] == 0).all() and (features[~between] != 0).any(dim=1).all()


def test_the_order_of_a_batch_does_not_matter():
    model, batch = network(), pictures()
    order = torch.tensor([3, 1, 0, 5, 4, 2])
    torch.testing.assert_close(model(batch[order], LENGTHS[order]), model(batch, LENGTHS)[order], rtol=0, atol=1e-12)


def test_the_given_spectrograms_are_left_alone():
    batch = pictures()
    before = batch.clone()
    network()(batch, LENGTHS)
    assert torch.equal(batch, before)


@every_reduction
def test_the_gradient_is_right(pooling):
    model, batch = network(2, pooling=pooling), pictures(6)[:2].requires_grad_()
    assert torch.autograd.gradcheck(lambda given: model(given, torch.tensor([5, 3])), batch, fast_mode=True)


def test_initial_weights_follow_from_the_seed():
    first, again = network(), network()
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))


# What a network is made of


@pytest.mark.parametrize("convolutions", CONVOLUTIONS)
def test_the_receptive_field_is_what_one_output_depends_on(convolutions):
    stack = CONVOLUTIONS[convolutions]
    model = ConvLSTM(257, **stack, hidden_size=2, lstm_layers=1)
    for layer in model.convolutions:  # nothing is cut off or cancels out: everything that is seen has a gradient
        nn.init.uniform_(layer.weight, 0.5, 1)
    picture = torch.ones(1, 257, 60, requires_grad=True)
    features, _ = features_of(model, picture, torch.tensor([60]))
    maps = features.unflatten(2, (32, -1))  # (batch, steps, channels, bins)
    maps[0, maps.shape[1] // 2, :, maps.shape[3] // 2].sum().backward()
    seen = picture.grad[0] != 0
    bins, frames = receptive_field(stack["kernels"], stack["strides"])
    assert (int(seen.any(dim=1).sum()), int(seen.any(dim=0).sum())) == (bins, frames)
    assert int(seen.sum()) == bins * frames


@every_reduction
@pytest.mark.parametrize("convolutions, lstm_layers", [(1, 1), (4, 1), (6, 4)])
def test_described_multiply_adds_are_those_counted_while_it_runs(convolutions, lstm_layers, pooling):
    model, frames = network(convolutions, lstm_layers, pooling=pooling), 37
    counted, shapes = {}, {}

    maps = torch.randn(1, 1, BINS, frames, dtype=torch.float64)
    for number, (layer, stride) in enumerate(zip(model.convolutions, STRIDES, strict=False), start=1):
        maps = layer(maps)
        height, width = layer.kernel_size
        counted[f"conv {number}"] = maps.numel() * layer.in_channels * height * width
        if pooling == "max":
            maps = nn.functional.max_pool2d(maps, stride, ceil_mode=True)
        shapes[f"conv {number}"] = " × ".join(map(str, maps.shape[1:]))
    steps, size = maps.shape[3], maps.shape[1] * maps.shape[2]
    for number in range(1, lstm_layers + 1):  # four gates, two directions, input and recurrence
        counted[f"lstm {number}"] = steps * 2 * 4 * 5 * (size + 5)
        shapes[f"lstm {number}"] = f"10 × {steps}"
        size = 10
    counted["dense"], shapes["dense"] = 10 * 4, "4"

    table = describe(model, frames).set_index("layer")
    assert list(table.index) == [*counted, "total"]
    assert table["multiply_adds"].to_dict() == counted | {"total": sum(counted.values())}
    assert table["output"].drop("total").to_dict() == shapes


@pytest.mark.parametrize("normalisation", ["none", "all"])
@pytest.mark.parametrize("convolutions, lstm_layers", [(1, 1), (4, 1), (6, 4)])
def test_every_parameter_belongs_to_one_described_layer(convolutions, lstm_layers, normalisation):
    model = network(convolutions, lstm_layers, recurrent_normalisation=normalisation)
    sizes = {}
    for name, parameter in model.named_parameters():
        sizes[layer_of(name)] = sizes.get(layer_of(name), 0) + parameter.numel()
    table = describe(model).set_index("layer")["parameters"]
    assert table.drop("total").to_dict() == sizes
    assert table["total"] == sum(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize(
    "parameter, layer",
    [
        ("convolutions.0.weight", "conv 1"),
        ("convolutions.5.bias", "conv 6"),
        ("lstm.weight_ih_l0", "lstm 1"),
        ("lstm.weight_hh_l3_reverse", "lstm 4"),
        ("lstm.bias_ih_l1_reverse", "lstm 2"),
        ("lstm.gain_l0", "lstm 1"),
        ("lstm.shift_l2_reverse", "lstm 3"),
        ("dense.weight", "dense"),
    ],
)
def test_layers_are_named_as_the_pages_call_them(parameter, layer):
    assert layer_of(parameter) == layer


def test_convolutions_start_as_he_et_al_say_and_without_a_bias():
    """Weights of variance 2 / fan-in, so that ReLU keeps the scale from layer to layer."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = ConvLSTM(BINS, [64, 64], [(5, 5), (3, 3)], [(2, 2), (2, 2)], 5, 1)
    for layer, fan_in in zip(model.convolutions, (25, 64 * 9), strict=True):
        assert layer.weight.std().item() == pytest.approx((2 / fan_in) ** 0.5, rel=0.1)
        assert (layer.bias == 0).all()


@pytest.mark.parametrize("technique", [{}, {"recurrent_normalisation": "all"}], ids=str)
def test_of_several_bi_lstm_layers_the_last_states_are_the_last_layers(technique):
    model = network(lstm_layers=3, aggregation="last", **technique).eval()
    picture = torch.randn(1, BINS, 30, dtype=torch.float64)
    features = convolved(model, picture.unsqueeze(1))
    steps = [torch.tensor([features.shape[1]])] if technique else []
    forward, backward = model.lstm(features, *steps)[0][0].chunk(2, dim=1)
    expected = model.dense(torch.cat([forward[-1], backward[0]]))
    torch.testing.assert_close(model(picture, torch.tensor([30]))[0], expected)

"""BetaSGD: eq. 6 by hand, what β is and is not, groups by module, schedules."""

import math

import pytest
import torch

from ser_lib.errors import SerError
from ser_lib.model import ConvLSTM
from ser_lib.optim import SCHEDULED, SHAPES, BetaSGD, Schedule, layer_groups

STEPS = 50


def parameter(*values: float) -> torch.nn.Parameter:
    return torch.nn.Parameter(torch.tensor(values, dtype=torch.float64))


def small_network() -> torch.nn.Sequential:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.Tanh(), torch.nn.Linear(8, 2)).double()


def differentiate(network: torch.nn.Module) -> None:
    generator = torch.Generator().manual_seed(1)
    pictures, targets = (torch.randn(16, size, dtype=torch.float64, generator=generator) for size in (3, 2))
    network.zero_grad()
    (network(pictures) - targets).square().mean().backward()


def trained(make, schedule=lambda optimizer, step: None) -> torch.Tensor:
    """All weights of the small network after ``STEPS`` steps; the schedule sets the values of the step to come."""
    network = small_network()
    optimizer = make(network)
    for step in range(STEPS):
        schedule(optimizer, step)
        differentiate(network)
        optimizer.step()
    return torch.nn.utils.parameters_to_vector(network.parameters()).detach()


def by_the_equation(eta, gamma: float, beta) -> torch.Tensor:
    """As ``trained``, by a plain loop over eq. 6; ``eta`` and ``beta`` are functions of the step."""
    network = small_network()
    velocities = [torch.zeros_like(w) for w in network.parameters()]
    for step in range(STEPS):
        differentiate(network)
        with torch.no_grad():
            for position, w in enumerate(network.parameters()):
                velocities[position] = velocities[position] * gamma + eta(step) * w.grad
                w -= beta(step) * velocities[position]
    return torch.nn.utils.parameters_to_vector(network.parameters()).detach()


def same(actual: torch.Tensor, expected: torch.Tensor) -> None:
    torch.testing.assert_close(actual, expected, rtol=0, atol=1e-12)


def apart(one: torch.Tensor, other: torch.Tensor) -> bool:
    return float((one - other).abs().max()) > 1e-3


def network_of_the_paper() -> ConvLSTM:
    """The paper's kind of network, as small as it can be."""
    torch.manual_seed(0)
    return ConvLSTM(9, [2, 2], [(3, 3)] * 2, [(2, 2)] * 2, hidden_size=2, lstm_layers=2)


# Eq. 6


def test_eq_6_by_hand():
    # J = w² / 2, whose gradient is w; η = 0.1, γ = 0.5, β = 2.
    # v1 = 0.5 · 0    + 0.1 · 1    = 0.1      w1 = 1    - 2 · 0.1    = 0.8
    # v2 = 0.5 · 0.1  + 0.1 · 0.8  = 0.13     w2 = 0.8  - 2 · 0.13   = 0.54
    # v3 = 0.5 · 0.13 + 0.1 · 0.54 = 0.119    w3 = 0.54 - 2 · 0.119  = 0.302
    w = parameter(1.0)
    optimizer = BetaSGD([w], lr=0.1, momentum=0.5, beta=2.0)
    for velocity, position in ((0.1, 0.8), (0.13, 0.54), (0.119, 0.302)):
        w.grad = w.detach().clone()
        optimizer.step()
        same(optimizer.state[w]["velocity"], torch.tensor([velocity], dtype=torch.float64))
        same(w.detach(), torch.tensor([position], dtype=torch.float64))


def test_the_first_step_already_moves_by_the_new_velocity():
    w = parameter(3.0)
    optimizer = BetaSGD([w], lr=0.25, momentum=0.9, beta=4.0)
    w.grad = torch.ones_like(w)
    optimizer.step()
    same(w.detach(), torch.tensor([2.0], dtype=torch.float64))


def test_beta_does_not_accumulate_in_the_velocity():
    # Constant gradient 1, η = 1, γ = 0.5: v = 1, 1.5, 1.75 whatever β; with β = 4 inside, it would be 4, 12, 28.
    w = parameter(0.0)
    optimizer = BetaSGD([w], lr=1.0, momentum=0.5, beta=4.0)
    moved = []
    for _ in range(3):
        w.grad = torch.ones_like(w)
        before = w.item()
        optimizer.step()
        moved.append(before - w.item())
    assert moved == [4 * 1, 4 * 1.5, 4 * 1.75]


def test_momentum_carries_on_when_the_gradient_is_zero():
    w = parameter(0.0)
    optimizer = BetaSGD([w], lr=1.0, momentum=0.5, beta=2.0)
    for gradient, position in ((1.0, -2.0), (0.0, -3.0), (0.0, -3.5)):
        w.grad = torch.full_like(w, gradient)
        optimizer.step()
        assert w.item() == position


def test_weight_decay_adds_its_share_of_the_weight_to_the_gradient():
    # v = 0.1 · (1 + 0.5 · 2) = 0.2; w = 2 - 3 · 0.2
    w = parameter(2.0)
    w.grad = torch.ones_like(w)
    BetaSGD([w], lr=0.1, momentum=0.9, beta=3.0, weight_decay=0.5).step()
    same(w.detach(), torch.tensor([1.4], dtype=torch.float64))
    assert w.grad.item() == 1  # the gradient itself is left alone: Fig. 3 looks at it


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("weight_decay", [0.0, 0.01])
def test_with_beta_one_and_a_constant_rate_it_is_pytorchs_sgd(momentum, weight_decay):
    settings = {"lr": 0.05, "momentum": momentum, "weight_decay": weight_decay}
    ours = trained(lambda network: BetaSGD(network.parameters(), **settings))
    same(ours, trained(lambda network: torch.optim.SGD(network.parameters(), **settings)))


# What β is: a rescaled learning rate, until something changes in training


@pytest.mark.parametrize("weight_decay", [0.0, 0.01])
@pytest.mark.parametrize("eta, beta", [(0.05, 2.0), (0.2, 0.3), (1e-3, 70.0)])
def test_a_constant_beta_is_a_rescaled_learning_rate(eta, beta, weight_decay):
    def weights(lr, beta):
        return trained(lambda network: BetaSGD(network.parameters(), lr, 0.9, beta, weight_decay))

    same(weights(eta, beta), weights(eta * beta, 1.0))
    same(weights(eta, beta), weights(1.0, eta * beta))
    assert apart(weights(eta, beta), weights(eta, 1.0))


def test_a_constant_beta_of_each_module_is_a_rescaled_learning_rate_of_it():
    def weights(first, second):
        return trained(lambda network: BetaSGD(layer_groups(network, 0.01, **{"0": first, "2": second}), lr=0.05))

    # γ differs between the modules, too
    split = weights({"lr": 0.1, "beta": 0.5, "momentum": 0.9}, {"lr": 0.02, "beta": 3.0, "momentum": 0.5})
    same(split, weights({"lr": 0.05, "beta": 1.0, "momentum": 0.9}, {"lr": 0.06, "beta": 1.0, "momentum": 0.5}))
    same(split, weights({"lr": 1.0, "beta": 0.05, "momentum": 0.9}, {"lr": 1.0, "beta": 0.06, "momentum": 0.5}))
    assert apart(split, weights({"lr": 0.06, "beta": 1.0, "momentum": 0.9}, {"lr": 0.05, "momentum": 0.5}))


def scheduled(setting: str, shape: str) -> torch.Tensor:
    schedules = {}

    def schedule(optimizer, step):
        schedules.setdefault("it", Schedule(optimizer, setting, shape)).set(step / STEPS)

    return trained(lambda network: BetaSGD(network.parameters(), lr=0.05, momentum=0.9, beta=1.0), schedule)


def pytorch_scheduled(shape: str) -> torch.Tensor:
    schedules = {}

    def schedule(optimizer, step):
        if step == 0:  # LambdaLR sets the values of the first step when it is made
            schedules["it"] = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: SHAPES[shape](step / STEPS))
        else:
            schedules["it"].step()

    return trained(lambda network: torch.optim.SGD(network.parameters(), lr=0.05, momentum=0.9), schedule)


@pytest.mark.parametrize("shape", ["cosine", "warmup"])
def test_to_schedule_beta_is_what_pytorch_calls_a_learning_rate_schedule(shape):
    same(scheduled("beta", shape), pytorch_scheduled(shape))
    same(scheduled("beta", shape), by_the_equation(lambda step: 0.05, 0.9, lambda step: SHAPES[shape](step / STEPS)))


@pytest.mark.parametrize("shape", ["cosine", "warmup"])
def test_to_schedule_eta_is_something_else(shape):
    expected = by_the_equation(lambda step: 0.05 * SHAPES[shape](step / STEPS), 0.9, lambda step: 1.0)
    same(scheduled("lr", shape), expected)
    assert apart(scheduled("lr", shape), pytorch_scheduled(shape))


def test_a_lower_beta_rescales_past_velocity_at_once_and_a_lower_eta_does_not():
    moved = {}
    for setting in ("beta", "lr"):
        w = parameter(0.0)
        optimizer = BetaSGD([w], lr=1.0, momentum=0.5)
        w.grad = torch.ones_like(w)
        optimizer.step()
        optimizer.param_groups[0][setting] = 0.0
        optimizer.step()
        moved[setting] = -1 - w.item()
    assert moved == {"beta": 0.0, "lr": 0.5}


# Groups, parameters that rest, states


def test_every_setting_is_the_groups_own():
    settings = [{"lr": 0.5}, {"momentum": 0.25}, {"beta": 3.0}, {"weight_decay": 0.5}, {}]
    weights = [parameter(1.0) for _ in settings]
    groups = [{"params": [w], **own} for w, own in zip(weights, settings, strict=True)]
    optimizer = BetaSGD(groups, lr=1.0, momentum=0.5, beta=1.0)
    for _ in range(2):
        for w in weights:
            w.grad = torch.ones_like(w)
        optimizer.step()
    # The gradient is 1. Without own settings: v = 1, 1.5, w = 1 - 2.5.
    # With weight decay 0.5: v = 1.5, w = -0.5; v = 0.75 + 1 - 0.25 = 1.5, w = -2.
    assert [w.item() for w in weights] == [1 - 1.25, 1 - 2.25, 1 - 7.5, -2.0, 1 - 2.5]


def test_parameters_without_a_gradient_are_left_alone():
    moving, resting, never = parameter(1.0), parameter(1.0), parameter(1.0)
    optimizer = BetaSGD([{"params": [moving, resting]}, {"params": [never]}], lr=0.5, momentum=0.5, weight_decay=0.1)
    moving.grad, resting.grad = torch.ones_like(moving), torch.ones_like(resting)
    optimizer.step()
    resting.grad = None
    before, velocity = resting.item(), optimizer.state[resting]["velocity"].item()
    optimizer.step()
    assert (resting.item(), optimizer.state[resting]["velocity"].item()) == (before, velocity)
    assert moving.item() != before
    assert never.item() == 1 and never not in optimizer.state


def test_a_closure_is_called_once_with_gradients_on_and_its_loss_returned():
    w = parameter(2.0)
    optimizer = BetaSGD([w], lr=0.5)
    calls = []

    def closure():
        optimizer.zero_grad()
        loss = w.square().sum()
        loss.backward()
        calls.append(loss.item())
        return loss

    assert optimizer.step(closure).item() == 4.0
    assert calls == [4.0] and w.item() == 0.0
    assert optimizer.step() is None


def test_a_loaded_state_goes_on_as_if_nothing_had_happened(tmp_path):
    def start():
        network = small_network()
        own = {"0": {"lr": 0.1, "beta": 2.0}, "2": {"momentum": 0.5}}
        optimizer = BetaSGD(layer_groups(network, 0.01, **own), lr=0.05, momentum=0.9)
        return network, optimizer, Schedule(optimizer, "beta", "cosine")

    def go_on(network, optimizer, schedule, steps):
        for step in steps:
            schedule.set(step / 10)
            differentiate(network)
            optimizer.step()

    first, optimizer, schedule = start()
    go_on(first, optimizer, schedule, range(5))
    torch.save({"network": first.state_dict(), "optimizer": optimizer.state_dict()}, tmp_path / "state.pt")
    saved = torch.load(tmp_path / "state.pt", weights_only=True)
    second, loaded, again = start()
    second.load_state_dict(saved["network"])
    loaded.load_state_dict(saved["optimizer"])
    assert torch.equal(loaded.update_norm(list(second.parameters())), optimizer.update_norm(list(first.parameters())))
    assert [group["name"] for group in loaded.param_groups] == [group["name"] for group in optimizer.param_groups]
    go_on(first, optimizer, schedule, range(5, 10))
    go_on(second, loaded, again, range(5, 10))
    for one, other in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(one, other)


# Settings out of range

OUT_OF_RANGE = [
    ("lr", 0.0), ("lr", -0.1), ("lr", math.nan), ("lr", math.inf), ("lr", "1e-3"),
    ("momentum", -0.1), ("momentum", 1.0), ("momentum", 1.5), ("momentum", math.nan), ("momentum", None),
    ("beta", 0.0), ("beta", -1.0), ("beta", math.nan), ("beta", math.inf),
    ("weight_decay", -1e-4), ("weight_decay", math.nan), ("weight_decay", math.inf),
]  # fmt: skip


@pytest.mark.parametrize("setting, value", OUT_OF_RANGE)
def test_a_setting_out_of_range_is_a_value_error_that_names_it(setting, value):
    message = f"{setting} = {value!r} is out of range: it must be a finite number, "
    optimizer = BetaSGD([parameter(1.0)], lr=0.1)
    for make in (
        lambda: BetaSGD([parameter(1.0)], **{"lr": 0.1, setting: value}),
        lambda: BetaSGD([{"params": [parameter(1.0)], setting: value}], lr=0.1),
        lambda: optimizer.add_param_group({"params": [parameter(1.0)], setting: value}),
    ):
        with pytest.raises(ValueError) as caught:
            make()
        assert isinstance(caught.value, SerError)
        assert str(caught.value).startswith(message)
    assert len(optimizer.param_groups) == 1


def test_a_default_out_of_range_is_refused_even_if_every_group_has_its_own():
    with pytest.raises(SerError, match="lr = -1 is out of range"):
        BetaSGD([{"params": [parameter(1.0)], "lr": 0.1}], lr=-1)


def test_settings_at_the_edge_of_their_range_are_accepted():
    BetaSGD([parameter(1.0)], lr=1e-12, momentum=0.0, beta=1e-12, weight_decay=0.0)
    BetaSGD([parameter(1.0)], lr=1e3, momentum=0.999, beta=1e3, weight_decay=1e3)
    BetaSGD([parameter(1.0)], lr=1, momentum=0, beta=2, weight_decay=0)


def test_an_unknown_key_of_a_group_is_refused():
    with pytest.raises(SerError, match="there is no setting 'momentun'; did you mean 'momentum'"):
        BetaSGD([{"params": [parameter(1.0)], "momentun": 0.5}], lr=0.1)


# The size of an update


def test_update_norm_is_how_far_the_parameters_moved_also_when_a_schedule_changes_beta_between_steps():
    network = small_network()
    own = {"0": {"lr": 0.1, "beta": 3.0}, "2": {"momentum": 0.5, "beta": 0.2}}
    optimizer = BetaSGD(layer_groups(network, 0.01, **own), lr=0.05, momentum=0.9)
    schedule = Schedule(optimizer, "beta", "cosine")
    members = [list(network.parameters()), list(network[0].parameters()), [network[2].weight], [network[2].bias]]
    for step in range(6):
        differentiate(network)
        before = [[w.detach().clone() for w in some] for some in members]
        optimizer.step()
        schedule.set((step + 1) / 6)
        for some, old in zip(members, before, strict=True):
            moved = torch.cat([(a - b).detach().flatten() for a, b in zip(some, old, strict=True)]).norm()
            norm = optimizer.update_norm(some)
            assert norm.shape == () and not norm.requires_grad
            assert float(moved) > 0
            same(norm, moved)


def test_what_did_not_move_adds_nothing_to_the_update_norm():
    moving, resting = parameter(1.0), parameter(1.0, 2.0)
    optimizer = BetaSGD([moving, resting], lr=0.5, momentum=0.5)
    assert optimizer.update_norm([moving, resting]).item() == 0
    moving.grad, resting.grad = torch.ones_like(moving), torch.ones_like(resting)
    optimizer.step()
    assert optimizer.update_norm([resting]).item() == pytest.approx(0.5 * math.sqrt(2))
    resting.grad = None
    optimizer.step()
    assert optimizer.update_norm([resting]).item() == 0
    assert optimizer.update_norm([moving, resting]).item() == 0.75


# Groups of the paper's network


def test_every_parameter_is_in_exactly_one_group():
    model = network_of_the_paper()
    grouped = [id(w) for group in layer_groups(model, 1e-4) for w in group["params"]]
    assert len(grouped) == len(set(grouped))
    assert set(grouped) == {id(w) for w in model.parameters()}


def test_groups_are_named_by_module():
    groups = layer_groups(network_of_the_paper(), 1e-4)
    modules = ["convolutions", "lstm", "dense"]
    assert [group["name"] for group in groups] == [f"{m} {kind}" for m in modules for kind in ("weights", "biases")]
    assert [group["module"] for group in groups] == [m for m in modules for _ in range(2)]


def test_weight_decay_is_on_matrices_alone():
    model = network_of_the_paper()
    groups = layer_groups(model, 1e-4, lstm={"weight_decay": 0.3})
    decay = {id(w): group["weight_decay"] for group in groups for w in group["params"]}
    for name, w in model.named_parameters():
        matrix = 0.3 if name.startswith("lstm") else 1e-4
        assert decay[id(w)] == (matrix if "weight" in name else 0.0), name


def test_a_modules_own_settings_reach_its_parameters_and_no_others():
    model = network_of_the_paper()
    own = {"convolutions": {"lr": 0.04}, "lstm": {"momentum": 0.5, "beta": 2.0}}
    optimizer = BetaSGD(layer_groups(model, 1e-4, **own), lr=0.01, momentum=0.9)
    settings = {id(w): group for group in optimizer.param_groups for w in group["params"]}
    for name, w in model.named_parameters():
        expected = {"lr": 0.01, "momentum": 0.9, "beta": 1.0} | own.get(name.partition(".")[0], {})
        assert {key: settings[id(w)][key] for key in expected} == expected, name


def test_a_step_with_such_groups_moves_every_parameter():
    model = network_of_the_paper()
    before = {name: w.detach().clone() for name, w in model.named_parameters()}
    optimizer = BetaSGD(layer_groups(model, 1e-4, lstm={"beta": 2.0}), lr=0.01, momentum=0.9)
    pictures = torch.randn(2, 9, 12, generator=torch.Generator().manual_seed(2))
    model(pictures, torch.tensor([12, 9])).square().sum().backward()
    optimizer.step()
    for name, w in model.named_parameters():
        assert not torch.equal(w, before[name]), name


def test_a_module_without_vectors_or_without_parameters_has_no_empty_group():
    model = torch.nn.Sequential(torch.nn.Linear(2, 2, bias=False), torch.nn.Tanh(), torch.nn.LayerNorm(2))
    assert [group["name"] for group in layer_groups(model, 0.1)] == ["0 weights", "2 biases"]


def test_an_unknown_module_or_setting_is_refused_with_what_is_known():
    model = network_of_the_paper()
    with pytest.raises(SerError, match="no module 'convolution'; did you mean 'convolutions'.* lstm, dense"):
        layer_groups(model, 1e-4, convolution={"lr": 0.1})
    for setting in ("learning_rate", "params", "name"):
        with pytest.raises(SerError, match=f"there is no setting '{setting}'.* lr, momentum, beta, weight_decay"):
            layer_groups(model, 1e-4, lstm={setting: 0.1})


# Schedules


@pytest.mark.parametrize(
    "shape, factors",
    [("constant", (1, 1, 1, 1, 1)), ("cosine", (1, 0.9938442, 0.9755283, 0.5, 0)), ("warmup", (0.1, 0.55, 1, 1, 1))],
)
def test_shapes_at_the_start_within_the_first_tenth_halfway_and_at_the_end(shape, factors):
    assert [SHAPES[shape](progress) for progress in (0, 0.05, 0.1, 0.5, 1)] == pytest.approx(factors, abs=1e-7)


@pytest.mark.parametrize("setting", SCHEDULED)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_schedule_multiplies_the_first_values_of_every_group(setting, shape):
    initial = {"lr": 0.1, "momentum": 0.8, "beta": 3.0}
    groups = [{"params": [parameter(1.0)], setting: initial[setting] / 2}, {"params": [parameter(1.0)]}]
    optimizer = BetaSGD(groups, **initial)
    schedule = Schedule(optimizer, setting, shape)
    for progress in (0, 0.05, 0.5, 1, 0.05):  # there and back: values do not pile up
        schedule.set(progress)
        factor = SHAPES[shape](progress)
        expected = [initial | {setting: initial[setting] * share * factor} for share in (0.5, 1)]
        for group, values in zip(optimizer.param_groups, expected, strict=True):
            assert {key: group[key] for key in initial} == pytest.approx(values)


def test_a_schedule_of_a_module_changes_no_other():
    optimizer = BetaSGD(layer_groups(network_of_the_paper(), 1e-4, lstm={"lr": 0.4}), lr=0.1)
    Schedule(optimizer, "lr", "cosine", module="lstm").set(0.5)
    rates = {group["name"]: group["lr"] for group in optimizer.param_groups}
    assert rates == pytest.approx(
        {"convolutions weights": 0.1, "convolutions biases": 0.1, "lstm weights": 0.2, "lstm biases": 0.2}
        | {"dense weights": 0.1, "dense biases": 0.1}
    )


def test_a_schedule_changes_nothing_before_it_is_set():
    optimizer = BetaSGD([parameter(1.0)], lr=0.1)
    Schedule(optimizer, "lr", "warmup")
    assert optimizer.param_groups[0]["lr"] == 0.1


def test_a_schedule_still_holds_after_a_state_is_loaded():
    optimizer = BetaSGD([parameter(1.0)], lr=0.1)
    schedule = Schedule(optimizer, "lr", "cosine")
    schedule.set(0.5)
    optimizer.load_state_dict(optimizer.state_dict())
    schedule.set(0.0)
    assert optimizer.param_groups[0]["lr"] == 0.1


def test_a_schedule_may_end_at_zero():
    w = parameter(1.0)
    optimizer = BetaSGD([w], lr=0.1, beta=2.0)
    Schedule(optimizer, "beta", "cosine").set(1)
    w.grad = torch.ones_like(w)
    optimizer.step()
    assert w.item() == 1 and optimizer.update_norm([w]).item() == 0


@pytest.mark.parametrize(
    "names, message",
    [
        (("lr", "cosin"), "there is no shape 'cosin'; did you mean 'cosine'.* constant, cosine, warmup"),
        (("weight_decay", "cosine"), "there is no setting to schedule 'weight_decay'.* lr, momentum, beta"),
        (("lr", "cosine", "lstms"), "there is no module 'lstms'; did you mean 'lstm'.* convolutions, lstm, dense"),
    ],
)
def test_unknown_names_are_refused_with_what_is_known(names, message):
    optimizer = BetaSGD(layer_groups(network_of_the_paper(), 1e-4), lr=0.1)
    with pytest.raises(SerError, match=message):
        Schedule(optimizer, *names)


@pytest.mark.parametrize("progress", [-0.01, 1.01, math.nan])
def test_progress_out_of_range_is_refused(progress):
    with pytest.raises(SerError, match="progress = .* is out of range"):
        Schedule(BetaSGD([parameter(1.0)], lr=0.1), "lr", "cosine").set(progress)

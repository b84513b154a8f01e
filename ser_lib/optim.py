"""Stochastic gradient descent with the momentum factor β, and settings for each module (Section 3.1, eq. 6)."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from numbers import Real
from typing import Any

import torch

from ser_lib.errors import SerError
from ser_lib.experiments import suggestion

SETTINGS: Mapping[str, tuple[str, Callable[[float], bool]]] = {
    "lr": ("above 0", lambda value: value > 0),
    "momentum": ("at least 0 and below 1", lambda value: 0 <= value < 1),
    "beta": ("above 0", lambda value: value > 0),
    "weight_decay": ("at least 0", lambda value: value >= 0),
}
"""What each parameter group may set, and the range that it must lie in."""

SCHEDULED = ("lr", "momentum", "beta")
"""The settings that a :class:`Schedule` may change."""

SHAPES: Mapping[str, Callable[[float], float]] = {
    "constant": lambda progress: 1.0,
    "cosine": lambda progress: (1 + math.cos(math.pi * progress)) / 2,
    "warmup": lambda progress: min(1.0, 0.1 + 9 * progress),
}
"""Factors over the share of training done: always 1; half a cosine from 1 to 0; from 0.1 to 1 in the first tenth."""


class BetaSGD(torch.optim.Optimizer):
    """Eq. 6: v_t = γ v_{t-1} + η ∇J(w), then w ← w - β v_t, with v_0 = 0.

    While η and β are constant, only their product matters, since v grows with η: BetaSGD(lr=η, beta=β) moves as
    torch.optim.SGD(lr=η β) does. A schedule tells them apart. PyTorch keeps the learning rate outside of the velocity,
    which is eq. 6 with η = 1 and β = lr: to schedule β is what PyTorch calls a learning rate schedule, and rescales
    past velocity at once; to schedule η leaves past velocity as it was.

    Args:
        params: parameters, or groups of them; a group is a dict with ``params`` and any of the settings below, and may
            have a ``name`` and a ``module``. Settings are read from the groups at each step.
        lr: learning rate η, finite and above 0.
        momentum: γ, at least 0 and below 1.
        beta: β, finite and above 0.
        weight_decay: L2 regularisation, finite and at least 0: so many times w is added to the gradient.

    Raises:
        SerError (a ValueError): a setting is out of range, or a group has a key that is not known.

    Source: eq. 6 and Section 3.1. The paper does not state its β.
    """

    def __init__(
        self,
        params: Iterable[torch.Tensor] | Iterable[dict[str, Any]],
        lr: float,
        momentum: float = 0.0,
        beta: float = 1.0,
        weight_decay: float = 0.0,
    ) -> None:
        defaults = {"lr": lr, "momentum": momentum, "beta": beta, "weight_decay": weight_decay}
        _check_ranges(defaults)
        super().__init__(params, defaults)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group of parameters, with the defaults for what it does not set.

        Raises:
            SerError: a setting is out of range, or a key is not known.
        """
        settings = {key: value for key, value in param_group.items() if key not in ("params", "name", "module")}
        _check_ranges(settings)
        super().add_param_group(param_group)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Move every parameter that has a gradient.

        Args:
            closure: computes the loss and its gradients anew, and returns the loss; called once, before the step.

        Returns:
            What the closure returned, or None.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            parameters = self._moving(group)
            if not parameters:
                continue
            gradients = [parameter.grad for parameter in parameters]
            if group["weight_decay"]:
                gradients = torch._foreach_add(gradients, parameters, alpha=group["weight_decay"])
            velocities = [self.state[parameter]["velocity"] for parameter in parameters]
            torch._foreach_mul_(velocities, group["momentum"])
            torch._foreach_add_(velocities, gradients, alpha=group["lr"])
            torch._foreach_add_(parameters, velocities, alpha=-group["beta"])
        return loss

    @torch.no_grad()
    def update_norm(self, parameters: Sequence[torch.Tensor]) -> torch.Tensor:
        """Euclidean norm of the last update β v of these parameters together.

        Args:
            parameters: some of the optimizer's parameters, at least one, on one device. One that had no gradient in the
                last step has not moved, and adds nothing.

        Returns:
            The norm, shape (), on the parameters' device, for which the caller does not wait.
        """
        states = [self.state[parameter] for parameter in parameters if parameter in self.state]
        if not states:
            return parameters[0].new_zeros(())
        norms = torch._foreach_norm([state["velocity"] for state in states])
        moved = torch._foreach_mul(norms, [state["beta"] for state in states])
        return torch.linalg.vector_norm(torch.stack(moved))

    def _moving(self, group: dict[str, Any]) -> list[torch.Tensor]:
        """The group's parameters that have a gradient, each with a velocity."""
        moving = [parameter for parameter in group["params"] if parameter.grad is not None]
        for parameter in moving:
            if parameter not in self.state:
                self.state[parameter]["velocity"] = torch.zeros_like(parameter)
        for parameter in group["params"]:
            if parameter in self.state:
                # For update_norm: by then a schedule may have changed the group's β; one that rests keeps its velocity.
                self.state[parameter]["beta"] = 0.0 if parameter.grad is None else group["beta"]
        return moving


def layer_groups(model: torch.nn.Module, weight_decay: float, **modules: Mapping[str, float]) -> list[dict[str, Any]]:
    """Parameter groups for :class:`BetaSGD`: weights and biases of each module, L2 regularisation on weights alone.

    Args:
        model: the network; each of its direct children that has parameters is a module.
        weight_decay: of the weight matrices; biases and other vectors have none.
        **modules: settings of a module that differ from the optimizer's defaults, by the module's name, as in
            ``layer_groups(model, 1e-4, convolutions={"lr": 0.04}, lstm={"momentum": 0.5, "beta": 2.0})``.

    Returns:
        Groups with ``params``, ``name`` (as "convolutions weights"), ``module``, ``weight_decay`` and the module's
        settings, in the order of the model; every parameter is in exactly one.

    Raises:
        SerError: the model has no such module, or a module is given an unknown setting.

    Source: Section 3.1, "different update parameters, namely learning rate and momentum, for convolutional and
    recurrent modules".
    """
    members: dict[str, list[torch.nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        members.setdefault(name.partition(".")[0], []).append(parameter)
    for module, settings in modules.items():
        _check_known("module", module, members)
        for setting in settings:
            _check_known("setting", setting, SETTINGS)
    groups = []
    for module, parameters in members.items():
        settings = {"weight_decay": weight_decay, **modules.get(module, {})}
        weights = [parameter for parameter in parameters if parameter.dim() > 1]
        biases = [parameter for parameter in parameters if parameter.dim() <= 1]
        groups += [
            {"params": weights, "name": f"{module} weights", "module": module, **settings},
            {"params": biases, "name": f"{module} biases", "module": module, **settings, "weight_decay": 0.0},
        ]
    return [group for group in groups if group["params"]]


class Schedule:
    """Multiplies a setting by a factor of the share of training that is done.

    The values to multiply are those of the groups when the schedule is made: make it before a state is loaded, and only
    one for each setting of a module, since each sets the value anew.

    Args:
        optimizer: whose groups are changed.
        setting: one of ``SCHEDULED``.
        shape: a name in ``SHAPES``.
        module: changes the groups of that module alone (see :func:`layer_groups`); None changes every group.

    Raises:
        SerError: setting, shape or module is not known.
    """

    def __init__(self, optimizer: BetaSGD, setting: str, shape: str, module: str | None = None) -> None:
        _check_known("setting to schedule", setting, SCHEDULED)
        _check_known("shape", shape, SHAPES)
        owners = [group.get("module") for group in optimizer.param_groups]
        if module is not None:
            _check_known("module", module, [owner for owner in dict.fromkeys(owners) if owner is not None])
        self.optimizer, self.setting, self.factor = optimizer, setting, SHAPES[shape]
        # By position: load_state_dict puts new dicts in the groups' place.
        self.initial = {
            position: optimizer.param_groups[position][setting]
            for position, owner in enumerate(owners)
            if module is None or owner == module
        }

    def set(self, progress: float) -> None:
        """Set the values for the steps from here on.

        Args:
            progress: the share of training that is done, from 0 to 1.

        Raises:
            SerError: it is out of range.
        """
        if not 0 <= progress <= 1:
            raise SerError(f"progress = {progress} is out of range: it is the share of training done, from 0 to 1")
        for position, value in self.initial.items():
            self.optimizer.param_groups[position][self.setting] = value * self.factor(progress)


def _check_ranges(settings: Mapping[str, Any]) -> None:
    for setting, value in settings.items():
        _check_known("setting", setting, SETTINGS)
        words, inside = SETTINGS[setting]
        if not (isinstance(value, Real) and math.isfinite(value) and inside(value)):
            raise SerError(f"{setting} = {value!r} is out of range: it must be a finite number, {words}")


def _check_known(kind: str, word: str, known: Iterable[str]) -> None:
    names = dict.fromkeys(known)
    if word not in names:
        raise SerError(f"there is no {kind} {word!r}{suggestion(word, names)}")

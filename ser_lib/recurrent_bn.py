"""Batch normalisation of the Bi-LSTM layers (Section 3, eqs. 3-5).

:func:`normalise` is eqs. 3 and 4, and :class:`Recurrence` is eq. 5 for the four gates of an LSTM.

No padding is ever seen: a layer works on packed frames, (directions, frames, ...), the valid frames of a batch alone.
They lie step after step, the longest utterance first in each step, so that those still running are always the first
rows. The backward direction has each utterance's own valid frames in reverse, so that one loop runs both directions.
"""

from typing import NamedTuple

import torch
from torch import nn

from ser_lib.errors import SerError

FRAMES = 256
"""Scope ``frame`` has statistics for so many time steps; all later steps share the last ones."""

SCOPES = {"all": 1, "gate": 4, "frame": FRAMES}
"""What shares one mean and one variance, and how many of them a layer and direction has."""


class BatchNormLSTM(nn.Module):
    """LSTM layers whose input contribution is batch-normalised: gates act on BN(W_x x_t) + W_h h_{t-1}.

    Parameters are those of :class:`torch.nn.LSTM`, gates in its order (input, forget, cell, output), but for the
    biases: each ``gain`` and ``shift`` are those of batch normalisation, and the shift is the bias. The running
    statistics are a ``running_mean``, a ``running_var`` (biased, as eq. 4) for each layer and direction, and
    ``num_batches_tracked``.

    Args:
        input_size: features of each frame.
        hidden_size: units of each layer and direction.
        num_layers: number of layers.
        bidirectional: whether each layer has a backward direction, too.
        batch_first: whether x and outputs are (batch, time, features) and not (time, batch, features).
        scope: what is averaged over for one mean and variance: ``all`` valid frames and features (eq. 4); all valid
            frames and the features of one ``gate``; or all features of one ``frame``, the same step of all utterances
            that are that long.
        momentum: share of the newest batch in the running statistics; None for the mean over all batches since
            :meth:`reset_running_stats`.
        eps: what eq. 3 adds to the variance.

    Raises:
        SerError (a ValueError): no such scope, or a momentum out of range.

    Source: eqs. 3-5. Gain and shift are [17]'s. The other scopes, momentum and eps are not in the paper.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bidirectional: bool = False,
        batch_first: bool = True,
        scope: str = "all",
        momentum: float | None = 0.1,
        eps: float = 1e-5,
    ) -> None:
        super().__init__()
        if scope not in SCOPES:
            raise SerError(f"there is no scope {scope!r}; there are: {', '.join(SCOPES)}")
        if momentum is not None and not 0 < momentum <= 1:
            raise SerError(f"momentum = {momentum} must be above 0 and at most 1, or None for the mean of all batches")
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.bidirectional, self.batch_first = bidirectional, batch_first
        self.scope, self.momentum, self.eps = scope, momentum, eps
        self.suffixes = ("", "_reverse") if bidirectional else ("",)
        bound = hidden_size**-0.5
        for layer in range(num_layers):
            size = input_size if layer == 0 else len(self.suffixes) * hidden_size
            for suffix in self.suffixes:
                name = f"_l{layer}{suffix}"
                for weight, columns in (("weight_ih", size), ("weight_hh", hidden_size)):
                    values = torch.empty(4 * hidden_size, columns).uniform_(-bound, bound)
                    self.register_parameter(weight + name, nn.Parameter(values))
                self.register_parameter("gain" + name, nn.Parameter(torch.ones(4 * hidden_size)))
                self.register_parameter("shift" + name, nn.Parameter(torch.zeros(4 * hidden_size)))
                self.register_buffer("running_mean" + name, torch.zeros(SCOPES[scope]))
                self.register_buffer("running_var" + name, torch.ones(SCOPES[scope]))
        # Not every batch reaches every time step, so that scope frame counts for each; the others need one number.
        counts = FRAMES if scope == "frame" else 1
        self.register_buffer("num_batches_tracked", torch.zeros(counts, dtype=torch.int64))

    def forward(self, x: torch.Tensor, lengths: torch.Tensor) -> tuple[torch.Tensor, tuple[torch.Tensor, torch.Tensor]]:
        """Outputs of the last layer, and the final states of all.

        Args:
            x: floating point, shape (batch, time, input_size), or (time, batch, input_size) if not ``batch_first``;
                what lies behind an utterance's length is ignored.
            lengths: frames of each utterance, int64, shape (batch,), each from 1 to time.

        Returns:
            ``(outputs, (h_n, c_n))`` as :class:`torch.nn.LSTM`: outputs of shape (batch, time, directions *
            hidden_size), or time first, zero behind each length; states after each utterance's last valid frame, in
            the backward direction its first, of shape (num_layers * directions, batch, hidden_size).

        Raises:
            SerError (a ValueError): shapes do not fit, or a length is out of range.
        """
        if not self.batch_first:
            x = x.transpose(0, 1)
        packing = pack(_checked(x, lengths, self.input_size), x.shape[1], len(self.suffixes)).to(x.device)
        if self.training:
            self.num_batches_tracked += self._reached(packing)
        states = []
        for layer in range(self.num_layers):
            hidden, cell = self._layer(layer, packing.frames_of(x), packing)
            x = packing.padded(hidden, *x.shape[:2])
            states.append((hidden.index_select(1, packing.last), cell.index_select(1, packing.last)))
        h_n, c_n = (torch.cat(layers) for layers in zip(*states, strict=True))
        return x if self.batch_first else x.transpose(0, 1), (h_n, c_n)

    def reset_running_stats(self) -> None:
        """Forget all batches: mean 0 and variance 1 as at first, and the count starts again."""
        self.num_batches_tracked.zero_()
        for layer in range(self.num_layers):
            for mean, variance in zip(self._of("running_mean", layer), self._of("running_var", layer), strict=True):
                mean.zero_()
                variance.fill_(1)

    def _layer(self, layer: int, frames: torch.Tensor, packing: "Packing") -> tuple[torch.Tensor, torch.Tensor]:
        """One layer, both directions: frames (directions, frames, features) -> what :class:`Recurrence` returns."""
        weight_ih, weight_hh, gain, shift = (
            torch.stack(self._of(kind, layer)) for kind in ("weight_ih", "weight_hh", "gain", "shift")
        )
        contribution = torch.bmm(frames, weight_ih.transpose(1, 2)).unflatten(2, (4, self.hidden_size))
        gain, shift = (part.view(-1, 1, 4, self.hidden_size) for part in (gain, shift))
        if self.training:
            normalised, moments = normalise(contribution, gain, shift, self.eps, self.scope, packing.steps)
            self._update(layer, moments, packing)
        else:
            moments = tuple(torch.stack(self._of(kind, layer)) for kind in ("running_mean", "running_var"))
            # Utterances start at step 0, so that the steps seen in training are the first ones.
            last_seen = (self.num_batches_tracked > 0).sum() - 1
            steps = packing.steps.minimum(last_seen).clamp(min=0)
            normalised, _ = normalise(contribution, gain, shift, self.eps, self.scope, steps, moments)
        if torch.is_grad_enabled():
            return Recurrence.apply(normalised.flatten(2), weight_hh, packing.previous, packing.sizes)
        return run_steps(normalised.flatten(2), weight_hh, packing.sizes)

    @torch.no_grad()
    def _update(self, layer: int, moments: tuple[torch.Tensor, torch.Tensor], packing: "Packing") -> None:
        """Move the running statistics towards those of the batch; steps that it does not reach stay as they are."""
        counts = self.num_batches_tracked.clamp(min=1).to(moments[0])
        share = 1 / counts if self.momentum is None else torch.full_like(counts, self.momentum)
        factor = self._reached(packing) * share
        for kind, batch in zip(("running_mean", "running_var"), moments, strict=True):
            for running, new in zip(self._of(kind, layer), batch, strict=True):
                running += factor * (new - running)

    def _reached(self, packing: "Packing") -> torch.Tensor:
        """Which of the counted time steps the longest utterance reaches."""
        counts = self.num_batches_tracked
        return torch.arange(len(counts), device=counts.device) < len(packing.sizes)

    def _of(self, kind: str, layer: int) -> list[torch.Tensor]:
        """A layer's parameters or buffers of one kind, one for each direction."""
        return [getattr(self, f"{kind}_l{layer}{suffix}") for suffix in self.suffixes]


# Eqs. 3 and 4


def normalise(
    contribution: torch.Tensor,
    gain: torch.Tensor,
    shift: torch.Tensor,
    eps: float,
    scope: str,
    steps: torch.Tensor,
    moments: tuple[torch.Tensor, torch.Tensor] | None = None,
) -> tuple[torch.Tensor, tuple[torch.Tensor, torch.Tensor]]:
    """Batch normalisation of the input contribution.

    Args:
        contribution: W_x x_t, packed, shape (directions, frames, 4, hidden); the third dimension is the gate.
        gain: shape (directions, 1, 4, hidden).
        shift: shape (directions, 1, 4, hidden).
        eps: what is added to the variance.
        scope: see :class:`BatchNormLSTM`.
        steps: time step whose statistics each frame takes, int64, shape (directions, frames).
        moments: mean and variance to normalise with, each (directions, groups of the scope); those of the batch if
            None.

    Returns:
        The normalised contribution, same shape, and the mean and variance that it was normalised with.

    Source: eqs. 3 and 4; gain and shift are [17]'s.
    """
    mean = average(contribution, scope, steps) if moments is None else moments[0]  # eq. 4
    centred = contribution - spread(mean, scope, steps)
    # Eq. 4 calls the variance sigma; what eq. 3 calls sigma squared is meant.
    variance = average(centred.square(), scope, steps) if moments is None else moments[1]
    normalised = torch.addcmul(shift, centred, gain * spread((variance + eps).rsqrt(), scope, steps))  # eq. 3
    return normalised, (mean, variance)


def average(values: torch.Tensor, scope: str, steps: torch.Tensor) -> torch.Tensor:
    """Average over the frames and features that share a statistic, for each direction: (directions, groups)."""
    directions, frames, gates, hidden = values.shape
    if scope == "all":
        return values.sum(dim=(1, 2, 3)).unsqueeze(1) / (frames * gates * hidden)
    if scope == "gate":
        return values.sum(dim=(1, 3)) / (frames * hidden)
    sums = values.new_zeros(directions, FRAMES).scatter_add(1, steps, values.sum(dim=(2, 3)))
    counts = values.new_zeros(directions, FRAMES).scatter_add(1, steps, torch.ones_like(steps, dtype=values.dtype))
    return sums / (counts.clamp(min=1) * gates * hidden)


def spread(statistic: torch.Tensor, scope: str, steps: torch.Tensor) -> torch.Tensor:
    """The reverse of :func:`average`: what was averaged over sees its statistic, in a shape that broadcasts."""
    if scope == "frame":
        return statistic.gather(1, steps)[:, :, None, None]
    return statistic[:, None, :, None]


# Eq. 5, step by step


class Recurrence(torch.autograd.Function):
    """Eq. 5 with an LSTM's gates: BN(W_x x_t) of all frames -> hidden and cell states.

    Args:
        preactivations: BN(W_x x_t), packed, shape (directions, frames, 4 * hidden).
        weight_hh: W_h, shape (directions, 4 * hidden, hidden).
        previous: see :class:`Packing`.
        sizes: see :class:`Packing`.

    Returns:
        Hidden and cell states, each of shape (directions, batch + frames, hidden): the initial states, which are zero,
        then those of the packed frames.
    """

    @staticmethod
    def forward(ctx, preactivations, weight_hh, previous, sizes):
        gates = preactivations.clone()
        hidden, cell = run_steps(gates, weight_hh, sizes)
        ctx.save_for_backward(gates, weight_hh, hidden, cell, previous)
        ctx.sizes = sizes
        ctx.set_materialize_grads(False)
        return hidden, cell

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, grad_hidden, grad_cell):
        gates, weight_hh, hidden, cell, previous = ctx.saved_tensors
        sizes = ctx.sizes
        i, f, g, o = gates.chunk(4, dim=2)
        tanh_c = cell[:, sizes[0] :].tanh()
        # How c_t follows the pre-activations of i, f and g, and h_t that of o; the loop makes gradients of them.
        grads = torch.stack(
            [g * i * (1 - i), cell.index_select(1, previous) * f * (1 - f), i * (1 - g**2), tanh_c * o * (1 - o)],
            dim=2,
        )
        h_follows_c = o * (1 - tanh_c**2)
        grad_hidden, grad_cell = (
            torch.zeros_like(state) if grad is None else grad.clone(memory_format=torch.contiguous_format)
            for state, grad in ((hidden, grad_hidden), (cell, grad_cell))
        )
        blocks = zip(*(part.split(sizes, dim=1) for part in (grads, h_follows_c, f)), sizes, strict=True)
        grads_h, grads_c = (grad.split([sizes[0], *sizes], dim=1) for grad in (grad_hidden, grad_cell))
        for step, (grad, follows, forget, size) in reversed(list(enumerate(blocks))):
            grad_h, grad_c = grads_h[step + 1], grads_c[step + 1]
            grad_c.addcmul_(grad_h, follows)
            grad[:, :, :3].mul_(grad_c.unsqueeze(2))
            grad[:, :, 3].mul_(grad_h)
            grads_h[step][:, :size].baddbmm_(grad.flatten(2), weight_hh)
            grads_c[step][:, :size].addcmul_(grad_c, forget)
        grads = grads.flatten(2)
        return grads, torch.bmm(grads.transpose(1, 2), hidden.index_select(1, previous)), None, None


def run_steps(gates: torch.Tensor, weight_hh: torch.Tensor, sizes: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
    """Run the LSTM over all steps; pre-activations become activated gates, in place. As :class:`Recurrence`."""
    directions, frames, width = gates.shape
    batch, size_h = sizes[0], width // 4
    hidden, cell = (gates.new_zeros(directions, batch + frames, size_h) for _ in range(2))
    weight = weight_hh.transpose(1, 2)
    states_h, states_c = (state.split([batch, *sizes], dim=1) for state in (hidden, cell))
    for step, gate in enumerate(gates.split(sizes, dim=1)):
        h, c = states_h[step + 1], states_c[step + 1]
        gate.baddbmm_(states_h[step][:, : sizes[step]], weight)
        i, f, g, o = gate.chunk(4, dim=2)
        gate[:, :, : 2 * size_h].sigmoid_()  # i and f at once
        g.tanh_()
        o.sigmoid_()
        torch.mul(f, states_c[step][:, : sizes[step]], out=c).addcmul_(i, g)
        torch.tanh(c, out=h).mul_(o)
    return hidden, cell


# Packing


class Packing(NamedTuple):
    """Where the packed frames of a batch come from, and where they go.

    Args:
        sizes: utterances that are running at each step, never rising.
        rows: which row of x, its first two dimensions made one, each packed frame is, shape (directions, frames).
        steps: time step of each packed frame in its utterance, at most ``FRAMES`` - 1, shape (directions, frames).
        previous: for each packed frame, where its utterance's state before it is among the states of
            :class:`Recurrence`, shape (frames,).
        last: where each utterance's final state is among them, shape (batch,).
    """

    sizes: list[int]
    rows: torch.Tensor
    steps: torch.Tensor
    previous: torch.Tensor
    last: torch.Tensor

    def to(self, device: torch.device) -> "Packing":
        """The same, its tensors on a device."""
        return Packing(self.sizes, *(part.to(device) for part in self[1:]))

    def frames_of(self, x: torch.Tensor) -> torch.Tensor:
        """Pack: (batch, time, features) -> (directions, frames, features)."""
        return x.flatten(0, 1).index_select(0, self.rows.flatten()).unflatten(0, self.rows.shape)

    def padded(self, states: torch.Tensor, batch: int, time: int) -> torch.Tensor:
        """Unpack, with zeros for padding: states of :class:`Recurrence` -> (batch, time, directions * hidden)."""
        directions, _, size = states.shape
        places = self.rows * directions + torch.arange(directions, device=states.device).unsqueeze(1)
        outputs = states.new_zeros(batch * time * directions, size)
        outputs = outputs.index_copy(0, places.flatten(), states[:, self.sizes[0] :].flatten(0, 1))
        return outputs.view(batch, time, directions * size)


def pack(lengths: torch.Tensor, time: int, directions: int) -> Packing:
    """How a batch is packed: lengths (batch,) on the CPU, frames of the padded batch, one or two directions."""
    order = lengths.argsort(descending=True, stable=True)
    sizes = (lengths > torch.arange(int(lengths.max())).unsqueeze(1)).sum(dim=1)
    step = torch.arange(len(sizes)).repeat_interleave(sizes)
    # Where the states before each step start: the initial ones, one for each utterance, come before the first step's.
    before = torch.cat([torch.zeros(1, dtype=torch.int64), sizes.cumsum(0) - sizes + len(lengths)])
    rank = torch.arange(len(step)) + len(lengths) - before[step + 1]
    utterance = order[rank]
    steps = torch.stack([step, lengths[utterance] - 1 - step])[:directions]
    return Packing(
        sizes=sizes.tolist(),
        rows=utterance * time + steps,
        steps=steps.clamp(max=FRAMES - 1),
        previous=before[step] + rank,
        last=before[lengths] + order.argsort(),
    )


def _checked(x: torch.Tensor, lengths: torch.Tensor, features: int) -> torch.Tensor:
    """The lengths on the CPU, once it is clear that they fit x of shape (batch, time, features)."""
    if x.dim() != 3 or x.shape[2] != features:
        raise SerError(f"x, batch first, is of shape {tuple(x.shape)}; it should be (batch, time, {features})")
    if lengths.shape != x.shape[:1] or len(lengths) == 0 or lengths.is_floating_point():
        raise SerError(
            f"{lengths.dtype} lengths of shape {tuple(lengths.shape)} do not fit a batch of {len(x)}: "
            "give a whole number for each utterance, and one utterance at least"
        )
    lengths = lengths.to("cpu", torch.int64)
    outside = (lengths < 1) | (lengths > x.shape[1])
    if bool(outside.any()):
        raise SerError(f"length {int(lengths[outside][0])} is out of range: it must be from 1 to the {x.shape[1]} of x")
    return lengths

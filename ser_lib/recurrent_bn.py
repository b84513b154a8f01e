"""Batch normalisation of the Bi-LSTM layers (Section 3, eqs. 3-5).

:func:`normalise` is eqs. 3 and 4; :func:`ser_lib.recurrence.recur` does the rest of eq. 5, for the gates of an LSTM.

No padding is ever seen: a layer works on packed frames, the valid frames of a batch alone.
"""

import torch
from torch import nn

from ser_lib.errors import SerError
from ser_lib.linear import linear
from ser_lib.recurrence import Packing, pack, recur

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

    Source: eqs. 3-5. Gain and shift are [17]'s. The other scopes, momentum and the value of eps are not in the paper.
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
        batch, time = x.shape[:2]
        lengths = _checked(x, lengths, self.input_size)
        packing = pack(time * torch.arange(batch), lengths).to(x.device)
        outputs, states = self.run(x.flatten(0, 1).index_select(0, packing.columns), packing)
        outputs = packing.padded(outputs, batch, time)
        return outputs if self.batch_first else outputs.transpose(0, 1), states

    def run(self, frames: torch.Tensor, packing: Packing) -> tuple[torch.Tensor, tuple[torch.Tensor, torch.Tensor]]:
        """As :meth:`forward`, for packed frames: (frames, input_size) -> outputs (frames, directions * hidden_size)."""
        if self.training:
            self.num_batches_tracked += self._reached(packing)
        states = []
        for layer in range(self.num_layers):
            frames, *state = self._layer(layer, frames, packing)
            states.append(state)
        h_n, c_n = (torch.cat(layers) for layers in zip(*states, strict=True))
        return frames, (h_n, c_n)

    def reset_running_stats(self) -> None:
        """Forget all batches: mean 0 and variance 1 as at first, and the count starts again."""
        self.num_batches_tracked.zero_()
        for layer in range(self.num_layers):
            for mean, variance in zip(self._of("running_mean", layer), self._of("running_var", layer), strict=True):
                mean.zero_()
                variance.fill_(1)

    def _layer(
        self, layer: int, frames: torch.Tensor, packing: Packing
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """One layer, both directions: packed frames, (frames, features) -> what :func:`recur` returns."""
        weight_ih = torch.cat(self._of("weight_ih", layer))
        weight_hh, gain, shift = (torch.stack(self._of(kind, layer)) for kind in ("weight_hh", "gain", "shift"))
        contribution = linear(frames, weight_ih).unflatten(1, (len(self.suffixes), 4, self.hidden_size))
        gain, shift = (part.unflatten(1, (4, self.hidden_size)) for part in (gain, shift))
        steps = packing.steps.clamp(max=FRAMES - 1)
        if self.training:
            normalised, moments = normalise(contribution, gain, shift, self.eps, self.scope, steps)
            self._update(layer, moments, packing)
        else:
            moments = tuple(torch.stack(self._of(kind, layer)) for kind in ("running_mean", "running_var"))
            # Utterances start at step 0, so that the steps seen in training are the first ones.
            last_seen = (self.num_batches_tracked > 0).sum() - 1
            steps = steps.minimum(last_seen).clamp(min=0)
            normalised, _ = normalise(contribution, gain, shift, self.eps, self.scope, steps, moments)
        return recur(normalised.flatten(2), weight_hh, packing)  # eq. 5

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
        contribution: W_x x_t, packed, shape (frames, directions, 4, hidden); the third dimension is the gate.
        gain: shape (directions, 4, hidden).
        shift: shape (directions, 4, hidden).
        eps: what is added to the variance.
        scope: see :class:`BatchNormLSTM`.
        steps: time step whose statistics each frame takes, int64, shape (frames,).
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
    frames, directions, gates, hidden = values.shape
    if scope == "all":
        return values.sum(dim=(0, 2, 3)).unsqueeze(1) / (frames * gates * hidden)
    if scope == "gate":
        return values.sum(dim=(0, 3)) / (frames * hidden)
    sums = values.new_zeros(FRAMES, directions).index_add(0, steps, values.sum(dim=(2, 3)))
    counts = values.new_zeros(FRAMES).index_add(0, steps, torch.ones_like(steps, dtype=values.dtype))
    return (sums / (counts.clamp(min=1) * gates * hidden).unsqueeze(1)).T


def spread(statistic: torch.Tensor, scope: str, steps: torch.Tensor) -> torch.Tensor:
    """The reverse of :func:`average`: what was averaged over sees its statistic, in a shape that broadcasts."""
    if scope == "frame":
        return statistic.T.index_select(0, steps)[:, :, None, None]
    return statistic[:, :, None]


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

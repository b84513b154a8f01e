"""An LSTM's recurrence over packed frames, the valid frames of a batch alone: fast on a CPU, and exact.

Frames lie step after step, the longest utterance first in each step, so that those still running are always the first
rows; this is the order of PyTorch's packed sequences. The backward direction reads each utterance's own frames in
reverse, so that one loop over time runs both directions at once, one matrix product and a few operations on the gates
for each step. PyTorch's own LSTM runs them one after the other, and records every operation for the gradient; here the
gradient is written out, with all that does not depend on the next step taken out of the loop.
"""

import warnings
from typing import NamedTuple

import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence

from ser_lib.linear import linear, product


class Packing(NamedTuple):
    """Where the packed frames of a batch come from, and how they hang together.

    Args:
        sizes: utterances that are running at each step, never rising.
        columns: where each packed frame lies in what was packed, shape (frames,).
        steps: its time step, shape (frames,).
        utterances: its utterance, shape (frames,).
        mirror: the frame of the same utterance that lies as far from the end as this one from the start, (frames,).
        previous: where its utterance's state before it is among the states of :func:`run_steps`, shape (frames,).
        last: where each utterance's final state is among them, shape (batch,).
        lengths: frames of each utterance, shape (batch,).
    """

    sizes: list[int]
    columns: torch.Tensor
    steps: torch.Tensor
    utterances: torch.Tensor
    mirror: torch.Tensor
    previous: torch.Tensor
    last: torch.Tensor
    lengths: torch.Tensor

    def to(self, device: torch.device) -> "Packing":
        """The same, its tensors on a device."""
        return Packing(self.sizes, *(part.to(device, non_blocking=True) for part in self[1:]))

    def padded(self, outputs: torch.Tensor, batch: int, time: int) -> torch.Tensor:
        """Packed outputs, (frames, features), as (batch, time, features), zero behind each length.

        The packing must be of utterances that start at 0, time, 2 time, ...
        """
        room = outputs.new_zeros(batch * time, outputs.shape[1])
        return room.index_copy(0, self.columns, outputs).view(batch, time, -1)

    def mean(self, outputs: torch.Tensor) -> torch.Tensor:
        """The mean over each utterance's frames: (frames, features) -> (batch, features)."""
        # As a product with a matrix of weights, which sums in the same order every time, on a GPU too.
        own = self.utterances == torch.arange(len(self.last), device=outputs.device).unsqueeze(1)
        weights = own.to(outputs) / self.lengths.unsqueeze(1)
        return weights @ outputs


def pack(starts: torch.Tensor, lengths: torch.Tensor) -> Packing:
    """How utterances are packed that start at some column each, with so many frames: int64 on the CPU, (batch,)."""
    order = lengths.argsort(descending=True, stable=True)
    sizes = (lengths > torch.arange(int(lengths.max())).unsqueeze(1)).sum(dim=1)
    steps = torch.arange(len(sizes)).repeat_interleave(sizes)
    first = sizes.cumsum(0) - sizes
    rank = torch.arange(len(steps)) - first[steps]
    utterances = order[rank]
    # Where the states before each step start: the initial ones, one for each utterance, come before the first step's.
    before = torch.cat([torch.zeros(1, dtype=torch.int64), first + len(lengths)])
    return Packing(
        sizes=sizes.tolist(),
        columns=starts[utterances] + steps,
        steps=steps,
        utterances=utterances,
        mirror=first[lengths[utterances] - 1 - steps] + rank,
        previous=before[steps] + rank,
        last=before[lengths] + order.argsort(),
        lengths=lengths,
    )


def run_lstm(lstm: nn.LSTM, frames: torch.Tensor, packing: Packing) -> tuple[torch.Tensor, torch.Tensor]:
    """What an LSTM gives for packed frames.

    Args:
        lstm: with biases, in one direction or two; its parameters are used, its dropout is not.
        frames: shape (frames, features).
        packing: how they are packed.

    Returns:
        Outputs of the last layer, packed, shape (frames, directions * hidden_size), and the final hidden states of all
        layers, shape (num_layers * directions, batch, hidden_size).
    """
    if frames.is_cuda:  # cuDNN launches few kernels for all steps, a loop many for each
        outputs, (state, _) = lstm(PackedSequence(frames, torch.tensor(packing.sizes)))
        return outputs.data, state[:, packing.utterances[: packing.sizes[0]].argsort()]
    states = []
    for layer in range(lstm.num_layers):
        of_layer = [f"_l{layer}{suffix}" for suffix in ("", "_reverse")[: 1 + lstm.bidirectional]]
        weight_ih, weight_hh, bias_ih, bias_hh = (
            [getattr(lstm, kind + name) for name in of_layer]
            for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        preactivations = linear(frames, torch.cat(weight_ih), torch.cat(bias_ih) + torch.cat(bias_hh))
        preactivations = preactivations.unflatten(1, (len(of_layer), -1))
        frames, state, _ = recur(preactivations, torch.stack(weight_hh), packing)
        states.append(state)
    return frames, torch.cat(states)


def recur(
    preactivations: torch.Tensor, weight_hh: torch.Tensor, packing: Packing
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """One layer's recurrence: h_t from its input contribution and W_h h_{t-1}, gates in PyTorch's order (i, f, g, o).

    Args:
        preactivations: W_x x_t and bias of each packed frame, shape (frames, directions, 4 * hidden_size).
        weight_hh: W_h, shape (directions, 4 * hidden_size, hidden_size).
        packing: how the frames are packed.

    Returns:
        Outputs, packed, shape (frames, directions * hidden_size), and the hidden and cell states after each utterance's
        last frame (in the backward direction its first), each of shape (directions, batch, hidden_size).
    """
    if preactivations.is_cuda:
        return hand_through(preactivations, weight_hh, packing)
    if torch.is_grad_enabled():
        return Recurrence.apply(preactivations, weight_hh, packing)
    hidden, cell = run_steps(_by_direction(preactivations, packing.mirror), weight_hh, packing.sizes)
    return _results(hidden, cell, packing)


def hand_through(
    preactivations: torch.Tensor, weight_hh: torch.Tensor, packing: Packing
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """:func:`recur` by PyTorch's own LSTM, which on a GPU is cuDNN's: few kernels for all steps, not many for each.

    It takes no ready-made pre-activations, but with the identity for W_x it makes them of what it is given: each value
    times one, plus zeros, which is exact (not in TF32, which rounds what it multiplies).
    """
    frames, directions, width = preactivations.shape
    identity = torch.eye(directions * width, dtype=weight_hh.dtype, device=weight_hh.device)
    weights = [weight for pair in zip(identity.split(width), weight_hh, strict=True) for weight in pair]
    initial = weight_hh.new_zeros(directions, packing.sizes[0], width // 4)
    with warnings.catch_warnings():
        # They are new in every step: nothing is gained by keeping them in one piece, and the copy is small.
        warnings.filterwarnings("ignore", message="RNN module weights are not part of single contiguous chunk")
        outputs, hidden, cell = torch.lstm(
            preactivations.flatten(1),
            torch.tensor(packing.sizes),
            (initial, initial),
            weights,
            has_biases=False,
            num_layers=1,
            dropout=0.0,
            train=torch.is_grad_enabled(),  # cuDNN keeps what the gradient needs only if it is told so
            bidirectional=directions == 2,
        )
    order = packing.utterances[: packing.sizes[0]].argsort()
    return outputs, hidden.index_select(1, order), cell.index_select(1, order)


class Recurrence(torch.autograd.Function):
    """:func:`recur` with its gradient."""

    @staticmethod
    def forward(ctx, preactivations, weight_hh, packing):
        gates = _by_direction(preactivations, packing.mirror)
        hidden, cell = run_steps(gates, weight_hh, packing.sizes)
        ctx.save_for_backward(gates, weight_hh, hidden, cell)
        ctx.packing = packing
        return _results(hidden, cell, packing)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, grad_outputs, grad_h, grad_c):
        gates, weight_hh, hidden, cell = ctx.saved_tensors
        packing = ctx.packing
        sizes, batch = packing.sizes, packing.sizes[0]
        i, f, g, o = gates.chunk(4, dim=2)
        before, tanh_c = cell.index_select(1, packing.previous), cell[:, batch:].tanh()
        # How c_t follows the pre-activations of i, f and g, and h_t that of o; the loop makes gradients of them.
        grads = torch.stack([g * i * (1 - i), before * f * (1 - f), i * (1 - g**2), tanh_c * o * (1 - o)], dim=2)
        h_follows_c = o * (1 - tanh_c**2)
        outputs = _by_direction(grad_outputs.unflatten(1, (len(gates), -1)), packing.mirror)
        grad_hidden = torch.cat([torch.zeros_like(grad_h), outputs], dim=1).index_add_(1, packing.last, grad_h)
        grad_cell = torch.zeros_like(cell).index_add_(1, packing.last, grad_c)
        blocks = zip(*(part.split(sizes, dim=1) for part in (grads, h_follows_c, f)), sizes, strict=True)
        grads_h, grads_c = (grad.split([batch, *sizes], dim=1) for grad in (grad_hidden, grad_cell))
        for step, (grad, follows, forget, size) in reversed(list(enumerate(blocks))):
            of_h, of_c = grads_h[step + 1], grads_c[step + 1]
            of_c.addcmul_(of_h, follows)
            grad[:, :, :3].mul_(of_c.unsqueeze(2))
            grad[:, :, 3].mul_(of_h)
            grads_h[step][:, :size].baddbmm_(grad.flatten(2), weight_hh)
            grads_c[step][:, :size].addcmul_(of_c, forget)
        grads = grads.flatten(2)
        states = hidden.index_select(1, packing.previous)
        grad_weight = torch.stack([product(grad.T, state) for grad, state in zip(grads, states, strict=True)])
        return _by_frame(grads, packing.mirror), grad_weight, None


def run_steps(gates: torch.Tensor, weight_hh: torch.Tensor, sizes: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
    """Run the LSTM over all steps; pre-activations, (directions, frames, 4 * hidden_size), become gates in place.

    Returns:
        Hidden and cell states, each of shape (directions, batch + frames, hidden_size): the initial states, which are
        zero, then those of the packed frames.
    """
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


def _by_direction(values: torch.Tensor, mirror: torch.Tensor) -> torch.Tensor:
    """(frames, directions, ...) -> (directions, frames, ...), the backward direction's frames in its own order."""
    order = [values[:, 0], *(backward.index_select(0, mirror) for backward in values.unbind(1)[1:])]
    return torch.stack(order)


def _by_frame(values: torch.Tensor, mirror: torch.Tensor) -> torch.Tensor:
    """The reverse of :func:`_by_direction`."""
    return torch.stack([values[0], *(backward.index_select(0, mirror) for backward in values[1:])], dim=1)


def _results(
    hidden: torch.Tensor, cell: torch.Tensor, packing: Packing
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    outputs = _by_frame(hidden[:, packing.sizes[0] :], packing.mirror).flatten(1)
    return outputs, hidden.index_select(1, packing.last), cell.index_select(1, packing.last)

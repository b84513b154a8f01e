"""Utterances laid end to end, so that the convolutions work on little padding (the masking of Section 3).

A batch that is padded to its longest utterance is half padding. Here the utterances of a batch follow one another along
the time axis of one picture, a strip, with a gap of zeros behind each. The gap is what a convolution's own padding is
for an utterance alone: so wide that no kernel reaches from one into the next. A convolution makes a gap non-zero
(bias), so that it is cleared behind every one. Utterances start where all strides meet, as an utterance alone does.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch.nn.utils.rnn import pad_sequence

BLOCK = 32
"""A strip's width is a multiple of so many steps of the convolutions' output: few widths, so that what PyTorch prepares
for a shape serves many batches."""


class Layout(NamedTuple):
    """What a stack of convolutions asks of a strip, both in frames: starts at multiples, and the smallest gap."""

    multiple: int
    gap: int


class Strip(NamedTuple):
    """Where the utterances of a batch lie along the time axis, in frames or in what strides have left of them.

    Args:
        starts: first column of each utterance, int64 on the CPU, shape (batch,).
        lengths: columns of each, int64 on the CPU, shape (batch,).
        width: columns of the strip.
    """

    starts: torch.Tensor
    lengths: torch.Tensor
    width: int

    def strided(self, stride: int) -> "Strip":
        """Where they lie behind a convolution or pooling with this stride over time."""
        return Strip(self.starts // stride, strided_length(self.lengths, stride), strided_length(self.width, stride))

    def places(self) -> Iterator[tuple[int, int]]:
        """First column and length of each utterance."""
        return zip(self.starts.tolist(), self.lengths.tolist(), strict=True)

    def gaps(self) -> torch.Tensor:
        """The columns that belong to no utterance, int64 on the CPU."""
        change = torch.zeros(self.width + 1, dtype=torch.int64)
        change[self.starts] = 1
        change[self.starts + self.lengths] -= 1
        return (change.cumsum(0)[:-1] == 0).nonzero().squeeze(1)

    def owners(self) -> torch.Tensor:
        """The utterance that each column belongs to, or lies behind, int64 on the CPU, shape (width,)."""
        return torch.searchsorted(self.starts, torch.arange(self.width), right=True) - 1

    def laid(self, pictures: torch.Tensor) -> torch.Tensor:
        """Padded pictures, (batch, bins, time), as a strip: (bins, width), zero in the gaps."""
        parts = [picture[:, :length] for picture, length in zip(pictures, self.lengths.tolist(), strict=True)]
        ends = [*self.starts[1:].tolist(), self.width]
        gaps = [
            part.new_zeros(part.shape[0], end - start - part.shape[1])
            for part, start, end in zip(parts, self.starts.tolist(), ends, strict=True)
        ]
        return torch.cat([piece for pair in zip(parts, gaps, strict=True) for piece in pair], dim=1)

    def padded(self, columns: torch.Tensor) -> torch.Tensor:
        """The reverse, for what the convolutions leave: (width, features) -> (batch, time, features), zero behind."""
        parts = [columns[start : start + length] for start, length in self.places()]
        return pad_sequence(parts, batch_first=True)


def layout(kernels: Sequence[int], strides: Sequence[int]) -> Layout:
    """What convolutions with these kernels and strides over time ask of a strip; kernels are odd.

    Args:
        kernels: size of each convolution's kernel along time.
        strides: how much each convolution, or the pooling behind it, reduces time.
    """
    multiple, gap = 1, 0
    for kernel, stride in zip(kernels, strides, strict=True):
        gap = max(gap, kernel // 2 * multiple)
        multiple *= stride
    return Layout(multiple, gap)


def lay(lengths: torch.Tensor, layout: Layout) -> Strip:
    """A strip for utterances of so many frames: int64 on the CPU, shape (batch,), each at least 1."""
    room = strided_length(lengths + layout.gap, layout.multiple) * layout.multiple
    ends = room.cumsum(0)
    block = BLOCK * layout.multiple
    return Strip(ends - room, lengths, strided_length(int(ends[-1]), block) * block)


def strided_length(length, stride: int):
    """What a convolution with an odd kernel and half a kernel of padding leaves of a length: ceil(length / stride)."""
    return (length + stride - 1) // stride


class ClearedReLU(torch.autograd.Function):
    """ReLU with zeros in the gaps, in place: maps of shape (1, channels, frequency, width), columns of the gaps.

    What ReLU makes zero and what is cleared have the same gradient, none, so that the result alone is kept for it.
    """

    @staticmethod
    def forward(ctx, maps, gaps):
        maps.relu_().index_fill_(3, gaps, 0)
        ctx.mark_dirty(maps)
        ctx.save_for_backward(maps)
        return maps

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, grad):
        (maps,) = ctx.saved_tensors
        return torch.ops.aten.threshold_backward(grad, maps, 0), None


def channels_last(picture: torch.Tensor) -> torch.Tensor:
    """A strip, (bins, width), as maps of one channel that PyTorch takes for channels-last: (1, 1, bins, width).

    With one channel both memory formats look alike, and PyTorch would choose the other one, in which the convolutions
    are several times slower: the strides say which is meant.
    """
    bins, width = picture.shape
    return picture.contiguous().as_strided((1, 1, bins, width), (bins * width, 1, width, 1))

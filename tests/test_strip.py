"""Strips: utterances end to end are what each would be alone, and what lies between them reaches nobody."""

import itertools

import pytest
import torch
from torch import nn

from ser_lib.experiments import CONVOLUTIONS
from ser_lib.strip import BLOCK, ClearedReLU, Layout, channels_last, lay, layout, strided_length

LENGTHS = torch.tensor([23, 1, 40, 7, 8, 9, 2])
LAYOUTS = [Layout(1, 0), Layout(1, 3), Layout(4, 6), Layout(12, 5), Layout(4, 12)]
every_layout = pytest.mark.parametrize("wanted", LAYOUTS, ids=str)


@every_layout
def test_utterances_follow_one_another_at_multiples_with_a_gap_behind_each(wanted):
    strip = lay(LENGTHS, wanted)
    assert strip.starts[0] == 0 and (strip.starts % wanted.multiple == 0).all()
    ends = strip.starts + strip.lengths
    following = torch.cat([strip.starts[1:], torch.tensor([strip.width])])
    assert (following - ends >= wanted.gap).all()
    # No wider than it must be: a multiple more than the gap would do.
    assert (following - ends)[:-1].max() < wanted.gap + wanted.multiple


@every_layout
def test_few_widths_occur(wanted):
    block = BLOCK * wanted.multiple
    strips = [lay(LENGTHS[:count] + more, wanted) for count in range(1, 8) for more in range(5)]
    assert all(strip.width % block == 0 for strip in strips)
    behind = [strip.width - int((strip.starts + strip.lengths)[-1]) for strip in strips]
    assert max(behind) < block + wanted.gap + wanted.multiple
    assert len({strip.width for strip in strips}) < len(strips) / 2


@every_layout
def test_gaps_are_all_columns_but_those_of_utterances(wanted):
    strip = lay(LENGTHS, wanted)
    owned = [column for start, length in strip.places() for column in range(start, start + length)]
    assert len(owned) == len(set(owned)) == int(LENGTHS.sum())
    assert sorted([*owned, *strip.gaps().tolist()]) == list(range(strip.width))


@every_layout
def test_each_column_is_its_utterances_or_lies_behind_it(wanted):
    strip = lay(LENGTHS, wanted)
    expected = [next(u for u in reversed(range(7)) if strip.starts[u] <= column) for column in range(strip.width)]
    assert strip.owners().tolist() == expected


@every_layout
def test_pictures_are_laid_where_the_strip_says_with_zeros_between_and_come_back(wanted):
    strip = lay(LENGTHS, wanted)
    pictures = torch.rand(len(LENGTHS), 3, 45) + 1
    behind = torch.arange(45) >= LENGTHS[:, None, None]
    laid = strip.laid(pictures.masked_fill(behind, float("nan")))
    assert laid.shape == (3, strip.width) and (laid[:, strip.gaps()] == 0).all()
    back = strip.padded(laid.T).transpose(1, 2)
    assert torch.equal(back, pictures.masked_fill(behind, 0)[:, :, : int(LENGTHS.max())])


@pytest.mark.parametrize("stride", [1, 2, 3, 4])
def test_strides_leave_of_each_utterance_what_they_leave_of_it_alone(stride):
    strip = lay(LENGTHS, Layout(2 * stride, 3)).strided(stride)
    convolution = nn.Conv1d(1, 1, 3, stride, padding=1)
    alone = [convolution(torch.zeros(1, 1, length)).shape[2] for length in LENGTHS.tolist()]
    assert strip.lengths.tolist() == alone
    assert strip.starts.tolist() == [start // stride for start in lay(LENGTHS, Layout(2 * stride, 3)).starts.tolist()]


# What a stack of convolutions asks for


def reach(kernels, strides, wanted: Layout) -> bool:
    """Whether any frame of one utterance changes what convolutions, gaps cleared after each, make of its neighbours."""
    lengths = torch.tensor([9, 6, 11])
    strip = lay(lengths, wanted)
    changed = torch.zeros(strip.width)
    start, length = list(strip.places())[1]
    changed[start : start + length] = 1
    maps = changed.view(1, 1, -1)
    for kernel, stride in zip(kernels, strides, strict=True):
        strip = strip.strided(stride)
        maps = nn.functional.conv1d(maps, torch.ones(1, 1, kernel), None, stride, kernel // 2)
        maps[..., strip.gaps()] = 0
    owner = list(strip.places())
    return any(maps[0, 0, start : start + length].any() for start, length in (owner[0], owner[2]))


STACKS = [([5, 3, 3, 3], [2, 2, 1, 1]), ([25], [4]), ([3, 9], [4, 1]), ([1, 3], [3, 2]), ([7, 5, 3], [1, 1, 1])]


@pytest.mark.parametrize("kernels, strides", STACKS)
def test_the_gap_that_is_asked_for_keeps_neighbours_apart_and_no_smaller_one_does(kernels, strides):
    wanted = layout(kernels, strides)
    assert not reach(kernels, strides, wanted)
    if wanted.gap >= wanted.multiple:
        assert reach(kernels, strides, Layout(wanted.multiple, wanted.gap - wanted.multiple))


@pytest.mark.parametrize("convolutions", CONVOLUTIONS)
def test_every_stack_of_the_depth_study_starts_utterances_where_its_strides_meet(convolutions):
    stack = CONVOLUTIONS[convolutions]
    strides = [stride[1] for stride in stack["strides"]]
    wanted = layout([kernel[1] for kernel in stack["kernels"]], strides)
    assert wanted.multiple == list(itertools.accumulate(strides, lambda a, b: a * b))[-1]


# ReLU and memory format


def test_relu_clears_gaps_and_has_the_gradient_of_both():
    gaps = torch.tensor([0, 3, 4])
    maps = torch.randn(1, 2, 3, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0), requires_grad=True)
    keep = torch.ones(6, dtype=torch.float64).index_fill_(0, gaps, 0)
    weights = torch.arange(1.0, 37, dtype=torch.float64).view(1, 2, 3, 6)
    (ClearedReLU.apply(maps * 1, gaps) * weights).sum().backward()
    gradient, maps.grad = maps.grad, None
    expected = torch.relu(maps) * keep
    assert torch.equal(ClearedReLU.apply(maps * 1, gaps), expected)
    (expected * weights).sum().backward()
    assert torch.equal(gradient, maps.grad)


def test_a_strip_as_maps_is_taken_for_channels_last():
    picture = torch.randn(9, 14)
    maps = channels_last(picture)
    assert torch.equal(maps[0, 0], picture) and maps.data_ptr() == picture.data_ptr()
    convolution = nn.Conv2d(1, 4, 3, padding=1)
    assert convolution(maps).is_contiguous(memory_format=torch.channels_last)
    assert not convolution(picture[None, None]).is_contiguous(memory_format=torch.channels_last)


def test_strided_length_is_what_pytorch_makes_of_a_length():
    for kernel, stride, length in itertools.product((1, 3, 5), (1, 2, 3, 4), range(1, 12)):
        convolution = nn.Conv1d(1, 1, kernel, stride, padding=kernel // 2)
        assert strided_length(length, stride) == convolution(torch.zeros(1, 1, length)).shape[2]

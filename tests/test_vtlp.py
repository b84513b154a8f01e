"""VTLP: eq. 1 as printed, its direction, and the batch against one by one."""

import numpy as np
import pytest
import torch

from ser_lib import vtlp
from ser_lib.errors import SerError

ALPHAS = [0.9, 0.94, 1.0, 1.06, 1.1]
BINS = 257


def printed_equation(f: float, alpha: float, f_max: float = 4000.0) -> float:
    """Eq. 1 in Hz, f_0 = 0.9 f_max."""
    f_0 = 0.9 * f_max
    if f <= f_0:
        return alpha * f
    return (f_max - alpha * f_0) / (f_max - f_0) * (f - f_0) + alpha * f_0


def noise(*shape: int, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(0))


# Eq. 1


@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("f", [0, 15.625, 1000, 2718, 3599, 3600, 3601, 3900, 4000])
def test_frequencies_move_as_eq_1_says(f, alpha):
    share = vtlp.warped_frequency(torch.tensor(f / 4000, dtype=torch.float64), torch.tensor(alpha))
    assert 4000 * float(share) == pytest.approx(printed_equation(f, alpha), abs=1e-3)


@pytest.mark.parametrize("alpha", ALPHAS)
def test_the_knee_goes_to_alpha_f0_and_both_ends_stay(alpha):
    alpha = torch.tensor(alpha, dtype=torch.float64)
    moved = vtlp.warped_frequency(torch.tensor([0, 0.9, 1], dtype=torch.float64), alpha)
    torch.testing.assert_close(moved, torch.stack([torch.zeros_like(alpha), 0.9 * alpha, torch.ones_like(alpha)]))


@pytest.mark.parametrize("alpha", ALPHAS)
def test_the_inverse_brings_every_frequency_back(alpha):
    f, alpha = torch.linspace(0, 1, 1001, dtype=torch.float64), torch.tensor(alpha, dtype=torch.float64)
    torch.testing.assert_close(vtlp.source_frequency(vtlp.warped_frequency(f, alpha), alpha), f, rtol=0, atol=1e-12)


# What the warp does to a spectrogram


@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("k", [10, 60, 128, 200, 229, 235, 240, 250])
def test_energy_at_a_bin_moves_to_where_eq_1_sends_it(k, alpha):
    spectrum = torch.zeros(3, BINS, dtype=torch.float64)
    spectrum[:, k] = 1
    warped = vtlp.warp(spectrum, alpha)
    # One bin is a triangle between its neighbours, once interpolated: the neighbours move, and nothing lies outside.
    low, high = (printed_equation(15.625 * bin_, alpha) / 15.625 for bin_ in (k - 1, k + 1))
    bins = np.arange(BINS)
    inside = (bins > low + 1e-6) & (bins < high - 1e-6)
    outside = (bins < low - 1e-6) | (bins > high + 1e-6)
    assert inside.any() or high - low < 1  # above the knee, a squeezed bin may fall between two
    assert (warped[:, inside] > 0).all()
    assert (warped[:, outside] == 0).all()


def test_alpha_above_one_moves_energy_up_and_below_one_down():
    spectrum = torch.exp(-(((torch.arange(BINS) - 100.0) / 5) ** 2)).expand(2, BINS)
    peaks = [int(vtlp.warp(spectrum, alpha)[0].argmax()) for alpha in (0.9, 1.0, 1.1)]
    assert peaks == [90, 100, 110]


@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("bins", [2, 5, 257, 513])
def test_it_is_linear_interpolation_as_numpy_does_it(alpha, bins):
    picture = noise(7, bins)
    source = np.interp(np.linspace(0, 1, bins), [0, 0.9 * alpha, 1], [0, 0.9, 1]) * (bins - 1)
    expected = np.stack([np.interp(source, np.arange(bins), frame) for frame in picture.numpy()])
    np.testing.assert_allclose(vtlp.warp(picture, alpha).numpy(), expected, rtol=0, atol=1e-11)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_alpha_one_changes_no_bit(dtype):
    picture = noise(2, 9, BINS, dtype=dtype)
    assert torch.equal(vtlp.warp(picture, 1.0), picture)
    assert torch.equal(vtlp.warp(picture, torch.ones(2)), picture)


@pytest.mark.parametrize("alpha", ALPHAS)
def test_a_constant_stays_that_constant(alpha):
    constant = torch.full((4, BINS), -61.7)
    assert torch.equal(vtlp.warp(constant, alpha), constant)


@pytest.mark.parametrize("alpha", ALPHAS)
def test_the_first_and_the_last_bin_stay(alpha):
    picture = noise(5, BINS, dtype=torch.float32)
    warped = vtlp.warp(picture, alpha)
    assert torch.equal(warped[:, 0], picture[:, 0])
    assert torch.equal(warped[:, -1], picture[:, -1])


def test_time_does_not_matter():
    picture = noise(6, BINS)
    assert torch.equal(vtlp.warp(picture, 1.07)[[4, 0, 2]], vtlp.warp(picture[[4, 0, 2]], 1.07))


def test_another_knee_is_another_warp():
    picture = noise(6, BINS)
    alpha, f0, bins = 1.2, 0.5, np.arange(BINS)
    source = np.interp(bins / (BINS - 1), [0, alpha * f0, 1], [0, f0, 1]) * (BINS - 1)
    expected = np.stack([np.interp(source, bins, frame) for frame in picture.numpy()])
    np.testing.assert_allclose(vtlp.warp(picture, alpha, f0).numpy(), expected, rtol=0, atol=1e-11)


def test_the_input_is_left_alone():
    picture = noise(6, BINS)
    before = picture.clone()
    vtlp.warp(picture, 1.1).zero_()
    vtlp.warp(picture, 1.0).zero_()
    assert torch.equal(picture, before)


# One, a batch, and one by one


def test_a_batch_with_one_alpha_each_equals_one_by_one():
    batch, alphas = noise(5, 8, BINS, dtype=torch.float32), torch.tensor(ALPHAS)
    together = vtlp.warp(batch, alphas)
    for picture, alpha, warped in zip(batch, alphas, together, strict=True):
        assert torch.equal(vtlp.warp(picture, alpha), warped)
        assert torch.equal(vtlp.warp(picture, float(alpha)), warped)


def test_one_alpha_for_a_batch_equals_the_same_alpha_for_each():
    batch = noise(3, 8, BINS, dtype=torch.float32)
    assert torch.equal(vtlp.warp(batch, 0.92), vtlp.warp(batch, torch.full((3,), 0.92, dtype=torch.float64)))
    assert torch.equal(vtlp.warp(batch.reshape(3, 2, 4, BINS), 0.92).reshape(3, 8, BINS), vtlp.warp(batch, 0.92))


def test_frequency_major_rows_are_the_same_warp():
    batch, alphas = noise(5, 8, BINS), torch.tensor(ALPHAS)
    assert torch.equal(vtlp.warp_rows(batch.transpose(1, 2), alphas).transpose(1, 2), vtlp.warp(batch, alphas))


def test_spectrograms_of_several_lengths_are_each_warped_by_its_own_alpha():
    pictures = [torch.rand(33, frames) for frames in (5, 1, 12)]
    room = torch.full((33, 25), -7.0)
    places, alphas = [room[:, 2:7], room[:, 8:9], room[:, 10:22]], torch.tensor([0.9, 1.05, 1.1])
    vtlp.warp_into(places, pictures, alphas)
    for place, picture, alpha in zip(places, pictures, alphas.tolist(), strict=True):
        torch.testing.assert_close(place, vtlp.warp_rows(picture, alpha))
    assert int((room == -7).sum()) == 33 * (25 - 5 - 1 - 12)


def test_spectrograms_end_to_end_are_each_warped_by_its_own_alpha():
    """What a GPU runs in place of rows; here it runs on the CPU."""
    pictures, alphas = [torch.rand(33, frames) for frames in (5, 1, 12)], torch.tensor([0.9, 1.05, 1.1])
    gap = torch.full((33, 3), -7.0)
    picture = torch.cat([part for own in pictures for part in (own, gap)], dim=1)
    owners = torch.arange(3).repeat_interleave(torch.tensor([8, 4, 15]))
    warped, kept = vtlp.warp_columns(picture, owners, alphas), picture.clone()
    for start, own, alpha in zip((0, 8, 12), pictures, alphas.tolist(), strict=True):
        torch.testing.assert_close(warped[:, start : start + own.shape[1]], vtlp.warp_rows(own, alpha))
        assert (warped[:, start + own.shape[1] :][:, :3] == -7).all()
    assert torch.equal(picture, kept)


@pytest.mark.parametrize("alpha", [0.0, 1.2, float("nan")])
def test_where_several_are_warped_an_alpha_out_of_range_is_an_error_too(alpha):
    pictures = [torch.rand(33, 4)]
    with pytest.raises(SerError, match="out of range"):
        vtlp.warp_into([torch.empty(33, 4)], pictures, torch.tensor([alpha]))
    with pytest.raises(SerError, match="out of range"):
        vtlp.warp_columns(pictures[0], torch.zeros(4, dtype=torch.int64), torch.tensor([alpha]))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_shape_and_dtype_are_kept(dtype):
    for shape, alpha in (((4, BINS), 1.1), ((2, 4, BINS), torch.tensor([0.9, 1.1])), ((2, 3, 4, BINS), 0.9)):
        warped = vtlp.warp(noise(*shape, dtype=torch.float32).to(dtype), alpha)
        assert warped.shape == shape and warped.dtype == dtype and warped.is_contiguous()


def test_the_gradient_is_right():
    batch = noise(2, 3, 12).requires_grad_()
    assert torch.autograd.gradcheck(lambda b: vtlp.warp(b, torch.tensor([0.93, 1.08])), batch)
    assert torch.autograd.gradcheck(lambda b: vtlp.warp(b, 1.04), batch)


# What cannot be warped


@pytest.mark.parametrize(
    "picture, alpha, f0, message",
    [
        (torch.zeros(4, 9), 0.0, 0.9, "alpha = 0 is out of range"),
        (torch.zeros(4, 9), -1.0, 0.9, "alpha = -1 is out of range"),
        (torch.zeros(4, 9), 1 / 0.9, 0.9, "alpha = 1.11111 is out of range"),
        (torch.zeros(4, 9), float("nan"), 0.9, "alpha = nan is out of range"),
        (torch.zeros(4, 9), float("inf"), 0.9, "alpha = inf is out of range"),
        (torch.zeros(2, 4, 9), torch.tensor([1.0, 1.2]), 0.9, "alpha = 1.2 is out of range"),
        (torch.zeros(4, 9), 1.0, 0.0, "f0 = 0.0 must lie between"),
        (torch.zeros(4, 9), 1.0, 1.0, "f0 = 1.0 must lie between"),
        (torch.zeros(4, 9), 1.0, float("nan"), "f0 = nan must lie between"),
        (torch.zeros(3, 4, 9), torch.ones(2), 0.9, "does not fit spectrograms of shape"),
        (torch.zeros(4, 9), torch.ones(4), 0.9, "does not fit spectrograms of shape"),
        (torch.zeros(2, 4, 9), torch.ones(2, 1), 0.9, "does not fit spectrograms of shape"),
        (torch.zeros(4, 9, dtype=torch.int64), 1.0, 0.9, "floating-point"),
        (torch.zeros(9), 1.0, 0.9, "two dimensions or more"),
        (torch.zeros(4, 1), 1.0, 0.9, "cannot be warped"),
    ],
)
def test_settings_out_of_range_and_shapes_that_do_not_fit_are_value_errors(picture, alpha, f0, message):
    with pytest.raises(ValueError, match=message) as caught:
        vtlp.warp(picture, alpha, f0)
    assert isinstance(caught.value, SerError)


# The alphas of the paper


def test_the_vote_is_over_the_papers_eleven_alphas():
    assert vtlp.VOTE_ALPHAS == (0.90, 0.92, 0.94, 0.96, 0.98, 1.00, 1.02, 1.04, 1.06, 1.08, 1.10)


def test_alphas_are_drawn_evenly_from_the_papers_range():
    drawn = vtlp.draw_alphas(20_000, torch.Generator().manual_seed(1))
    assert drawn.shape == (20_000,) and drawn.dtype == torch.float64
    assert float(drawn.min()) >= 0.9 and float(drawn.max()) <= 1.1
    shares = torch.histc(drawn, bins=10, min=0.9, max=1.1) / len(drawn)
    torch.testing.assert_close(shares, torch.full((10,), 0.1, dtype=torch.float64), rtol=0, atol=0.01)


def test_alphas_follow_from_their_generator_alone():
    torch.manual_seed(0)
    first = vtlp.draw_alphas(5, torch.Generator().manual_seed(3))
    assert torch.equal(first, vtlp.draw_alphas(5, torch.Generator().manual_seed(3)))
    assert not torch.equal(first, vtlp.draw_alphas(5, torch.Generator().manual_seed(4)))

"""Vocal tract length perturbation (Section 2, eq. 1).

Spectrograms are kept frequency-major in this package, ``(frequency, time)``: a warp then is a blend of whole rows.
"""

from collections.abc import Sequence

import torch

from ser_lib.errors import SerError

ALPHA_RANGE = (0.9, 1.1)
"""Section 2: the warp factor is drawn uniformly from this range."""

VOTE_ALPHAS = tuple(round(0.90 + 0.02 * copy, 2) for copy in range(11))
"""Section 2: the eleven copies of the test set, 0.90, 0.92, ..., 1.10."""


def warp(spectrogram: torch.Tensor, alpha: float | torch.Tensor, f0: float = 0.9) -> torch.Tensor:
    """Move the energy at frequency f to G(f), linearly interpolated between bins.

    Args:
        spectrogram: shape (..., time, frequency), floating point; bin 0 is 0 Hz, the last bin f_max. A batch of shape
            (batch, time, frequency) may have one alpha for each spectrogram.
        alpha: warp factor, above 0 and below 1 / ``f0``; a number, or a tensor of shape (batch,). 1 changes nothing.
        f0: the knee of eq. 1 as a share of f_max, between 0 and 1.

    Returns:
        The warped spectrogram, same shape, dtype and device.

    Raises:
        SerError (a ValueError): a setting is out of range, or shapes do not fit.

    Source: eq. 1 and Section 2.
    """
    _check_picture(spectrogram)
    return warp_rows(spectrogram.transpose(-1, -2), alpha, f0).transpose(-1, -2).contiguous()


def warp_rows(picture: torch.Tensor, alpha: float | torch.Tensor, f0: float = 0.9) -> torch.Tensor:
    """As :func:`warp`, for frequency-major spectrograms of shape (..., frequency, time)."""
    _check_picture(picture)
    bins = picture.shape[-2]
    if bins < 2:
        raise SerError(f"a spectrogram of {bins} frequency bin(s) cannot be warped")
    alpha = torch.as_tensor(alpha, dtype=torch.float64)
    if alpha.dim() > 1 or (alpha.dim() == 1 and (picture.dim() != 3 or alpha.numel() != picture.shape[0])):
        raise SerError(
            f"alpha of shape {tuple(alpha.shape)} does not fit spectrograms of shape {tuple(picture.shape)}: "
            "give a number, or one alpha for each spectrogram of a batch"
        )
    below, weight = (part.to(picture.device) for part in _neighbours(alpha, bins, f0))
    weight = weight.to(picture.dtype).unsqueeze(-1)
    if alpha.dim() == 0:
        low, high = picture.index_select(-2, below), picture.index_select(-2, below + 1)
        return torch.lerp(low, high, weight)
    # One gather of whole rows for the batch: row r of spectrogram b is row b * bins + r of the flattened batch.
    rows = picture.reshape(-1, picture.shape[-1])
    first = (below + bins * torch.arange(len(alpha), device=picture.device).unsqueeze(-1)).reshape(-1)
    low, high = rows.index_select(0, first), rows.index_select(0, first + 1)
    return torch.lerp(low.view_as(picture), high.view_as(picture), weight)


def warp_into(
    places: Sequence[torch.Tensor], pictures: Sequence[torch.Tensor], alphas: torch.Tensor, f0: float = 0.9
) -> None:
    """Write each of some frequency-major spectrograms, warped by its own alpha, to its place.

    Args:
        places: tensors of the pictures' shapes, which are overwritten.
        pictures: spectrograms of as many bins each, shape (frequency, time) with their own times.
        alphas: warp factors, shape (len(pictures),).
        f0: see :func:`warp`.
    """
    below, weight = _neighbours(alphas.double(), pictures[0].shape[0], f0)
    below, weight = below.to(pictures[0].device), weight.to(pictures[0])
    rows = zip(places, pictures, below.unbind(), (below + 1).unbind(), weight.unsqueeze(2).unbind(), strict=True)
    for place, picture, first, second, share in rows:
        torch.lerp(picture.index_select(0, first), picture.index_select(0, second), share, out=place)


def warp_columns(picture: torch.Tensor, owners: torch.Tensor, alphas: torch.Tensor, f0: float = 0.9) -> torch.Tensor:
    """As :func:`warp_into`, for spectrograms end to end in one picture.

    A handful of operations, however many spectrograms there are: on a GPU, where each costs a launch, that is the
    faster way; on a CPU it is the slower one, since it gathers pixel by pixel and not row by row.

    Args:
        picture: shape (frequency, time).
        owners: to which spectrogram each column belongs, int64 on the picture's device, shape (time,).
        alphas: warp factor of each spectrogram, shape (spectrograms,).
        f0: see :func:`warp`.
    """
    below, weight = _neighbours(alphas.double(), picture.shape[0], f0)
    below = below.T.to(picture.device).index_select(1, owners)
    weight = weight.T.to(picture).index_select(1, owners)
    return torch.lerp(picture.gather(0, below), picture.gather(0, below + 1), weight)


def warped_frequency(f: torch.Tensor, alpha: torch.Tensor, f0: float = 0.9) -> torch.Tensor:
    """G(f) of eq. 1, with frequencies as shares of f_max in [0, 1]; ``alpha`` broadcasts against ``f``."""
    _check(alpha, f0)
    above = (1 - alpha * f0) / (1 - f0) * (f - f0) + alpha * f0
    return torch.where(f <= f0, alpha * f, above)


def source_frequency(g: torch.Tensor, alpha: torch.Tensor, f0: float = 0.9) -> torch.Tensor:
    """The inverse of eq. 1: the frequency that is moved to ``g``, both as shares of f_max in [0, 1]."""
    _check(alpha, f0)
    knee = alpha * f0
    above = (1 - f0) / (1 - knee) * (g - knee) + f0
    return torch.where(g <= knee, g / alpha, above)


def draw_alphas(count: int, generator: torch.Generator) -> torch.Tensor:
    """Warp factors drawn uniformly from (0.9, 1.1), shape (count,), float64 on the CPU (Section 2)."""
    low, high = ALPHA_RANGE
    return low + (high - low) * torch.rand(count, generator=generator, dtype=torch.float64)


def _neighbours(alpha: torch.Tensor, bins: int, f0: float) -> tuple[torch.Tensor, torch.Tensor]:
    """For each bin of the result, the source bin below it and how far towards the next one to go."""
    target = torch.linspace(0, 1, bins, dtype=torch.float64)
    position = source_frequency(target, alpha.unsqueeze(-1), f0).clamp(0, 1) * (bins - 1)
    below = position.floor().clamp(max=bins - 2)
    weight = position - below
    shape = (bins,) if alpha.dim() == 0 else (len(alpha), bins)
    return below.long().reshape(shape), weight.reshape(shape)


def _check(alpha: torch.Tensor, f0: float) -> None:
    if not 0 < f0 < 1:
        raise SerError(f"f0 = {f0} must lie between 0 and 1 (it is a share of f_max; the paper takes 0.9)")
    inside = (alpha > 0) & (alpha * f0 < 1)  # NaN is outside, too
    if not bool(inside.all()):
        value = alpha[~inside].flatten()[0] if alpha.dim() else alpha
        raise SerError(f"alpha = {float(value):g} is out of range: it must be above 0 and below 1 / f0 = {1 / f0:.3f}")


def _check_picture(picture: torch.Tensor) -> None:
    if not torch.is_floating_point(picture) or picture.dim() < 2:
        raise SerError(
            "a spectrogram is a floating-point tensor of two dimensions or more, "
            f"not {picture.dtype} of shape {tuple(picture.shape)}"
        )

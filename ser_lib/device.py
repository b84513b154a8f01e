"""Where a run computes, and how a GPU multiplies there."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from ser_lib.errors import SerError

_PRECISIONS = {"float32": "ieee", "tf32": "tf32"}
"""The setting ``precision`` -> PyTorch's name for it."""


def choose_device(device: str) -> str:
    """The torch device to use; ``auto`` is a GPU if there is one.

    Raises:
        SerError: the device does not exist here.
    """
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as problem:
        raise SerError(f"device {device!r} cannot be used: {str(problem).splitlines()[0]}") from None
    return device


@contextmanager
def multiplying(precision: str, device: torch.device) -> Iterator[None]:
    """Convolutions, recurrence and products of a GPU in one precision; what was set before comes back afterwards.

    PyTorch by itself lets cuDNN's convolutions and recurrence round their factors to TF32, so that a GPU would not
    score as a CPU does: ``float32`` has to be asked for, too.

    Args:
        precision: ``float32``, or ``tf32``, whose factors keep 10 bits behind the binary point and not 23.
        device: where it is computed.

    Raises:
        SerError: TF32 is asked for where there is none.
    """
    if precision != "float32" and device.type != "cuda":
        raise SerError(f"precision = {precision} is for GPUs of NVIDIA; on {device.type} there is float32 alone")
    backends = (torch.backends.cuda.matmul, torch.backends.cudnn.conv, torch.backends.cudnn.rnn)
    before = [backend.fp32_precision for backend in backends]
    try:
        for backend in backends:
            backend.fp32_precision = _PRECISIONS[precision]
        yield
    finally:
        for backend, value in zip(backends, before, strict=True):
            backend.fp32_precision = value

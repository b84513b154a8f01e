"""Matrix products through oneDNN, as PyTorch's convolutions go, where PyTorch itself takes MKL's.

MKL uses narrower instructions on processors that are not Intel's: oneDNN was measured at twice its speed on one of
AMD's (``benchmarks/epoch.py``), and the Bi-LSTM's products are a quarter of a training step. PyTorch has no public name
for oneDNN's product of ordinary tensors; where the one that its compiler uses is missing, MKL's is taken.
"""

import torch
from torch.nn import functional


def linear(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
    """x W^T + bias, as PyTorch's linear: (rows, inputs), (outputs, inputs), (outputs,) -> (rows, outputs)."""
    return Linear.apply(x, weight, bias) if uses_onednn(x) else functional.linear(x, weight, bias)


def product(a: torch.Tensor, b: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
    """a b + bias, without a gradient: (rows, inner), (inner, columns), (columns,) -> (rows, columns)."""
    if uses_onednn(a):
        return torch.ops.mkldnn._linear_pointwise(a, b.T, bias, "none", [], "")
    return a @ b if bias is None else torch.addmm(bias, a, b)


def uses_onednn(x: torch.Tensor) -> bool:
    """Whether a product with x goes through oneDNN: on the CPU, in single precision, where PyTorch has it."""
    return (
        x.device.type == "cpu"
        and x.dtype == torch.float32
        and torch.backends.mkldnn.is_available()
        and hasattr(torch.ops.mkldnn, "_linear_pointwise")
    )


class Linear(torch.autograd.Function):
    """:func:`linear` through oneDNN, with its gradient."""

    @staticmethod
    def forward(ctx, x, weight, bias):
        ctx.save_for_backward(x, weight)
        ctx.has_bias = bias is not None
        return product(x, weight.T, bias)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, grad):
        x, weight = ctx.saved_tensors
        grad = grad.contiguous()
        of_x = product(grad, weight) if ctx.needs_input_grad[0] else None
        return of_x, product(grad.T, x), grad.sum(dim=0) if ctx.has_bias else None

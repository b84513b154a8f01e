"""Products through oneDNN are PyTorch's own, in value and in gradient, and only where oneDNN can serve."""

import pytest
import torch
from torch.nn import functional

from ser_lib import linear


@pytest.fixture
def case():
    generator = torch.Generator().manual_seed(0)
    return tuple(torch.randn(shape, generator=generator) for shape in ((37, 24), (40, 24), (40,), (37, 40)))


@pytest.mark.parametrize("with_bias", [True, False])
def test_value_and_gradients_are_those_of_pytorch(case, with_bias):
    x, weight, bias, outer = case
    results = []
    for function in (linear.linear, functional.linear):
        leaves = [part.clone().requires_grad_() for part in (x, weight, bias)[: 2 + with_bias]]
        function(*leaves).backward(outer)
        results.append([function(*leaves).detach(), *(leaf.grad for leaf in leaves)])
    for ours, theirs in zip(*results, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-4)


def test_products_of_transposed_matrices(case):
    x, _, _, outer = case
    torch.testing.assert_close(linear.product(outer.T, x), outer.T @ x, rtol=1e-5, atol=1e-4)


def test_what_onednn_cannot_serve_goes_to_pytorch(case, monkeypatch):
    x, weight, bias, _ = case
    double = [part.double() for part in (x, weight, bias)]
    assert not linear.uses_onednn(double[0])
    assert torch.equal(linear.linear(*double), functional.linear(*double))
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    assert not linear.uses_onednn(x)
    assert torch.equal(linear.linear(x, weight, bias), functional.linear(x, weight, bias))
    assert torch.equal(linear.product(x, weight.T, bias), torch.addmm(bias, x, weight.T))


def test_a_frozen_input_gets_no_gradient(case):
    x, weight, bias, outer = case
    weight.requires_grad_()
    linear.linear(x, weight, bias).backward(outer)
    assert x.grad is None and weight.grad is not None

from __future__ import annotations

import torch
from torch.nn.functional import cosine_similarity, normalize

from napari_d24fad.network.cosine import cosine, unit_length


def test_as_torch_computes_them() -> None:
    generator = torch.Generator().manual_seed(0)
    first, second = (torch.randn(2, 7, 5, 6, generator=generator) for _ in range(2))
    first[1, :, 2, 3] = 0
    torch.testing.assert_close(cosine(first, second), cosine_similarity(first, second))
    torch.testing.assert_close(unit_length(first), normalize(first))
    assert cosine(first, second)[1, 2, 3] == 0


def test_gradients_are_finite_at_zero() -> None:
    zeros = torch.zeros(1, 3, 2, 2, requires_grad=True)
    cosine(zeros, torch.ones(1, 3, 2, 2)).sum().backward()
    assert zeros.grad is not None
    assert torch.isfinite(zeros.grad).all()

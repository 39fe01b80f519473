from __future__ import annotations

import pytest
import torch

from napari_d24fad.network.cosine import cosine
from napari_d24fad.network.weighting import LearnToWeight, combine, products, weighted_distance

FORMATS = [torch.contiguous_format, torch.channels_last]


@pytest.mark.parametrize("layout", FORMATS)
def test_products_and_sums_as_double_precision_gives_them(layout: torch.memory_format) -> None:
    generator = torch.Generator().manual_seed(0)
    queries = torch.randn(3, 6, 4, 5, generator=generator).contiguous(memory_format=layout)
    supports = torch.randn(2, 6, 4, 5, generator=generator).contiguous(memory_format=layout)
    expected = torch.einsum("nchw,kchw->hwnk", queries.double(), supports.double())
    torch.testing.assert_close(
        products(queries, supports).double(), expected.flatten(0, 1), atol=1e-5, rtol=0
    )
    logits = LearnToWeight.logits(queries, supports)
    torch.testing.assert_close(logits.double(), expected.sum(dim=(0, 1)) / 6**0.5, atol=1e-5, rtol=0)


@pytest.mark.parametrize("layout", FORMATS)
def test_distance_to_weighted_supports_is_that_of_the_weighted_features(layout: torch.memory_format) -> None:
    generator = torch.Generator().manual_seed(0)
    queries = torch.rand(3, 6, 4, 5, generator=generator).contiguous(memory_format=layout)
    supports = torch.rand(4, 6, 4, 5, generator=generator).contiguous(memory_format=layout)
    queries[1, :, 2, 3] = 0
    weights = torch.rand(3, 4, generator=generator).softmax(dim=1)
    combined = torch.einsum("nk,kchw->nchw", weights, supports)
    torch.testing.assert_close(combine(weights, supports), combined)
    distance = weighted_distance(queries, supports, weights)
    torch.testing.assert_close(distance, 1 - cosine(queries, combined), atol=1e-6, rtol=0)
    assert distance[1, 2, 3] == 1

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn.functional import normalize

from napari_d24fad.detection.scoring.matched import FOR_VOLUMES, MatchedScoring, lowest_of_each
from napari_d24fad.detection.scoring.search import local_likeness


def features(*shape: int, seed: int) -> torch.Tensor:
    return normalize(torch.randn(shape, generator=torch.Generator().manual_seed(seed)))


@pytest.mark.parametrize("count", [1, 2, 5, 9])
@pytest.mark.parametrize(("radius", "width"), [(0, 8), (1, 8), (2, 6), (2, 4)])
def test_each_position_finds_its_best_neighbour(count: int, radius: int, width: int) -> None:
    """However the columns are grouped, the search is the one written out with four loops."""
    query, supports = features(count, 5, 6, width, seed=1), features(3, 5, 6, width, seed=2)
    found = local_likeness(query, supports, radius)
    assert found.shape == (count, 3, 6, width)
    for row in range(6):
        for column in range(width):
            rows = slice(max(0, row - radius), row + radius + 1)
            columns = slice(max(0, column - radius), column + radius + 1)
            near = supports[:, :, rows, columns].flatten(2)
            expected = torch.einsum("nc,scp->nsp", query[:, :, row, column], near).amax(dim=2)
            torch.testing.assert_close(found[:, :, row, column], expected)


def test_a_share_of_0_is_the_same_as_a_reference_left_out() -> None:
    matches = tuple(torch.rand(2, 5, 4, 4, generator=torch.Generator().manual_seed(n)) for n in range(4))
    method: MatchedScoring = FOR_VOLUMES
    whole, _ = method.distances(matches, 8)
    torch.testing.assert_close(method.distances(matches, 8, (1.0,) * 5)[0], whole)
    without, _ = method.distances(tuple(each[:, [0, 2, 3, 4]] for each in matches), 8)
    nearly, _ = method.distances(matches, 8, (1.0, 1e-9, 1.0, 1.0, 1.0))
    torch.testing.assert_close(nearly, without)
    half, _ = method.distances(matches, 8, (1.0, 0.5, 1.0, 1.0, 1.0))
    assert (
        (half >= torch.minimum(whole, without) - 1e-6) & (half <= torch.maximum(whole, without) + 1e-6)
    ).all()


def test_shares_of_a_few_nearest_sum_to_three() -> None:
    """By hand: distances 1, 2, 3, 4 with shares 1, 0.5, 1, 1 give (1 + 0.5 * 2 + 3 + 0.5 * 4) / 3."""
    distances = torch.tensor([4.0, 1.0, 3.0, 2.0]).reshape(1, 4, 1, 1)
    found, weights = FOR_VOLUMES.distances((distances,) * 4, 1, (1.0, 1.0, 1.0, 0.5))
    assert found.flatten().tolist() == pytest.approx([7 / 3] * 4)
    assert weights[0, :, 0].tolist() == [0, 1, 0, 0]


def test_lowest_of_each_reference() -> None:
    distances = torch.tensor([5.0, 2.0, 3.0]).reshape(1, 3, 1, 1)
    assert lowest_of_each(distances, [4, 4, 7]).flatten().tolist() == [2, 3]


@pytest.mark.parametrize("count", [2, 3, 8])
def test_the_nearest_references_are_averaged_and_the_first_of_equals_weighs(count: int) -> None:
    generator = torch.Generator().manual_seed(count)
    distances = torch.randint(0, 6, (2, count, 5, 7), generator=generator).half()  # full of equals
    found, weights = FOR_VOLUMES.distances((distances,) * 4, 5, None)
    lowest = np.sort(distances.numpy().astype(np.float32), axis=1)[:, :3].mean(axis=1)
    expected = torch.nn.functional.interpolate(torch.from_numpy(lowest)[:, None], (5, 5), mode="bilinear")
    torch.testing.assert_close(found[:, 0], expected[:, 0])
    nearest = distances.numpy().argmin(axis=1)  # NumPy's is the first of equals
    shares = np.stack([(nearest == index).mean(axis=(1, 2)) for index in range(count)], axis=1)
    np.testing.assert_allclose(weights[:, :, 0].numpy(), shares, atol=1e-6)

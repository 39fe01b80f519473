from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from napari_d24fad.detection.detector import Detector
from napari_d24fad.detection.streaming import FIRST, PartialMap, encode_and_show
from napari_d24fad.errors import Cancelled
from napari_d24fad.progress import CancelToken
from napari_d24fad.studies.scan import Scan

from .subjects import head, random_model

GRID = (60, 40, 36)


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector(random_model(), "cpu")


def upside_down(scan: Scan) -> Scan:
    """The same anatomy, its slices stored from top to bottom."""
    move = np.eye(4)
    move[0, 0], move[0, 3] = -1, scan.grid[0] - 1
    return Scan(scan.voxels[::-1], scan.affine @ move, modality=scan.modality)


@pytest.mark.parametrize("start", [None, 0, 10, 59])
def test_parts_grow_from_the_slice_looked_at_to_the_whole_map(detector: Detector, start: int | None) -> None:
    references = detector.encode([head(n) for n in (1, 2, 3)])
    query = upside_down(head(0, grid=GRID))
    seen: list[np.ndarray] = []
    arrays: list[int] = []

    def show(found: PartialMap) -> None:
        seen.append(np.isfinite(found.values).any(axis=(1, 2)))
        arrays.append(id(found.values))
        maps.append(found.values)
        assert found.limits[0] < found.limits[1]
        assert found.share == pytest.approx(seen[-1].sum() / expected_slices)

    maps: list[np.ndarray] = []
    expected = detector.examine(detector.encode_scan(query), references)
    expected_slices = int(np.isfinite(expected.slice_scores).sum())
    whole = encode_and_show(detector, query, references, start, show)
    assert seen[0].sum() == FIRST
    wanted = GRID[0] // 2 if start is None else start
    first = np.flatnonzero(seen[0])
    assert first[0] - 1 <= np.clip(wanted, *np.flatnonzero(seen[-1])[[0, -1]]) <= first[-1] + 1
    assert all((later >= earlier).all() for earlier, later in pairwise(seen))
    assert len(set(arrays)) == 1  # the layer shows one array that fills
    assert references.alignment.knows(whole, references.encoded)
    complete = detector.examine(whole, references)
    np.testing.assert_allclose(maps[-1], complete.values, rtol=1e-4)
    np.testing.assert_allclose(complete.values, expected.values, rtol=2e-3, atol=2e-3)


def test_cancel_between_parts(detector: Detector) -> None:
    references = detector.encode([head(n) for n in (1, 2)])
    token = CancelToken()
    with pytest.raises(Cancelled):
        encode_and_show(
            detector, head(0, grid=GRID), references, None, lambda _: token.cancel(), cancel=token
        )

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from napari_d24fad.detection.detector import Detector
from napari_d24fad.detection.encoding.encoded import EncodedScan
from napari_d24fad.detection.references.null import LEVELS, combine_components, expected_maps
from napari_d24fad.progress import CancelToken
from tests.detection.subjects import head, random_model


def test_levels_that_no_reference_shows_borrow_from_the_nearest() -> None:
    """References with anatomy in one slice: the same is expected at every level, not half of it."""
    expected = expected_maps(torch.full((2, 32, 32), 3.0), np.array([0.5, 0.5]))
    assert expected.shape == (LEVELS, 32, 32)
    assert expected.dtype == torch.float32
    torch.testing.assert_close(expected, torch.full_like(expected, 3.0))


def test_each_level_expects_what_references_show_there() -> None:
    maps = torch.ones(LEVELS, 32, 32)
    maps[LEVELS // 2 :] = 3
    expected = expected_maps(maps, (np.arange(LEVELS) + 0.5) / LEVELS)
    torch.testing.assert_close(expected[0], torch.full((32, 32), 1.5), atol=1e-3, rtol=0)
    torch.testing.assert_close(expected[-1], torch.full((32, 32), 2.5), atol=1e-3, rtol=0)


@pytest.fixture(scope="module")
def heads() -> tuple[Detector, list[EncodedScan]]:
    detector = Detector(random_model(), "cpu")
    return detector, [detector.encode_scan(head(seed)) for seed in range(7)]


@pytest.mark.parametrize("count", [2, 3, 4])
def test_the_factor_for_one_reference_more_is_what_queries_show(
    heads: tuple[Detector, list[EncodedScan]], count: int
) -> None:
    """Distances of scans that are no references, to all of them and to all but one."""
    detector, scans = heads
    known = detector.reference_set(scans[:count])
    means = known.null.component_means
    to_all, to_all_but_one = 0.0, 0.0
    for query in scans[4:]:
        compared = known.alignment.compare(query, scans[:count])
        for left_out in (None, *range(count)):
            shares = [0.0 if at == left_out else 1.0 for at in range(count)]
            distances, _ = compared.distances(slice(None), 16, shares, CancelToken())
            total = float(combine_components(distances, means).sum())
            if left_out is None:
                to_all += total
            else:
                to_all_but_one += total / count
    assert known.null.one_more == pytest.approx(to_all / to_all_but_one, abs=0.06)


def test_the_order_of_the_references_changes_nothing(heads: tuple[Detector, list[EncodedScan]]) -> None:
    detector, scans = heads
    one, other = (
        detector.examine(scans[6], detector.reference_set([scans[at] for at in order]))
        for order in ((0, 1, 2, 3), (0, 2, 1, 3))
    )
    assert other.level_one_region == pytest.approx(one.level_one_region, rel=1e-4)
    assert other.levels_by_rate[0.01] == pytest.approx(one.levels_by_rate[0.01], rel=1e-4)
    assert other.score == pytest.approx(one.score, rel=1e-4)
    assert len(other.regions) == len(one.regions)


class Reads(TorchDispatchMode):
    """Counts how often a number is read from a tensor: on a GPU, the program waits for it each time."""

    count = 0

    def __torch_dispatch__(self, operator, kinds, arguments=(), options=None):
        # In inference mode, torch does not take apart what it makes of others.
        self.count += operator in (torch.ops.aten._local_scalar_dense.default, torch.ops.aten.item.default)
        return operator(*arguments, **(options or {}))


@pytest.mark.parametrize("name", ["paper", "matched"])
def test_references_are_measured_without_waiting_for_each_pair(name: str) -> None:
    detector = Detector(random_model(), "cpu", name)
    scans = [detector.encode_scan(head(n)) for n in range(4)]
    with Reads() as reads:
        detector.reference_set(scans)
    assert reads.count == 0


def test_leaving_each_out_at_once_is_leaving_one_out_each_time() -> None:
    detector = Detector(random_model(), "cpu")
    scans = [detector.encode_scan(head(n)) for n in range(5)]
    alignment = detector.reference_set(scans).alignment
    compared = alignment.compare(scans[0], scans[1:])
    for shares in ([1.0] * 4, [1.0, 0.5, 0.25, 1.0]):
        together = compared.distances_without_one(slice(None, None, 3), 16, shares, CancelToken())
        assert len(together) == 4
        for out, found in enumerate(together):
            left = [0.0 if at == out else share for at, share in enumerate(shares)]
            expected, _ = compared.distances(slice(None, None, 3), 16, left, CancelToken())
            torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-7)

"""What a map tells of a volume, on maps small enough to count by hand."""

import numpy as np
import pytest

from napari_d24fad.metrics.cohort import Measured, scan_auroc, smallest_p_share, volume_figures
from napari_d24fad.metrics.volumes import Examination, Found, measure_volume

SHAPE = (4, 30, 30)
SPACING = (5.0, 2.0, 2.0)


def examination(values: np.ndarray, level: float, regions: list[tuple[int, int, int]]) -> Examination:
    scores = values.max(axis=(1, 2))
    return Examination(values.astype(np.float32), SPACING, 0, scores.astype(np.float32), level, regions)


def two_lesions() -> np.ndarray:
    """2.88 ml in slices 1 and 2, and 0.08 ml in slice 1."""
    lesion = np.zeros(SHAPE, bool)
    lesion[1:3, 4:16, 5:11] = True
    lesion[1, 25:27, 25:27] = True
    return lesion


def test_a_map_that_finds_half_of_a_lesion() -> None:
    values = np.zeros(SHAPE)
    values[1, 4:16, 5:11] = 3.0  # half of the lesion: 72 voxels
    values[1, 9, 8] = 4.0
    values[3, 20:23, 20:22] = 5.0  # 6 voxels elsewhere
    found = measure_volume(
        examination(values, 2.0, [(1, 9, 8), (3, 20, 20)]), two_lesions(), np.ones(SHAPE, bool)
    )
    assert found.n_regions == 2
    assert (found.coloured, found.coloured_outside) == (78, 0)
    assert found.lesion_at == 4.0
    assert found.lesions_at == (4.0,)  # the other is below 0.1 ml
    assert not found.peak_in_lesion  # 5 is higher
    assert found.region_in_lesion
    # Slice scores 0, 4, 0, 5: slice 1 is above one of two others, slice 2 ties with one.
    assert found.slice_auroc == pytest.approx((1 + 0 + 0.5 + 0) / 4)
    assert not found.top_slice_in_lesion
    assert found.lesion_slices == 0.5
    assert found.dice == pytest.approx(2 * 72 / (78 + 144 + 4))
    assert found.lesion_inside == 1.0


def test_a_region_beside_the_lesion_does_not_count_as_found() -> None:
    values = np.zeros(SHAPE)
    values[3, 20:23, 20:22] = 5.0
    found = measure_volume(examination(values, 2.0, [(3, 20, 20)]), two_lesions(), np.ones(SHAPE, bool))
    assert not found.region_in_lesion
    # The plateau of zeros has its peak somewhere, far below.
    assert found.lesion_at <= 0
    nothing = measure_volume(
        examination(np.full(SHAPE, np.nan), 2.0, []), two_lesions(), np.ones(SHAPE, bool)
    )
    assert nothing.lesion_at == -np.inf
    assert nothing.lesions_at == (-np.inf,)
    assert not nothing.top_slice_in_lesion


def test_a_peak_within_two_millimetres_is_in_the_lesion() -> None:
    for row, expected in ((16, True), (17, False)):  # the lesion ends at row 15; rows are 2 mm apart
        values = np.full(SHAPE, np.nan)
        values[1, row, 8] = 1.0
        found = measure_volume(examination(values, 9.0, []), two_lesions(), np.ones(SHAPE, bool))
        assert found.peak_in_lesion is expected


def test_colour_outside_the_anatomy_is_counted_but_not_on_the_lesion() -> None:
    values = np.full(SHAPE, 3.0)
    anatomy = np.zeros(SHAPE, bool)
    anatomy[:, :10] = True
    lesion = two_lesions()
    found = measure_volume(examination(values, 2.0, []), lesion, anatomy)
    assert found.coloured == values.size
    assert found.coloured_outside == np.count_nonzero(~anatomy & ~lesion)
    assert found.lesion_inside == pytest.approx(72 / 148)  # six of twelve rows of the large one
    normal = measure_volume(examination(values, 2.0, []), None, anatomy)
    assert normal.coloured_outside == 4 * 20 * 30
    assert not normal.has_lesion


def record(score: float, peaks: list[float], lesion: float | None = None, p: float = 1.0) -> Measured:
    found = Found(np.array(peaks), n_regions=len(peaks), coloured=10, coloured_outside=1)
    if lesion is not None:
        found = Found(np.array(peaks), 1, 10, 4, lesion_at=lesion, lesions_at=(lesion, 0.0), dice=lesion / 10)
    return Measured(lesion is not None, score, p, 2.0, found)


def test_figures_of_a_set() -> None:
    measured = [
        record(1.0, [3.0, 1.0], p=1 / 3),
        record(2.0, []),
        record(1.5, [9.0], 5.0),
        record(3.0, [2.0], 2.0),
        record(-np.inf, [], -np.inf),
    ]
    figures = volume_figures(measured, 2)
    assert figures["scan AUROC"] == pytest.approx((0.5 + 1 + 0) / 3)
    assert figures["regions per normal scan"] == 1.0
    assert figures["normal scans without region"] == 0.5
    assert figures["most regions of a normal scan"] == 2.0
    assert figures["coloured outside anatomy"] == pytest.approx((1 + 1 + 4 + 4 + 4) / 50)
    # Two normal scans with peaks 3 and 1: 1/4 and 1/2 allow none and one, above 3 and above 1.
    assert figures["scan sensitivity at 0.25"] == pytest.approx(1 / 3)
    assert figures["scan sensitivity at 0.5"] == pytest.approx(2 / 3)
    assert figures["lesion sensitivity at 0.25"] == pytest.approx(1 / 6)
    assert figures["mean p of normal scans"] == pytest.approx(2 / 3)
    assert figures["normal scans at smallest p"] == 0.5
    assert figures["seconds per scan"] == 2.0
    assert np.isnan(figures["slice AUROC"])


def test_a_refused_scan_scores_lowest_and_one_label_tells_nothing() -> None:
    assert scan_auroc([record(0.0, []), record(-np.inf, [], 1.0)]) == 0.0
    assert np.isnan(scan_auroc([record(0.0, [])]))
    assert smallest_p_share([record(0.0, [], p=0.25), record(0.0, [], p=0.5)], 3) == 0.5
    assert np.isnan(smallest_p_share([record(0.0, [], p=float("nan"))], 3))

"""What a map tells of a volume, on maps small enough to count by hand."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from napari_d24fad.metrics.volumes import NOTHING, Examined, Found, measure_volume

SHAPE = (4, 30, 30)
SPACING = (5.0, 2.0, 2.0)
EVERYWHERE = np.ones(SHAPE, bool)


def measure(
    values: npt.NDArray[np.floating],
    lesion: npt.NDArray[np.bool_] | None,
    labels: npt.NDArray[np.int_] | None = None,
    masses: tuple[float, ...] = (),
    anatomy: npt.NDArray[np.bool_] = EVERYWHERE,
) -> Found:
    """Measures a map whose slice scores are its highest values; all its regions are told of."""
    scores = np.nanmax(np.where(np.isnan(values), -np.inf, values), axis=(1, 2))
    labels = np.zeros(SHAPE, int) if labels is None else labels
    examined = Examined(
        values.astype(np.float32),
        float(scores.max()),
        np.where(np.isfinite(scores), scores, np.nan).astype(np.float32),
        labels > 0,
        labels,
        masses,
        len(masses),
    )
    return measure_volume(examined, SPACING, 0, lesion, anatomy)


def two_lesions() -> npt.NDArray[np.bool_]:
    """2.88 ml in slices 1 and 2, and 0.08 ml in slice 1."""
    lesion = np.zeros(SHAPE, bool)
    lesion[1:3, 4:16, 5:11] = True
    lesion[1, 25:27, 25:27] = True
    return lesion


def test_a_map_that_finds_half_of_a_lesion() -> None:
    values, labels = np.zeros(SHAPE), np.zeros(SHAPE, int)
    values[1, 4:16, 5:11] = 3.0  # half of the lesion: 72 voxels
    values[1, 9, 8] = 4.0
    values[3, 20:23, 20:22] = 5.0  # 6 voxels elsewhere
    labels[1, 4:16, 5:11], labels[3, 20:23, 20:22] = 1, 2
    found = measure(values, two_lesions(), labels, (7.0, 6.0))
    lesion = found.lesion
    assert lesion is not None
    assert (found.n_told, found.masses) == (2, (7.0, 6.0))
    assert (found.coloured, found.coloured_outside) == (78, 0)
    assert (lesion.by_peak, lesion.by_region) == (4.0, 7.0)
    assert (lesion.each_by_peak, lesion.each_by_region) == ((4.0,), (7.0,))  # the other is below 0.1 ml
    assert not lesion.first_peak  # 5 is higher
    assert lesion.first_region
    # Slice scores 0, 4, 0, 5: slice 1 is above one of two others, slice 2 ties with one.
    assert lesion.slice_auroc == pytest.approx((1 + 0 + 0.5 + 0) / 4)
    assert not lesion.first_slice
    assert lesion.slices == 0.5
    assert lesion.dice == pytest.approx(2 * 72 / (78 + 144 + 4))
    assert lesion.inside == 1.0


def test_a_region_beside_the_lesion_does_not_count_as_found() -> None:
    values, labels = np.full(SHAPE, np.nan), np.zeros(SHAPE, int)
    values[3, 20:23, 20:22] = 5.0
    labels[3, 20:23, 20:22] = 1
    lesion = measure(values, two_lesions(), labels, (3.0,)).lesion
    assert lesion is not None
    assert not lesion.first_region
    assert not lesion.first_slice
    assert (lesion.by_peak, lesion.by_region) == (NOTHING, NOTHING)
    assert (lesion.each_by_peak, lesion.each_by_region) == ((NOTHING,), (NOTHING,))
    assert lesion.dice == 0


def test_a_scan_that_was_not_examined_is_missed() -> None:
    lesion = measure(np.full(SHAPE, np.nan), two_lesions()).lesion
    assert lesion is not None
    assert lesion.by_peak == NOTHING
    assert lesion.slice_auroc == 0.5
    assert not lesion.first_slice
    assert not lesion.first_peak
    assert not lesion.first_region


def test_a_peak_within_two_millimetres_is_in_the_lesion() -> None:
    for row, expected in ((16, True), (17, False)):  # the lesion ends at row 15; rows are 2 mm apart
        values = np.full(SHAPE, np.nan)
        values[1, row, 8] = 1.0
        lesion = measure(values, two_lesions()).lesion
        assert lesion is not None
        assert lesion.first_peak is expected


def test_slices_may_be_stacked_along_another_axis() -> None:
    lesion = np.zeros(SHAPE, bool)
    lesion[:, :, 7] = True
    scores = np.zeros(30, np.float32)
    scores[7] = 1.0
    nothing = np.zeros(SHAPE, int)
    examined = Examined(np.zeros(SHAPE, np.float32), 0.0, scores, nothing > 0, nothing, (), 0)
    found = measure_volume(examined, SPACING, 2, lesion, EVERYWHERE).lesion
    assert found is not None
    assert (found.slice_auroc, found.first_slice, found.slices) == (1.0, True, 1 / 30)


def test_colour_outside_the_anatomy_is_counted_but_not_on_the_lesion() -> None:
    labels = np.ones(SHAPE, int)
    anatomy = np.zeros(SHAPE, bool)
    anatomy[:, :10] = True
    found = measure(np.full(SHAPE, 3.0), two_lesions(), labels, (1.0,), anatomy)
    assert found.coloured == EVERYWHERE.size
    assert found.coloured_outside == np.count_nonzero(~anatomy & ~two_lesions())
    assert found.lesion is not None
    assert found.lesion.inside == pytest.approx(72 / 148)  # six of twelve rows of the large one
    own = Examined(
        np.zeros(SHAPE, np.float32),
        0.0,
        np.zeros(4, np.float32),
        labels > 1,
        labels,
        (),
        0,
        anatomy=EVERYWHERE,
    )
    told = measure_volume(own, SPACING, 0, two_lesions(), anatomy).lesion
    assert told is not None
    assert told.inside == 1.0  # the method's own mask loses nothing
    normal = measure(np.full(SHAPE, 3.0), None, labels, (1.0,), anatomy)
    assert normal.coloured_outside == 4 * 20 * 30
    assert normal.lesion is None

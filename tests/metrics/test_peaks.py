"""Local maxima of maps, by places that were put there."""

import numpy as np

from napari_d24fad.metrics.peaks import find_peaks


def test_peaks_come_highest_first_and_none_near_a_higher_one() -> None:
    values = np.zeros((3, 20, 20), np.float32)
    values[1, 5, 5] = 9.0
    values[1, 5, 9] = 8.0  # 8 mm away along a row of 2 mm: dropped
    values[1, 5, 10] = 7.0  # a neighbour of the former, so no local maximum
    values[1, 10, 5] = 6.0  # exactly 10 mm away: kept
    values[2, 15, 15] = 5.0
    found = find_peaks(np.where(values > 0, values, np.nan), (5.0, 2.0, 2.0), apart_mm=10)
    assert found.values.tolist() == [9.0, 6.0, 5.0]
    assert found.places.tolist() == [[1, 5, 5], [1, 10, 5], [2, 15, 15]]


def test_distance_counts_in_millimetres_across_slices() -> None:
    values = np.full((3, 4, 4), np.nan, np.float32)
    values[0, 1, 1], values[2, 1, 1] = 2.0, 1.0  # two slices apart
    assert len(find_peaks(values, (4.0, 1.0, 1.0)).values) == 1
    assert len(find_peaks(values, (5.0, 1.0, 1.0)).values) == 2


def test_a_plateau_is_one_peak_and_nothing_examined_gives_none() -> None:
    assert find_peaks(np.ones((2, 3, 3), np.float32), (1.0, 1.0, 1.0)).values.tolist() == [1.0]
    nothing = find_peaks(np.full((2, 3, 3), np.nan, np.float32), (1.0, 1.0, 1.0))
    assert nothing.values.shape == (0,)
    assert nothing.places.shape == (0, 3)


def test_only_so_many_are_kept() -> None:
    values = np.random.default_rng(0).random((1, 60, 60)).astype(np.float32)
    every = find_peaks(values, (1.0, 1.0, 1.0), apart_mm=3)
    few = find_peaks(values, (1.0, 1.0, 1.0), apart_mm=3, most=5)
    assert len(every.values) > 20
    assert few.values.tolist() == every.values[:5].tolist()


def test_places_are_those_of_the_whole_array_where_only_a_part_was_examined() -> None:
    values = np.full((5, 9, 9), np.nan, np.float32)
    values[2:4, 3:8, 4:6] = 1.0
    values[3, 6, 5] = 2.0
    found = find_peaks(values, (1.0, 1.0, 1.0))
    assert found.places.tolist() == [[3, 6, 5]]

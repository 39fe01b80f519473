"""Findings: made of regions or by hand, judged, measured, taken back, and put in words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_d24fad.detection.references.regions import find_regions
from napari_d24fad.detection.result import ExaminedRegion, MapBeside
from napari_d24fad.errors import Code, D24fadError
from napari_d24fad.findings.finding import Verdict
from napari_d24fad.findings.findings import Findings
from napari_d24fad.findings.history import History
from napari_d24fad.findings.making import by_hand, ellipsoid, findings_at, findings_of
from napari_d24fad.findings.measurements import Ellipse, Ruler
from napari_d24fad.findings.words import (
    LIKE_THE_REFERENCES,
    limits,
    measurement_words,
    rank_words,
    score_words,
    side_words,
    size_words,
)
from napari_d24fad.studies.scan import Problem, Scan
from tests.heads import GRID, LESION, anomaly_of, head

SCAN = head(0, lesion=True)
ANOMALY = anomaly_of(SCAN)


def one() -> Findings:
    return Findings.of(findings_of(SCAN, ANOMALY))


def test_a_region_becomes_a_finding_with_place_side_slice_and_size() -> None:
    (finding,) = one()
    # Columns 22 to 31 of 36, and columns run to the patient's left: left of the middle.
    assert (finding.number, finding.side, finding.verdict) == (1, "left", Verdict.UNDECIDED)
    assert finding.slice_index in range(3, 6)
    assert finding.mask is not None
    whole = np.zeros(GRID, bool)
    whole[LESION] = True
    assert np.array_equal(finding.mask.places, np.argwhere(whole))
    assert np.array_equal(finding.mask.slice(0, 4, GRID), whole[4])
    assert not finding.mask.slice(0, 7, GRID).any()
    assert finding.region is ANOMALY.regions[0]


def test_diameters_are_those_of_the_area() -> None:
    (finding,) = one()
    # 10 rows of 1.7 mm by 10 columns of 2.2 mm: the diagonal, and twice the height over it.
    assert finding.diameters_mm is not None
    assert finding.diameters_mm[0] == pytest.approx(np.hypot(17, 22))
    assert finding.diameters_mm[1] == pytest.approx(2 * 17 * 22 / np.hypot(17, 22))
    assert size_words(finding).startswith("27.8 × 26.9 mm, ")
    disc = np.zeros((1, 201, 201), bool)
    disc[0] = np.hypot(*(np.indices((201, 201)) - 100)) <= 80
    image = Scan(np.zeros(disc.shape, np.float32), np.diag([1, 0.5, 0.5, 1.0]), modality="CR")
    found = by_hand(image, disc)
    assert found.diameters_mm == pytest.approx((80, 80), rel=0.02)
    assert found.region.area_mm2 == pytest.approx(np.pi * 40**2, rel=0.01)


def test_sides_are_those_of_the_patient_whichever_way_the_array_runs() -> None:
    mirrored = SCAN.affine.copy()
    mirrored[:, 3] += mirrored[:, 2] * (GRID[2] - 1)
    mirrored[:, 2] *= -1
    voxels, values = SCAN.voxels[:, :, ::-1], ANOMALY.values[:, :, ::-1]
    scan = Scan(voxels, mirrored, modality="MR")
    regions = find_regions(values, scan, 1.5, 4, np.array([1.4, 1.2, 1.6]))
    anomaly = replace(ANOMALY, values=values, affine=mirrored, regions=regions)
    (finding,) = findings_of(scan, anomaly)
    assert finding.side == "left"
    unknown = Scan(voxels, mirrored, modality="MR", sides_known=False)
    regions = find_regions(values, unknown, 1.5, 4, np.array([1.4, 1.2, 1.6]))
    (finding,) = findings_of(unknown, replace(anomaly, regions=regions))
    assert (finding.side, side_words(finding)) == ("", "")
    drawn = replace(ANOMALY, region=ExaminedRegion("drawn on this scan", 1.0, 0.1))
    assert [each.side for each in findings_of(SCAN, drawn)] == [""]
    middle = by_hand(SCAN, ellipsoid(SCAN, (5, 20, 17.5), (5, 5, 3)), ANOMALY)
    assert side_words(middle) == "near the midline"


def test_what_is_marked_by_hand_is_measured_on_the_map() -> None:
    mask = ellipsoid(SCAN, (4, 27, 27), (8.2, 5, 6))
    finding = by_hand(SCAN, mask, ANOMALY)
    assert finding.by_hand
    assert finding.region.peak == 3.0
    assert finding.region.p_value == 0.25
    assert score_words(finding, ANOMALY) == "larger than in all 3 normal scans"
    volume = 4 / 3 * np.pi * 20 * 20 * 20
    big = ellipsoid(Scan(np.zeros((60, 60, 60), np.float32), np.eye(4)), (30, 30, 30), (20, 20, 20))
    assert big.sum() == pytest.approx(volume, rel=0.02)
    assert ellipsoid(SCAN, (4, 27, 27), (0.1, 0.1, 0.1)).sum() == 1
    assert ellipsoid(SCAN, (0, 0, 0), (9, 9, 9))[0, 0, 0]
    outside = by_hand(SCAN, ellipsoid(SCAN, (9, 20, 18), (2, 2, 2)), ANOMALY)
    assert np.isnan(outside.region.peak)
    assert score_words(outside, ANOMALY) == "marked by hand where nothing was examined"
    for wrong, code in ((mask[1:], Code.REGION_UNMATCHED), (np.zeros(GRID, bool), Code.REGION_EMPTY)):
        with pytest.raises(D24fadError) as refused:
            by_hand(SCAN, wrong, ANOMALY)
        assert refused.value.code is code


def test_a_region_of_a_map_beside_has_no_mask_of_the_first() -> None:
    beside = MapBeside("volume", 1.0, 0.5, 1.0, ANOMALY.regions)
    first, other = findings_of(SCAN, replace(ANOMALY, beside=(beside,)))
    assert (first.beside, other.beside) == ("", "volume")
    assert (first.mask is None, other.mask is None) == (False, True)
    assert "×" in size_words(other)


def test_a_region_whose_highest_place_was_found_on_a_coarser_grid_has_its_voxels() -> None:
    (region,) = ANOMALY.regions
    beside = replace(region, peak_index=(2, 21, 21))
    (finding,) = findings_at(SCAN, ANOMALY, [beside], 1.5)
    assert finding.mask is not None
    assert finding.mask.voxels.sum() == 300
    (far,) = findings_at(SCAN, ANOMALY, [replace(region, peak_index=(9, 2, 2))], 1.5)
    assert far.mask is None


def test_verdicts_notes_and_labels_are_taken_back_and_done_again() -> None:
    history = History(one())
    steps = [
        history.now.judge(1, Verdict.REJECTED),
        history.now.judge(1, Verdict.REJECTED).write(1, " seen before "),
        history.now.judge(1, Verdict.ACCEPTED).name(1, "haemorrhage"),
    ]
    for step in steps:
        history = history.do(step)
    assert history.now.finding(1).label == "haemorrhage"
    assert history.now.labels[-1] == "haemorrhage"
    history = history.undo().undo()
    assert history.now is steps[0]
    assert history.now.shown == ()
    history = history.redo()
    assert history.now.finding(1).note == "seen before"
    other = history.do(history.now.judge(1, Verdict.UNDECIDED))
    assert other.redo() is other, "a new change ends what could be done again"
    assert other.undo().now is history.now
    first = History(one())
    assert first.undo() is first
    assert first.do(first.now.judge(1, Verdict.UNDECIDED)) is first, "no change is no step"
    with pytest.raises(D24fadError, match="no finding 7"):
        first.now.judge(7, Verdict.ACCEPTED)


def test_numbers_stay_and_are_not_used_again() -> None:
    marked = by_hand(SCAN, ellipsoid(SCAN, (4, 8, 8), (5, 5, 5)), ANOMALY)
    state = one().add(marked, marked)
    state = state.measure(Ruler.on(SCAN, (4, 0, 0), (4, 10, 0), finding=3)).remove(3).add(marked)
    assert [each.number for each in state] == [1, 2, 4]
    assert state.measurements == ()
    with pytest.raises(D24fadError, match="rejected, not removed"):
        state.remove(1)


def test_another_level_takes_other_regions_and_keeps_what_was_judged() -> None:
    values = ANOMALY.values.copy()
    values[7, 3:8, 3:8] = 1.0
    anomaly = replace(ANOMALY, values=values)
    low = find_regions(values, SCAN, 0.9, 4, np.array([1.4, 1.2, 1.6]))
    found = findings_at(SCAN, anomaly, low, 0.9)
    assert len(found) == 2
    judged = one().judge(1, Verdict.ACCEPTED).renewed(found)
    assert [(each.number, each.verdict.value) for each in judged] == [(1, "accepted"), (2, "undecided")]
    unjudged = one().renewed(found)
    assert [each.number for each in unjudged] == [1, 2], "the same place keeps its number"


def test_rulers_and_ellipses_measure_in_the_patient() -> None:
    ruler = Ruler.on(SCAN, (0, 0, 0), (3, 10, 20))
    assert ruler.length_mm == pytest.approx(np.sqrt((3 * 4.1) ** 2 + 17**2 + 44**2))
    assert measurement_words(ruler, SCAN) == "48.7 mm"
    voxels = np.zeros((3, 50, 60), np.float32)
    voxels[1] = np.indices((50, 60))[1]
    scan = Scan(voxels, np.diag([5, 0.5, 0.5, 1]), modality="CT")
    ellipse = Ellipse.on(scan, (1, 5, 10), (1, 45, 30))
    assert ellipse.mean == pytest.approx(20)
    # The variance of a coordinate over an ellipse is a quarter of its radius squared.
    assert ellipse.deviation == pytest.approx(5, rel=0.02)
    assert ellipse.area_mm2 == pytest.approx(np.pi * 10 * 5)
    assert measurement_words(ellipse, scan) == "mean 20 HU, SD 4.95 HU, 157 mm²"
    with pytest.raises(D24fadError, match="one slice"):
        Ellipse.on(scan, (0, 5, 10), (1, 45, 30))
    plain = Scan(voxels, np.eye(4), has_geometry=False)
    assert measurement_words(Ruler.on(plain, (0, 0, 0), (0, 3, 4)), plain) == "5.0 pixels"


def test_words_say_no_more_than_the_references_tell() -> None:
    assert rank_words(1 / 9, 8) == "larger than in all 8 normal scans"
    assert rank_words(1 / 3, 2) == "larger than in both normal scans"
    assert rank_words(4 / 9, 8) == "larger than in 5 of the 8 normal scans"
    assert rank_words(1.0, 8) == LIKE_THE_REFERENCES
    assert rank_words(float("nan"), 8) == "not compared with normal scans"
    said = limits(replace(ANOMALY, warnings=(Problem(Code.SPACING_MISMATCH), Problem(Code.BURNED_IN))))
    assert said[0] == "3 normal scans can show no p-value below 0.25, 1 in 4, however unusual a place is."
    assert len(said) == 2
    assert "twice as coarse" in said[1]
    assert not any("looks normal" in sentence or "is normal" in sentence for sentence in said)

"""The product's scoring as a method gives what the detector gives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_d24fad.detection.detector import Detector
from napari_d24fad.detection.encoding.intensity import CT_WINDOW, usual_windows
from napari_d24fad.evaluation.volumes.method import Shown, Teachable
from napari_d24fad.evaluation.volumes.product import DetectorMethod
from napari_d24fad.studies.scan import SeriesIdentity
from tests.detection.subjects import head, random_model


def test_the_method_says_what_the_detector_says() -> None:
    detector = Detector(random_model(), "cpu")
    references = [head(seed) for seed in range(2)]
    query = head(9, lesion=True)
    method = DetectorMethod(detector)
    assert method.name == "matched"
    found = method.prepare(references).examine(query)
    expected = detector.detect(query, detector.encode(references))
    np.testing.assert_array_equal(found.values, expected.values)
    np.testing.assert_array_equal(found.slice_scores, expected.slice_scores)
    assert (found.score, found.p_value) == (expected.score, expected.p_value)
    np.testing.assert_array_equal(found.coloured, expected.values >= expected.level_one_region)
    assert found.n_told == len(expected.regions) > 0
    for region, mass in zip(expected.regions, found.masses, strict=True):
        own = found.labels == region.number
        assert np.count_nonzero(own) == region.n_voxels
        above = expected.values[own].astype(np.float64) - expected.level_one_region
        assert mass == pytest.approx(above.sum() * np.prod(query.spacing), rel=1e-4)
    assert list(found.masses) == sorted(found.masses, reverse=True)


def test_abnormal_volumes_are_shown_with_their_outlines() -> None:
    method = DetectorMethod(Detector(random_model(), "cpu"))
    prepared = method.prepare([head(seed) for seed in range(3)])
    assert isinstance(prepared, Teachable)
    lesion = head(20, lesion=True).voxels != head(20).voxels
    query = head(9, lesion=True)
    plain = prepared.examine(query)
    for outline in (lesion, None):
        found = prepared.beside([Shown(head(20, lesion=True), outline)]).examine(query)
        known = np.isfinite(plain.values)
        assert (found.values >= plain.values)[known].all()
        assert found.score > plain.score


def test_ct_is_examined_in_the_windows_of_its_body_part_as_detect_does() -> None:
    identity = SeriesIdentity(body_part="CHEST")
    scans = [replace(head(seed), modality="CT", identity=identity) for seed in range(2)]
    method = DetectorMethod(Detector(random_model(), "cpu"))
    assert method.prepare(scans).detector.ct_windows == usual_windows(scans[0]) != (CT_WINDOW,)
    plain = [head(seed) for seed in range(2)]
    assert method.prepare(plain).detector is method.detector

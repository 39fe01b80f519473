from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from napari_d24fad.detection.detector import Detector
from napari_d24fad.detection.references.reference_check import FALSE_FLAGS, check_outliers
from napari_d24fad.errors import Code
from napari_d24fad.studies.scan import Problem, Scan
from tests.detection.subjects import head, random_model


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector(random_model(), "cpu")


def saved_again(scan: Scan) -> Scan:
    """The same slices, each exported as JPEG, a little darker."""
    low, high = float(scan.voxels.min()), float(scan.voxels.max())
    slices = []
    for one in np.asarray(scan.voxels, np.float32):
        file = BytesIO()
        Image.fromarray(((one - low) / (high - low) * 255).astype(np.uint8)).save(file, "JPEG", quality=85)
        slices.append(np.asarray(Image.open(file)))
    return replace(scan, voxels=np.stack(slices) * np.float32(0.9))


def test_one_that_differs_most_is_flagged_and_its_place_and_factor_are_said() -> None:
    checks = check_outliers(np.array([2.0, 2.1, 6.2, 1.9, 2.05, 2.0, 2.1, 1.95]))
    assert [check.flagged for check in checks] == [False, False, True] + 5 * [False]
    assert checks[2].reason.startswith("Reference 3 ")
    assert "3.1 times" in checks[2].reason
    assert [check.reason for check in checks if not check.flagged] == [""] * 7
    assert checks[2].outlier == max(check.outlier for check in checks)


def test_references_that_differ_alike_are_not_flagged_however_much_or_little() -> None:
    for scores in ([2.0, 2.02, 2.04, 1.99], [1.0, 2.0, 4.0, 3.0, 1.5]):
        assert not any(check.flagged for check in check_outliers(np.array(scores)))


def test_false_flags_are_as_rare_as_stated_for_any_number_of_references() -> None:
    r = np.random.default_rng(0)
    for count in (3, 8):
        drawn = [check_outliers(np.exp(0.2 * r.standard_normal(count))) for _ in range(300)]
        flags = [check.flagged for checks in drawn for check in checks]
        assert np.mean(flags) == pytest.approx(FALSE_FLAGS, abs=0.02)
    assert not any(check.flagged for check in check_outliers(np.array([1.0, 50.0])))


def test_a_scan_with_a_large_lesion_stands_out_among_references(detector: Detector) -> None:
    references = detector.encode([*(head(n) for n in range(1, 6)), head(6, lesion=True)])
    outliers = [check.outlier for check in references.checks]
    assert int(np.argmax(outliers)) == 5


def test_leaving_one_out_needs_no_new_encoding_and_equals_a_set_without_it(detector: Detector) -> None:
    scans = [head(n) for n in range(1, 5)]
    every = detector.encode(scans)
    without = detector.reference_set(every.encoded[:3])
    fresh = detector.encode(scans[:3])
    assert without.encoded == every.encoded[:3]
    query = detector.encode_scan(head(0, lesion=True))
    first, second = detector.examine(query, without), detector.examine(query, fresh)
    np.testing.assert_allclose(first.values, second.values, rtol=1e-5)
    assert first.p_floor == 1 / 4


def test_the_query_saved_again_among_its_references_is_found(detector: Detector) -> None:
    scans = [head(n) for n in range(1, 5)]
    clean = detector.detect(head(0), detector.encode(scans))
    assert not any(each.code is Code.ALIKE_QUERY for each in clean.warnings)
    found = detector.detect(head(0), detector.encode([*scans, saved_again(head(0))]))
    assert Problem(Code.ALIKE_QUERY, "Reference 5.") in found.warnings


def test_a_reference_saved_again_and_too_few_references_are_said(detector: Detector) -> None:
    scans = [head(n) for n in range(1, 5)]
    assert detector.encode(scans).warnings == ()
    twice = detector.encode([*scans, saved_again(scans[0])])
    assert twice.warnings == (Problem(Code.ALIKE_REFERENCES, "References 1 and 5."),)
    assert detector.encode(scans[:3]).warnings == (Problem(Code.FEW_REFERENCES, "There are 3."),)


def test_of_standard_scores_it_is_said_how_many_times_as_high_they_are_and_not_their_exponential() -> None:
    """Scores of a map made place by place, as of the synthetic heads."""
    checks = check_outliers(np.array([24.0, 25.0, 23.0, 24.5, 37.0], np.float32), logarithmic=True)
    assert [check.flagged for check in checks] == [False, False, False, False, True]
    assert "1.5 times as much" in checks[4].reason

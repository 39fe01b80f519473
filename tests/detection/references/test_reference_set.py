"""What references say of a further normal scan holds for it, also where it has more slices than they."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from napari_d24fad.detection.detector import Detector
from napari_d24fad.detection.encoding.encoded import MAX_LEVELS
from napari_d24fad.detection.references.calibration import conformal_p
from napari_d24fad.studies.scan import Scan
from tests.detection.subjects import random_model


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector(random_model(input_size=32), "cpu")


def subject(rng: np.random.Generator, n_slices: int = 1) -> Scan:
    """A texture; subjects differ in how coarse theirs is."""
    blur = rng.uniform(0.7, 2)
    texture = ndimage.gaussian_filter(rng.standard_normal((n_slices, 32, 32)), (0, blur, blur))
    return Scan((500 + 100 * texture / texture.std()).astype(np.float32), np.eye(4))


def test_a_query_of_many_slices_is_ranked_with_as_many_as_references_have(detector: Detector) -> None:
    rng = np.random.default_rng(0)
    references = detector.encode([subject(rng, 140) for _ in range(2)])
    query = detector.encode_scan(subject(rng, 140))
    n_slices, few = len(query.indices), query.at_most(MAX_LEVELS)
    assert n_slices > 2 * MAX_LEVELS
    whole, part = detector.examine(query, references), detector.examine(few, references)
    assert whole.score == pytest.approx(part.score, abs=1e-5)
    scores = whole.slice_scores[np.isfinite(whole.slice_scores)]
    assert len(scores) == n_slices, "every slice is examined all the same"
    assert np.sort(scores)[-3:].mean() > whole.score + 1e-3
    # A region that lies between the slices that references have too is not told; others are ranked by them.
    assert whole.calibration is not None
    level = float(np.nanquantile(whole.values, 0.98))
    between = whole.values.copy()
    between[list(few.indices)] = 0
    assert references.regions(few, between, level) == references.regions(query, between, level) == ()
    (region, *_) = references.regions(query, whole.values, level)
    counted = whole.values[[at for at in few.indices if region.slices[0] <= at <= region.slices[1]]]
    assert region.p_value >= conformal_p(float(np.nanmax(counted)), whole.calibration.peaks)


def test_p_values_of_normal_scans_are_no_smaller_than_stated(detector: Detector) -> None:
    """Subjects drawn alike: a share of at most p of them may have a p-value of p or less."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(6):
        references = detector.encode([subject(rng) for _ in range(4)])
        found += [detector.detect(subject(rng), references).p_value for _ in range(6)]
    shares = [float(np.mean(np.array(found) <= stated + 1e-9)) for stated in (0.2, 0.4, 0.6, 0.8)]
    assert all(share <= stated + 0.05 for share, stated in zip(shares, (0.2, 0.4, 0.6, 0.8), strict=True))
    assert shares[-1] > 0.2, "nor is every scan called normal"

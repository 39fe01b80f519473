from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import ndimage

from napari_d24fad.detection.detector import Detector
from napari_d24fad.errors import Cancelled, Code, D24fadError
from napari_d24fad.network.losses import distance_maps
from napari_d24fad.network.normalise import normalise
from napari_d24fad.network.weighting import combine
from napari_d24fad.progress import CancelToken
from napari_d24fad.studies.scan import Photometric, Scan

from .subjects import head, random_model

REFERENCES = [head(n) for n in range(1, 5)]


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector(random_model(), "cpu")


def test_the_map_lies_on_the_scans_own_grid_however_it_is_stored(detector: Detector) -> None:
    """Storing the same anatomy in another axis order and direction moves the map with it."""
    references = detector.encode(REFERENCES)
    query = head(0, lesion=True)
    plain = detector.detect(query, references)
    assert plain.values.shape == query.grid
    assert plain.values.dtype == np.float32
    assert np.array_equal(plain.affine, query.affine)

    # Axes (column, slice, row), slices and columns reversed; the affine says so.
    stored = query.voxels[::-1, :, ::-1].transpose(2, 0, 1)
    move = np.zeros((4, 4))
    move[0, 1], move[0, 3] = -1, query.grid[0] - 1
    move[1, 2] = 1
    move[2, 0], move[2, 3] = -1, query.grid[2] - 1
    move[3, 3] = 1
    other = Scan(stored, query.affine @ move, modality="MR", slice_axis=1)
    moved = detector.detect(other, references)
    assert np.array_equal(moved.affine, other.affine)
    np.testing.assert_array_equal(moved.values, plain.values[::-1, :, ::-1].transpose(2, 0, 1))
    np.testing.assert_array_equal(moved.slice_scores, plain.slice_scores[::-1])
    np.testing.assert_array_equal(moved.weights, plain.weights[::-1])
    assert moved.score == plain.score


def test_air_is_not_examined(detector: Detector) -> None:
    query = head(0)
    padded = Scan(np.pad(query.voxels, ((3, 2), (30, 30), (30, 30))), query.affine, modality="MR")
    result = detector.detect(padded, detector.encode(REFERENCES))
    assert np.isnan(result.values[:3]).all()
    assert np.isnan(result.values[-2:]).all()
    assert np.isnan(result.slice_scores[[0, 1, 2, -1]]).all()
    assert np.isnan(result.values[:, :20]).all()
    assert np.isfinite(result.values[8, 45:55, 45:50]).all()
    assert set(result.most_suspicious(100)) == set(np.flatnonzero(np.isfinite(result.slice_scores)))


def test_what_was_not_measured_is_not_examined(detector: Detector) -> None:
    query = head(0)
    voxels = query.voxels.copy()
    voxels[5], voxels[7, 20:, 18:] = np.nan, np.nan
    result = detector.detect(replace(query, voxels=voxels), detector.encode(REFERENCES))
    assert np.isnan(result.values[np.isnan(voxels)]).all()
    assert np.isfinite(result.values[7, 10:18, 10:16]).all()
    for each in (result.slice_scores, result.slice_p_values, result.weights[:, 0, 0]):
        assert np.isnan(each[5])
        assert np.isfinite(each[[4, 6, 7]]).all()
    assert np.isfinite(result.score)


def test_weights_sum_to_one_over_the_references(detector: Detector) -> None:
    for name, scales in (("matched", 2), ("paper", 3)):
        engine = Detector(random_model(), "cpu", name)
        result = engine.detect(head(0), engine.encode(REFERENCES))
        assert result.weights.shape == (12, 4, scales)
        examined = np.isfinite(result.slice_scores)
        np.testing.assert_allclose(result.weights[examined].sum(axis=1), 1, atol=1e-5)
        assert result.scoring == name


def test_paper_scoring_is_the_published_computation() -> None:
    """Images at the network's size, so that nothing but the network stands between."""
    r = np.random.default_rng(0)
    images = [
        Scan(
            r.integers(0, 256, (1, 64, 64, 3), np.uint8),
            np.eye(4),
            photometric=Photometric.COLOUR,
            has_geometry=False,
        )
        for _ in range(4)
    ]
    model = random_model(scoring="paper")
    engine = Detector(model, "cpu")
    result = engine.detect(images[0], engine.encode(images[1:]))

    batch = torch.from_numpy(np.concatenate([image.voxels for image in images])).movedim(-1, 1) / 255
    with torch.inference_mode():
        student = model.network.student(model.network.teacher(normalise(batch)).embedding)
        projected = model.network.weighting.project(tuple(scale[1:] for scale in student))
        weighted = [
            combine(model.network.weighting.logits(scale[:1], phi).softmax(1), scale[1:])
            for scale, phi in zip(student, projected, strict=True)
        ]
        expected = distance_maps([scale[:1] for scale in student], weighted, 64)[0].sum(dim=0).numpy()
    smoothed = ndimage.gaussian_filter(expected, 2)  # 4 pixels of 128 are 2 of 64
    np.testing.assert_allclose(result.values[0], smoothed, atol=1e-5)
    assert result.score == pytest.approx(float(smoothed.max()), abs=1e-5)


def test_smoothing_stays_inside_the_slice() -> None:
    """A bright slice leaves the map of its neighbours as it was."""
    engine = Detector(random_model(), "cpu")
    references = engine.encode(REFERENCES)
    query = head(0)
    plain = engine.detect(query, references)
    changed = query.voxels.copy()
    changed[6, 10:20, 10:20] = 640
    result = engine.detect(replace(query, voxels=changed), references)
    others = [index for index in range(12) if index != 6]
    assert not np.allclose(result.values[6], plain.values[6], equal_nan=True)
    np.testing.assert_allclose(result.values[others], plain.values[others], atol=2e-3)


def test_references_are_matched_by_anatomical_level(detector: Detector) -> None:
    """References that cover the same anatomy with twice the slices give the same order of slices."""
    fine = [head(n, grid=(24, 40, 36)) for n in range(1, 4)]
    fine = [replace(scan, affine=scan.affine @ np.diag([0.5, 1, 1, 1])) for scan in fine]
    references = detector.encode(fine)
    for position, level in enumerate(detector.encode(REFERENCES).encoded[0].encoded.levels):
        for index in references.encoded[0].encoded.at(float(level)):
            assert abs(index + 0.5 - 2 * (position + 0.5)) <= 2


def test_progress_rises_and_cancel_stops(detector: Detector) -> None:
    seen: list[float] = []
    references = detector.encode(REFERENCES, progress=lambda fraction, step: seen.append(fraction))
    assert seen == sorted(seen)
    assert seen[-1] == pytest.approx(1)
    token = CancelToken()
    with pytest.raises(Cancelled):
        detector.encode(REFERENCES, progress=lambda fraction, step: token.cancel(), cancel=token)
    with pytest.raises(Cancelled):
        detector.detect(head(0), references, cancel=token)


def test_refusals(detector: Detector) -> None:
    references = detector.encode(REFERENCES)
    air = replace(head(0), voxels=np.pad(np.ones((1, 1, 1)), ((2, 9), (20, 19), (18, 17))))
    for query, code in ((REFERENCES[0], Code.QUERY_IS_REFERENCE), (air, Code.NOTHING_TO_EXAMINE)):
        with pytest.raises(D24fadError) as refusal:
            detector.detect(query, references)
        assert refusal.value.code is code
    with pytest.raises(D24fadError) as refusal:
        Detector(random_model(), "cuda:99")
    assert refusal.value.code is Code.DEVICE_UNAVAILABLE
    with pytest.raises(D24fadError) as refusal:
        Detector(random_model(), "cpu", "guess")
    assert refusal.value.code is Code.BAD_ARGUMENT


def test_cancel_is_seen_between_a_few_slices_on_a_cpu(detector: Detector) -> None:
    """A large teacher needs 0.15 s for a slice on one core; a cancel is honoured within a second."""
    references = detector.encode(REFERENCES)
    steps: list[float] = []
    detector.detect(head(0), references, progress=lambda fraction, step: steps.append(fraction))
    assert max(np.diff([0, *steps])) * 12 <= 4.001

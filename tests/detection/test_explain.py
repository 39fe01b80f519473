import numpy as np
import pytest
import torch
from scipy import ndimage

from napari_d24fad.detection.detector import Detector
from napari_d24fad.detection.explain import explain
from napari_d24fad.detection.published import PublishedDistances
from napari_d24fad.errors import ArgumentError, Code
from napari_d24fad.network.normalise import normalise
from napari_d24fad.studies.scan import Photometric, Scan

from .subjects import GRID, head, random_model

REFERENCES = [head(n) for n in range(1, 4)]


@pytest.mark.parametrize("scoring", ["matched", "paper"])
def test_weights_are_those_of_the_result_and_name_the_shown_reference(scoring: str) -> None:
    detector = Detector(random_model(), "cpu", scoring)
    query, references = detector.encode_scan(head(0, lesion=True)), detector.encode(REFERENCES)
    result = detector.examine(query, references)
    told = explain(PublishedDistances(detector, query, references), 7)
    np.testing.assert_array_equal(told.weights, result.weights[7])
    assert told.query_image.shape == told.maps["SSD"].shape == told.maps["TSD"].shape == GRID[1:]
    assert told.query_pixel == pytest.approx((1.5, 2.0))


def test_the_most_similar_slice_of_a_scan_stored_upside_down_is_found_in_its_own_numbering() -> None:
    """Reference 2 holds the query's slice 4 itself; storing both head first changes the numbers only."""
    r = np.random.default_rng(0)
    query = head(0)
    copied = np.array(head(2).voxels)
    copied[4] = query.voxels[4] + r.random(GRID[1:])
    others = [head(1), Scan(copied, query.affine, modality="MR"), head(3)]
    move = np.diag([-1.0, 1, 1, 1])
    move[0, 3] = GRID[0] - 1
    detector = Detector(random_model(), "cpu")

    def stored(scan: Scan) -> Scan:
        return Scan(scan.voxels[::-1], scan.affine @ move, modality="MR")

    there = PublishedDistances(detector, detector.encode_scan(query), detector.encode(others))
    references = detector.encode([stored(scan) for scan in others])
    back = PublishedDistances(detector, detector.encode_scan(stored(query)), references)
    plain, turned = explain(there, 4), explain(back, 7)
    assert (plain.reference_index, plain.reference_slice_index) == (1, 4)
    assert (turned.reference_index, turned.reference_slice_index) == (1, 7)
    np.testing.assert_array_equal(plain.query_image, turned.query_image)
    np.testing.assert_array_equal(plain.reference_image, turned.reference_image)
    np.testing.assert_array_equal(plain.maps["SSD"], turned.maps["SSD"])


def test_maps_are_the_published_distances() -> None:
    """Images at the network's size; TSD computed here from its definition in the paper."""
    r = np.random.default_rng(0)
    images = [
        Scan(
            r.integers(0, 256, (1, 64, 64, 3), np.uint8),
            np.eye(4),
            photometric=Photometric.COLOUR,
            has_geometry=False,
        )
        for _ in range(3)
    ]
    model = random_model(scoring="paper")
    detector = Detector(model, "cpu")
    query, references = detector.encode_scan(images[0]), detector.encode(images[1:])
    told = explain(PublishedDistances(detector, query, references), 0)
    # With the paper's scoring the SSD map is the result itself.
    np.testing.assert_allclose(told.maps["SSD"], detector.examine(query, references).values[0], atol=1e-5)

    batch = normalise(torch.from_numpy(np.array(images[0].voxels)).movedim(-1, 1) / 255)
    with torch.inference_mode():
        seen = model.network.teacher(batch)
        copied = model.network.student(seen.embedding)
        total = np.zeros((64, 64))
        for teacher, student in zip(seen.scales, copied, strict=True):
            a, b = teacher[0].double().numpy(), student[0].double().numpy()
            cosine = (a * b).sum(0) / np.linalg.norm(a, axis=0) / np.linalg.norm(b, axis=0)
            size = len(cosine)
            along = np.linspace(0, size - 1, 64)
            grid = np.stack(np.meshgrid(along, along, indexing="ij"))
            total += ndimage.map_coordinates(1 - cosine, grid, order=1)
    np.testing.assert_allclose(told.maps["TSD"], ndimage.gaussian_filter(total, 2), atol=1e-4)
    np.testing.assert_array_equal(told.query_image, images[0].voxels[0])


def test_a_slice_that_was_not_examined_is_refused() -> None:
    detector = Detector(random_model(), "cpu")
    query = head(0)
    padded = Scan(np.pad(query.voxels, ((3, 2), (0, 0), (0, 0))), query.affine, modality="MR")
    encoded, references = detector.encode_scan(padded), detector.encode(REFERENCES)
    for index in (0, -1, 99):
        with pytest.raises(ArgumentError) as refusal:
            explain(PublishedDistances(detector, encoded, references), index)
        assert refusal.value.code is Code.BAD_ARGUMENT

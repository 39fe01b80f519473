"""Abnormal volumes beside normal ones, compared slice by slice: made-up heads and the embedded model."""

from __future__ import annotations

import numpy as np
import pytest

from napari_d24fad.detection.detector import Detector
from napari_d24fad.detection.encoding.encoded import EncodedScan
from napari_d24fad.detection.examples.of_slices import SliceExamples
from napari_d24fad.detection.examples.where import drawn_in_slices, slices_with
from napari_d24fad.detection.references.reference_set import References
from napari_d24fad.errors import ArgumentError, Code, D24fadError
from napari_d24fad.studies.orientation import canonical_orientation
from napari_d24fad.studies.scan import Scan
from tests.detection.subjects import head as whole_head
from tests.detection.subjects import random_model

NORMAL, MARKED, QUERY = range(5), (20, 21, 22), 40


def head(seed: int, lesion: bool = False) -> Scan:
    """Few slices, as the embedded model looks at them at 256 pixels."""
    return whole_head(seed, lesion, grid=(6, 40, 36))


def lesion(seed: int) -> np.ndarray:
    return head(seed, lesion=True).voxels != head(seed).voxels


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector.load("compact", "cpu")


@pytest.fixture(scope="module")
def references(detector: Detector) -> References:
    return detector.encode([head(seed) for seed in NORMAL])


@pytest.fixture(scope="module")
def marked(detector: Detector) -> list[EncodedScan]:
    return [detector.encode_scan(head(seed, lesion=True)) for seed in MARKED]


def drawn(marked: list[EncodedScan]) -> list[np.ndarray]:
    return [
        drawn_in_slices(canonical_orientation(each.scan).apply(lesion(seed)), each)
        for seed, each in zip(MARKED, marked, strict=True)
    ]


def test_lesions_of_volumes_raise_what_is_like_them_and_lower_nothing(
    detector: Detector, references: References, marked: list[EncodedScan]
) -> None:
    learned = SliceExamples(references, marked, lesions=drawn(marked))
    raised = {}
    for name, scan in (("alike", head(QUERY, lesion=True)), ("normal", head(QUERY + 1))):
        query = detector.encode_scan(scan)
        plain = detector.examine(query, references)
        found = detector.examine(query, references, examples=learned)
        assert found.examples is not None
        assert found.examples.plain_score == plain.score
        assert found.score >= np.float32(plain.score)
        known = np.isfinite(plain.values)
        assert (np.isfinite(found.values) == known).all()
        assert (found.values >= plain.values)[known].all()
        assert (np.nan_to_num(found.slice_scores) >= np.nan_to_num(plain.slice_scores)).all()
        raised[name] = found.score - plain.score
        if name == "alike":
            at, more = lesion(QUERY) & known, found.values - plain.values
            assert more[at].mean() > 5 * more[known & ~at].mean() > 0
            assert found.p_value == found.p_floor
            assert lesion(QUERY)[found.examples.place.centre]
            assert lesion(MARKED[found.examples.nearest])[found.examples.example_place.centre]
            assert lesion(QUERY)[max(found.regions, key=lambda each: each.mean).peak_index]
    assert raised["alike"] > 3 * raised["normal"]
    assert learned.found == (True, True, True)
    assert not learned.warnings


def test_a_slice_or_nothing_may_say_where_the_lesion_is(
    detector: Detector, references: References, marked: list[EncodedScan]
) -> None:
    shown = [np.flatnonzero(each.any(axis=(1, 2))) for each in drawn(marked)]
    one = [
        slices_with([each.indices[at[len(at) // 2]]], each) for each, at in zip(marked, shown, strict=True)
    ]
    query = detector.encode_scan(head(QUERY, lesion=True))
    plain = detector.examine(query, references)
    for lesions in (one, ()):
        found = detector.examine(
            query, references, examples=SliceExamples(references, marked, lesions=lesions)
        )
        at, known = lesion(QUERY), np.isfinite(plain.values)
        more = found.values - plain.values
        assert more[at & known].mean() > 2 * more[known & ~at].mean()


def test_a_slice_that_was_not_encoded_is_stood_for_by_the_nearest(detector: Detector) -> None:
    few = detector.encode_scan(head(MARKED[0], lesion=True), max_slices=3)
    region = np.zeros(head(0).grid, bool)
    region[few.indices[1] + 1, 10:30, 10:30] = True
    assert drawn_in_slices(region, few).any(axis=(1, 2)).tolist() == [False, True, False]
    assert slices_with([few.indices[2] - 1], few).tolist() == [False, False, True]


def test_kinds_are_apart_and_an_example_that_looks_normal_is_named(
    detector: Detector, references: References, marked: list[EncodedScan]
) -> None:
    scans = [*marked[:2], detector.encode_scan(head(54))]
    lesions = [*drawn(marked)[:2], None]
    learned = SliceExamples(references, scans, kinds=("bright", "bright", ""), lesions=lesions)
    assert learned.found == (True, True, False)
    assert [each.example for each in learned.warnings if each.code is Code.EXAMPLE_LOOKS_NORMAL] == [2]
    query = detector.encode_scan(head(QUERY, lesion=True))
    told = detector.examine(query, references, examples=learned).examples
    assert told is not None
    assert (told.kind, told.weight) == ("bright", 0.5)


def test_what_does_not_go_with_the_references_is_refused(
    detector: Detector, references: References, marked: list[EncodedScan]
) -> None:
    nothing = np.zeros((len(marked[0].indices), 256, 256), bool)
    with pytest.raises(D24fadError) as caught:
        SliceExamples(references, marked[:1], lesions=[nothing])
    assert caught.value.code is Code.LESION_OUTSIDE
    assert caught.value.example == 0
    with pytest.raises(D24fadError) as caught:
        SliceExamples(references, [detector.encode_scan(head(1))])
    assert caught.value.code is Code.NORMAL_AND_ABNORMAL
    paper = Detector(random_model(scoring="paper"), "cpu")
    with pytest.raises(ArgumentError):
        SliceExamples(paper.encode([head(0), head(1)]), [paper.encode_scan(head(20))])

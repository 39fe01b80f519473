"""Abnormal examples beside normal references, on made-up pictures and the embedded model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_d24fad.detection.detector import Detector
from napari_d24fad.detection.encoding.encoded import EncodedScan
from napari_d24fad.detection.examples.learned import Examples
from napari_d24fad.detection.references.reference_set import References
from napari_d24fad.errors import ArgumentError, Code, D24fadError
from napari_d24fad.studies.scan import Scan, SeriesIdentity
from tests.detection.subjects import head
from tests.evaluation.images import lesion_of, picture

SEEDS = range(6)


def scan(seed: int, lesion: bool = False, dark: bool = False) -> Scan:
    image = picture(seed, lesion).astype(np.float32)
    if dark:  # a lesion of another kind
        image[26:40, 24:38] = 5
    return Scan(image[None], np.eye(4), has_geometry=False)


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector.load("compact", "cpu")


@pytest.fixture(scope="module")
def references(detector: Detector) -> References:
    return detector.encode([scan(seed) for seed in SEEDS])


def encoded(detector: Detector, *scans: Scan) -> list[EncodedScan]:
    return [detector.encode_scan(each) for each in scans]


@pytest.fixture(scope="module")
def learned(detector: Detector, references: References) -> Examples:
    return Examples(references, encoded(detector, *(scan(each, lesion=True) for each in (20, 21, 22))))


def test_what_is_like_the_examples_stands_out_more_and_nothing_less(
    detector: Detector, references: References, learned: Examples
) -> None:
    alike, other, normal = encoded(detector, scan(40, lesion=True), scan(41, dark=True), scan(42))
    raised = {}
    for name, query in (("alike", alike), ("other", other), ("normal", normal)):
        plain = detector.examine(query, references)
        found = detector.examine(query, references, examples=learned)
        assert found.examples is not None
        assert found.examples.plain_score == plain.score
        assert found.score >= np.float32(plain.score)
        assert (found.values >= plain.values - 1e-6).all()
        assert found.p_value <= plain.p_value + 1 / 7
        raised[name] = found.score - plain.score
        if name == "alike":
            at = lesion_of(40)
            more = (found.values - plain.values)[0]
            assert more[at].mean() > 3 * more[~at].mean()
            assert found.p_value == found.p_floor
            assert found.examples.alike
            # What *Why* shows: the lesion of the scan, and that of the example it is like.
            assert at[found.examples.place.centre[1:]]
            assert lesion_of(20 + found.examples.nearest)[found.examples.example_place.centre[1:]]
    assert raised["alike"] > 2 * raised["other"]
    assert raised["other"] > 100 * raised["normal"]


def test_each_example_is_held_against_what_the_others_teach(detector: Detector, references, learned) -> None:
    assert learned.found == (True, True, True)
    assert not learned.warnings
    normal_one = encoded(detector, scan(20, lesion=True), scan(21, lesion=True), scan(50))
    doubtful = Examples(references, normal_one)
    assert doubtful.found == (True, True, False)
    assert [(each.code, each.detail) for each in doubtful.warnings] == [
        (Code.EXAMPLE_LOOKS_NORMAL, "Abnormal example 3.")
    ]


def test_without_examples_nothing_is_learned(detector: Detector, references: References) -> None:
    (query,) = encoded(detector, scan(40, lesion=True))
    assert detector.examine(query, references).examples is None


@pytest.mark.parametrize(
    ("examples", "code"),
    [
        ([scan(20, lesion=True), scan(20, lesion=True)], Code.DUPLICATE_EXAMPLE),
        ([scan(SEEDS[2])], Code.NORMAL_AND_ABNORMAL),
        ([head(0)], Code.DIMENSION_MISMATCH),
        ([replace(scan(20, lesion=True), modality="CT")], Code.MODALITY_MISMATCH),
    ],
)
def test_what_does_not_go_with_the_references_is_refused(
    detector: Detector, references: References, examples: list[Scan], code: Code
) -> None:
    with pytest.raises(D24fadError) as caught:
        Examples(references, encoded(detector, *examples))
    assert caught.value.code is code


def test_doubts_are_told(detector: Detector, references: References, learned: Examples) -> None:
    (same,) = encoded(detector, scan(21, lesion=True))
    with pytest.raises(D24fadError) as caught:
        detector.examine(same, references, examples=learned)
    assert caught.value.code is Code.QUERY_IS_EXAMPLE

    few = detector.reference_set(references.encoded[:2])
    of_somebody = replace(scan(21, lesion=True), identity=SeriesIdentity(patient_key="somebody"))
    many = Examples(few, encoded(detector, scan(20, lesion=True), of_somebody, scan(22, lesion=True)))
    assert Code.MORE_EXAMPLES_THAN_REFERENCES in [each.code for each in many.warnings]
    (query,) = encoded(detector, replace(scan(40), identity=SeriesIdentity(patient_key="somebody")))
    told = detector.examine(query, few, examples=many).warnings
    assert Code.EXAMPLE_OF_SAME_PATIENT in [each.code for each in told]


def test_the_published_scoring_knows_no_examples() -> None:
    paper = Detector.load("compact", "cpu", "paper")
    references = paper.encode([scan(seed) for seed in range(2)])
    with pytest.raises(ArgumentError) as caught:
        Examples(references, encoded(paper, scan(20, lesion=True)))
    assert caught.value.code is Code.BAD_ARGUMENT


def test_each_kind_has_its_own_direction_and_the_one_that_adds_most_counts(
    detector: Detector, references: References
) -> None:
    bright, dark = (
        [scan(each, lesion=bright, dark=not bright) for each in (30, 31, 32)] for bright in (1, 0)
    )
    examples = encoded(detector, *bright, *dark)
    kinds = ("bright",) * 3 + ("dark",) * 3
    apart = Examples(references, examples, kinds=kinds)
    each_alone = [Examples(references, examples[:3]), Examples(references, examples[3:])]
    assert apart.found == (True,) * 6
    queries = encoded(detector, scan(40, lesion=True), scan(41, dark=True), scan(42))
    for query, kind in zip(queries, ("bright", "dark", None), strict=True):
        found = detector.examine(query, references, examples=apart)
        alone = [detector.examine(query, references, examples=each) for each in each_alone]
        assert found.score == max(each.score for each in alone)
        assert all((found.values >= each.values - 1e-5).all() for each in alone)
        if kind:
            assert found.examples.kind == kind
            assert f"({kind})" in str(found.examples)


def test_a_lesion_that_was_drawn_is_what_is_looked_for(detector: Detector, references: References) -> None:
    """An example with two lesions: the one that is drawn teaches."""
    both = scan(20, lesion=True, dark=True)
    (example,) = encoded(detector, both)
    drawn = np.zeros(both.grid[1:], bool)
    drawn[30:40, 24:38] = True
    other = lesion_of(20) & ~drawn
    (query,) = encoded(detector, scan(41, dark=True))
    dark, stripes = (
        detector.examine(
            query,
            references,
            examples=Examples(
                references, [example], lesions=[example.prepared.sampling.region_of_input(lesion)]
            ),
        ).examples
        for lesion in (drawn, other)
    )
    assert dark.by_places > 1.2 * stripes.by_places
    assert drawn[dark.example_place.centre[1:]]
    assert other[stripes.example_place.centre[1:]]

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
import torch

from napari_d24fad.detection.detector import Detector
from napari_d24fad.detection.encoding.encoded import EncodedScan
from napari_d24fad.detection.references import alignment as module
from napari_d24fad.detection.references.alignment import Alignment
from napari_d24fad.errors import Cancelled
from napari_d24fad.progress import CancelToken, silent
from tests.detection.subjects import head, random_model

NONE = CancelToken()


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector(random_model(), "cpu")


@pytest.fixture(scope="module")
def scans(detector: Detector) -> list[EncodedScan]:
    return [detector.encode_scan(head(n)) for n in range(5)]


@pytest.fixture
def matched(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many pairs of slices each call really matches."""
    counts: list[int] = []
    search = module.MatchedScoring.match

    def counting(self, query, supports):
        counts.append(len(query[0]) * len(supports[0]))
        return search(self, query, supports)

    monkeypatch.setattr(module.MatchedScoring, "match", counting)
    return counts


@pytest.mark.parametrize("scoring", ["matched", "paper"])
def test_neighbouring_slices_compared_at_once_are_as_if_compared_apart(scoring: str) -> None:
    detector = Detector(random_model(), "cpu", scoring_name=scoring)
    scans = [detector.encode_scan(head(n)) for n in range(5)]
    references = detector.reference_set(scans[1:])
    method = references.scoring
    side = method.map_side(64)
    together = references.alignment.compare(scans[0], scans[1:])
    distances, weights = together.distances(slice(None), side, (1.0,) * 4, NONE)
    known = [references.alignment.supports(each) for each in scans[1:]]
    seen = set()
    for position, level in enumerate(scans[0].encoded.levels):
        one = scans[0].encoded.part(slice(position, position + 1))
        own = one.aligned(method, references.alignment.statistics)
        # What a slice is compared with, as the definition says: of each reference the nearest few.
        chosen = [each.at(float(level)) for each in known]
        owners = [owner for owner, at in enumerate(chosen) for _ in at]
        parts = zip(
            *([f[at] for f in each.features] for each, at in zip(known, chosen, strict=True)), strict=True
        )
        alone, per_support = method.compare(own.features, tuple(map(torch.cat, parts)), owners, side)
        torch.testing.assert_close(distances[position], alone[0], atol=1e-5, rtol=1e-5)
        summed = torch.zeros(4, weights.shape[2]).index_add(0, torch.tensor(owners), per_support[0])
        torch.testing.assert_close(weights[position], summed)
        seen.add(tuple(map(tuple, chosen)))
    assert len(seen) > 1


def test_only_what_is_new_is_matched(detector, scans, matched: list[int]) -> None:
    references = detector.reference_set(scans[1:4])
    detector.examine(scans[0], references)
    matched.clear()
    # Once more, one reference less, one that counts half: nothing is new.
    again = detector.reference_set(scans[1:4], alignment=references.alignment)
    fewer = detector.reference_set(scans[1:3], alignment=references.alignment)
    less = detector.reference_set(scans[1:4], alignment=references.alignment, shares=(1, 0.5, 1))
    results = [detector.examine(scans[0], each) for each in (again, fewer, less)]
    assert matched == []
    np.testing.assert_array_equal(again.null.scores, references.null.scores)
    assert len({result.score for result in results}) == 3
    more = detector.reference_set(scans[1:5], alignment=references.alignment)
    detector.examine(scans[0], more)
    assert matched != []
    matched.clear()
    detector.examine(scans[0], more)
    assert matched == []


def test_a_set_less_one_is_nearly_what_it_would_be_from_the_start(detector, scans) -> None:
    """Only the centre and scale of channels are those of the larger set."""
    whole = detector.reference_set(scans[1:5])
    fewer = detector.examine(scans[0], detector.reference_set(scans[1:4], alignment=whole.alignment))
    fresh = detector.examine(scans[0], detector.reference_set(scans[1:4]))
    difference = np.abs(fewer.values - fresh.values)
    assert np.nanmean(difference) < 0.1 * np.nanstd(fresh.values)
    assert fewer.weights.shape == fresh.weights.shape == (12, 3, 2)


def test_parts_of_a_scan_are_as_the_whole(detector, scans) -> None:
    references = detector.reference_set(scans[1:4])
    prepared = detector.prepare(scans[0].scan)
    parts = [
        detector.encode_slices(scans[0].scan, prepared, chosen, silent, NONE)
        for chosen in ([4, 5, 6], [0, 1, 2, 3], list(range(7, len(prepared.examined))))
    ]
    for part in parts:
        references.alignment.compare(part, references.encoded)
    whole = EncodedScan.join(parts)
    references.alignment.joined(whole, parts)
    assert whole.indices == scans[0].indices
    kept = detector.examine(whole, references)
    expected = detector.examine(scans[0], references)
    np.testing.assert_allclose(kept.values, expected.values, atol=2e-3)
    np.testing.assert_allclose(kept.slice_scores, expected.slice_scores, atol=2e-3)


def test_a_cancel_keeps_nothing_half(detector, scans) -> None:
    references = detector.reference_set(scans[1:3])
    token = CancelToken()

    def stop(fraction: float, step: str) -> None:
        token.cancel()

    fresh = Alignment(references.scoring, references.alignment.statistics, detector)
    with pytest.raises(Cancelled):
        fresh.compare(scans[0], scans[1:3], progress=stop, cancel=token)
    assert fresh.kept_among(scans) == {}


def test_what_is_kept_of_a_scan_goes_with_it(detector, scans) -> None:
    references = detector.reference_set(scans[1:3])
    query = detector.encode_scan(head(7))
    detector.examine(query, references)
    gone = weakref.ref(query)
    del query
    gc.collect()
    assert gone() is None, "a hundred scans examined one after the other must not fill the memory"

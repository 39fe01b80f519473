from __future__ import annotations

import numpy as np
import pytest
from napari.layers import Image

from napari_d24fad.detection.detector import Detector
from napari_d24fad.errors import Cancelled, Code, D24fadError
from napari_d24fad.progress import CancelToken, silent
from napari_d24fad.studies.series import Series
from napari_d24fad.studies.study import open_study
from napari_d24fad.viewer.layer_series import layer_series
from napari_d24fad.viewer.session import DetectionSession, Finding, Request
from tests.viewer.heads import write_study


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Counts how often references are really encoded, and how many."""
    counts: list[int] = []
    encode = Detector.encode

    def counting(self, scans, **settings):
        counts.append(len(scans))
        return encode(self, scans, **settings)

    monkeypatch.setattr(Detector, "encode", counting)
    return counts


@pytest.fixture(scope="module")
def heads(tmp_path_factory: pytest.TempPathFactory) -> tuple[Series, tuple[Series, ...]]:
    """A scan and three references of three slices each: the numbers do not matter here."""
    folder = write_study(tmp_path_factory.mktemp("thin"), slices=slice(4, 7))
    query = open_study(folder / "query").series[0]
    return query, tuple(open_study(folder / f"reference-{number}").series[0] for number in (1, 2, 3))


def run(session: DetectionSession, query: Series, references: tuple[Series, ...], device="cpu") -> Finding:
    return session.run(Request(query, references, "compact", device), silent, CancelToken())


def test_references_are_encoded_once_until_they_are_others(heads, encoded: list[int]) -> None:
    query, (first, second, third) = heads
    session = DetectionSession()
    one = run(session, query, (first, second))
    other = run(session, third, (first, second))
    assert encoded == [2]
    assert one.anomaly.values.shape == one.scan.grid
    assert not np.array_equal(one.anomaly.slice_scores, other.anomaly.slice_scores)
    run(session, query, (first, second, third))
    assert encoded == [2, 3]
    run(session, query, (first, second, third), device="auto")
    assert encoded == [2, 3, 3]


def test_a_layer_edited_in_place_is_encoded_again(heads, encoded: list[int]) -> None:
    query, (first, second, _) = heads
    references = [Image(np.array(one.load().voxels)) for one in (first, second)]
    session = DetectionSession()
    volume = layer_series(Image(np.array(query.load().voxels)))
    for _ in range(2):
        run(session, volume, tuple(layer_series(layer) for layer in references))
    assert encoded == [2]
    references[0].data[1, 10:20, 10:20] = 900
    run(session, volume, tuple(layer_series(layer) for layer in references))
    assert encoded == [2, 2]


def test_wrong_pairing_is_refused_before_the_encoding(heads, encoded: list[int]) -> None:
    query, (first, _, _) = heads
    for wrong, code in (
        ((first,), Code.TOO_FEW_REFERENCES),
        ((), Code.TOO_FEW_REFERENCES),
        ((first, query), Code.QUERY_IS_REFERENCE),
        ((first, first), Code.DUPLICATE_REFERENCE),
    ):
        with pytest.raises(D24fadError) as refused:
            run(DetectionSession(), query, wrong)
        assert refused.value.code is code
    assert encoded == []


def test_session_is_free_again_after_a_refusal_and_after_a_cancel(heads) -> None:
    query, (first, second, _) = heads
    session = DetectionSession()
    with pytest.raises(D24fadError):
        run(session, query, (first, query))
    stopped = CancelToken()
    stopped.cancel()
    with pytest.raises(Cancelled):
        session.run(Request(query, (first, second), "compact", "cpu"), silent, stopped)
    assert run(session, query, (first, second)).limits[0] > 0


def test_progress_runs_from_start_to_end(heads) -> None:
    query, (first, second, _) = heads
    told: list[float] = []
    session = DetectionSession()
    request = Request(query, (first, second), "compact", "cpu")
    session.run(request, lambda fraction, step: told.append(fraction), CancelToken())
    assert told == sorted(told)
    assert told[0] == 0.0
    assert told[-1] == pytest.approx(1.0)

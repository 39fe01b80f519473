from __future__ import annotations

import threading

import numpy as np
import pytest

from napari_d24fad.errors import ArgumentError, Code
from napari_d24fad.progress import CancelToken, silent
from napari_d24fad.session.request import Examination, Request
from napari_d24fad.session.session import DetectionSession
from napari_d24fad.studies.study import open_study
from napari_d24fad.viewer.results.explanations import Explanations
from tests.heads import write_study


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[DetectionSession, Examination]:
    folder = write_study(tmp_path_factory.mktemp("thin"), references=2, slices=slice(3, 7))
    query, *references = (
        open_study(folder / name).series[0] for name in ("query", "reference-1", "reference-2")
    )
    session = DetectionSession()
    return session, session.run(Request(query, tuple(references), "compact", "cpu"), silent, CancelToken())


class Counting:
    """Explains as the session does, and remembers which slices it was asked for."""

    def __init__(self, session: DetectionSession) -> None:
        self.asked: list[int] = []
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self._session = session

    def __call__(self, examination: Examination, slice_index: int, cancel: CancelToken):
        self.asked.append(slice_index)
        while not self.may_go_on.wait(0.01):
            cancel.check()
        return self._session.explain(examination, slice_index, cancel)


def test_only_the_slice_the_slider_rests_at_is_explained(qtbot, found) -> None:
    session, examination = found
    explain = Counting(session)
    explanations = Explanations(explain)
    with qtbot.waitSignal(explanations.explained, timeout=20_000) as told:
        for index in (0, 1, 2, 3):
            explanations.want(examination, index)
    assert explain.asked == [3]
    assert told.args[0].slice_index == 3
    np.testing.assert_allclose(told.args[0].weights, examination.anomaly.weights[3], atol=1e-5)
    assert not explanations.is_busy


def test_a_slice_is_explained_once(qtbot, found) -> None:
    session, examination = found
    explain = Counting(session)
    explanations = Explanations(explain)
    for index in (1, 2, 1):
        with qtbot.waitSignal(explanations.explained, timeout=20_000) as told:
            explanations.want(examination, index)
        assert told.args[0].slice_index == index
    assert explain.asked == [1, 2]


def test_cancel_stops(qtbot, found) -> None:
    session, examination = found
    explain = Counting(session)
    explain.may_go_on.clear()
    explanations = Explanations(explain)
    with qtbot.waitSignal(explanations.started, timeout=60_000):
        explanations.want(examination, 1)
    with qtbot.assertNotEmitted(explanations.explained, wait=300):
        with qtbot.waitSignal(explanations.cancelled, timeout=60_000):
            explanations.cancel()
        assert not explanations.is_busy
    explain.may_go_on.set()
    with qtbot.waitSignal(explanations.explained, timeout=20_000):
        explanations.want(examination, 1)


def test_failure_is_told(qtbot, found) -> None:
    def refuse(examination: Examination, slice_index: int, cancel: CancelToken):
        raise ArgumentError(Code.BAD_ARGUMENT, "No.")

    explanations = Explanations(refuse)
    with qtbot.waitSignal(explanations.failed, timeout=60_000) as told:
        explanations.want(found[1], 0)
    assert told.args[0].code is Code.BAD_ARGUMENT

from __future__ import annotations

import threading

import numpy as np

from napari_d24fad.progress import CancelToken
from napari_d24fad.viewer.results.map_drawing import MapDrawing


def test_the_slice_that_is_looked_at_comes_first(qtbot) -> None:
    values, order = np.zeros((20, 2, 2), np.float32), []
    reached, go_on = threading.Event(), threading.Event()

    def draw(slices: range, cancel: CancelToken) -> float:
        order.append(slices)
        values[slices] = np.array(slices)[:, None, None]
        if len(order) == 2:
            reached.set()
            assert go_on.wait(10)
        return float(slices[-1])

    drawing = MapDrawing(values, 20, draw)
    told = []
    drawing.drawn.connect(lambda: told.append(float(values.max())))
    drawing.start(10)
    assert reached.wait(10)
    assert drawing.is_busy
    drawing.want(15)
    go_on.set()
    qtbot.waitUntil(lambda: not drawing.is_busy, timeout=10_000)
    # What is looked at alone, then a few of its neighbours together.
    assert order[:4] == [range(10, 11), range(6, 10), range(15, 16), range(11, 15)]
    assert sorted(index for slices in order for index in slices) == list(range(20))
    assert drawing.highest == told[-1] == 19


def test_a_discarded_map_stops_and_tells_nothing(qtbot) -> None:
    started, order, tokens = threading.Event(), [], []
    go_on = threading.Event()

    def draw(slices: range, cancel: CancelToken) -> float:
        order.append(slices)
        tokens.append(cancel)
        started.set()
        assert go_on.wait(10)
        return 0.0

    drawing = MapDrawing(np.zeros((5, 1, 1), np.float32), 5, draw)
    told = []
    drawing.drawn.connect(lambda: told.append(True))
    drawing.start(0)
    assert started.wait(10)
    drawing.discard()
    assert tokens[0].cancelled  # also of what is being drawn, which may take long
    go_on.set()
    qtbot.wait(100)
    assert (order, told, drawing.is_busy) == ([range(1)], [], False)

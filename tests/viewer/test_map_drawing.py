from __future__ import annotations

import threading

import numpy as np

from napari_d24fad.viewer.map_drawing import MapDrawing


def test_the_slice_that_is_looked_at_comes_first(qtbot) -> None:
    values, order = np.zeros((9, 2, 2), np.float32), []
    reached, go_on = threading.Event(), threading.Event()

    def draw(index: int) -> float:
        order.append(index)
        values[index] = index
        if len(order) == 2:
            reached.set()
            assert go_on.wait(10)
        return float(index)

    drawing = MapDrawing(values, 9, draw)
    told = []
    drawing.drawn.connect(lambda: told.append(float(values.max())))
    drawing.start(4)
    assert reached.wait(10)
    assert drawing.is_busy
    drawing.want(8)
    go_on.set()
    qtbot.waitUntil(lambda: not drawing.is_busy, timeout=10_000)
    assert order[0] == 4
    assert order[2] == 8
    assert sorted(order) == list(range(9))
    assert drawing.highest == told[-1] == 8


def test_a_discarded_map_stops_and_tells_nothing(qtbot) -> None:
    started, order = threading.Event(), []
    go_on = threading.Event()

    def draw(index: int) -> float:
        order.append(index)
        started.set()
        assert go_on.wait(10)
        return 0.0

    drawing = MapDrawing(np.zeros((5, 1, 1), np.float32), 5, draw)
    told = []
    drawing.drawn.connect(lambda: told.append(True))
    drawing.start(0)
    assert started.wait(10)
    drawing.discard()
    go_on.set()
    qtbot.wait(100)
    assert (order, told, drawing.is_busy) == ([0], [], False)

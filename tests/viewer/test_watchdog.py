"""The watchdog sees what holds up the event loop, and where."""

from __future__ import annotations

import time

from qtpy.QtCore import QTimer

from tests.viewer.watchdog import Watchdog


def _hold_up() -> None:
    end = time.thread_time() + 0.25
    while time.thread_time() < end:
        pass


def test_a_freeze_is_seen_where_it_is(qtbot) -> None:
    with Watchdog() as watchdog:
        qtbot.wait(30)
        watchdog.step("held up")
        QTimer.singleShot(0, _hold_up)
        qtbot.wait(400)
    gap, busy, where = watchdog.steps["held up"]
    assert gap >= busy >= 0.25
    assert "_hold_up" in where
    assert watchdog.steps["start"][1] < 0.25
    assert "held up" in str(watchdog).splitlines()[0]

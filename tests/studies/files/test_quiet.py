"""Library messages stay off the screen while reading, and come back afterwards."""

from __future__ import annotations

import logging
import threading
import warnings

import pytest

from napari_d24fad.studies.files.quiet import quiet


def test_messages_are_dropped_inside_only(caplog: pytest.LogCaptureFixture) -> None:
    child = logging.getLogger("pydicom.some.module")
    with quiet():
        child.error("inside")
        warnings.warn("inside", UserWarning, stacklevel=1)
    child.error("outside")
    assert [record.message for record in caplog.records] == ["outside"]
    with pytest.warns(UserWarning, match="outside"):
        warnings.warn("outside", UserWarning, stacklevel=1)


def test_threads_that_overlap_leave_nothing_behind() -> None:
    filters = list(warnings.filters)
    level = logging.getLogger("pydicom").level
    entered, leave = threading.Event(), threading.Event()

    def stay() -> None:
        with quiet():
            entered.set()
            leave.wait(10)

    thread = threading.Thread(target=stay)
    with quiet():
        thread.start()
        assert entered.wait(10)
    assert logging.getLogger("pydicom").level > logging.CRITICAL
    leave.set()
    thread.join(10)
    assert logging.getLogger("pydicom").level == level
    assert warnings.filters == filters

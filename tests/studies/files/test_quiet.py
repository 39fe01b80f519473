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
    with pytest.raises(UserWarning):  # as our settings make of one that is not ignored
        warnings.warn("outside", UserWarning, stacklevel=1)


def test_threads_that_overlap_leave_nothing_behind() -> None:
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
    with pytest.raises(UserWarning):  # as our settings make of one that is not ignored
        warnings.warn("outside", UserWarning, stacklevel=1)


def test_a_thread_that_catches_warnings_meanwhile_leaves_none_ignored() -> None:
    entered, leave = threading.Event(), threading.Event()

    def catch() -> None:  # as a library does in another thread
        with warnings.catch_warnings():
            entered.set()
            leave.wait(10)

    thread = threading.Thread(target=catch)
    with quiet():
        thread.start()
        assert entered.wait(10)
    leave.set()
    thread.join(10)
    with pytest.raises(UserWarning):  # as our settings make of one that is not ignored
        warnings.warn("outside", UserWarning, stacklevel=1)


def test_a_filter_that_was_put_first_meanwhile_does_not_break_the_next_block() -> None:
    with quiet():
        pass
    warnings.simplefilter("error")
    with quiet():
        warnings.warn("inside", UserWarning, stacklevel=1)

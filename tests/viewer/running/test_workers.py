from __future__ import annotations

import subprocess
import sys
import threading
import time

import pytest
from qtpy.QtCore import QThread

from napari_d24fad.errors import Code, D24fadError, StudyError
from napari_d24fad.progress import CancelToken, Progress
from napari_d24fad.viewer.running.workers import CANCEL_GRACE_MS, Worker, stop_all


def watched(work) -> tuple[Worker, list[tuple[str, object]]]:
    worker, heard = Worker(work), []
    worker.returned.connect(lambda result: heard.append(("returned", result)))
    worker.failed.connect(lambda error: heard.append(("failed", error)))
    worker.cancelled.connect(lambda: heard.append(("cancelled", None)))
    worker.ended.connect(lambda: heard.append(("ended", None)))
    return worker, heard


def test_what_is_handed_over_comes_before_the_end_unless_nobody_waits(qtbot) -> None:
    may_go_on = threading.Event()
    workers: list[Worker] = []

    def work(at: int) -> str:
        may_go_on.wait(5)
        workers[at].hand("a part")
        return "all"

    listened = [watched(lambda progress, cancel, at=at: work(at)) for at in range(2)]
    for worker, heard in listened:
        worker.handed.connect(lambda part, heard=heard: heard.append(("handed", part)))
        workers.append(worker)
        worker.start()
    workers[1].discard()
    may_go_on.set()
    qtbot.waitUntil(lambda: not Worker._running & set(workers))
    told = [heard for _, heard in listened]
    assert told == [[("handed", "a part"), ("returned", "all"), ("ended", None)], []]


def patient(progress: Progress, cancel: CancelToken) -> None:
    for _ in range(1000):
        cancel.check()
        time.sleep(0.01)


def test_returns_the_result_in_the_gui_thread(qtbot) -> None:
    threads = []

    def work(progress: Progress, cancel: CancelToken) -> int:
        threads.append(threading.current_thread())
        return 42

    worker, heard = watched(work)
    worker.returned.connect(lambda _: threads.append(QThread.currentThread()))
    with qtbot.waitSignal(worker.ended):
        worker.start()
    assert heard == [("returned", 42), ("ended", None)]
    assert threads[0] is not threading.main_thread()
    assert threads[1] == worker.thread()


def test_progress_is_thinned_out(qtbot) -> None:
    def work(progress: Progress, cancel: CancelToken) -> None:
        for step in range(20_000):
            progress(step / 20_000, "Counting")

    worker, _ = watched(work)
    heard: list[tuple[float, str]] = []
    worker.progressed.connect(lambda fraction, step: heard.append((fraction, step)))
    started = time.monotonic()
    with qtbot.waitSignal(worker.ended):
        worker.start()
    assert 1 <= len(heard) <= 2 + (time.monotonic() - started) / 0.05
    assert heard[0] == (0.0, "Counting")


def test_refusal_arrives_as_it_was_raised(qtbot) -> None:
    def work(progress: Progress, cancel: CancelToken) -> None:
        raise StudyError(Code.TRUNCATED)

    worker, heard = watched(work)
    with qtbot.waitSignal(worker.ended):
        worker.start()
    assert [kind for kind, _ in heard] == ["failed", "ended"]
    assert heard[0][1].code is Code.TRUNCATED


def test_unforeseen_error_gets_a_code_and_tells_nothing_private(qtbot) -> None:
    def work(progress: Progress, cancel: CancelToken) -> None:
        raise ZeroDivisionError("/home/jane/SMITH^JOHN")

    worker, heard = watched(work)
    with qtbot.waitSignal(worker.ended):
        worker.start()
    error = heard[0][1]
    assert isinstance(error, D24fadError)
    assert error.code is Code.UNEXPECTED
    assert "ZeroDivisionError" in str(error)
    assert "SMITH" not in str(error)


def test_cancel_stops_patient_work(qtbot) -> None:
    worker, heard = watched(patient)
    worker.start()
    qtbot.wait(50)
    with qtbot.waitSignal(worker.ended):
        worker.cancel()
    assert heard == [("cancelled", None), ("ended", None)]


def test_work_that_cannot_stop_is_let_go(qtbot) -> None:
    release = threading.Event()

    def deaf(progress: Progress, cancel: CancelToken) -> str:
        release.wait(20)
        return "too late"

    worker, heard = watched(deaf)
    worker.start()
    started = time.monotonic()
    with qtbot.waitSignal(worker.ended, timeout=10_000):
        worker.cancel()
    assert time.monotonic() - started >= CANCEL_GRACE_MS / 1000 * 0.9
    release.set()
    qtbot.waitUntil(lambda: worker not in Worker._running)
    assert heard == [("cancelled", None), ("ended", None)]


def test_result_that_comes_after_cancel_is_dropped(qtbot) -> None:
    def stubborn(progress: Progress, cancel: CancelToken) -> str:
        while not cancel.cancelled:
            time.sleep(0.005)
        return "finished all the same"

    worker, heard = watched(stubborn)
    worker.start()
    with qtbot.waitSignal(worker.ended):
        worker.cancel()
    assert heard == [("cancelled", None), ("ended", None)]


def test_discarded_work_says_nothing(qtbot) -> None:
    worker, heard = watched(patient)
    worker.start()
    worker.discard()
    qtbot.waitUntil(lambda: worker not in Worker._running)
    assert heard == []


@pytest.mark.usefixtures("qtbot")
def test_stop_all_waits_for_the_threads() -> None:
    workers = [watched(patient)[0] for _ in range(3)]
    for worker in workers:
        worker.start()
    stop_all()
    assert not any(worker._thread.is_alive() for worker in workers)


_SCRIPT = """
import time
from qtpy.QtCore import QCoreApplication
from napari_d24fad.viewer.running.workers import Worker

def work(progress, cancel):
    while not cancel.cancelled:
        time.sleep(0.005)
    print("stopped", flush=True)

application = QCoreApplication([])
worker = Worker(work)
worker.start()
"""


def test_a_script_that_ends_without_an_event_loop_stops_its_workers() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", _SCRIPT], capture_output=True, text=True, timeout=300, check=False
    )
    assert (ended.returncode, ended.stdout) == (0, "stopped\n")

"""The queue goes on when a case fails, and results come back from files as they were."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest

from napari_d24fad.errors import Cancelled, Code, ModelError, StudyError
from napari_d24fad.findings.finding import Verdict
from napari_d24fad.progress import CancelToken, duration_text, silent
from napari_d24fad.session.cases.listed import CaseList, Outcome
from napari_d24fad.session.cases.queue import CaseQueue
from napari_d24fad.session.cases.store import CaseStore
from napari_d24fad.session.request import Examination, Request
from napari_d24fad.session.saved.case import Case, View
from napari_d24fad.session.saved.session_file import read_session, save_session
from tests.heads import anomaly_of, head
from tests.session.saved.cases import make_case
from tests.session.saved.test_session_file import same


class Made:
    """In place of a session that computes: a map for each scan but the second, which cannot be read."""

    def __init__(self, failing: object, *, stop: CancelToken | None = None, broken: bool = False) -> None:
        self.failing, self.stop, self.broken, self.asked = failing, stop, broken, []

    def prepare(self, request: Request, progress, cancel) -> None:
        if self.broken:
            raise ModelError(Code.MODEL_UNKNOWN)

    def run(self, request: Request, progress, cancel: CancelToken) -> Examination:
        self.asked.append(request.query)
        progress(0.5, "Encoding")
        if request.query is self.failing:
            raise StudyError(Code.CONSTANT_IMAGE)
        if self.stop is not None:
            self.stop.cancel()
        cancel.check()
        scan = head(1)
        return Examination(request, scan, anomaly_of(scan), (1.5, 3.0))


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return make_case(tmp_path / "scans")


def requests(case: Case) -> list[Request]:
    series = (case.request.query, *case.request.references)
    return [replace(case.request, query=each, regions=(), abnormal=()) for each in series]


def test_one_that_fails_does_not_stop_the_others(case: Case) -> None:
    asked, told, steps = requests(case), list[Outcome](), list[str]()
    queue = CaseQueue(Made(asked[1].query), asked, CaseStore())
    queue.run(told.append, lambda done, step: steps.append(f"{done:.2f} {step}"), CancelToken())
    assert [each.has_result for each in told] == [True, False, True, True]
    assert str(told[1].error).startswith("S10: ")
    assert [each.request.query for each in told] == [each.query for each in asked]
    assert told[0].is_flagged
    assert steps[0] == "0.14 1 of 4: Encoding"
    assert "2 of 4, about 1 s left" in steps[1]
    assert sorted(steps) == steps


def test_verdicts_of_an_earlier_result_go_on(case: Case) -> None:
    asked, told = requests(case)[:1], list[Outcome]()
    before = case.findings.judge(1, Verdict.REJECTED).write(1, "as before")
    CaseQueue(Made(None), asked, CaseStore(), lambda _: before).run(told.append, silent, CancelToken())
    assert told[0].kept is not None
    assert told[0].kept.is_judged
    first = told[0].read().findings.finding(1)
    assert (first.verdict, first.note) == (Verdict.REJECTED, "as before")


def test_references_that_cannot_be_used_are_told_once(case: Case) -> None:
    session, told = Made(None, broken=True), list[Outcome]()
    with pytest.raises(ModelError):
        CaseQueue(session, requests(case), CaseStore()).run(told.append, silent, CancelToken())
    assert (told, session.asked) == ([], [])


def test_all_are_stopped_or_one_is_skipped(case: Case) -> None:
    asked, told, cancel = requests(case), list[Outcome](), CancelToken()
    with pytest.raises(Cancelled):
        CaseQueue(Made(None, stop=cancel), asked, CaseStore()).run(told.append, silent, cancel)
    assert told == []
    session = Made(None)
    queue = CaseQueue(session, asked, CaseStore())
    queue.run(told.append, lambda *_: queue.skip() if len(session.asked) == 2 else None, CancelToken())
    assert [each.request.query for each in told] == [asked[0].query, asked[2].query, asked[3].query]


def test_a_case_comes_back_from_files_as_it_was(case: Case) -> None:
    assert case.examination is not None
    kept = CaseStore().keep(case)
    back = kept.read()
    assert back.examination is not None
    assert same(case.examination.anomaly, back.examination.anomaly)
    assert same(case.findings, back.findings)
    assert back.view == case.view
    assert back.request is case.request
    assert not back.examination.scan.has_pixels
    assert back.examination.scan.content_hash() == case.examination.scan.content_hash()
    later = kept.read_by(case.findings.judge(1, Verdict.REJECTED), View(3))
    assert later.read().findings.finding(1).verdict is Verdict.REJECTED
    assert kept.read().findings.finding(1).verdict is Verdict.ACCEPTED
    assert same(later.read().examination.anomaly, case.examination.anomaly)


def test_results_take_no_memory_and_their_files_go_with_them(case: Case) -> None:
    store, count = CaseStore(), 30
    assert case.examination is not None
    size = case.examination.anomaly.values.nbytes
    kept = [store.keep(case)]  # what is imported by the first is not counted
    tracemalloc.start(20)
    kept += [store.keep(case) for _ in range(count)]
    ours = tracemalloc.Filter(True, __file__, all_frames=True)  # not what other threads are at meanwhile
    held = sum(each.size for each in tracemalloc.take_snapshot().filter_traces([ours]).statistics("filename"))
    tracemalloc.stop()
    assert held < count * size / 3
    folder = store._folder.path

    def files() -> int:
        return sum(each.suffix == ".d24fad" for each in folder.iterdir())

    assert files() == 2 * len(kept), "a map and masks of each"
    kept[1:] = [kept[0].read_by(case.findings, View())]
    assert files() == 3
    kept.clear()
    assert files() == 0


def test_an_error_takes_no_result_away_and_steps_pass_over_it(case: Case) -> None:
    listed, asked = CaseList(), requests(case)
    kept = CaseStore().keep(case)
    order = [each.query for each in asked]
    listed.put(Outcome(asked[0], kept))
    listed.put(Outcome(asked[0], error=StudyError(Code.CONSTANT_IMAGE)))
    listed.put(Outcome(asked[1], error=StudyError(Code.CONSTANT_IMAGE)))
    listed.put(Outcome(asked[3], kept))
    known = listed.of(order[0])
    assert known is not None
    assert known.has_result
    assert known.error is not None
    assert listed.step(order, None, 1) is order[0]
    assert listed.step(order, order[0], 1) is order[3]
    assert listed.step(order, order[3], 1) is None
    assert listed.step(order, order[3], -1) is order[0]
    assert not known.is_outdated(replace(asked[0]))
    assert known.is_outdated(replace(asked[0], references=asked[0].references[:2]))


def test_a_session_of_several_cases_is_read_one_at_a_time(case: Case, tmp_path: Path) -> None:
    other = replace(case, request=replace(case.request, query=case.request.references[0]))
    save_session(iter([case, replace(other, examination=None), case]), tmp_path / "day", shown=2)
    at_once = read_session(tmp_path / "day")
    session = read_session(tmp_path / "day", at_once=False)
    assert session.shown == 2
    assert len(session.cases) == 3
    assert same(session.cases[2].findings, case.findings)
    assert [each.examination is None for each in session.cases] == [False, True, False]
    assert same(session.cases[-1].examination.anomaly, at_once.cases[0].examination.anomaly)
    assert session.cases[0].request.query is session.cases[2].request.query


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0.2, "about 1 s"),
        (13.4, "about 13 s"),
        (44, "about 40 s"),
        (200, "about 3 min"),
        (9000, "about 2.5 h"),
    ],
)
def test_durations_are_told_as_people_do(seconds: float, told: str) -> None:
    assert duration_text(seconds) == told

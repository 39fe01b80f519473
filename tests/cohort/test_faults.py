"""Whatever ends a worker: nothing is lost or doubled, and a case that does it three times is named."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from napari_d24fad.cohort.gathering import gather
from napari_d24fad.cohort.item import Shard
from napari_d24fad.cohort.nodes import Nodes, Tls, check_encrypted, local_nodes, slurm_options
from napari_d24fad.cohort.place import CohortPlace
from napari_d24fad.cohort.running import run_here
from napari_d24fad.cohort.sending import run_on
from napari_d24fad.cohort.task import Job, Told, run_case
from napari_d24fad.errors import ArgumentError, CohortError
from tests.cohort.works import TinyWork, items


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    with local_nodes(2) as started:
        yield started


@pytest.fixture
def job(tmp_path: Path) -> Job:
    place = CohortPlace.begin(tmp_path / "cohort", {}, resume=False)
    return Job(str(place.folder), place.name, TinyWork(str(tmp_path / "log")))


def rows(job: Job) -> dict[int, str]:
    """The code of each case by its number; each is there once."""
    place = CohortPlace.open(Path(job.folder))
    listed = [place.row(key) for key in place.done()]
    assert max(Counter(row.number for row in listed).values()) == 1
    return {row.number: row.code for row in listed}


def log(job: Job) -> list[int]:
    assert isinstance(job.work, TinyWork)
    return sorted(map(int, Path(job.work.log).read_text().split()))


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
def test_a_case_that_kills_its_worker_is_left_out_and_a_killed_worker_loses_nothing(
    nodes: Nodes, job: Job
) -> None:
    cases = items("a", "poison", "memory", *(f"slow {number}" for number in range(20)))
    told: list[Told] = []

    def tell(one: Told) -> None:
        told.append(one)
        if len(told) == 6:  # some are being examined
            with nodes.connect() as client:
                (process, *_) = client.run(os.getpid).values()
            os.kill(process, signal.SIGKILL)

    warned: list[str] = []
    run_on(nodes, job, cases, tell, warned.append)
    found = rows(job)
    assert sorted(found) == list(range(1, 24))
    assert {number: code for number, code in found.items() if code} == {2: "C03", 3: "M08"}
    assert Counter(one.code for one in told) == {"": 21, "C03": 1, "M08": 1}
    examined = log(job)  # the one that was killed in the middle may be there twice, and has one row
    assert set(examined) == set(range(1, 24)) - {2, 3}
    assert len(examined) <= 22
    place = CohortPlace.open(Path(job.folder))
    poisoned = place.row(cases[1].key(place.salt))
    assert poisoned.attempts == 3
    assert "ended three times" in poisoned.text
    assert list((place.folder / "begun").iterdir()) == []
    assert not [path for path in place.folder.rglob(".d24fad-*") if path.parent.name != "cohort"]


def test_what_concerns_all_cases_ends_the_run_and_what_is_done_stays(nodes: Nodes, job: Job) -> None:
    run_on(nodes, job, items("a", "b"), lambda _: None, lambda _: None)
    elsewhere = Job(f"{job.folder}-not-there", "other", job.work)
    with pytest.raises(CohortError, match="C05"):
        run_on(nodes, elsewhere, items("c"), lambda _: None, lambda _: None)
    older = Job(job.folder, job.name, job.work, {**job.versions, "torch": "1.0"})
    with pytest.raises(CohortError, match=r"C04.*It has torch \d.* for 1\.0"):
        run_on(nodes, older, items("c"), lambda _: None, lambda _: None)
    run_on(nodes, job, items("a", "b", "c"), lambda _: None, lambda _: None)
    assert rows(job) == {1: "", 2: "", 3: ""}
    assert log(job) == [1, 2, 3]


def test_other_users_of_the_machine_cannot_speak_to_the_workers(nodes: Nodes) -> None:
    from distributed import Client

    with nodes.connect() as client:
        address = client.scheduler.address
    assert address.startswith("tls://127.0.0.1:")
    with pytest.raises((OSError, TypeError)):
        Client(address.replace("tls", "tcp"), timeout=1, set_as_default=False)


def test_shards_take_each_case_once(job: Job) -> None:
    cases = items(*map(str, range(30)))
    place = CohortPlace.open(Path(job.folder))
    for index in (1, 2, 3):
        own = [each for each in cases if Shard(index, 3).has(each.key(place.salt))]
        assert 0 < len(own) < 30
        run_here(job, own, lambda _: None)
    assert log(job) == list(range(1, 31))


def test_ctrl_c_is_not_counted_against_a_case(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    (case,) = items("a")
    stopped = partial(_raise, KeyboardInterrupt)
    place = CohortPlace.open(Path(job.folder))
    with monkeypatch.context() as patch:
        patch.setattr(TinyWork, "examine", stopped)
        for _ in range(4):
            with pytest.raises(KeyboardInterrupt):
                run_case(job, case)
    assert not list(place.done())
    assert run_case(job, case).code == ""
    assert [path.name for path in place.case(case.key(place.salt)).parent.iterdir()] == [case.key(place.salt)]


def _raise(error: type[BaseException], *_: object, **__: object) -> None:
    raise error


def test_a_row_of_a_full_disk_is_no_row(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    (case,) = items("a")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", partial(_raise, OSError))
        with pytest.raises(Exception, match="X01"):
            run_case(job, case)
    place = CohortPlace.open(Path(job.folder))
    assert not list(place.done())
    assert place.note_begun(case.key(place.salt)) == 1, "the attempt before was not forgotten"


def test_another_cohort_is_not_written_over(job: Job) -> None:
    folder = Path(job.folder)
    with pytest.raises(CohortError, match="C01"):
        CohortPlace.begin(folder, {}, resume=False)
    with pytest.raises(CohortError, match=r"C02.*Differing: scoring"):
        CohortPlace.begin(folder, {"scoring": "paper"}, resume=True)
    assert CohortPlace.begin(folder, {}, resume=True).name == job.name


def test_a_table_of_a_resumed_cohort_has_each_case_once(job: Job) -> None:
    for _ in range(2):
        run_here(job, items("a", "b", "memory"), lambda _: None)
    found = gather(CohortPlace.open(Path(job.folder)))
    assert (found.cases, found.refused) == (3, 1)
    assert log(job) == [1, 2]


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("tcp://127.0.0.1:8786", True),
        ("localhost:8786", True),
        ("tcp://[::1]:8786", True),
        ("tcp://node1:8786", False),
        ("10.0.0.7:8786", False),
        ("tls://node1:8786", False),  # without certificates
    ],
)
def test_nodes_are_reached_encrypted_or_not_at_all(address: str, allowed: bool, tmp_path: Path) -> None:
    if allowed:
        check_encrypted(address, None)
        return
    with pytest.raises(CohortError, match="C06"):
        check_encrypted(address, None)
    check_encrypted("tls://node1:8786", Tls(tmp_path, tmp_path, tmp_path))


@pytest.mark.parametrize("address", ["node1", "ucx://node1:1", "http://node1:80", ""])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ArgumentError):
        check_encrypted(address, None)


def test_options_of_slurm() -> None:
    assert slurm_options("jobs=2,cores=4,memory=16GB,queue=gpu") == {
        "jobs": 2,
        "cores": 4,
        "memory": "16GB",
        "queue": "gpu",
    }
    with pytest.raises(ArgumentError, match="jobs=N"):
        slurm_options("queue=gpu")

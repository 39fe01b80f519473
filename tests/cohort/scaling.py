"""How a cohort scales: ``python -m tests.cohort.scaling [workers|overhead]``, on an idle machine.

``workers`` examines made-up volumes with one worker and with two, and tells the time on the clock and that of
the processors. ``overhead`` puts 10,000 tiny made-up cases through two workers, and tells what each takes
beside its examination, and the memory of this program, which has the scheduler too. Both write to a
temporary folder.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from napari_d24fad.cohort.gathering import gather
from napari_d24fad.cohort.item import Item
from napari_d24fad.cohort.nodes import local_nodes
from napari_d24fad.cohort.place import CohortPlace
from napari_d24fad.cohort.running import run_here
from napari_d24fad.cohort.sending import run_on
from napari_d24fad.cohort.task import Job, Told, Work
from napari_d24fad.settings import CACHE_VARIABLE
from tests.cohort.works import TinyWork

CASES, TINY = 24, 10_000
_STEPS = 10
_MIB = 2**20


def main(names: list[str]) -> None:
    """Measures what is named, or both."""
    with TemporaryDirectory() as folder:
        os.environ[CACHE_VARIABLE] = str(Path(folder) / "cache")
        for name in names or ["overhead", "workers"]:
            {"overhead": overhead, "workers": workers}[name](Path(folder))


def overhead(folder: Path) -> None:
    """Tells what a case takes beside its examination."""
    job, cases = _job(folder / "here", TinyWork()), [Item(at, str(at)) for at in range(1, TINY + 1)]
    process, told, few = psutil.Process(), 0, TINY // _STEPS
    began, cpu = time.perf_counter(), _cpu(process)
    run_here(job, cases[:few], lambda _: None)
    seconds, used = time.perf_counter() - began, _cpu(process) - cpu
    print(
        f"this process: {1000 * seconds / few:.2f} ms a case on the clock, {1000 * used / few:.2f} ms of CPU"
    )
    job = _job(folder / "workers", TinyWork())
    with local_nodes(2) as nodes:
        began, cpu = time.perf_counter(), _cpu(process)

        def tell(_: Told) -> None:
            nonlocal told
            told += 1
            if told % (TINY // _STEPS) == 0:
                memory = process.memory_info().rss / _MIB
                seconds = time.perf_counter() - began
                print(f"{told:6d} cases, {seconds:6.1f} s, {memory:.0f} MiB client and scheduler", flush=True)

        run_on(nodes, job, cases, tell, print)
        seconds, used = time.perf_counter() - began, _cpu(process) - cpu
    print(
        f"two workers: {1000 * seconds / TINY:.2f} ms a case on the clock, {1000 * used / TINY:.2f} ms of CPU"
    )
    began = time.perf_counter()
    gather(CohortPlace.open(Path(job.folder)))
    size = sum(path.stat().st_size for path in Path(job.folder).glob("cohort.*"))
    print(f"table and overview: {time.perf_counter() - began:.1f} s, {size / TINY:.0f} bytes a row")


def workers(folder: Path) -> None:
    """Tells how much faster two workers are than one that has one core, and than one that has both."""
    from tests.cohort.volumes import volume_work

    work, places = volume_work(folder, CASES)
    rates, given = {}, sorted(os.sched_getaffinity(0))
    for cores, count in ((1, 1), (2, 1), (2, 2)):
        os.sched_setaffinity(0, given[:cores])  # what it starts is bound as it is
        job = _job(folder / f"{count}-on-{cores}", work)
        cases = [Item(at, str(place)) for at, place in enumerate(places, start=1)]
        process = psutil.Process()
        with local_nodes(count) as nodes:
            run_on(nodes, job, cases[:count], lambda _: None, print)  # loads model and references
            began, cpu = time.perf_counter(), _cpu(process)
            run_on(nodes, job, cases[count:], lambda _: None, print)
            seconds, used = time.perf_counter() - began, _cpu(process) - cpu
        rate = rates[cores, count] = (len(cases) - count) / seconds
        each = used / (len(cases) - count)
        print(
            f"workers {count}, cores {cores}: {rate:.2f} cases a second, {each:.2f} s of CPU a case",
            flush=True,
        )
    one, both = (rates[2, 2] / rates[cores, 1] for cores in (1, 2))
    print(f"two workers are {one:.2f} times as fast as one on one core, {both:.2f} times as one on both")


def _job(folder: Path, work: Work) -> Job:
    place = CohortPlace.begin(folder, {}, resume=False)
    return Job(str(place.folder), place.name, work)


def _cpu(process: psutil.Process) -> float:
    """Returns the time of the processors that a program and the processes that it started have used."""
    times = [process.cpu_times(), *(child.cpu_times() for child in process.children(recursive=True))]
    return sum(each.user + each.system for each in times)


if __name__ == "__main__":
    main(sys.argv[1:])

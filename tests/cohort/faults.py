"""What ends workers, schedulers and runs, one after the other: ``python -m tests.cohort.faults``.

Prints the table of docs/cohorts.md. A real scheduler and its workers run as processes on this machine; each
fault is brought about as it would be outside: by a signal, by memory that runs out, by another version.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from napari_d24fad.cohort.item import Item, Shard
from napari_d24fad.cohort.nodes import Nodes, slurm_nodes
from napari_d24fad.cohort.place import CohortPlace
from napari_d24fad.cohort.running import run_here
from napari_d24fad.cohort.sending import run_on
from napari_d24fad.cohort.task import Job, Told
from napari_d24fad.errors import D24fadError
from napari_d24fad.staging import abandoned
from tests.cohort.grid import WORKER, grid, wait_for
from tests.cohort.works import TinyWork, items

_OLDER = f"import napari_d24fad.version as v; v.__version__ = '0.0.9'; {WORKER}"
_SLOW = tuple(f"slow {number}" for number in range(12))


@dataclass
class Run:
    """A cohort in a folder, and what was told of it."""

    folder: Path
    told: list[Told] = field(default_factory=list)
    warned: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        place = CohortPlace.begin(self.folder / "cohort", {}, resume=True)
        self.place = place
        self.job = Job(str(place.folder), place.name, TinyWork())

    def on(
        self, nodes: Nodes, cases: list[Item], at: int = 0, then: Callable[[], None] | None = None
    ) -> None:
        def tell(one: Told) -> None:
            self.told.append(one)
            if then is not None and len(self.told) == at:
                then()

        run_on(nodes, self.job, cases, tell, self.warned.append, patience=90)

    def line(self, fault: str, cases: int) -> str:
        rows = [self.place.row(key) for key in self.place.done()]
        twice = sum(count - 1 for count in Counter(row.number for row in rows).values())
        codes = sorted(f"{row.code} after {row.attempts}" for row in rows if row.code)
        halves = sum(1 for folder in self.place.folder.glob("cases/*") for _ in abandoned(folder))
        said = "; ".join(dict.fromkeys(each.partition(":")[0] for each in self.warned)) or "-"
        lost, refused = cases - len(rows), ", ".join(codes) or "none"
        return f"| {fault} | {cases} | {lost} | {twice} | {halves} | {refused} | {said} |"


def poisoned(folder: Path) -> str:
    run, cases = Run(folder), items("poison", *_SLOW)
    with grid(folder) as (_, nodes):
        run.on(nodes, cases)
    return run.line("a case that ends its worker by SIGKILL, each time", len(cases))


def killed(folder: Path) -> str:
    run, cases = Run(folder), items(*_SLOW)
    with grid(folder) as (_, nodes):

        def kill() -> None:
            with nodes.connect() as client:
                os.kill(next(iter(client.run(os.getpid).values())), signal.SIGKILL)

        run.on(nodes, cases, 4, kill)
    return run.line("a worker is killed (kill -9)", len(cases))


def out_of_memory(folder: Path) -> str:
    run, cases = Run(folder), items("greedy", *_SLOW)
    with grid(folder, memory="400MiB") as (_, nodes):
        run.on(nodes, cases)
    return run.line("a case that takes more memory than its worker may", len(cases))


def restarted(folder: Path) -> str:
    run, cases = Run(folder), items(*_SLOW)
    with grid(folder) as (made, nodes):

        def restart() -> None:
            assert made.scheduler is not None
            made.scheduler.kill()
            made.scheduler.wait()
            made.start_scheduler()
            made.start_worker()

        run.on(nodes, cases, 4, restart)
    return run.line("the scheduler is killed and started again", len(cases))


def gone(folder: Path) -> str:
    run, cases = Run(folder), items(*_SLOW)
    with grid(folder) as (made, nodes):

        def stop() -> None:
            assert made.scheduler is not None
            made.scheduler.kill()

        try:
            run_on(nodes, run.job, cases, _counting(run, 4, stop), run.warned.append, patience=5)
        except D24fadError as error:
            run.warned.append(str(error))
    run_here(run.job, cases, run.told.append)
    return run.line("the scheduler is gone; gone on with in one process", len(cases))


def _counting(run: Run, at: int, then: Callable[[], None]) -> Callable[[Told], None]:
    def tell(one: Told) -> None:
        run.told.append(one)
        if len(run.told) == at:
            then()

    return tell


def another_version(folder: Path) -> str:
    run, cases = Run(folder), items(*_SLOW)
    with grid(folder, workers=1) as (made, nodes):
        made.start_worker(_OLDER, "0", "--no-nanny")
        wait_for(made.address, 2)
        run.on(nodes, cases)
    return run.line("a node with another version", len(cases))


def comes_late(folder: Path) -> str:
    run, cases = Run(folder), items(*_SLOW, *_SLOW)
    cases = [Item(at, f"{each.place} {at}") for at, each in enumerate(cases, start=1)]
    with grid(folder, workers=1) as (made, nodes):

        def join() -> None:
            made.start_worker(_OLDER, "0", "--no-nanny")
            wait_for(made.address, 2)

        run.on(nodes, cases, 4, join)
    return run.line("a node with another version that comes later", len(cases))


def interrupted(folder: Path) -> str:
    run, cases = Run(folder), items(*_SLOW)
    with grid(folder) as (_, nodes):

        def stop() -> None:
            raise KeyboardInterrupt

        try:
            run.on(nodes, cases, 4, stop)
        except KeyboardInterrupt:
            run.warned.append("Cancelled")
        Run(folder).on(nodes, cases)
    return run.line("Ctrl-C, then --resume", len(cases))


def array(folder: Path) -> str:
    run, cases = Run(folder), items("poison", *_SLOW)
    code = (
        "import sys; from pathlib import Path; from tests.cohort.faults import shard; "
        "shard(Path(sys.argv[1]), int(sys.argv[2]))"
    )
    for _ in range(4):  # as a job array that is sent again until all of it is done
        jobs = [
            subprocess.Popen([sys.executable, "-c", code, str(folder), str(index)]) for index in (1, 2, 3)
        ]
        for job in jobs:
            job.wait()
    return run.line("jobs of an array, one of whose cases ends its job, sent four times", len(cases))


def slurm(folder: Path) -> str:
    """SLURM itself is not here: a stand-in for sbatch runs the job that it is given on this machine."""
    run, cases = Run(folder), items("poison", *_SLOW)
    stub = folder / "bin"
    stub.mkdir()
    scripts = {
        "sbatch": f"cd {stub}; cp $1 job\nsetsid bash job > told 2>&1 &\necho $! > pid; echo Submitted job 7",
        "scancel": f"kill -- -$(cat {stub}/pid)",
    }
    for name, script in scripts.items():
        (stub / name).write_text(f"#!/bin/bash\n{script}\n")
        (stub / name).chmod(0o700)
    os.environ["PATH"] = f"{stub}:{os.environ['PATH']}"
    with slurm_nodes("jobs=1,cores=1,memory=1GB,walltime=00:10:00", run.place.folder) as nodes:
        run.on(nodes, cases)
    if list(run.place.folder.glob(".d24fad-keys-*")):
        run.warned.append("Keys were left behind")
    return run.line("a job of SLURM (sbatch by a stand-in), one of whose cases ends it", len(cases))


def shard(folder: Path, index: int) -> None:
    """One job of an array of three."""
    run = Run(folder)
    own = Shard(index, 3)
    cases = [each for each in items("poison", *_SLOW) if own.has(each.key(run.place.salt))]
    run_here(run.job, cases, run.told.append)


FAULTS = (
    poisoned,
    killed,
    out_of_memory,
    restarted,
    gone,
    another_version,
    comes_late,
    interrupted,
    array,
    slurm,
)


def main(names: list[str]) -> None:
    """Brings about the faults that are named, or all."""
    print("| what happens | cases | lost | doubled | half-written | refused, after so many tries | said |")
    print("|---|---|---|---|---|---|---|")
    for fault in FAULTS:
        if names and fault.__name__ not in names:
            continue
        with ExitStack() as stack:
            folder = Path(stack.enter_context(TemporaryDirectory()))
            print(fault(folder), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])

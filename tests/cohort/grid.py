"""A scheduler and workers as processes of this machine, which tests and faults can end."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from distributed import Client

from napari_d24fad.cohort.nodes import Nodes, given_nodes

WORKER = "from distributed.cli.dask_worker import main; main()"
_SCHEDULER = "from distributed.cli.dask_scheduler import main; main()"


@dataclass
class Grid:
    """A scheduler and workers, as processes."""

    folder: Path
    port: int = 0
    scheduler: subprocess.Popen[bytes] | None = None
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    def start_scheduler(self) -> None:
        if not self.port:
            with socket.socket() as taken:
                taken.bind(("127.0.0.1", 0))
                self.port = taken.getsockname()[1]
        words = ["--host", "127.0.0.1", "--port", str(self.port), "--no-dashboard"]
        self.scheduler = self._started(_SCHEDULER, *words)

    def start_worker(self, code: str = WORKER, memory: str = "0", *more: str) -> None:
        words = [self.address, "--nthreads", "1", "--host", "127.0.0.1", "--memory-limit", memory]
        self.workers.append(self._started(code, *words, "--no-dashboard", "--death-timeout", "60", *more))

    def stop(self) -> None:
        for process in [*self.workers, *([self.scheduler] if self.scheduler else [])]:
            if process.poll() is None:
                process.terminate()
        for process in [*self.workers, *([self.scheduler] if self.scheduler else [])]:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _started(self, code: str, *words: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-c", code, *words],
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


@contextmanager
def grid(folder: Path, workers: int = 2, memory: str = "0") -> Iterator[tuple[Grid, Nodes]]:
    made = Grid(folder)
    try:
        made.start_scheduler()
        for _ in range(workers):
            made.start_worker(memory=memory)
        wait_for(made.address, workers)
        with given_nodes(made.address, None) as nodes:
            yield made, nodes
    finally:
        made.stop()


def wait_for(address: str, workers: int) -> None:
    for _ in range(60):
        try:
            with Client(address, timeout=2, set_as_default=False) as client:
                client.wait_for_workers(workers, timeout=60)
                return
        except OSError:
            time.sleep(0.5)
    raise TimeoutError

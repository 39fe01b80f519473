"""Sends cases to the workers of a scheduler, a few at a time, and again what was lost on the way."""

from __future__ import annotations

import itertools
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from napari_d24fad.cohort.item import Item
from napari_d24fad.cohort.nodes import Nodes
from napari_d24fad.cohort.running import Tell
from napari_d24fad.cohort.task import Job, Told, run_case
from napari_d24fad.cohort.versions import differences, versions
from napari_d24fad.errors import Code, CohortError

if TYPE_CHECKING:
    from distributed import Client, Future

PATIENCE_SECONDS = 300.0
"""So long a scheduler may be away before the run ends."""

_AHEAD, _AT_LEAST, _LOOK_EVERY = 3, 8, 200
_PAUSE_SECONDS = 1.0
_MOST_DEATHS = 12
"""Workers that end one after the other before any has come to its case: none will."""


class _LostError(Exception):
    """The scheduler is away, and with it what it was doing."""


def run_on(
    nodes: Nodes,
    job: Job,
    items: Iterable[Item],
    tell: Tell,
    warn: Callable[[str], None],
    patience: float = PATIENCE_SECONDS,
) -> None:
    """Examines cases on workers.

    Only as many are sent as keep the workers busy, so that the memory of scheduler and of this program does
    not grow with the cohort. What a worker, or a scheduler, takes along is sent again; a case that was done
    all the same is found done.

    Args:
        nodes: The workers.
        job: The cohort.
        items: The cases.
        tell: See `Tell`.
        warn: Given what the user should know while it goes on.
        patience: Seconds that a scheduler may be away.

    Raises:
        CohortError: ``SCHEDULER_LOST``, ``WORKER_DIFFERS`` if no worker can be used, or see `run_case`.
        D24fadError: See `run_case`.
    """
    sending = _Sending(job, iter(items), tell, warn)
    heard = time.monotonic()
    while True:
        told = sending.told
        try:
            with nodes.connect() as client:
                if sending.lost:
                    warn("The scheduler is back.")
                sending.go(client)
                return
        except (_LostError, OSError, TimeoutError):
            if not sending.lost:
                warn("The scheduler cannot be reached; waiting for it.")
            sending.lose()
        heard = time.monotonic() if sending.told > told else heard
        if time.monotonic() - heard > patience:
            raise CohortError(Code.SCHEDULER_LOST)
        time.sleep(_PAUSE_SECONDS)


class _Sending:
    """What was sent, and what came back."""

    def __init__(self, job: Job, items: Iterator[Item], tell: Tell, warn: Callable[[str], None]) -> None:
        self._job, self._items, self._tell, self._warn = job, items, tell, warn
        self._again: deque[Item] = deque()
        self._flying: dict[object, Item] = {}
        self._numbers = itertools.count()
        self._unusable: set[str] = set()
        self._deaths = 0
        self.told, self.lost = 0, False

    def lose(self) -> None:
        """Takes back what was sent: nobody knows what became of it."""
        self._again.extend(self._flying.values())
        self._flying.clear()
        self.lost = True

    def go(self, client: Client) -> None:
        """Sends until all is told.

        Raises:
            _LostError: The scheduler is away.
        """
        from distributed import as_completed

        self.lost = False
        self._look_at_workers(client)
        coming = as_completed(loop=client.loop)
        for looked in itertools.count():
            if looked % _LOOK_EVERY == 0:
                ahead = max(_AT_LEAST, _AHEAD * sum(client.nthreads().values()))
            while len(self._flying) < ahead and (item := self._next()) is not None:
                coming.add(self._send(client, item))
            if not self._flying:
                return
            self._take(client, next(coming))

    def _next(self) -> Item | None:
        return self._again.popleft() if self._again else next(self._items, None)

    def _send(self, client: Client, item: Item) -> Future[Told]:
        usable = None
        if self._unusable:
            usable = [name for name in client.nthreads() if name not in self._unusable]
        name = f"case-{next(self._numbers)}"
        future = client.submit(run_case, self._job, item, key=name, pure=False, workers=usable)
        self._flying[future.key] = item
        return future

    def _take(self, client: Client, future: Future[Told]) -> None:
        from distributed.scheduler import KilledWorker, NoValidWorkerError

        item = self._flying[future.key]
        if future.status in ("cancelled", "lost"):
            raise _LostError
        error = future.exception() if future.status == "error" else None
        if error is None:
            self._tell(future.result())
            self.told, self._deaths = self.told + 1, 0
        elif isinstance(error, (KilledWorker, NoValidWorkerError)):
            # Which case is at fault is noted in the folder, see `run_case`.
            self._deaths += 1
            if self._deaths > _MOST_DEATHS:
                told = "Workers end before they are done with any case; they may have too little memory."
                raise CohortError(Code.SCHEDULER_LOST, told) from None
            self._again.append(item)
        elif isinstance(error, (ImportError, AttributeError)) or _is_of_worker(error):
            self._look_at_workers(client)
            self._again.append(item)
        else:
            raise error
        del self._flying[future.key]

    def _look_at_workers(self, client: Client) -> None:
        """Finds workers with other versions, which get no case.

        Raises:
            CohortError: ``WORKER_DIFFERS`` if all are.
        """
        own = self._job.versions
        found = client.run(versions, on_error="return")
        told = {
            name: "no version of this tool that knows cohorts"
            if isinstance(one, Exception)
            else differences(own, one)
            for name, one in found.items()
        }
        for name, difference in told.items():
            if difference and name not in self._unusable:
                self._unusable.add(name)
                self._warn(str(CohortError(Code.WORKER_DIFFERS, f"It has {difference}.")))
        if told and all(told.values()):
            raise CohortError(Code.WORKER_DIFFERS, f"It has {next(iter(told.values()))}.")


def _is_of_worker(error: BaseException) -> bool:
    return isinstance(error, CohortError) and error.code is Code.WORKER_DIFFERS

"""One case, from its beginning to its row: what a worker runs, and the command without workers too."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from napari_d24fad.cohort.item import Item
from napari_d24fad.cohort.place import ATTEMPTS, ROW_NAME, CohortPlace
from napari_d24fad.cohort.row import Row
from napari_d24fad.cohort.versions import differences, versions
from napari_d24fad.errors import Code, CohortError, D24fadError, ExportError, SessionError
from napari_d24fad.staging import machine_name
from napari_d24fad.version import __version__


class Work(Protocol):
    """What is done with each case; travels to workers, so it is small."""

    def prepare(self) -> None:
        """Loads what all cases share, unless this process has it already.

        Raises:
            D24fadError: Why no case can be examined.
        """

    def examine(self, item: Item, key: str, salt: bytes, into: Path) -> Row:
        """Examines a case and writes what it leaves.

        Args:
            item: The case.
            key: Its hash.
            salt: Of the cohort.
            into: A folder that takes its files.

        Raises:
            D24fadError: Why there is no result.
        """


_STOPPING = (CohortError, ExportError)
"""What no case can help: the folder is full, or the references have changed."""


@dataclass(frozen=True, slots=True)
class Job:
    """What a worker must know beside the case; pickled with each task, so it is small.

    Attributes:
        folder: Of the cohort, at the same path on all nodes.
        name: Of the cohort, see `CohortPlace.name`.
        work: What is done with a case.
        versions: What the program that began it runs with.
    """

    folder: str = field(repr=False)
    name: str
    work: Work
    versions: dict[str, str] = field(default_factory=versions, repr=False)


@dataclass(frozen=True, slots=True)
class Told:
    """What came of a case, for the program that counts them.

    Attributes:
        key: Hash of the case.
        code: Why it has no result; empty if it has one.
        seconds: How long it took on the worker.
    """

    key: str
    code: str = ""
    seconds: float = 0.0


_known: dict[str, CohortPlace] = {}
_alone = threading.Lock()
"""A worker may have several threads, and a session takes one case at a time."""


def run_case(job: Job, item: Item) -> Told:
    """Examines a case, unless it is done already, and writes its folder.

    It is noted that the case was begun before it is, and that it has ended afterwards. So a case that takes
    its process along is known as such by whoever comes next, and is left out when that happened three times.

    Args:
        job: The cohort.
        item: The case.

    Raises:
        CohortError: ``WORKER_DIFFERS``, ``FOLDER_NOT_SHARED``, or what concerns all cases.
        ExportError: ``CANNOT_WRITE``.
        D24fadError: Model or references cannot be loaded.
    """
    with _alone:
        return _run(job, item)


def _run(job: Job, item: Item) -> Told:
    place = _place(job)
    key = item.key(place.salt)
    if place.is_done(key):
        return Told(key, place.row(key).code)  # it was sent again though it was done
    job.work.prepare()  # what fails here is no case's fault
    begun = place.note_begun(key)
    started = time.perf_counter()
    if begun > ATTEMPTS:
        row = _refused(item, key, CohortError(Code.CASE_ENDS_WORKER))
        place.put(replace(row, attempts=begun - 1))
        place.note_ended(key)
        return Told(key, row.code)
    try:
        row = _examined(place, job, item, key, begun, started)
    finally:
        place.note_ended(key)  # also where its user stopped it, or the disk is full: the process lives
    return Told(key, row.code, row.seconds)


def _examined(place: CohortPlace, job: Job, item: Item, key: str, begun: int, started: float) -> Row:
    try:
        with place.writing(key) as folder:
            row = job.work.examine(item, key, place.salt, folder)
            row = _marked(row, begun, started)
            (folder / ROW_NAME).write_text(row.as_json(), encoding="utf-8")
        return row
    except _STOPPING:
        raise
    except D24fadError as error:
        refusal = error
    except MemoryError:
        refusal = D24fadError(Code.OUT_OF_MEMORY)
    except Exception as error:
        refusal = D24fadError(Code.UNEXPECTED, f"({type(error).__name__})")
    row = _marked(_refused(item, key, refusal), begun, started)
    place.put(row)
    return row


def _marked(row: Row, begun: int, started: float) -> Row:
    seconds = round(time.perf_counter() - started, 3)
    return replace(row, attempts=begun, seconds=seconds, node=machine_name())


def _place(job: Job) -> CohortPlace:
    known = _known.get(job.name)
    if known is None:
        told = differences(job.versions, versions())
        if told:
            raise CohortError(Code.WORKER_DIFFERS, f"It has {told}.")
        try:
            known = CohortPlace.open(Path(job.folder))
        except SessionError:
            raise CohortError(Code.FOLDER_NOT_SHARED) from None
        if known.name != job.name:
            raise CohortError(Code.FOLDER_NOT_SHARED)
        _known.clear()
        _known[job.name] = known
    return known


def _refused(item: Item, key: str, error: D24fadError) -> Row:
    """Returns the row of a case that has no result."""
    return Row(case=key, number=item.number, code=error.code.code, text=str(error), version=__version__)

"""Where images of a study arrive: written aside, checked one by one, and kept until all are there."""

from __future__ import annotations

import hashlib
import shutil
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path

from napari_d24fad.archives.limits import BOUNDS, Bounds, checked_uid
from napari_d24fad.archives.stated import Stated, same_pixels, stated_of
from napari_d24fad.errors import ArchiveError, Code, ExportError
from napari_d24fad.progress import CancelToken
from napari_d24fad.staging import abandoned, staging_name

_PARTS = "parts"


class Inbox:
    """Takes the images of one study, a `multipart.Sink`; what a peer sends too much is refused.

    Args:
        folder: Its own; what is there from an earlier try is checked and counts as arrived.
        study: Study Instance UID that was asked for.
        wanted: Series Instance UID of each SOP Instance UID that was asked for. Of a series whose images
            are not known yet, see `open_series`.
        cancel: Stops it.
        arrived: Told the file of each image once it is checked.
        bounds: What is taken at most.

    Attributes:
        held: The file of each SOP Instance UID that has arrived.
        unlisted: Number of images that the archive sent but had not listed; not kept.
        unreadable: Number of files that are no DICOM; not kept.

    Raises:
        ExportError: ``CANNOT_WRITE``.
    """

    def __init__(
        self,
        folder: Path,
        study: str,
        wanted: Mapping[str, str],
        cancel: CancelToken,
        arrived: Callable[[Path], None] = lambda path: None,
        bounds: Bounds = BOUNDS,
    ) -> None:
        self._folder, self._study, self._wanted = folder, study, dict(wanted)
        self._series_of: dict[str, str] = {}  # of each image that has arrived
        self._counts: Counter[str] = Counter()
        self._open: set[str] = set()
        self._cancel, self._arrived, self._bounds = cancel, arrived, bounds
        self.held: dict[str, Path] = {}
        self.unlisted = self.unreadable = 0
        self._bytes = self._size = 0
        self._patient: str | None = None
        self._part: Path | None = None
        self._file: FileIO | None = None
        self._lock = threading.Lock()
        with _coded_writing():
            (folder / _PARTS).mkdir(parents=True, exist_ok=True)
            for left in abandoned(folder / _PARTS):
                left.unlink(missing_ok=True)
            self._take_up()

    def begin(self) -> None:
        """A file begins."""
        self._cancel.check()
        self._drop()
        self._part = self._folder / _PARTS / staging_name("instance")
        with _coded_writing():
            self._file = self._part.open("xb", buffering=0)
        self._size = 0

    def write(self, data: bytes | memoryview) -> None:
        """More of it.

        Raises:
            ArchiveError: ``TOO_MUCH``.
            ExportError: ``CANNOT_WRITE``.
            Cancelled: If asked to stop.
        """
        self._cancel.check()
        self._size += len(data)
        self._bytes += len(data)
        if self._size > self._bounds.instance or self._bytes > self._bounds.study:
            raise ArchiveError(Code.TOO_MUCH)
        assert self._file is not None
        with _coded_writing():
            written = self._file.write(data)
            while written < len(data):  # a disk that is nearly full takes a part
                data = memoryview(data)[written:]
                written = self._file.write(data)

    def end(self) -> None:
        """The file is complete: it is checked and kept.

        Raises:
            ArchiveError: ``NOT_ASKED_FOR`` for another study, series or patient; ``DIFFERENT_COPY``.
            ExportError: ``CANNOT_WRITE``.
        """
        assert self._file is not None
        assert self._part is not None
        with _coded_writing():
            self._file.close()
        part = self._part
        try:
            stated = stated_of(part)
            if stated is None:
                self.unreadable += 1
            else:
                self._keep(part, stated)
        finally:
            self._drop()

    def take(self, data: bytes) -> None:
        """Takes a whole file; may be called from several threads."""
        with self._lock:
            try:
                self.begin()
                self.write(data)
                self.end()
            finally:
                self._drop()

    def close(self) -> None:
        """Drops what is not complete."""
        self._drop()

    def empty(self) -> None:
        """Removes all that arrived."""
        self._drop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def open_series(self, series: str) -> None:
        """Takes whatever comes of a series, whose images are not known yet."""
        self._open.add(series)

    def count_of(self, series: str) -> int:
        """Returns how many images of a series have arrived."""
        return self._counts[series]

    def close_series(self, series: str, listed: Iterable[str] | None = None) -> None:
        """Takes no others of a series; what has arrived of it and is not listed is removed.

        Args:
            series: See `open_series`.
            listed: SOP Instance UID of each of its images; None if those that arrived are all.

        Raises:
            ExportError: ``CANNOT_WRITE``.
        """
        self._open.discard(series)
        arrived = [uid for uid, one in self._series_of.items() if one == series]
        wanted = set(arrived if listed is None else listed)
        self._wanted |= dict.fromkeys(wanted, series)
        for uid in arrived:
            if uid not in wanted:
                with _coded_writing():
                    self.held.pop(uid).unlink()
                del self._series_of[uid]
                self._counts[series] -= 1
                self.unlisted += 1

    @property
    def missing(self) -> tuple[str, ...]:
        """SOP Instance UIDs that have not arrived."""
        return tuple(uid for uid in self._wanted if uid not in self.held)

    def _keep(self, part: Path, stated: Stated) -> None:
        if stated.study != self._study:
            raise ArchiveError(Code.NOT_ASKED_FOR, "One is of another study.")
        series = self._wanted.get(stated.instance)
        if series is None and stated.series not in self._open:
            self.unlisted += 1
            return
        if stated.series != self._series_of.get(stated.instance, series or stated.series):
            raise ArchiveError(Code.NOT_ASKED_FOR, "One is of another series.")
        if self._patient is None:
            self._patient = stated.patient
        if stated.patient != self._patient:
            raise ArchiveError(Code.NOT_ASKED_FOR, "They state more than one patient.")
        if stated.instance in self.held:
            if not same_pixels(self.held[stated.instance], part):
                raise ArchiveError(Code.DIFFERENT_COPY)
            return
        if series is None:
            checked_uid(stated.instance)
            if self._counts[stated.series] >= self._bounds.instances:
                raise ArchiveError(Code.TOO_MUCH)
        place = self._folder / series_name(stated.series) / instance_name(stated.instance)
        with _coded_writing():
            place.parent.mkdir(exist_ok=True)
            part.replace(place)
        self.held[stated.instance] = place
        self._note(stated.instance, stated.series)
        self._arrived(place)

    def _take_up(self) -> None:
        """Counts what an earlier try left, as far as it is what was asked for now."""
        for file in sorted(self._folder.glob("series-*/*.dcm")):
            self._cancel.check()
            stated = stated_of(file)
            wanted = None if stated is None else self._wanted.get(stated.instance)
            if stated is None or wanted is None or (stated.study, stated.series) != (self._study, wanted):
                file.unlink()
                continue
            self._patient = stated.patient
            self._bytes += file.stat().st_size
            self.held[stated.instance] = file
            self._note(stated.instance, wanted)

    def _note(self, instance: str, series: str) -> None:
        self._series_of[instance] = series
        self._counts[series] += 1

    def _drop(self) -> None:
        if self._file is not None:
            with suppress(OSError):  # a full disk refuses to close, too
                self._file.close()
            self._file = None
        if self._part is not None:
            self._part.unlink(missing_ok=True)
            self._part = None


def study_name(uid: str) -> str:
    """Returns the name of the folder of a study. A UID may hold a date, and is a peer's text."""
    return f"study-{_digest(uid)}"


def series_name(uid: str) -> str:
    """Returns the name of the folder of a series."""
    return f"series-{_digest(uid)}"


def instance_name(uid: str) -> str:
    """Returns the name of the file of an instance."""
    return f"{_digest(uid)}.dcm"


def _digest(uid: str) -> str:
    return hashlib.sha256(uid.encode()).hexdigest()[:16]


@contextmanager
def _coded_writing() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        # strerror is the system's sentence without the path
        raise ExportError(Code.CANNOT_WRITE, f"{error.strerror}." if error.strerror else "") from None

"""Talks with an archive in a worker, with the password of the keyring, or with one that is asked for."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QInputDialog, QLineEdit, QWidget

from napari_d24fad.archives.archive import Archive
from napari_d24fad.archives.kept import archive_named
from napari_d24fad.archives.passwords import forget_password, keep_password, password_of
from napari_d24fad.archives.peer import Peer, connect
from napari_d24fad.errors import ArchiveError, Code, D24fadError
from napari_d24fad.progress import CancelToken, Progress
from napari_d24fad.viewer.running.workers import Worker

_ASKS = (Code.LOGIN_REFUSED, Code.PASSWORD_MISSING, Code.KEYRING_FAILED)
_NO_KEYRING = "The system's keyring cannot be used: the password is kept until napari is closed."
Talk = Callable[[Peer, Progress, CancelToken], Any]
Done = Callable[[Any], None]


class Talking(QObject):
    """One talk at a time, and pictures that are drawn in between."""

    began = Signal(str)
    """What is under way now."""
    progressed = Signal(float, str)
    idle = Signal()
    """Nothing is under way; what it came to is told next."""
    told = Signal(str)
    """Something to tell the user."""
    failed = Signal(str)
    """What went wrong."""
    stopped = Signal()
    """The user stopped it."""
    ended = Signal()
    """Nothing is under way any more, however it went, and nothing was begun anew."""

    def __init__(self, parent: Callable[[], QWidget]) -> None:
        super().__init__()
        self._parent = parent
        self._worker: Worker | None = None
        self._beside: Worker | None = None
        self._given: dict[str, str] = {}  # passwords of this session, where there is no keyring

    @property
    def is_busy(self) -> bool:
        """Whether something is under way."""
        return self._worker is not None

    def cancel(self) -> None:
        """Stops what is under way."""
        if self._worker is not None:
            self._worker.cancel()

    def discard(self) -> None:
        """Stops without a word: the widget is going away."""
        for worker in (self._worker, self._beside):
            if worker is not None:
                worker.discard()

    def start(self, name: str, step: str, talk: Talk, done: Done, lost: Callable[[], None]) -> None:
        """Begins a talk; asks for the password if that is what is missing, and begins again.

        Args:
            name: Of the archive.
            step: What is done, in words.
            talk: Runs in a worker.
            done: Told what it returned.
            lost: Called if it returned nothing.
        """
        if self.is_busy:
            return
        if self._beside is not None:
            self._beside.discard()
        worker = self._worker = self._working(name, talk)
        worker.progressed.connect(self.progressed)
        # What it returned is shown when it has ended: that may start the next one.
        outcome: list[Callable[[], None]] = []
        again = partial(self.start, name, step, talk, done, lost)
        worker.returned.connect(lambda result: outcome.append(partial(done, result)))
        worker.failed.connect(lambda error: outcome.append(partial(self._fail, name, error, again, lost)))
        worker.cancelled.connect(lambda: outcome.append(partial(self._stop, lost)))
        worker.ended.connect(partial(self._end, outcome))
        self.began.emit(step)
        worker.start()

    def beside(self, name: str, talk: Talk) -> None:
        """Talks about what nobody waits for, until something else is asked for."""
        self._beside = self._working(name, talk)
        self._beside.start()

    def keep_password(self, archive: Archive, password: str) -> None:
        """Keeps a password that was typed: in the keyring, or until napari is closed."""
        self._given[archive.name] = password
        try:
            keep_password(archive, password)
        except ArchiveError:
            self.told.emit(_NO_KEYRING)

    def forget(self, archive: Archive) -> None:
        """Forgets the password of an archive."""
        forget_password(archive)
        self.leave_to_keyring(archive)

    def leave_to_keyring(self, archive: Archive) -> None:
        """Forgets what was typed for an archive while napari is open."""
        self._given.pop(archive.name, None)

    def _working(self, name: str, talk: Talk) -> Worker:
        given = dict(self._given)

        def work(progress: Progress, cancel: CancelToken) -> object:
            archive = archive_named(name)
            peer = connect(archive, given.get(name) or password_of(archive), cancel)
            try:
                return talk(peer, progress, cancel)
            finally:
                peer.close()

        return Worker(work)

    def _end(self, outcome: list[Callable[[], None]]) -> None:
        self._worker = None
        self.idle.emit()
        for show in outcome:
            show()
        if not self.is_busy:
            self.ended.emit()

    def _stop(self, lost: Callable[[], None]) -> None:
        lost()
        self.stopped.emit()

    def _fail(
        self, name: str, error: D24fadError, again: Callable[[], None], lost: Callable[[], None]
    ) -> None:
        lost()
        self.failed.emit(str(error))
        if error.code in _ASKS and self._ask_for_password(name):
            again()

    def _ask_for_password(self, name: str) -> bool:
        archive = archive_named(name)
        if not archive.user:
            return False
        question = f"Password of {archive.user} for {archive.name}:"
        password, agreed = QInputDialog.getText(
            self._parent(), "Password", question, QLineEdit.EchoMode.Password
        )
        if not (agreed and password):
            return False
        self.keep_password(archive, password)
        return True

"""Does what the window of archives asks for: in a worker, with the password of the keyring."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QInputDialog, QLineEdit, QWidget

from napari_d24fad.archives.archive import Archive
from napari_d24fad.archives.found import FoundSeries, FoundStudy, Wanted
from napari_d24fad.archives.kept import archive_named, archives, keep_archive, remove_archive
from napari_d24fad.archives.passwords import forget_password, keep_password, password_of
from napari_d24fad.archives.peer import Peer, connect
from napari_d24fad.errors import ArchiveError, Code, D24fadError
from napari_d24fad.progress import CancelToken, Progress
from napari_d24fad.settings import fetched_folder
from napari_d24fad.viewer.archives.dialog import ArchiveDialog
from napari_d24fad.viewer.archives.found_tree import PICTURE_PX
from napari_d24fad.viewer.archives.setup_dialog import SetupDialog
from napari_d24fad.viewer.open_bar import OpenBar
from napari_d24fad.viewer.pictures import Picture
from napari_d24fad.viewer.running.workers import Worker

if TYPE_CHECKING:
    from napari_d24fad.archives.fetching import Fetched
    from napari_d24fad.archives.sending import Sent

_ASKS = (Code.LOGIN_REFUSED, Code.PASSWORD_MISSING, Code.KEYRING_FAILED)
_PICTURES = 30
_NAMED = 5
_NO_KEYRING = "The system's keyring cannot be used: the password is kept until napari is closed."
Talk = Callable[[Peer, Progress, CancelToken], Any]


class Archiving(QObject):
    """Between the window and the archives.

    Args:
        parent: Widget below the window.
        open_bar: Its button shows the window; it asks for what was retrieved to be opened.
    """

    ended = Signal()
    """Nothing is under way any more, however it went."""
    _pictured = Signal(object, object)
    _arrived = Signal(object)

    def __init__(self, parent: QWidget, open_bar: OpenBar) -> None:
        super().__init__()
        self._parent, self._open_bar = parent, open_bar
        open_bar.archive_requested.connect(self.show)
        self._dialog: ArchiveDialog | None = None
        self._worker: Worker | None = None
        self._drawing: Worker | None = None
        self._given: dict[str, str] = {}  # passwords of this session, where there is no keyring
        self._pictured.connect(self._show_picture)
        self._arrived.connect(self._show_arriving)

    @property
    def is_busy(self) -> bool:
        """Whether something is under way."""
        return self._worker is not None

    @property
    def dialog(self) -> ArchiveDialog:
        """The window; made when it is first wanted."""
        if self._dialog is None:
            self._dialog = dialog = ArchiveDialog(fetched_folder(), self._parent)
            dialog.form.search_requested.connect(self._search)
            dialog.tree.series_requested.connect(self._list_series)
            dialog.retrieve_requested.connect(self._retrieve)
            dialog.send_requested.connect(self.send)
            dialog.setup_requested.connect(self._set_up)
            dialog.remove_requested.connect(self._remove)
            dialog.cancel_requested.connect(self.cancel)
        return self._dialog

    def show(self) -> None:
        """Shows the window."""
        self._list_archives()
        self.dialog.show()
        self.dialog.raise_()

    def send(self, files: Sequence[Path]) -> None:
        """Sends DICOM files to the archive that is chosen in the window."""
        from napari_d24fad.archives.sending import files_to_send, send  # imports the readers

        def talk(peer: Peer, progress: Progress, cancel: CancelToken) -> list[Sent]:
            return send(peer, files_to_send(files), progress=progress, cancel=cancel)

        self._start("Sending", talk, self._show_sent)

    def cancel(self) -> None:
        """Stops what is under way."""
        if self._worker is not None:
            self._worker.cancel()

    def discard(self) -> None:
        """Stops without a word: the widget is going away."""
        for worker in (self._worker, self._drawing):
            if worker is not None:
                worker.discard()

    def _search(self, wanted: Wanted) -> None:
        def talk(peer: Peer, progress: Progress, cancel: CancelToken) -> tuple[FoundStudy, ...]:
            return peer.studies(wanted)

        self._start("Searching", talk, self._show_studies)

    def _list_series(self, study: FoundStudy) -> None:
        def talk(peer: Peer, progress: Progress, cancel: CancelToken) -> tuple[FoundSeries, ...]:
            return peer.series(study.uid)

        self._start("Listing series", talk, partial(self._show_series, study))

    def _draw(self, series: Sequence[FoundSeries]) -> None:
        """Draws pictures of series, as far as the archive offers them, until something else is asked for."""
        from napari_d24fad.archives.previews import preview_of

        name, given = self.dialog.archive, dict(self._given)

        def work(progress: Progress, cancel: CancelToken) -> None:
            peer = _connected(name, given, cancel)
            try:
                for one in series[:_PICTURES]:
                    picture = preview_of(peer, one, 2 * PICTURE_PX, cancel)
                    if picture is None:
                        return  # it offers none
                    self._pictured.emit(one, picture)
            finally:
                peer.close()

        self._drawing = Worker(work)
        self._drawing.start()

    def _retrieve(self, series: Sequence[FoundSeries], folder: Path) -> None:
        from napari_d24fad.archives.fetching import fetch
        from napari_d24fad.archives.previews import picture_of

        def talk(peer: Peer, progress: Progress, cancel: CancelToken) -> Fetched:
            shown: list[Path] = []

            def one_more(file: Path) -> None:
                if not shown:  # the first one is seen before the last has come
                    shown.append(file)
                    picture = picture_of(file, 2 * PICTURE_PX, cancel)
                    if picture is not None:
                        self._arrived.emit(picture)

            return fetch(peer, series, folder, progress=progress, cancel=cancel, arrived=one_more)

        self._start("Retrieving", talk, self._show_fetched)

    def _start(self, step: str, talk: Talk, done: Callable[[Any], None]) -> None:
        """Talks with the chosen archive in a worker; asks for the password if that is what is missing."""
        if self.is_busy:
            return
        if self._drawing is not None:
            self._drawing.discard()
        name, given = self.dialog.archive, dict(self._given)

        def work(progress: Progress, cancel: CancelToken) -> object:
            peer = _connected(name, given, cancel)
            try:
                return talk(peer, progress, cancel)
            finally:
                peer.close()

        worker = self._worker = Worker(work)
        worker.progressed.connect(lambda fraction, text: self.dialog.set_busy(text, fraction))
        # What it returned is shown when it has ended: that may start the next one.
        outcome: list[Callable[[], None]] = []
        worker.returned.connect(lambda result: outcome.append(partial(done, result)))
        worker.failed.connect(lambda error: outcome.append(partial(self._fail, error, (step, talk, done))))
        worker.cancelled.connect(lambda: outcome.append(partial(self.dialog.tell, "Stopped.")))
        worker.ended.connect(partial(self._end, outcome))
        self.dialog.tell("")
        self.dialog.set_busy(step)
        worker.start()

    def _end(self, outcome: list[Callable[[], None]]) -> None:
        self._worker = None
        self.dialog.set_idle()
        for show in outcome:
            show()
        if not self.is_busy:
            self.ended.emit()

    def _fail(self, error: D24fadError, again: tuple[str, Talk, Callable[[Any], None]]) -> None:
        self.dialog.tell_error(str(error))
        if error.code in _ASKS and self._ask_for_password():
            self._start(*again)

    def _ask_for_password(self) -> bool:
        archive = archive_named(self.dialog.archive)
        if not archive.user:
            return False
        question = f"Password of {archive.user} for {archive.name}:"
        password, agreed = QInputDialog.getText(
            self.dialog, "Password", question, QLineEdit.EchoMode.Password
        )
        if not (agreed and password):
            return False
        self._keep_password(archive, password)
        return True

    def _keep_password(self, archive: Archive, password: str) -> None:
        self._given[archive.name] = password
        try:
            keep_password(archive, password)
        except ArchiveError:
            self.dialog.tell(
                "The system's keyring cannot be used: the password is kept until napari is closed."
            )

    def _set_up(self, name: str) -> None:
        known = {archive.name: archive for archive in archives()}
        setup = SetupDialog(known.get(name), self.dialog)
        setup.kept.connect(self._keep)
        setup.open()

    def _keep(self, archive: Archive, password: str) -> None:
        try:
            keep_archive(archive)
        except D24fadError as error:
            self.dialog.tell_error(str(error))
            return
        self.dialog.tell(f"{archive.name} is set up.")
        self._given.pop(archive.name, None)
        if password:
            self._keep_password(archive, password)
        self._list_archives(archive.name)

    def _remove(self, name: str) -> None:
        try:
            archive = archive_named(name)
            remove_archive(name)
        except D24fadError as error:
            self.dialog.tell_error(str(error))
            return
        forget_password(archive)
        self._given.pop(name, None)
        self._list_archives()

    def _list_archives(self, chosen: str = "") -> None:
        try:
            self.dialog.show_archives([archive.name for archive in archives()], chosen)
        except D24fadError as error:
            self.dialog.show_archives([])
            self.dialog.tell_error(str(error))

    def _show_studies(self, studies: Sequence[FoundStudy]) -> None:
        count = len(studies)
        self.dialog.tell("Nothing matches." if not count else f"{count} stud{'y' if count == 1 else 'ies'}")
        self.dialog.tree.show_studies(studies)

    def _show_series(self, study: FoundStudy, series: Sequence[FoundSeries]) -> None:
        self.dialog.tree.show_series(study, series)
        self._draw(series)

    def _show_picture(self, series: FoundSeries, picture: Picture) -> None:
        self.dialog.tree.show_picture(series, picture)

    def _show_arriving(self, picture: Picture) -> None:
        if self.is_busy:
            self.dialog.show_arriving(picture)

    def _show_fetched(self, fetched: Fetched) -> None:
        more = f" {fetched.unlisted} more came unasked and were not kept." if fetched.unlisted else ""
        self.dialog.tell_done(f"{fetched.instances} images were retrieved and opened.{more}")
        self._open_bar.open_requested.emit((fetched.folder,))

    def _show_sent(self, sent: Sequence[Sent]) -> None:
        failed = [one for one in sent if one.problem]
        if not failed:
            compared = sum(one.compared for one in sent)
            self.dialog.tell_done(
                f"{len(sent)} files are in the archive; {compared} were read back and are the same."
            )
            return
        named = "\n".join(f"{one.instance}: {one.problem}" for one in failed[:_NAMED])
        more = f"\nand {len(failed) - _NAMED} more" if len(failed) > _NAMED else ""
        self.dialog.tell_error(f"{len(failed)} of {len(sent)} are not as they were sent.\n{named}{more}")


def _connected(name: str, given: dict[str, str], cancel: CancelToken) -> Peer:
    archive = archive_named(name)
    return connect(archive, given.get(name) or password_of(archive), cancel)

"""Does what the window of archives asks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QWidget

from napari_d24fad.archives.archive import Archive
from napari_d24fad.archives.found import FoundSeries, FoundStudy, Wanted
from napari_d24fad.archives.kept import archive_named, archives, keep_archive, remove_archive
from napari_d24fad.archives.peer import Peer
from napari_d24fad.archives.unfinished import Unfinished, unfinished
from napari_d24fad.errors import D24fadError
from napari_d24fad.progress import CancelToken, Progress
from napari_d24fad.settings import fetched_folder
from napari_d24fad.studies.scan import Scan
from napari_d24fad.studies.thumbnail import thumbnail
from napari_d24fad.viewer.archives.dialog import ArchiveDialog
from napari_d24fad.viewer.archives.found_tree import PICTURE_PX
from napari_d24fad.viewer.archives.setup_dialog import SetupDialog
from napari_d24fad.viewer.archives.talking import Done, Talk, Talking
from napari_d24fad.viewer.open_bar import OpenBar
from napari_d24fad.viewer.pictures import Picture

if TYPE_CHECKING:
    from napari_d24fad.archives.fetching import Fetched
    from napari_d24fad.archives.sending import Sent

_PICTURES = 30
_TRIED = 5
"""Images that are tried as the first one to be shown: those at the end of a series may hold nothing."""


def _nothing() -> None:
    pass


class Archiving(QObject):
    """Between the window and the archives.

    Args:
        parent: Widget below the window.
        open_bar: Its button shows the window; it asks for what was retrieved to be opened.
    """

    image_read = Signal(object, object, object)
    """A `CancelToken`, the `Series` of the first image that came and its `Scan`; emitted by a worker."""
    retrieved = Signal(object)
    """The folder of a study that is complete, before it is opened."""
    retrieval_failed = Signal()
    """What was to come does not come, or not now."""
    _pictured = Signal(object, object)

    def __init__(self, parent: QWidget, open_bar: OpenBar) -> None:
        super().__init__()
        self._parent, self._open_bar = parent, open_bar
        open_bar.archive_requested.connect(self.show)
        self._dialog: ArchiveDialog | None = None
        self._queue: list[Unfinished] = []
        self.talking = Talking(lambda: self.dialog)
        self.talking.ended.connect(self._show_unfinished)
        self._pictured.connect(self._show_picture)
        self.image_read.connect(self._show_arriving)

    @property
    def is_busy(self) -> bool:
        """Whether something is under way."""
        return self.talking.is_busy

    @property
    def dialog(self) -> ArchiveDialog:
        """The window; made when it is first wanted."""
        if self._dialog is None:
            self._dialog = dialog = ArchiveDialog(fetched_folder(), self._parent)
            dialog.form.search_requested.connect(self._search)
            dialog.tree.series_requested.connect(self._list_series)
            dialog.retrieve_requested.connect(self._retrieve)
            dialog.resume_requested.connect(self._resume)
            dialog.folder_changed.connect(self._show_unfinished)
            dialog.send_requested.connect(self.send)
            dialog.setup_requested.connect(self._set_up)
            dialog.remove_requested.connect(self._remove)
            dialog.cancel_requested.connect(self.talking.cancel)
            self.talking.began.connect(self._begin)
            self.talking.progressed.connect(lambda fraction, text: dialog.set_busy(text, fraction))
            self.talking.idle.connect(dialog.set_idle)
            self.talking.told.connect(dialog.tell)
            self.talking.failed.connect(dialog.tell_error)
            self.talking.stopped.connect(lambda: dialog.tell("Stopped."))
        return self._dialog

    def show(self) -> None:
        """Shows the window."""
        self._list_archives()
        self._show_unfinished()
        self.dialog.show()
        self.dialog.raise_()

    def offer(self, files: Sequence[Path]) -> None:
        """Shows the window with files that wait to be sent."""
        self.show()
        self.dialog.offer(files)

    def send(self, files: Sequence[Path]) -> None:
        """Sends DICOM files to the archive that is chosen in the window."""
        from napari_d24fad.archives.sending import files_to_send, send  # imports the readers

        def talk(peer: Peer, progress: Progress, cancel: CancelToken) -> list[Sent]:
            return send(peer, files_to_send(files), progress=progress, cancel=cancel)

        self._start("Sending", talk, self._show_sent)

    def discard(self) -> None:
        """Stops without a word: the widget is going away."""
        self.talking.discard()

    def _start(self, step: str, talk: Talk, done: Done, lost: Callable[[], None] = _nothing) -> None:
        self.talking.start(self.dialog.archive, step, talk, done, lost)

    def _begin(self, step: str) -> None:
        self.dialog.tell("")
        self.dialog.set_busy(step)

    def _search(self, wanted: Wanted) -> None:
        def talk(peer: Peer, progress: Progress, cancel: CancelToken) -> tuple[FoundStudy, ...]:
            return peer.studies(wanted)

        self._start("Searching", talk, self._show_studies)

    def _list_series(self, study: FoundStudy) -> None:
        def talk(peer: Peer, progress: Progress, cancel: CancelToken) -> tuple[FoundSeries, ...]:
            return peer.series(study.uid)

        self._start("Listing series", talk, partial(self._show_series, study))

    def _draw(self, series: Sequence[FoundSeries]) -> None:
        """Draws pictures of series, as far as the archive offers them."""
        from napari_d24fad.archives.previews import preview_of

        def talk(peer: Peer, progress: Progress, cancel: CancelToken) -> None:
            for one in series[:_PICTURES]:
                picture = preview_of(peer, one, 2 * PICTURE_PX, cancel)
                if picture is None:
                    return  # it offers none
                self._pictured.emit(one, picture)

        self.talking.beside(self.dialog.archive, talk)

    def _retrieve(self, series: Sequence[FoundSeries], folder: Path, name: str = "") -> None:
        from napari_d24fad.archives.fetching import fetch
        from napari_d24fad.archives.previews import image_of

        name = name or self.dialog.archive

        def talk(peer: Peer, progress: Progress, cancel: CancelToken) -> Fetched:
            tries = [_TRIED]

            def one_more(file: Path) -> None:
                if tries[0] > 0:  # the first one is seen before the last has come
                    tries[0] -= 1
                    image = image_of(file, cancel)
                    if image is not None:
                        tries[0] = 0
                        self.image_read.emit(cancel, *image)

            return fetch(
                peer, series, folder, archive=name, progress=progress, cancel=cancel, arrived=one_more
            )

        self.talking.start(name, "Retrieving", talk, self._show_fetched, self._lose)

    def _lose(self) -> None:
        self._queue.clear()
        self.retrieval_failed.emit()

    def _resume(self) -> None:
        """Goes on with all retrievals into the folder that were not finished, one after the other."""
        self._queue = unfinished(self.dialog.kept_in)
        self._resume_next()

    def _resume_next(self) -> None:
        if self._queue:
            one = self._queue.pop(0)
            self._retrieve(one.series, self.dialog.kept_in, one.archive)

    def _show_unfinished(self) -> None:
        self.dialog.show_unfinished(len(unfinished(self.dialog.kept_in)))

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
        self.talking.leave_to_keyring(archive)
        if password:
            self.talking.keep_password(archive, password)
        self._list_archives(archive.name)

    def _remove(self, name: str) -> None:
        try:
            archive = archive_named(name)
            remove_archive(name)
        except D24fadError as error:
            self.dialog.tell_error(str(error))
            return
        self.talking.forget(archive)
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

    def _show_arriving(self, cancel: CancelToken, series: object, scan: Scan) -> None:
        if self.is_busy and not cancel.cancelled:  # a signal of its worker may arrive after its end
            self.dialog.show_arriving(thumbnail(scan, 2 * PICTURE_PX))

    def _show_fetched(self, fetched: Fetched) -> None:
        more = f" {fetched.unlisted} more came unasked and were not kept." if fetched.unlisted else ""
        self.dialog.tell_done(f"{fetched.instances} images were retrieved and opened.{more}")
        self.retrieved.emit(fetched.folder)
        self._open_bar.open_requested.emit((fetched.folder,))
        self._resume_next()

    def _show_sent(self, sent: Sequence[Sent]) -> None:
        self.dialog.show_sent([(one.file.name, outcome_of(one), one.instance) for one in sent])
        failed = [one for one in sent if one.problem]
        if failed:
            self.dialog.tell_error(f"{len(failed)} of {len(sent)} are not as they were sent.")
            return
        compared = sum(one.compared for one in sent)
        self.dialog.tell_done(
            f"{len(sent)} files are in the archive; {compared} were read back and are the same."
        )


def outcome_of(sent: Sent) -> str:
    """Says what became of a file that was sent."""
    if sent.problem:
        return sent.problem
    known = "read back, the same" if sent.compared else "listed" if sent.listed else "taken, by its own word"
    kept = {None: "", True: "; committed to keep it", False: "; not committed to keep it"}[sent.committed]
    return f"In the archive: {known}{kept}"

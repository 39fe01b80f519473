"""Sees to it that no work is lost: copies while it goes on, and a question before it is closed."""

from __future__ import annotations

from pathlib import Path
from weakref import ref

from qtpy.QtCore import QEvent, QObject, QTimer
from qtpy.QtWidgets import QMainWindow, QWidget

from napari_d24fad.errors import D24fadError
from napari_d24fad.viewer.asking import PANEL_UNSAVED, Closing, what_of_unsaved
from napari_d24fad.viewer.examining import Examining
from napari_d24fad.viewer.running.run_panel import RunPanel
from napari_d24fad.viewer.sessions.autosaving import Autosaving
from napari_d24fad.viewer.sessions.keeping import Keeping
from napari_d24fad.viewer.sessions.opening import SessionOpening
from napari_d24fad.viewer.sessions.restore_row import RestoreRow

_NO_COPY = "No copy of this work could be written, in case the program ends before you save it."


class Unsaved(QObject):
    """Work that no session holds.

    Attributes:
        autosaving: Writes the copies.
        row: Offers the copies of earlier programs.

    Args:
        dock: The dock; in the window whose end is watched.
        examining: Makes the results.
        keeping: Saves sessions.
        sessions: Opens them.
        run_panel: Tells what went wrong.
    """

    def __init__(
        self,
        dock: QWidget,
        examining: Examining,
        keeping: Keeping,
        sessions: SessionOpening,
        run_panel: RunPanel,
    ) -> None:
        super().__init__(dock)
        self._dock, self._examining, self._keeping = dock, examining, keeping
        self._sessions, self._run_panel = sessions, run_panel
        self._window: ref[QMainWindow] | None = None  # weak: the viewer must not wait for this to go
        self._copied: tuple[object, ...] = ()
        self._unwanted: tuple[object, ...] | None = None
        self._restored: Path | None = None
        self._has_failed = False
        self.autosaving, self.row = Autosaving(), RestoreRow()
        self.autosaving.due.connect(self.copy)
        self.autosaving.failed.connect(self._tell_failure)
        self.autosaving.written.connect(self._note_written)
        self.autosaving.found.connect(self.row.offer)
        self.row.restore_requested.connect(self._restore)
        examining.examined.connect(self._copy_result)
        sessions.opened.connect(self._copy_result)
        dock.installEventFilter(self)
        self.autosaving.look_for_copies()

    def copy(self) -> None:
        """Writes a copy if there is something that neither a session nor the last copy holds."""
        examination = self._examining.examination
        if examination is None or self._sessions.is_busy:  # or the copy would lack what is still read
            return
        if self._keeping.is_saved:
            self.autosaving.forget()
            self._copied = ()
            return
        state = self._keeping.state(examination)
        if state != self._copied:
            self._copied = state
            self.autosaving.write(self._keeping.writing())

    def ask_of_closed(self) -> bool:
        """Asks, once the panel was closed with unsaved work, what is to become of that.

        Returns:
            Whether the panel may stay closed.
        """
        examination = self._examining.examination
        if examination is None or not self._keeping.is_unsaved:
            return True
        answer = what_of_unsaved(self._dock.window(), PANEL_UNSAVED)
        if answer is Closing.SAVE:
            self._keeping.choose_session(examination)
        elif answer is Closing.DISCARD:  # the viewer need not ask once more
            self._unwanted = self._keeping.state(examination)
        return answer is not Closing.CANCEL

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Qt: finds the window that the dock is in, and asks before that is closed."""
        if watched is self._dock and event.type() in (QEvent.Type.Show, QEvent.Type.ParentChange):
            self._watch()
        if event.type() != QEvent.Type.Close or watched is not self._watched() or self._may_close():
            return False
        event.ignore()
        return True

    def _watched(self) -> QMainWindow | None:
        return None if self._window is None else self._window()

    def _watch(self) -> None:
        around: QWidget | None = self._dock.parentWidget()
        while around is not None and not isinstance(around, QMainWindow):
            around = around.parentWidget()
        if around is not None and around is not self._watched():
            self._window = ref(around)
            around.installEventFilter(self)

    def _may_close(self) -> bool:
        examination = self._examining.examination
        state = None if examination is None else self._keeping.state(examination)
        if not self._keeping.is_unsaved or (state is not None and state == self._unwanted):
            return True
        answer = what_of_unsaved(self._dock)
        if answer is Closing.SAVE:
            self._keeping.choose_session(self._examining.examination, self._close)
        return answer is Closing.DISCARD

    def _close(self) -> None:
        """Closes the window, once what it was asked for is saved."""
        window = self._watched()
        if window is not None and not self._keeping.is_unsaved:
            QTimer.singleShot(0, window.close)

    def _copy_result(self) -> None:
        QTimer.singleShot(0, self.copy)

    def _restore(self, path: Path) -> None:
        self._restored = path
        self._sessions.open(path, is_copy=True)

    def _note_written(self) -> None:
        """The work goes on, and a copy of its own is written: that of before is needed no longer."""
        self._has_failed = False
        if self._restored is not None:
            self._restored = None
            self.row.drop()

    def _tell_failure(self, error: D24fadError) -> None:
        self._copied = ()  # to be tried again in a minute
        if not self._has_failed:  # once, not every minute
            self._run_panel.show_error(f"{error} {_NO_COPY}")
        self._has_failed = True

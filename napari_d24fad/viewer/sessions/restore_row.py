"""Offers work that was not saved when the program ended; asks in a row, not in a window of its own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from qtpy.QtCore import Signal

from napari_d24fad.session.saved.autosave import discard
from napari_d24fad.viewer.asking_row import AskingRow
from napari_d24fad.viewer.styles import WARNING, edged


class RestoreRow(AskingRow):
    """The latest copy first; hidden while there is none."""

    restore_requested = Signal(object)
    """The `Path` of the copy to go on with."""

    def __init__(self) -> None:
        super().__init__("Restore", "Discard")
        self._copies: list[Path] = []
        self.about.setStyleSheet(edged(WARNING))
        self.about.setAccessibleName("Work that was not saved")
        self.first.setToolTip("Go on with it, in place of what is open")
        self.second.setToolTip("Delete it: it is not offered again")
        self.first.clicked.connect(self._restore)
        self.second.clicked.connect(self.drop)

    def offer(self, copies: Sequence[Path]) -> None:
        """Offers copies, the first of them now."""
        self._copies = list(copies)
        self._show()

    def drop(self) -> None:
        """Deletes the copy that is offered, and offers the next."""
        if self._copies:
            discard(self._copies.pop(0))
        self._show()

    def _restore(self) -> None:
        if self._copies:
            self.restore_requested.emit(self._copies[0])

    def _show(self) -> None:
        while self._copies and not self._copies[0].exists():  # another viewer took it
            self._copies.pop(0)
        if self._copies:
            written = datetime.fromtimestamp(self._copies[0].stat().st_mtime)
            more = f" {len(self._copies) - 1} older." if len(self._copies) > 1 else ""
            self.about.setText(
                f"The program ended before the work of {written:%d %b, %H:%M} was saved.{more}"
            )
        self.setVisible(bool(self._copies))

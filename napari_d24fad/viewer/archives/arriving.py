"""The first image of a retrieval is on the canvas before the last has come."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject

from napari_d24fad.progress import CancelToken
from napari_d24fad.studies.scan import Scan
from napari_d24fad.studies.series import Series
from napari_d24fad.viewer.archives.archiving import Archiving
from napari_d24fad.viewer.looking import Looking

if TYPE_CHECKING:
    from napari_d24fad.studies.study import Study

_NOTICE = "Series not complete: first image"


class Arriving(QObject):
    """Shows it, then the series it belongs to once that is open; nothing if the retrieval fails.

    Args:
        archiving: Retrieves.
        looking: Shows scans on the canvas.
    """

    def __init__(self, archiving: Archiving, looking: Looking) -> None:
        super().__init__()
        self._archiving, self._looking = archiving, looking
        self._early: Series | None = None
        self._folder: Path | None = None
        archiving.image_read.connect(self._show)
        archiving.retrieved.connect(self._await)
        archiving.retrieval_failed.connect(self._drop)

    def settle(self, study: Study) -> None:
        """Shows the series of the image, if it is in a study that was opened and is still looked at."""
        early, folder = self._early, self._folder
        if early is None or folder is None:
            return
        retrieved = [one for one in study.series if any(folder in file.parents for file in one.files)]
        if not retrieved:
            return
        self._early = self._folder = None
        file = folder.joinpath(*early.files[0].parts[-2:])  # it moved, with the folder of its series
        whole = [one for one in retrieved if file in one.files and one.refusal is None]
        if whole and self._looking.shows(early):
            self._looking.look_at(whole[0])
        else:
            self._looking.take_away(early)

    def _show(self, cancel: CancelToken, series: Series, scan: Scan) -> None:
        if cancel.cancelled or not self._archiving.is_busy:  # its worker may be heard after its end
            return
        self._early = series
        self._looking.show_early(series, scan, _NOTICE)

    def _await(self, folder: Path) -> None:
        self._folder = folder

    def _drop(self) -> None:
        early, self._early = self._early, None
        if early is not None:
            self._looking.take_away(early)

"""Leafs through the slices of a scan on its card, by the wheel over the thumbnail."""

from __future__ import annotations

from functools import partial

from qtpy.QtCore import QObject

from napari_d24fad.errors import D24fadError
from napari_d24fad.progress import CancelToken, Progress
from napari_d24fad.session.opening import THUMBNAIL_PX, Thumbnail
from napari_d24fad.studies.series import Series
from napari_d24fad.studies.thumbnail import thumbnails
from napari_d24fad.viewer.gallery.gallery import Gallery
from napari_d24fad.viewer.running.workers import Worker

_KEPT = 4
_READING = "reading…"


class Leafing(QObject):
    """The small slices of the scans that were leafed through last.

    Args:
        gallery: Has the cards.
    """

    def __init__(self, gallery: Gallery) -> None:
        super().__init__()
        self._gallery = gallery
        self._slices: dict[Series, tuple[Thumbnail, ...]] = {}
        self._at: dict[Series, int] = {}
        self._worker: Worker | None = None
        self._reading: tuple[Series, int] | None = None
        gallery.leaf_requested.connect(self.leaf)

    @property
    def is_busy(self) -> bool:
        """Whether slices are being read."""
        return self._reading is not None

    def leaf(self, series: Series, by: int) -> None:
        """Shows another slice; reads them all first, if they are not known."""
        if series in self._slices:
            self._show(series, by)
        elif self._reading is not None and self._reading[0] is series:
            self._reading = series, self._reading[1] + by
        else:
            self.discard()

            def work(progress: Progress, cancel: CancelToken) -> tuple[Thumbnail, ...]:
                return thumbnails(series.load(progress, cancel), THUMBNAIL_PX, cancel)

            self._reading = series, by
            self._say(series, _READING)
            self._worker = Worker(work)
            self._worker.returned.connect(partial(self._keep, series))
            self._worker.failed.connect(partial(self._tell, series))
            self._worker.start()

    def discard(self) -> None:
        """Stops reading: nobody looks any more."""
        if self._worker is not None:
            self._worker.discard()
            self._worker = None
        if self._reading is not None:
            self._say(self._reading[0], "")
            self._reading = None

    def _keep(self, series: Series, slices: tuple[Thumbnail, ...]) -> None:
        by = 0 if self._reading is None else self._reading[1]
        self._worker = self._reading = None
        for other in list(self._slices)[: max(0, len(self._slices) + 1 - _KEPT)]:
            del self._slices[other]
        self._slices[series] = slices
        self._at.setdefault(series, len(slices) // 2)
        self._show(series, by)

    def _show(self, series: Series, by: int) -> None:
        slices = self._slices[series]
        at = self._at[series] = min(max(self._at[series] + by, 0), len(slices) - 1)
        self._gallery.set_thumbnail(series, slices[at], f"{at + 1}/{len(slices)}")

    def _tell(self, series: Series, error: D24fadError) -> None:
        self._worker = self._reading = None
        self._say(series, "")
        self._gallery.set_unreadable(series, str(error))

    def _say(self, series: Series, text: str) -> None:
        for card in self._gallery.cards:
            if card.series is series:
                card.picture.show_place(text)

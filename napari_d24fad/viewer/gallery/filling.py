"""Fills the gallery: studies that are opened, image layers of the viewer, and their thumbnails."""

from __future__ import annotations

from collections.abc import Sequence

from napari.layers import Image
from napari.viewer import Viewer
from qtpy.QtCore import QObject, QTimer, Signal

from napari_d24fad.errors import D24fadError
from napari_d24fad.progress import CancelToken
from napari_d24fad.session.opening import Thumbnail
from napari_d24fad.studies.series import Series
from napari_d24fad.studies.volumes import together
from napari_d24fad.viewer.canvas.scans import ScanLayers
from napari_d24fad.viewer.gallery.gallery import Gallery
from napari_d24fad.viewer.gallery.layer_series import LayerSeries
from napari_d24fad.viewer.gallery.leafing import Leafing
from napari_d24fad.viewer.gallery.previews import Previews
from napari_d24fad.viewer.gallery.roles import Role
from napari_d24fad.viewer.gallery.viewer_series import ViewerSeries
from napari_d24fad.viewer.running.workers import stop_timer

Rows = Sequence[Sequence[Series]]
_FIRST, _PORTION = 10, 5
"""Cards of a long list that are made in one go: a card takes a few milliseconds."""
IN_VIEWER = "In the viewer"
_LOOKING = "Looking for more series"


class GalleryFilling(QObject):
    """Keeps the gallery in step with what is opened and with the viewer's layers.

    Args:
        viewer: Whose image layers are offered.
        gallery: Shows the series.
        scans: Shows scans in the viewer; its own layers are not offered.
    """

    found_early = Signal(object, object)
    """The `CancelToken` of a search that goes on and its first series; emitted by its worker."""

    def __init__(self, viewer: Viewer, gallery: Gallery, scans: ScanLayers) -> None:
        super().__init__()
        self._gallery, self._scans = gallery, scans
        self._n_studies = 0
        self._titles: list[str] = []
        self._early: tuple[Series, ...] = ()
        self._to_come: list[tuple[str, Rows, int]] = []
        self._undrawn: list[Series] = []
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(0)
        self._soon.timeout.connect(self._show_more)
        self.found_early.connect(self._show_early)
        self.previews = Previews()
        self.leafing = Leafing(gallery)
        self._in_viewer = ViewerSeries(viewer, scans.is_own)
        self.previews.drawn.connect(self._show_thumbnail)
        self._in_viewer.added.connect(self._show_layer)
        self._in_viewer.removed.connect(self._forget_layer)
        self._in_viewer.replaced.connect(self._replace_layer)
        self._in_viewer.renamed.connect(self._rename_layer)
        gallery.close_requested.connect(self._close_study)
        gallery.volume_chosen.connect(lambda series: self.previews.draw((series,)))
        self._in_viewer.start()

    def end_search(self) -> None:
        """Says of series that were shown early that the search for others was stopped, or failed."""
        if self._early:
            self._n_studies += 1
            title = f"Study {self._n_studies}: not all series were looked for"
            self._gallery.retitle(_LOOKING, title)
            self._titles.append(title)
            self._early = ()

    def _show_early(self, cancel: CancelToken, series: Sequence[Series]) -> None:
        if cancel.cancelled:  # a signal of its worker may arrive after its end
            return
        self._early = tuple(series)
        self._gallery.set_section(_LOOKING, self._early)
        self.previews.draw(self._early)

    def _settle_early(self, title: str, series: Sequence[Series]) -> None:
        """Puts series into the place and role of those that were shown early, of the same files."""
        found = {one.files: one for one in series if one.member is None}
        if self._gallery.retitle(_LOOKING, title):
            for early in self._early:
                if early.files in found and early in self._gallery.series:
                    self._gallery.replace(early, found[early.files])
        self._early = ()

    @property
    def is_busy(self) -> bool:
        """Whether cards or thumbnails are still to come."""
        return bool(self._to_come) or self.previews.is_busy

    def add_study(self, series: Sequence[Series], *, at_once: bool = True) -> None:
        """Shows the series of a study that was opened.

        Args:
            series: The series.
            at_once: Whether all cards are there on return; else those of a long list come one by one, and
                the list can be used meanwhile.
        """
        self._n_studies += 1
        rows = together(series)
        count = len(rows)
        sections = self._sections(rows)
        titles = list(sections)
        if self._early:  # last, so that what it showed of others keeps its role there
            titles.append(titles.pop(0))
        self._settle_early(titles[-1], series)
        room = len(rows) if at_once else _FIRST
        for title in titles:
            self._to_come += self._show_rows(title, sections[title], max(0, room))
            room -= len(sections[title])
        if self._to_come:
            self._soon.start()
        self._titles += titles
        listed = set(series)
        shown = [one for one in self._gallery.series if one in listed]
        if count == 1 and self._gallery.query is None and shown[0].refusal is None:
            self._gallery.set_role(shown[0], Role.QUERY)
        # Of several volumes the one that is shown first; the others when they are chosen.
        self.previews.draw(shown)

    def _show_rows(self, title: str, rows: Rows, count: int) -> list[tuple[str, Rows, int]]:
        """Shows the first rows of a section, with all that are shown already; returns what is left of it."""
        present = set(self._gallery.series)
        shown = [row for at, row in enumerate(rows) if at < count or not present.isdisjoint(row)]
        if shown:
            self._gallery.set_section(title, [one for row in shown for one in row])
        return [(title, rows, count + _PORTION)] if len(shown) < len(rows) else []

    def _show_more(self) -> None:
        """Shows some more rows, and at the end the thumbnails of all that came so."""
        if self._to_come:  # else the study was closed meanwhile
            title, rows, count = self._to_come.pop(0)
            before = set(self._gallery.series)
            self._to_come[:0] = self._show_rows(title, rows, count)
            self._undrawn += [one for one in self._gallery.series if one not in before]
        if self._to_come:
            self._soon.start()
            return
        listed = set(self._gallery.series)
        undrawn, self._undrawn = [one for one in self._undrawn if one in listed], []
        if undrawn:
            self.previews.draw(undrawn)

    def _sections(self, rows: Rows) -> dict[str, Rows]:
        """Returns the rows of each section by its title: one for each patient, if there are several."""
        patients = list(dict.fromkeys(row[0].identity.patient_key for row in rows))
        if len([key for key in patients if key]) < 2:
            patients = [""]
        sections: dict[str, Rows] = {}
        for number, patient in enumerate(patients, 1):
            own = [row for row in rows if len(patients) == 1 or row[0].identity.patient_key == patient]
            who = "" if len(patients) == 1 else f", patient {number}" if patient else ", patient not stated"
            title = f"Study {self._n_studies}{who}: {len(own)} series"
            sections[title] = own
        return sections

    def close_studies(self) -> None:
        """Closes all studies, as the user would; layers of the viewer stay."""
        for title in self._titles:
            self._close_study(title)
        self._titles.clear()

    def discard(self) -> None:
        """Stops drawing and follows the viewer no longer."""
        stop_timer(self._soon)
        self._to_come.clear()
        self.previews.discard()
        self.leafing.discard()
        self._in_viewer.stop()

    def _show_thumbnail(self, series: Series, drawn: Thumbnail | D24fadError) -> None:
        if isinstance(drawn, D24fadError):
            self._gallery.set_unreadable(series, str(drawn))
        else:
            self._gallery.set_thumbnail(series, drawn)

    def _show_layer(self, series: LayerSeries, layer: Image) -> None:
        self._scans.adopt(series, layer)
        self._gallery.set_section(IN_VIEWER, self._in_viewer.series, closable=False)
        self.previews.draw((series,))

    def _forget_layer(self, series: LayerSeries) -> None:
        self._scans.forget(series)
        self._gallery.set_section(IN_VIEWER, self._in_viewer.series, closable=False)

    def _replace_layer(self, before: LayerSeries, after: LayerSeries, layer: Image) -> None:
        self._scans.forget(before)
        self._scans.adopt(after, layer)
        self._gallery.replace(before, after)
        self.previews.draw((after,))

    def _rename_layer(self, series: LayerSeries, name: str) -> None:
        self._gallery.card(series).set_name(name)

    def _close_study(self, title: str) -> None:
        self._to_come = [each for each in self._to_come if each[0] != title]
        self._gallery.set_section(title, ())

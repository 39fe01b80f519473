"""The dock widget: joins gallery, run panel and results to the viewer and to the workers."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from napari.viewer import Viewer
from qtpy.QtCore import QEvent, Qt, Signal
from qtpy.QtGui import QDragEnterEvent, QDropEvent, QKeyEvent
from qtpy.QtWidgets import QFileDialog, QVBoxLayout, QWidget

from napari_d24fad.detection.result import FloatArray
from napari_d24fad.errors import Code, ExportError
from napari_d24fad.network.card import ModelCard
from napari_d24fad.network.zoo import list_models
from napari_d24fad.progress import CancelToken, Progress
from napari_d24fad.session.opening import open_paths
from napari_d24fad.session.request import Examination, Request
from napari_d24fad.session.saving import save_canvas, save_examination
from napari_d24fad.session.session import DetectionSession
from napari_d24fad.studies.series import Series
from napari_d24fad.viewer.burned_in import agrees_to_save
from napari_d24fad.viewer.canvas.maps import ResultLayers
from napari_d24fad.viewer.canvas.scans import ScanLayers
from napari_d24fad.viewer.canvas.screenshot import canvas_picture, canvas_stamp
from napari_d24fad.viewer.dock_body import DockBody
from napari_d24fad.viewer.gallery.filling import GalleryFilling
from napari_d24fad.viewer.gallery.gallery import FEWEST, Gallery
from napari_d24fad.viewer.open_bar import OpenBar
from napari_d24fad.viewer.results.panel import ResultsPanel
from napari_d24fad.viewer.results.view import ResultView
from napari_d24fad.viewer.running.jobs import Jobs
from napari_d24fad.viewer.running.live import LiveScoring
from napari_d24fad.viewer.running.run_panel import RunPanel

if TYPE_CHECKING:
    from napari_d24fad.detection.streaming import PartialMap
    from napari_d24fad.studies.study import Study

_PREFERRED_MODEL = "compact"
_MINIMUM_WIDTH = 320


class DetectionDock(QWidget):
    """Open a study, mark normal references, find what departs from them.

    Args:
        napari_viewer: The viewer to show scans and anomaly maps in.
    """

    study_opened = Signal(object)
    """A `Study` that is in the gallery now."""
    examination_shown = Signal(object)
    """A `Examination` that is in the viewer now."""
    _part_computed = Signal(object, object)

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self._viewer = napari_viewer
        self._session = DetectionSession()
        self._examination: Examination | None = None
        self.gallery = Gallery()
        self.run_panel = RunPanel()
        self.results = ResultsPanel()
        self.layers = ScanLayers(napari_viewer)
        self.maps = ResultLayers(napari_viewer, self.layers)
        self.result_view = ResultView(self._session, self.layers, self.maps, self.results)
        self.jobs = Jobs(self.run_panel)
        self.live = LiveScoring(self._session, self.jobs)
        self.filling = GalleryFilling(napari_viewer, self.gallery, self.layers)
        self._open_bar = OpenBar()
        self._body = DockBody(self.gallery, self.run_panel, self.results)
        self._arrange()
        self._connect()
        self.run_panel.set_models([(card.name, card.title) for card in _sorted_models()])
        # Nothing here may hold this widget, or it would never be destroyed.
        working = (self.live, self.jobs, self.result_view, self.filling)
        self.destroyed.connect(partial(_release, working, self.layers, self._session))

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Stops and lets go when the viewer takes the widget out; see `_release` for its end."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            # Not left to `destroyed`: PyQt drops the slots of a widget that Python collects in a cycle.
            self.live.discard()
            self.jobs.cancel()
            self._session.release()

    @property
    def examination(self) -> Examination | None:
        """What the last run found."""
        return self._examination

    def open(self, paths: Iterable[Path]) -> None:
        """Finds the series in folders or files and shows them in the gallery."""
        chosen = tuple(paths)
        work = partial(open_paths, chosen, show_identity=self._open_bar.identity_box.isChecked())
        self.jobs.follow("Looking for series", work, self._show_study)

    def run(self) -> None:
        """Examines the chosen scan with the marked references."""
        query = self.gallery.query
        if query is None:
            self.run_panel.show_note("Choose the scan to examine first.")
            return
        if self.jobs.is_busy:
            return
        self.live.stop()
        request = self._request(query)
        shown = self.layers.shown
        start = self.result_view.slice_index if shown is not None and shown.series is query else None

        def work(progress: Progress, cancel: CancelToken) -> Examination:
            # Emitted in the worker's thread: Qt hands it to the GUI thread.
            show = partial(self._part_computed.emit, query)
            return self._session.run(request, progress, cancel, show, start)

        self.jobs.start("Starting", work, self._show_examination)

    def _request(self, query: Series) -> Request:
        panel, gallery = self.run_panel, self.gallery
        return Request(query, gallery.references, panel.model, panel.device, gallery.shares)

    def _follow_references(self) -> None:
        """Scores the scan of the last examination again, if it is references alone that changed."""
        query, examination = self.gallery.query, self._examination
        if not self.jobs.is_busy:
            self.run_panel.clear_message()  # it was said of another choice
        if examination is None:
            return
        request = None if query is None else self._request(query)
        if (
            request is not None
            and len(request.references) >= FEWEST
            and request.differs_in_references_only(examination.request)
        ):
            # What is being done for other references ends, even if these are those of the examination again.
            if request != examination.request or self.live.is_busy:
                self.live.want(request, self.result_view.slice_index)
        else:
            self.live.stop()
        self._compare_with_choice()

    def _compare_with_choice(self) -> None:
        """Says so where what is shown was found for another choice than that in the gallery."""
        if self._examination is None or self.live.is_busy or self.jobs.is_busy:
            return
        query, found = self.gallery.query, self._examination.request
        self.results.set_outdated(query is None or self._request(query) != found)

    def save_picture(self, path: Path) -> None:
        """Saves what the canvas shows as PNG, with all that makes it readable."""
        shown = self.layers.shown
        if self._examination is None:
            self.run_panel.show_error(str(ExportError(Code.NOTHING_TO_EXPORT)))
            return
        if shown is None:
            self.run_panel.show_note("The scan is not on the canvas any more. Find anomalies shows it again.")
            return
        marks = canvas_stamp(
            self._viewer,
            shown,
            self._examination,
            self.layers.where,
            self.layers.slice_on_canvas,
            self.result_view.limits,
            self.results.view_choice.view,
        )
        work = partial(save_canvas, canvas_picture(self._viewer), marks, path)
        self.jobs.follow("Saving", work, self.run_panel.show_note)

    def save_results(self, folder: Path) -> None:
        """Saves the map, an overlay of the most suspicious slice, and the report."""
        if self._examination is None:
            self.run_panel.show_error(str(ExportError(Code.NOTHING_TO_EXPORT)))
            return
        self.jobs.follow(
            "Saving", partial(save_examination, self._examination, folder), self.run_panel.show_note
        )

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Qt: R runs, Escape stops; everything else is for the viewer."""
        if event.key() == Qt.Key.Key_R:
            self.run()
        elif event.key() == Qt.Key.Key_Escape:
            self.jobs.cancel()
            self.result_view.explanations.cancel()
        else:
            super().keyPressEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802 - Qt's name
        """Qt: takes files and folders."""
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802 - Qt's name
        """Qt: opens what was dropped."""
        event.acceptProposedAction()
        self.open(Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile())

    def _show_study(self, study: Study) -> None:
        self.filling.add_study(study.series)
        if study.problems:
            self.run_panel.show_note("\n".join(dict.fromkeys(str(problem) for problem in study.problems)))
        self.study_opened.emit(study)

    def _show_examination(self, examination: Examination) -> None:
        self._examination = examination
        self.result_view.show(examination)
        self._show_checks(examination)
        self._body.show_results()
        self.examination_shown.emit(examination)

    def _show_part(self, query: Series, partial_map: PartialMap) -> None:
        if self.jobs.is_busy:  # else it was cancelled, or is complete
            self.result_view.show_partial(query, partial_map)

    def _renew_examination(self, examination: Examination) -> None:
        self._examination = examination
        self.result_view.renew(examination)
        self.examination_shown.emit(examination)

    def _show_examination_again(self) -> None:
        if self._examination is not None:
            self.result_view.renew(self._examination)

    def _settle_examination(self, examination: Examination) -> None:
        self._renew_examination(examination)
        self._show_checks(examination)

    def _renew_slice(self, request: Request, slice_index: int, values: FloatArray) -> None:
        if self._examination is not None and request.query is self._examination.request.query:
            self.result_view.renew_slice(slice_index, values)

    def _show_checks(self, examination: Examination) -> None:
        checks = {check.index: check.reason for check in examination.anomaly.reference_checks}
        references = enumerate(examination.request.references)
        self.gallery.show_checks({series: checks.get(index, "") for index, series in references})

    def _point_out_reference(self, index: int) -> None:
        if self._examination is not None:
            self.gallery.point_out(self._examination.request.references[index])

    def _ask_devices(self) -> None:
        self.jobs.start("Looking for devices", _devices, self.run_panel.set_devices)

    def _may_save(self) -> bool:
        return self._examination is None or agrees_to_save(self, self._examination.scan)

    def _choose_picture(self) -> None:
        if not self._may_save():
            return
        path, _ = QFileDialog.getSaveFileName(self, "Save the picture", "anomaly.png", "PNG (*.png)")
        named = Path(path if path.lower().endswith(".png") else f"{path}.png")
        if path and str(named) != path and named.exists():
            # The dialog asked about the name that was typed only.
            self.run_panel.show_note("A picture of this name is there already: choose it to replace it.")
        elif path:
            self.save_picture(named)

    def _choose_results_folder(self) -> None:
        if not self._may_save():
            return
        folder = QFileDialog.getExistingDirectory(self, "Save the results to a folder")
        if folder:
            self.save_results(Path(folder))

    def _arrange(self) -> None:
        self.setAcceptDrops(True)
        self.setMinimumWidth(_MINIMUM_WIDTH)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.addWidget(self._open_bar)
        layout.addWidget(self._body, 1)

    def _connect(self) -> None:
        self._open_bar.open_requested.connect(self.open)
        self.gallery.roles_changed.connect(self._follow_references)
        self.gallery.shares_changed.connect(self._follow_references)
        self._part_computed.connect(self._show_part)
        self.jobs.ended.connect(self.result_view.drop_partial)
        self.jobs.ended.connect(self._compare_with_choice)
        self.live.slice_scored.connect(self._renew_slice)
        self.live.rescored.connect(self._renew_examination)
        self.live.settled.connect(self._settle_examination)
        self.live.abandoned.connect(self._show_examination_again)
        self.run_panel.run_requested.connect(self.run)
        self.run_panel.cancel_requested.connect(self.jobs.cancel)
        self.run_panel.devices_requested.connect(self._ask_devices)
        self.results.picture_requested.connect(self._choose_picture)
        self.results.files_requested.connect(self._choose_results_folder)
        self.result_view.reference_requested.connect(self._point_out_reference)


def _sorted_models() -> list[ModelCard]:
    return sorted(list_models(), key=lambda card: card.name != _PREFERRED_MODEL)


def _devices(progress: Progress, cancel: CancelToken) -> list[tuple[str, str]]:
    # Imports torch, which takes seconds; therefore only when the user turns to the choice.
    from napari_d24fad.detection.encoding.devices import available_devices

    return [(device.name, device.label) for device in available_devices()]


def _release(
    working: tuple[LiveScoring, Jobs, ResultView, GalleryFilling],
    layers: ScanLayers,
    session: DetectionSession,
) -> None:
    """Lets go of running work, of the viewer and of the device when the widget is destroyed."""
    for one in working:
        one.discard()
    layers.stop()
    session.release()

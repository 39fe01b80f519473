"""The dock widget: joins gallery, run panel and results to the viewer and to the workers."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path

from napari.layers import Image
from napari.viewer import Viewer
from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QDragEnterEvent, QDropEvent, QKeyEvent
from qtpy.QtWidgets import (
    QFileDialog,
    QFrame,
    QScrollArea,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from napari_d24fad.errors import Code, D24fadError, ExportError
from napari_d24fad.network.card import ModelCard
from napari_d24fad.network.zoo import list_models
from napari_d24fad.progress import CancelToken, Progress
from napari_d24fad.studies.series import Series
from napari_d24fad.studies.study import Study
from napari_d24fad.viewer.card import Role
from napari_d24fad.viewer.gallery import Gallery
from napari_d24fad.viewer.jobs import Jobs
from napari_d24fad.viewer.layer_series import LayerSeries
from napari_d24fad.viewer.layers import ScanLayers
from napari_d24fad.viewer.open_bar import OpenBar
from napari_d24fad.viewer.opening import Thumbnail, open_paths
from napari_d24fad.viewer.previews import Previews
from napari_d24fad.viewer.results import ResultsPanel
from napari_d24fad.viewer.run_panel import RunPanel
from napari_d24fad.viewer.saving import save_canvas, save_finding
from napari_d24fad.viewer.screenshot import canvas_picture, canvas_stamp
from napari_d24fad.viewer.session import DetectionSession, Finding, Request
from napari_d24fad.viewer.viewer_series import ViewerSeries

IN_VIEWER = "In the viewer"
_PREFERRED_MODEL = "compact"
_LOWER_SHARE_EMPTY, _LOWER_SHARE_RESULT = 0.2, 0.7
_MINIMUM_WIDTH = 300


class DetectionDock(QWidget):
    """Open a study, mark normal references, find what departs from them.

    Args:
        napari_viewer: The viewer to show scans and anomaly maps in.
    """

    study_opened = Signal(object)
    """A `Study` that is in the gallery now."""
    finding_shown = Signal(object)
    """A `Finding` that is in the viewer now."""

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self._viewer = napari_viewer
        self._session = DetectionSession()
        self._finding: Finding | None = None
        self._n_studies = 0
        self.gallery = Gallery()
        self.run_panel = RunPanel()
        self.results = ResultsPanel()
        self.layers = ScanLayers(napari_viewer)
        self.jobs = Jobs(self.run_panel)
        self.previews = Previews()
        self._in_viewer = ViewerSeries(napari_viewer, self.layers.is_own)
        self._open_bar = OpenBar()
        self._split = QSplitter(Qt.Orientation.Vertical)
        self._arrange()
        self._connect()
        self.run_panel.set_models([(card.name, card.title) for card in _sorted_models()])
        self._in_viewer.start()
        # Nothing here may hold this widget, or it would never be destroyed.
        self.destroyed.connect(partial(_release, self.jobs, self.previews, self.layers, self._in_viewer))

    @property
    def finding(self) -> Finding | None:
        """What the last run found."""
        return self._finding

    def open(self, paths: Iterable[Path]) -> None:
        """Finds the series in folders or files and shows them in the gallery."""
        chosen = tuple(paths)
        self.jobs.start("Looking for series", partial(open_paths, chosen), self._show_study)

    def run(self) -> None:
        """Examines the chosen scan with the marked references."""
        query = self.gallery.query
        if query is None:
            self.run_panel.show_note("Choose the scan to examine first.")
            return
        request = Request(query, self.gallery.references, self.run_panel.model, self.run_panel.device)
        self.jobs.start("Starting", partial(self._session.run, request), self._show_finding)

    def save_picture(self, path: Path) -> None:
        """Saves what the canvas shows as PNG, with all that makes it readable."""
        shown = self.layers.shown
        if shown is None or self._finding is None:
            self.run_panel.show_error(str(ExportError(Code.NOTHING_TO_EXPORT)))
            return
        marks = canvas_stamp(self._viewer, shown, self._finding, self.layers.current_slice)
        work = partial(save_canvas, canvas_picture(self._viewer), marks, path)
        self.jobs.start("Saving", work, self.run_panel.show_note)

    def save_results(self, folder: Path) -> None:
        """Saves the map, an overlay of the most suspicious slice, and the report."""
        if self._finding is None:
            self.run_panel.show_error(str(ExportError(Code.NOTHING_TO_EXPORT)))
            return
        self.jobs.start("Saving", partial(save_finding, self._finding, folder), self.run_panel.show_note)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Qt: R runs, Escape stops; everything else is for the viewer."""
        if event.key() == Qt.Key.Key_R:
            self.run()
        elif event.key() == Qt.Key.Key_Escape:
            self.jobs.cancel()
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
        self._n_studies += 1
        count = len(study.series)
        title = f"Study {self._n_studies}: {count} series"
        self.gallery.set_section(title, study.series)
        if count == 1 and self.gallery.query is None and study.series[0].refusal is None:
            self.gallery.set_role(study.series[0], Role.QUERY)
        self.previews.draw(study.series)
        if study.problems:
            self.run_panel.show_note("\n".join(dict.fromkeys(str(problem) for problem in study.problems)))
        self.study_opened.emit(study)

    def _show_thumbnail(self, series: Series, drawn: Thumbnail | D24fadError) -> None:
        if isinstance(drawn, D24fadError):
            self.gallery.set_unreadable(series, str(drawn))
        else:
            self.gallery.set_thumbnail(series, drawn)

    def _show_finding(self, finding: Finding) -> None:
        self._finding = finding
        shown = self.layers.show_scan(finding.request.query, finding.scan)
        self.layers.show_result(finding.anomaly, finding.limits)
        self.results.show_result(finding.request.query.label, finding.anomaly, shown.slice_order)
        if self.results.isHidden():
            self.results.show()
            self._share_height(_LOWER_SHARE_RESULT)
        for index in finding.anomaly.most_suspicious(1):
            self.layers.go_to_slice(int(shown.slice_order[index]))
        self.results.set_slice(self.layers.current_slice)
        self.finding_shown.emit(finding)

    def _show_layer_series(self, series: LayerSeries, layer: Image) -> None:
        self.layers.adopt(series, layer)
        self.gallery.set_section(IN_VIEWER, self._in_viewer.series, closable=False)
        self.previews.draw((series,))

    def _forget_layer_series(self, series: LayerSeries) -> None:
        self.layers.forget(series)
        self.gallery.set_section(IN_VIEWER, self._in_viewer.series, closable=False)

    def _replace_layer_series(self, before: LayerSeries, after: LayerSeries, layer: Image) -> None:
        self.layers.forget(before)
        self.layers.adopt(after, layer)
        self.gallery.replace(before, after)
        self.previews.draw((after,))

    def _close_study(self, title: str) -> None:
        self.gallery.set_section(title, ())

    def _ask_devices(self) -> None:
        self.jobs.start("Looking for devices", _devices, self.run_panel.set_devices)

    def _choose_picture(self) -> None:
        path, _ = QFileDialog.getSaveFileName(self, "Save the picture", "anomaly.png", "PNG (*.png)")
        if path:
            self.save_picture(Path(path))

    def _choose_results_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Save the results to a folder")
        if folder:
            self.save_results(Path(folder))

    def _arrange(self) -> None:
        self.setAcceptDrops(True)
        self.setMinimumWidth(_MINIMUM_WIDTH)
        self.results.hide()
        lower = QWidget()
        column = QVBoxLayout(lower)
        column.setContentsMargins(0, 0, 2, 0)
        column.addWidget(self.run_panel)
        column.addWidget(self.results)
        column.addStretch()
        # Everything stays within reach on a low screen, whatever the length of the texts.
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(lower)
        self._split.addWidget(self.gallery)
        self._split.addWidget(scroll)
        self._split.setChildrenCollapsible(False)
        self._share_height(_LOWER_SHARE_EMPTY)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.addWidget(self._open_bar)
        layout.addWidget(self._split, 1)

    def _share_height(self, lower: float) -> None:
        self._split.setSizes([round(1000 * (1 - lower)), round(1000 * lower)])

    def _connect(self) -> None:
        self._open_bar.open_requested.connect(self.open)
        self.gallery.close_requested.connect(self._close_study)
        self.run_panel.run_requested.connect(self.run)
        self.run_panel.cancel_requested.connect(self.jobs.cancel)
        self.run_panel.devices_requested.connect(self._ask_devices)
        self.results.slice_requested.connect(self.layers.go_to_slice)
        self.results.opacity_changed.connect(self.layers.set_opacity)
        self.results.picture_requested.connect(self._choose_picture)
        self.results.files_requested.connect(self._choose_results_folder)
        self.layers.slice_changed.connect(self.results.set_slice)
        self.previews.drawn.connect(self._show_thumbnail)
        self._in_viewer.added.connect(self._show_layer_series)
        self._in_viewer.removed.connect(self._forget_layer_series)
        self._in_viewer.replaced.connect(self._replace_layer_series)


def _sorted_models() -> list[ModelCard]:
    return sorted(list_models(), key=lambda card: card.name != _PREFERRED_MODEL)


def _devices(progress: Progress, cancel: CancelToken) -> list[tuple[str, str]]:
    # Imports torch, which takes seconds; therefore only when the user turns to the choice.
    from napari_d24fad.detection.devices import available_devices

    return [(device.name, device.label) for device in available_devices()]


def _release(jobs: Jobs, previews: Previews, layers: ScanLayers, in_viewer: ViewerSeries) -> None:
    """Lets go of the viewer and of running work when the widget is destroyed."""
    jobs.discard()
    previews.discard()
    layers.stop()
    in_viewer.stop()

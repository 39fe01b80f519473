"""The dock widget: joins gallery, run panel and results to the viewer and to the workers."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from napari.viewer import Viewer
from qtpy.QtCore import QEvent, Qt, Signal
from qtpy.QtGui import QDragEnterEvent, QDropEvent, QKeyEvent
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_d24fad.detection.encoding.intensity import usual_window
from napari_d24fad.progress import CancelToken, Progress
from napari_d24fad.session.opening import open_paths
from napari_d24fad.session.request import Examination
from napari_d24fad.session.session import DetectionSession
from napari_d24fad.viewer.archives.archiving import Archiving
from napari_d24fad.viewer.archives.arriving import Arriving
from napari_d24fad.viewer.canvas.flicker import Flicker
from napari_d24fad.viewer.canvas.maps import ResultLayers
from napari_d24fad.viewer.canvas.scans import ScanLayers
from napari_d24fad.viewer.cases.reading_list import ReadingList
from napari_d24fad.viewer.cases.shown import ShownCases
from napari_d24fad.viewer.dock_body import DockBody, Page
from napari_d24fad.viewer.drawing import RegionDrawing
from napari_d24fad.viewer.examining import Examining
from napari_d24fad.viewer.gallery.filling import GalleryFilling
from napari_d24fad.viewer.gallery.gallery import Gallery
from napari_d24fad.viewer.keys.sheet import KeySheetOpener
from napari_d24fad.viewer.keys.viewer_keys import ViewerKeys
from napari_d24fad.viewer.lesions import LesionMarking
from napari_d24fad.viewer.looking import Looking
from napari_d24fad.viewer.models.managing import ModelsManaging
from napari_d24fad.viewer.open_bar import OpenBar
from napari_d24fad.viewer.reading.reading import Reading
from napari_d24fad.viewer.results.panel import ResultsPanel
from napari_d24fad.viewer.results.view import ResultView
from napari_d24fad.viewer.run_times import RunTimes
from napari_d24fad.viewer.running.jobs import Jobs
from napari_d24fad.viewer.running.run_panel import RunPanel
from napari_d24fad.viewer.saving import Saving
from napari_d24fad.viewer.sessions.autosaving import Autosaving
from napari_d24fad.viewer.sessions.exporting import DicomSaving
from napari_d24fad.viewer.sessions.keeping import SUFFIX, Keeping
from napari_d24fad.viewer.sessions.opening import SessionOpening
from napari_d24fad.viewer.sessions.unsaved import Unsaved
from napari_d24fad.viewer.settings.in_use import PreferencesInUse

if TYPE_CHECKING:
    from napari_d24fad.studies.study import Study

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

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self._viewer = napari_viewer
        self._session = DetectionSession()
        self.gallery = Gallery()
        self.run_panel = RunPanel()
        self.results = ResultsPanel()
        self.layers = ScanLayers(napari_viewer)
        self.maps = ResultLayers(napari_viewer, self.layers)
        self.flicker = Flicker(napari_viewer, self.layers, self.maps)
        self.result_view = ResultView(self._session, self.layers, self.maps, self.results, self.flicker)
        self.jobs = Jobs(self.run_panel)
        self.drawing = RegionDrawing(napari_viewer, self.layers, self.run_panel.region)
        self.examining = Examining(
            self._session, self.gallery, self.run_panel, self.result_view, self.jobs, self.drawing
        )
        self.lesions = LesionMarking(
            napari_viewer, self.layers, self.gallery, self.result_view, self.jobs, self.run_panel
        )
        self.looking = Looking(self.layers, self.gallery, self.result_view, self.run_panel)
        self.live = self.examining.live
        self.saving = Saving(
            self, napari_viewer, self.layers, self.result_view, self._session, self.jobs, self.run_panel
        )
        self.filling = GalleryFilling(napari_viewer, self.gallery, self.layers)
        self.cases = ShownCases(self.gallery, self.examining, self.result_view, self.layers, self.run_panel)
        self.reading_list = ReadingList(
            self, self._session, self.gallery, self.examining, self.drawing, self.cases,
            self.results.case_bar, self.run_panel, RunTimes(self.examining, self.gallery, self.run_panel),
        )  # fmt: skip
        kept = (self.gallery, self.result_view, self.cases, self.jobs, self.run_panel, self.results.look)
        self.keeping = Keeping(self, *kept)
        self.sessions = SessionOpening(
            self, self.gallery, self.filling, self.examining, self.keeping, self.reading_list,
            self.jobs, self.run_panel,
        )  # fmt: skip
        parts = (self.gallery, self._session, self.examining, self.result_view, self.results, self.run_panel)
        self.reading = Reading(napari_viewer, self.layers, self.maps, *parts)
        self.unsaved = Unsaved(self, self.examining, self.keeping, self.sessions, self.run_panel)
        self.dicom = DicomSaving(self.results, self.examining, self.result_view, self.jobs, self.run_panel)
        self._open_bar = OpenBar()
        self.archiving = Archiving(self, self._open_bar)
        self.arriving = Arriving(self.archiving, self.looking)
        self.body = DockBody(
            self.unsaved.row, self._open_bar, self.reading.bar, self.gallery, self.run_panel, self.results
        )
        self._arrange()
        self._connect()
        keys = {
            "R": self.run,
            "M": self.show_next_map,
            "Shift-M": self.show_map_before,
            "F": self.result_view.reasons.toggle_flicker,
            "Escape": self.stop,
        }
        self._keys = ViewerKeys(napari_viewer, self, keys)
        self._preferences = PreferencesInUse(
            self._session, self.run_panel.settings, self._open_bar.identity_box, self.unsaved.autosaving
        )
        self.key_sheet = KeySheetOpener(self, self.body.keys_button)
        self.models = ModelsManaging(self, self.run_panel, self.jobs)
        # Nothing here may hold this widget, or it would never be destroyed.
        working = (
            self.examining, self.jobs, self.result_view, self.filling, self.looking, self.reading,
            self.reading_list, self.unsaved.autosaving,
        )  # fmt: skip
        listening = (self.layers, self.drawing, self._keys, self._preferences)
        self.destroyed.connect(partial(_release, working, listening, self._session))

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Stops and lets go when the viewer takes the widget out; see `_release` for its end."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            # Not left to `destroyed`: PyQt drops the slots of a widget that Python collects in a cycle.
            self.live.discard()
            self.reading.discard()
            self.jobs.cancel()
            self.reading_list.discard()
            self.archiving.discard()
            self._session.release()

    @property
    def viewer(self) -> Viewer:
        """The viewer it was made for."""
        return self._viewer

    @property
    def examination(self) -> Examination | None:
        """What the last run found."""
        return self.examining.examination

    def open(self, paths: Iterable[Path]) -> None:
        """Finds the series in folders or files and shows them in the gallery; or goes on with a session."""
        chosen = tuple(paths)
        if len(chosen) == 1 and chosen[0].suffix == SUFFIX:
            self.sessions.open(chosen[0])
            return
        named = self._open_bar.identity_box.isChecked()
        found_early = self.filling.found_early.emit

        def work(progress: Progress, cancel: CancelToken) -> Study:
            # A signal emitted in the worker thread reaches its slots in theirs.
            early = partial(found_early, cancel)
            return open_paths(chosen, progress, cancel, show_identity=named, early=early)

        self.jobs.follow("Looking for series", work, self._show_study)

    def run(self) -> None:
        """Examines the chosen scan with the marked references."""
        self.examining.run()

    def stop(self) -> None:
        """Stops what runs, and shows the result again if something else is looked at."""
        self.jobs.cancel()
        self.reading.end()
        self.lesions.end()
        self.looking.end()
        self.flicker.stop()
        self.result_view.reasons.explanations.cancel()
        self.result_view.display.cancel()

    def show_next_map(self) -> None:
        """Shows the next of the maps that a result has."""
        if self.examination is not None:
            self.results.view_choice.step(1)

    def show_map_before(self) -> None:
        """Shows the map before that."""
        if self.examination is not None:
            self.results.view_choice.step(-1)

    def save_picture(self, path: Path) -> None:
        """Saves what the canvas shows as PNG, with all that makes it readable."""
        self.saving.save_picture(self.examination, path)

    def save_results(self, folder: Path, *, replace_others: bool = False) -> None:
        """Saves the map, an overlay of the most suspicious slice, and the report; see `Saving`."""
        self.saving.save_results(self.examination, folder, replace_others=replace_others)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Qt: R runs, M shows the next map, F flickers, Escape stops; everything else is for the viewer."""
        shifted = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
        if event.key() == Qt.Key.Key_R:
            self.run()
        elif event.key() == Qt.Key.Key_M:
            (self.show_map_before if shifted else self.show_next_map)()
        elif event.key() == Qt.Key.Key_F:
            self.result_view.reasons.toggle_flicker()
        elif event.key() == Qt.Key.Key_Escape:
            self.stop()
        elif not self.reading.press(event):
            super().keyPressEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802 - Qt's name
        """Qt: takes files and folders."""
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802 - Qt's name
        """Qt: opens what was dropped."""
        event.acceptProposedAction()
        self.open(Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile())

    def _show_window(self) -> None:
        """What is shown follows what is examined."""
        query = self.gallery.query
        if query is not None and query.modality == "CT":
            chosen = self.run_panel.ct_window.window
            self.layers.set_window(query, chosen or usual_window(query.outline))

    def _show_study(self, study: Study) -> None:
        self.filling.add_study(study.series, at_once=False)
        self.body.show_page(Page.SCANS)
        if study.problems:
            self.run_panel.show_note("\n".join(dict.fromkeys(str(problem) for problem in study.problems)))
        self.study_opened.emit(study)

    def _show_results(self, examination: Examination) -> None:
        self.body.show_results()
        self.examination_shown.emit(examination)

    def _choose_picture(self) -> None:
        self.saving.choose_picture(self.examination)

    def _choose_folder(self) -> None:
        self.saving.choose_folder(self.examination)

    def _choose_session(self) -> None:
        self.keeping.choose_session(self.examination)

    def _choose_report(self) -> None:
        self.keeping.choose_report(self.examination)

    def _arrange(self) -> None:
        self.setAcceptDrops(True)
        self.setMinimumWidth(_MINIMUM_WIDTH)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(3, 3, 3, 3)
        layout.addWidget(self.body)

    def _connect(self) -> None:
        self._open_bar.open_requested.connect(self.open)
        self.study_opened.connect(self.arriving.settle)
        self.dicom.saved_to_send.connect(self.archiving.offer)
        self.examining.examined.connect(self._show_results)
        self.jobs.ended.connect(self.filling.end_search)
        self.run_panel.ct_window.window_changed.connect(self._show_window)
        self.examining.renewed.connect(self.examination_shown)
        self.run_panel.run_requested.connect(self.run)
        self.run_panel.cancel_requested.connect(self.jobs.cancel)
        self.results.picture_requested.connect(self._choose_picture)
        self.results.files_requested.connect(self._choose_folder)
        self.results.session_requested.connect(self._choose_session)
        self.results.report_requested.connect(self._choose_report)
        self._open_bar.session_requested.connect(self.sessions.choose)
        show_scans = partial(self.body.show_page, Page.SCANS)
        self.result_view.reference_requested.connect(show_scans)
        self.result_view.example_requested.connect(show_scans)


def _release(
    working: tuple[Examining, Jobs, ResultView, GalleryFilling, Looking, Reading, ReadingList, Autosaving],
    listening: tuple[ScanLayers, RegionDrawing, ViewerKeys, PreferencesInUse],
    session: DetectionSession,
) -> None:
    """Lets go of running work, of the viewer and of the device when the widget is destroyed."""
    for one in working:
        one.discard()
    for each in listening:
        each.stop()
    session.release()

"""Saves what the user keeps of an examination: asks where, then writes in a worker."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from napari.viewer import Viewer
from qtpy.QtWidgets import QFileDialog, QWidget

from napari_d24fad.errors import Code, ExportError
from napari_d24fad.progress import CancelToken, Progress
from napari_d24fad.session.request import Examination
from napari_d24fad.session.saving import save_canvas, save_examination
from napari_d24fad.session.session import DetectionSession
from napari_d24fad.viewer.asking import agrees_to_replace, agrees_to_save
from napari_d24fad.viewer.canvas.scans import ScanLayers
from napari_d24fad.viewer.canvas.screenshot import canvas_picture, canvas_stamp
from napari_d24fad.viewer.results.view import ResultView
from napari_d24fad.viewer.running.jobs import Jobs
from napari_d24fad.viewer.running.run_panel import RunPanel

_NOT_SHOWN = "The scan that was examined is not on the canvas. A click on its card shows it again."
_NAME_TAKEN = "A picture of this name is there already: choose it to replace it."


class Saving:
    """Saves the picture on the canvas, or map, overlay and report.

    Args:
        parent: Widget below the dialogs.
        viewer: Whose canvas is saved.
        layers: The scan on it.
        view: What is shown of the examination.
        session: Made it.
        jobs: Runs the writing.
        run_panel: Tells how it went.
    """

    def __init__(
        self,
        parent: QWidget,
        viewer: Viewer,
        layers: ScanLayers,
        view: ResultView,
        session: DetectionSession,
        jobs: Jobs,
        run_panel: RunPanel,
    ) -> None:
        self._parent, self._viewer, self._layers = parent, viewer, layers
        self._view, self._session, self._jobs, self._run_panel = view, session, jobs, run_panel

    def save_picture(self, examination: Examination | None, path: Path) -> None:
        """Saves what the canvas shows as PNG, with all that makes it readable."""
        shown = self._layers.shown
        if examination is None:
            self._run_panel.show_error(str(ExportError(Code.NOTHING_TO_EXPORT)))
            return
        if shown is None or shown.series is not examination.request.query:
            self._run_panel.show_note(_NOT_SHOWN)
            return
        self._view.reasons.flicker.stop()  # else it may show the reference
        picture = canvas_picture(self._viewer)
        marks = canvas_stamp(
            self._viewer,
            shown,
            examination,
            self._layers.where,
            self._layers.slice_on_canvas,
            self._view.legend,
            picture,
        )
        work = partial(save_canvas, picture, marks, path)
        self._jobs.follow("Saving", work, self._run_panel.show_note)

    def save_results(
        self, examination: Examination | None, folder: Path, *, replace_others: bool = False
    ) -> None:
        """Saves the map, an overlay of the most suspicious slice, and the report.

        If a part of the map is shown alone, it is saved as well, under its own name.

        Args:
            examination: What was found; None: the message says that there is nothing to save.
            folder: Where to.
            replace_others: Whether to replace results of another scan without asking.
        """
        if examination is None:
            self._run_panel.show_error(str(ExportError(Code.NOTHING_TO_EXPORT)))
            return

        channel = self._view.channel

        def work(progress: Progress, cancel: CancelToken) -> str:
            held = None if channel is None else self._session.held(examination)
            extra = () if channel is None or held is None else ((channel, held.channel_map(channel)),)
            try:
                return save_examination(
                    examination, folder, progress, cancel, replace_others=replace_others, channel_maps=extra
                )
            except ExportError as error:
                if error.code is not Code.RESULTS_OF_ANOTHER:
                    raise
                return ""

        self._jobs.follow("Saving", work, partial(self._tell_or_ask, examination, folder))

    def _tell_or_ask(self, examination: Examination, folder: Path, told: str) -> None:
        if told:
            self._run_panel.show_note(told)
        elif agrees_to_replace(self._parent):
            self.save_results(examination, folder, replace_others=True)
        else:
            self._run_panel.show_note("Nothing was saved.")

    def choose_picture(self, examination: Examination | None) -> None:
        """Asks for a file and saves the picture there."""
        if not self._may_save(examination):
            return
        path, _ = QFileDialog.getSaveFileName(self._parent, "Save the picture", "anomaly.png", "PNG (*.png)")
        named = Path(path if path.lower().endswith(".png") else f"{path}.png")
        if path and str(named) != path and named.exists():
            # The dialog asked about the name that was typed only.
            self._run_panel.show_note(_NAME_TAKEN)
        elif path:
            self.save_picture(examination, named)

    def choose_folder(self, examination: Examination | None) -> None:
        """Asks for a folder and saves map, overlay and report there."""
        if not self._may_save(examination):
            return
        folder = QFileDialog.getExistingDirectory(self._parent, "Save the results to a folder")
        if folder:
            self.save_results(examination, Path(folder))

    def _may_save(self, examination: Examination | None) -> bool:
        return examination is None or agrees_to_save(self._parent, examination.scan)

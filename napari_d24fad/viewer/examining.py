"""Examines the scan that is chosen in the gallery, and again when its references change."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Signal

from napari_d24fad.detection.result import FloatArray
from napari_d24fad.errors import D24fadError
from napari_d24fad.findings.findings import Findings
from napari_d24fad.progress import CancelToken, Progress
from napari_d24fad.session.request import Examination, Request
from napari_d24fad.session.session import DetectionSession
from napari_d24fad.studies.series import Series
from napari_d24fad.viewer.drawing import RegionDrawing
from napari_d24fad.viewer.gallery.flagging import of_examples, of_references, of_refusal
from napari_d24fad.viewer.gallery.gallery import FEWEST, Gallery
from napari_d24fad.viewer.gallery.roles import Role
from napari_d24fad.viewer.results.view import ResultView
from napari_d24fad.viewer.running.jobs import Jobs
from napari_d24fad.viewer.running.live import LiveScoring
from napari_d24fad.viewer.running.run_panel import RunPanel

if TYPE_CHECKING:
    from napari_d24fad.detection.streaming import PartialMap


NOT_DRAWN_ON = (
    "It is not known which scan a layer under Examine only was drawn on. Click that scan in the list, "
    "then untick the layer and tick it again."
)
_NOTHING_SHOWN = "No scan is shown to draw on yet. Click one in the list."
_COVERED = "Other layers of the viewer lie over the scan that was examined. Hide them to see it."


class Examining(QObject):
    """The examination that is shown, and the choice it is held against.

    Args:
        session: Examines.
        gallery: Where scan and references are chosen.
        run_panel: Where model and device are chosen.
        view: Shows examinations.
        jobs: Runs the work.
        drawing: Where alone to examine.
    """

    examined = Signal(object)
    """The `Examination` of a run is shown now."""
    ran = Signal(object)
    """The `Examination` of a run is there, and is shown next."""
    renewed = Signal(object)
    """The `Examination` of the same scan with other references is shown now."""
    part_computed = Signal(object, object)
    """A `Series` and the `PartialMap` of it, while it is examined."""

    def __init__(
        self,
        session: DetectionSession,
        gallery: Gallery,
        run_panel: RunPanel,
        view: ResultView,
        jobs: Jobs,
        drawing: RegionDrawing,
    ) -> None:
        super().__init__()
        self._session, self._gallery, self._run_panel = session, gallery, run_panel
        self._view, self._jobs, self._drawing = view, jobs, drawing
        self._examination: Examination | None = None
        self._is_of_before = False
        self._asked: Request | None = None
        self.live = LiveScoring(session, jobs)
        self._connect()

    @property
    def examination(self) -> Examination | None:
        """What the last run found."""
        return self._examination

    def run(self) -> None:
        """Examines the chosen scan with the marked references."""
        query = self._gallery.query
        if query is None:
            self._run_panel.show_note("Choose the scan to examine first.")
            return
        if self._jobs.is_busy:
            return
        if self._drawing.is_lost:  # examining the whole scan instead would surprise the reader
            self._run_panel.show_note(NOT_DRAWN_ON)
            return
        self.live.stop()
        self._asked = request = self.request_for(query)
        start = self._view.slice_of(query)

        def work(progress: Progress, cancel: CancelToken) -> Examination:
            # Emitted in the worker's thread: Qt hands it to the GUI thread.
            show = partial(self.part_computed.emit, query)
            return self._session.run(request, progress, cancel, show, start)

        self._jobs.start("Starting", work, self._show_run)

    def take(self, examination: Examination, findings: Findings, slice_index: int | None) -> None:
        """Shows an examination of before, with what a reader decided of it.

        Args:
            examination: Its scan has its pixels.
            findings: As they were measured in it.
            slice_index: The slice to go to, along the slice axis of the scan; None for the most suspicious.
        """
        self.live.stop()
        self._view.verdicts.take(examination, findings)
        self._show(examination)
        self._is_of_before = True
        if slice_index is not None:
            self._view.go_to(slice_index)

    def offer_choices(self) -> None:
        """Offers the settings that the scan to examine can have."""
        query = self._gallery.query
        outline = None if query is None else query.outline
        self._run_panel.ct_window.show_for(outline)
        self._run_panel.direction.show_for(outline, drawn=bool(self._drawing.regions))

    def discard(self) -> None:
        """Forgets what was asked for; a job that runs is stopped by `Jobs`."""
        self.live.discard()

    def _connect(self) -> None:
        self._gallery.roles_changed.connect(self.offer_choices)
        self._gallery.roles_changed.connect(self._follow_references)
        self._run_panel.ct_window.window_changed.connect(self._follow_references)
        self._run_panel.direction.direction_changed.connect(self._follow_references)
        self._gallery.shares_changed.connect(self._follow_references)
        self._gallery.examples_changed.connect(self._follow_references)
        self._drawing.nothing_shown.connect(partial(self._run_panel.show_note, _NOTHING_SHOWN))
        self._drawing.changed.connect(self.offer_choices)
        self._drawing.changed.connect(self._follow_references)
        self.part_computed.connect(self._show_part)
        self._jobs.failed.connect(self._show_refusal)
        self._jobs.ended.connect(self._view.drop_partial)
        self._jobs.ended.connect(self._compare_with_choice)
        self.live.slice_scored.connect(self._renew_slice)
        self.live.rescored.connect(self._renew)
        self.live.settled.connect(self._settle)
        self.live.abandoned.connect(self._show_again)
        self._view.reference_requested.connect(self._point_out_reference)
        self._view.example_requested.connect(self._point_out_example)

    def request_for(self, query: Series) -> Request:
        """Returns what would be asked for now if this were the scan to examine."""
        panel, gallery = self._run_panel, self._gallery
        return Request(
            query,
            gallery.references,
            panel.model,
            panel.device,
            gallery.shares,
            ct_window=panel.ct_window.window if query.modality == "CT" else None,
            direction=panel.direction.direction if query.outline.is_volume else None,
            regions=self._drawing.regions,
            abnormal=gallery.examples,
        )

    def _follow_references(self) -> None:
        """Scores the scan of the last examination again, if it is references alone that changed."""
        query, examination = self._gallery.query, self._examination
        if not self._jobs.is_busy:
            self._run_panel.clear_message()  # the message was about another choice
        if examination is None:
            return
        request = None if query is None else self.request_for(query)
        if (
            request is not None
            and len(request.references) >= FEWEST
            and request.differs_in_references_only(examination.request)
            and not self._is_of_before  # there is nothing to score again
        ):
            # Work for other references ends, even if those of the result are marked again.
            if request != examination.request or self.live.is_busy:
                self._asked = request
                self.live.want(request, self._view.slice_index)
        else:
            self.live.stop()
        self._compare_with_choice()

    def _compare_with_choice(self) -> None:
        """Says so where what is shown was found for another choice than that in the gallery."""
        if self._examination is None or self.live.is_busy or self._jobs.is_busy:
            return
        query, found = self._gallery.query, self._examination.request
        self._view.set_outdated(query is None or self.request_for(query) != found)

    def _show_run(self, examination: Examination) -> None:
        self.ran.emit(examination)
        self._show(examination)

    def _show(self, examination: Examination) -> None:
        self._examination, self._is_of_before = examination, False
        self._view.show(examination)
        self._show_checks(examination)
        if self._view.is_covered:
            self._run_panel.show_note(_COVERED)
        self.examined.emit(examination)

    def _show_part(self, query: Series, partial_map: PartialMap) -> None:
        if self._jobs.is_busy:  # else it was cancelled, or is complete
            self._view.show_partial(query, partial_map)

    def _renew(self, examination: Examination) -> None:
        self._examination = examination
        self._view.renew(examination)
        self._gallery.show_checks(of_examples(examination), Role.ABNORMAL)
        self.renewed.emit(examination)

    def _settle(self, examination: Examination) -> None:
        self._renew(examination)
        self._show_checks(examination)

    def _show_again(self) -> None:
        if self._examination is not None:
            self._view.renew(self._examination)

    def _renew_slice(self, request: Request, slice_index: int, values: FloatArray) -> None:
        if self._examination is not None and request.query is self._examination.request.query:
            self._view.renew_slice(slice_index, values)

    def _show_checks(self, examination: Examination) -> None:
        self._gallery.show_checks(of_references(examination))
        self._gallery.show_checks(of_examples(examination), Role.ABNORMAL)

    def _show_refusal(self, error: D24fadError) -> None:
        self._gallery.show_checks(of_refusal(error, self._asked), Role.ABNORMAL, may_stay=False)

    def _point_out_reference(self, index: int) -> None:
        if self._examination is not None:
            self._gallery.point_out(self._examination.request.references[index])

    def _point_out_example(self, index: int) -> None:
        if self._examination is not None:
            self._gallery.point_out(self._examination.request.abnormal[index].series)

"""Lists the regions of the map that is shown, at the level that is chosen, with a reader's verdicts."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QObject

from napari_d24fad.detection.result import MapBeside
from napari_d24fad.findings.finding import Finding, Verdict
from napari_d24fad.findings.findings import Findings
from napari_d24fad.progress import CancelToken, Progress
from napari_d24fad.session.request import Examination
from napari_d24fad.session.session import DetectionSession
from napari_d24fad.viewer.labels import ask_for_labels, read_labels
from napari_d24fad.viewer.results.map_display import MapDisplay
from napari_d24fad.viewer.results.panel import ResultsPanel
from napari_d24fad.viewer.results.verdicts import Verdicts
from napari_d24fad.viewer.running.workers import Worker

if TYPE_CHECKING:
    from napari_d24fad.detection.references.regions import Region

Listed = tuple[tuple["Region", ...], list[Finding], Findings]


class RegionListing(QObject):
    """Finds regions in the background where the result does not have them already, and measures findings.

    Args:
        session: Made the examinations.
        panel: Shows the regions.
        display: Leaves out what is rejected.
    """

    def __init__(self, session: DetectionSession, panel: ResultsPanel, display: MapDisplay) -> None:
        super().__init__()
        self._session, self._panel, self._display = session, panel, display
        self._worker: Worker | None = None
        self._at: tuple[npt.NDArray[np.intp], float] = np.arange(1), float("nan")
        self.verdicts = Verdicts()
        self.verdicts.changed.connect(self._show_verdicts)
        bar, table = panel.verdict_bar, panel.regions
        table.currentCellChanged.connect(self._show_row)
        table.judged.connect(bar.ask)
        table.note_requested.connect(bar.note_line.setFocus)
        bar.note_line.left.connect(table.setFocus)
        bar.judged.connect(self._judge)
        bar.noted.connect(self._write)
        bar.labelled.connect(self._name)
        bar.labels_requested.connect(self._edit_labels)
        table.removal_requested.connect(self._remove)
        bar.offer_labels(read_labels())
        for asked in (bar, table):
            asked.undo_requested.connect(self.verdicts.undo)
            asked.redo_requested.connect(self.verdicts.redo)

    @property
    def is_busy(self) -> bool:
        """Whether regions or findings are still to come."""
        return self._worker is not None and not self._worker.is_over

    def show(
        self, examination: Examination, beside: MapBeside | None, slice_order: npt.NDArray[np.intp]
    ) -> None:
        """Lists the regions of the joined map, or of one that stands beside it.

        Args:
            examination: Whose map it is.
            beside: The map that stands beside; None for the joined one.
            slice_order: For each slice in the order of the slider, its index in the scan.
        """
        self.discard()
        anomaly, level = examination.anomaly, self._panel.threshold.level
        regions: tuple[Region, ...] | None = None
        if beside is not None:
            level, regions = beside.level_one_region, beside.regions
        elif level == anomaly.level_one_region:
            regions = anomaly.regions
        self._at = slice_order, anomaly.p_floor
        known, is_measured = self.verdicts.known(examination)
        self.verdicts.wait(examination)
        if regions is not None:
            self._panel.show_regions(regions, level, slice_order, anomaly.p_floor)

        def work(progress: Progress, cancel: CancelToken) -> Listed:
            # Imports SciPy's measurements: not before there is something to measure.
            from napari_d24fad.findings.making import findings_at, findings_of, renewed

            found = self._session.regions(examination, level, cancel) if regions is None else regions
            scan = examination.scan
            if known is None:
                findings = Findings.of(findings_of(scan, anomaly))
            else:
                findings = known if is_measured else renewed(known, scan, anomaly)
            cancel.check()
            if beside is not None:
                return found, [Finding(0, each, beside=beside.plan) for each in found], findings
            return found, findings_at(scan, anomaly, found, level), findings

        def tell(listed: Listed) -> None:
            found, rows, findings = listed
            if regions is None:
                self._panel.show_regions(found, level, slice_order, anomaly.p_floor)
            self.verdicts.take(examination, findings)
            self.verdicts.show(rows, "" if beside is None else beside.plan)

        self._worker = Worker(work)
        self._worker.returned.connect(tell)
        if regions is None:  # nothing to find them with: the result is of before
            unknown = partial(self._panel.show_no_regions, level, slice_order)
            self._worker.cancelled.connect(unknown)
        self._worker.start()

    def discard(self) -> None:
        """Stops what is computed: nobody looks any more."""
        if self._worker is not None:
            self._worker.discard()
            self._worker = None

    def _judge(self, verdict: Verdict) -> None:
        self.verdicts.judge(self._panel.regions.currentRow(), verdict)

    def _write(self, note: str) -> None:
        self.verdicts.write(self._panel.regions.currentRow(), note)

    def _name(self, label: str) -> None:
        self.verdicts.name(self._panel.regions.currentRow(), label)

    def _remove(self) -> None:
        self.verdicts.remove(self._panel.regions.currentRow())

    def _edit_labels(self) -> None:
        bar = self._panel.verdict_bar
        labels = ask_for_labels(bar, read_labels())
        if labels is not None:
            bar.offer_labels(labels)
        self._show_row()

    def _show_verdicts(self) -> None:
        verdicts = self.verdicts
        if verdicts.listed:
            self._panel.regions.show_findings(verdicts.listed, *self._at)
        self._panel.verdict_bar.show_state(
            verdicts.findings, may_undo=verdicts.may_undo, may_redo=verdicts.may_redo
        )
        self._show_row()
        self._display.hide(verdicts.hidden)

    def _show_row(self, *_: int) -> None:
        row, listed = self._panel.regions.currentRow(), self.verdicts.listed
        chosen = 0 <= row < len(listed)
        self._panel.verdict_bar.show_row(chosen=chosen, finding=listed[row][1] if chosen else None)

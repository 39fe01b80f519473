"""What was found: the statement, the curve, and the parts that show slices, regions and reasons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QFormLayout, QGridLayout, QLabel, QPushButton, QVBoxLayout, QWidget
from superqt import QElidingLabel

from napari_d24fad.detection.result import AnomalyMap
from napari_d24fad.viewer.canvas.map_view import ChannelView, MapView, View
from napari_d24fad.viewer.results.case_bar import CaseBar
from napari_d24fad.viewer.results.look_choice import LookChoice
from napari_d24fad.viewer.results.regions_table import RegionsTable
from napari_d24fad.viewer.results.score_plot import ScorePlot
from napari_d24fad.viewer.results.slice_list import SliceList
from napari_d24fad.viewer.results.threshold import ThresholdControl
from napari_d24fad.viewer.results.verdict_bar import VerdictBar
from napari_d24fad.viewer.results.view_choice import ViewChoice
from napari_d24fad.viewer.results.why_panel import WhyPanel
from napari_d24fad.viewer.results.wording import (
    examples_statement,
    highest_normal_slice,
    p_text,
    scan_statement,
)
from napari_d24fad.viewer.section import Section
from napari_d24fad.viewer.styles import ERROR, WARNING, edged

if TYPE_CHECKING:
    from napari_d24fad.detection.references.regions import Region


_OUTDATED = (
    "This result is of an earlier choice of scan and references. Find anomalies examines the present one."
)


class ResultsPanel(QWidget):
    """Shows one `AnomalyMap`; slices are counted in the order of the slice slider.

    Attributes:
        plot: The curve over the slices.
        slice_list: The most suspicious slices.
        view_choice: What the colours show.
        threshold: From which score.
        look: Filled or outlined, in which colours.
        regions: The regions above it.
        verdict_bar: What a reader decides of them.
        why: The explanation of the slice that is shown.
        case_bar: Goes to the results of other scans.
    """

    slice_requested = Signal(int)
    """The slice to show, counted from 0."""
    picture_requested = Signal()
    """The user wants to save the canvas."""
    files_requested = Signal()
    """The user wants to save map, overlay and report."""
    session_requested = Signal()
    """The user wants to go on with it another day."""
    report_requested = Signal()
    """The user wants the findings as pages to read."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.case_bar = CaseBar()
        self._title = QElidingLabel()
        self._title.setStyleSheet("font-weight: bold;")
        self._headline = _wrapping_label("Result")
        self._examples = _wrapping_label("Abnormal examples")
        self._examples.setStyleSheet(edged(ERROR))
        self._outdated = _wrapping_label("Another choice")
        self._outdated.setText(_OUTDATED)
        self._outdated.setStyleSheet(edged(WARNING))
        self._outdated.hide()
        self._warnings = _wrapping_label("Warnings")
        self._warnings.setStyleSheet(edged(WARNING))
        self._colours = _wrapping_label("What the colours mean")
        self.plot = ScorePlot()
        self.plot.setToolTip("Click or drag to go to a slice; the arrow keys step")
        self.plot.slice_requested.connect(self.slice_requested)
        self.slice_list = SliceList()
        self.slice_list.slice_requested.connect(self.slice_requested)
        self.view_choice = ViewChoice()
        self.threshold = ThresholdControl()
        self.look = LookChoice()
        self.look.outlined_changed.connect(self._tell_colours)
        self._seen: tuple[View, AnomalyMap] | None = None
        self.regions = RegionsTable()
        self.why = WhyPanel()
        self._slices_section = Section("Most suspicious slices", self.slice_list, unfolded=True)
        self.verdict_bar = VerdictBar()
        read = QWidget()
        column = QVBoxLayout(read)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.regions)
        column.addWidget(self.verdict_bar)
        self._regions_section = Section("Regions", read, unfolded=True)
        self.why_section = Section("Why", self.why, unfolded=False)
        self._regions_title, self._of_joined = ("", ""), ""
        self._picture = QPushButton("Save picture…")
        self._picture.setToolTip("Save the view as PNG, with colour bar, scale bar and slice position")
        self._picture.clicked.connect(self.picture_requested)
        self._files = QPushButton("Save results…")
        self._files.setToolTip("Save the anomaly map as NIfTI, an overlay as PNG and the report as JSON")
        self._files.clicked.connect(self.files_requested)
        self._session = QPushButton("Save session…")
        self._session.setToolTip("Save scans by their paths, roles, result, verdicts and notes in one file")
        self._session.clicked.connect(self.session_requested)
        self._report = QPushButton("Report…")
        self._report.setToolTip("Save the findings as PDF, HTML, CSV and JSON; rejected ones are left out")
        self._report.clicked.connect(self.report_requested)
        self._dicom = QPushButton("DICOM…")
        self._dicom.setToolTip("Save segmentation, map, report and pictures as objects of the study")
        self._arrange()

    @property
    def headline(self) -> str:
        """The result in words."""
        return str(self._headline.text())

    @property
    def examples_text(self) -> str:
        """What abnormal examples say; empty without any."""
        return str(self._examples.text())

    @property
    def slices_section(self) -> Section:
        """The part with the most suspicious slices."""
        return self._slices_section

    @property
    def regions_section(self) -> Section:
        """The part with the regions; its title counts them."""
        return self._regions_section

    @property
    def picture_button(self) -> QPushButton:
        """The button that saves the canvas."""
        return self._picture

    @property
    def files_button(self) -> QPushButton:
        """The button that saves map, overlay and report."""
        return self._files

    @property
    def session_button(self) -> QPushButton:
        """The button that saves the session."""
        return self._session

    @property
    def report_button(self) -> QPushButton:
        """The button that saves the report."""
        return self._report

    @property
    def dicom_button(self) -> QPushButton:
        """The button that saves DICOM objects."""
        return self._dicom

    def show_result(self, label: str, anomaly: AnomalyMap, slice_order: npt.NDArray[np.intp]) -> None:
        """Shows a result.

        Args:
            label: Which scan it is about, without identity.
            anomaly: The result, in the scan's own order.
            slice_order: For each slice in the order of the slider, its index in the scan.
        """
        self._headline.setText(scan_statement(anomaly))
        told = examples_statement(anomaly)
        self._examples.setText(told)
        self._examples.setVisible(bool(told))
        self._title.setText(label)
        self.view_choice.show_channels(anomaly.channels, distances=anomaly.has_student)
        sentences = (*map(str, anomaly.warnings), *_flags(anomaly))
        self._warnings.setText("\n".join(sentences))
        self._warnings.setVisible(bool(sentences))
        self.plot.set_scores(anomaly.slice_scores[slice_order], highest_normal_slice(anomaly))
        self.slice_list.show_slices(anomaly, slice_order)
        floor = p_text(anomaly.p_floor, anomaly.p_floor)
        self._slices_section.set_title(f"Most suspicious slices (p ≥ {floor})")
        several = len(slice_order) > 1
        for part in (self.plot, self._slices_section):
            part.setVisible(several)

    def set_outdated(self, outdated: bool) -> None:
        """Says, or no longer says, that the result is of another choice than that in the gallery."""
        self._outdated.setVisible(outdated)

    @property
    def is_outdated(self) -> bool:
        """Whether that is said."""
        return not self._outdated.isHidden()

    def show_regions(
        self, regions: Sequence[Region], level: float, slice_order: npt.NDArray[np.intp], floor: float
    ) -> None:
        """Shows the regions above a level; see `RegionsTable.show_regions`."""
        self.regions.show_regions(regions, slice_order, floor)
        count = {0: "No region", 1: "1 region"}.get(len(regions), f"{len(regions)} regions")
        self._regions_title = f"{count} above {level:.3g}", f"(smallest p {p_text(floor, floor)})"
        self._title_regions()

    def show_no_regions(self, level: float, slice_order: npt.NDArray[np.intp]) -> None:
        """Says that it is not known which regions a result of before has at another level."""
        self.regions.show_regions((), slice_order, float("nan"))
        self._regions_title = f"Regions above {level:.3g}:", "known after a run"
        self._title_regions()

    def explain_colours(self, view: View, anomaly: AnomalyMap) -> None:
        """Says what the colours mean, from where there are any, and what the regions are those of."""
        beside = view.channel.beside if isinstance(view, ChannelView) else ""
        self._of_joined = "" if view is MapView.SCORE or not anomaly.channels else " in the joined map"
        if beside:
            self._of_joined = f" in the map of {beside}"
        self.threshold.setEnabled(not beside)
        self._title_regions()
        self._seen = view, anomaly
        self._tell_colours()

    @property
    def colours_text(self) -> str:
        """What is said of the colours, or of the lines where there are no colours."""
        return str(self._colours.text())

    def _tell_colours(self) -> None:
        if self._seen is None:
            return
        view, anomaly = self._seen
        if self.look.is_outlined:  # whatever is chosen to be shown: the map is hidden
            self._colours.setText(self.threshold.meaning(anomaly, outlined=True))
            return
        threshold = [self.threshold.meaning(anomaly)] if view.is_calibrated else []
        self._colours.setText(" ".join([view.explanation, *threshold]))

    def _title_regions(self) -> None:
        told, floor = self._regions_title
        if told:
            self._regions_section.set_title(f"{told}{self._of_joined} {floor}")

    def set_slice(self, index: int) -> None:
        """Follows the slider; asks for nothing."""
        self.plot.set_slice(index)
        self.slice_list.set_slice(index)

    def _arrange(self) -> None:
        choices = QFormLayout()
        choices.setContentsMargins(0, 0, 0, 0)
        choices.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        choices.addRow("Show", self.view_choice)
        choices.addRow("From", self.threshold)
        choices.addRow("As", self.look)
        saving = QGridLayout()
        for at, button in enumerate((self._picture, self._files, self._report, self._session, self._dicom)):
            saving.addWidget(button, at // 2, at % 2)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.case_bar)
        for part in (self._outdated, self._title, self._headline, self._examples, self._warnings, self.plot):
            layout.addWidget(part)
        layout.addLayout(choices)
        for part in (self._colours, self._regions_section, self._slices_section, self.why_section):
            layout.addWidget(part)
        layout.addLayout(saving)


def _flags(anomaly: AnomalyMap) -> list[str]:
    return [
        f"Reference {check.index + 1} differs from the others: decide on its card, on the page Scans."
        for check in anomaly.reference_checks
        if check.flagged
    ]


def _wrapping_label(name: str) -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.setAccessibleName(name)
    return label

"""Shows one examination: keeps the results panel, the layers and the slider in step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Signal

from napari_d24fad.detection.result import FloatArray, MapBeside, MapChannel
from napari_d24fad.session.request import Examination
from napari_d24fad.session.session import DetectionSession
from napari_d24fad.studies.series import Series
from napari_d24fad.viewer.canvas.flicker import Flicker
from napari_d24fad.viewer.canvas.legend import Legend
from napari_d24fad.viewer.canvas.map_view import ChannelView, MapView
from napari_d24fad.viewer.canvas.maps import ResultLayers
from napari_d24fad.viewer.canvas.scans import ScanLayers, ShownScan
from napari_d24fad.viewer.results.likeness import Likeness
from napari_d24fad.viewer.results.map_display import MapDisplay
from napari_d24fad.viewer.results.panel import ResultsPanel
from napari_d24fad.viewer.results.reasons import Reasons
from napari_d24fad.viewer.results.region_listing import RegionListing
from napari_d24fad.viewer.results.verdicts import Verdicts

if TYPE_CHECKING:
    from napari_d24fad.detection.references.regions import Region
    from napari_d24fad.detection.streaming import PartialMap


class ResultView(QObject):
    """Joins what shows an examination: none of the parts knows another.

    Args:
        session: Has the examination's scans encoded.
        scans: The scan and the slider.
        maps: What lies over the scan.
        panel: The widgets.
        flicker: Shows scan and aligned reference in turns.
    """

    reference_requested = Signal(int)
    """The user wants to look at a reference of the examination, counted from 0."""
    example_requested = Signal(int)
    """The user wants to look at an abnormal example of the examination, counted from 0."""

    def __init__(
        self,
        session: DetectionSession,
        scans: ScanLayers,
        maps: ResultLayers,
        panel: ResultsPanel,
        flicker: Flicker,
    ) -> None:
        super().__init__()
        self._session, self._scans, self._maps, self._panel = session, scans, maps, panel
        self._examination: Examination | None = None
        self._shown: ShownScan | None = None
        self._is_filling = False
        self._before: Examination | None = None
        self._listed: MapBeside | None = None
        self.is_aside, self._left_at = False, 0
        """Whether another scan is on the canvas until `come_back`."""
        self.reasons = Reasons(session, panel, flicker)
        self.likeness = Likeness(panel.why.example, scans, maps)
        self.display = MapDisplay(session, maps, panel)
        self._regions = RegionListing(session, panel, self.display)
        self._connect()

    @property
    def is_busy(self) -> bool:
        """Whether something is still to come."""
        parts = (self._regions, self.display, self.reasons.explanations, self.likeness)
        return any(part.is_busy for part in parts)

    @property
    def legend(self) -> Legend | None:
        """What the colours on the canvas mean; None if there are no colours."""
        return self._maps.legend(self._panel.view_choice.view)

    @property
    def verdicts(self) -> Verdicts:
        """What a reader decided of its regions."""
        return self._regions.verdicts

    @property
    def channel(self) -> MapChannel | None:
        """The part of the map that is shown alone; None where the whole is, or something else."""
        view = self._panel.view_choice.view
        return view.channel if isinstance(view, ChannelView) else None

    def show(self, examination: Examination) -> None:
        """Shows an examination in place of an earlier one, at its most suspicious slice."""
        self.discard()
        self._stop_filling()
        self._examination, self._before = examination, None
        anomaly = examination.anomaly
        shown = self._shown = self._scans.show_scan(examination.request.query, examination.scan)
        self.reasons.show(examination, shown)
        self._panel.threshold.show_levels(anomaly, examination.limits[1])
        self._maps.show_result(anomaly, self.display.score_limits(examination))
        self._panel.show_result(examination.request.query.label, anomaly, shown.slice_order)
        self._panel.view_choice.choose(MapView.SCORE)
        self._listed = None
        self._list_regions()
        self._show_view()
        for index in anomaly.most_suspicious(1):
            self._scans.go_to_slice(int(shown.slice_order[index]))
        self._follow_slice()

    def show_partial(self, series: Series, partial_map: PartialMap) -> None:
        """Shows a map while it is computed, in place of an earlier examination."""
        if not self._is_filling:
            self.discard()
            self.reasons.lose()
            self._before, self._examination, self._is_filling = self._examination, None, True
            self._panel.setEnabled(False)  # it tells of another map
            self._shown = self._scans.show_scan(series, partial_map.scan)
        if self._scans.shown is self._shown:  # else the user looks at something else meanwhile
            self._maps.show_partial(partial_map.values, partial_map.limits)

    def drop_partial(self) -> None:
        """Takes a map away that will not be completed; shows what was there before."""
        if not self._is_filling:
            return
        self._stop_filling()
        self._maps.remove()
        before, self._before = self._before, None
        if before is not None:
            self.show(before)

    def renew(self, examination: Examination) -> None:
        """Shows another examination of the same scan; slice, view and threshold stay as chosen."""
        if self.is_aside:
            self._examination = examination  # `come_back` shows it
            return
        if self._examination is None or self._shown is None or not self._is_shown:
            self.show(examination)
            return
        self.discard()
        self._examination = examination
        self.reasons.show(examination, self._shown)
        anomaly, level = examination.anomaly, self._panel.threshold.choice.currentText()
        self._panel.threshold.show_levels(anomaly, examination.limits[1], level)
        self._maps.renew(anomaly)
        self._panel.show_result(examination.request.query.label, anomaly, self._shown.slice_order)
        self._listed = self._beside
        self._show_view()
        self._change_level()
        self._follow_slice()

    def renew_slice(self, slice_index: int, values: FloatArray) -> None:
        """Shows other scores in one slice of the examination; see `ResultLayers.renew_slice`."""
        if self._examination is not None and self._is_shown and self._panel.view_choice.view is MapView.SCORE:
            self._maps.renew_slice(values, slice_index)

    def discard(self) -> None:
        """Stops what is computed: nobody looks any more."""
        self.reasons.discard()
        self.likeness.discard()
        self.display.discard()
        self._regions.discard()

    def _connect(self) -> None:
        panel = self._panel
        panel.slice_requested.connect(self._scans.go_to_slice)
        panel.view_choice.opacity_changed.connect(self._maps.set_opacity)
        self._maps.opacity_changed.connect(panel.view_choice.show_opacity)
        panel.view_choice.view_changed.connect(self._show_view)
        panel.threshold.level_changed.connect(self._change_level)
        panel.regions.region_requested.connect(self._go_to_region)
        panel.why_section.unfolded_changed.connect(self._explain)
        panel.why.reference_requested.connect(self.reference_requested)
        panel.why.example.example_requested.connect(self.example_requested)
        self._scans.slice_changed.connect(self._follow_slice)
        self._scans.removed.connect(self._lose_scan)

    def step_aside(self) -> None:
        """Makes room for another scan on the canvas; `come_back` shows the examination again."""
        if not self.is_aside:
            self._left_at = self._scans.current_slice
        self.is_aside = self._examination is not None
        self._lose_scan()
        self._panel.setEnabled(False)  # it tells of another scan

    def come_back(self) -> None:
        """Shows the examination again, if there is one."""
        self._panel.setEnabled(True)
        if self._examination is not None:
            self.show(self._examination)
            self._scans.go_to_slice(self._left_at)

    @property
    def examined(self) -> Series | None:
        """The series of the examination; None if there is none."""
        return None if self._examination is None else self._examination.request.query

    def _lose_scan(self) -> None:
        """A map over nothing would mislead."""
        self.discard()
        self.reasons.lose()
        self._maps.remove()

    def _follow_slice(self) -> None:
        if self._is_shown:
            self.display.look_at(self.slice_index)
            self._panel.set_slice(self._scans.current_slice)
        self._explain()

    @property
    def slice_index(self) -> int:
        """The slice that is shown, along the slice axis of the scan."""
        shown = self._shown
        if shown is None or self._scans.shown is not shown:
            return 0
        return int(shown.slice_order[self._scans.current_slice])

    def go_to(self, slice_index: int) -> None:
        """Goes to a slice, given along the slice axis of the scan."""
        if self._shown is not None and self._is_shown:
            self._scans.go_to_slice(list(self._shown.slice_order).index(slice_index))

    @property
    def is_covered(self) -> bool:
        """Whether layers of others lie over the scan."""
        return self._scans.is_covered

    def slice_of(self, series: Series) -> int | None:
        """Returns the slice that is shown, if it is one of this series."""
        shown = self._scans.shown
        if shown is None or shown.series is not series:
            return None
        return int(shown.slice_order[self._scans.current_slice])

    def set_outdated(self, outdated: bool) -> None:
        """Says, or no longer says, that the examination is of another choice than that in the gallery."""
        self._panel.set_outdated(outdated)

    @property
    def _is_shown(self) -> bool:
        """Whether the examination's scan is still the one on the canvas."""
        return self._examination is not None and self._scans.shown is self._shown

    def _change_level(self) -> None:
        if self._examination is None:
            return
        if self._maps.result_layer is None:
            self._show_view()  # it was removed by hand
        self.display.show_limits(self._examination)
        self._maps.unmark()  # its region may be no region any more
        self._list_regions()

    def _list_regions(self) -> None:
        """Lists the regions of the map that is shown: the joined one, or one that stands beside it."""
        if self._examination is not None and self._shown is not None:
            self._regions.show(self._examination, self._beside, self._shown.slice_order)

    def _stop_filling(self) -> None:
        self._is_filling = self.is_aside = False
        self._panel.setEnabled(True)

    @property
    def _beside(self) -> MapBeside | None:
        """The map beside the joined one that is shown, as a whole or in part; None if none is."""
        if self.channel is None or self._examination is None:
            return None
        known = self._examination.anomaly.beside
        return next((each for each in known if each.plan == self.channel.beside), None)

    @property
    def _plan_beside(self) -> str:
        return "" if self._beside is None else self._beside.plan

    def _go_to_region(self, region: Region) -> None:
        if self._shown is None or not self._is_shown:
            return
        self.reasons.choose_place(region.peak_index, self._plan_beside)
        self._scans.go_to(region.peak_index)
        self._explain()
        self._maps.mark(region.peak_index, f"Peak of region {region.number or ''}".strip())

    def _show_view(self) -> None:
        """Shows the map that is chosen; what takes time comes when it is there."""
        if self._examination is not None and self._is_shown:
            self._scans.set_caption(self._panel.view_choice.view.colours)
            self.display.show(self._examination, self.slice_index)
            if self._beside is not self._listed:
                self._maps.unmark()  # it is a region of another map
                self._listed = self._beside
                self._list_regions()
                self._explain()

    def _explain(self) -> None:
        """Asks why what is shown was scored as it was, if anything shows the answer."""
        if self._examination is not None and self._is_shown:
            self.reasons.look_at(self.slice_index, self._plan_beside)
            if self._panel.why_section.is_unfolded:
                self.likeness.look_at(self._examination)
        else:
            self.reasons.discard()

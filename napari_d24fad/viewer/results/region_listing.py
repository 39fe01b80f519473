"""Lists the regions of the map that is shown, at the level that is chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QObject

from napari_d24fad.detection.result import MapBeside
from napari_d24fad.progress import CancelToken, Progress
from napari_d24fad.session.request import Examination
from napari_d24fad.session.session import DetectionSession
from napari_d24fad.viewer.results.panel import ResultsPanel
from napari_d24fad.viewer.running.workers import Worker

if TYPE_CHECKING:
    from napari_d24fad.detection.references.regions import Region


class RegionListing(QObject):
    """Finds regions in the background where the result does not have them already.

    Args:
        session: Made the examinations.
        panel: Shows the regions.
    """

    def __init__(self, session: DetectionSession, panel: ResultsPanel) -> None:
        super().__init__()
        self._session, self._panel = session, panel
        self._worker: Worker | None = None

    @property
    def is_busy(self) -> bool:
        """Whether regions are still to come."""
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
        if beside is not None:
            level = beside.level_one_region

        def tell(regions: tuple[Region, ...]) -> None:
            self._panel.show_regions(regions, level, slice_order, anomaly.p_floor)

        if beside is not None:
            tell(beside.regions)
        elif level == anomaly.level_one_region:
            tell(anomaly.regions)
        else:

            def work(progress: Progress, cancel: CancelToken) -> tuple[Region, ...]:
                return self._session.regions(examination, level, cancel)

            self._worker = Worker(work)
            self._worker.returned.connect(tell)
            self._worker.start()

    def discard(self) -> None:
        """Stops what is computed: nobody looks any more."""
        if self._worker is not None:
            self._worker.discard()
            self._worker = None

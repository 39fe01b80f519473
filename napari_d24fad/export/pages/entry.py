"""What a report page is made of."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from napari_d24fad.detection.result import AnomalyMap
from napari_d24fad.export.colours import COLORMAP
from napari_d24fad.export.report import ReportEntry
from napari_d24fad.findings.finding import Verdict
from napari_d24fad.findings.findings import Findings


@dataclass(frozen=True, slots=True)
class CaseEntry:
    """A scan, what was found in it, and what a reader made of that.

    Attributes:
        found: The scan and the result.
        findings: With the reader's verdicts.
        shares: How much each reference counted; None for 1 each.
        window: Values that pictures show as black and white, as chosen by the reader; None for the usual.
        problems: What else is to be said of it, such as scans that are missing.
        colours: Of the map in pictures, one of `COLOURS`.
    """

    found: ReportEntry
    findings: Findings
    shares: tuple[float, ...] | None = None
    window: tuple[float, float] | None = None
    problems: tuple[str, ...] = ()
    colours: str = COLORMAP

    def shown_map(self) -> AnomalyMap:
        """Returns the result with rejected findings below the level: no picture may colour them."""
        anomaly = self.found.anomaly
        rejected = [
            each.mask
            for each in self.findings
            if each.verdict is Verdict.REJECTED and each.mask is not None and not each.by_hand
        ]
        if not rejected:
            return anomaly
        values = anomaly.values.copy()
        below = np.nextafter(np.float32(anomaly.level_one_region), np.float32(-np.inf))
        for mask in rejected:
            places = tuple(mask.places.T)
            values[places] = np.minimum(values[places], below)
        return replace(anomaly, values=values)

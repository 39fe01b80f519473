"""What a user asks for, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from napari_d24fad.detection.encoding.intensity import CtWindow, usual_window, usual_windows
from napari_d24fad.detection.result import AnomalyMap
from napari_d24fad.studies.scan import Scan
from napari_d24fad.studies.series import Series


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asked for.

    Attributes:
        query: The series to examine.
        references: The series marked as normal.
        model: Name or file of the model.
        device: Name of the device, or ``"auto"``.
        shares: How much each reference counts, above 0 and up to 1; None for 1 each.
        ct_window: Low and high HU that become black and white, chosen by the reader; None for the
            windows that are usual for the query.
        scoring: ``"paper"``, ``"matched"`` or ``"atlas"``; None takes ``"atlas"`` for volumes of a kind
            that has a plan (see `detection.atlas.plans`), else what the model's card says.
        direction: ``"brighter"``, ``"darker"`` or ``"both"``, for the atlas; None for what is usual for
            the kind of study.
    """

    query: Series
    references: tuple[Series, ...]
    model: str | Path = field(repr=False)  # a path may say whose
    device: str
    shares: tuple[float, ...] | None = None
    ct_window: CtWindow | None = None
    scoring: str | None = None
    direction: str | None = None

    @property
    def window(self) -> CtWindow:
        """Low and high HU that the query is shown in, as chosen or by `usual_window`."""
        return self.ct_window or usual_window(self.query.outline)

    @property
    def windows(self) -> tuple[CtWindow, ...]:
        """Those that query and references are examined in: the one chosen, or `usual_windows`."""
        return usual_windows(self.query.outline) if self.ct_window is None else (self.ct_window,)

    @property
    def setting(self) -> tuple[object, ...]:
        """What features depend on beside the scans."""
        return self.model, self.device, self.scoring, self.windows

    def differs_in_references_only(self, other: Request) -> bool:
        """Whether what was found for another request can be used for this one."""
        own = (self.query, self.setting, self.direction)
        return own == (other.query, other.setting, other.direction)


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Examination:
    """What came of a request.

    Attributes:
        request: What was asked for.
        scan: The scan that was examined.
        anomaly: The result.
        limits: Values at the ends of the colour scale; worked out with the result, because
            that takes too long for the GUI thread with large volumes.
    """

    request: Request
    scan: Scan = field(repr=False)
    anomaly: AnomalyMap
    limits: tuple[float, float]

"""What a user asks for, and what comes of it."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from napari_d24fad.anatomy.grid import BoolArray
from napari_d24fad.detection.encoding.intensity import CtWindow, usual_window, usual_windows
from napari_d24fad.detection.result import AnomalyMap
from napari_d24fad.errors import Code, PairingError
from napari_d24fad.studies.scan import Scan
from napari_d24fad.studies.series import Series


@dataclass(frozen=True, slots=True)
class Drawn:
    """A region that a reader drew on one scan, to be examined alone.

    Attributes:
        series: The scan it was drawn on: the query, a reference, or one that was a reference.
        key: Equal for equal regions on equal scans, and for no others.
        read: Returns the region on the grid of that scan; called in a worker thread.
    """

    series: Series
    key: str
    read: Callable[[], BoolArray] = field(compare=False, repr=False)

    @classmethod
    def of(cls, series: Series, mask: BoolArray) -> Drawn:
        """Makes a region of an array.

        Args:
            series: The scan it was drawn on.
            mask: On the grid of that scan.

        Raises:
            PairingError: ``REGION_UNMATCHED``, if it has another shape; ``REGION_EMPTY``.
        """
        if mask.shape != series.grid:
            raise PairingError(Code.REGION_UNMATCHED)
        if not mask.any():
            raise PairingError(Code.REGION_EMPTY, "Nothing is drawn.")
        packed = np.packbits(mask)
        # Without files it cannot be told whether a scan is the same one as on another day.
        where = series.fingerprint() or uuid.uuid4().hex
        key = hashlib.sha256(f"{mask.shape} {where}".encode() + packed.tobytes()).hexdigest()
        return cls(series, key, partial(_unpacked, packed, mask.shape))


@dataclass(frozen=True, slots=True)
class Example:
    """A scan known to be abnormal, as an example of what is looked for.

    Attributes:
        series: The scan.
        kind: What it shows, such as ``"haemorrhage"``. Examples of one kind teach together, each kind
            apart; those without a name are one kind.
        lesion: What in it is abnormal: a region that was drawn on it, or of a volume indices along its
            slice axis, from 0; None for what stands out most against the references.

    Raises:
        PairingError: ``REGION_UNMATCHED``, if the region was drawn on another scan;
            ``LESION_SLICES_UNKNOWN``, if the scan has no slices of these numbers.
    """

    series: Series
    kind: str = ""
    lesion: Drawn | tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        if isinstance(self.lesion, Drawn):
            if self.lesion.series != self.series:
                raise PairingError(Code.REGION_UNMATCHED)
        elif self.lesion is not None:
            count = self.series.grid[self.series.outline.slice_axis]
            if not self.lesion or not all(0 <= index < count for index in self.lesion):
                raise PairingError(Code.LESION_SLICES_UNKNOWN, f"It has {count}.")

    @classmethod
    def of(cls, marked: Series | Example) -> Example:
        """Returns an example of a series alone, or what is one already."""
        return marked if isinstance(marked, Example) else cls(marked)


def _unpacked(packed: npt.NDArray[np.uint8], shape: tuple[int, ...]) -> BoolArray:
    return np.unpackbits(packed, count=int(np.prod(shape))).reshape(shape).astype(bool)


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
            that has a plan (see `detection.plans.choice`), else what the model's card says.
        direction: ``"brighter"``, ``"darker"`` or ``"both"``, for the atlas; None for what is usual for
            the kind of study.
        regions: Examine only here: in each scan what was drawn on it, in others what is carried there from
            those that were drawn on; empty for all of it.
        abnormal: The scans marked as abnormal: examples of what is looked for.
    """

    query: Series
    references: tuple[Series, ...]
    model: str | Path = field(repr=False)  # a path may name the patient
    device: str
    shares: tuple[float, ...] | None = None
    ct_window: CtWindow | None = None
    scoring: str | None = None
    direction: str | None = None
    regions: tuple[Drawn, ...] = ()
    abnormal: tuple[Example, ...] = ()

    @property
    def window(self) -> CtWindow:
        """Low and high HU that the query is shown in, as chosen or by `usual_window`."""
        return self.ct_window or usual_window(self.query.outline)

    @property
    def windows(self) -> tuple[CtWindow, ...]:
        """Those that query and references are examined in: the one chosen, or `usual_windows`."""
        return usual_windows(self.query.outline) if self.ct_window is None else (self.ct_window,)

    @property
    def marked_abnormal(self) -> tuple[Series, ...]:
        """The series of the abnormal examples."""
        return tuple(each.series for each in self.abnormal)

    @property
    def setting(self) -> tuple[object, ...]:
        """What features depend on beside the scans."""
        return self.model, self.device, self.scoring, self.windows

    def differs_in_references_only(self, other: Request) -> bool:
        """Whether what was found for another request can be used for this one: scans marked may differ."""
        own = (self.query, self.setting, self.direction, self.regions)
        return own == (other.query, other.setting, other.direction, other.regions)


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

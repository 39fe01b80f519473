"""The one intensity mapping, the same for references and query: real-world values to 0..1."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from napari_d24fad.errors import Code, StudyError
from napari_d24fad.studies.scan import Photometric, Scan

CtWindow = tuple[float, float]
"""Low and high HU that become black and white."""

CT_WINDOW: CtWindow = (-160.0, 240.0)
"""Soft tissue (centre 40, width 400): for CT of which nothing else is known."""

CT_WINDOWS: dict[str, CtWindow] = {
    "Soft tissue": CT_WINDOW,
    "Lung and mediastinum": (-1000.0, 400.0),
    "Lung": (-1350.0, 150.0),
    "Brain": (0.0, 80.0),
    "Subdural": (-20.0, 180.0),
    "Bone": (-450.0, 1050.0),
}
"""By name, with levels and widths as workstations commonly preset them, but for the second.

In it air, emphysema (below -950 HU), lung, ground glass, fat, muscle and enhanced vessels are all
different greys: a lung window shows the mediastinum white, and one of soft tissue the lungs black."""

_CHEST = ("CHEST", "LUNG", "THORA")
_BRAIN = ("BRAIN",)
_BY_BODY_PART = ((_CHEST, CT_WINDOWS["Lung and mediastinum"]), (_BRAIN, CT_WINDOWS["Brain"]))
"""How body parts begin, such as ``"CHESTABDOMEN"``; a head with the neck has more than a brain."""

_CHEST_IS_READ_IN = (CT_WINDOWS["Lung"], CT_WINDOW)
_HEAD_IS_READ_IN = (CT_WINDOWS["Brain"], CT_WINDOWS["Subdural"], CT_WINDOWS["Bone"])

SUV_WINDOW = (0.0, 10.0)
"""SUV of PET: all tracer-poor tissue is dark, liver (2 to 3) grey, avid lesions (10 and more) white."""

_QUANTITIES = ("CT", "NM", "PT")
_SAMPLES = 200_000


@dataclass(frozen=True, slots=True)
class Window:
    """Real-world values that become black and white.

    Attributes:
        low: Becomes 0.
        high: Becomes 1.
        inverted: Whether 0 and 1 are exchanged afterwards (MONOCHROME1), so that
            bone is bright in every radiograph.
        others: Further windows. The grey is the mean of what all show: it never falls as HU rise, and
            what differs in any of them differs in it.
    """

    low: float
    high: float
    inverted: bool = False
    others: tuple[CtWindow, ...] = ()

    def apply(self, voxels: npt.NDArray[np.generic]) -> npt.NDArray[np.float32]:
        """Maps values to 0..1, clipped; what is not a number becomes 0 (padding is black)."""
        values = voxels.astype(np.float32)
        unit = _through(values, (self.low, self.high))
        for other in self.others:
            unit += _through(values, other)
        if self.others:
            unit /= np.float32(1 + len(self.others))
        if self.inverted:
            unit = 1 - unit
        unit[np.isnan(unit)] = 0
        return unit


def _through(values: npt.NDArray[np.float32], window: CtWindow) -> npt.NDArray[np.float32]:
    low, high = window
    unit: npt.NDArray[np.float32] = (values - np.float32(low)) / np.float32(high - low)
    return np.clip(unit, 0, 1, out=unit)


def sample_of(voxels: npt.NDArray[np.generic]) -> npt.NDArray[np.float32]:
    """Returns the numbers among voxels that lie evenly spread over the scan, enough for percentiles."""
    step = max(1, voxels.size // _SAMPLES)
    # A step that shares a factor with the size of a slice would visit a few of its columns only.
    while math.gcd(step, math.prod(voxels.shape[1:])) > 1:
        step += 1
    values = voxels.flat[::step].astype(np.float32)
    return values[np.isfinite(values)]


def usual_windows(scan: Scan) -> tuple[CtWindow, ...]:
    """Returns the windows that a CT is examined in together unless a reader chooses one.

    Those that its body part is read in: brain, subdural and bone for a head, lung and soft tissue for a
    chest; else that of `usual_window` and that of bone.

    Args:
        scan: A scan or its outline; only what its header tells is looked at.

    Returns:
        One or more; that of soft tissue, which nothing asks for, if it is no CT.
    """
    if scan.modality != "CT":
        return (CT_WINDOW,)
    part = scan.identity.body_part
    if part == "HEAD" or part.startswith(_BRAIN):
        return _HEAD_IS_READ_IN
    if part.startswith(_CHEST):
        return _CHEST_IS_READ_IN
    return tuple(dict.fromkeys((usual_window(scan), CT_WINDOWS["Bone"])))


def name_windows(windows: Sequence[CtWindow]) -> str:
    """Names windows by what they are for and their HU, such as "brain 0 to 80 and bone -450 to 1050 HU"."""
    names = {window: f"{name.lower()} " for name, window in CT_WINDOWS.items()}
    said = [f"{names.get(window, '')}{window[0]:g} to {window[1]:g}" for window in windows]
    return " and ".join(filter(None, (", ".join(said[:-1]), said[-1]))) + " HU"


def usual_window(scan: Scan) -> CtWindow:
    """Returns the window that a CT is shown in unless a reader chooses another.

    That of its body part if that has one, else the one its header states, else that of soft tissue.

    Args:
        scan: A scan or its outline; only what its header tells is looked at.

    Returns:
        Low and high HU; those of soft tissue, which nothing asks for, if it is no CT.
    """
    if scan.modality != "CT":
        return CT_WINDOW
    part = scan.identity.body_part
    if part == "HEAD":
        return CT_WINDOWS["Brain"]
    usual = (window for beginnings, window in _BY_BODY_PART if part.startswith(beginnings))
    return next(usual, scan.stated_window or CT_WINDOW)


def window_of(scan: Scan, *ct_windows: CtWindow) -> Window:
    """Chooses the window of a scan by rule, never by eye.

    CT and PET in SUV have absolute values: their window is the same for all scans compared. MR and
    others have none: black is the 0.5th percentile, white the 99.5th percentile of the brighter half of the
    scan, which the amount of air around the patient does not move. Colour is taken
    as it is.

    Args:
        scan: The whole scan; the window is one for all of its slices.
        ct_windows: Low and high HU for CT, joined where there are several; that of soft tissue for none.

    Raises:
        StudyError: CONSTANT_IMAGE if percentiles are needed and there are no two values to tell apart.
    """
    if scan.is_colour:
        return Window(0.0, 65535.0 if scan.voxels.dtype == np.uint16 else 255.0)
    # Polarity is a matter of the screen where values are measured quantities.
    inverted = scan.photometric is Photometric.BRIGHT_TO_DARK and scan.modality not in _QUANTITIES
    if scan.modality == "CT":
        (low, high), *others = ct_windows or (CT_WINDOW,)
        return Window(low, high, inverted, tuple(others))
    if scan.unit == "SUV":
        return Window(*SUV_WINDOW, inverted=inverted)
    values = sample_of(scan.voxels)
    if values.size == 0 or values.min() == values.max():
        raise StudyError(Code.CONSTANT_IMAGE)
    low = float(np.percentile(values, 0.5))
    high = float(np.percentile(values[values >= values.mean()], 99.5))
    if high <= low:
        low, high = float(values.min()), float(values.max())
    return Window(low, high, inverted)

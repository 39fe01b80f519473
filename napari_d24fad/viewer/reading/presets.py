"""Display windows that a reader chooses from: by key, the same key for the same window in every scan."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_d24fad.detection.encoding.intensity import CT_WINDOWS, SUV_WINDOW, sample_of, usual_window
from napari_d24fad.studies.scan import Scan
from napari_d24fad.viewer.canvas.style import Limits, contrast_limits

_CT: tuple[tuple[int, str, Limits], ...] = (
    (2, "Brain", CT_WINDOWS["Brain"]),
    (3, "Subdural", CT_WINDOWS["Subdural"]),
    (4, "Stroke", (20.0, 60.0)),
    (5, "Bone", CT_WINDOWS["Bone"]),
    (6, "Lung", CT_WINDOWS["Lung"]),
    (7, "Mediastinum", (-125.0, 225.0)),
    (8, "Abdomen", (-160.0, 240.0)),
    (9, "Liver", (-45.0, 105.0)),
)
"""Key, name, and low and high HU, as workstations commonly preset them."""

_FIRST_FOR = (
    (("HEAD", "BRAIN", "SKULL"), ("Brain", "Subdural", "Stroke", "Bone")),
    (("CHEST", "LUNG", "THORA"), ("Lung", "Mediastinum", "Bone")),
    (("ABD", "LIVER", "PELVIS"), ("Abdomen", "Liver", "Bone")),
)
"""How body parts begin, and what they are read in: it comes first in the list, under its usual key."""

_SUV: tuple[tuple[int, str, Limits], ...] = (
    (2, "To 2.5 SUV", (0.0, 2.5)),
    (3, "To 5 SUV", (0.0, 5.0)),
    (4, "To 7 SUV", (0.0, 7.0)),
    (5, "To 10 SUV", SUV_WINDOW),
    (6, "To 15 SUV", (0.0, 15.0)),
    (7, "To 20 SUV", (0.0, 20.0)),
)

_PERCENTILES: tuple[tuple[int, str, Limits], ...] = (
    (2, "All values", (0.0, 100.0)),
    (3, "1 to 99 %", (1.0, 99.0)),
    (4, "5 to 95 %", (5.0, 95.0)),
)
"""Key, name, and percentiles of the values, for scans whose values have no absolute scale."""

_TISSUE: tuple[tuple[int, str, Limits], ...] = (
    (5, "Dark tissue", (0.0, 75.0)),
    (6, "Bright tissue", (25.0, 99.9)),
)
"""The same of the brighter half of the values, which air around the patient does not move."""


@dataclass(frozen=True, slots=True)
class Preset:
    """A display window.

    Attributes:
        key: Digit that chooses it, 1 to 9.
        name: What the reader chooses it by.
        limits: Values that become black and white (white and black for MONOCHROME1).
    """

    key: int
    name: str
    limits: Limits


def presets_of(scan: Scan) -> tuple[Preset, ...]:
    """Returns the windows that a scan is read in; none for colour.

    1 is the window that the file asks for (DICOM Window Center 0028,1050 and Width 0028,1051), or else the
    usual one. CT has windows in HU, PET in SUV its own, everything else percentiles of its values.

    Args:
        scan: The scan, with its pixels.
    """
    if scan.is_colour:
        return ()
    stated = scan.stated_window
    if scan.modality == "CT":
        first = Preset(1, "As the file says", stated) if stated else Preset(1, "Usual", usual_window(scan))
        return (first, *_by_body_part(scan.identity.body_part))
    first = Preset(1, "As the file says", stated) if stated else Preset(1, "Usual", contrast_limits(scan))
    if scan.unit == "SUV":
        return (first, *(Preset(*each) for each in _SUV))
    sample = sample_of(scan.voxels)
    if not sample.size:
        return (first,)
    listed = [
        Preset(key, name, (float(low), float(high)))
        for values, wanted in ((sample, _PERCENTILES), (sample[sample >= sample.mean()], _TISSUE))
        for (key, name, shares) in wanted
        for low, high in [np.percentile(values, shares)]
        if high > low
    ]
    usual = (Preset(7, "Usual", contrast_limits(scan)),) if stated else ()
    return (first, *listed, *usual)


def _by_body_part(part: str) -> tuple[Preset, ...]:
    first = next((names for beginnings, names in _FIRST_FOR if part.startswith(beginnings)), ())
    listed = [Preset(*each) for each in _CT]
    return tuple(sorted(listed, key=lambda each: each.name not in first))

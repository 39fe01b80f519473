"""The values that a DICOM header asks to be shown as black and white."""

from __future__ import annotations

import math

from pydicom.dataset import Dataset

from napari_d24fad.studies.dicom.values import items, text

WINDOW_KEYWORDS = ("WindowCenter", "WindowWidth")


def stated_window(header: Dataset) -> tuple[float, float] | None:
    """Returns the first window of a header.

    Read from Window Center (0028,1050) and Window Width (0028,1051), which enhanced files state
    in Frame VOI LUT Sequence (0028,9132) for all frames. Both may have several values, for several
    windows; the first is the one to show.

    Returns:
        Low and high in real-world values (HU for CT); None if no window is stated.
    """
    groups = items(header, "SharedFunctionalGroupsSequence")
    for part in (header, *(each for group in groups for each in items(group, "FrameVOILUTSequence"))):
        centre, width = (_first_number(part, keyword) for keyword in WINDOW_KEYWORDS)
        if math.isfinite(centre) and width >= 1:
            return centre - width / 2, centre + width / 2
    return None


def _first_number(header: Dataset, keyword: str) -> float:
    try:
        return float(text(header, keyword).split("\\")[0])
    except ValueError:
        return math.nan

"""What is shown of a volume with a lesion: single slices, small enough to be kept for many scans."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True, eq=False)
class SlicePicture:
    """One slice as it lies on a radiologist's screen, cut to the anatomy.

    Attributes:
        image: ``(rows, columns)`` uint8.
        values: ``(rows, columns)`` float16 map; NaN where nothing is coloured.
        lesion: ``(rows, columns)`` outline of the lesion.
        region: ``(rows, columns)`` outline of the highest-ranked region.
    """

    image: npt.NDArray[np.uint8] = field(repr=False)
    values: npt.NDArray[np.float16] = field(repr=False)
    lesion: npt.NDArray[np.bool_] = field(repr=False)
    region: npt.NDArray[np.bool_] = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class LesionPicture:
    """One query with a lesion, by one method.

    Attributes:
        index: Which scan of the task it is, or is made of.
        kind: Of an implanted lesion, with its size; else empty.
        lesion_ml: Volume of the outline.
        dice: Of what is coloured.
        mass: Of the highest-ranked region in the lesion, -inf if there is none.
        peak: Of the highest peak in it.
        first_region: Whether the highest-ranked region overlaps it.
        aspect: Height of a pixel divided by its width.
        largest: The slice with most of the lesion.
        highest: The slice with most of the highest-ranked region; without regions that of the highest
            map value.
    """

    index: int
    kind: str
    lesion_ml: float
    dice: float
    mass: float
    peak: float
    first_region: bool
    aspect: float
    largest: SlicePicture = field(repr=False)
    highest: SlicePicture = field(repr=False)

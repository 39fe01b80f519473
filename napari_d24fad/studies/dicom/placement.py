"""Where in the patient the pixels of one slice lie."""

from __future__ import annotations

from dataclasses import dataclass

from pydicom.dataset import Dataset

from napari_d24fad.studies.dicom.values import numbers


@dataclass(frozen=True, slots=True)
class Placement:
    """Where in the patient the pixels of one slice lie.

    Attributes:
        position: Image Position (Patient) (0020,0032): LPS mm of the first pixel's centre.
        orientation: Image Orientation (Patient) (0020,0037): direction along a row, then
            along a column.
        pixel_spacing: Pixel Spacing (0028,0030) in mm: between rows, between columns.
    """

    position: tuple[float, ...]
    orientation: tuple[float, ...]
    pixel_spacing: tuple[float, ...]


def placement(header: Dataset, pixel_spacing: tuple[float, ...] | None) -> Placement | None:
    """Returns where pixels lie; None if position, orientation or spacing is missing or malformed."""
    position = numbers(header, "ImagePositionPatient", 3)
    orientation = numbers(header, "ImageOrientationPatient", 6)
    if position is None or orientation is None or pixel_spacing is None:
        return None
    return Placement(position, orientation, pixel_spacing)

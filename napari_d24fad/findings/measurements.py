"""What a reader measures in a scan: a length, or an ellipse in a slice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_d24fad.errors import ArgumentError, Code
from napari_d24fad.studies.scan import Scan

Place = tuple[float, float, float]
"""Array index in a scan, also between voxels; a whole number is the middle of a voxel."""


@dataclass(frozen=True, slots=True)
class Ruler:
    """A length.

    Attributes:
        first: Where it begins.
        last: Where it ends.
        length_mm: In mm; None without geometry.
        length_voxels: In voxels.
        finding: `Finding.number` of what it measures; 0 for none.
    """

    first: Place
    last: Place
    length_mm: float | None
    length_voxels: float
    finding: int = 0

    @classmethod
    def on(cls, scan: Scan, first: Place, last: Place, finding: int = 0) -> Ruler:
        """Measures between two places of a scan."""
        step = np.subtract(last, first)
        length = float(np.linalg.norm(scan.affine[:3, :3] @ step))
        return cls(first, last, length if scan.has_geometry else None, float(np.linalg.norm(step)), finding)


@dataclass(frozen=True, slots=True)
class Ellipse:
    """An ellipse in a slice, along the axes of the slice.

    Attributes:
        first: A corner of the box around it; the index along the slice axis is the slice.
        last: The opposite corner.
        mean: Mean of the scan in it, in units of the scan.
        deviation: Standard deviation of the scan in it, of the voxels as a sample.
        n_voxels: Voxels whose middle lies in it.
        area_mm2: Area of the ellipse; None without geometry.
        unit: Of mean and deviation: ``"HU"``, ``"SUV"`` or empty.
        finding: `Finding.number` of what it measures; 0 for none.
    """

    first: Place
    last: Place
    mean: float
    deviation: float
    n_voxels: int
    area_mm2: float | None
    unit: str = ""
    finding: int = 0

    @classmethod
    def on(cls, scan: Scan, first: Place, last: Place, finding: int = 0) -> Ellipse:
        """Measures in a slice of a scan.

        Args:
            scan: Of grey values.
            first: A corner of the box around the ellipse.
            last: The opposite corner, in the same slice.
            finding: What it measures.

        Raises:
            ArgumentError: ``BAD_ARGUMENT``, if no value lies in it, the slices differ, or the scan is
                coloured.
        """
        axis = scan.slice_axis
        at = round(first[axis])
        others = [each for each in range(3) if each != axis]
        radii = [abs(last[each] - first[each]) / 2 for each in others]
        centre = [(last[each] + first[each]) / 2 for each in others]
        if scan.is_colour or round(last[axis]) != at or not 0 <= at < scan.n_slices or min(radii) <= 0:
            raise ArgumentError(Code.BAD_ARGUMENT, "An ellipse lies in one slice of a grey scan.")
        plane = np.take(scan.voxels, at, axis=axis)
        index = np.indices(plane.shape)
        inside = sum(((index[n] - centre[n]) / radii[n]) ** 2 for n in range(2)) <= 1
        values = np.asarray(plane[inside], np.float64)
        values = values[np.isfinite(values)]
        if not values.size:
            raise ArgumentError(Code.BAD_ARGUMENT, "The ellipse holds no value of the scan.")
        area = float(np.pi * np.prod(radii) * np.prod([scan.spacing[each] for each in others]))
        deviation = float(values.std(ddof=1)) if values.size > 1 else 0.0
        unit = scan.unit or ("HU" if scan.modality == "CT" else "")
        mean, size = float(values.mean()), int(values.size)
        return cls(first, last, mean, deviation, size, area if scan.has_geometry else None, unit, finding)


Measurement = Ruler | Ellipse

"""The people of the sample study: how their heads vary, and how each lies in the scanner."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

SLICE_MM = 4.0
_ISOCENTRE = np.array([0.0, 18.0, 15.0])  # middle of an average head, LPS mm from the anterior commissure

Triple = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Subject:
    """What makes one head and its acquisition differ from another.

    Attributes:
        seed: Seeds everything random about this subject.
        pixel_mm: Pixel size in the slice plane.
        matrix: Rows and columns of a slice.
        n_slices: Number of axial slices.
        lowest_mm: Position (z) of the lowest slice.
        angles_deg: How the head lies in the scanner: rotation about x, y and z.
        scale: Size of the head relative to the average, along x, y and z.
        shift_mm: Where the head lies.
        warp_mm: Standard deviation of the local deformation of the anatomy.
        gamma: Contrast of the sequence: exponent on tissue brightness.
        bias: Standard deviation of the receive field's logarithm.
        noise: Standard deviation of the thermal noise relative to white matter.
        gain: Stored value of white matter.
    """

    seed: tuple[int, ...]
    pixel_mm: float
    matrix: int
    n_slices: int
    lowest_mm: float
    angles_deg: Triple
    scale: Triple
    shift_mm: Triple
    warp_mm: float
    gamma: float
    bias: float
    noise: float
    gain: float

    @property
    def shape(self) -> tuple[int, int, int]:
        """Slices, rows and columns."""
        return self.n_slices, self.matrix, self.matrix

    @property
    def spacing(self) -> Triple:
        """Distance between slices, rows and columns in mm."""
        return SLICE_MM, self.pixel_mm, self.pixel_mm

    @property
    def affine(self) -> npt.NDArray[np.float64]:
        """``(4, 4)``, array index (slice, row, column) to LPS mm."""
        affine = np.zeros((4, 4))
        affine[2, 0], affine[1, 1], affine[0, 2], affine[3, 3] = *self.spacing, 1.0
        half = self.pixel_mm * (self.matrix - 1) / 2
        affine[:3, 3] = round(_ISOCENTRE[0] - half, 3), round(_ISOCENTRE[1] - half, 3), self.lowest_mm
        return affine

    @property
    def to_average(self) -> npt.NDArray[np.float64]:
        """``(4, 4)``, LPS mm in the scanner to LPS mm in the average head."""
        linear = (
            np.diag(1 / np.array(self.scale))
            @ Rotation.from_euler("xyz", self.angles_deg, degrees=True).as_matrix()
        )
        matrix = np.eye(4)
        matrix[:3, :3] = linear
        matrix[:3, 3] = _ISOCENTRE - linear @ (_ISOCENTRE + self.shift_mm)
        return matrix


def draw_subject(seed: tuple[int, ...]) -> Subject:
    """Returns a subject with plausible variation; the same one for the same seed."""
    rng = np.random.default_rng(seed)

    def triple(mean: float, spread: float) -> Triple:
        x, y, z = (float(value) for value in rng.uniform(mean - spread, mean + spread, 3))
        return x, y, z

    return Subject(
        seed=seed,
        pixel_mm=round(float(rng.uniform(1.17, 1.25)), 3),
        matrix=int(rng.choice([184, 188, 192])),
        n_slices=int(rng.integers(36, 40)),
        lowest_mm=round(float(rng.uniform(-54.0, -50.0)), 2),
        angles_deg=triple(0.0, 4.0),
        scale=triple(1.0, 0.04),
        shift_mm=triple(0.0, 4.0),
        warp_mm=float(rng.uniform(1.6, 2.3)),
        gamma=float(rng.uniform(0.9, 1.2)),
        bias=float(rng.uniform(0.04, 0.08)),
        noise=float(rng.uniform(0.018, 0.028)),
        gain=float(rng.uniform(500.0, 900.0)),
    )

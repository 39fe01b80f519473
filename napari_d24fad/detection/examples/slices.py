"""Places of the slices of one encoded volume as vectors."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch
from torch.nn.functional import interpolate

from napari_d24fad.detection.encoding.encoded import EncodedScan
from napari_d24fad.detection.examples.described import aligned_places
from napari_d24fad.detection.examples.voxels import Towards
from napari_d24fad.detection.references.null import smooth
from napari_d24fad.detection.references.reference_set import References
from napari_d24fad.detection.result import FloatArray

_HIGHEST = 0.005
"""Share of the places of a volume that what it shows most is the mean of."""

_AT_ONCE = 8


@dataclass(frozen=True, slots=True, eq=False)
class Slices:
    """The places inside the anatomy of one volume.

    Attributes:
        image: The volume.
        side: Places along one side of a slice.
        inside: ``(slices * side * side,)`` which places show anatomy, or what is to be examined of it.
        values: ``(places inside, channels)``, aligned to the references.
    """

    image: EncodedScan = field(repr=False)
    side: int
    inside: npt.NDArray[np.bool_] = field(repr=False)
    values: FloatArray = field(repr=False)

    @classmethod
    def of(cls, image: EncodedScan, references: References) -> Slices:
        """Makes them of an encoded volume, on the grid of the finer features."""
        side = image.encoded.features[0].shape[-1]
        inside = image.prepared.inside(image.indices, side, references.region).flatten(1)
        if not inside.any():  # smaller than a place
            inside = torch.ones_like(inside)
        values = []
        for start in range(0, len(inside), _AT_ONCE):
            chosen = slice(start, start + _AT_ONCE)
            values.append(aligned_places(image, references.alignment, chosen, side)[inside[chosen]].numpy())
        return cls(image, side, inside.flatten().numpy(), np.concatenate(values))

    def along(self, towards: Towards) -> FloatArray:
        """How far each place lies in a direction, in deviations of the references."""
        along = self.values @ towards.direction.astype(np.float32) - towards.middle
        return np.asarray(along / towards.spread, np.float32)

    def highest(self, values: FloatArray) -> npt.NDArray[np.intp]:
        """Which places have the highest of these values."""
        count = max(1, round(_HIGHEST * len(values)))
        return np.argpartition(values, -count)[-count:]

    def top(self, towards: Towards) -> float:
        """Mean of how far the most alike places lie."""
        along = self.along(towards)
        return float(along[self.highest(along)].mean())

    def as_maps(self, values: FloatArray, side: int, smoothing: float) -> torch.Tensor:
        """Draws values of the places as maps of the slices, ``(n, side, side)``, smoothed; 0 elsewhere."""
        grid = np.zeros(len(self.inside), np.float32)
        grid[self.inside] = values
        maps = torch.from_numpy(grid).reshape(-1, 1, self.side, self.side)
        return smooth(interpolate(maps, (side, side), mode="bilinear")[:, 0], smoothing)

    def at(self, place: int) -> tuple[int, int]:
        """Returns the slice, of those encoded, and the place in it, row by row."""
        flat = int(np.flatnonzero(self.inside)[place])
        return divmod(flat, self.side * self.side)

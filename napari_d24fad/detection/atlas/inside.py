"""A drawn region in the common space, from where it is read in every scan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from napari_d24fad.anatomy.found import DRAWN
from napari_d24fad.anatomy.grid import BoolArray
from napari_d24fad.detection.channels.volume import WorkingVolume
from napari_d24fad.errors import Code, PairingError

_AROUND = 2.0  # voxels beside the region that are kept, to know where it ends


def on_working_grid(region: BoolArray, volume: WorkingVolume) -> BoolArray | None:
    """Brings a region of the grid of a scan to its working grid; None if none of it is anatomy."""
    share = np.nan_to_num(volume.anatomy.grid.reduce(region.astype(np.float32)))
    inside = np.asarray(share >= 0.5)
    if not (inside & volume.anatomy.mask).any():  # thinner than a voxel here
        inside = np.asarray(share > 0)
    return inside if (inside & volume.anatomy.mask).any() else None


@dataclass(frozen=True, slots=True, eq=False)
class CommonOutline:
    """Where what was drawn on one scan lies in the common space of a plan.

    Attributes:
        drawn_on: `Scan.scan_hash` of the scan it was drawn on.
        points: ``(n, 3)`` places of voxels of that scan in and about the region, in mm.
        held: ``(n,)`` which of them lie in the region.
        reach: How far from all of them a place belongs to none, in mm.
    """

    drawn_on: str = field(repr=False)
    points: cKDTree = field(repr=False)
    held: BoolArray = field(repr=False)
    reach: float = field(repr=False)

    @classmethod
    def of(cls, region: BoolArray, volume: WorkingVolume, drawn_on: str) -> CommonOutline:
        """Places an outline.

        Args:
            region: On the grid of the scan it was drawn on.
            volume: That scan, made comparable.
            drawn_on: Its `Scan.scan_hash`.

        Raises:
            PairingError: ``REGION_EMPTY``, if none of it is anatomy.
        """
        inside = on_working_grid(region, volume)
        if inside is None:
            raise PairingError(Code.REGION_EMPTY, "It lies outside the anatomy that was found in its scan.")
        places = volume.place.coordinates.reshape(3, -1).T
        flat = inside.ravel()
        # The longest way between neighbouring voxels in the common space.
        steps = [np.diff(volume.place.coordinates, axis=axis + 1) for axis in range(3)]
        lengths = [float(np.median(np.linalg.norm(step, axis=0))) if step.size else 0.0 for step in steps]
        reach = float(np.linalg.norm(lengths)) / 2 * 1.05
        low, high = places[flat].min(axis=0), places[flat].max(axis=0)
        margin = _AROUND * max(lengths)
        near = ((places >= low - margin) & (places <= high + margin)).all(axis=1)
        return cls(drawn_on, cKDTree(places[near]), flat[near], reach)

    def holds(self, places: npt.NDArray[np.float32]) -> BoolArray:
        """Returns which places of the common space, ``(n, 3)`` mm, lie in the region."""
        distance, nearest = self.points.query(places, distance_upper_bound=self.reach)
        known = np.isfinite(distance)
        held = np.zeros(len(places), bool)
        held[known] = self.held[nearest[known]]
        return held


@dataclass(frozen=True, slots=True, eq=False)
class CommonRegion:
    """A region that was drawn on one scan or on several, as every scan is read inside it.

    A scan that was drawn on has its own outline; in others a place belongs to the region where most of the
    outlines hold.

    Attributes:
        key: Tells it from others.
        outlines: One or more, each of another scan.
    """

    key: str
    outlines: tuple[CommonOutline, ...] = field(repr=False)
    _masks: dict[str, BoolArray] = field(default_factory=dict, repr=False)  # of scans that were asked for

    def within(self, volume: WorkingVolume, identity: str) -> WorkingVolume:
        """Returns a scan of which only what lies in the region is anatomy.

        What is compared (`WorkingVolume.counted`) stays: beside the region references may still show what
        lies in it in the query.

        Args:
            volume: The scan.
            identity: `MeasuredScan.identity`.

        Raises:
            PairingError: ``REGION_NOT_CARRIED``, if none of its anatomy lies there.
        """
        if identity not in self._masks:
            self._masks[identity] = self._mask(volume, identity)
        anatomy = replace(volume.anatomy, mask=self._masks[identity], how=self.how(volume, identity))
        return replace(volume, anatomy=anatomy)

    def how(self, volume: WorkingVolume, identity: str) -> str:
        """Says how the region comes to a scan."""
        if self._own(identity):
            return DRAWN
        carried = f"carried by place in the common space ({volume.place.how})"
        return (
            carried if len(self.outlines) == 1 else f"{carried}, by a vote of {len(self.outlines)} outlines"
        )

    def _own(self, identity: str) -> Sequence[CommonOutline]:
        return [each for each in self.outlines if identity.startswith(each.drawn_on)]

    def _mask(self, volume: WorkingVolume, identity: str) -> BoolArray:
        mask = volume.anatomy.mask
        places = volume.place.coordinates[:, mask].T
        asked = self._own(identity) or self.outlines
        votes = np.sum([each.holds(places) for each in asked], axis=0)
        held = votes >= 0.5 * len(asked)
        if not held.any():
            raise PairingError(Code.REGION_NOT_CARRIED, "None of its anatomy lies at that place.")
        only = np.zeros(mask.shape, bool)
        only[mask] = held
        return only

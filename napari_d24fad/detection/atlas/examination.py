"""What comes out when a query is held against the references."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from napari_d24fad.anatomy.found import Kind
from napari_d24fad.anatomy.grid import BoolArray, FloatArray, Millimetres
from napari_d24fad.anatomy.rim import with_rim
from napari_d24fad.detection.channels.volume import Direction, WorkingVolume
from napari_d24fad.studies.scan import Problem

FALSE_REGIONS = (0.25, 1.0, 4.0)
"""The operating points: regions that a normal scan is let show, on average."""


@dataclass(frozen=True, slots=True)
class Levels:
    """From which value and mass on regions are listed, learned from references left out one at a time.

    Attributes:
        value: Map value that a region is drawn at and above.
        smallest_mm3: Regions below this volume are not listed.
        masses: For each of `FALSE_REGIONS`, the mass from which on a region is listed: normal
            scans show that many regions of this mass or more on average.
        reached: For each of `FALSE_REGIONS`, whether the references sufficed to know it; else the
            mass is that of the nearest point that is known, and more regions are listed.
    """

    value: float
    smallest_mm3: float
    masses: tuple[float, ...]
    reached: tuple[bool, ...]

    def mass_at(self, false_regions: float) -> float:
        """Returns the mass from which regions are listed at an operating point of `FALSE_REGIONS`."""
        return self.masses[FALSE_REGIONS.index(false_regions)]


@dataclass(frozen=True, slots=True)
class AtlasRegion:
    """A connected part of the map at or above the level, inside the anatomy.

    Attributes:
        number: Rank from 1 by `mass`, highest first.
        mass: Sum over its voxels of (map - level) in mm3.
        volume_mm3: Its volume.
        slices: First and last slice along the slice axis of the scan, from 0.
        peak: Highest map value.
        peak_index: Where, in the array of the scan.
        centroid_index: Its centre in the array of the scan.
        centroid_mm: The same in the patient (LPS mm); None without geometry.
        extent_mm: Size of its bounding box along (z, y, x).
        side: The direction in which it departs, one of `Plan.sides`.
        channel: Name of the channel that it is mostly of.
        meaning: The same in words.
        amount: By how much its value departs from what the references show there, in `unit`; the
            mean over its voxels, weighted by the map.
        unit: The scan's own units, such as "HU"; empty if it has none.
        spreads: The same departure in standard deviations of the references at the place; below 0 where
            it is darker.
        false_regions: How many regions of this mass or more the references show on average when
            they are left out one at a time; never below half a region in all of them.
    """

    number: int
    mass: float
    volume_mm3: float
    slices: tuple[int, int]
    peak: float
    peak_index: tuple[int, int, int]
    centroid_index: Millimetres
    centroid_mm: Millimetres | None
    extent_mm: Millimetres
    side: str
    channel: str
    meaning: str
    amount: float
    unit: str
    spreads: float
    false_regions: float


@dataclass(frozen=True, slots=True, eq=False)
class AtlasExamination:
    """One query held against the references. Maps are kept on the working grid.

    Attributes:
        volume: The query, made comparable.
        direction: What was looked for.
        fused: The map on the working grid; NaN outside the anatomy.
        sides: int8, on the working grid, +1 where `fused` is of brighter and -1 of darker.
        channels: For each direction (+1 brighter, -1 darker) and name the channel's own map, calibrated
            alike; NaN outside the anatomy or where the channel says nothing.
        excess: Value minus what the references show there, in units of the working volume; NaN where
            not counted.
        labels: Number of the region of each voxel on the working grid; 0 for none.
        score: Of the scan: mean of its highest millilitres.
        normal_scores: The same of each reference left out.
        slice_scores: Of each slice along the slice axis of the scan; NaN without anatomy.
        levels: From which value and mass on regions are listed.
        regions: All regions of at least the smallest volume, highest rank first, also those
            below the mass of every operating point.
        problems: What the reader must know.
        beside: By `Plan.beside`: the same scan, held against the same references in other quantities.
    """

    volume: WorkingVolume = field(repr=False)
    direction: Direction
    fused: FloatArray = field(repr=False)
    sides: np.ndarray[tuple[int, ...], np.dtype[np.int8]] = field(repr=False)
    channels: Mapping[tuple[int, str], FloatArray] = field(repr=False)
    excess: FloatArray = field(repr=False)
    labels: np.ndarray[tuple[int, ...], np.dtype[np.int32]] = field(repr=False)
    score: float
    normal_scores: tuple[float, ...]
    slice_scores: FloatArray = field(repr=False)
    levels: Levels
    regions: tuple[AtlasRegion, ...] = ()
    problems: tuple[Problem, ...] = ()
    beside: tuple[AtlasExamination, ...] = ()

    @property
    def kind(self) -> Kind:
        """What was examined of the scan."""
        return self.volume.anatomy.kind

    def map(self) -> FloatArray:
        """Returns the map on the grid of the scan; NaN outside the anatomy."""
        return self.volume.anatomy.grid.expand(self.fused)

    def channel_map(self, name: str, sign: int | None = None) -> FloatArray:
        """Returns one channel's own map on the grid of the scan.

        Args:
            name: Of the channel.
            sign: +1 for brighter, -1 for darker; None for the first that was looked for.
        """
        key = (self.direction.signs[0] if sign is None else sign, name)
        return self.volume.anatomy.grid.expand(self.channels[key])

    def anatomy_mask(self) -> BoolArray:
        """Returns the mask of the anatomy, with its rim, on the grid of the scan."""
        return self.volume.anatomy.grid.expand(with_rim(self.volume.anatomy))

    def told(self, false_regions: float) -> tuple[AtlasRegion, ...]:
        """Returns the regions of an operating point of `FALSE_REGIONS`."""
        mass = self.levels.mass_at(false_regions)
        return tuple(region for region in self.regions if region.mass >= mass)

    def coloured(self, false_regions: float) -> BoolArray:
        """Returns the voxels of these regions on the grid of the scan."""
        numbers = [region.number for region in self.told(false_regions)]
        return self.volume.anatomy.grid.expand(np.isin(self.labels, numbers))

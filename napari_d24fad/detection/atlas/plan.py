"""How one kind of study is examined: every choice in one place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from napari_d24fad.anatomy.found import Anatomy
from napari_d24fad.anatomy.grid import Millimetres
from napari_d24fad.anatomy.place import Place, Placer
from napari_d24fad.detection.atlas.channel import AnyChannel
from napari_d24fad.detection.atlas.volume import Direction, WorkingVolume
from napari_d24fad.studies.scan import Scan


@dataclass(frozen=True, slots=True)
class Plan:
    """The parts that examine one kind of study (head CT, head MR, ...).

    Attributes:
        name: Stable key, such as ``"head CT"``.
        find: Finds the anatomy of a scan.
        placer: Places a scan in the common space.
        prepare: Makes the working volume of an anatomy and its place.
        channels: What is compared; channels that a set cannot have are left out.
        direction: The default.
        cell_mm: Cell of the coarse grid that statistics are kept on.
        sigma_mm: Smoothing of the statistics (Gaussian).
        map_sigma_mm: Smoothing of each channel's map along (z, y, x).
    """

    name: str
    find: Callable[[Scan], Anatomy]
    placer: Placer
    prepare: Callable[[Anatomy, Place], WorkingVolume]
    channels: tuple[AnyChannel, ...]
    direction: Direction = Direction.BOTH
    cell_mm: float = 4.0
    sigma_mm: float = 5.0
    map_sigma_mm: Millimetres = (0.0, 1.5, 1.5)

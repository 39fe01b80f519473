"""How one kind of study is examined: every choice in one place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from napari_d24fad.anatomy.contrast import Contrast
from napari_d24fad.anatomy.found import Anatomy
from napari_d24fad.anatomy.grid import BoolArray, FloatArray, Millimetres, WorkingGrid
from napari_d24fad.anatomy.place import Place, Placer
from napari_d24fad.detection.atlas.inside import CommonRegion
from napari_d24fad.detection.atlas.statistics import ScanScore
from napari_d24fad.detection.channels.channel import AnyChannel, Channel, PairChannel
from napari_d24fad.detection.channels.table import Cells
from napari_d24fad.detection.channels.volume import Direction, WorkingVolume
from napari_d24fad.progress import CancelToken
from napari_d24fad.studies.scan import Scan

_LARGEST_SHARE = 0.1  # of a region, that its score is the mean of


@dataclass(frozen=True, slots=True)
class Plan:
    """The parts that examine one kind of study (head CT, head MR, ...).

    Attributes:
        name: Stable key, such as ``"head CT"``. What is kept on disk is found by it and by all choices
            below that are not functions: plans whose functions measure differently have different names.
        find: Finds the anatomy of a scan; asks the token between steps.
        placer: Places a scan in the common space.
        prepare: Makes the working volume of an anatomy and its place.
        channels: What is compared; channels that a set cannot have are left out. The first is the
            value, in which regions are put in numbers and alternative places are chosen.
        alternatives: Yields other places that a scan may have of which only a part is seen; which
            fits the references best is chosen. None if places are always certain.
        direction: The default.
        cells: The coarse grid that statistics are kept on.
        map_sigma_mm: Smoothing of each channel's map along (z, y, x).
        evened: Whether maps are scaled to reach as far as those of the references, see `Evenness`.
        weights: How much the map of a channel counts in the mean, by its name; 1 where not stated.
        caps: The value up to which it counts; no limit where not stated.
        doubtful_bins: Bins in which something harmless makes a scan brighter, such as bone in the next slice:
            of what the map is higher there than on the way from there to a place in another bin, half counts.
        score_mm3: The scan score is the mean of the highest voxels of this volume.
        score_share: If above 0, it is that of this share of the anatomy instead.
        score_sigma_mm: For the scan score, the map is averaged with itself smoothed by this Gaussian
            in all directions: a departure that goes on in the next slices counts more.
        slice_mm2: The score of a slice is the mean of the highest voxels of this area.
        level_share: Share of its anatomy that the median reference left out has above the level.
        smallest_mm3: Smallest region that is listed.
        inside: Region of the common space that alone is examined; None for the whole anatomy.
        setting: What the functions above depend on, such as a drawn region; tells plans of one name apart.
        sides: What a departure is called that is higher, and one that is lower.
        contrast: Measures which tissues are darker, where values compare only between scans of one
            contrast, as in MR; None where units are absolute.
        beside: Further maps of the same scans, each of its own: other quantities of the same anatomy at
            the same places, so that nothing is found or placed again.
    """

    name: str
    find: Callable[[Scan, CancelToken], Anatomy]
    placer: Placer
    prepare: Callable[[Anatomy, Place], WorkingVolume]
    channels: tuple[AnyChannel, ...]
    cells: Cells
    alternatives: Callable[[Anatomy], Iterator[Place]] | None = None
    direction: Direction = Direction.BOTH
    map_sigma_mm: Millimetres = (0.0, 1.5, 1.5)
    evened: bool = False
    weights: Mapping[str, float] = field(default_factory=dict)
    caps: Mapping[str, float] = field(default_factory=dict)
    doubtful_bins: tuple[int, ...] = ()
    score_mm3: float = 3300.0
    score_share: float = 0.0
    score_sigma_mm: float = 0.0
    slice_mm2: float = 66.0
    level_share: float = 0.001
    smallest_mm3: float = 50.0
    inside: CommonRegion | None = None
    setting: str = ""
    sides: tuple[str, str] = ("brighter", "darker")
    contrast: Callable[[Anatomy], Contrast | None] | None = None
    beside: tuple[Plan, ...] = ()

    def within(self, region: CommonRegion, mm3: float) -> Plan:
        """Returns the plan that examines a region only.

        Args:
            region: In its common space.
            mm3: Its volume where it was drawn: of a small one not the greater part is scored.
        """
        beside = tuple(each.within(region, mm3) for each in self.beside)
        largest = min(self.score_mm3, _LARGEST_SHARE * mm3)
        return replace(self, inside=region, score_mm3=largest, beside=beside)

    def score(self, fused: FloatArray, grid: WorkingGrid) -> float:
        """Returns the scan score of a map on its working grid; NaN outside the anatomy."""
        return self.scan_score(np.isfinite(fused), grid).of(fused)

    def scan_score(self, known: BoolArray, grid: WorkingGrid) -> ScanScore:
        """Returns what scores maps of one scan, which are finite where ``known``."""
        examined = float(known.sum()) * grid.voxel_mm3
        volume = self.score_share * examined if self.score_share else self.score_mm3
        return ScanScore(known, grid, volume, self.score_sigma_mm)

    def seen(self, volume: WorkingVolume, identity: str) -> WorkingVolume:
        """Returns what of a scan is scored: that inside the region, if there is one.

        Args:
            volume: The scan.
            identity: See `MeasuredScan.identity`.

        Raises:
            PairingError: ``REGION_NOT_CARRIED``, if nothing of its anatomy lies there.
        """
        return volume if self.inside is None else self.inside.within(volume, identity)

    @property
    def value(self) -> Channel:
        """The first channel."""
        first = self.channels[0]
        assert not isinstance(first, PairChannel), "a plan begins with its value"
        return first

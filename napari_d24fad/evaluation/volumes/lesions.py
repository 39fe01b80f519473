"""Which lesions are put into which scans: drawn by a seed, the same for every method and draw."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from napari_d24fad.evaluation.draws import Draw
from napari_d24fad.evaluation.labelled import LabelledTask
from napari_d24fad.evaluation.trivial import statistics
from napari_d24fad.evaluation.volumes.brain import Brain, find_brain
from napari_d24fad.evaluation.volumes.cases import VolumeCase
from napari_d24fad.evaluation.volumes.implants import blob, distances, dots, ring_mass, widen
from napari_d24fad.metrics.volumes import BoolArray, FloatArray
from napari_d24fad.progress import CancelToken
from napari_d24fad.studies.scan import Scan

FAINT, CLEAR = (0.2, 0.6), (1.0, 1.5)
"""Ranges of the change of a blob, in parts of white minus grey matter."""

DIAMETERS_MM = (4, 6, 8, 12, 16, 20)
RINGS_MM = (12, 16, 20, 24)
WIDER_MM = (2, 3, 4, 5)
DOTS_MM = (3, 4)

_N_DOTS = 5
_DOTS_WITHIN_MM = 25.0
_MARGIN_MM = 3.0
_MOST_FLUID = 0.15
_MOVES_FROM_MM = 10.0
_TRIES = 200

Rng = np.random.Generator
Implant = tuple[FloatArray, BoolArray, str]
"""The changed volume, the outline of the lesion, and its size in words."""


def _blob(sign: int, change: tuple[float, float]) -> Callable[[Scan, Brain, Rng], Implant | None]:
    def make(scan: Scan, brain: Brain, rng: Rng) -> Implant | None:
        diameter = int(rng.choice(DIAMETERS_MM))
        centre = _place(scan, brain, diameter, rng)
        if centre is None:
            return None
        amount = sign * float(rng.uniform(*change)) * brain.contrast
        found = blob(np.asarray(scan.voxels, np.float32), scan.spacing, centre, diameter, amount)
        return *found, _size(diameter)

    return make


def _ring(scan: Scan, brain: Brain, rng: Rng) -> Implant | None:
    diameter = int(rng.choice(RINGS_MM))
    centre = _place(scan, brain, diameter, rng)
    if centre is None:
        return None
    voxels = np.asarray(scan.voxels, np.float32)
    found = ring_mass(voxels, scan.spacing, centre, diameter, brain.contrast, _stiffness(brain))
    return *found, _size(diameter)


def _wide(scan: Scan, brain: Brain, rng: Rng) -> Implant | None:
    if brain.ventricles is None:
        return None
    by = int(rng.choice(WIDER_MM))
    voxels = np.asarray(scan.voxels, np.float32)
    return *widen(voxels, scan.spacing, brain.ventricles, by, _stiffness(brain)), f"by {by} mm"


def _dots(scan: Scan, brain: Brain, rng: Rng) -> Implant | None:
    diameter = int(rng.choice(DOTS_MM))
    first = _place(scan, brain, diameter, rng)
    if first is None:
        return None
    near = distances(scan.grid, scan.spacing, first) <= _DOTS_WITHIN_MM
    places = np.argwhere(near & ~brain.fluid & (brain.depth > _MARGIN_MM + diameter / 2))
    centres = [first, *rng.choice(places, _N_DOTS - 1, replace=False).astype(float)]
    amount = float(rng.choice((-1, 1)) * rng.uniform(*CLEAR)) * brain.contrast
    found = dots(np.asarray(scan.voxels, np.float32), scan.spacing, centres, diameter, amount)
    return *found, _size(diameter)


KINDS: dict[str, Callable[[Scan, Brain, Rng], Implant | None]] = {
    "bright blob, faint": _blob(1, FAINT),
    "bright blob, clear": _blob(1, CLEAR),
    "dark blob, faint": _blob(-1, FAINT),
    "dark blob, clear": _blob(-1, CLEAR),
    "ring mass": _ring,
    "wide ventricles": _wide,
    "dots": _dots,
}
"""How each kind is made; None where there is no room for it."""


@dataclass(frozen=True, slots=True)
class ImplantedCases:
    """Normal scans as they are, and some of them again with one lesion of each kind.

    Attributes:
        seed: The same seed puts the same lesions into the same scans.
        most: How many scans of a draw get lesions.
    """

    seed: int
    most: int = 12

    def count(self, task: LabelledTask, draw: Draw) -> int:
        """See `Cases.count`; scans in which no brain is found are counted too."""
        return len(draw.queries) + len(KINDS) * len(self._chosen(draw))

    def each(self, task: LabelledTask, draw: Draw, cancel: CancelToken) -> Iterator[VolumeCase]:
        """See `Cases.each`."""
        chosen = self._chosen(draw)
        for index in draw.queries:
            labelled = task.scans[index]
            scan = labelled.load(cancel)
            yield VolumeCase(scan, index, abnormal=False, lesion=None, statistics=labelled.statistics)
            brain = find_brain(scan) if index in chosen else None
            for number, kind in enumerate(KINDS if brain else ()):
                cancel.check()
                made = brain and KINDS[kind](scan, brain, np.random.default_rng((self.seed, index, number)))
                if made:
                    voxels, lesion, size = made
                    changed = replace(scan, voxels=voxels)
                    yield VolumeCase(changed, index, True, lesion, statistics(changed), kind=kind, size=size)

    def _chosen(self, draw: Draw) -> frozenset[int]:
        """Scans that get lesions, by chance so that no draw has the first names only."""
        order = np.random.default_rng((self.seed, *draw.references)).permutation(draw.queries)
        return frozenset(order[: self.most].tolist())


def _place(scan: Scan, brain: Brain, diameter: float, rng: Rng) -> npt.NDArray[np.float64] | None:
    """A place where a ball lies in tissue, well inside the brain; None if none was found."""
    deep = np.argwhere(brain.depth > diameter / 2 + _MARGIN_MM)
    if not len(deep):
        return None
    for _ in range(_TRIES):
        centre = deep[rng.integers(len(deep))]
        half = np.ceil(diameter / 2 / np.asarray(scan.spacing)).astype(int) + 1
        low = np.maximum(centre - half, 0)
        box = tuple(slice(a, b) for a, b in zip(low, centre + half + 1, strict=True))
        fluid = brain.fluid[box]
        inside = distances(fluid.shape, scan.spacing, (centre - low).astype(float)) <= diameter / 2
        if fluid[inside].mean() <= _MOST_FLUID:
            return np.asarray(centre, np.float64)
    return None


def _stiffness(brain: Brain) -> FloatArray:
    """1 at the skull, which does not give way, falling to 0 in the depth."""
    return np.asarray(np.clip(1 - brain.depth / _MOVES_FROM_MM, 0, 1), np.float32)


def _size(diameter: int) -> str:
    small, medium = 6, 12
    return "3-6 mm" if diameter <= small else "8-12 mm" if diameter <= medium else "16-24 mm"

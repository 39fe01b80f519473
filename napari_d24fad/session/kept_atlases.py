"""References that an earlier program measured place by place: found again, not read or measured again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cache
from importlib import resources
from itertools import combinations
from typing import TypeVar

import numpy as np

from napari_d24fad.anatomy.brain_window import BrainWindow
from napari_d24fad.anatomy.common_grid import CommonGrid
from napari_d24fad.anatomy.deformation import Deformation
from napari_d24fad.anatomy.found import Anatomy, Kind
from napari_d24fad.anatomy.grid import FloatArray, WorkingGrid
from napari_d24fad.anatomy.place import Place, mapped
from napari_d24fad.anatomy.volume import Volume
from napari_d24fad.detection.atlas.evenness import Evenness
from napari_d24fad.detection.atlas.examination import Levels
from napari_d24fad.detection.atlas.measured import Key, MeasuredScan
from napari_d24fad.detection.atlas.normal import NormalMaps
from napari_d24fad.detection.atlas.plan import Plan
from napari_d24fad.detection.atlas.scoring import AtlasReferences
from napari_d24fad.detection.atlas.standard import Standard
from napari_d24fad.detection.channels.table import Sums
from napari_d24fad.detection.channels.volume import Direction, WorkingVolume
from napari_d24fad.detection.references.calibration import Calibration
from napari_d24fad.errors import Code
from napari_d24fad.progress import CancelToken, Progress, silent
from napari_d24fad.session.feature_cache import FeatureCache
from napari_d24fad.session.kept_sets import KeptSet
from napari_d24fad.session.records import pack, unpack
from napari_d24fad.session.stored import source_key
from napari_d24fad.studies.orientation import Orientation
from napari_d24fad.studies.scan import Problem, Scan
from napari_d24fad.studies.series import Series

NO_PLAN = ""
"""Name of the plan of a reference that has none."""

Record = TypeVar("Record")

_learn = AtlasReferences.of


@dataclass(frozen=True, slots=True)
class _Pair:
    """The distances of two scans, of the first to the second and back."""

    there: dict[Key, FloatArray] = field(repr=False)
    back: dict[Key, FloatArray] = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Name:
    """The plan of a reference."""

    plan: str


_CLASSES: Mapping[str, type] = {
    each.__name__: each
    for each in (
        Anatomy, BrainWindow, Calibration, Code, CommonGrid, Deformation, Direction, Evenness, Kind, Levels,
        MeasuredScan, NormalMaps, Orientation, Place, Problem, Standard, Sums, Volume, WorkingGrid,
        WorkingVolume, KeptSet, _Name, _Pair,
    )
}  # fmt: skip

_ROOMS = (
    "anatomy", "detection.atlas", "detection.channels", "detection.plans", "detection.references", "session",
)  # fmt: skip
"""Where the code is that measures."""


class KeptAtlases:
    """Keeps what was measured of references and learned of sets of them, for later programs.

    Args:
        cache: Keeps it, within its limit.
    """

    def __init__(self, cache: FeatureCache) -> None:
        self._cache = cache

    def plan_name(self, series: Series) -> str | None:
        """Returns the name of the plan that a reference has, `NO_PLAN`, or None if that is not known."""
        key = self._of_series(series, "plan")
        found = None if key is None else self._get(key, _Name)
        return None if found is None else found.plan

    def keep_plan(self, series: Series, scan: Scan, name: str) -> None:
        """Keeps the name of the plan that a reference has.

        Args:
            series: The reference.
            scan: What it holds.
            name: `Plan.name` or `NO_PLAN`.
        """
        self._note(series, scan)
        self._put(_key("plan", *_of_scan(scan)), _Name(name))

    def find(self, series: Series, plan: Plan, direction: Direction) -> MeasuredScan | None:
        """Returns a reference that was measured before, without reading its pixels; None if it was not."""
        key = self._of_series(series, "measured", _settings(plan), direction.value)
        return None if key is None else self._scan(key)

    def keep(self, series: Series, scan: Scan, plan: Plan, direction: Direction, found: MeasuredScan) -> None:
        """Keeps what was measured of a reference.

        Args:
            series: The reference.
            scan: What it holds.
            plan: How it was measured.
            direction: In which it was measured.
            found: What was measured.
        """
        self._note(series, scan)
        key = _key("measured", *_of_scan(scan), _settings(plan), direction.value)
        self._put(key, _bare(found))

    def references(
        self,
        scans: Sequence[MeasuredScan],
        plan: Plan,
        direction: Direction,
        progress: Progress = silent,
        cancel: CancelToken | None = None,
        shares: Sequence[float] | None = None,
    ) -> AtlasReferences:
        """Makes a set of references, unless the same one was made before; see `AtlasReferences.of`."""
        settings = (_settings(plan), direction.value)
        found = self._set(scans, plan, direction, shares)
        if found is not None:
            return found
        before = self.take_pairs(scans, plan, direction)
        made = _learn(scans, plan, direction, progress, cancel, shares)
        self._keep_pairs(made.scans, settings, before)
        for scan in set(made.scans) - set(scans):  # placed where they fit the others
            self._put(_key("placed", scan.identity, *settings), _bare(scan))
        kept, order = KeptSet.of(made), _order(scans, shares)
        if not kept.is_numbered:
            kept = kept.reordered(order)
        self._put(_set_key(scans, shares, settings, kept.is_numbered), kept)
        return made

    def _set(
        self,
        scans: Sequence[MeasuredScan],
        plan: Plan,
        direction: Direction,
        shares: Sequence[float] | None,
    ) -> AtlasReferences | None:
        """Returns the set that was made of these references before, in whatever order they were marked."""
        settings = (_settings(plan), direction.value)
        kept = self._get(_set_key(scans, shares, settings, False), KeptSet)
        if kept is not None:
            kept = kept.reordered(np.argsort(_order(scans, shares)).tolist())
        else:
            kept = self._get(_set_key(scans, shares, settings, True), KeptSet)
        if kept is None:
            return None
        known = {scan.identity: scan for scan in scans}
        placed = [known.get(each) or self._scan(_key("placed", each, *settings)) for each in kept.identities]
        found = tuple(scan for scan in placed if scan is not None)
        return kept.references(found, plan, direction) if len(found) == len(scans) else None

    def take_pairs(self, scans: Sequence[MeasuredScan], plan: Plan, direction: Direction) -> set[str]:
        """Fills in the distances of pairs that were compared before, and returns the keys of these pairs."""
        found = set()
        for first, second, key in _pairs(scans, (_settings(plan), direction.value)):
            if any(other == second.identity for other, _ in first.compared):
                continue
            pair = self._get(key, _Pair)
            if pair is not None:
                found.add(key)
                first.compared.update({(second.identity, own): each for own, each in pair.there.items()})
                second.compared.update({(first.identity, own): each for own, each in pair.back.items()})
        return found

    def _keep_pairs(self, scans: Sequence[MeasuredScan], settings: tuple[str, str], known: set[str]) -> None:
        for first, second, key in _pairs(scans, settings):
            if key not in known and not self._cache.has(key):
                self._put(key, _Pair(_distances(first, second), _distances(second, first)))

    def _note(self, series: Series, scan: Scan) -> None:
        if print_of_files := series.fingerprint():
            self._cache.put(source_key(print_of_files), {}, {"pixels": scan.content_hash()})

    def _of_series(self, series: Series, *parts: object) -> str | None:
        """Names what is kept of a series; None if its pixels are not known by its files."""
        print_of_files = series.fingerprint()
        note = self._cache.get(source_key(print_of_files)) if print_of_files else None
        if note is None:
            return None
        outline = replace(series.outline, pixels_hash=str(note[1].get("pixels")))
        return _key(parts[0], *_of_scan(outline), *parts[1:])

    def _scan(self, key: str) -> MeasuredScan | None:
        found = self._get(key, MeasuredScan)
        return None if found is None else _whole(found)

    def _get(self, key: str, kind: type[Record]) -> Record | None:
        kept = self._cache.get(key)
        if kept is None:
            return None
        try:
            found = unpack(kept[0], _CLASSES)
        except (KeyError, ValueError, TypeError, AttributeError):
            return None  # written by something else under this name
        return found if isinstance(found, kind) else None

    def _put(self, key: str, value: object) -> None:
        if self._cache.keeps:
            self._cache.put(key, pack(value, _CLASSES), {})


def _bare(scan: MeasuredScan) -> MeasuredScan:
    """Leaves out what is kept elsewhere or quickly made again."""
    place = scan.volume.place
    arrays = [each for each in (place.coordinates, place.mirror) if each is not None]
    shape = scan.volume.anatomy.mask.shape
    made = [mapped(matrix, shape) for matrix in place.matrices]
    if len(made) == len(arrays) and all(map(np.array_equal, made, arrays)):
        nothing = np.empty(0, np.float32)
        mirror = None if place.mirror is None else nothing
        place = replace(place, coordinates=nothing, mirror=mirror)
    return replace(scan, compared={}, volume=replace(scan.volume, place=place))


def _whole(scan: MeasuredScan) -> MeasuredScan:
    """Makes again what `_bare` left out."""
    place = scan.volume.place
    if place.coordinates.size:
        return scan
    coordinates, *mirror = (mapped(matrix, scan.volume.anatomy.mask.shape) for matrix in place.matrices)
    place = replace(place, coordinates=coordinates, mirror=mirror[0] if mirror else None)
    return replace(scan, volume=replace(scan.volume, place=place))


def _pairs(
    scans: Sequence[MeasuredScan], settings: tuple[str, str]
) -> list[tuple[MeasuredScan, MeasuredScan, str]]:
    """Returns each two scans, in an order that does not depend on theirs, with the key of the pair."""
    ordered = sorted(scans, key=lambda scan: scan.identity)
    return [(a, b, _key("pair", a.identity, b.identity, *settings)) for a, b in combinations(ordered, 2)]


def _order(scans: Sequence[MeasuredScan], shares: Sequence[float] | None) -> list[int]:
    """Returns the places of references in an order that does not depend on theirs."""
    return sorted(range(len(scans)), key=lambda at: (scans[at].identity, shares[at] if shares else 1.0))


def _set_key(
    scans: Sequence[MeasuredScan],
    shares: Sequence[float] | None,
    settings: tuple[str, str],
    as_they_are: bool,
) -> str:
    """Names a set of references; in the order in which they are given, or whatever that is."""
    order = range(len(scans)) if as_they_are else _order(scans, shares)
    of_each = None if shares is None else tuple(shares[at] for at in order)
    kind = "numbered set" if as_they_are else "set"
    return _key(kind, *(scans[at].identity for at in order), *settings, of_each)


def _distances(own: MeasuredScan, other: MeasuredScan) -> dict[Key, FloatArray]:
    return {key: each for (identity, key), each in own.compared.items() if identity == other.identity}


def _of_scan(scan: Scan) -> tuple[str, str]:
    """Names a scan with where it lies, which the way from the common space to it depends on."""
    return scan.scan_hash(), repr(scan.affine[:3, 3].tolist())


def _settings(plan: Plan) -> str:
    """Names all choices of a plan that are data; `_code` stands for what its functions do."""
    chosen = ((each.name, getattr(plan, each.name)) for each in fields(plan) if each.name != "beside")
    own = [(name, value) for name, value in chosen if not callable(value)]
    return repr([*own, *map(_settings, plan.beside)])


def _key(*parts: object) -> str:
    return hashlib.sha256(json.dumps([_code(), *map(str, parts)]).encode()).hexdigest()


@cache
def _code() -> str:
    """SHA-256 of the code that measures: what another version has measured is not found."""
    digest = hashlib.sha256()
    for room in _ROOMS:
        for file in sorted(resources.files(f"napari_d24fad.{room}").iterdir(), key=lambda file: file.name):
            if file.name.endswith(".py"):
                digest.update(file.read_bytes())
    return digest.hexdigest()

"""The volumes that were measured place by place, kept between runs as long as they may be wanted again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from napari_d24fad.detection.atlas.doubts import placed_references
from napari_d24fad.detection.atlas.measured import MeasuredScan, measure_scan
from napari_d24fad.detection.atlas.plan import Plan
from napari_d24fad.detection.channels.volume import Direction
from napari_d24fad.errors import Code, PairingError
from napari_d24fad.progress import CancelToken, Progress, part
from napari_d24fad.session.kept_atlases import KeptAtlases
from napari_d24fad.studies.scan import Scan
from napari_d24fad.studies.series import Series

_SPARE = 4
"""So many scans are kept beside those that are wanted: references that were left out may come back."""

Key = tuple[object, str, Direction]
"""State of a series, name and setting of the plan, direction."""


class MeasuredScans:
    """Measures each scan once; least recently used first.

    Args:
        disk: Keeps references for later programs.
    """

    def __init__(self, disk: KeptAtlases) -> None:
        self._disk = disk
        self._kept: dict[Key, MeasuredScan] = {}
        self._failed: dict[Key, str] = {}  # why a scan cannot be aligned: finding out takes seconds
        self._wanted: frozenset[object] = frozenset()
        self._placed: tuple[tuple[MeasuredScan, ...], list[MeasuredScan]] | None = None

    def want(self, series: Iterable[Series], cancel: CancelToken) -> None:
        """Notes which scans are wanted now; of others a few stay, also of runs that failed or were stopped.

        Args:
            series: Those of the request.
            cancel: Stops it.
        """
        self._wanted = frozenset(each.state(cancel) for each in series)
        self._forget()

    def reference(
        self,
        series: Series,
        scan: Scan | None,
        plan: Plan,
        direction: Direction,
        progress: Progress,
        cancel: CancelToken,
    ) -> MeasuredScan:
        """Returns a reference, from memory or disk if it was measured before.

        Args:
            series: The reference.
            scan: What it holds, if it was just read.
            plan: How it is measured.
            direction: What is looked for.
            progress: Told how far this is.
            cancel: Stops it.

        Raises:
            D24fadError: It cannot be read, or holds no anatomy.
            Cancelled: If a stop was asked for.
        """
        key = _key(series, plan, direction, cancel)
        if key not in self._kept and is_kept(plan):
            found = self._disk.find(series, plan, direction)
            if found is not None:
                self._keep(key, found)
        if key in self._failed:  # no reason to read it again
            raise PairingError(Code.NOT_ALIGNED, self._failed[key])
        if key in self._kept:
            return self._kept[key]
        scan = scan if scan is not None else series.load(part(progress, 0, 0.5), cancel)
        found = self.measured(series, scan, plan, direction, part(progress, 0.5, 1), cancel)
        if is_kept(plan):
            self._disk.keep(series, scan, plan, direction, found)
        return found

    def measured(
        self,
        series: Series,
        scan: Scan,
        plan: Plan,
        direction: Direction,
        progress: Progress,
        cancel: CancelToken,
    ) -> MeasuredScan:
        """Returns a scan that was read, measured; see `reference`."""
        key = _key(series, plan, direction, cancel)
        if key in self._failed:
            raise PairingError(Code.NOT_ALIGNED, self._failed[key])
        if key in self._kept:
            return self._kept[key]
        progress(0.0, "Placing the anatomy")
        try:
            found = measure_scan(scan, plan, direction, cancel)
        except PairingError as error:
            if error.code is Code.NOT_ALIGNED:
                self._failed[key] = error.detail
            raise
        self._keep(key, found)
        return found

    def placed(
        self, scans: Sequence[MeasuredScan], plan: Plan, direction: Direction, cancel: CancelToken
    ) -> list[MeasuredScan]:
        """Returns references at their places among each other, once for a set; see `placed_references`."""
        if self._placed is None or self._placed[0] != tuple(scans):
            self._placed = tuple(scans), placed_references(scans, plan, direction, cancel)
        return self._placed[1]

    def _keep(self, key: Key, found: MeasuredScan) -> None:
        self._kept[key] = found
        self._forget()

    def _forget(self) -> None:
        others = [key for key in self._kept if key[0] not in self._wanted]
        for key in others[: max(0, len(others) - _SPARE)]:
            del self._kept[key]
        wanted = {key: self._kept.pop(key) for key in list(self._kept) if key[0] in self._wanted}
        self._kept.update(wanted)


def is_kept(plan: Plan) -> bool:
    """Whether to keep what is measured for later programs; the same drawn region hardly comes again."""
    return plan.inside is None and not plan.setting


def _key(series: Series, plan: Plan, direction: Direction, cancel: CancelToken) -> Key:
    return series.state(cancel), f"{plan.name} {plan.setting}", direction

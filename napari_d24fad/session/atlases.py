"""Volumes held against the references place by place: what was measured of each is kept between runs."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from napari_d24fad.detection.atlas.comparable import contrast_fault
from napari_d24fad.detection.atlas.doubts import placed_among
from napari_d24fad.detection.atlas.measured import MeasuredScan
from napari_d24fad.detection.atlas.names import SCORING
from napari_d24fad.detection.atlas.plan import Plan
from napari_d24fad.detection.atlas.scoring import AtlasReferences
from napari_d24fad.detection.channels.volume import Direction
from napari_d24fad.detection.plans.choice import may_have_plan, plan_for, plan_named
from napari_d24fad.errors import ArgumentError, Code, PairingError
from napari_d24fad.progress import CancelToken, Progress, part, silent
from napari_d24fad.session.examples import MarkedVolumes
from napari_d24fad.session.held import Held
from napari_d24fad.session.kept_atlases import NO_PLAN, KeptAtlases
from napari_d24fad.session.measured_scans import MeasuredScans, is_kept
from napari_d24fad.session.regions import DrawnRegions, instead, key_of
from napari_d24fad.session.request import Request
from napari_d24fad.studies.scan import Problem, Scan
from napari_d24fad.studies.series import Series

_NO_REGION = "Of volumes, a drawn region is examined by the scoring atlas, and of grey ones only."
_NOT_AS_REFERENCES = "Its anatomy was not found as in the references."


class Atlases:
    """The volumes that were measured, and the last set of references.

    Args:
        disk: Keeps references for later programs.
    """

    def __init__(self, disk: KeptAtlases) -> None:
        self._disk = disk
        self._scans = MeasuredScans(disk)
        self._marked = MarkedVolumes(self._scans, disk)
        self._drawn = DrawnRegions()
        self._plans: dict[object, Plan | None] = {}
        self._references: AtlasReferences | None = None
        self._key: tuple[object, ...] = ()

    def has_plan(self, request: Request, scan: Scan, progress: Progress, cancel: CancelToken) -> bool:
        """Whether the map of a request will be made place by place.

        Raises:
            D24fadError: A reference cannot be read.
            Cancelled: If a stop was asked for.
        """
        return self._plan_of(request, scan, progress, cancel) is not None

    def see(
        self, request: Request, cancel: CancelToken, series: Series, scan: Scan, progress: Progress
    ) -> None:
        """Measures a reference while its pixels are at hand, if it is of a kind that has a plan.

        Args:
            request: What the user asked for.
            cancel: Stops it.
            series: The reference; the first tells the kind of all.
            scan: What it holds.
            progress: Told how far this is.

        Raises:
            Cancelled: If a stop was asked for.
        """
        if not _may_be_asked(request):
            return
        self._want(request, cancel)
        if series is request.references[0]:
            self._plan_of_references(request, scan, progress, cancel)
        plan = self._plans.get(request.references[0].state(cancel))
        if plan is not None:
            with suppress(PairingError):  # without anatomy: said when it is examined
                self._scans.reference(series, scan, plan, _direction(request, plan), progress, cancel)

    def prepare(self, request: Request, progress: Progress, cancel: CancelToken) -> None:
        """Measures the references of a request and learns what they show, if they have a plan.

        Raises:
            D24fadError: A reference cannot be read, or holds no anatomy.
            Cancelled: If a stop was asked for.
        """
        if _may_be_asked(request):
            self._want(request, cancel)
            plan = self._plan_of_references(request, None, part(progress, 0, 0.1), cancel)
            if plan is None:
                return
            try:
                measured = self._all(request, plan, part(progress, 0.1, 0.7), cancel)
                references = self._learned(request, measured, plan, part(progress, 0.7, 0.9), cancel)
                if request.abnormal:
                    tell = part(progress, 0.9, 1)
                    self._marked.learned(request, references, plan, measured, tell, cancel)
            except PairingError as error:
                if error.code is not Code.NOT_ALIGNED:  # which is said with a result, by its slices
                    raise

    def examine(
        self,
        request: Request,
        scan: Scan,
        progress: Progress,
        cancel: CancelToken,
    ) -> Held | tuple[Problem, ...]:
        """Holds a query against references, where its kind of study has a plan.

        Args:
            request: What the user asked for.
            scan: What its query holds.
            progress: Told how far this is.
            cancel: Stops it.

        Returns:
            What was found; where there is no plan, or where a scan cannot be aligned, shows another contrast
            or other anatomy than the references, what the reader must know of that.

        Raises:
            ArgumentError: ``BAD_ARGUMENT``, if the atlas was asked for and there is no plan.
            D24fadError: A reference cannot be read.
            Cancelled: If a stop was asked for.
        """
        self._want(request, cancel)
        plan = self._plan_of(request, scan, part(progress, 0, 0.1), cancel)
        if request.regions and plan is None and scan.is_volume:
            raise ArgumentError(Code.BAD_ARGUMENT, _NO_REGION)
        if plan is None:
            if request.scoring == SCORING:
                raise ArgumentError(Code.BAD_ARGUMENT, "The scoring atlas is for heads by CT or MR.")
            return ()
        direction = _direction(request, plan)
        try:
            measured = self._all(request, plan, part(progress, 0.1, 0.7), cancel)
            own = self._scans.measured(request.query, scan, plan, direction, part(progress, 0.7, 0.8), cancel)
        except PairingError as error:
            if error.code is not Code.NOT_ALIGNED:
                raise
            return instead(request, Problem(error.code, error.detail), error.detail)
        judged = self._within_regions(request, plan, measured, own, cancel)
        if own.volume.anatomy.kind not in {each.volume.anatomy.kind for each in measured}:
            return instead(request, Problem(Code.NOT_PLACED), _NOT_AS_REFERENCES)
        fault = contrast_fault(own, measured, plan)
        if fault is not None:
            return instead(request, fault, "The contrast of tissues is another.")
        references = self._learned(request, measured, judged, part(progress, 0.8, 0.9), cancel)
        tell = part(progress, 0.9, 1)
        if request.abnormal:
            return self._marked.held(request, references, plan, measured, own, tell, cancel)
        return Held(references.examine_measured(own, tell, cancel), references)

    def _within_regions(
        self,
        request: Request,
        plan: Plan,
        measured: Sequence[MeasuredScan],
        query: MeasuredScan,
        cancel: CancelToken,
    ) -> Plan:
        """Returns the plan that judges what was measured: drawn regions only, if there are any."""
        regions = request.regions
        if not regions or plan.setting == key_of(regions):
            return plan
        direction, on = _direction(request, plan), []
        for drawn in regions:
            scan = query
            if drawn.series != request.query:
                scan = self._scans.reference(drawn.series, None, plan, direction, silent, cancel)
            if scan.volume.place.partial:
                placed = self._scans.placed(measured, plan, direction, cancel)
                there = dict(zip(map(id, measured), placed, strict=True)).get(id(scan))
                scan = there or placed_among(scan, placed, plan, direction, cancel)
            on.append(scan)
        return self._drawn.only_within(plan, regions, on)

    def _want(self, request: Request, cancel: CancelToken) -> None:
        drawn_on = [drawn.series for drawn in request.regions]
        self._scans.want([*request.references, request.query, *drawn_on, *request.marked_abnormal], cancel)

    def _all(
        self, request: Request, plan: Plan, progress: Progress, cancel: CancelToken
    ) -> list[MeasuredScan]:
        """Returns the references measured."""
        count, direction = len(request.references), _direction(request, plan)
        return [
            self._scans.reference(
                each, None, plan, direction, part(progress, number / count, (number + 1) / count), cancel
            )
            for number, each in enumerate(request.references)
        ]

    def _learned(
        self,
        request: Request,
        measured: Sequence[MeasuredScan],
        plan: Plan,
        progress: Progress,
        cancel: CancelToken,
    ) -> AtlasReferences:
        """Returns what the references show, unless they are those of the last time."""
        direction = _direction(request, plan)
        key = (tuple(measured), direction, request.shares, request.regions)
        if self._references is None or self._key != key:
            learn = self._disk.references if is_kept(plan) else AtlasReferences.of
            found = learn(measured, plan, direction, progress, cancel, request.shares)
            self._references, self._key = found, key
        return self._references

    def _plan_of(self, request: Request, scan: Scan, progress: Progress, cancel: CancelToken) -> Plan | None:
        if request.scoring not in (None, SCORING):
            return None
        plan = self._plan_of_references(request, None, progress, cancel) if may_have_plan(scan) else None
        if plan is None and request.regions and scan.is_volume and not scan.is_colour:
            plan = self._drawn.plan(request.regions, scan)
        return plan

    def _plan_of_references(
        self, request: Request, first: Scan | None, progress: Progress, cancel: CancelToken
    ) -> Plan | None:
        """Returns the plan of the first reference.

        Args:
            request: What the user asked for.
            first: What that reference holds, if it was just read.
            progress: Told how far this is.
            cancel: Stops it.
        """
        reference = request.references[0]
        key = reference.state(cancel)
        if key in self._plans:
            return self._plans[key]
        name = self._disk.plan_name(reference)
        plan = None if name is None else plan_named(name)
        if name != NO_PLAN and plan is None:
            first = first if first is not None else reference.load(progress, cancel)
            plan = plan_for(first, cancel)
            self._disk.keep_plan(reference, first, NO_PLAN if plan is None else plan.name)
            if plan is not None:  # while its pixels are at hand
                self._scans.reference(reference, first, plan, _direction(request, plan), progress, cancel)
        self._plans[key] = plan
        return plan


def _may_be_asked(request: Request) -> bool:
    """Whether references of this request may be measured, as far as their headers tell."""
    outline = request.references[0].outline
    return request.scoring in (None, SCORING) and outline.is_volume and not outline.is_colour


def _direction(request: Request, plan: Plan) -> Direction:
    return plan.direction if request.direction is None else Direction(request.direction)

"""The loop over draws, queries and methods; never more than the references and one query in memory."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from napari_d24fad.anatomy.find import find_anatomy
from napari_d24fad.errors import Cancelled, D24fadError, PairingError
from napari_d24fad.evaluation.draws import Draw, draw_references
from napari_d24fad.evaluation.labelled import LabelledTask
from napari_d24fad.evaluation.measure import Plan
from napari_d24fad.evaluation.names import method_with
from napari_d24fad.evaluation.pictured import LesionPicture
from napari_d24fad.evaluation.trivial import best_statistic
from napari_d24fad.evaluation.volumes.anatomy import FindAnatomy, scan_mask
from napari_d24fad.evaluation.volumes.cases import Cases, VolumeCase
from napari_d24fad.evaluation.volumes.method import Method, Prepared, Shown, Teachable
from napari_d24fad.evaluation.volumes.outlines import VotedOutlines
from napari_d24fad.evaluation.volumes.pictures import lesion_picture
from napari_d24fad.metrics.cohort import Measured, volume_figures
from napari_d24fad.metrics.volumes import NOTHING, BoolArray, Examined, measure_volume
from napari_d24fad.metrics.voxels import VoxelCounts
from napari_d24fad.progress import CancelToken, Progress, part, silent
from napari_d24fad.studies.scan import Scan


@dataclass(frozen=True, slots=True, eq=False)
class Queried:
    """One query as one method saw it.

    Attributes:
        index: Which scan of the task it is, or is made of.
        kind: Of an implanted lesion; else empty.
        size: The same.
        refused: Whether the method refused it.
        measured: What was found.
    """

    index: int
    kind: str
    size: str
    refused: bool
    measured: Measured = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class DrawResult:
    """What one method gave with one draw of references.

    Attributes:
        method: Its name.
        shots: Number of references.
        draw: Number of the draw, from 0.
        prepare_seconds: Time to learn from the references.
        queried: Every query.
        figures: See `volume_figures`; and voxel figures inside the anatomy and, where outlined,
            inside the organ.
        voxel_auroc: By kind of implanted lesion.
        pictures: Of the queries with an outlined lesion, if they were asked for.
    """

    method: str
    shots: int
    draw: int
    prepare_seconds: float
    queried: tuple[Queried, ...] = field(repr=False)
    figures: Mapping[str, float] = field(repr=False)
    voxel_auroc: Mapping[str, float] = field(repr=False)
    pictures: tuple[LesionPicture, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class VolumeResult:
    """What was measured on one set of volumes.

    Attributes:
        task: The labelled scans.
        draws: Every draw of every method.
        statistics: By number of references, for each draw the single statistic that tells the
            labels apart best, and its AUROC; empty where only one label occurs.
    """

    task: LabelledTask
    draws: tuple[DrawResult, ...] = field(repr=False)
    statistics: Mapping[int, tuple[tuple[str, float], ...]]


def measure_volumes(
    task: LabelledTask,
    methods: Sequence[Method],
    cases: Cases,
    plan: Plan,
    *,
    find: FindAnatomy = find_anatomy,
    pictures: bool = False,
    progress: Progress = silent,
    cancel: CancelToken | None = None,
) -> VolumeResult:
    """Examines every query of every draw by every method.

    Args:
        task: A set of grey volumes.
        methods: What is measured.
        cases: Where the queries come from.
        plan: Shots, draws and seed.
        find: Finds what counts as anatomy, whatever a method takes for it. Where it refuses a scan,
            every voxel counts.
        pictures: Whether slices of the lesions are kept, of the first draw with the most references.
        progress: Told how far it is.
        cancel: Stops it.

    Raises:
        D24fadError: A scan changed since it was checked, or the references cannot serve together.
        Cancelled: If a stop was asked for.
    """
    cancel = cancel or CancelToken()
    results: list[DrawResult] = []
    statistics: dict[int, tuple[tuple[str, float], ...]] = {}
    most = max(plan.abnormal_shots, default=0)
    drawn = draw_references(task, plan.shots, plan.draws, plan.seed, most)
    every, done = len(drawn) * len(plan.shots), 0
    for shots in plan.shots:
        for number, draw in enumerate(drawn):
            tell = part(progress, done / every, (done + 1) / every)
            pictured = pictures and number == 0 and shots == max(plan.shots)
            of_draw = (shots, number, pictured)
            counts = plan.abnormal_shots if shots == max(plan.shots) else ()
            found, best = _measure_draw(task, methods, cases, draw, of_draw, counts, find, tell, cancel)
            results += found
            statistics[shots] = (*statistics.get(shots, ()), *best)
            done += 1
    return VolumeResult(task, tuple(results), statistics)


def _measure_draw(
    task: LabelledTask,
    methods: Sequence[Method],
    cases: Cases,
    draw: Draw,
    which: tuple[int, int, bool],
    counts: Sequence[int],
    find: FindAnatomy,
    progress: Progress,
    cancel: CancelToken,
) -> tuple[list[DrawResult], tuple[tuple[str, float], ...]]:
    """Examines the queries of one draw: its number of references, its own, whether there are pictures.

    Counts are the numbers of abnormal examples that methods are shown which can learn from them.
    """
    shots, number, pictured = which
    tallies = _prepare(task, methods, draw, shots, counts, pictured, find, cancel)
    known: list[tuple[Mapping[str, float], bool]] = []
    total = cases.count(task, draw)
    for at, case in enumerate(cases.each(task, draw, cancel), start=1):
        mask = _mask(case.scan, find)
        known.append((case.statistics, case.abnormal))
        for tally in tallies:
            cancel.check()
            tally.add(case, mask)
        progress(at / total, f"{task.name}: {shots} references, draw {number + 1}")
    return [tally.result(shots, number) for tally in tallies], _best(known)


class _Tally:
    """What one method found so far in one draw."""

    def __init__(self, name: str, prepared: Prepared, seconds: float, pictured: bool) -> None:
        self._name = name
        self._pictures: list[LesionPicture] | None = [] if pictured else None
        self._prepared = prepared
        self._seconds = seconds
        self._queried: list[Queried] = []
        self._inside, self._in_organ = VoxelCounts(), VoxelCounts()

    def add(self, case: VolumeCase, mask: BoolArray) -> None:
        started, cpu = time.perf_counter(), time.process_time()
        refused = False
        try:
            examined = self._prepared.examine(case.scan)
        except Cancelled:
            raise
        except D24fadError:
            examined, refused = _nothing(case.scan), True
        seconds = (time.perf_counter() - started, time.process_time() - cpu)
        found = measure_volume(examined, case.scan.spacing, case.scan.slice_axis, case.lesion, mask)
        # Of an abnormal scan without outline nobody knows which voxels are normal.
        if case.lesion is not None or not case.abnormal:
            self._inside.add(examined.values, case.lesion, mask, case.kind)
            if case.organ is not None:
                self._in_organ.add(examined.values, case.lesion, case.organ)
        if self._pictures is not None and found.lesion is not None:
            self._pictures.append(lesion_picture(case, examined, found.lesion, mask))
        measured = Measured(case.abnormal, examined.score, examined.p_value, *seconds, found)
        self._queried.append(Queried(case.index, case.kind, case.size, refused, measured))

    def result(self, shots: int, draw: int) -> DrawResult:
        figures = volume_figures([each.measured for each in self._queried], shots)
        figures["voxel AUROC"] = self._inside.auroc()
        figures["voxel AP"] = self._inside.average_precision()
        if self._in_organ.groups:
            figures["voxel AUROC in organ"] = self._in_organ.auroc()
            figures["voxel AP in organ"] = self._in_organ.average_precision()
        figures["refused"] = float(sum(each.refused for each in self._queried))
        by_kind = {kind: self._inside.auroc(kind) for kind in self._inside.groups if kind}
        queried, pictures = tuple(self._queried), tuple(self._pictures or ())
        return DrawResult(self._name, shots, draw, self._seconds, queried, figures, by_kind, pictures)


def _prepare(
    task: LabelledTask,
    methods: Sequence[Method],
    draw: Draw,
    shots: int,
    counts: Sequence[int],
    pictured: bool,
    find: FindAnatomy,
    cancel: CancelToken,
) -> list[_Tally]:
    references = [task.scans[index].load(cancel) for index in draw.references[:shots]]
    if isinstance(find, VotedOutlines):
        find.begin(references)
    examples = [task.scans[index] for index in draw.examples] if any(counts) else []
    shown = [Shown(each.load(cancel), each.load_mask(cancel)) for each in examples]
    tallies = []
    for method in methods:
        cancel.check()
        started = time.perf_counter()
        prepared = method.prepare(references)
        tallies.append(_Tally(method.name, prepared, time.perf_counter() - started, pictured))
        if isinstance(prepared, Teachable):
            for count in filter(None, counts):
                cancel.check()
                started = time.perf_counter()
                taught = prepared.beside(shown[:count])
                name = method_with(count, method.name)
                tallies.append(_Tally(name, taught, time.perf_counter() - started, pictured))
    return tallies


def _mask(scan: Scan, find: FindAnatomy) -> BoolArray:
    """Where voxels count; everywhere if no anatomy is found."""
    try:
        return scan_mask(find(scan))
    except PairingError:
        return np.ones(scan.grid, bool)


def _nothing(scan: Scan) -> Examined:
    """What is said of a scan that was refused: nothing found, scored lowest."""
    return Examined(
        values=np.full(scan.grid, np.nan, np.float32),
        score=NOTHING,
        slice_scores=np.full(scan.n_slices, np.nan, np.float32),
        coloured=np.zeros(scan.grid, bool),
        labels=np.zeros(scan.grid, np.int32),
        masses=(),
        n_told=0,
    )


def _best(known: Iterable[tuple[Mapping[str, float], bool]]) -> tuple[tuple[str, float], ...]:
    found, labels = zip(*known, strict=True)
    return (best_statistic(found, labels),) if len(set(labels)) == 2 else ()

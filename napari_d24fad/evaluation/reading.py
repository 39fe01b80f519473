"""Reads the labelled scans of several tasks; whatever is wrong with them is said before anything is computed.

Two layouts of a task are read:

- ``TASK/normal`` and ``TASK/abnormal``, outlines of lesions in ``TASK/masks``:
  references are drawn from the normal scans, all others are queries;
- ``TASK/train/good``, ``TASK/test/good`` and ``TASK/test/bad``, outlines in
  ``TASK/ground_truth/bad``: references are drawn from the first, the others are queries.

A mask has the name of its scan, or that name and ``_mask``. ``TASK/anatomy`` may outline in the same way what
is to be examined: the organ that a reader would look at.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import numpy as np

from napari_d24fad.detection.encoding.prepared import prepare
from napari_d24fad.errors import Code, D24fadError, StudyError, TrainingError
from napari_d24fad.evaluation.labelled import LabelledScan, LabelledTask
from napari_d24fad.evaluation.trivial import statistics
from napari_d24fad.progress import CancelToken, Progress, silent
from napari_d24fad.studies.layouts import (
    ORGANS,
    OURS,
    PUBLISHED,
    LabelFolder,
    Layout,
    layout_of,
    numbered_series,
    task_folders,
)
from napari_d24fad.studies.scan import Scan
from napari_d24fad.studies.series import Series

_LISTED = 5
_ANY_SIDE = 64
_SAME_PLACE_MM = 0.1


def read_labelled(
    data: Path,
    names: Sequence[str] = (),
    *,
    shots: int = 2,
    leave_out: bool = False,
    normal_only: bool = False,
    progress: Progress = silent,
    cancel: CancelToken | None = None,
) -> tuple[LabelledTask, ...]:
    """Reads and checks every scan of the tasks once, and keeps no pixels.

    Args:
        data: Folder of the tasks.
        names: Tasks to read; empty for every folder in ``data``.
        shots: How many references are going to be drawn.
        leave_out: Whether scans and tasks with a problem are left out instead of refused.
        normal_only: Whether only normal scans are wanted and read.
        progress: Told how far the reading is.
        cancel: Stops the reading.

    Raises:
        StudyError: PATH_MISSING if there is no such folder.
        TrainingError: DATA_UNUSABLE with all that is wrong, in one list; DATA_LAYOUT if
            there is no such task.
        Cancelled: If a stop was asked for.
    """
    cancel = cancel or CancelToken()
    folders = task_folders(data)
    chosen = list(dict.fromkeys(names)) or list(folders)
    missing = [name for name in chosen if name not in folders]
    if missing or not chosen:
        raise TrainingError(Code.DATA_LAYOUT, f"There is no task {', '.join(missing) or 'at all'}.")
    tasks: list[LabelledTask] = []
    problems: list[str] = []
    for done, name in enumerate(chosen):
        progress(done / len(chosen), f"Reading {name}")
        task, found = _read_task(folders[name], shots, cancel, normal_only=normal_only)
        problems += [f"Task {name}: {problem}." for problem in found]
        tasks += [task] if task else []
    if problems and not (leave_out and tasks):
        go_on = " With --leave-out, evaluate goes on without it." if tasks else ""
        raise TrainingError(Code.DATA_UNUSABLE, " ".join(problems) + go_on)
    return tuple(tasks)


def _read_task(
    folder: Path, shots: int, cancel: CancelToken, *, normal_only: bool
) -> tuple[LabelledTask | None, list[str]]:
    """Reads what can be used of one task, and says what cannot; None if too little can."""
    layout = layout_of(folder)
    if normal_only:
        layout = replace(layout, folders=tuple(label for label in layout.folders if not label.abnormal))
    missing = [label for label in layout.folders if not (folder / label.path).is_dir()]
    if len(missing) == len(layout.folders):
        ours, published = (", ".join(label.path for label in each.folders) for each in (OURS, PUBLISHED))
        return None, [f"it has none of the folders of a task ({ours}; or {published})"]
    problems = [f"there is no folder {label.path}" for label in missing]
    masks, organs = (
        {name: found for _, name, found in numbered_series(folder / outlines, cancel)}
        for outlines in (layout.masks, ORGANS)
    )
    scans: list[LabelledScan] = []
    n_unusable = 0
    for label in layout.folders:
        reasons: dict[str, list[int]] = defaultdict(list)
        for number, name, found in numbered_series(folder / label.path, cancel):
            try:
                mask = masks.pop(name, None) if label.abnormal else None
                scans.append(_checked(label, number, found, mask, organs.get(name), cancel))
            except D24fadError as error:
                reasons[error.detail or error.code.meaning].append(number)
        problems += [_counted(label.path, numbers, reason) for reason, numbers in reasons.items()]
        n_unusable += sum(map(len, reasons.values()))
    if masks and layout.abnormal in {label.path for label in layout.folders if label not in missing}:
        problems.append(f"{len(masks)} in {layout.masks} have the name of no scan in {layout.abnormal}")
    usual = Counter(scan.kind for scan in scans).most_common(1)
    others = [scan for scan in scans if scan.kind != usual[0][0]]
    for (path, kind), group in groupby(others, lambda scan: (scan.folder, scan.kind)):
        problems.append(_counted(path, [scan.number for scan in group], f"{kind}, others are {usual[0][0]}"))
    same_kind = [scan for scan in scans if scan.kind == usual[0][0]]
    kept = _without_copies(same_kind)
    task = LabelledTask(folder.name, kept, len(same_kind) - len(kept), n_unusable + len(others))
    too_few = _too_few(task, layout, shots, missing)
    return None if too_few or missing else task, problems + too_few


def _checked(
    label: LabelFolder,
    number: int,
    found: Series | StudyError,
    mask: Series | StudyError | None,
    organ: Series | StudyError | None,
    cancel: CancelToken,
) -> LabelledScan:
    """Reads a scan and its outlines.

    Raises:
        D24fadError: One of them cannot be used.
    """
    if isinstance(found, StudyError):
        raise found
    scan = found.load(cancel=cancel)
    prepare(scan, _ANY_SIDE)  # a volume without anatomy is refused
    outline = _checked_mask(scan, mask, cancel)
    region = _checked_mask(scan, organ, cancel)
    return LabelledScan(
        folder=label.path,
        number=number,
        abnormal=label.abnormal,
        may_refer=label.may_refer,
        may_query=label.may_query,
        kind=("colour " if scan.is_colour else "grey ") + ("volumes" if scan.is_volume else "images"),
        content=scan.content_hash(),
        patient=scan.identity.patient_key,
        statistics=statistics(scan),
        series=found,
        outline=outline,
        organ=region,
    )


def _checked_mask(scan: Scan, mask: Series | StudyError | None, cancel: CancelToken) -> Series | None:
    if mask is None:
        return None
    if isinstance(mask, StudyError):
        raise StudyError(mask.code, "its mask cannot be read")
    if mask.grid != scan.grid:
        raise StudyError(Code.MIXED_SERIES, "its mask has another size")
    placed = scan.in_patient and mask.outline.in_patient
    if placed and not np.allclose(mask.outline.affine, scan.affine, atol=_SAME_PLACE_MM):
        raise StudyError(Code.AMBIGUOUS_GEOMETRY, "its mask lies elsewhere in the patient")
    try:
        mask.load(cancel=cancel)
    except StudyError as error:
        empty = error.code is Code.CONSTANT_IMAGE
        raise StudyError(
            error.code, f"its mask {'outlines nothing' if empty else 'cannot be read'}"
        ) from error
    return mask


def _without_copies(scans: Sequence[LabelledScan]) -> tuple[LabelledScan, ...]:
    """Keeps one of several scans with equal pixels; a query rather than a mere reference."""
    first: dict[str, LabelledScan] = {}
    for scan in sorted(scans, key=lambda scan: not scan.may_query):
        first.setdefault(scan.content, scan)
    return tuple(scan for scan in scans if first[scan.content] is scan)


def _too_few(task: LabelledTask, layout: Layout, shots: int, missing: Sequence[LabelFolder]) -> list[str]:
    """Says which scans are needed and not there, unless their folder is not there."""
    problems = []
    there = [label for label in layout.folders if label not in missing]
    needed = shots + any(label.may_refer and label.may_query for label in layout.folders)
    if any(label.may_refer for label in there) and len(task.references) < needed:
        problems.append(
            f"{needed} normal scans are needed to draw {shots} references, there are {len(task.references)}"
        )
    for abnormal, word in ((False, "normal"), (True, "abnormal")):
        # Where references can be queries too, the sentence above is of these scans.
        alone = [label for label in there if label.may_query and not label.may_refer]
        queried = any(scan.may_query and scan.abnormal is abnormal for scan in task.scans)
        if any(label.abnormal is abnormal for label in alone) and not queried:
            problems.append(f"there is no {word} scan to examine")
    return problems


def _counted(folder: str, numbers: Sequence[int], reason: str) -> str:
    """Says how many scans of a folder have a problem, and their numbers in the order of names."""
    listed = ", ".join(map(str, numbers[:_LISTED])) + (" and more" if len(numbers) > _LISTED else "")
    return f"{len(numbers)} in {folder} (number {listed}): {reason.rstrip('.')}"

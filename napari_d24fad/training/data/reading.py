"""Reads the normal images of every task, and names all that is wrong with the data at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from napari_d24fad.errors import Code, PairingError, StudyError, TrainingError
from napari_d24fad.progress import CancelToken, Progress, silent
from napari_d24fad.studies.layouts import Layout, layout_of, numbered_series, task_folders
from napari_d24fad.training.data.tasks import MIN_IMAGES, Task, network_images

_LISTED = 8


def read_tasks(
    data: Path,
    side: int,
    hold_out: Sequence[str] = (),
    progress: Progress = silent,
    cancel: CancelToken | None = None,
    *,
    expected: Sequence[str] = (),
    at_least: int = MIN_IMAGES,
    leave_out: bool = False,
    warn: Callable[[str], None] = lambda sentence: None,
) -> tuple[Task, ...]:
    """Reads the normal images of every task.

    Problems name the task and the number of a scan in its folder, in the order of names,
    never a file: its name may be a patient's.

    Args:
        data: Folder of ``TASK/normal`` or ``TASK/train/good`` with images, DICOM
            series or NIfTI volumes. Of abnormal scans and masks only headers are read.
        side: Side of the square images that are kept, in pixels.
        hold_out: Tasks to leave alone.
        progress: Told how far the reading is.
        cancel: Stops the reading.
        expected: Further names that must be tasks, to validate on: with enough images that are no copies.
        at_least: Normal images (slices of volumes) that a task must have.
        leave_out: Whether scans and masks with a problem are left out instead of refused.
        warn: Told, once, of everything that was left out.

    Raises:
        StudyError: PATH_MISSING if there is no such folder.
        TrainingError: DATA_UNUSABLE with all that is wrong, in one list; DATA_LAYOUT if
            there is no task at all.
        Cancelled: If a stop was asked for.
    """
    cancel = cancel or CancelToken()
    folders = task_folders(data)
    wanted = {name: folder for name, folder in folders.items() if name not in hold_out}
    if not wanted:
        raise TrainingError(Code.DATA_LAYOUT, "No task was found, or all are held out.")
    unknown = sorted({*hold_out, *expected} - folders.keys()) + sorted({*hold_out} & {*expected})
    fatal = [f"there is no task {name} to hold out or to validate on" for name in unknown]
    others: list[str] = []
    tasks = []
    for done, (name, folder) in enumerate(wanted.items()):
        progress(done / len(wanted), f"Reading {name}")
        layout = layout_of(folder)
        normal = next(label.path for label in layout.folders if label.may_refer)
        if not (folder / normal).is_dir():
            fatal.append(f"task {name} has no folder normal or train/good")
            continue
        images, problems = _read_normals(folder / normal, normal, side, cancel)
        problems += _mask_problems(folder, layout, cancel)
        others += [f"task {name}: {problem}" for problem in problems]
        if len(images) < at_least:
            fatal.append(f"task {name} has {len(images)} usable normal images; {at_least} are needed")
        elif name in expected and (different := len(torch.unique(images, dim=0))) < MIN_IMAGES:
            needed = f"{MIN_IMAGES} are needed to validate on"
            fatal.append(f"task {name} has {different} different normal images; {needed}")
        tasks.append(Task(name, images))
    if fatal or (others and not leave_out):
        go_on = "" if fatal else " With --leave-out, the training goes on without it."
        raise TrainingError(Code.DATA_UNUSABLE, _list([*fatal, *others]) + go_on)
    for problem in others:
        warn(f"{_list([problem])}")
    return tuple(tasks)


def _read_normals(folder: Path, label: str, side: int, cancel: CancelToken) -> tuple[Tensor, list[str]]:
    """Reads what can be used of a folder, and says what cannot."""
    reasons: dict[str, list[int]] = {}
    kinds: dict[bool, list[tuple[int, Tensor]]] = {False: [], True: []}
    for number, _, found in numbered_series(folder, cancel):
        cancel.check()
        try:
            if isinstance(found, StudyError):
                raise found
            scan = found.load(cancel=cancel)
            kinds[scan.is_colour].append((number, network_images(scan, side)))
        except (StudyError, PairingError) as error:
            reasons.setdefault(f"unusable: {_reason(error)}", []).append(number)
    fewer, more = sorted(kinds.values(), key=len)
    if fewer:
        kind = "in colour" if fewer is kinds[True] else "grey"
        reasons[f"{kind}, unlike most"] = [number for number, _ in fewer]
    images = [torch.empty(0, 3, side, side, dtype=torch.uint8), *(image for _, image in more)]
    return torch.cat(images), [_numbered(label, numbers, reason) for reason, numbers in reasons.items()]


def _mask_problems(folder: Path, layout: Layout, cancel: CancelToken) -> list[str]:
    """Compares the sizes of masks with those of their scans, by headers."""
    if not (folder / layout.masks).is_dir():
        return []
    scans = {
        name: found
        for label in layout.folders
        if label.abnormal
        for _, name, found in numbered_series(folder / label.path, cancel)
    }
    reasons: dict[str, list[int]] = {}
    for number, name, found in numbered_series(folder / layout.masks, cancel):
        scan = scans.get(name)
        if isinstance(found, StudyError):
            reasons.setdefault(f"unreadable: {_reason(found)}", []).append(number)
        elif scan is None:
            reasons.setdefault("without a scan of its name", []).append(number)
        elif not isinstance(scan, StudyError) and scan.grid != found.grid:
            reasons.setdefault("of another size than its scan", []).append(number)
    return [_numbered(layout.masks, numbers, reason) for reason, numbers in reasons.items()]


def _reason(error: StudyError | PairingError) -> str:
    return f"{error.code.code}, {(error.detail or error.code.meaning).rstrip('.')}"


def _numbered(label: str, numbers: Sequence[int], reason: str) -> str:
    listed = ", ".join(map(str, numbers[:_LISTED]))
    more = f" and {len(numbers) - _LISTED} more" if len(numbers) > _LISTED else ""
    return (
        f"number {listed}{more} in {label} is {reason}"
        if len(numbers) == 1
        else f"numbers {listed}{more} in {label} are {reason}"
    )


def _list(problems: Sequence[str]) -> str:
    """Makes one sentence of each problem."""
    return " ".join(f"{problem[:1].upper()}{problem[1:]}." for problem in problems)

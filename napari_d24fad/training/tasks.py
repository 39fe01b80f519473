"""The training data: tasks of normal images, read from folders or made by procedure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from napari_d24fad.detection.prepared import prepare
from napari_d24fad.errors import Code, PairingError, StudyError, TrainingError
from napari_d24fad.progress import CancelToken, Progress, silent
from napari_d24fad.studies.scan import Scan
from napari_d24fad.studies.study import open_study

_NORMAL = ("normal", "train/good")
MIN_IMAGES = 10
_BATCH = 16


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """Normal images of one organ and modality.

    Attributes:
        name: Name of the task, that of its folder.
        images: ``(N, 3, side, side)`` uint8.
    """

    name: str
    images: Tensor = field(repr=False)


def read_tasks(
    data: Path,
    side: int,
    hold_out: Sequence[str] = (),
    progress: Progress = silent,
    cancel: CancelToken | None = None,
) -> tuple[Task, ...]:
    """Reads the normal images of every task.

    Args:
        data: Folder of ``TASK/normal`` or ``TASK/train/good`` with images, DICOM
            series or NIfTI volumes; abnormal images are never opened.
        side: Side of the square images that are kept, in pixels.
        hold_out: Tasks to leave alone.
        progress: Told how far the reading is.
        cancel: Stops the reading.

    Raises:
        TrainingError: DATA_LAYOUT if no task is found, a task is too
            small, or a held-out task does not exist.
        Cancelled: If a stop was asked for.
    """
    cancel = cancel or CancelToken()
    folders = {
        entry.name: next((entry / n for n in _NORMAL if (entry / n).is_dir()), None)
        for entry in sorted(data.iterdir() if data.is_dir() else ())
        if entry.is_dir()
    }
    named = {name: folder for name, folder in folders.items() if folder is not None}
    missing = sorted(set(hold_out) - named.keys())
    if missing:
        raise TrainingError(Code.DATA_LAYOUT, f"There is no task to hold out named {', '.join(missing)}.")
    wanted = {name: folder for name, folder in named.items() if name not in hold_out}
    if not wanted:
        raise TrainingError(Code.DATA_LAYOUT, "No task with normal images was found.")
    tasks = []
    for done, (name, folder) in enumerate(wanted.items()):
        progress(done / len(wanted), f"Reading {name}")
        images = _read_normals(folder, side, cancel)
        if len(images) < MIN_IMAGES:
            raise TrainingError(
                Code.DATA_LAYOUT, f"Task {name} has {len(images)} normal images; {MIN_IMAGES} are needed."
            )
        tasks.append(Task(name, images))
    return tuple(tasks)


def _read_normals(folder: Path, side: int, cancel: CancelToken) -> Tensor:
    batches = []
    for series in open_study(folder, cancel=cancel).series:
        cancel.check()
        try:
            batches.append(network_images(series.load(cancel=cancel), side))
        except (StudyError, PairingError):
            continue  # a damaged or empty image is one less to learn from, not a reason to stop
    return torch.cat(batches) if batches else torch.empty(0, 3, side, side, dtype=torch.uint8)


def network_images(scan: Scan, side: int) -> Tensor:
    """Turns a scan into network images just as the detection does.

    Args:
        scan: A volume or an image.
        side: Side of the images in pixels.

    Returns:
        ``(slices, 3, side, side)`` uint8; only slices that hold anatomy.

    Raises:
        PairingError: NOTHING_TO_EXAMINE if a volume holds no anatomy.
        StudyError: CONSTANT_IMAGE.
    """
    prepared = prepare(scan, side)
    starts = range(0, len(prepared.examined), _BATCH)
    batches = [prepared.inputs(prepared.examined[start : start + _BATCH]) for start in starts]
    return torch.cat([(batch * 255).round().to(torch.uint8) for batch in batches])

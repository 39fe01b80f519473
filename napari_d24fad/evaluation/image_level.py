"""Image-level AUROC of a detector on labelled tasks, references and queries drawn apart.

The protocol has none of the leaks of the published one: every image is examined on its
own, nothing is scaled over the test set, and no image is both reference and query.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from monai.metrics.rocauc import compute_roc_auc

from napari_d24fad.detection.detector import Detector
from napari_d24fad.errors import Code, StudyError, TrainingError
from napari_d24fad.progress import CancelToken, Progress, part, silent
from napari_d24fad.studies.scan import Scan
from napari_d24fad.studies.study import open_study

_LABELS = (("normal", "abnormal"), ("test/good", "test/bad"))


@dataclass(frozen=True, slots=True)
class TaskResult:
    """What was measured on one task.

    Attributes:
        task: Its name.
        n_normal: Normal images, from which references are drawn.
        n_abnormal: Abnormal images.
        n_left_out: Images that were unreadable, copies of another, or not of the kind
            (colour or grey) that most images of the task are.
        auroc: Image AUROC of each draw of references.
    """

    task: str
    n_normal: int
    n_abnormal: int
    n_left_out: int
    auroc: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Mean over the draws."""
        return sum(self.auroc) / len(self.auroc)

    @property
    def deviation(self) -> float:
        """Standard deviation over the draws (n - 1); 0 for a single draw."""
        if len(self.auroc) == 1:
            return 0.0
        return float(torch.tensor(self.auroc).std())


def evaluate(
    data: Path,
    detector: Detector,
    *,
    tasks: Sequence[str] = (),
    shots: int = 8,
    draws: int = 5,
    seed: int = 0,
    progress: Progress = silent,
    cancel: CancelToken | None = None,
) -> tuple[TaskResult, ...]:
    """Measures a detector on tasks of images.

    Args:
        data: Folder of ``TASK/{normal,abnormal}`` or ``TASK/test/{good,bad}``.
        detector: The model with its scoring.
        tasks: Names of the tasks; empty for all.
        shots: References per draw.
        draws: How often references are drawn.
        seed: The same seed draws the same references.
        progress: Told how far it is.
        cancel: Stops it.

    Raises:
        TrainingError: DATA_LAYOUT if there is no such task, or too few normal images.
        Cancelled: If a stop was asked for.
    """
    cancel = cancel or CancelToken()
    found = [entry.name for entry in sorted(data.iterdir()) if _folders(entry)] if data.is_dir() else []
    chosen = list(tasks) or found
    missing = sorted(set(chosen) - set(found))
    if missing or not chosen:
        raise TrainingError(Code.DATA_LAYOUT, f"No labelled images for {', '.join(missing) or 'any task'}.")
    results = []
    for number, task in enumerate(chosen):
        tell = part(progress, number / len(chosen), (number + 1) / len(chosen))
        results.append(_evaluate_task(data / task, detector, shots, draws, seed, tell, cancel))
    return tuple(results)


def _folders(task: Path) -> tuple[Path, Path] | None:
    for normal, abnormal in _LABELS:
        if (task / normal).is_dir() and (task / abnormal).is_dir():
            return task / normal, task / abnormal
    return None


def _evaluate_task(
    folder: Path,
    detector: Detector,
    shots: int,
    draws: int,
    seed: int,
    progress: Progress,
    cancel: CancelToken,
) -> TaskResult:
    folders = _folders(folder)
    assert folders is not None  # evaluate() takes no other
    (normal, unread), (abnormal, unread_too) = (_images(path, cancel) for path in folders)
    every = [*normal, *abnormal]
    colour = sum(scan.is_colour for scan in every) * 2 > len(every)
    known: set[str] = set()
    kept: list[list[Scan]] = [[], []]
    for group, scans in zip(kept, (normal, abnormal), strict=True):
        for scan in scans:
            content = scan.content_hash()
            if scan.is_colour == colour and content not in known:
                known.add(content)
                group.append(scan)
    if len(kept[0]) <= shots or not kept[1]:
        detail = f"Task {folder.name} needs more than {shots} normal images, and abnormal ones."
        raise TrainingError(Code.DATA_LAYOUT, detail)
    auroc = []
    for draw in range(draws):
        chosen = set(random.Random(seed + draw).sample(range(len(kept[0])), shots))
        references = detector.encode([kept[0][i] for i in sorted(chosen)], cancel=cancel)
        queries = [(scan, 0) for i, scan in enumerate(kept[0]) if i not in chosen]
        queries += [(scan, 1) for scan in kept[1]]
        scores = []
        for done, (scan, _) in enumerate(queries):
            scores.append(detector.detect(scan, references, cancel=cancel).score)
            progress((draw + done / len(queries)) / draws, f"{folder.name}, draw {draw + 1}")
        labels = torch.tensor([label for _, label in queries])
        auroc.append(float(np.asarray(compute_roc_auc(torch.tensor(scores), labels))))
    n_left_out = unread + unread_too + len(every) - len(kept[0]) - len(kept[1])
    return TaskResult(folder.name, len(kept[0]), len(kept[1]), n_left_out, tuple(auroc))


def _images(folder: Path, cancel: CancelToken) -> tuple[list[Scan], int]:
    """Reads the images of a folder; returns them and how many could not be read."""
    scans, unread = [], 0
    for series in open_study(folder, cancel=cancel).series:
        try:
            scans.append(series.load(cancel=cancel))
        except StudyError:
            unread += 1
    return scans, unread

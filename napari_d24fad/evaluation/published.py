"""The published evaluation with its leaks, so that the difference they make can be shown.

As in the paper's implementation, and unlike anything a single patient could be examined by:

- maps of 16 test images, sorted by label, are smoothed together as one ``[batch, H, W]`` stack by a
  three-dimensional Gaussian, so that a map takes over values of its neighbours, most of which have its
  label;
- the score of an image is the largest value of its map, scaled to 0..1 over the whole test set;
- the last batch is dropped unless it is full.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from scipy import ndimage

from napari_d24fad.detection.encoding.devices import upload
from napari_d24fad.detection.scoring.paper import PaperScoring
from napari_d24fad.detection.scoring.protocol import Features
from napari_d24fad.errors import ArgumentError, Code
from napari_d24fad.evaluation.draws import draw_references
from napari_d24fad.evaluation.measure import EncodedTask, Plan, Scores, baseline_scores
from napari_d24fad.progress import CancelToken, Progress, silent

BATCH = 16
SIGMA = 4.0
FloatArray = npt.NDArray[np.float32]


def published_scores(maps: FloatArray) -> FloatArray:
    """Turns maps into scores as published.

    Args:
        maps: ``(N, side, side)``, not smoothed, sorted by label.

    Returns:
        Scores 0 to 1 of the first ``N // BATCH * BATCH`` images.
    """
    full = len(maps) // BATCH * BATCH
    batches = [ndimage.gaussian_filter(maps[start : start + BATCH], SIGMA) for start in range(0, full, BATCH)]
    highest = np.concatenate(batches).max(axis=(1, 2))
    return np.asarray((highest - highest.min()) / (highest.max() - highest.min()), np.float32)


def measure_as_published(
    encoded: EncodedTask,
    plan: Plan,
    *,
    progress: Progress = silent,
    cancel: CancelToken | None = None,
) -> tuple[Scores, ...]:
    """Measures one task of images by the published protocol.

    The nearest neighbours stand beside it for the same images; their scores are those of the
    honest protocol, each image on its own.

    Args:
        encoded: The task, encoded for the ``"paper"`` scoring.
        plan: Shots, draws and seed.
        progress: Told how far it is.
        cancel: Stops it.

    Raises:
        ArgumentError: BAD_ARGUMENT for volumes, or fewer queries than one batch.
        Cancelled: If a stop was asked for.
    """
    cancel = cancel or CancelToken()
    task = encoded.task
    drawn = draw_references(task, plan.shots, plan.draws, plan.seed)
    if task.is_volumes or min(len(draw.queries) for draw in drawn) < BATCH:
        detail = f"The published protocol is for {BATCH} or more images per task, not for volumes."
        raise ArgumentError(Code.BAD_ARGUMENT, detail)
    measured = []
    for number, draw in enumerate(drawn):
        progress(number / len(drawn), f"{task.name}: draw {number + 1}")
        by_label = sorted(draw.queries, key=lambda index: task.scans[index].abnormal)
        kept = tuple(by_label[: len(by_label) // BATCH * BATCH])
        abnormal = tuple(task.scans[index].abnormal for index in kept)
        if not any(abnormal):
            raise ArgumentError(Code.BAD_ARGUMENT, "Dropping the last batch leaves no abnormal image.")
        baseline = [encoded.baseline(index, draw.references, plan.shots, cancel) for index in kept]
        for shots in plan.shots:
            maps = _maps(encoded, kept, draw.references[:shots], cancel)
            scores = {
                "model": tuple(float(score) for score in published_scores(maps)),
                **baseline_scores(baseline, shots),
            }
            measured.append(Scores(shots, number, kept, abnormal, scores))
    return tuple(measured)


@torch.inference_mode()
def _maps(
    encoded: EncodedTask, queries: Sequence[int], references: Sequence[int], cancel: CancelToken
) -> FloatArray:
    """Unsmoothed published maps of images, ``(N, side, side)``."""
    method, detector = PaperScoring(), encoded.detector
    supports = method.supports(detector.network, _features(encoded, references))
    side = encoded.scans[0].prepared.sampling.side
    maps = []
    for start in range(0, len(queries), BATCH):
        cancel.check()
        own = _features(encoded, queries[start : start + BATCH])
        maps.append(method.compare(own, supports, range(len(references)), side)[0].sum(dim=1))
    return np.asarray(torch.cat(maps).cpu().numpy())


def _features(encoded: EncodedTask, chosen: Sequence[int]) -> Features:
    kept = (encoded.scans[index].encoded.features for index in chosen)
    return tuple(upload(torch.cat(features), encoded.detector.device) for features in zip(*kept, strict=True))

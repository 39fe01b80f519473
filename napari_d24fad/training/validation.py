"""Image AUROC on synthetic anomalies in normal images of tasks that are not trained on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from napari_d24fad.detection.detector import Detector
from napari_d24fad.metrics.scans import auroc
from napari_d24fad.network.card import ModelCard
from napari_d24fad.network.checkpoint import LoadedModel
from napari_d24fad.network.d24fad import D24FAD
from napari_d24fad.progress import CancelToken
from napari_d24fad.studies.scan import Photometric, Scan
from napari_d24fad.training.data.anomalies import with_anomaly
from napari_d24fad.training.data.tasks import Task

REFERENCES = 8
QUERIES = 16
MIN_IMAGES = REFERENCES + 2


class Validation:
    """Normal images against the same images with an anomaly, scored as the tool does by default.

    References, queries and anomalies are drawn once, by a fixed seed, so that every
    measurement of a training is of the same images.

    Args:
        network: Measured as it is at the time.
        card: How its inputs are made and its maps are scored.
        tasks: Normal images that are not trained on, at least `MIN_IMAGES` different ones of each.
        device: Where to compute.
    """

    def __init__(self, network: D24FAD, card: ModelCard, tasks: Sequence[Task], device: torch.device) -> None:
        # Exact: the network itself, whose weights change between measurements.
        self._detector = Detector(LoadedModel(card, network, card.sha256), str(device), precision="exact")
        self._episodes = [_episode(task, seed) for seed, task in enumerate(tasks)]

    def __call__(self, cancel: CancelToken) -> float:
        """Returns the mean over the tasks.

        Raises:
            Cancelled: If a stop was asked for.
        """
        return float(np.mean([self._auroc(*episode, cancel) for episode in self._episodes]))

    def _auroc(self, references: list[Scan], queries: list[tuple[Scan, bool]], cancel: CancelToken) -> float:
        known = self._detector.encode(references, cancel=cancel)
        scores = [self._detector.detect(scan, known, cancel=cancel).score for scan, _ in queries]
        return auroc(scores, [abnormal for _, abnormal in queries])


def _episode(task: Task, seed: int) -> tuple[list[Scan], list[tuple[Scan, bool]]]:
    generator = torch.Generator().manual_seed(seed)
    images = torch.unique(task.images, dim=0)  # a copy of a reference would be refused as a query
    images = images[torch.randperm(len(images), generator=generator)]
    colour = bool((images != images[:, :1]).any())
    normal = images[REFERENCES : REFERENCES + QUERIES]
    changed = [
        with_anomaly(image, normal[(index + 1) % len(normal)], generator)
        for index, image in enumerate(normal)
    ]
    queries = [(_scan(image, colour), False) for image in normal] + [
        (_scan(c, colour), True) for c in changed
    ]
    return [_scan(image, colour) for image in images[:REFERENCES]], queries


def _scan(image: Tensor, colour: bool) -> Scan:
    voxels = image.movedim(0, -1)[None].numpy() if colour else image[:1].float().numpy()
    return Scan(
        voxels,
        np.eye(4),
        photometric=Photometric.COLOUR if colour else Photometric.DARK_TO_BRIGHT,
        has_geometry=False,
    )

"""What the teacher sees in the images of an episode: in random views each time, in fixed images once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from napari_d24fad.detection.encoding.devices import upload
from napari_d24fad.network.normalise import normalise
from napari_d24fad.network.teachers.protocol import Teacher, TeacherFeatures
from napari_d24fad.progress import CancelToken, Progress, silent
from napari_d24fad.training.data.tasks import Task
from napari_d24fad.training.precision import mixed_precision

_BLOCK = 16


class ImageEncoder:
    """Turns stored images into teacher features, in mixed precision.

    Args:
        teacher: Frozen, in evaluation mode.
        side: Side of the network input in pixels.
        normalise: Whether images get the mean and deviation that the teacher was trained with.
        device: Where the teacher is.
    """

    def __init__(self, teacher: Teacher, side: int, normalise: bool, device: torch.device) -> None:
        self.teacher = teacher
        self.side = side
        self.normalise = normalise
        self.device = device

    def __call__(self, images: Tensor) -> TeacherFeatures:
        """Encodes images ``(N, 3, S, S)``: uint8 as stored, or float32 views in 0..1 of the right side."""
        images = upload(images, self.device)
        if images.dtype == torch.uint8:
            images = interpolate(
                images.float() / 255, (self.side, self.side), mode="bilinear", antialias=True
            )
        if self.normalise:
            images = normalise(images, self.teacher.mean, self.teacher.deviation)
        images = images.contiguous(memory_format=torch.channels_last)
        with torch.no_grad(), mixed_precision(self.device):
            seen: TeacherFeatures = self.teacher(images)
        return seen


class FeatureCache:
    """Teacher features of fixed images, each encoded once and kept in memory as the teacher gave them.

    Features are kept bit for bit, so that a loss is the same with and without the cache.
    Images beyond the budget are encoded whenever they are drawn.

    Args:
        encoder: Encodes.
        tasks: Whose images are asked for.
        budget: Bytes of memory for features.
        progress: Told how far the encoding is.
        cancel: Stops it.
    """

    def __init__(
        self,
        encoder: ImageEncoder,
        tasks: Sequence[Task],
        budget: int,
        progress: Progress = silent,
        cancel: CancelToken | None = None,
    ) -> None:
        cancel = cancel or CancelToken()
        self._encoder = encoder
        self._tasks = tasks
        self._kept: dict[tuple[int, int], tuple[Tensor, ...]] = {}
        blocks = list(_blocks(tasks))
        for done, (task, start) in enumerate(blocks):
            cancel.check()
            # Fixed blocks: a resumed training must see the same last bits.
            seen = _flat(encoder(tasks[task].images[start : start + _BLOCK]))
            rows = {
                (task, start + row): tuple(f[row].cpu().clone() for f in seen) for row in range(len(seen[0]))
            }
            needed = sum(f.nbytes for row in rows.values() for f in row)
            if needed > budget:
                return
            budget -= needed
            self._kept |= rows
            progress((done + 1) / len(blocks), "Encoding images")

    def __call__(self, picked: Sequence[tuple[int, Tensor]]) -> TeacherFeatures:
        """Returns the features of images, in order.

        Args:
            picked: Task and indices of its images.
        """
        wanted = [(task, index) for task, indices in picked for index in indices.tolist()]
        missing = [where for where in wanted if where not in self._kept]
        fresh: dict[tuple[int, int], tuple[Tensor, ...]] = {}
        if missing:
            seen = _flat(self._encoder(torch.stack([self._tasks[t].images[i] for t, i in missing])))
            fresh = {where: tuple(f[row] for f in seen) for row, where in enumerate(missing)}
        device = self._encoder.device
        rows = [fresh[where] if where in fresh else self._kept[where] for where in wanted]
        columns = [list(column) for column in zip(*rows, strict=True)]
        if fresh:
            columns = [[upload(feature, device) for feature in column] for column in columns]
        fine, middle, coarse, embedding = (
            upload(torch.stack(column), device).contiguous(memory_format=torch.channels_last)
            for column in columns
        )
        return TeacherFeatures((fine, middle, coarse), embedding)


def _blocks(tasks: Sequence[Task]) -> Iterator[tuple[int, int]]:
    for task, each in enumerate(tasks):
        for start in range(0, len(each.images), _BLOCK):
            yield task, start


def _flat(seen: TeacherFeatures) -> tuple[Tensor, ...]:
    return (*seen.scales, seen.embedding)

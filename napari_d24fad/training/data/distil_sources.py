"""What a teacher is distilled on: the user's tasks, photographs and procedural anatomy."""

from __future__ import annotations

from collections.abc import Sequence

from napari_d24fad.training.data.photographs import photographs
from napari_d24fad.training.data.procedural import procedural_tasks
from napari_d24fad.training.data.tasks import Task
from napari_d24fad.training.data.views import Source

_PROCEDURAL_SOURCES = 6
_TASKS_PER_SOURCE = 6
_SUBJECTS = 12


def distil_sources(tasks: Sequence[Task], side: int, seed: int) -> list[Source]:
    """Collects what to look at, 19,500 views with six tasks.

    Args:
        tasks: Normal images of the training tasks.
        side: Side of procedural images in pixels.
        seed: The same seed makes the same procedural images.
    """
    sources = [
        Source([image.float() / 255 for image in task.images], 1500, (0.35, 1.06), weight=2, general=False)
        for task in tasks
    ]
    sources.append(Source(photographs(), 6000, (0.15, 0.8), weight=3, general=True))
    made = procedural_tasks(_PROCEDURAL_SOURCES * _TASKS_PER_SOURCE, _SUBJECTS, side, seed)
    for first in range(0, len(made), _TASKS_PER_SOURCE):
        images = [
            image.float() / 255 for task in made[first : first + _TASKS_PER_SOURCE] for image in task.images
        ]
        sources.append(Source(images, 750, (0.3, 1.06), weight=1, general=True))
    return sources

"""How a student is trained: the one place with the numbers of our recipe and of the published one."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class TrainingOptions:
    """How a student is trained.

    The defaults keep the student's features from collapsing toward a constant, which
    the published loss allows: supports carry no gradient, distances are taken per
    position, and copying the teacher weighs as much as agreeing with the supports.
    `published` gives the paper's settings.

    Attributes:
        steps: Optimiser steps.
        groups: Tasks per step.
        queries: Query images per task and step.
        shots: Support images per task and step.
        side: Side in pixels of the images that the network is trained on.
        crops: Whether these are parts of images, half to the whole of a side; the network then
            examines images of twice the side.
        rate: Peak learning rate of Adam, betas (0.5, 0.999).
        tsd_weight: Weight of teacher-student distillation (paper: lambda); 0 leaves it out.
        ssd: Whether the student's own distance to the supports (SSD) is part of the loss.
        l2w: Whether supports are weighted by learn-to-weight; otherwise equally.
        stop_gradient: Whether support features are taken as they are.
        by_position: Whether distances are taken per position, not over flattened maps.
        augment: Whether each image is turned, scaled and re-lit.
        normalise: Whether a teacher of others sees images with the mean and standard deviation that it was
            trained with; the compact teacher always does.
        seed: Makes the run repeatable on one machine.
    """

    steps: int = 2000
    groups: int = 4
    queries: int = 5
    shots: int = 3
    side: int = 128
    rate: float = 1e-3
    tsd_weight: float = 1.0
    ssd: bool = True
    l2w: bool = True
    stop_gradient: bool = True
    by_position: bool = True
    augment: bool = True
    crops: bool = True
    normalise: bool = True
    seed: int = 0

    @classmethod
    def published(cls, steps: int = 2000, shots: int = 4) -> TrainingOptions:
        """The paper's loss and optimiser: one task and 16 queries per step, lambda 0.1."""
        return cls(
            steps=steps,
            groups=1,
            queries=16,
            shots=shots,
            rate=1e-4,
            tsd_weight=0.1,
            stop_gradient=False,
            by_position=False,
            augment=False,
            crops=False,
            normalise=False,
        )

    def in_multiples(self, pixels: int) -> TrainingOptions:
        """Returns the same with a side that is a multiple of so many pixels, at most as large."""
        return replace(self, side=self.side // pixels * pixels)

    @property
    def input_size(self) -> int:
        """Side in pixels of what the trained network examines."""
        return 2 * self.side if self.crops else self.side

    @property
    def episode(self) -> int:
        """Images of one task in a step."""
        return self.queries + self.shots

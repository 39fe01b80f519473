"""What the examples of one kind teach of places of volumes, and what references left out show of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from napari_d24fad.detection.examples.of_kind import weight_of
from napari_d24fad.detection.examples.voxels import Normal, Towards, Vectors

_LEAST = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class VolumeKind:
    """The direction towards the lesions of one kind, from all references and without each.

    Attributes:
        weight: How much it counts, see `weight_of`.
        examples: Which of the examples are of the kind.
        towards: From places of all references to those of the lesions.
        without: For each reference, the same from places of the others.
        top: Mean and deviation over references of what they show most of it, by directions without them.
    """

    weight: float
    examples: tuple[int, ...]
    towards: Towards = field(repr=False)
    without: tuple[Towards, ...] = field(repr=False)
    top: tuple[float, float]


def learn_kinds(
    chosen: Sequence[int],
    kinds: Sequence[str],
    lesions: Vectors,
    normal: Normal,
    tops: Sequence[Callable[[Towards], float]],
) -> tuple[VolumeKind, ...]:
    """Learns from some of the examples, each kind apart.

    Args:
        chosen: Which.
        kinds: Of each example.
        lesions: ``(examples, columns)``, the mean place of each lesion.
        normal: How places of references vary.
        tops: For each reference, what it shows most in a direction.
    """
    learned = []
    for kind in dict.fromkeys(kinds[at] for at in chosen):
        group = tuple(at for at in chosen if kinds[at] == kind)
        mean = lesions[list(group)].mean(axis=0)
        without = tuple(normal.towards(mean, out) for out in range(len(tops)))
        shown = [top(each) for top, each in zip(tops, without, strict=True)]
        spread = float(np.mean(shown)), max(float(np.std(shown, ddof=1)), _LEAST)
        learned.append(VolumeKind(weight_of(len(group)), group, normal.towards(mean), without, spread))
    return tuple(learned)

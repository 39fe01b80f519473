"""What the examples of one kind teach, and what references show of it that were left out in turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from napari_d24fad.detection.examples.described import Described, Vectors
from napari_d24fad.detection.examples.directions import OfPlaces, OfWhole

_HALF = 2
"""So many examples count half: what a single one shows may be chance."""

_LEAST = 1e-9


def weight_of(count: int) -> float:
    """How much so many examples of one kind count, 0 to 1."""
    return count**2 / (count**2 + _HALF**2)


@dataclass(frozen=True, slots=True, eq=False)
class OfKind:
    """The direction towards the examples of one kind; lengths are in deviations of left-out references.

    Attributes:
        weight: How much it counts.
        examples: Which of the examples are of the kind.
        direction: ``(channels,)`` towards their unusual places.
        whole: Towards them as a whole.
        top: Mean and deviation over references of what they show most of it.
        place: The same of each place of a reference.
        spread: Deviation of references as a whole.
        along: How far each reference lies, by directions learned without it.
        along_places: Of each reference the same at its places.
    """

    weight: float
    examples: tuple[int, ...]
    direction: Vectors = field(repr=False)
    whole: OfWhole = field(repr=False)
    top: tuple[float, float]
    place: tuple[float, float]
    spread: float
    along: Vectors = field(repr=False)
    along_places: tuple[Vectors, ...] = field(repr=False)

    @classmethod
    def learn(
        cls,
        chosen: Sequence[int],
        examples: Sequence[Described],
        normal: Sequence[Described],
        of_places: OfPlaces,
        without: Sequence[OfPlaces],
    ) -> OfKind:
        """Learns from some of the examples.

        Args:
            chosen: Which.
            examples: All of them.
            normal: The references.
            of_places: Between places of all references and those of all examples.
            without: The same without each reference.
        """
        known = [examples[at] for at in chosen]
        tops, wholes, places = [], [], []
        for at, (out, others) in enumerate(zip(normal, without, strict=True)):
            projected = out.places @ others.direction(chosen)
            places.append(projected)
            tops.append(out.top(projected))
            wholes.append(OfWhole([*normal[:at], *normal[at + 1 :]], known).along(out))
        inside = np.concatenate([p[each.inside] for p, each in zip(places, normal, strict=True)])
        top = float(np.mean(tops)), max(float(np.std(tops, ddof=1)), _LEAST)
        place = float(inside.mean()), max(float(inside.std()), _LEAST)
        spread = max(float(np.sqrt(np.mean(np.square(wholes)))), _LEAST)
        return cls(
            weight_of(len(chosen)),
            tuple(chosen),
            of_places.direction(chosen),
            OfWhole(normal, known),
            top,
            place,
            spread,
            (np.array(tops) - top[0]) / top[1] + np.array(wholes) / spread,
            tuple((each - place[0]) / place[1] for each in places),
        )

    def parts(self, image: Described) -> tuple[float, float]:
        """How far an image lies by its places and as a whole."""
        top = (image.top(image.places @ self.direction) - self.top[0]) / self.top[1]
        return top, self.whole.along(image) / self.spread

    def of_places(self, image: Described) -> Vectors:
        """How far each place of an image lies."""
        return np.asarray((image.places @ self.direction - self.place[0]) / self.place[1])

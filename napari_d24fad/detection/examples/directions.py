"""In which direction abnormal examples lie from normal references: shrunken linear discriminants.

Both parts are the discriminant of Fisher with a ridge: ``(S + r I)^-1 (abnormal - normal)``. A handful of
scans does not tell how features vary together, so the ridge is large; it was chosen on six kinds of images.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from napari_d24fad.detection.examples.described import Described, Vectors

_RIDGE_OF_PLACES = 0.3
"""Of the mean variance of a channel over the places of all references."""

_RIDGE_OF_WHOLE = 1.0
"""Of the mean variance along the differences between scans."""

_USUAL = 0.3
"""A statistic that references hardly differ in must not become deafening: share of the median deviation."""

_LEAST = 0.01
"""Of the size of the statistics: of two references, one is left, which has no deviation."""


def usual_deviation(normal: Vectors) -> Vectors:
    """How much each statistic varies among normal scans, ``(scans, statistics)``; never next to nothing."""
    deviation = normal.std(axis=0)
    return np.asarray(np.sqrt(deviation**2 + (_USUAL * np.median(deviation)) ** 2))


class OfPlaces:
    """Directions between places of abnormal examples and those of references.

    Args:
        references: Normal scans; how their places vary decides what counts as a difference.
        unusual: For each example, the mean vector of its unusual places.
    """

    def __init__(self, references: Sequence[Described], unusual: Sequence[Vectors]) -> None:
        places = np.concatenate([each.places for each in references])
        middle = places.mean(axis=0)
        centred = places - middle
        covariance = centred.T @ centred / len(centred)
        covariance[np.diag_indices_from(covariance)] += (
            _RIDGE_OF_PLACES * np.trace(covariance) / len(covariance)
        )
        solved = np.linalg.solve(covariance, np.stack([*unusual, middle], axis=1))
        self._examples, self._middle = solved[:, :-1].T, solved[:, -1]

    def direction(self, chosen: Sequence[int]) -> Vectors:
        """Returns the direction ``(channels,)`` towards some of the examples, by their positions."""
        return np.asarray(self._examples[list(chosen)].mean(axis=0) - self._middle)


class OfWhole:
    """The direction between whole examples and whole references.

    Args:
        references: Normal scans.
        examples: Abnormal ones.
    """

    def __init__(self, references: Sequence[Described], examples: Sequence[Described]) -> None:
        normal = np.stack([each.whole for each in references])
        self._scale = usual_deviation(normal)
        self._scale += _LEAST * np.sqrt(np.mean(normal**2)) + 1e-9
        self._middle = normal.mean(axis=0)
        z = (normal - self._middle) / self._scale
        known = (np.stack([each.whole for each in examples]) - self._middle) / self._scale
        towards = known.mean(axis=0)
        within = np.concatenate([z, known - towards]) if len(known) > 1 else z
        # In the space of the scans, of which there are few: (X'X / n + r I)^-1 d.
        freedom = max(1, len(within) - 2)
        products = within @ within.T / freedom
        ridge = _RIDGE_OF_WHOLE * np.trace(products) / len(within) + 1e-9
        inner = np.linalg.solve(products + ridge * np.eye(len(within)), within @ towards) / freedom
        self._direction = (towards - within.T @ inner) / ridge

    def along(self, image: Described) -> float:
        """How far an image lies in the direction of the examples; 0 is where references lie on average."""
        return float((image.whole - self._middle) / self._scale @ self._direction)

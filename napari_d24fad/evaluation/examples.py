"""Abnormal examples beside the references: what one, two, four or eight of them add."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from napari_d24fad.detection.encoding.encoded import EncodedScan
from napari_d24fad.detection.examples.described import describe
from napari_d24fad.detection.examples.directions import usual_deviation
from napari_d24fad.detection.examples.learned import Examples
from napari_d24fad.detection.references.reference_set import References
from napari_d24fad.evaluation.names import NEAREST, PROBE


class Beside:
    """The baselines of a set of references and examples.

    *Linear probe*: the direction between whole examples and whole references alone (`OfWhole`).
    *Nearest scan*: distance to the nearest reference minus that to the nearest example, of the same
    statistics in deviations of the references.

    Args:
        references: The normal scans.
        examples: The abnormal ones.
        learned: What these taught.
    """

    def __init__(self, references: References, examples: Sequence[EncodedScan], learned: Examples) -> None:
        self._alignment = references.alignment
        normal = np.stack([describe(each, self._alignment).whole for each in references.encoded])
        self._scale = usual_deviation(normal) + 1e-9
        self._normal = normal / self._scale
        self._known = np.stack([describe(each, self._alignment).whole for each in examples]) / self._scale
        self._learned = learned

    def scores(self, query: EncodedScan) -> dict[str, float]:
        """Scores a scan by each of them."""
        whole = describe(query, self._alignment).whole
        to_normal, to_known = (
            float(np.linalg.norm(each - whole / self._scale, axis=1).min())
            for each in (self._normal, self._known)
        )
        return {PROBE: self._learned.as_a_whole(query), NEAREST: to_normal - to_known}

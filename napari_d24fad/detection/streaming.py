"""Examines a volume while it is encoded, from the slice that is looked at outwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from napari_d24fad.detection.detector import Detector
from napari_d24fad.detection.encoding.encoded import EncodedScan
from napari_d24fad.detection.examination import draw_slices
from napari_d24fad.detection.references.calibration import FloatArray
from napari_d24fad.detection.references.reference_set import References
from napari_d24fad.progress import CancelToken, Progress, part, silent
from napari_d24fad.studies.scan import Scan

FIRST, THEN = 8, 32
"""Slices of the first part, which is waited for, and of each other."""


@dataclass(frozen=True, slots=True, eq=False)
class PartialMap:
    """A map that is being computed.

    Attributes:
        scan: The scan.
        values: ``(slices, rows, columns)`` on its grid, NaN where nothing was examined yet; more
            of it is filled in later.
        limits: Values at the ends of the colour scale, as far as the references tell.
        share: How much of it is there, 0 to 1.
    """

    scan: Scan
    values: FloatArray = field(repr=False)
    limits: tuple[float, float]
    share: float


def encode_and_show(
    detector: Detector,
    scan: Scan,
    references: References,
    start: int | None,
    show: Callable[[PartialMap], None],
    *,
    progress: Progress = silent,
    cancel: CancelToken | None = None,
) -> EncodedScan:
    """Encodes a volume part by part and shows the map of each part; nothing is computed twice.

    Args:
        detector: Of the references, with the default scoring.
        scan: The volume.
        references: What it is compared with.
        start: The slice to begin with, along the slice axis of the scan; None for the middle.
        show: Given the map after each part, in the thread that calls this.
        progress: Told how far it is.
        cancel: Stops it.

    Returns:
        The scan, which `Detector.examine` then only has to draw as a whole.

    Raises:
        PairingError: NOTHING_TO_EXAMINE.
        Cancelled: If a stop was asked for.
    """
    cancel = cancel or CancelToken()
    prepared = detector.prepare(scan)
    count = len(prepared.examined)
    values = np.full(scan.grid, np.nan, np.float32)
    upright = prepared.orientation.apply(values)
    level = references.calibration.level_one_region
    limits = (level, max(float(references.calibration.peaks.max()), 1.2 * level))
    parts: list[EncodedScan] = []
    done = held = 0
    for chosen in _outwards(count, _position(prepared.examined, scan, start, prepared.orientation.flips[0])):
        tell = part(progress, done / count, (done + len(chosen)) / count)
        encoded = detector.encode_slices(scan, prepared, chosen, tell, cancel, held)
        compared = references.alignment.compare(encoded, references.encoded, cancel=cancel)
        upright[list(encoded.indices)] = draw_slices(compared, references, cancel)
        parts.append(encoded)
        held += sum(feature.nbytes for feature in encoded.encoded.features)
        done += len(chosen)
        show(PartialMap(scan, values, limits, done / count))
    whole = EncodedScan.join(parts)
    references.alignment.joined(whole, parts)
    return whole


def _position(examined: tuple[int, ...], scan: Scan, start: int | None, reversed_order: bool) -> int:
    """Position of a slice, or of the nearest that holds anatomy, among those examined."""
    if start is None:
        return len(examined) // 2
    index = scan.n_slices - 1 - start if reversed_order else start
    return min(max(index - examined[0], 0), len(examined) - 1)


def _outwards(count: int, position: int) -> Iterator[range]:
    """Ranges that cover all positions: the first around one of them, then what is next to it."""
    low = min(max(0, position - FIRST // 2), max(0, count - FIRST))
    high = min(count, low + FIRST)
    yield range(low, high)
    while low > 0 or high < count:
        if high < count:
            yield range(high, min(count, high + THEN))
            high = min(count, high + THEN)
        if low > 0:
            yield range(max(0, low - THEN), low)
            low = max(0, low - THEN)

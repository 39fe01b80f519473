"""Draws one slice of a scan with its anomaly map, for a report or a slide."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from PIL import Image

from napari_d24fad.atomic import atomic_file
from napari_d24fad.detection.atlas.names import DRAWN_REGION
from napari_d24fad.detection.encoding.intensity import CT_WINDOW, CtWindow, window_of
from napari_d24fad.detection.result import AnomalyMap
from napari_d24fad.export.anatomy import edge_letters, slice_number, slice_text
from napari_d24fad.export.colours import anomaly_limits, blend
from napari_d24fad.export.notice import NOTICE
from napari_d24fad.export.stamp import Picture, Stamp, stamp
from napari_d24fad.export.windows import windows_text
from napari_d24fad.studies.orientation import canonical, canonical_orientation
from napari_d24fad.studies.scan import Scan

_Kind = TypeVar("_Kind", bound=np.generic)

_ENLARGE_TO_PX, _REDUCE_TO_PX = 1024, 4096
"""Small slices are enlarged up to the first length, by a whole number; the second is the largest."""


def draw_overlay(
    scan: Scan,
    anomaly: AnomalyMap,
    index: int,
    *,
    label: str,
    ct_window: CtWindow = CT_WINDOW,
    ct_windows: Sequence[CtWindow] = (),
) -> Picture:
    """Draws a slice as it lies on a radiologist's screen, with the anomaly over it.

    MONOCHROME1 is inverted. Where
    pixels are square each voxel is a whole number of screen pixels, otherwise the
    finer direction is.

    Args:
        scan: The scan that was examined.
        anomaly: Its map.
        index: The slice, along the scan's `slice_axis` in the scan's own order.
        label: What the scan is, without identity, such as the label of its series.
        ct_window: Low and high HU that become black and white, for CT.
        ct_windows: Those that the detector used, if others.

    Returns:
        ``(rows, columns, 3)``: the slice, headings, colour bar, and for a scan with
        geometry the scale bar and the anatomical directions.
    """
    upright = canonical(scan)
    rows, columns = _screen_size(upright)
    picture, is_coloured = _coloured(scan, upright, anomaly, index, ct_window, rows, columns)
    limits = anomaly_limits(anomaly)
    windows = windows_text(scan, anomaly, ct_windows or (ct_window,))
    return stamp(
        picture,
        Stamp(
            heading=(
                ", ".join(filter(None, (series_text(scan, label), windows))),
                _where(scan, anomaly, index, is_coloured=is_coloured),
            ),
            footing=(model_text(anomaly), NOTICE),
            limits=limits,
            letters=edge_letters(upright),
            mm_per_pixel=upright.spacing[2] * upright.grid[2] / columns if scan.has_geometry else None,
        ),
    )


def draw_small(
    scan: Scan, anomaly: AnomalyMap, index: int, *, longest: int, ct_window: CtWindow = CT_WINDOW
) -> Picture:
    """Draws a slice with the anomaly over it and nothing written on it; see `draw_overlay`.

    Args:
        scan: The scan that was examined.
        anomaly: Its map.
        index: The slice, along the scan's `slice_axis` in the scan's own order.
        longest: Length of the longer side in pixels.
        ct_window: Low and high HU that become black and white, for CT.
    """
    upright = canonical(scan)
    rows, columns = _screen_size(upright)
    scale = longest / max(rows, columns)
    small = max(1, round(rows * scale)), max(1, round(columns * scale))
    return _coloured(scan, upright, anomaly, index, ct_window, *small)[0]


def _coloured(
    scan: Scan, upright: Scan, anomaly: AnomalyMap, index: int, ct_window: CtWindow, rows: int, columns: int
) -> tuple[Picture, bool]:
    """Returns a slice with the map over it, and whether anything of the map is coloured."""
    at = slice_number(scan, index) - 1
    # The window comes from the whole scan, so that slices look alike.
    unit = window_of(scan, ct_window).apply(upright.voxels[at])
    background = (unit * 255).round().astype(np.uint8)
    values = np.asarray(canonical_orientation(scan).apply(anomaly.values)[at], dtype=np.float32)
    limits = anomaly_limits(anomaly)
    picture = blend(resize(background, rows, columns), resize(values, rows, columns), limits)
    return picture, bool((values >= limits[0]).any())


def save_png(picture: Picture, path: str | os.PathLike[str]) -> None:
    """Writes a picture as PNG, whatever the name ends in.

    Raises:
        ExportError: ``CANNOT_WRITE`` if the system refuses.
    """
    with atomic_file(path) as staged:
        Image.fromarray(picture).save(staged, format="PNG")


def _screen_size(upright: Scan) -> tuple[int, int]:
    """Returns rows and columns of the picture on the screen, with the aspect of the patient."""
    _, row_mm, column_mm = upright.spacing
    _, rows, columns = upright.grid
    finest = min(row_mm, column_mm)
    height, width = rows * row_mm / finest, columns * column_mm / finest
    longest = max(height, width)
    scale = max(1, _ENLARGE_TO_PX // longest) if longest <= _REDUCE_TO_PX else _REDUCE_TO_PX / longest
    return max(1, round(height * scale)), max(1, round(width * scale))


def resize(array: npt.NDArray[_Kind], rows: int, columns: int) -> npt.NDArray[_Kind]:
    """Repeats or leaves out pixels; nothing is averaged, so no value is invented.

    Args:
        array: ``(rows, columns)``, or with colours as a third axis.
        rows: Of what is returned.
        columns: Of what is returned.
    """
    at_row = ((np.arange(rows) + 0.5) * array.shape[0] / rows).astype(int)
    at_column = ((np.arange(columns) + 0.5) * array.shape[1] / columns).astype(int)
    resized: npt.NDArray[_Kind] = array[at_row][:, at_column]
    return resized


def series_text(scan: Scan, label: str) -> str:
    """Says in one line which series a picture shows: its label and Series Description (0008,103E)."""
    # Only DICOM describes its series; elsewhere the description repeats the kind of file.
    description = " ".join(scan.identity.description.split()) if scan.identity.series_uid else ""
    return f"{label}, {description}" if description else label


def _where(scan: Scan, anomaly: AnomalyMap, index: int, *, is_coloured: bool) -> str:
    value = float(anomaly.slice_scores[index])
    score = f"score {value:.3g}" if np.isfinite(value) else "not examined"
    if np.isfinite(value) and not is_coloured:
        score += ", nothing above the level of one false region"
    where = slice_text(scan, index)
    return f"{where}, {score}" if where else score.capitalize()


def model_text(anomaly: AnomalyMap) -> str:
    """Says in one line what a picture was made with."""
    count = len(anomaly.reference_scores)
    how = ", ".join(text for text in (anomaly.plan, _sought(anomaly), _where_alone(anomaly)) if text)
    scoring = f"{anomaly.scoring} scoring{f' ({how})' if how else ''}"
    examples = 0 if anomaly.examples is None else len(anomaly.examples.found)
    known = {0: "", 1: ", 1 abnormal example"}.get(examples, f", {examples} abnormal examples")
    return f"D2-4FAD, model {anomaly.model_name}, {scoring}, {count} normal references{known}"


def _where_alone(anomaly: AnomalyMap) -> str:
    """Says that only a region was examined; the plan of volumes of no known kind is named after it."""
    return "" if anomaly.region is None or anomaly.plan == DRAWN_REGION else "only inside the drawn region"


def _sought(anomaly: AnomalyMap) -> str:
    """Says what was looked for; empty if the scoring knows no direction."""
    named = {"both": "brighter or darker"}.get(anomaly.direction, anomaly.direction)
    return f"looks for {named}" if named else ""

"""npe2 readers: medical images opened with napari's own File menu, drag and drop, or command line."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

from napari import current_viewer
from napari.layers import Image
from napari.utils.notifications import show_error, show_warning

from napari_d24fad.errors import Code, D24fadError, StudyError
from napari_d24fad.session.opening import open_paths
from napari_d24fad.studies.scan import Scan
from napari_d24fad.studies.segments.files import segmentation_files
from napari_d24fad.studies.segments.segmentation import read_segmentation
from napari_d24fad.studies.series import Series
from napari_d24fad.studies.volumes import summary
from napari_d24fad.viewer.canvas.layer_data import SCAN_KEY, ScanLayerData, scan_layer_data, scan_of_layer
from napari_d24fad.viewer.canvas.segments import SegmentLayerData, segment_layer_data

Paths = str | Sequence[str]
LayerData = ScanLayerData | SegmentLayerData | tuple[None]

NOTHING: list[LayerData] = [(None,)]
"""npe2: the path was dealt with and there is no layer to add."""

_PEEKED_FILES = 200
_DICOM_MARK, _DICOM_MARK_AT = b"DICM", 128


def get_reader(path: Paths) -> Callable[[Paths], list[LayerData]] | None:
    """npe2: returns the reader of NIfTI files, DICOM files and folders of them, or None.

    Args:
        path: A file or folder, or several files that were opened as a stack.
    """
    paths = [path] if isinstance(path, str) else list(path)
    return read_scans if all(_looks_medical(Path(one)) for one in paths) else None


def read_scans(path: Paths) -> list[LayerData]:
    """npe2: returns one image layer per series, and labels layers of DICOM Segmentations.

    A segmentation lies on the voxels of the scan that it was made on, if that is opened with it or is a layer
    of the viewer already; else in its own frame. What cannot be read is told in a notification.

    Args:
        path: A file or folder, or several files that were opened as a stack.
    """
    paths = [Path(path)] if isinstance(path, str) else [Path(one) for one in path]
    segmentations = segmentation_files(paths)
    others = [one for one in paths if one not in segmentations]
    layers: list[ScanLayerData] = []
    if others:
        try:
            study = open_paths(others)
        except D24fadError as error:
            if error.code is not Code.NO_IMAGES or not segmentations:  # a folder may hold nothing else
                show_error(str(error))
        else:
            layers = [layer for row in study.rows for layer in _read(row)]
    opened = [settings["metadata"][SCAN_KEY] for _, settings, _ in layers]
    shown: list[LayerData] = hide_all_but_first(layers)
    for file in segmentations:
        shown += _read_segments(file, [*opened, *_scans_shown()])
    return shown or NOTHING


def _read_segments(file: Path, scans: Sequence[Scan]) -> list[SegmentLayerData]:
    try:
        segments = read_segmentation(file)
        if segments.is_halved:
            show_warning("This segmentation holds shares or probabilities. Shown is what has a half or more.")
        return segment_layer_data(segments, scans)
    except StudyError as error:
        show_warning(str(error))
        return []


def _scans_shown() -> list[Scan]:
    """Returns the scans that layers of the viewer show."""
    viewer = current_viewer()
    layers = [] if viewer is None else [layer for layer in viewer.layers if isinstance(layer, Image)]
    return [scan for layer in layers if (scan := scan_of_layer(layer)) is not None]


def hide_all_but_first(layers: Sequence[ScanLayerData]) -> list[LayerData]:
    """Leaves one scan to look at: those of one study would otherwise lie on top of each other."""
    return [(data, {**settings, "visible": not at}, kind) for at, (data, settings, kind) in enumerate(layers)]


def _read(row: Sequence[Series]) -> list[ScanLayerData]:
    """Reads a series; of several volumes, which may be hundreds, the first that can be loaded."""
    series = next((volume for volume in row if volume.refusal is None), row[0])
    if len(row) > 1:
        show_warning(f"{summary(row)}. One is shown; the others can be chosen in the list of the plugin.")
    try:
        scan = series.load()
    except D24fadError as error:
        offered = " The list of the plugin offers that." if series.remedy else ""
        show_warning(f"{error}{offered}")
        return []
    for problem in scan.problems:
        show_warning(str(problem))
    return [scan_layer_data(scan, series.title)]


def _looks_medical(path: Path) -> bool:
    if not path.is_dir():
        return path.name.lower().endswith((".nii", ".nii.gz", ".dcm"))
    files = (Path(folder, name) for folder, _, names in os.walk(path) for name in sorted(names))
    return any(_looks_medical(file) or _is_dicom(file) for file in islice(files, _PEEKED_FILES))


def _is_dicom(path: Path) -> bool:
    try:
        if not path.is_file():  # opening a pipe would wait
            return False
        with path.open("rb") as file:
            file.seek(_DICOM_MARK_AT)
            return file.read(len(_DICOM_MARK)) == _DICOM_MARK
    except OSError:
        return False

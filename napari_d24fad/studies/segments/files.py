"""Which files are DICOM Segmentations."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from pydicom.uid import SegmentationStorage

from napari_d24fad.studies.dicom.file import open_dicom, read_meta
from napari_d24fad.studies.dicom.values import text
from napari_d24fad.studies.files.bounded import is_file
from napari_d24fad.studies.files.quiet import quiet

LABEL_MAP = "1.2.840.10008.5.1.4.1.1.66.7"
"""SOP Class UID of a Label Map Segmentation, of 2024."""
SEGMENTATIONS = frozenset({str(SegmentationStorage), LABEL_MAP})


def is_segmentation(path: Path) -> bool:
    """Whether a file is a DICOM Segmentation, by its file meta information; False if that cannot be read."""
    try:
        with open_dicom(path) as file, quiet():
            return text(read_meta(file).file_meta, "MediaStorageSOPClassUID") in SEGMENTATIONS
    except Exception:  # pydicom raises whatever a malformed header makes it stumble over
        return False


def segmentation_files(paths: Iterable[Path]) -> Sequence[Path]:
    """Returns the DICOM Segmentations among files, and in folders and their sub-folders; stable in order."""
    found: dict[Path, None] = {}
    for path in paths:
        files = [path]
        if path.is_dir():
            files = [
                Path(folder, name) for folder, _, names in sorted(os.walk(path)) for name in sorted(names)
            ]
        found |= dict.fromkeys(file for file in files if is_file(file) and is_segmentation(file))
    return list(found)

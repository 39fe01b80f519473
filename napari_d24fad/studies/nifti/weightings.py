"""What tells the volumes of one file apart: b-values in a .bval file beside it, as dcm2niix writes them."""

from __future__ import annotations

import math
from pathlib import Path

from napari_d24fad.errors import StudyError
from napari_d24fad.studies.files.bounded import is_file, open_file

_LONGEST = 2**20


def volume_names(path: Path, volumes: int) -> list[str]:
    """Returns a name for each volume of a file, such as ``"b 1000"``; empty if nothing tells.

    Args:
        path: The file.
        volumes: How many it holds.
    """
    weightings = _weightings(path) if volumes > 1 else []
    if len(weightings) != volumes:
        return [""] * volumes
    return [f"b {value:g}" for value in weightings]


def table_of(path: Path) -> Path:
    """Returns where the b-values of a NIfTI file would be."""
    stem = path.name[: -len(".nii.gz")] if path.name.lower().endswith(".nii.gz") else path.stem
    return path.with_name(f"{stem}.bval")


def _weightings(path: Path) -> list[float]:
    """Reads the b-values in s/mm²; none if there is no such file, or it holds something else."""
    beside = table_of(path)
    if not is_file(beside):
        return []
    try:
        with open_file(beside) as file:
            found = [float(word) for word in file.read(_LONGEST).split()]
    except (OSError, ValueError, StudyError):
        return []
    return found if all(0 <= value < math.inf for value in found) else []

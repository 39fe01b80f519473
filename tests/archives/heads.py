"""Made-up heads as the MR series of patients that an archive is filled with."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.heads import AFFINE, head
from tests.studies import phantom

LESION_STUDY = "2.25.760"


def write_head(folder: Path, number: int) -> list[Path]:
    """Writes a made-up head, the first with a lesion, as the MR series of a patient of its own."""
    scan = head(number, lesion=number == 0)
    spacing = tuple(np.linalg.norm(AFFINE[:3, :3], axis=0))
    slices = phantom.slice_datasets(grid=scan.grid, spacing=spacing, series_uid=f"2.25.77{number}")
    for plane, dataset in zip(np.asarray(scan.voxels), slices, strict=True):
        dataset.PixelData = np.round(plane).astype(np.int16).tobytes()
        dataset.StudyInstanceUID, dataset.PatientID = f"2.25.76{number}", f"walk-{number}"
        dataset.StudyDate, dataset.StudyTime, dataset.StudyID = "20261201", "101112", "1"
        dataset.PatientBirthDate = dataset.PatientSex = dataset.AccessionNumber = ""
    phantom.write_series(folder / str(number), slices)
    return sorted((folder / str(number)).iterdir())

"""Made-up heads as files."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np

from tests.anatomy.heads import Head, draw


def write_head(folder: Path, name: str, head: Head) -> Path:
    """Writes a head as NIfTI; returns the file."""
    scan, _, _ = draw(head)
    ras = np.diag([-1.0, -1.0, 1.0, 1.0]) @ scan.affine[:, [2, 1, 0, 3]]
    path = folder / f"{name}.nii.gz"
    nib.save(nib.Nifti1Image(np.asarray(scan.voxels, np.float32).T, ras), path)
    return path

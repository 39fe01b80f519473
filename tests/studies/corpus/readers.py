"""Other software that reads studies, brought to one form: voxels and an affine to LPS mm.

Each reader takes a path and returns the volumes it makes of it, each as voxels ``(k, j, i)`` with
the affine of (k, j, i); it raises whatever the software raises.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np

Read = tuple[np.ndarray, np.ndarray]
Reader = Callable[[Path], list[Read]]

_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def _reversed(values: np.ndarray, affine: np.ndarray) -> Read:
    """From (i, j, k) to (k, j, i)."""
    return values.T, affine[:, [2, 1, 0, 3]]


def simpleitk(path: Path) -> list[Read]:
    """SimpleITK: one volume for each series that its GDCM finds in a folder."""
    import SimpleITK

    if path.is_file():
        return _of_itk(SimpleITK.ReadImage(str(path)))
    found = []
    for series in SimpleITK.ImageSeriesReader.GetGDCMSeriesIDs(str(path)):
        reader = SimpleITK.ImageSeriesReader()
        names = reader.GetGDCMSeriesFileNames(str(path), series)
        if len(names) == 1:
            found += _of_itk(SimpleITK.ReadImage(names[0]))
        else:
            reader.SetFileNames(names)
            found += _of_itk(reader.Execute())
    return found


def _of_itk(image: Any) -> list[Read]:
    import SimpleITK

    affine = np.eye(4)
    size = image.GetDimension()
    directions = np.eye(3)
    directions[:size, :size] = np.reshape(image.GetDirection(), (size, size))[:3, :3]
    spacing = [*image.GetSpacing()[:3], 1.0][:3]
    affine[:3, :3] = directions * spacing
    affine[:3, 3] = [*image.GetOrigin()[:3], 0.0][:3]
    values = SimpleITK.GetArrayFromImage(image).astype(float)
    parts = values if size == 4 else [values if size == 3 else values[np.newaxis]]
    if image.GetNumberOfComponentsPerPixel() > 3:  # no colour
        parts = np.moveaxis(values, -1, 0)
    return [(part, affine[:, [2, 1, 0, 3]]) for part in parts]


def monai(path: Path) -> list[Read]:
    """MONAI's readers: PydicomReader for DICOM, NibabelReader for its like; a volume a path."""
    from monai.data import NibabelReader, PydicomReader

    reader = NibabelReader() if path.name.endswith((".nii", ".nii.gz", ".mgz", ".img")) else PydicomReader()
    values, meta = reader.get_data(reader.read(str(path)))
    affine = _LPS @ np.asarray(meta["affine"], float)
    values = np.asarray(values, float)
    parts = np.moveaxis(values, 3, 0) if values.ndim == 4 else [values]
    return [_reversed(part if part.ndim > 2 else part[..., np.newaxis], affine) for part in parts]


def dcm2niix(path: Path) -> list[Read]:
    """dcm2niix: the NIfTI files that it writes; where it corrects one, the corrected one only."""
    import dcm2niix as package

    with tempfile.TemporaryDirectory() as folder:
        command = [package.bin, "-f", "%s_%d", "-o", folder, "-b", "n", "-z", "n", "-m", "n", str(path)]
        subprocess.run(command, capture_output=True, check=True, timeout=60)
        found = []
        files = sorted(Path(folder).rglob("*.nii"))
        names = {file.stem for file in files}
        for file in files:
            if any(name.startswith((f"{file.stem}_Tilt", f"{file.stem}_Eq")) for name in names):
                continue
            image: Any = nibabel.load(file)
            values = np.asarray(image.dataobj)
            if values.dtype.names:  # colour
                continue
            values = values.astype(float)
            affine = _LPS @ image.affine
            parts = np.moveaxis(values, 3, 0) if values.ndim == 4 else values[np.newaxis]
            found += [_reversed(part, affine) for part in parts]
    return found


READERS: dict[str, Reader] = {"SimpleITK": simpleitk, "MONAI": monai, "dcm2niix": dcm2niix}

"""A made-up set of volumes on disk: ellipsoids, darker on one side, some with something bright in them."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import numpy.typing as npt

SHAPE = (24, 28, 10)
SPACING = (3.0, 3.0, 6.0)


def body(seed: int) -> npt.NDArray[np.bool_]:
    """The inside of the ellipsoid, a little different in size for each seed."""
    size = 0.85 + 0.05 * np.random.default_rng(seed).random()
    x, y, z = np.meshgrid(*(np.linspace(-1, 1, length) for length in SHAPE), indexing="ij")
    return np.asarray((x / size) ** 2 + (y / size) ** 2 + (z / 1.1) ** 2 < 1)


def lesion_of(seed: int) -> npt.NDArray[np.bool_]:
    """Where `volume` puts the ball: four slices, 2.6 ml."""
    lesion = np.zeros(SHAPE, bool)
    row = 8 + seed % 5
    lesion[row : row + 4, 10:14, 3:6] = True
    return lesion


def volume(seed: int, lesion: bool = False) -> npt.NDArray[np.float32]:
    """``(x, y, z)`` as NIfTI stores it."""
    r = np.random.default_rng(seed)
    inside = body(seed)
    values = inside * (100 + 2.0 * np.arange(SHAPE[1])[None, :, None]) + r.normal(0, 2, SHAPE)
    values[:6] -= 0.6 * (values * inside)[:6]  # a side that is darker, as fluid beside muscle
    if lesion:
        values[lesion_of(seed)] += 120
    return values.astype(np.float32)


def save(path: Path, values: npt.NDArray[np.generic]) -> None:
    """Writes a volume with an affine in millimetres."""
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(values, np.diag([*SPACING, 1.0])), path)


def make_set(folder: Path, n_normal: int = 6, n_abnormal: int = 3, organ: bool = False) -> None:
    """Makes ``normal``, ``abnormal``, ``masks`` and, if wanted, ``anatomy``."""
    for seed in range(n_normal):
        save(folder / "normal" / f"n{seed}.nii.gz", volume(seed))
    for seed in range(50, 50 + n_abnormal):
        save(folder / "abnormal" / f"a{seed}.nii.gz", volume(seed, lesion=True))
        save(folder / "masks" / f"a{seed}.nii.gz", lesion_of(seed).astype(np.uint8))
        if organ:
            save(folder / "anatomy" / f"a{seed}.nii.gz", body(seed).astype(np.uint8))

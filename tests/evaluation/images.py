"""Small made-up tasks on disk, in both layouts, that the evaluation tests share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

SIDE = 48


def picture(seed: int, lesion: bool = False) -> npt.NDArray[np.uint8]:
    """A bright disc on black with noise; a lesion is a patch of stripes in it."""
    r = np.random.default_rng(seed)
    rows, columns = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    image = 140.0 * (rows**2 + columns**2 < 0.7) + 30 * rows + 40 + r.normal(0, 3, (SIDE, SIDE))
    if lesion:
        image[lesion_of(seed)] = 40 + 200 * (np.arange(lesion_of(seed).sum()) % 2)
    return image.clip(0, 255).astype(np.uint8)


def lesion_of(seed: int) -> npt.NDArray[np.bool_]:
    """Where `picture` puts the lesion."""
    mask = np.zeros((SIDE, SIDE), bool)
    row, column = 14 + seed % 5, 12 + seed % 7
    mask[row : row + 14, column : column + 12] = True
    return mask


def write(folder: Path, *pictures: npt.NDArray[np.generic]) -> None:
    """Writes pictures as 000.png, 001.png, ..."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, image in enumerate(pictures):
        Image.fromarray(image).save(folder / f"{number:03}.png")


def make_task(task: Path, n_normal: int = 7, n_abnormal: int = 4, masks: bool = False, seed: int = 0) -> None:
    """Makes ``normal``, ``abnormal`` and, if wanted, ``masks``."""
    seeds = range(seed + 100, seed + 100 + n_abnormal)
    write(task / "normal", *(picture(seed + number) for number in range(n_normal)))
    write(task / "abnormal", *(picture(each, lesion=True) for each in seeds))
    if masks:
        write(task / "masks", *(255 * lesion_of(each).astype(np.uint8) for each in seeds))


def make_published_task(task: Path, seed: int = 0) -> None:
    """Makes the layout of the paper, masks named as in MVTec AD."""
    write(task / "train" / "good", *(picture(seed + number) for number in range(6)))
    write(task / "test" / "good", *(picture(seed + number) for number in range(50, 54)))
    write(task / "test" / "bad", *(picture(seed + number, lesion=True) for number in range(60, 63)))
    (task / "ground_truth" / "bad").mkdir(parents=True)
    for number in range(3):
        mask = Image.fromarray(255 * lesion_of(seed + 60 + number).astype(np.uint8))
        mask.save(task / "ground_truth" / "bad" / f"{number:03}_mask.png")

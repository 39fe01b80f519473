"""Photographs that other packages install: what everyday things look like, without a download."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from matplotlib import cbook, image
from skimage import data
from sklearn.datasets import load_sample_images
from torch import Tensor

_SCIKIT_IMAGE = (
    "astronaut",
    "brick",
    "camera",
    "chelsea",
    "coffee",
    "coins",
    "grass",
    "gravel",
    "moon",
    "page",
    "rocket",
    "text",
    "hubble_deep_field",
)
"""Those that come with the package. Its medical pictures are left out: they are other people's test data."""


def photographs() -> list[Tensor]:
    """Reads the sample pictures of scikit-image, scikit-learn and matplotlib.

    Returns:
        Each ``(3, height, width)`` float32 in 0..1, of its own size.
    """
    pictures = [getattr(data, name)() for name in _SCIKIT_IMAGE]
    pictures.append(data.stereo_motorcycle()[0])  # type: ignore[no-untyped-call]  # scikit-image has no types here
    pictures += load_sample_images().images
    pictures.append(image.imread(str(cbook.get_sample_data("grace_hopper.jpg", asfileobj=False))))
    return [_as_tensor(picture) for picture in pictures]


def _as_tensor(picture: npt.NDArray[np.uint8]) -> Tensor:
    colours = picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=2)
    channels = np.ascontiguousarray(np.moveaxis(colours[..., :3], -1, 0))
    return torch.from_numpy(channels).float() / 255

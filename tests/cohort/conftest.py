"""Small images, and a set of normal ones, that a cohort is made of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from napari_d24fad.network.checkpoint import save_model
from napari_d24fad.session.request import Request
from napari_d24fad.session.saved.reference_sets import save_reference_set
from napari_d24fad.studies.study import open_study
from tests.detection.subjects import random_model

NAME = "Doe-Jane"


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Normal images in a set, a model with random weights, and images in a folder named as a patient."""
    folder = tmp_path_factory.mktemp("study")
    made = random_model()
    save_model(made.network, made.card, folder / "random.safetensors")
    for name in ("normal", NAME):
        (folder / name).mkdir()
    random = np.random.default_rng(0)
    for number in range(7):
        pixels = np.kron(random.integers(90, 130, (8, 8)), np.ones((8, 8)))
        if number == 6:
            pixels[16:40, 16:40] = 255
        where = "normal" if number < 3 else NAME
        picture = Image.fromarray(pixels.astype(np.uint8))
        picture = picture.convert("RGB") if number < 3 else picture  # as grey pictures often are stored
        picture.save(folder / where / f"{number}.png")
    (folder / NAME / "broken.png").write_bytes(b"no picture")
    normal = open_study(folder / "normal").series
    request = Request(normal[0], normal, str(folder / "random.safetensors"), "cpu")
    save_reference_set("normal", request, folder / "normal.d24fad-references")
    return folder

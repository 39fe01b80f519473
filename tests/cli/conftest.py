"""The command as users run it, and small scans to run it on."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from napari_d24fad.network.checkpoint import save_model
from tests.detection.subjects import head, random_model

REPOSITORY = Path(__file__).resolve().parents[2]
Command = Callable[..., subprocess.CompletedProcess[str]]


def environment(**changes: str) -> dict[str, str]:
    """That of this process, so that the command finds the package, and runs on one thread."""
    return os.environ | {"PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"} | changes


def write_nifti(path: Path, voxels: npt.NDArray[np.generic]) -> None:
    """Writes (slice, row, column) voxels of a head as NIfTI, in LPS order of axes and RAS millimetres."""
    affine = np.diag([-2.0, -1.5, 4.0, 1.0])
    affine[:3, 3] = (35.5, 30.25, -22.0)
    nibabel.save(nibabel.Nifti1Image(np.asarray(voxels, np.float32).T, affine), path)


@pytest.fixture
def d24fad(tmp_path: Path) -> Command:
    """Runs ``d24fad`` in an empty folder, with an empty cache."""

    def run(*words: str | Path, **changes: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "napari_d24fad", *map(str, words)],
            cwd=tmp_path,
            env=environment(D24FAD_CACHE=str(tmp_path / "cache"), **changes),
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model file with random weights."""
    path = tmp_path_factory.mktemp("model") / "random.safetensors"
    made = random_model()
    save_model(made.network, made.card, path)
    return path


@pytest.fixture(scope="session")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Volumes query.nii.gz and normal/N.nii.gz; colour images a.png, b.png and colour/N.png."""
    folder = tmp_path_factory.mktemp("scans")
    for name in ("normal", "colour"):
        (folder / name).mkdir()
    for number in range(4):
        scan = head(number, lesion=number == 0)
        path = folder / ("normal" if number else "") / (f"{number}.nii.gz" if number else "query.nii.gz")
        write_nifti(path, scan.voxels)
    random = np.random.default_rng(0)
    for path in ("a.png", "b.png", "colour/1.png", "colour/2.png"):
        pixels = random.integers(0, 256, (12, 10, 3), dtype=np.uint8)
        Image.fromarray(pixels).resize((40, 48)).save(folder / path)
    return folder

"""Reads a mutant as the tool does, and says what came of it."""

from __future__ import annotations

import traceback
import warnings
from pathlib import Path
from typing import Any

import nibabel
import numpy as np

from napari_d24fad.errors import D24fadError
from napari_d24fad.export.pages.tables import findings_table
from napari_d24fad.network.card import ModelCard
from napari_d24fad.network.strict_json import read_text
from napari_d24fad.network.tensors import read_metadata, read_tensors
from napari_d24fad.session.saved.reporting import case_entry
from napari_d24fad.session.saved.session_file import read_session
from napari_d24fad.studies.files.quiet import quiet
from napari_d24fad.studies.series import Series
from napari_d24fad.studies.study import open_study
from tests.tables.pydicom_files import decoded

READ = "read"


def outcome(kind: str, path: Path) -> str:
    """Reads a file.

    Args:
        kind: Of the `Seed` it was made of.
        path: The mutant.

    Returns:
        ``"read"`` where something was read, and, where another reader could be asked, what
        that reads; ``"wrong"`` where it was not; a code where it was refused; else the
        exception and where it was raised.
    """
    try:
        if kind == "card":
            ModelCard.from_json(read_text(path))
            return READ
        if kind == "model":
            read_tensors(path)
            read_metadata(path)
            return READ
        if kind == "session":
            for case in read_session(path).cases:
                findings_table([case_entry(case)])
            return READ
        study = open_study(path)
        outcomes = [_loaded(kind, path, series) for series in study.series]
    except D24fadError as error:
        return error.code.code
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}"
    return max(outcomes, key=lambda text: (text == "wrong", text == READ))


def _loaded(kind: str, path: Path, series: Series) -> str:
    try:
        series.thumbnail()
        scan = series.load()
    except D24fadError as error:
        return error.code.code
    assert scan.voxels.shape[:3] == series.grid
    assert np.isfinite(scan.affine).all()
    expected = _elsewhere(kind, path, series)
    got = np.asarray(scan.voxels, float)
    if expected is None or got.size != expected.size:
        return READ
    same = np.allclose(got.reshape(expected.shape), expected, rtol=1e-5, atol=1e-3, equal_nan=True)
    return READ if same else "wrong"


def _elsewhere(kind: str, path: Path, series: Series) -> Any:
    """What pydicom or nibabel alone read, where they do; None otherwise."""
    try:
        with quiet(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if kind == "dicom":
                return decoded(path)
            if kind == "nifti" and path.suffix == ".nii" and series.outline.voxels.ndim == 3:
                image: Any = nibabel.load(path)
                return image.get_fdata(dtype=np.float32).T if len(image.shape) == 3 else None
    except Exception:  # what it raises is its own affair
        return None
    return None

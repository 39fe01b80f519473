"""docs/formats/pydicom-files.md: what becomes of every file that pydicom brings along for its tests."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pydicom.data
import SimpleITK
from pydicom.pixels import apply_color_lut, apply_modality_lut
from pydicom.uid import JPEGExtended12Bit

from napari_d24fad.errors import StudyError
from napari_d24fad.studies.decoding.jpeg import LOSSLESS
from napari_d24fad.studies.files.quiet import quiet
from napari_d24fad.studies.study import open_study

FOLDER = Path(pydicom.data.__file__).parent

FILES = sorted(
    path
    for path in FOLDER.rglob("*")
    if path.is_file() and path.suffix not in (".py", ".pyc") and path.name != "urls.json"
)

_HEAD = """\
# Files of pydicom

Every file that the package pydicom brings along for its tests, opened by itself; files that it would
download are not counted. *same* means that every value is the one that pydicom itself decodes, with its
rescale, and in RGB where there is colour; SimpleITK decodes JPEG Lossless and 12 bits, which pydicom does
not. Others are refused with a code ([errors.md](../errors.md)).
`pytest tests/tables` checks each.

<!-- Made by `make docs`. -->
"""


def pydicom_files() -> str:
    """Returns the page."""
    outcomes = {path: outcome(path) for path in FILES}
    kinds = Counter(re.split("[:,]| of", text)[0] for text in outcomes.values())
    lines = [_HEAD, f"pydicom {pydicom.__version__}, {len(FILES)} files: "]
    lines[-1] += ", ".join(f"{count} {kind}" for kind, count in kinds.most_common()) + "."
    lines += ["", "| file | outcome |", "|---|---|"]
    lines += [f"| {path.relative_to(FOLDER).as_posix()} | {text} |" for path, text in outcomes.items()]
    return "\n".join(lines) + "\n"


def outcome(path: Path) -> str:
    """Opens a file; says what became of it.

    Raises:
        AssertionError: It was read, and not as pydicom reads it.
    """
    try:
        series = open_study(path).series
    except StudyError as error:
        return f"{error.code.code}: {error.detail or error.code.meaning}"
    if len(series) > 1:
        return f"directory of {len(series)} series, whose files are listed themselves"
    refusal = _refusal(series[0])
    if refusal:
        return refusal
    scan = series[0].load()
    expected = _expected(path)
    got = np.asarray(scan.voxels, float).reshape(expected.shape)
    assert np.allclose(got, expected, rtol=1e-6, atol=0, equal_nan=True), path.name
    return f"same, {series[0].label}"


def _expected(path: Path) -> np.ndarray:
    with quiet():
        header = pydicom.dcmread(path, force=True, stop_before_pixels=True)
    syntax = header.file_meta.get("TransferSyntaxUID")
    if syntax in LOSSLESS or (syntax == JPEGExtended12Bit and header.BitsStored > 8):
        return SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path))).astype(float)
    return decoded(path)


def _refusal(series: Any) -> str:
    try:
        series.load()
    except StudyError as error:
        return f"{error.code.code}: {error.detail or error.code.meaning}"
    return ""


def decoded(path: Path) -> np.ndarray:
    """What pydicom alone makes of a file."""
    with quiet():
        dataset = pydicom.dcmread(path, force=True)
        if "TransferSyntaxUID" not in dataset.file_meta:
            dataset.file_meta.TransferSyntaxUID = pydicom.uid.ImplicitVRLittleEndian
        stored = dataset.pixel_array
        if dataset.PhotometricInterpretation == "PALETTE COLOR":
            coloured = apply_color_lut(stored, dataset)
            return (coloured >> (8 * (coloured.dtype.itemsize - 1))).astype(float)
        if dataset.SamplesPerPixel > 1:
            return (stored >> max(0, dataset.BitsStored - 8)).astype(float)
        values = apply_modality_lut(stored, dataset).astype(float)
        if isinstance(dataset.get("PixelPaddingValue"), int):
            values[stored == dataset.PixelPaddingValue] = np.nan
        return values

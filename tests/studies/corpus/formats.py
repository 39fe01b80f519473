"""Volumes of Slicer, ITK, FreeSurfer and SPM: the phantom at many angles, headers that say too little."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import SimpleITK

from napari_d24fad.errors import Code
from tests.studies import phantom
from tests.studies.corpus.case import Case, Picture, Refused, Volume

_GRID = (8, 12, 10)  # slices, rows, columns; files store them reversed
_SPACING = (0.75, 1.5, 4.0)
_ORIGIN = (-31.5, 22.25, -140.0)
_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
_TURNED = {
    "axial": np.eye(3),
    "coronal": np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]]),
    "sagittal, mirrored": np.array([[0.0, 0, 1], [1, 0, 0], [0, -1, 0]]),
    "doubly oblique": np.array([[0.8, -0.6, 0], [0.36, 0.48, -0.8], [0.48, 0.64, 0.6]]),
}


def _lps(directions: np.ndarray) -> np.ndarray:
    """(column, row, slice) to LPS mm."""
    affine = np.eye(4)
    affine[:3, :3] = directions * _SPACING
    affine[:3, 3] = _ORIGIN
    return affine


def _stored(lps: np.ndarray) -> np.ndarray:
    """The phantom as it is stored, ``(slices, rows, columns)``."""
    values = phantom.values_on(lps[:, [2, 1, 0, 3]], _GRID)
    return np.round(values).astype(np.int16)


def _itk(name: str, lps: np.ndarray, *, packed: bool = False) -> Callable[[Path], Path]:
    def build(folder: Path) -> Path:
        image = SimpleITK.GetImageFromArray(_stored(lps))
        image.SetSpacing([float(length) for length in np.linalg.norm(lps[:3, :3], axis=0)])
        directions = lps[:3, :3] / np.linalg.norm(lps[:3, :3], axis=0)
        image.SetDirection(directions.ravel().tolist())
        image.SetOrigin(lps[:3, 3].tolist())
        SimpleITK.WriteImage(image, str(folder / name), packed)
        return folder / name

    return build


def _nrrd(
    lps: np.ndarray | None = None, count: int = 0, truth: np.ndarray | None = None, **changed: str | None
) -> Callable[[Path], Path]:
    """A header written by hand, in RAS, some of its lines changed or left out; ``count`` volumes."""

    def build(folder: Path) -> Path:
        placed = _PLAIN if lps is None else lps
        ras = _TO_RAS @ placed
        vectors = [f"({','.join(f'{mm:.17g}' for mm in ras[:3, axis])})" for axis in range(3)]
        first = ["list"] * bool(count)
        fields = {
            "type": "short",
            "dimension": str(3 + len(first)),
            "space": "right-anterior-superior",
            "sizes": " ".join(map(str, [count][: len(first)] + list(_GRID[::-1]))),
            "space directions": " ".join(["none"] * len(first) + vectors),
            "kinds": " ".join(first + ["domain"] * 3),
            "endian": "little",
            "encoding": "raw",
            "space origin": f"({','.join(f'{mm:.17g}' for mm in ras[:3, 3])})",
        } | {name.replace("_", " "): value for name, value in changed.items()}
        lines = [f"{name}: {value}" for name, value in fields.items() if value is not None]
        voxels = _stored(placed if truth is None else truth)
        if count:
            voxels = np.stack([voxels] * count, axis=-1)
        path = folder / "v.nrrd"
        path.write_bytes("\n".join(["NRRD0004", "# a comment", *lines, "", ""]).encode() + voxels.tobytes())
        return path

    return build


def _nibabel(name: str, make: Callable[[], Any]) -> Callable[[Path], Path]:
    def build(folder: Path) -> Path:
        nibabel.save(make(), folder / name)
        return folder / name

    return build


def _image(kind: type, lps: np.ndarray, dtype: type = np.int16) -> Callable[[], Any]:
    return lambda: kind(_stored(lps).T.astype(dtype), _TO_RAS @ lps)


def _renamed(build: Callable[[Path], Path], name: str, *, packed: bool = False) -> Callable[[Path], Path]:
    def rename(folder: Path) -> Path:
        path = build(folder)
        content = path.read_bytes()
        (folder / name).write_bytes(gzip.compress(content) if packed else content)
        path.unlink()
        return folder / name

    return rename


def _cut(build: Callable[[Path], Path], share: float) -> Callable[[Path], Path]:
    def cut(folder: Path) -> Path:
        path = build(folder)
        path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
        return path

    return cut


def _elsewhere(folder: Path) -> Path:
    path = _itk("v.mhd", _lps(np.eye(3)))(folder)
    (folder.parent / "v.raw").write_bytes((folder / "v.raw").read_bytes())
    path.write_text(path.read_text().replace("v.raw", "../v.raw"))
    return path


def _folder(folder: Path) -> None:
    """A file of each kind, pieces and all: each volume once."""
    lps = _lps(np.eye(3))
    _itk("b.mhd", lps)(folder)
    _nibabel("a.img", _image(nibabel.Nifti1Pair, lps))(folder)
    _nibabel("c.mgz", _image(nibabel.MGHImage, lps, np.float32))(folder)


def _right(lps: np.ndarray, **expected: Any) -> Volume:
    return Volume(lps[:, [2, 1, 0, 3]], _GRID, **expected)


def _sheared(millimetres: float) -> np.ndarray:
    lps = _lps(np.eye(3))
    lps[0, 1] += millimetres
    return lps


_PLAIN = _lps(np.eye(3))
_TENTH = np.diag([0.1, 0.1, 0.1, 1.0]) @ _PLAIN
_NIFTI = _nibabel("v.nii", _image(nibabel.Nifti1Image, _PLAIN))
_UNKNOWN = Picture(_stored(_PLAIN).astype(float), (Code.AMBIGUOUS_GEOMETRY,))


def _case(name: str, build: Callable[[Path], Path | None], *expected: Volume | Picture | Refused) -> Case:
    return Case(name, build, expected)


def _angles() -> list[Case]:
    cases = []
    for angle, directions in _TURNED.items():
        lps = _lps(directions)
        cases += [
            _case(f"NRRD of Slicer, {angle}", _itk("v.nrrd", lps), _right(lps, tolerance=0.52)),
            _case(f"NRRD in RAS, {angle}", _nrrd(lps), _right(lps, tolerance=0.52)),
            _case(f"MetaImage, {angle}", _itk("v.mha", lps), _right(lps, tolerance=0.52)),
            _case(
                f"FreeSurfer, {angle}",
                _nibabel("v.mgz", _image(nibabel.MGHImage, lps, np.float32)),
                _right(lps, tolerance=0.52),
            ),
            _case(
                f"NIfTI in two files, {angle}",
                _nibabel("v.img", _image(nibabel.Nifti1Pair, lps)),
                _right(lps, tolerance=0.52),
            ),
        ]
    return cases


CASES = (
    *_angles(),
    _case("NRRD, gzip", _itk("v.nrrd", _PLAIN, packed=True), _right(_PLAIN)),
    _case("NRRD, header and voxels apart", _itk("v.nhdr", _PLAIN), _right(_PLAIN)),
    _case(
        "NRRD, four volumes",
        _nrrd(count=4),
        *(_right(_PLAIN, name=f"volume {number} of 4") for number in (1, 2, 3, 4)),
    ),
    _case(
        "NRRD, lengths in centimetres",
        _nrrd(_TENTH, truth=_PLAIN, space_units='"cm" "cm" "cm"'),
        _right(_PLAIN),
    ),
    _case(
        "NRRD, without directions and spacings",
        _nrrd(space=None, space_directions=None, space_origin=None),
        _UNKNOWN,
    ),
    _case(
        "NRRD, sheared by 3 degrees",
        _nrrd(_sheared(0.08)),
        _right(_sheared(0.08), problems=(Code.SHEARED,), label="sheared"),
    ),
    _case("NRRD, sheared by 20 degrees", _nrrd(_sheared(0.55)), Refused(Code.AMBIGUOUS_GEOMETRY, "degrees")),
    Case("NRRD, vectors", _nrrd(count=3, kinds="vector domain domain domain"), refused=Code.NOT_AN_IMAGE),
    Case("NRRD, truncated", _cut(_nrrd(), 0.8), refused=Code.TRUNCATED),
    _case("NRRD, truncated gzip", _cut(_itk("v.nrrd", _PLAIN, packed=True), 0.8), Refused(Code.TRUNCATED)),
    _case("MetaImage, compressed", _itk("v.mha", _PLAIN, packed=True), _right(_PLAIN)),
    _case("MetaImage, header and voxels apart", _itk("v.mhd", _PLAIN), _right(_PLAIN)),
    Case("MetaImage, voxels in another folder", _elsewhere, refused=Code.NOT_AN_IMAGE),
    Case("MetaImage, truncated", _cut(_itk("v.mha", _PLAIN), 0.8), refused=Code.TRUNCATED),
    _case("NIfTI without a suffix", _renamed(_NIFTI, "volume"), _right(_PLAIN)),
    _case("NIfTI, gzip, without a suffix", _renamed(_NIFTI, "volume", packed=True), _right(_PLAIN)),
    Case("a folder of volumes in several files each", _folder, (_right(_PLAIN),) * 3),
)

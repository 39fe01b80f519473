"""NIfTI: headers that contradict themselves, kinds of voxels, and damaged files."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np

from napari_d24fad.errors import Code
from tests.studies import phantom
from tests.studies.corpus.case import Case, Picture, Refused, Volume

_GRID = (8, 12, 10)  # slices, rows, columns of the scan; the file stores them reversed
_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def _ras(*, shear: float = 0.0, turn: float = 0.0) -> np.ndarray:
    """A stored index to RAS mm: sheared by so many mm per mm, turned by so many degrees."""
    cosine, sine = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    ras = np.eye(4)
    directions = np.array([[cosine, -sine, 0], [sine, cosine, shear], [0, 0, 1]])
    ras[:3, :3] = directions * (0.75, 1.5, 4.0)
    ras[:3, 3] = (31.5, -22.25, -140.0)
    return ras


def _affine(ras: np.ndarray) -> np.ndarray:
    return (_LPS @ ras)[:, [2, 1, 0, 3]]


def _values(ras: np.ndarray) -> np.ndarray:
    return phantom.values_on(_LPS @ ras, _GRID[::-1])


def _image(
    sform: np.ndarray | None,
    qform: np.ndarray | None,
    *,
    codes: tuple[int, int] = (1, 1),
    truth: np.ndarray | None = None,
    kind: type = nibabel.Nifti1Image,
    dtype: Any = np.int16,
) -> Any:
    real = truth if truth is not None else sform if sform is not None else qform
    image = kind(np.round(_values(real)).astype(dtype), None)
    image.header.set_zooms(np.linalg.norm(real[:3, :3], axis=0))
    image.set_sform(sform, code=codes[0] if sform is not None else 0)
    image.set_qform(qform, code=codes[1] if qform is not None else 0)
    return image


def _saved(
    make: Callable[[], Any], name: str = "v.nii", change: Callable[[bytearray, Any], None] | None = None
) -> Callable[[Path], Path]:
    """Writes an image, then changes its bytes where a library would not write such a header."""

    def build(folder: Path) -> Path:
        path = folder / name
        image = make()
        nibabel.save(image, path)
        if change is not None:
            content = bytearray(path.read_bytes())
            change(content, type(image.header))
            path.write_bytes(content)
        return path

    return build


def _header(**fields: Any) -> Callable[[bytearray, Any], None]:
    def change(content: bytearray, kind: Any) -> None:
        header = kind(bytes(content[: kind.sizeof_hdr]), check=False)
        for name, value in fields.items():
            if isinstance(value, dict):
                for index, item in value.items():
                    header[name][index] = item
            else:
                header[name] = value
        content[: kind.sizeof_hdr] = header.binaryblock

    return change


def _right(ras: np.ndarray | None = None, **expected: Any) -> Volume:
    return Volume(_affine(_ras() if ras is None else ras), _GRID, **expected)


def _plain() -> Any:
    return _image(_ras(), _ras())


def _scaled() -> Any:
    image = _image(_ras(), _ras(), dtype=np.float64)
    image.header.set_data_dtype(np.int16)
    return nibabel.Nifti1Image(_values(_ras()), None, image.header)


def _stack(count: int) -> Any:
    volume = np.round(_values(_ras())).astype(np.int16)
    return nibabel.Nifti1Image(np.stack([volume] * count, axis=-1), _ras(), _plain().header)


_COLOURS = np.random.default_rng(3).integers(0, 255, (*_GRID, 3), dtype=np.uint8)


def _coloured() -> Any:
    stored = np.empty(_GRID[::-1], dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    for index, name in enumerate("RGB"):
        stored[name] = _COLOURS[..., index].T
    image = nibabel.Nifti1Image(stored, _ras())
    image.set_sform(_ras(), code=1)
    return image


def _big_endian() -> Any:
    header = _plain().header.as_byteswapped(">")
    return nibabel.Nifti1Image(np.round(_values(_ras())).astype(np.int16), None, header)


def _cut(name: str, share: float) -> Callable[[Path], Path]:
    def build(folder: Path) -> Path:
        path = _saved(_plain, name)(folder)
        content = path.read_bytes()
        path.write_bytes(content[: int(share * len(content))])
        return path

    return build


def _wrong_checksum(folder: Path) -> Path:
    path = _saved(_plain, "v.nii.gz")(folder)
    content = bytearray(path.read_bytes())
    content[-8] ^= 0xFF
    path.write_bytes(content)
    return path


def _text(folder: Path) -> Path:
    (folder / "v.nii.gz").write_bytes(gzip.compress(b"not a volume\n" * 50))
    return folder / "v.nii.gz"


def _case(
    name: str, build: Callable[[Path], Path], *expected: Volume | Picture | Refused, every: int = 1
) -> Case:
    return Case(f"NIfTI, {name}", build, expected, every=every)


_UNPLACED = Refused(Code.AMBIGUOUS_GEOMETRY, "not invertible")


# Without a place in the patient: the voxels as stored, and no millimetres.
_UNKNOWN = Picture(np.round(_values(_ras())).T, (Code.AMBIGUOUS_GEOMETRY,))

CASES = (
    _case("sform and qform", _saved(_plain), _right()),
    _case("gzip", _saved(_plain, "v.nii.gz"), _right()),
    _case(
        "qform only, turned",
        _saved(lambda: _image(None, _ras(turn=30))),
        _right(_ras(turn=30), tolerance=0.52),
    ),
    _case(
        "sform only, turned",
        _saved(lambda: _image(_ras(turn=30), None)),
        _right(_ras(turn=30), tolerance=0.52),
    ),
    Case(
        "NIfTI, sform and qform of one space contradict each other",
        _saved(lambda: _image(_ras(), _ras() @ np.diag([-1.0, 1, 1, 1]))),
        (Refused(Code.AMBIGUOUS_GEOMETRY, "contradict"),),
        guess=True,
    ),
    _case(
        "sform and qform of two spaces",
        _saved(lambda: _image(_ras(), _ras(turn=20), codes=(4, 1))),
        _right(problems=(Code.AMBIGUOUS_GEOMETRY,)),
    ),
    _case(
        "sheared by 3 degrees",
        _saved(lambda: _image(_ras(shear=0.05), None)),
        _right(_ras(shear=0.05), problems=(Code.SHEARED,), label="sheared"),
    ),
    _case(
        "sheared by 20 degrees",
        _saved(lambda: _image(_ras(shear=0.36), None)),
        Refused(Code.AMBIGUOUS_GEOMETRY, "19.8 degrees"),
    ),
    _case("NaN in the sform", _saved(_plain, change=_header(srow_x=[np.nan] * 4)), _UNPLACED),
    _case(
        "singular sform",
        _saved(lambda: _image(_ras() @ np.diag([1.0, 1, 0, 1]), None, truth=_ras())),
        _UNPLACED,
    ),
    _case(
        "NaN in the qform",
        _saved(lambda: _image(None, _ras()), change=_header(quatern_b=np.nan)),
        _UNPLACED,
    ),
    _case("neither sform nor qform", _saved(lambda: _image(None, None, truth=_ras())), _UNKNOWN),
    _case(
        "zero pixdim with a qform",
        _saved(lambda: _image(None, _ras()), change=_header(pixdim={3: 0})),
        _UNKNOWN,
    ),
    _case("zero pixdim beside an sform", _saved(_plain, change=_header(pixdim={3: 0})), _right()),
    _case("scl_slope 0", _saved(_plain, change=_header(scl_slope=0, scl_inter=77)), _right()),
    _case("scl_slope NaN", _saved(_plain, change=_header(scl_slope=np.nan)), _right()),
    _case("scl_slope and scl_inter", _saved(_scaled), _right(tolerance=0.13)),
    _case("big endian", _saved(_big_endian), _right()),
    _case("NIfTI-2", _saved(lambda: _image(_ras(), _ras(), kind=nibabel.Nifti2Image)), _right()),
    _case(
        "NIfTI-2, gzip",
        _saved(lambda: _image(_ras(), _ras(), kind=nibabel.Nifti2Image), "v.nii.gz"),
        _right(),
    ),
    _case(
        "three volumes",
        _saved(lambda: _stack(3)),
        *(_right(name=f"volume {number} of 3") for number in (1, 2, 3)),
    ),
    _case(
        "120 volumes",
        _saved(lambda: _stack(120)),
        *(_right(name=f"volume {number} of 120") for number in range(1, 121)),
        every=40,
    ),
    _case("RGB", _saved(_coloured), _right(values=_COLOURS, tolerance=0)),
    Case("NIfTI, truncated", _cut("v.nii", 0.8), refused=Code.TRUNCATED),
    _case("truncated gzip", _cut("v.nii.gz", 0.8), Refused(Code.TRUNCATED)),
    _case("gzip of a wrong checksum", _wrong_checksum, Refused(Code.TRUNCATED)),
    Case("NIfTI, text", _text, refused=Code.NOT_AN_IMAGE),
    Case(
        "NIfTI, voxels that begin within the header",
        _saved(_plain, change=_header(vox_offset=0)),
        refused=Code.NOT_AN_IMAGE,
    ),
    Case("NIfTI, unknown datatype", _saved(_plain, change=_header(datatype=9999)), refused=Code.NOT_AN_IMAGE),
    Case("NIfTI, negative size", _saved(_plain, change=_header(dim={2: -6})), refused=Code.NOT_AN_IMAGE),
)

"""Studies whose every identifying place holds a mark, and where to look for the mark afterwards.

`identifying.txt` lists the attributes of the Basic Application Level Confidentiality Profile
(PS3.15, Table E.1-1).
"""

from __future__ import annotations

import gzip
import hashlib
import warnings
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from nibabel.nifti1 import Nifti1Extension
from PIL import Image, PngImagePlugin
from pydicom.datadict import dictionary_VR
from pydicom.dataset import Dataset

from tests.detection.subjects import AFFINE, head
from tests.studies.phantom import image_dataset, save

MARK = "ZZMARKERZZ"
_DIGITS, _DATE = "4711777", "19470817"

NEEDLES = (
    MARK.lower(),
    _DIGITS,
    _DATE,
    "1947-08-17",
    "17.08.1947",
    hashlib.sha256(MARK.encode()).hexdigest(),
    hashlib.sha256(f"{MARK}\n{MARK}".encode()).hexdigest(),
)

_KEYWORDS = Path(__file__).with_name("identifying.txt").read_text().split()
_VALUES: dict[str, Any] = {
    "PN": f"{MARK}^Jane",
    "UI": f"2.25.{_DIGITS}888999",
    "DA": _DATE,
    "TM": f"031337.{_DIGITS[:6]}",
    "DT": f"{_DATE}031337",
    "AS": "087Y",
    "DS": f"{_DIGITS}.5",
    "IS": _DIGITS,
    "OB": MARK.encode(),
    "UN": MARK.encode(),
    **dict.fromkeys(("AE", "CS", "LO", "LT", "SH", "ST", "UC", "UR", "UT"), MARK),
}


def mark(dataset: Dataset, instance: int = 1) -> Dataset:
    """Marks every identifying attribute of a dataset, and a private one."""
    dataset.update(_marks())
    dataset.SOPInstanceUID = f"{_VALUES['UI']}.{instance}"
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.file_meta.SourceApplicationEntityTitle = MARK
    return dataset


@cache
def _marks() -> Dataset:
    marks = Dataset()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the mark is no well-formed time, and does not mean to be
        for keyword in _KEYWORDS:
            vr = dictionary_VR(keyword)
            if vr == "SQ":
                item = Dataset()
                item.PatientName = item.PatientID = item.CodeMeaning = item.TextValue = MARK
                item.ReferencedSOPInstanceUID = _VALUES["UI"]
                setattr(marks, keyword, [item])
            elif vr in _VALUES:
                setattr(marks, keyword, _VALUES[vr])
    marks.SeriesDescription = f"T1 {MARK}^Jane 1947-08-17"
    marks.private_block(0x0009, MARK, create=True).add_new(0x01, "LO", MARK)
    return marks


def write_dicom(folder: Path, seed: int, *, lesion: bool = False, marked: bool = True) -> Path:
    """Writes a head as one MR series; ``folder`` and its files carry the mark in their names as well."""
    scan = head(seed, lesion=lesion)
    place = folder / (f"{MARK}-{seed}" if marked else f"plain-{seed}")
    for number, pixels in enumerate(np.asarray(scan.voxels), start=1):
        dataset = image_dataset(pixels.astype(np.uint16))
        dataset.InstanceNumber = number
        if marked:
            mark(dataset, number)
            dataset.PatientID = f"{MARK}{seed}"
            dataset.SeriesInstanceUID = f"{_VALUES['UI']}.{seed}"
        else:
            dataset.PatientID = f"{seed}"
            dataset.SeriesDescription = "T1"
        dataset.BodyPartExamined = "HEAD"
        dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        dataset.ImagePositionPatient = [float(mm) for mm in (AFFINE @ (number - 1, 0, 0, 1))[:3]]
        dataset.PixelSpacing = [1.5, 2.0]
        dataset.SliceThickness = "4"
        save(dataset, place / f"{MARK if marked else 'plain'}{number:03}.dcm")
    return place


def write_nifti(folder: Path, seed: int, *, lesion: bool = False) -> Path:
    """Writes a head as NIfTI with the mark in the header, in extensions and in the name."""
    image = nibabel.Nifti1Image(np.asarray(head(seed, lesion=lesion).voxels).T, np.diag([-2, -1.5, 4, 1]))
    for name in ("descrip", "aux_file", "intent_name", "db_name"):
        image.header[name] = MARK.encode()
    image.header.extensions.append(Nifti1Extension("comment", f"{MARK} {_DATE}".encode()))
    path = folder / MARK / f"{MARK}-{seed}.nii.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(image, path)
    return path


def write_picture(folder: Path, seed: int, suffix: str = ".png") -> Path:
    """Writes a picture with the mark in its metadata and name."""
    pixels = np.random.default_rng(seed).integers(0, 256, (12, 10), dtype=np.uint8)
    image = Image.fromarray(pixels).resize((40, 48))
    path = folder / MARK / f"{MARK}-{seed}{suffix}"
    path.parent.mkdir(parents=True, exist_ok=True)
    text = PngImagePlugin.PngInfo()
    text.add_text("Title", MARK)
    exif = Image.Exif()
    exif[0x010E] = MARK  # ImageDescription
    image.save(path, exif=exif, **({"pnginfo": text} if suffix == ".png" else {}))
    return path


def found_in(text: object) -> list[str]:
    """Returns the needles in a text, whatever its case."""
    return [needle for needle in NEEDLES if needle in str(text).lower()]


def found_in_files(folders: Iterable[Path]) -> list[str]:
    """Returns the names of files and folders that say whose they are, in name, bytes or metadata."""
    return [
        str(path)
        for folder in folders
        for path in [folder, *folder.rglob("*")]
        if found_in(path.name) or (path.is_file() and _holds_mark(path))
    ]


def _holds_mark(path: Path) -> bool:
    contents = [path.read_bytes()]
    if contents[0][:2] == b"\x1f\x8b":
        contents.append(gzip.decompress(contents[0]))
    told: list[object] = []
    if path.suffix in {".png", ".tiff", ".jpg"}:
        with Image.open(path) as image:
            image.load()
            told += [image.info, dict(image.getexif())]
    if path.name.endswith((".nii", ".nii.gz")):
        header: Any = nibabel.load(path).header
        told += [dict(header), header.extensions]
    encodings = ("utf-8", "utf-16-le", "utf-16-be")
    return bool(found_in(told)) or any(
        needle.encode(encoding) in content.lower()
        for content in contents
        for needle in NEEDLES
        for encoding in encodings
    )

"""docs/formats/transfer-syntaxes.md: which program decodes what, and which case of the corpus proves it."""

from __future__ import annotations

import pynetdicom  # noqa: F401 - it adds the newest to those that pydicom knows
from pydicom import uid
from pydicom.uid import UID, UID_dictionary

from napari_d24fad.studies.decoding import jpeg
from napari_d24fad.studies.decoding.worker import decoder_name

PROVEN: dict[UID, tuple[str, ...]] = {
    uid.ImplicitVRLittleEndian: ("Implicit VR Little Endian",),
    uid.ExplicitVRLittleEndian: ("Explicit VR Little Endian",),
    uid.DeflatedExplicitVRLittleEndian: ("Deflated",),
    uid.ExplicitVRBigEndian: ("Explicit VR Big Endian",),
    uid.RLELossless: ("RLE",),
    uid.JPEGBaseline8Bit: ("JPEG baseline", "JPEG of 12 bits said to be baseline"),
    uid.JPEGExtended12Bit: ("JPEG extended (process 4) of 12 bits",),
    uid.JPEGLossless: ("JPEG Lossless (process 14), selection value 6",),
    uid.JPEGLosslessSV1: ("JPEG Lossless (process 14), selection value 1",),
    uid.JPEGLSLossless: ("JPEG-LS lossless",),
    uid.JPEGLSNearLossless: ("JPEG-LS near-lossless",),
    uid.JPEG2000Lossless: ("JPEG 2000 lossless",),
    uid.JPEG2000: ("JPEG 2000 lossy",),
    uid.HTJ2KLossless: ("High-Throughput JPEG 2000 lossless",),
    uid.HTJ2KLosslessRPCL: ("High-Throughput JPEG 2000 lossless, by resolution",),
    uid.HTJ2K: ("High-Throughput JPEG 2000 lossy",),
}
"""The cases of `tests.studies.corpus` whose files have a transfer syntax."""

_START = """# Transfer syntaxes

Every transfer syntax of DICOM that pydicom and pynetdicom know, which program decodes it in the process
that may die, and the case of `tests/studies/corpus` that is read right. Others are refused as S09 with
their name ([errors.md](../errors.md)). Of JPEG Lossless, 12-bit JPEG, JPEG 2000 and High-Throughput
JPEG 2000, the header of each frame is compared with that of the file before memory is taken.

<!-- Made by `make docs`. -->

| UID | name | decoder | proven by |
|---|---|---|---|
"""


def transfer_syntaxes() -> str:
    """Returns the page."""
    return _START + "".join(f"{row}\n" for row in _rows())


def _rows() -> list[str]:
    rows = []
    for value, (name, kind, *_) in UID_dictionary.items():
        if kind != "Transfer Syntax" or "RFC" in name or "SMPTE" in name:  # no images: mail, and live video
            continue
        syntax = UID(value)
        cases = "; ".join(PROVEN.get(syntax, ()))
        rows.append(f"| {value} | {name} | {_decoder(syntax) if cases else 'not read'} | {cases} |")
    return rows


def _decoder(syntax: UID) -> str:
    if not syntax.is_encapsulated:
        return "pydicom"
    names = {8: decoder_name(syntax, 8)}
    if syntax in jpeg.DCT:
        names[12] = decoder_name(syntax, 12)
    if len(names) == 1:
        return names[8]
    return ", ".join(f"{bits} bits: {name}" for bits, name in names.items())

"""The frame's own header of JPEG 2000 and High-Throughput JPEG 2000, read before anything is decoded."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass

from pydicom.uid import HTJ2K, JPEG2000, HTJ2KLossless, HTJ2KLosslessRPCL, JPEG2000Lossless

SYNTAXES = (JPEG2000Lossless, JPEG2000, HTJ2KLossless, HTJ2KLosslessRPCL, HTJ2K)

_START = b"\xff\x4f\xff\x51"  # SOC and SIZ
_BOX = b"\0\0\0\x0cjP  "  # a JP2 file around the codestream, which does not belong there but occurs
_SIZES = struct.Struct(">HHLLLLLLLLH")
_MOST_COMPONENTS = 4


@dataclass(frozen=True, slots=True)
class CodestreamHeader:
    """What the SIZ marker states, ITU-T T.800 A.5.1.

    Attributes:
        rows: Of the image.
        columns: Of the image.
        precisions: Bits of the samples of each component.
        sampling: Distance of the samples of each component, across and down.
    """

    rows: int
    columns: int
    precisions: tuple[int, ...]
    sampling: tuple[tuple[int, int], ...]


def codestream_header(frame: bytes) -> CodestreamHeader | None:
    """Reads the header of a frame; None if there is none where it must be."""
    at = frame.find(_START) if frame.startswith(_BOX) else 0
    if at < 0 or frame[at : at + 4] != _START or len(frame) < at + 4 + _SIZES.size:
        return None
    _, _, width, height, left, top, *_, components = _SIZES.unpack_from(frame, at + 4)
    first = at + 4 + _SIZES.size
    if not 1 <= components <= _MOST_COMPONENTS or len(frame) < first + 3 * components:
        return None
    each = [frame[first + 3 * index : first + 3 * index + 3] for index in range(components)]
    return CodestreamHeader(
        height - top,
        width - left,
        tuple((one[0] & 0x7F) + 1 for one in each),
        tuple((one[1], one[2]) for one in each),
    )


def fault(frame: bytes, attributes: Mapping[str, int | str]) -> str:
    """Says in a word what speaks against decoding a frame, before it is; empty if nothing does.

    Args:
        frame: The compressed frame.
        attributes: See `processes.FrameFormat`.
    """
    header = codestream_header(frame)
    if header is None:
        return "damaged"
    stated = (attributes["rows"], attributes["columns"], attributes["samples_per_pixel"])
    if (header.rows, header.columns, len(header.precisions)) != stated:
        return "size"
    fits = max(header.precisions) <= int(attributes["bits_allocated"])
    return "" if fits and set(header.sampling) == {(1, 1)} else "unsupported"

"""JPEG that Pillow cannot read: Lossless (process 14) and twelve bits (process 4), by imagecodecs.

It is a plugin of pydicom's decoders, in the decoding process only, see `worker`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
from pydicom.pixels.decoders.base import DecodeRunner, get_decoder
from pydicom.uid import UID, JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLossless, JPEGLosslessSV1

PLUGIN = "imagecodecs"
LOSSLESS = (JPEGLossless, JPEGLosslessSV1)
DCT = (JPEGBaseline8Bit, JPEGExtended12Bit)
DECODER_DEPENDENCIES = dict.fromkeys((*LOSSLESS, *DCT), (PLUGIN,))
"""pydicom asks for this of a plugin, and for the two functions that it calls."""

_START, _END, _SCAN = 0xD8, 0xD9, 0xDA
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # not DHT, JPG, DAC
_SEQUENTIAL, _LOSSLESS = (0xC0, 0xC1), (0xC3,)  # of Huffman codes; SOF2 and others are other processes
# Bits that would be read where coded ones are missing; no code stands for the same by both.
_FILLINGS = (b"\x00" * 8, b"\xaa" * 8)


@dataclass(frozen=True, slots=True)
class FrameHeader:
    """The frame header (SOF) of a JPEG stream, ITU-T T.81 B.2.2.

    Attributes:
        marker: Second byte of the marker, which tells the process.
        precision: Bits of a sample.
        rows: Lines; 0 if they are stated after the scan.
        columns: Samples of a line.
        sampling: Sampling factors of each component.
    """

    marker: int
    precision: int
    rows: int
    columns: int
    sampling: tuple[int, ...]


def frame_header(stream: bytes) -> FrameHeader | None:
    """Reads the frame header; None if there is none before the first scan."""
    at = 2
    while stream[:2] == bytes((0xFF, _START)) and stream[at : at + 1] == b"\xff" and at + 4 <= len(stream):
        marker, length = stream[at + 1], int.from_bytes(stream[at + 2 : at + 4])
        if marker == 0xFF:  # any number of them may come before a marker
            at += 1
        elif marker in (_SCAN, _END):
            break
        elif marker in _FRAMES:
            segment = stream[at + 4 : at + 2 + length]
            if len(segment) < 6 or len(segment) != 6 + 3 * segment[5]:
                break
            rows, columns = int.from_bytes(segment[1:3]), int.from_bytes(segment[3:5])
            return FrameHeader(marker, segment[0], rows, columns, tuple(segment[7::3]))
        else:
            at += 2 + length
    return None


def fault(syntax: str, frame: bytes, attributes: Mapping[str, int | str]) -> str:
    """Says in a word what speaks against decoding a frame, before it is; empty if nothing does.

    Args:
        syntax: Transfer Syntax UID (0002,0010).
        frame: The compressed frame.
        attributes: See `processes.FrameFormat`.
    """
    header = frame_header(frame)
    if header is None:
        return "damaged"
    samples, allocated = int(attributes["samples_per_pixel"]), int(attributes["bits_allocated"])
    if (header.rows, header.columns, len(header.sampling)) != (
        attributes["rows"],
        attributes["columns"],
        samples,
    ):
        return "size"
    lossless = syntax in LOSSLESS
    # Colours that were subsampled, or are not RGB of any depth, would have to be converted.
    coloured = samples > 1 and (
        not lossless
        or len(set(header.sampling)) > 1
        or (header.precision > 8 and attributes["photometric_interpretation"] != "RGB")
    )
    # The sign is the highest bit that is stored, which must be there.
    unsigned = attributes["pixel_representation"] == 0
    fits = header.precision <= allocated and (unsigned or header.precision >= int(attributes["bits_stored"]))
    process = header.marker in (_LOSSLESS if lossless else _SEQUENTIAL)
    return "" if process and fits and not coloured else "unsupported"


def add_plugin() -> None:
    """Tells pydicom's decoders of this module."""
    for syntax in DECODER_DEPENDENCIES:
        get_decoder(syntax).add_plugin(PLUGIN, (__name__, "decode_frame"))


def is_available(uid: UID) -> bool:
    """Whether this syntax can be decoded."""
    return uid in DECODER_DEPENDENCIES and find_spec(PLUGIN) is not None


def decode_frame(src: bytes, runner: DecodeRunner) -> bytes:
    """Returns the samples of a frame as they are coded, colours by pixel; pydicom does the rest.

    Raises:
        RuntimeError: If the stream is damaged or cut.
    """
    from imagecodecs import jpeg8_decode  # not at the top: the parent reads this module, and decodes nothing

    colours = "RGB" if runner.samples_per_pixel > 1 else None  # the same twice: nothing is converted
    end = src.rindex(bytes((0xFF, _END)))
    # libjpeg makes up what is missing, and says nothing. What is complete does not depend on
    # what stands behind it.
    pixels, again = (
        jpeg8_decode(src[:end] + filling + src[end:], colorspace=colours, outcolorspace=colours)
        for filling in _FILLINGS
    )
    if not np.array_equal(pixels, again):
        raise RuntimeError("The scan is cut.")
    runner.set_option("planar_configuration", 0)
    stored: bytes = pixels.astype(f"<u{runner.bits_allocated // 8}").tobytes()
    return stored

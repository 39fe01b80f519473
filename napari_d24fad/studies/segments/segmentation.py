"""Reads a DICOM Segmentation: which voxels belong to which segment, and where they lie."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
from highdicom.seg import Segmentation, SegmentationTypeValues
from pydicom.dataset import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

from napari_d24fad.errors import Code, StudyError
from napari_d24fad.studies.dicom.file import open_dicom, read_all, read_header
from napari_d24fad.studies.dicom.refusals import coded_errors
from napari_d24fad.studies.dicom.values import number, text
from napari_d24fad.studies.files.limits import check_size
from napari_d24fad.studies.files.quiet import quiet
from napari_d24fad.studies.scan import Affine
from napari_d24fad.studies.segments.files import SEGMENTATIONS

Labels = npt.NDArray[np.uint16]

_PLAIN = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian, RLELossless)
"""What is decoded by pydicom itself, and by no library that a damaged file could break."""
_LONGEST = 64
_MOST_SEGMENTS = 1000
_HALF = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Segments:
    """What a DICOM Segmentation holds.

    Attributes:
        layers: Arrays ``(slices, rows, columns)`` of segment numbers, 0 for none: one array, unless segments
            overlap.
        names: What each segment number is called.
        affine: ``(4, 4)``, array index to LPS mm.
        source_series: Series Instance UIDs of the images that it was made on, as far as it says.
        frame_of_reference_uid: Frame of Reference UID (0020,0052); empty if not stated.
        is_halved: Whether it holds shares or probabilities, of which those of a half and more were taken.
    """

    layers: tuple[Labels, ...] = field(repr=False)
    names: dict[int, str] = field(repr=False)
    affine: Affine
    source_series: frozenset[str] = field(repr=False)
    frame_of_reference_uid: str = field(repr=False)
    is_halved: bool = False


def read_segmentation(path: Path) -> Segments:
    """Reads a file.

    Args:
        path: A DICOM Segmentation: binary, fractional, or a label map.

    Raises:
        StudyError: ``NOT_AN_IMAGE`` for other files; ``AMBIGUOUS_GEOMETRY`` if its frames form no volume in
            the patient; ``UNSUPPORTED_PIXELS`` if it is compressed in a way that another library would have
            to decode; ``TOO_LARGE``, or why it cannot be read.
    """
    with coded_errors(""), quiet():
        with open_dicom(path) as file:
            header = read_header(file)
        syntax = _check(header)
        size = _size(header)
        check_size((size,))
    with coded_errors(syntax), quiet():
        whole = Segmentation.from_dataset(read_all(path, 4 * size), copy=False)
        with _placed():
            geometry = whole.get_volume_geometry()
        if geometry is None or whole.is_tiled:
            raise StudyError(
                Code.AMBIGUOUS_GEOMETRY, "The segmentation does not say where in the patient it lies."
            )
        check_size(tuple(geometry.spatial_shape))
        affine = np.asarray(geometry.affine, np.float64)
        if not (np.isfinite(affine).all() and np.linalg.norm(affine[:3, :3], axis=0).all()):
            raise StudyError(Code.AMBIGUOUS_GEOMETRY, "The segmentation states a spacing that cannot be.")
        return Segments(
            layers=_layers(whole),
            names=_names(whole),
            affine=affine,
            source_series=_source_series(header),
            frame_of_reference_uid=text(header, "FrameOfReferenceUID"),
            is_halved=whole.segmentation_type is SegmentationTypeValues.FRACTIONAL,
        )


def _check(header: Dataset) -> str:
    """Returns its Transfer Syntax UID, if it is one that can be read."""
    if text(header, "SOPClassUID") not in SEGMENTATIONS:
        raise StudyError(Code.NOT_AN_IMAGE, "It is no segmentation.")
    syntax = str(header.file_meta.get("TransferSyntaxUID", ""))
    if syntax not in _PLAIN:
        raise StudyError(Code.UNSUPPORTED_PIXELS, "The segmentation is compressed in a way that is not read.")
    if not 0 < len(header.get("SegmentSequence", ())) <= _MOST_SEGMENTS:
        raise StudyError(Code.NOT_AN_IMAGE, f"It has no segment, or more than {_MOST_SEGMENTS}.")
    return syntax


def _size(header: Dataset) -> int:
    """Returns how many values its frames hold."""
    rows, columns, frames = (int(number(header, name) or 0) for name in ("Rows", "Columns", "NumberOfFrames"))
    if min(rows, columns, frames) < 1:
        raise StudyError(Code.TRUNCATED, "The segmentation holds no frames.")
    return rows * columns * frames


@contextmanager
def _placed() -> Iterator[None]:
    """Turns what highdicom raises of frames that form no volume into a refusal."""
    try:
        yield
    except (AttributeError, KeyError, IndexError, ValueError, RuntimeError, TypeError):
        raise StudyError(
            Code.AMBIGUOUS_GEOMETRY, "The frames of the segmentation form no volume at right angles."
        ) from None


def _layers(whole: Segmentation) -> tuple[Labels, ...]:
    """Puts segments into as few arrays as hold them without covering each other."""
    if whole.segmentation_type is not SegmentationTypeValues.FRACTIONAL:
        try:
            found = whole.get_volume(combine_segments=True, dtype=np.uint16).array
            return (np.asarray(found, np.uint16),)
        except RuntimeError:  # some overlap
            pass
    layers: list[Labels] = []
    for segment in whole.segment_numbers:
        inside = _mask(whole, segment)
        place = next((each for each in layers if not each[inside].any()), None)
        if place is None:
            check_size((len(layers) + 1, *inside.shape))
            place = np.zeros(inside.shape, np.uint16)
            layers.append(place)
        place[inside] = segment
    return tuple(layers)


def _mask(whole: Segmentation, segment: int) -> npt.NDArray[np.bool_]:
    if whole.segmentation_type is SegmentationTypeValues.FRACTIONAL:
        found = whole.get_volume(segment_numbers=[segment], rescale_fractional=True).array[..., 0]
        return np.asarray(found >= _HALF)
    found = whole.get_volume(segment_numbers=[segment], combine_segments=True, skip_overlap_checks=True).array
    return np.asarray(found == segment)


def _names(whole: Segmentation) -> dict[int, str]:
    names = {}
    for segment in whole.segment_numbers:
        stated = text(whole.get_segment_description(segment), "SegmentLabel")
        label = "".join(each for each in " ".join(stated.split()) if each.isprintable())[:_LONGEST]
        names[int(segment)] = label or f"Segment {segment}"
    return names


def _source_series(header: Dataset) -> frozenset[str]:
    named = (text(each, "SeriesInstanceUID") for each in header.get("ReferencedSeriesSequence", ()))
    return frozenset(uid for uid in named if uid)

"""Files that are in a study more than once: dropped if they are the same, refused if not."""

from __future__ import annotations

import filecmp
from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from napari_d24fad.errors import Code, StudyError
from napari_d24fad.progress import CancelToken
from napari_d24fad.studies.decoding.processes import decode
from napari_d24fad.studies.dicom.header import Instance
from napari_d24fad.studies.dicom.pixels import frame_format, frames, is_compressed, read_slice, read_whole
from napari_d24fad.studies.dicom.refusals import coded_errors
from napari_d24fad.studies.dicom.traits import TRAITS
from napari_d24fad.studies.files.quiet import quiet

_OF_COPIES = ("ImageType",)  # of what was compressed again

Copy = tuple[Instance, Instance]
"""An instance that is used, and one that should be the same and is left out."""


def set_copies_apart(members: Iterable[Instance]) -> tuple[list[Instance], list[Copy]]:
    """Finds instances that state the same identifier and the same place.

    Careless tools give one SOP Instance UID to all slices, or to those of two reconstructions: those are
    no copies. Only headers
    are compared here; see `check_copies`.

    Args:
        members: The instances of one series.

    Returns:
        The first instance of each kind, and the copies.
    """
    originals: dict[Hashable, Instance] = {}
    copies = []
    for instance in members:
        original = originals.setdefault(_fingerprint(instance), instance)
        if original is not instance:
            copies.append((original, instance))
    return list(originals.values()), copies


def _fingerprint(instance: Instance) -> Hashable:
    named = zip(TRAITS, instance.traits, strict=True)
    traits = tuple(value for (name, _), value in named if name not in _OF_COPIES)
    return instance.sop_uid, instance.number, instance.placement, instance.rows, instance.columns, traits


def check_copies(copies: Sequence[Copy], cancel: CancelToken) -> None:
    """Returns if copies show the same pixels as what they are copies of.

    Raises:
        StudyError: ``CONFLICTING_COPIES`` if not, or what reading them raises.
        Cancelled: If a stop was asked for.
    """
    for original, copy in copies:
        cancel.check()
        if not _same(original, copy, cancel):
            raise StudyError(Code.CONFLICTING_COPIES)


def _same(one: Instance, other: Instance, cancel: CancelToken) -> bool:
    with coded_errors(other.transfer_syntax), quiet():
        if filecmp.cmp(one.path, other.path, shallow=False):
            return True
        if one.frames > 1:
            return _same_frames(read_whole(one), read_whole(other), cancel)
    first, second = read_slice(one, cancel), read_slice(other, cancel)
    return np.array_equal(first, second, equal_nan=first.dtype == np.float32)


def _same_frames(one: Dataset, other: Dataset, cancel: CancelToken) -> bool:
    stored = [_stored_frames(dataset, cancel) for dataset in (one, other)]
    return all(np.array_equal(*pair) for pair in zip(*stored, strict=True))


def _stored_frames(dataset: Dataset, cancel: CancelToken) -> Iterator[npt.NDArray[Any]]:
    if is_compressed(dataset):
        syntax, form = str(dataset.file_meta.TransferSyntaxUID), frame_format(dataset)
        return (decode(syntax, form, frame, cancel).pixels for frame in frames(dataset))
    return iter(dataset.pixel_array)

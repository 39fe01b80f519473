"""What of a scan is compared: the places that other scans show as well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from napari_d24fad.detection.channels.volume import WorkingVolume
from napari_d24fad.errors import Code, PairingError

_BEYOND_MM = 10.0
"""How far beyond what is seen of a scan it still tells what is usual: parts of heads are placed no better."""

_ENOUGH = 2  # scans that tell how much a place varies

Extent = npt.NDArray[np.float32]
"""``(2, 3)``: lowest and highest place of the anatomy of a scan in the common space, in mm."""


def covered(volume: WorkingVolume, references: Sequence[WorkingVolume]) -> WorkingVolume:
    """Returns a scan of which only what at least two references show is anatomy.

    Elsewhere nothing is known of what is usual: a normal scan that begins lower than the references would
    be coloured there.

    Args:
        volume: The scan, as far as it is examined.
        references: With all of their anatomy; of one alone, what it shows counts.

    Returns:
        The scan itself, if they show all of it.

    Raises:
        PairingError: ``NOT_COVERED``, if they show nothing of it.
    """
    found = _covered(volume, [_extent(reference) for reference in references])
    if found is None:
        raise PairingError(Code.NOT_COVERED, "The references show nothing of this scan.")
    return found


def among_each_other(
    volumes: Sequence[WorkingVolume], wholes: Sequence[WorkingVolume]
) -> list[WorkingVolume]:
    """Returns each reference as far as the others cover it; as it is, where they show nothing of it.

    Args:
        volumes: The references, as far as they are examined.
        wholes: The same with all of their anatomy.
    """
    extents = [_extent(whole) for whole in wholes]
    return [_covered(one, extents[:at] + extents[at + 1 :]) or one for at, one in enumerate(volumes)]


def _extent(volume: WorkingVolume) -> Extent:
    places = volume.place.coordinates[:, volume.anatomy.mask]
    return np.stack([places.min(axis=1), places.max(axis=1)])


def _covered(volume: WorkingVolume, others: Sequence[Extent]) -> WorkingVolume | None:
    mask = volume.anatomy.mask
    places = volume.place.coordinates[:, mask]
    shown = np.zeros(places.shape[1], np.int16)
    for low, high in others:
        inside = (places >= low[:, np.newaxis] - _BEYOND_MM) & (places <= high[:, np.newaxis] + _BEYOND_MM)
        shown += inside.all(axis=0)
    known = shown >= min(_ENOUGH, len(others))
    if known.all():
        return volume
    if not known.any():
        return None
    kept = np.zeros(mask.shape, bool)
    kept[mask] = known
    return replace(volume, anatomy=replace(volume.anatomy, mask=kept), counted=volume.counted & kept)

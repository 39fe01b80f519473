"""Orders slices along their normal and finds the affine, or says why there is none."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from highdicom import VolumeGeometry
from highdicom.spatial import get_volume_positions

from napari_d24fad.errors import Code, StudyError
from napari_d24fad.studies.dicom_header import Instance
from napari_d24fad.studies.quiet import quiet
from napari_d24fad.studies.scan import Affine

# highdicom's default: gaps may differ from their mean by one per cent.
_EVEN = 0.01


def stack(instances: Sequence[Instance]) -> tuple[tuple[Instance, ...], Affine]:
    """Orders the slices of one volume; uses highdicom with its tolerances.

    Args:
        instances: Slices that have a placement, in any order.

    Returns:
        The instances in slice order, and the ``(4, 4)`` affine from (slice, row, column)
        to LPS millimetres.

    Raises:
        StudyError: ``MISSING_SLICE`` or ``AMBIGUOUS_GEOMETRY``.
    """
    first = instances[0]
    places = [instance.placement for instance in instances if instance.placement is not None]
    if len({place.orientation for place in places}) > 1:
        raise StudyError(Code.AMBIGUOUS_GEOMETRY, "The slices are not exactly parallel.")
    if len({place.pixel_spacing for place in places}) > 1:
        raise StudyError(Code.AMBIGUOUS_GEOMETRY, "The slices differ in pixel spacing.")
    positions = [place.position for place in places]
    orientation = places[0].orientation
    try:
        with quiet():
            distance, order = get_volume_positions(image_positions=positions, image_orientation=orientation)
        if order is None or distance is None:
            raise _why_uneven(positions, orientation)
        geometry = VolumeGeometry.from_attributes(
            image_position=positions[order.index(0)],
            image_orientation=orientation,
            rows=first.rows,
            columns=first.columns,
            pixel_spacing=places[0].pixel_spacing,
            spacing_between_slices=distance if len(places) > 1 else first.thickness,
            number_of_frames=len(places),
            coordinate_system="PATIENT",
        )
    except ValueError:
        # highdicom refuses direction cosines that are not orthogonal unit vectors.
        raise StudyError(Code.AMBIGUOUS_GEOMETRY, "The orientation of the slices is not valid.") from None
    ordered = tuple(instances[order.index(index)] for index in reversed(range(len(order))))
    return ordered, along_normal(geometry)


def along_normal(geometry: VolumeGeometry) -> Affine:
    """Returns the affine of the slices in the direction of their normal, LPS mm.

    highdicom stacks slices against the cross product of the row and column direction;
    other software, and thus the slice number a user knows, goes along with it.
    """
    affine: Affine = geometry.flip_spatial(0).affine
    return affine


def _why_uneven(positions: Sequence[Sequence[float]], orientation: Sequence[float]) -> StudyError:
    normal = np.cross(orientation[:3], orientation[3:])
    gaps = np.diff(np.sort(np.array(positions) @ normal))
    if gaps.min() <= 0:
        return StudyError(Code.AMBIGUOUS_GEOMETRY, "Several slices lie in the same plane.")
    if np.abs(gaps / gaps.mean() - 1).max() > _EVEN:
        return StudyError(
            Code.MISSING_SLICE,
            f"The gaps between its {len(positions)} slices are {gaps.min():.2f} to {gaps.max():.2f} mm.",
        )
    return StudyError(
        Code.AMBIGUOUS_GEOMETRY, "The slices are not stacked at right angles, as with a tilted gantry."
    )

"""Volumes of no known kind, of which a region is drawn: places are compared by where they lie in it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import ndimage

from napari_d24fad.anatomy.found import Anatomy
from napari_d24fad.anatomy.grid import BoolArray, FloatArray
from napari_d24fad.anatomy.place import BoxPlacer, Place
from napari_d24fad.detection.atlas.names import DRAWN_REGION
from napari_d24fad.detection.atlas.plan import Plan
from napari_d24fad.detection.channels.table import Cells
from napari_d24fad.detection.channels.value import Value
from napari_d24fad.detection.channels.volume import WorkingVolume
from napari_d24fad.progress import CancelToken
from napari_d24fad.studies.scan import Scan

_BOX = (100.0, 100.0, 100.0)  # the region's own box, in hundredths of its size
_CELL, _SIGMA = 20.0, 20.0
_DEPTHS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8)  # of the greatest depth in the slice
_LOW, _HIGH = 0.05, 0.95
_THICK_MM = 6.0
_LARGEST = 3.0  # times the range between both quantiles; what is beyond says no more


def drawn_plan(
    find: Callable[[Scan, CancelToken], Anatomy], setting: str = "", *, hounsfield: bool = False
) -> Plan:
    """Returns how a drawn region is examined in volumes that have no plan of their own.

    Places are told by the position in the box of the region and by the depth below its border.

    Args:
        find: Finds the region in a scan: its mask is what is examined. Asks the token between steps.
        setting: Tells regions apart.
        hounsfield: Whether values are in HU, which compare as they are.
    """
    return Plan(
        name=DRAWN_REGION,
        find=find,
        placer=BoxPlacer(_BOX),
        prepare=prepare_hounsfield if hounsfield else prepare_by_range,
        channels=(Value(softening=8.0 if hounsfield else 0.06, sigma_mm=(0.0, 1.2, 1.2)),),
        cells=Cells(_BOX, _CELL, _SIGMA),
        score_share=0.1,
        setting=setting,
    )


def prepare_hounsfield(anatomy: Anatomy, place: Place) -> WorkingVolume:
    """Makes the working volume of a region of a CT."""
    return _volume(anatomy, place, np.nan_to_num(anatomy.values), "HU", 1.0)


def prepare_by_range(anatomy: Anatomy, place: Place) -> WorkingVolume:
    """Makes the working volume of a region where values have no unit: in parts of their range in the region.

    Slices of a stack of thick ones are scaled one by one: they are measured one by one, and often saved so.
    """
    if anatomy.grid.spacing[anatomy.grid.slice_axis] < _THICK_MM:
        values = _by_range(anatomy.values, anatomy.mask)
    else:
        axis = anatomy.grid.slice_axis
        planes = zip(np.moveaxis(anatomy.values, axis, 0), np.moveaxis(anatomy.mask, axis, 0), strict=True)
        values = np.moveaxis(np.stack([_by_range(*plane) for plane in planes]), 0, axis)
    return _volume(anatomy, place, values, "% of the range in the region", 100.0)


def _by_range(values: FloatArray, mask: BoolArray) -> FloatArray:
    """Returns values of which 0 and 1 are a low and a high quantile inside the mask."""
    known = values[mask & np.isfinite(values)]
    if not known.size:
        return np.zeros(values.shape, np.float32)
    low, high = np.quantile(known, (_LOW, _HIGH))
    scaled = (np.nan_to_num(values, nan=low) - low) / max(float(high - low), 1e-6)
    return np.asarray(np.clip(scaled, 1 - _LARGEST, _LARGEST), np.float32)


def _volume(
    anatomy: Anatomy, place: Place, values: FloatArray, unit: str, unit_per_value: float
) -> WorkingVolume:
    relative = np.stack([_relative_depth(plane) for plane in anatomy.mask])
    return WorkingVolume(
        anatomy,
        place,
        values.astype(np.float32),
        anatomy.mask & np.isfinite(anatomy.values),
        np.digitize(relative, _DEPTHS).astype(np.int8),
        len(_DEPTHS) + 1,
        unit,
        unit_per_value,
    )


def _relative_depth(plane: BoolArray) -> FloatArray:
    """Returns the depth below the border of a shape, 0 to 1, as if its bounding box were square.

    So that a wall is at one depth all around, also of an organ that is longer than wide.
    """
    depth = np.zeros(plane.shape, np.float32)
    if plane.any():
        box = ndimage.find_objects(plane.astype(np.uint8))[0]
        shape = np.pad(plane[box], 1)
        rows, columns = plane[box].shape
        found = ndimage.distance_transform_edt(shape, sampling=(1 / rows, 1 / columns))[1:-1, 1:-1]
        depth[box] = found / found.max()
    return depth

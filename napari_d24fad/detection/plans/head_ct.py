"""Head CT: what lies inside the skull, in grey levels of the brain window over the brain's mode."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_d24fad.anatomy.find import find_anatomy
from napari_d24fad.anatomy.found import Anatomy, Kind
from napari_d24fad.anatomy.grid import FloatArray
from napari_d24fad.anatomy.place import Place
from napari_d24fad.anatomy.planes import dilated
from napari_d24fad.anatomy.straight import UprightPlacer
from napari_d24fad.detection.atlas.plan import Plan
from napari_d24fad.detection.channels.excess import Excess
from napari_d24fad.detection.channels.patches import Patches
from napari_d24fad.detection.channels.placed_features import PlacedFeatures
from napari_d24fad.detection.channels.table import Cells
from napari_d24fad.detection.channels.value import Asymmetry, Value
from napari_d24fad.detection.channels.volume import Direction, WorkingVolume

BOX_MM = (130.0, 180.0, 150.0)

_LOWEST, _HIGHEST = -60.0, 90.0  # grey levels about the mode; what is beyond says no more
_BRIGHTEST = 225.0  # above: partly bone
_SHALLOWEST_MM = 1.6
_DEPTHS_MM = (2.0, 4.0, 7.0, 11.0, 17.0)
_DEPTHS_BESIDE_BONE_MM = (4.0, 9.0)
_BESIDE_MM = 3.0
_AWAY_MM, _SMALL_MM3, _HALO_MM = 6.0, 1500.0, 3.5  # of calcifications


def head_ct_plan() -> Plan:
    """Returns how head CT is examined: for blood, unless another direction is chosen."""
    beside_bone = (6, 7, 8)  # of `_bins`
    cells = Cells(BOX_MM, 4.0, 5.0, wide_bins=beside_bone)
    return Plan(
        name="head CT",
        find=lambda scan, _: find_anatomy(scan, Kind.INTRACRANIAL),
        placer=UprightPlacer(BOX_MM),
        prepare=prepare_head_ct,
        alternatives=UprightPlacer(BOX_MM).alternatives,
        channels=(
            Value(softening=3.0),
            Asymmetry(softening=3.0),
            Excess(0.3, cells),
            Patches(),
            PlacedFeatures(_LOWEST, _HIGHEST),
        ),
        cells=cells,
        weights={"value": 0.5, "excess": 0.5},  # the same seen twice
        doubtful_bins=beside_bone,
        score_sigma_mm=4.0,
        caps={"patches": 2.0, "features": 2.0},  # they tell that a place differs, not by how much
        direction=Direction.BRIGHTER,
    )


def prepare_head_ct(anatomy: Anatomy, place: Place) -> WorkingVolume:
    """Makes the working volume of a head CT.

    Args:
        anatomy: Its values are grey levels of the brain window.
        place: Its place.
    """
    values, mask = anatomy.values, anatomy.mask
    mode = _mode(values[mask])
    counted = mask & (place.depth > _SHALLOWEST_MM) & (values < _BRIGHTEST)
    counted &= ~_around_calcifications(anatomy, place)
    window = anatomy.window
    return WorkingVolume(
        anatomy,
        place,
        np.clip(np.nan_to_num(values) - mode, _LOWEST, _HIGHEST).astype(np.float32),
        counted,
        _bins(anatomy, place),
        len(_DEPTHS_MM) + 1 + len(_DEPTHS_BESIDE_BONE_MM) + 1,
        window.unit if window else "",
        1 / window.slope if window else 1.0,
    )


def _around_calcifications(anatomy: Anatomy, place: Place) -> npt.NDArray[np.bool_]:
    """Returns what small, very dense spots away from the skull brighten: plexus, pineal gland, falx.

    Blood is less dense. What is dense in a larger volume stays, as it might be a dense clot.
    """
    dense = anatomy.mask & (anatomy.values >= _BRIGHTEST) & (place.depth > _AWAY_MM)
    labels, number = ndimage.label(dense)
    if not number:
        return dense
    sizes = np.bincount(labels.ravel()) * anatomy.grid.voxel_mm3
    sizes[0] = np.inf
    small = (sizes < _SMALL_MM3)[labels]
    return np.stack([dilated(plane, _HALO_MM, anatomy.grid.spacing[1:]) for plane in small])


def _mode(values: FloatArray) -> float:
    """Returns the commonest grey level."""
    counts = ndimage.gaussian_filter1d(np.histogram(values, 256, (0, 256))[0].astype(float), 2.0)
    return float(np.argmax(counts[60:191]) + 60.5)


def _bins(anatomy: Anatomy, place: Place) -> npt.NDArray[np.int8]:
    """Returns the depth, and apart from it the depth where a neighbouring slice has bone."""
    bins = np.digitize(place.depth, _DEPTHS_MM).astype(np.int8)
    if anatomy.bone is None:
        return bins
    spacing = anatomy.grid.spacing[1:]
    near = np.stack([dilated(plane, _BESIDE_MM, spacing) for plane in anatomy.bone])
    beside = np.zeros_like(near)
    beside[1:] |= near[:-1]
    beside[:-1] |= near[1:]
    other = len(_DEPTHS_MM) + 1 + np.digitize(place.depth, _DEPTHS_BESIDE_BONE_MM)
    return np.where(beside, other, bins).astype(np.int8)

"""T1-weighted heads: the brain in the voxels of MNI152, and the change of volume as a map of its own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from napari_d24fad.anatomy.aligned import TemplatePlacer, box_of, find_aligned
from napari_d24fad.anatomy.contrast import contrast_of
from napari_d24fad.anatomy.found import Anatomy
from napari_d24fad.anatomy.head_mr import mni_template
from napari_d24fad.anatomy.place import Place
from napari_d24fad.detection.atlas.plan import Plan
from napari_d24fad.detection.channels.aligned_features import AlignedFeatures
from napari_d24fad.detection.channels.enclosed import Enclosed
from napari_d24fad.detection.channels.table import Cells
from napari_d24fad.detection.channels.tolerance import Tolerance
from napari_d24fad.detection.channels.value import Value
from napari_d24fad.detection.channels.volume import Direction, WorkingVolume

_SHALLOWEST_MM = 2.0
_LEAST, _NARROW, _VOLUME, _WIDE = ((each, each, each) for each in (1.0, 2.0, 3.0, 4.0))


def head_t1_plan() -> Plan:
    """Returns how T1-weighted heads are examined: for what is brighter or darker."""
    template = mni_template()
    box = box_of(template)
    return Plan(
        name="head T1",
        find=lambda scan, cancel: find_aligned(scan, template, cancel=cancel),
        placer=TemplatePlacer(box),
        prepare=prepare_head_mr,
        channels=(
            Value(softening=0.04, sigma_mm=_NARROW),
            AlignedFeatures(),
            Enclosed(softening=0.007, sigma_mm=_LEAST),
        ),
        # The value finds less, but tells brighter from darker; of what is enclosed much is normal.
        weights={"value": 0.5, "enclosed": 0.5},
        cells=Cells(box, 2.0, 2.0),
        direction=Direction.BOTH,
        map_sigma_mm=_LEAST,
        score_mm3=400.0,
        beside=(volume_change_plan(),),
    )


def head_mr_plan() -> Plan:
    """Returns how heads of other sequences are examined (FLAIR, T2): aligned, not deformed."""
    template = mni_template()
    box = box_of(template)
    return Plan(
        name="head MR",
        find=lambda scan, cancel: find_aligned(scan, template, like_template=False, cancel=cancel),
        placer=TemplatePlacer(box),
        prepare=prepare_head_mr,
        channels=(Value(softening=0.08, sigma_mm=_WIDE), Tolerance(reach=2)),
        cells=Cells(box, 4.0, 6.0),
        direction=Direction.BRIGHTER,
        map_sigma_mm=(2.0, 2.0, 2.0),
        contrast=lambda anatomy: contrast_of(anatomy.values, anatomy.mask, template),
    )


def volume_change_plan() -> Plan:
    """Returns how T1-weighted heads are examined for places that are larger or smaller than usual.

    A map of its own: averaged into that of the values it is lost.
    """
    template = mni_template()
    box = box_of(template)
    return Plan(
        name="volume",
        find=lambda scan, cancel: find_aligned(scan, template, cancel=cancel),
        placer=TemplatePlacer(box),
        prepare=prepare_volume_change,
        channels=(Value(softening=0.1, sigma_mm=_VOLUME, name="volume"),),
        cells=Cells(box, 2.0, 0.0, spread_mm=3.0),
        direction=Direction.BOTH,
        map_sigma_mm=(0.0, 0.0, 0.0),
        evened=True,
        score_mm3=3300.0,
        smallest_mm3=500.0,
        sides=("larger", "smaller"),
    )


def prepare_head_mr(anatomy: Anatomy, place: Place) -> WorkingVolume:
    """Makes the working volume of a head: values in parts of the brain's median.

    Args:
        anatomy: On a common grid, its values made comparable.
        place: Its place.
    """
    middle = float(np.median(anatomy.values[anatomy.mask]))
    values = np.nan_to_num(anatomy.values / np.float32(middle)).astype(np.float32)
    return WorkingVolume(
        anatomy,
        place,
        values,
        anatomy.mask & (place.depth > _SHALLOWEST_MM),
        np.zeros(values.shape, np.int8),
        1,
        "% of the brain's median",
        100.0,
    )


def prepare_volume_change(anatomy: Anatomy, place: Place) -> WorkingVolume:
    """Makes the working volume of how much larger a place is than in the template: the logarithm of both.

    Args:
        anatomy: On a common grid.
        place: Its place. Where nothing was deformed, nothing is counted.
    """
    change = place.volume_change
    volume = prepare_head_mr(anatomy, place)
    if change is None:
        return replace(volume, values=np.zeros_like(volume.values), counted=np.zeros_like(volume.counted))
    return replace(volume, values=change.astype(np.float32), unit="% of its volume")

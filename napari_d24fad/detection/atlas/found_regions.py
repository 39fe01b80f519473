"""The regions of an examination, measured and put in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_d24fad.anatomy.grid import FloatArray
from napari_d24fad.detection.atlas.examination import AtlasRegion
from napari_d24fad.detection.atlas.statistics import Components
from napari_d24fad.detection.channels.channel import AnyChannel
from napari_d24fad.detection.channels.volume import WorkingVolume


def describe_regions(
    found: Components,
    fused: FloatArray,
    sides: npt.NDArray[np.int8],
    maps: Mapping[tuple[int, str], FloatArray],
    excess: FloatArray,
    volume: WorkingVolume,
    channels: Sequence[AnyChannel],
    scales: Mapping[int, float],
    normal_masses: Sequence[float],
    references: int,
    words: tuple[str, str],
) -> tuple[AtlasRegion, ...]:
    """Measures each region.

    Args:
        found: The regions on the working grid.
        fused: The map.
        sides: Of which direction it is, +1 or -1.
        maps: For each direction and channel, its calibrated map.
        excess: Value minus what the references show there, in units of the working volume.
        volume: The query.
        channels: For their words; the first is the value.
        scales: For each direction, `Standard.scale` of the value.
        normal_masses: Of all regions of all references left out.
        references: Their number.
        words: See `Plan.sides`.
    """
    grid = volume.anatomy.grid
    regions = []
    for number, (mass, box) in enumerate(
        zip(found.masses, ndimage.find_objects(found.labels), strict=True), start=1
    ):
        inside = found.labels[box] == number
        corner = np.array([part.start for part in box])
        index = np.argwhere(inside) + corner
        values = fused[box][inside]
        peak = index[int(values.argmax())]
        sign = 1 if sides[box][inside].sum() >= 0 else -1
        own = {name: part[box][inside] for (of, name), part in maps.items() if of == sign}
        means = {name: float(np.nanmean(_known(part))) for name, part in own.items()}
        channel = max(means, key=lambda name: means[name])
        meaning = next(c.meaning for c in channels if c.name == channel)
        side = words[0] if sign > 0 else words[1]
        centre = index.mean(axis=0)
        along = grid.scan_slice_range(box[grid.slice_axis].start, box[grid.slice_axis].stop - 1)
        peak_index = np.rint(grid.scan_index(peak)).astype(int)
        regions.append(
            AtlasRegion(
                number=number,
                mass=mass,
                volume_mm3=float(inside.sum()) * grid.voxel_mm3,
                slices=along,
                peak=float(values.max()),
                peak_index=(int(peak_index[0]), int(peak_index[1]), int(peak_index[2])),
                centroid_index=_triple(grid.scan_index(centre)),
                centroid_mm=_triple((grid.affine @ [*centre, 1.0])[:3]) if grid.sided else None,
                extent_mm=_triple(np.array([part.stop - part.start for part in box]) * grid.spacing),
                side=side,
                channel=channel,
                meaning=meaning.format(side=side),
                amount=_weighted(excess[box][inside], values) * volume.unit_per_value,
                unit=volume.unit,
                spreads=sign * _weighted(own[channels[0].name], values) * scales[sign],
                false_regions=max(0.5, sum(other >= mass for other in normal_masses)) / references,
            )
        )
    return tuple(regions)


def _weighted(excess: FloatArray, values: FloatArray) -> float:
    """Returns the mean of a region, weighted by how far the map is above its lowest there."""
    weight = np.where(np.isfinite(excess), values - values.min() + 1e-6, 0)
    return float((np.nan_to_num(excess) * weight).sum() / weight.sum()) if weight.any() else 0.0


def _known(values: FloatArray) -> FloatArray:
    """Returns the finite values; 0 if there are none."""
    finite = values[np.isfinite(values)]
    return finite if finite.size else np.zeros(1, np.float32)


def _triple(values: npt.NDArray[np.floating]) -> tuple[float, float, float]:
    first, second, third = (float(value) for value in values)
    return first, second, third

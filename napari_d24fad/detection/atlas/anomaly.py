"""From an examination of a volume to the `AnomalyMap` that viewer, report and export know."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from napari_d24fad.anatomy.grid import FloatArray
from napari_d24fad.detection.atlas.examination import AtlasExamination, AtlasRegion
from napari_d24fad.detection.atlas.names import SCORING
from napari_d24fad.detection.atlas.normal import slice_places
from napari_d24fad.detection.atlas.scoring import AtlasReferences
from napari_d24fad.detection.atlas.statistics import slice_scores
from napari_d24fad.detection.references.calibration import RATES, conformal_p
from napari_d24fad.detection.references.reference_check import check_outliers
from napari_d24fad.detection.references.regions import Region, find_regions
from napari_d24fad.detection.result import AnomalyMap
from napari_d24fad.errors import Code
from napari_d24fad.studies.scan import Problem, Scan


def as_anomaly(found: AtlasExamination, references: AtlasReferences, features: AnomalyMap) -> AnomalyMap:
    """Returns the result of an examination; what explains it by features stays.

    Args:
        found: Of a query, by these references.
        references: What it was held against.
        features: What the comparison of features gave for the same query and references: the weights
            of references, labels, model and device.
    """
    normal, grid = references.normal, found.volume.anatomy.grid
    scores = np.array(references.normal_scores, np.float32)
    return replace(
        features,
        values=_drawn(found),
        score=found.score,
        slice_scores=found.slice_scores,
        slice_p_values=grid.scan_slices(
            normal.slice_p_values(
                slice_scores(found.fused, grid, references.plan.slice_mm2), slice_places(found.volume)
            )
        ),
        normal_level=found.levels.value,
        reference_scores=scores,
        reference_slice_scores=_rows(normal.slice_scores),
        scoring=SCORING,
        warnings=_warnings(found, features),
        p_value=conformal_p(found.score, scores),
        level_one_region=found.levels.value,
        levels_by_rate={rate: normal.calibration.level(rate) for rate in RATES},
        regions=tuple(_region(each, found, references) for each in found.told(1.0)),
        reference_checks=check_outliers(np.exp(scores)),
        calibration=normal.calibration,
        direction=found.direction.value,
        anatomy=found.kind.value,
    )


def regions_at(
    found: AtlasExamination, references: AtlasReferences, scan: Scan, values: FloatArray, level: float
) -> tuple[Region, ...]:
    """Finds the regions of a map at another level.

    Args:
        found: The examination.
        references: What it was held against.
        scan: The query.
        values: `AnomalyMap.values` of it.
        level: Regions are at or above it.
    """
    if level == found.levels.value:
        return tuple(_region(each, found, references) for each in found.told(1.0))
    grid = found.volume.anatomy.grid
    voxels = found.levels.smallest_mm3 / grid.voxel_mm3 * float(np.prod(grid.blocks))
    return find_regions(values, scan, level, voxels, references.normal.calibration.peaks)


def _warnings(found: AtlasExamination, features: AnomalyMap) -> tuple[Problem, ...]:
    """Returns what the reader must know; the map is exact where features are still a preview."""
    exact = (problem for problem in features.warnings if problem.code is not Code.PREVIEW)
    return tuple(dict.fromkeys((*exact, *found.problems)))


def _drawn(found: AtlasExamination) -> FloatArray:
    """Returns the map on the grid of the scan, with what is too small to be told of just below the level.

    A normal scan shows several specks above the level; a region is told of by its mass. Colours show
    what is told of and nothing else.
    """
    level = np.float32(found.levels.value)
    below = np.nextafter(level, np.float32(-np.inf))
    numbers = [region.number for region in found.told(1.0)]
    specks = (found.fused >= level) & ~np.isin(found.labels, numbers)
    return np.asarray(found.volume.anatomy.grid.expand(np.where(specks, below, found.fused)), np.float32)


def _rows(scores: tuple[FloatArray, ...]) -> FloatArray:
    """Returns ``(references, slices)``, NaN where a reference has fewer."""
    rows = np.full((len(scores), max(map(len, scores))), np.nan, np.float32)
    for row, own in zip(rows, scores, strict=True):
        row[: len(own)] = own
    return rows


def _region(region: AtlasRegion, found: AtlasExamination, references: AtlasReferences) -> Region:
    grid = found.volume.anatomy.grid
    inside = found.labels == region.number
    return Region(
        number=region.number,
        slices=region.slices,
        n_voxels=grid.scan_voxels(inside),
        volume_mm3=region.volume_mm3,
        area_mm2=None,
        extent_mm=_scan_order(region.extent_mm, found),
        peak=region.peak,
        mean=float(found.fused[inside].mean()),
        p_value=conformal_p(region.peak, references.normal.calibration.peaks),
        peak_index=region.peak_index,
        centroid_index=region.centroid_index,
        centroid_mm=region.centroid_mm,
        meaning=_meaning(region),
    )


def _meaning(region: AtlasRegion) -> str:
    """Says by how much a region is brighter or darker, and which channel it stands out in most."""
    if not region.unit:
        return region.meaning
    side = "brighter" if region.amount >= 0 else "darker"
    amount = f"{side} than the references by {abs(region.amount):.0f} {region.unit}"
    return amount if region.channel == "value" else f"{amount}; most of all {region.meaning}"


def _scan_order(lengths: tuple[float, float, float], found: AtlasExamination) -> tuple[float, float, float]:
    """Returns lengths along the axes of the working grid along those of the scan."""
    permutation = found.volume.anatomy.grid.orientation.permutation
    ordered = [0.0, 0.0, 0.0]
    for axis, length in zip(permutation, lengths, strict=True):
        ordered[axis] = length
    return ordered[0], ordered[1], ordered[2]

"""From an examination of a volume to the `AnomalyMap` that viewer, report and export know."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from napari_d24fad.anatomy.found import DRAWN
from napari_d24fad.anatomy.grid import FloatArray
from napari_d24fad.detection.atlas.examination import AtlasExamination, AtlasRegion
from napari_d24fad.detection.atlas.measured import key_of
from napari_d24fad.detection.atlas.names import DRAWN_REGION, SCORING
from napari_d24fad.detection.atlas.normal import slice_places
from napari_d24fad.detection.atlas.plan import Plan
from napari_d24fad.detection.atlas.scoring import AtlasReferences
from napari_d24fad.detection.atlas.statistics import components, slice_scores
from napari_d24fad.detection.references.calibration import RATES, conformal_p
from napari_d24fad.detection.references.reference_check import check_outliers
from napari_d24fad.detection.references.regions import Region
from napari_d24fad.detection.result import AnomalyMap, ExaminedRegion, MapBeside, MapChannel
from napari_d24fad.errors import Code
from napari_d24fad.studies.scan import Problem


def as_anomaly(found: AtlasExamination, references: AtlasReferences, features: AnomalyMap) -> AnomalyMap:
    """Returns the result of an examination; what explains it by features stays.

    Args:
        found: Of a query, by these references.
        references: What it was held against.
        features: What is known of the same query and references beside the map: model, device and what
            is doubtful about them.
    """
    normal, grid = references.normal, found.volume.anatomy.grid
    scores = np.array(references.normal_scores, np.float32)
    return replace(
        features,
        values=drawn(found),
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
        warnings=_warnings(found, references, features),
        p_value=conformal_p(found.score, scores),
        level_one_region=found.levels.value,
        levels_by_rate={rate: normal.calibration.level(rate) for rate in RATES},
        regions=_regions(found.told(1.0), found.labels, found, references),
        reference_checks=check_outliers(scores, logarithmic=True),
        calibration=normal.calibration,
        direction=found.direction.value,
        anatomy=found.kind.value,
        plan=references.plan.name,
        region=_examined_region(found, references),
        channels=(
            *_channels(references),
            *(one for each in references.beside for one in (_whole(each), *_channels(each, each.plan.name))),
        ),
        beside=tuple(_beside(one, each) for one, each in zip(found.beside, references.beside, strict=True)),
    )


def _whole(references: AtlasReferences) -> MapChannel:
    """Returns how a map that stands beside is shown as a whole."""
    plan = references.plan
    words = " or ".join(plan.sides[0] if sign > 0 else plan.sides[1] for sign in references.direction.signs)
    title = plan.value.meaning.format(side=words)
    return MapChannel(plan.name, 0, title, references.levels.value, references.direction.value, plan.name)


def _beside(found: AtlasExamination, references: AtlasReferences) -> MapBeside:
    return MapBeside(
        references.plan.name,
        found.score,
        conformal_p(found.score, np.array(references.normal_scores, np.float32)),
        found.levels.value,
        _regions(found.told(1.0), found.labels, found, references),
    )


def _examined_region(found: AtlasExamination, references: AtlasReferences) -> ExaminedRegion | None:
    anatomy = found.volume.anatomy
    if not anatomy.how:
        return None
    share = int(anatomy.grid.scan_counts(anatomy.mask.astype(np.int32))[-1]) / float(
        np.prod(anatomy.grid.scan_grid)
    )
    inside = references.plan.inside
    theirs = tuple(
        scan.volume.anatomy.how if inside is None else inside.how(scan.volume, scan.identity)
        for scan in references.scans
    )
    return ExaminedRegion(anatomy.how, anatomy.volume_ml, share, theirs)


def regions_at(found: AtlasExamination, references: AtlasReferences, level: float) -> tuple[Region, ...]:
    """Finds the regions of a map at another level, and says of each what it is, as at its own.

    Args:
        found: The examination.
        references: What it was held against.
        level: Regions are at or above it.

    Returns:
        At the level of the map those that are listed, which have mass enough; at another those of at
        least the smallest volume. Highest rank first.
    """
    if level == found.levels.value:
        return _regions(found.told(1.0), found.labels, found, references)
    grid = found.volume.anatomy.grid
    parts = components(_without_specks(found), grid, level, found.levels.smallest_mm3)
    described = references.describe(found, parts)
    return _regions(described, parts.labels, found, references)


def _warnings(
    found: AtlasExamination, references: AtlasReferences, features: AnomalyMap
) -> tuple[Problem, ...]:
    """Returns what the reader must know; the map is exact where features are still a preview."""
    exact = (problem for problem in features.warnings if problem.code is not Code.PREVIEW)
    theirs = [scan.volume.anatomy.how == DRAWN for scan in references.scans]
    carried = found.volume.anatomy.how not in ("", DRAWN)
    # Measured of regions that are compared by place in themselves: their border is what differs.
    uneven = references.plan.name == DRAWN_REGION and carried and 2 * sum(theirs) > len(theirs)
    own = (Problem(Code.REGION_UNEVEN),) if uneven else ()
    return tuple(dict.fromkeys((*exact, *found.problems, *own)))


def drawn(found: AtlasExamination) -> FloatArray:
    """Returns the map on the grid of the scan, with what is too small to be listed just below the level.

    A normal scan shows several specks above the level; a region is listed by its mass. Colours show
    what is listed and nothing else.
    """
    return np.asarray(found.volume.anatomy.grid.expand(_without_specks(found)), np.float32)


def _without_specks(found: AtlasExamination) -> FloatArray:
    """Returns the map on the working grid, as it is drawn."""
    level = np.float32(found.levels.value)
    below = np.nextafter(level, np.float32(-np.inf))
    numbers = [region.number for region in found.told(1.0)]
    specks = (found.fused >= level) & ~np.isin(found.labels, numbers)
    return np.where(specks, below, found.fused).astype(np.float32)


def _channels(references: AtlasReferences, beside: str = "") -> tuple[MapChannel, ...]:
    """Returns what a map is joined from, in the order of the plan; each direction apart."""
    first = references.direction.signs[0]
    found = []
    for sign in references.direction.signs:
        side = references.plan.sides[0] if sign > 0 else references.plan.sides[1]
        for channel in references.plan.channels:
            key = key_of(channel, sign)
            if key in references.standards and (sign == first or key[0] != 0):  # 0: the same both ways
                title = channel.meaning.format(side=side)
                found.append(
                    MapChannel(channel.name, sign, title, references.standards[key].level, side, beside)
                )
    return tuple(found)


def _rows(scores: tuple[FloatArray, ...]) -> FloatArray:
    """Returns ``(references, slices)``, NaN where a reference has fewer."""
    rows = np.full((len(scores), max(map(len, scores))), np.nan, np.float32)
    for row, own in zip(rows, scores, strict=True):
        row[: len(own)] = own
    return rows


def _regions(
    regions: Iterable[AtlasRegion],
    labels: npt.NDArray[np.int32],
    found: AtlasExamination,
    references: AtlasReferences,
) -> tuple[Region, ...]:
    counts = found.volume.anatomy.grid.scan_counts(labels)  # of all at once: it reads the whole scan
    return tuple(_region(each, found, labels, references, int(counts[each.number])) for each in regions)


def _region(
    region: AtlasRegion,
    found: AtlasExamination,
    labels: npt.NDArray[np.int32],
    references: AtlasReferences,
    n_voxels: int,
) -> Region:
    inside = labels == region.number
    return Region(
        number=region.number,
        slices=region.slices,
        n_voxels=n_voxels,
        volume_mm3=region.volume_mm3,
        area_mm2=None,
        extent_mm=_scan_order(region.extent_mm, found),
        peak=region.peak,
        mean=float(found.fused[inside].mean()),
        p_value=conformal_p(region.peak, references.normal.calibration.peaks),
        peak_index=region.peak_index,
        centroid_index=region.centroid_index,
        centroid_mm=region.centroid_mm,
        meaning=_meaning(region, references.plan),
        direction=region.side,
        channel=region.channel,
        amount=region.amount,
        unit=region.unit,
        spreads=region.spreads,
    )


def _meaning(region: AtlasRegion, plan: Plan) -> str:
    """Says by how much a region is higher or lower, and which channel it stands out in most."""
    side = plan.sides[0] if region.amount >= 0 else plan.sides[1]
    spreads = f"{abs(region.spreads):.1f} times their spread"
    amount = f"{abs(region.amount):.0f} {region.unit} ({spreads})" if region.unit else spreads
    told = f"{side} than the references by {amount}"
    return told if region.channel == plan.value.name else f"{told}; most of all {region.meaning}"


def _scan_order(lengths: tuple[float, float, float], found: AtlasExamination) -> tuple[float, float, float]:
    """Returns lengths along the axes of the working grid along those of the scan."""
    permutation = found.volume.anatomy.grid.orientation.permutation
    ordered = [0.0, 0.0, 0.0]
    for axis, length in zip(permutation, lengths, strict=True):
        ordered[axis] = length
    return ordered[0], ordered[1], ordered[2]

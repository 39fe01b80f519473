"""How a part of a head is placed among references, and what is doubtful about these."""

from __future__ import annotations

from collections.abc import Sequence

from napari_d24fad.detection.atlas.fitting import Fit, fit_to, fits_other_side
from napari_d24fad.detection.atlas.measured import MeasuredScan, key_of, placed_by
from napari_d24fad.detection.atlas.plan import Plan
from napari_d24fad.detection.channels.table import total
from napari_d24fad.detection.channels.volume import Direction
from napari_d24fad.errors import Code
from napari_d24fad.progress import CancelToken
from napari_d24fad.studies.scan import Problem


def placed_references(
    scans: Sequence[MeasuredScan], plan: Plan, direction: Direction, cancel: CancelToken
) -> list[MeasuredScan]:
    """Places those of which only a part is seen where they fit the others, if there are enough of these."""
    whole = [scan for scan in scans if not scan.volume.place.partial]
    rest = [scan for scan in scans if scan.volume.place.partial and not scan.is_placed]
    if len(whole) < 2 or not rest:
        return list(scans)
    fit = fit_among(whole, plan, direction)
    return [placed_by(scan, fit, plan, direction, cancel) for scan in scans]


def placed_among(
    scan: MeasuredScan,
    references: Sequence[MeasuredScan],
    plan: Plan,
    direction: Direction,
    cancel: CancelToken,
) -> MeasuredScan:
    """Returns a scan at the place at which it is compared.

    Args:
        scan: One of the references, the query or another.
        references: As `measure_scan` returns them.
        plan: How they were measured.
        direction: In which they were measured.
        cancel: Asked between steps.
    """
    if scan.is_placed or not scan.volume.place.partial:
        return scan
    placed = placed_references(references, plan, direction, cancel)
    for reference, there in zip(references, placed, strict=True):
        if reference is scan:
            return there
    return placed_by(scan, fit_among(placed, plan, direction), plan, direction, cancel)


def fit_among(scans: Sequence[MeasuredScan], plan: Plan, direction: Direction) -> Fit:
    """Returns how a part of a head is placed: where its values fit the references best."""
    sign = direction.signs[0]
    key = key_of(plan.value, sign)
    return fit_to(total([scan.sums[key] for scan in scans]), plan.value, plan, sign)


def doubts_about(scans: Sequence[MeasuredScan], plan: Plan, direction: Direction) -> tuple[Problem, ...]:
    """Returns what the reader must know: masks that failed, and sides that seem exchanged."""
    found = [
        problem for scan in scans for problem in scan.volume.anatomy.problems + scan.volume.place.problems
    ]
    sign = direction.signs[0]
    key = key_of(plan.value, sign)
    own = [scan.sums[key] for scan in scans]
    together = total(own)
    for number, (scan, mine) in enumerate(zip(scans, own, strict=True), start=1):
        volume, quantity = scan.volume.signed(sign), scan.quantities[key]
        if fits_other_side(volume, quantity, together - mine, plan.value, plan):
            found.append(Problem(Code.MIRRORED_REFERENCE, f"It is reference {number}."))
    return tuple(dict.fromkeys(found))

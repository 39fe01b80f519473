"""Whether the volumes that any reader makes of a case are the ones that are in its files."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from napari_d24fad.errors import Code
from tests.studies import phantom
from tests.studies.corpus.case import Case, Refused, Volume
from tests.studies.corpus.check import corners
from tests.studies.corpus.readers import Read

_MILLIMETRES = 0.1  # between two corners; gaps that differ by rounding are off by less
_INTERPOLATED = 1.5  # allowed for values computed between two that were rounded


def comparable(case: Case) -> bool:
    """Whether a case has grey volumes, or what must not be taken for one."""
    if not case.compared or any(one.values is not None for one in case.truth):
        return False
    return bool(case.truth) or any(isinstance(one, Refused) for one in case.expected)


def judge(case: Case, found: Sequence[Read]) -> str:
    """Returns ``"right"``, ``"a guess"``, or in what the volumes are wrong.

    A volume is right if its corners lie where the scanned ones do and every voxel holds what the
    phantom has at its place. What else a reader returns is wrong, unless it is colour. Where the
    case refuses without knowing the volume, the phantom decides alone.
    """
    if not case.truth:
        faults = [fault(values, affine, None) for values, affine in found if values.ndim == 3]
        return next((fault for fault in faults if fault), "a guess" if case.guess else "right")
    missing = list(case.truth)
    wrong = []
    for values, affine in found:
        if values.ndim != 3:
            continue
        hit = next((one for one in missing if not fault(values, affine, one)), None)
        if hit is None:
            wrong.append(fault(values, affine, missing[0]) if missing else "a volume too many")
        else:
            missing.remove(hit)
    if wrong:
        return wrong[0]
    if missing:
        return f"{len(case.truth) - len(missing)} of {len(case.truth)} volumes"
    return "right"


def fault(values: np.ndarray, affine: np.ndarray, expected: Volume | None) -> str:
    """Says what is wrong with a volume; empty if nothing is."""
    if not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) < 1e-9:
        return "no invertible affine"
    world = affine[:3, :3] @ np.indices(values.shape).reshape(3, -1) + affine[:3, 3:]
    off = np.abs(values.reshape(-1) - phantom.world_value(world))
    if expected is None:
        return f"values up to {_short(off.max())} off" if off.max() > _INTERPOLATED else ""
    scanned = np.linalg.solve(expected.affine[:3, :3], world - expected.affine[:3, 3:])
    ends = np.array(expected.grid)[:, np.newaxis] - 1
    inside = ((scanned > -1e-3) & (scanned < ends + 1e-3)).all(axis=0)
    if not expected.slanted and Code.RESAMPLED not in expected.problems:
        if np.prod(values.shape) != np.prod(expected.grid):
            return f"{' x '.join(map(str, values.shape))} voxels for {' x '.join(map(str, expected.grid))}"
        apart = np.abs(corners(affine, values.shape) - corners(expected.affine, expected.grid)).max()
        if apart > _MILLIMETRES:
            return f"corners up to {_short(apart)} mm off"
        inside[:] = True
    if expected.padding and np.nanmax(off) > 1000:
        return "padding taken for values"
    worst = off[inside].max() if inside.any() else np.inf
    return f"values up to {_short(worst)} off" if worst > max(_INTERPOLATED, expected.tolerance) else ""


def _short(number: float) -> str:
    return f"{number:.3g}" if number < 1000 else f"{number:.0f}"

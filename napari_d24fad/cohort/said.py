"""What a cohort as a whole tells, in sentences: false discoveries, what limits them, and drift."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from napari_d24fad.cohort.row import Row
from napari_d24fad.cohort.table import Ranked
from napari_d24fad.metrics.drift import DRAWS, LEAST, Drift, drift_along, groups_differ
from napari_d24fad.metrics.false_discovery import reach

RATES = (0.05, 0.1, 0.2)
"""False discovery rates that are told of."""


def statements(ranked: Sequence[Ranked]) -> list[str]:
    """Says what the cohort as a whole tells, and what it cannot tell."""
    examined = [each.row for each in ranked if each.row.is_examined]
    said = [f"{len(examined)} of {len(ranked)} cases were examined."]
    floors = sorted({row.p_floor for row in examined if math.isfinite(row.p_floor)})
    if floors:
        said += _rates([row.p_value for row in examined], floors[-1], [each.q_value for each in ranked])
    return said + _drift(examined)


def _rates(p_values: Sequence[float], floor: float, q_values: Sequence[float]) -> list[str]:
    told = reach(p_values, floor)
    rates = np.array(q_values, np.float64)
    flagged = [f"{np.count_nonzero(rates <= rate)} at {100 * rate:.0f} %" for rate in RATES]
    lowest = np.nanmin(rates)
    count, enough = round(1 / floor) - 1, told.references_for(0.1)
    said = [
        f"{told.at_floor} score higher than all {count} references; of as many normal scans about "
        f"{floor * told.scans:.0f} would.",
        f"False discovery rate (Benjamini-Hochberg): flagged are {', '.join(flagged)}.",
        f"With {count} references no p-value is below {floor:.3g}. So a rate below {floor:.3g} could not be "
        f"reached even if all scored higher than the references; here the lowest is {lowest:.3g}.",
    ]
    if told.at_floor and lowest > 0.1:
        said.append(f"For 10 % it takes {enough} references, if as many scans score higher than all of them.")
    caution = (
        "The rate holds if the references are a fair sample of normal scans. Where all scans differ from "
        "them, as those of another scanner may, all look unusual."
    )
    return [*said, caution]


def _drift(rows: Sequence[Row]) -> list[str]:
    tests: list[tuple[str, float]] = []
    dated = [row for row in rows if row.month is not None and math.isfinite(row.score)]
    found = drift_along([row.score for row in dated], [row.month or 0 for row in dated])
    if found is not None:
        tests += [(_trend_words(found), found.trend_p), (_step_words(found), found.step_p)]
    named = [row for row in rows if row.scanner and math.isfinite(row.score)]
    scanners = sorted({row.scanner for row in named}, key=int)
    if len(scanners) > 1 and len(named) >= LEAST:
        groups = np.array([scanners.index(row.scanner) for row in named])
        p_value = groups_differ([row.score for row in named], groups)
        tests.append((f"Scores of {len(scanners)} scanners, by rank", p_value))
    if not tests:
        return ["Drift: too few cases state a month or a scanner to tell."]
    said = [f"{words}: p {min(1.0, p_value * len(tests)):.3g}." for words, p_value in tests]
    how = f"Drift: {len(tests)} tests by {DRAWS} permutations each, p-values multiplied by their number."
    return [
        how,
        *said,
        "More diseased scans, or others of another kind, look the same as a scanner that drifts.",
    ]


def _trend_words(found: Drift) -> str:
    return (
        f"Trend over {found.periods} months with {found.scans} scans: rank correlation of score and time "
        f"{found.trend:+.2f}"
    )


def _step_words(found: Drift) -> str:
    return f"Largest change of level, from month {found.step_at:.0f} on: median score {found.step:+.3g}"

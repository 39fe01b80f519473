"""Findings in a radiologist's words, which say no more than a few references can tell."""

from __future__ import annotations

import math

from napari_d24fad.detection.result import AnomalyMap
from napari_d24fad.errors import Code
from napari_d24fad.findings.finding import Finding
from napari_d24fad.findings.measurements import Ellipse, Measurement, Ruler
from napari_d24fad.studies.lengths import area_text, lengths_text, size_text
from napari_d24fad.studies.scan import Scan

LIKE_THE_REFERENCES = "no more unusual than the references are among themselves"
"""What ``p = 1`` means. Nothing here says that a scan is normal: eight references cannot tell that."""

_UNLIKE = {
    Code.SPACING_MISMATCH,
    Code.BODY_PART_MISMATCH,
    Code.AGENT_MISMATCH,
    Code.SAME_PATIENT,
    Code.MODALITY_UNSTATED,
    Code.POSITION_UNSTATED,
    Code.ALIKE_REFERENCES,
    Code.ALIKE_QUERY,
    Code.MIRRORED_REFERENCE,
    Code.CONTRAST_DIFFERS,
    Code.NOT_ALIGNED,
    Code.NOT_PLACED,
    Code.PART_OF_ANATOMY,
    Code.BY_LEVEL,
}
"""Warnings that references and scan may not be alike in more than what is looked for."""

_SIDES = {"right": "right", "left": "left", "middle": "near the midline"}


def rank_words(p_value: float, count: int) -> str:
    """Says how many normal scans show only smaller values.

    Args:
        p_value: Conformal, (1 + references at or above it) / (count + 1); NaN where there is none.
        count: The normal scans.
    """
    if not math.isfinite(p_value) or count < 1:
        return "not compared with normal scans"
    reached = round(p_value * (count + 1)) - 1
    if reached <= 0:
        return f"larger than in {'both' if count == 2 else f'all {count}'} normal scans"
    if reached >= count:
        return LIKE_THE_REFERENCES
    return f"larger than in {count - reached} of the {count} normal scans"


def score_words(finding: Finding, anomaly: AnomalyMap) -> str:
    """Says how unusual the highest map value of a finding is."""
    if not math.isfinite(finding.region.peak):
        return "marked by hand where nothing was examined"
    return rank_words(finding.region.p_value, _count(anomaly))


def scan_words(anomaly: AnomalyMap) -> str:
    """Says how unusual a scan is as a whole, by its score."""
    return rank_words(anomaly.p_value, len(anomaly.reference_scores))


def limits(anomaly: AnomalyMap) -> tuple[str, ...]:
    """Says what limits every statement of a result: few references, or references unlike the scan."""
    count = len(anomaly.reference_scores)
    said = []
    if math.isfinite(anomaly.p_floor):
        normal = f"{count} normal scans"
        said.append(
            f"{normal[0].upper()}{normal[1:]} can show no p-value below {anomaly.p_floor:.2g}, "
            f"1 in {count + 1}, however unusual a place is."
        )
    said += [check.reason for check in anomaly.reference_checks if check.flagged]
    told = (problem for problem in anomaly.warnings if problem.code in _UNLIKE)
    return (*said, *(str(problem).partition(": ")[2] for problem in told))


def size_words(finding: Finding) -> str:
    """Writes the size of a finding: its diameters in the slice that shows it best, and its volume or area."""
    region = finding.region
    size = size_text(region.volume_mm3, region.area_mm2, region.n_voxels)
    if finding.diameters_mm is None:
        if region.extent_mm is None:
            return size
        return f"{lengths_text(region.extent_mm, between=' × ')}, {size}"
    return f"{lengths_text(finding.diameters_mm, between=' × ')}, {size}"


def side_words(finding: Finding) -> str:
    """Names the side of the patient; empty where it is not known."""
    return _SIDES.get(finding.side, "")


def p_words(p_value: float) -> str:
    """Writes a p-value with the digits that a few references give; empty where there is none."""
    return f"p = {p_value:.2g}" if math.isfinite(p_value) else ""


def measurement_words(measurement: Measurement, scan: Scan) -> str:
    """Writes what was measured, such as ``"12.3 mm"`` or ``"mean 41 HU, SD 7.2 HU, 120 mm²"``.

    Args:
        measurement: A ruler or an ellipse.
        scan: The scan, or its outline.
    """
    if isinstance(measurement, Ruler):
        if measurement.length_mm is None:
            return f"{measurement.length_voxels:.1f} pixels"
        return lengths_text([measurement.length_mm], finest=min(scan.spacing))
    return _ellipse_words(measurement)


def _ellipse_words(ellipse: Ellipse) -> str:
    unit = f" {ellipse.unit}" if ellipse.unit else ""
    size = f"{ellipse.n_voxels} pixels" if ellipse.area_mm2 is None else area_text(ellipse.area_mm2)
    return f"mean {ellipse.mean:.4g}{unit}, SD {ellipse.deviation:.3g}{unit}, {size}"


def _count(anomaly: AnomalyMap) -> int:
    known = anomaly.calibration
    return len(anomaly.reference_scores) if known is None else len(known.peaks)

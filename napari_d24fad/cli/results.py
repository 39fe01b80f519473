"""What ``d24fad detect`` prints of its results."""

from __future__ import annotations

from typing import Any

from napari_d24fad.export.notice import NOTICE
from napari_d24fad.studies.lengths import size_text

_LISTED_SLICES = 5
_LISTED_REGIONS = 3


def summary(report: dict[str, Any]) -> str:
    """Returns what a user reads first of each result.

    Args:
        report: As it was written.
    """
    lines = []
    for result in report["results"]:
        lines += [*_result_lines(result), ""]
    files = [name for result in report["results"] for name in result["files"]]
    return "\n".join([*lines, f"Written: {', '.join([*files, 'report.json'])}", NOTICE])


def _result_lines(result: dict[str, Any]) -> list[str]:
    files = result["files"]
    # A score can be missing, as null; the lowest and highest are of those there are.
    normal = sorted(each["score"] for each in result["references"] if each["score"] is not None)
    among = f"{_rounded(normal[0])} to {_rounded(normal[-1])}" if normal else "-"
    lines = [
        f"{result['query']['label']} ({files[0]})",
        f"  score {_rounded(result['score'])}, references {among} among themselves",
    ]
    if result["p_value"] is not None:
        floor = f"{len(result['references'])} references can show no less than {_rounded(result['p_floor'])}"
        lines.append(f"  p-value {_rounded(result['p_value'])} ({floor})")
    if result["examined_region"]["text"] is not None:
        lines.append(f"  {result['examined_region']['text']}")
    if result["above_one_region"] is not None:
        share = f"{result['above_one_region']:.1%} of what was examined"
        lines.append(f"  above the level of one false region: {share}")
    if len(result["slice_scores"]) > 1:
        listed = ", ".join(_slice(each) for each in result["most_suspicious"][:_LISTED_SLICES])
        lines.append(f"  most suspicious of {len(result['slice_scores'])} slices: {listed}")
    lines += [_region_line(region) for region in result["regions"][:_LISTED_REGIONS]]
    for each in result["beside"]:
        lines.append(f"  {each['plan']}: p-value {_rounded(each['p_value'])}")
        lines += [_region_line(region) for region in each["regions"][:_LISTED_REGIONS]]
    if result["examples"]["text"] is not None:
        lines.append(f"  {result['examples']['text']}")
    lines += [f"  check: {each['reason']}" for each in result["references"] if each["flagged"]]
    lines += [f"  note: {problem['text']}" for problem in result["query"]["problems"]]
    return lines + [f"  warning: {warning['text']}" for warning in result["warnings"]]


def _slice(suspicious: dict[str, Any]) -> str:
    return f"{suspicious['number']} ({_rounded(suspicious['score'])})"


def _region_line(region: dict[str, Any]) -> str:
    first, last = sorted(region["slices"])
    size = size_text(region["volume_mm3"], region["area_mm2"], region["n_voxels"])
    where = f"slice {first}" if first == last else f"slices {first} to {last}"
    meaning = f", {region['meaning']}" if region["meaning"] else ""
    return f"  region {region['number']}: {where}, {size}, peak {_rounded(region['peak'])}{meaning}"


def _rounded(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"

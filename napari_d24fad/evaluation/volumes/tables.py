"""Tables of a report in Markdown, as the documents and the command line show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_FOUND = {
    "scan AUROC": "scan",
    "slice AUROC": "slice",
    "top slice holds lesion": "top slice",
    "slice by chance": "by chance",
    "voxel AUROC": "voxel",
    "voxel AP": "AP",
}
_PLACED = {
    "highest point in lesion": "highest point",
    "top region in lesion": "top region",
    "scan sensitivity at 1": "at 1",
    "scan sensitivity at 0.25": "at 1/4",
    "scan sensitivity, mean": "mean",
    "lesion sensitivity at 1": "lesions at 1",
    "scan, by region sensitivity at 1": "regions at 1",
    "median Dice at own level": "Dice",
}
_TOLD = {
    "regions per normal scan": "regions",
    "normal scans without region": "none",
    "most regions of a normal scan": "most",
    "coloured outside anatomy": "outside",
    "lesion inside anatomy": "lesion inside",
    "mean p of normal scans": "mean p",
    "normal scans at smallest p": "smallest p",
    "refused": "refused",
    "seconds per scan": "s a scan",
    "CPU seconds per scan": "CPU s",
}
_ORGAN = {"voxel AUROC in organ": "voxel, organ", "voxel AP in organ": "AP, organ"}
_KINDS = {
    "lesions": "n",
    "sensitivity at 1": "at 1",
    "sensitivity at 0.25": "at 1/4",
    "sensitivity, mean": "mean",
    "sensitivity, by region at 1": "regions at 1",
    "voxel AUROC": "voxel",
    "scan AUROC": "scan",
    "score rises": "score rises",
}


def markdown(report: Mapping[str, Any]) -> str:
    """Returns the tables of a report of `save_volumes`.

    Means over the draws; where rounded draws differ, the lowest and the highest follow.
    """
    lines: list[str] = []
    for each in report["sets"]:
        examined = each["examined_in_first_draw"]
        lines += [
            f"## {each['set']}",
            "",
            f"{each['normal']} normal, {each['abnormal']} abnormal; examined in the first draw: "
            f"{examined['without lesion']} scans without and {examined['with lesion']} with a lesion.",
            "",
        ]
        for shots in report["shots"]:
            methods = [method for method in each["methods"] if method["shots"] == shots]
            lines += [f"{shots} references", "", *_set_tables(methods, _statistic(each, shots))]
    return "\n".join(lines)


def _set_tables(methods: Sequence[Mapping[str, Any]], statistic: str) -> list[str]:
    organ = _ORGAN if "voxel AUROC in organ" in methods[0]["figures"] else {}
    ranked = {**_FOUND, **organ}
    found = [[method["method"], *_cells(method["figures"], ranked)] for method in methods]
    if statistic:
        found.append(["single statistic", statistic, *[""] * (len(ranked) - 1)])
    lines = [*table(["method", *ranked.values()], found), ""]
    for columns in (_PLACED, _TOLD):
        rows = [[method["method"], *_cells(method["figures"], columns)] for method in methods]
        lines += [*table(["method", *columns.values()], rows), ""]
    rows = [
        [method["method"], group["kind"], group["size"] or "all", *_cells(group["figures"], _KINDS)]
        for method in methods
        for group in method.get("implanted", ())
    ]
    return [*lines, *table(["method", "kind", "size", *_KINDS.values()], rows), ""] if rows else lines


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Returns the lines of a table."""
    return [
        "| " + " | ".join(head) + " |",
        "|" + "---|" * len(head),
        *("| " + " | ".join(row) + " |" for row in rows),
    ]


def _cells(figures: Mapping[str, Any], chosen: Mapping[str, str]) -> list[str]:
    return [_cell(figures.get(name), name.startswith("voxel AP")) for name in chosen]


def _cell(figure: Mapping[str, Any] | None, fine: bool = False) -> str:
    """Mean, lowest and highest; ``fine`` with a third decimal, as average precision is small."""
    if figure is None or figure["mean"] is None:
        return "-"
    known = [value for value in figure["draws"] if value is not None]
    mean, low, high = figure["mean"], min(known), max(known)
    if mean >= 9.95:
        return f"{mean:.0f}"
    digits = 3 if fine else 2
    first, least, most = (_short(value, digits) for value in (mean, low, high))
    return first if least == most else f"{first} [{least}-{most}]"


def _short(value: float, digits: int = 2) -> str:
    return f"{value:.{digits}f}".removeprefix("0") if 0 <= value < 1 else f"{value:.{digits}f}"


def _statistic(each: Mapping[str, Any], shots: int) -> str:
    """The mean AUROC of the best single statistic, and its name in the first draw."""
    for found in each["single_statistic"]:
        if found["shots"] == shots and found["draws"]:
            areas = [draw["scan AUROC"] for draw in found["draws"]]
            names = dict.fromkeys(draw["name"] for draw in found["draws"])
            return f"{_short(sum(areas) / len(areas))} ({', '.join(names)})"
    return ""

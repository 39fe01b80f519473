"""``d24fad inspect``: which series are here, and what is wrong with them."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from napari_d24fad.cli.arguments import Parser, add_identity, add_json
from napari_d24fad.cli.console import plain, progress_bar, table
from napari_d24fad.cli.sources import row_label
from napari_d24fad.export.report import as_json, coded
from napari_d24fad.studies.series import Series
from napari_d24fad.studies.study import open_study
from napari_d24fad.studies.volumes import Member

_MOST_LISTED, _MOST_NAMED = 100, 8

SCHEMA = "d24fad-inspect/1"


def add_options(command: Parser) -> None:
    """Adds the options of ``inspect``."""
    command.add_argument("path", metavar="PATH", type=Path, help="DICOM folder or file, NIfTI file or image")
    add_identity(command)
    add_json(command)


def run(arguments: Namespace) -> None:
    """Prints the series of a location, numbered as ``detect --series`` and ``--volume`` take them.

    Raises:
        StudyError: See `open_study`.
    """
    with progress_bar() as progress:
        study = open_study(arguments.path, show_identity=arguments.show_identity, progress=progress)
    if arguments.json:
        series = [_described(number, row) for number, row in enumerate(study.rows, start=1)]
        print(as_json({"schema": SCHEMA, "series": series, "problems": coded(study.problems)}))
        return
    rows = [
        [str(number), row_label(row), plain(row[0].identity.description), _files(row), _worries(row)]
        for number, row in enumerate(study.rows, start=1)
    ]
    print(table(["No.", "Series", "Description", "Files", "Problems"], rows))
    for number, row in enumerate(study.rows, start=1):
        if len(row) > 1:
            print(f"Series {number}: {_listed(row)}")
    for problem in study.problems:
        print(problem)


def _described(number: int, row: Sequence[Series]) -> dict[str, Any]:
    series = row[0]
    return {
        "number": number,
        "label": row_label(row),
        "volumes": [_volume(each.member, each) for each in row if each.member],
        "description": series.identity.description,
        "kind": series.kind,
        "modality": series.modality or None,
        "photometric": series.photometric.value,
        "plane": series.plane.value if series.plane else None,
        "grid": list(series.grid),
        "spacing_mm": list(series.spacing) if series.spacing else None,
        "files": int(_files(row)),
        "problems": coded(series.problems),
        "refusal": {"code": series.refusal.code.code, "text": str(series.refusal)}
        if series.refusal
        else None,
        "resampled": series.remedy.label if series.remedy else None,
    }


def _listed(row: Sequence[Series]) -> str:
    names = [series.member.shown for series in row[:_MOST_LISTED] if series.member]
    more = f"; {len(row) - _MOST_LISTED} more" if len(row) > _MOST_LISTED else ""
    return f"{'; '.join(names)}{more}"


def _volume(member: Member, series: Series) -> dict[str, Any]:
    refused = str(series.refusal) if series.refusal else None
    return {"number": member.number, "name": member.name, "refusal": refused}


def _files(row: Sequence[Series]) -> str:
    """Returns the number of files; the volumes of one file share it."""
    return str(len({file for each in row for file in each.files}) or row[0].n_files)


def _worries(row: Sequence[Series]) -> str:
    worries = list(dict.fromkeys(str(problem) for series in row for problem in series.problems))
    refused: dict[str, list[Series]] = {}
    for series in row:
        if series.refusal:
            otherwise = " (or choose --resample)" if series.remedy else ""
            refused.setdefault(f"cannot be loaded, {series.refusal}{otherwise}", []).append(series)
    told = [f"{_which(volumes, row)}{text}" for text, volumes in refused.items()]
    return "; ".join([*told, *worries]) or "-"


def _which(refused: Sequence[Series], row: Sequence[Series]) -> str:
    """Names the volumes that are refused for one reason, unless all are."""
    if len(refused) == len(row):
        return ""
    numbers = [str(series.member.number) for series in refused if series.member]
    more = f" and {len(numbers) - _MOST_NAMED} more" if len(numbers) > _MOST_NAMED else ""
    return f"volume{'s' if len(numbers) > 1 else ''} {', '.join(numbers[:_MOST_NAMED])}{more} "

"""``d24fad inspect``: which series are here, and what is wrong with them."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

from napari_d24fad.cli.arguments import Parser, add_identity, add_json
from napari_d24fad.cli.console import plain, progress_bar, table
from napari_d24fad.export.report import as_json, coded
from napari_d24fad.studies.series import Series
from napari_d24fad.studies.study import open_study

SCHEMA = "d24fad-inspect/1"


def add_options(command: Parser) -> None:
    """Adds the options of ``inspect``."""
    command.add_argument("path", metavar="PATH", type=Path, help="DICOM folder or file, NIfTI file or image")
    add_identity(command)
    add_json(command)


def run(arguments: Namespace) -> None:
    """Prints the series of a location, numbered as ``detect --series`` takes them.

    Raises:
        StudyError: See `open_study`.
    """
    with progress_bar() as progress:
        study = open_study(arguments.path, show_identity=arguments.show_identity, progress=progress)
    if arguments.json:
        series = [_described(number, each) for number, each in enumerate(study.series, start=1)]
        print(as_json({"schema": SCHEMA, "series": series, "problems": coded(study.problems)}))
        return
    rows = [
        [str(number), each.label, plain(each.identity.description), str(each.n_files), _worries(each)]
        for number, each in enumerate(study.series, start=1)
    ]
    print(table(["No.", "Series", "Description", "Files", "Problems"], rows))
    for problem in study.problems:
        print(problem)


def _described(number: int, series: Series) -> dict[str, Any]:
    return {
        "number": number,
        "label": series.label,
        "description": series.identity.description,
        "kind": series.kind,
        "modality": series.modality or None,
        "photometric": series.photometric.value,
        "plane": series.plane.value if series.plane else None,
        "grid": list(series.grid),
        "spacing_mm": list(series.spacing) if series.spacing else None,
        "files": series.n_files,
        "problems": coded(series.problems),
        "refusal": {"code": series.refusal.code.code, "text": str(series.refusal)}
        if series.refusal
        else None,
        "resampled": series.remedy.label if series.remedy else None,
    }


def _worries(series: Series) -> str:
    worries = [str(problem) for problem in series.problems]
    if series.refusal:
        otherwise = " (or choose --resample)" if series.remedy else ""
        worries.insert(0, f"cannot be loaded, {series.refusal}{otherwise}")
    return "; ".join(worries) or "-"

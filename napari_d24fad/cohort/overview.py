"""The overview of a cohort: pages that need nothing else and run nothing, the most unusual scan first."""

from __future__ import annotations

import base64
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

import numpy as np

from napari_d24fad.atomic import atomic_file
from napari_d24fad.cohort.place import THUMBNAIL_NAME, CohortPlace
from napari_d24fad.cohort.row import Row
from napari_d24fad.cohort.table import Ranked
from napari_d24fad.errors import Code
from napari_d24fad.export.notice import NOTICE
from napari_d24fad.studies.lengths import size_text
from napari_d24fad.version import __version__

ROWS_OF_PAGE, MOST_PAGES = 500, 20
_SIZES, _MONTHS = 3, 36
_MEANINGS = {code.code: code.meaning for code in Code}


@dataclass(frozen=True, slots=True)
class Line:
    """A row in words, as a line of the overview."""

    rank: int
    case: str
    label: str
    score: str
    p_value: str
    q_value: str
    regions: str
    warnings: tuple[tuple[str, str], ...]
    refused: str
    thumbnail: str


@dataclass(frozen=True, slots=True)
class Group:
    """Scans of a scanner or of a month, and how high they score."""

    name: str
    scans: int
    median: str
    at_floor: str


def save_overview(place: CohortPlace, rows: Sequence[Ranked], said: Sequence[str]) -> int:
    """Writes ``overview.html``, and further pages where there are many rows.

    Args:
        place: The cohort.
        rows: In the order of the table.
        said: What the cohort as a whole tells, see `statements`.

    Returns:
        How many pages there are.

    Raises:
        ExportError: ``CANNOT_WRITE``.
    """
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    text = resources.files(__package__).joinpath("overview.html").read_text(encoding="utf-8")
    template = environment.from_string(text)
    count = max(1, min(MOST_PAGES, math.ceil(len(rows) / ROWS_OF_PAGE)))
    names = [_page_name(number) for number in range(1, count + 1)]
    scanners, months = _scanners([each.row for each in rows]), _months([each.row for each in rows])
    codes = Counter(each.row.code for each in rows if each.row.code)
    for number, name in enumerate(names, start=1):
        part = rows[(number - 1) * ROWS_OF_PAGE : number * ROWS_OF_PAGE]
        page = template.render(
            notice=NOTICE,
            version=__version__,
            page=number,
            pages=names,
            count=len(rows),
            left_out=max(0, len(rows) - count * ROWS_OF_PAGE),
            said=said,
            refused=[(code, cases, _MEANINGS.get(code, "")) for code, cases in sorted(codes.items())],
            scanners=scanners,
            months=months,
            lines=[_line(place, each) for each in part],
        )
        with atomic_file(place.folder / name) as staged:
            staged.write_text(page, encoding="utf-8")
    return count


def _scanners(rows: Sequence[Row]) -> list[Group]:
    names = sorted({row.scanner for row in rows if row.scanner}, key=int)
    return [
        _group(_scanner_name(name, rows), [row for row in rows if row.scanner == name])
        for name in names[:_MONTHS]
    ]


def _scanner_name(name: str, rows: Sequence[Row]) -> str:
    stated = next((row.station for row in rows if row.scanner == name and row.station), "")
    return f"scanner {name}{f' ({stated})' if stated else ''}"


def _months(rows: Sequence[Row]) -> list[Group]:
    months = sorted({row.month for row in rows if row.month is not None})
    return [
        _group(f"month {month}", [row for row in rows if row.month == month]) for month in months[-_MONTHS:]
    ]


def _group(name: str, rows: Sequence[Row]) -> Group:
    scores = [row.score for row in rows if math.isfinite(row.score)]
    high = sum(row.p_value <= row.p_floor * (1 + 1e-9) for row in rows if row.is_examined)
    return Group(name, len(rows), _rounded(float(np.median(scores)) if scores else math.nan), str(high))


def _line(place: CohortPlace, each: Ranked) -> Line:
    row = each.row
    sizes = [_size(size, row.size_unit) for size in row.sizes[:_SIZES]]
    more = f" and {row.regions - _SIZES} more" if row.regions > _SIZES else ""
    return Line(
        rank=each.rank,
        case=row.case,
        label=row.label,
        score=_rounded(row.score),
        p_value=_rounded(row.p_value),
        q_value=_rounded(each.q_value),
        regions=", ".join(sizes) + more,
        warnings=tuple((code, _MEANINGS.get(code, "")) for code in row.warnings),
        refused=row.text,
        thumbnail=_thumbnail(place, row.case) if row.is_examined else "",
    )


def _size(size: float, unit: str) -> str:
    return size_text(
        size if unit == "mm3" else None, size if unit == "mm2" else None, int(size) if unit == "pixels" else 0
    )


def _thumbnail(place: CohortPlace, case: str) -> str:
    try:
        return base64.b64encode((place.case(case) / THUMBNAIL_NAME).read_bytes()).decode("ascii")
    except OSError:  # none: its pixels may show a name
        return ""


def _rounded(value: float) -> str:
    return f"{value:#.3g}".rstrip(".") if math.isfinite(value) else "-"


def _page_name(number: int) -> str:
    return "overview.html" if number == 1 else f"overview-{number}.html"

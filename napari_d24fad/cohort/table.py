"""The table of a cohort: one row per case, the most unusual first, as Parquet and as CSV."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_d24fad.atomic import atomic_file
from napari_d24fad.cohort.row import Row
from napari_d24fad.errors import ArgumentError, Code, CohortError, SessionError
from napari_d24fad.export.notice import NOTICE
from napari_d24fad.metrics.false_discovery import q_values

if TYPE_CHECKING:
    import pyarrow as pa

PARQUET_NAME, CSV_NAME = "cohort.parquet", "cohort.csv"
_IDENTITY = ("place", "acquired", "station")
_SHORTEST = 4


@dataclass(frozen=True, slots=True)
class Ranked:
    """A row with what only the whole cohort tells.

    Attributes:
        rank: Its place in the table, from 1: by score, those without a result last.
        row: The row; its month counts from the first of the cohort, its scanner is a number.
        q_value: See `q_values`.
    """

    rank: int
    row: Row
    q_value: float


def ranked(rows: Iterable[Row]) -> list[Ranked]:
    """Ranks rows, and puts in place of months and scanners what tells nothing but their order."""
    listed = sorted(rows, key=lambda row: (not row.is_examined, -_known(row.score), row.number))
    found = q_values([row.p_value for row in listed])
    first = min((row.month for row in listed if row.month is not None), default=0)
    scanners = _by_size([row.scanner for row in listed if row.scanner])
    return [
        Ranked(
            rank,
            replace(
                row,
                month=None if row.month is None else row.month - first,
                scanner=scanners.get(row.scanner, ""),
            ),
            float(q_value),
        )
        for rank, (row, q_value) in enumerate(zip(listed, found, strict=True), start=1)
    ]


def save_table(folder: Path, rows: Sequence[Ranked]) -> None:
    """Writes ``cohort.parquet`` and ``cohort.csv``.

    Raises:
        CohortError: ``EXTRA_MISSING``.
        ExportError: ``CANNOT_WRITE``.
    """
    check_table_extra()
    from pyarrow import csv, parquet

    table = _table(rows)
    with atomic_file(folder / PARQUET_NAME) as staged:
        parquet.write_table(table, staged, compression="zstd")
    with atomic_file(folder / CSV_NAME) as staged:
        csv.write_csv(_flat(table), staged)


def check_table_extra() -> None:
    """Returns if a table can be written.

    Raises:
        CohortError: ``EXTRA_MISSING``.
    """
    try:
        import pyarrow  # noqa: F401 - only whether it is there
    except ImportError as error:
        raise CohortError(Code.EXTRA_MISSING, "It is pyarrow.") from error


def cases_of(folder: Path, names: Iterable[str]) -> list[str]:
    """Returns the hashes of cases of the table of a cohort, each once.

    Args:
        folder: Of the cohort.
        names: Their rows in the table, from 1, or the first letters of their hashes.

    Raises:
        ArgumentError: BAD_ARGUMENT if there is no such case, or several.
        SessionError: ``SESSION_BROKEN`` if there is no table.
        CohortError: ``EXTRA_MISSING``.
    """
    check_table_extra()
    from pyarrow import ArrowException, parquet

    try:
        table = parquet.read_table(folder / PARQUET_NAME, columns=["row", "case"])
        cases: list[str] = table["case"].to_pylist()
    except (OSError, ArrowException, KeyError):
        raise SessionError(Code.SESSION_BROKEN, "The cohort has no table yet.") from None
    return list(dict.fromkeys(_case(cases, name) for name in names))


def _case(cases: Sequence[str], name: str) -> str:
    if name.isascii() and name.isdigit() and 1 <= int(name) <= len(cases):
        return cases[int(name) - 1]
    found = [case for case in cases if case.startswith(name)] if len(name) >= _SHORTEST else []
    if len(found) != 1:
        raise ArgumentError(Code.BAD_ARGUMENT, f"The cohort has no such row; it has {len(cases)}.")
    return found[0]


def _table(rows: Sequence[Ranked]) -> pa.Table:
    import pyarrow as pa

    schema = _schema(named=any(each.row.place for each in rows))
    columns = {name: [_value(each, name) for each in rows] for name in schema.names}
    return pa.Table.from_pydict(columns, schema=schema)


def _schema(*, named: bool) -> pa.Schema:
    """Returns the columns; those that tell who it is only where that was asked for."""
    import pyarrow as pa

    text, number, whole = pa.string(), pa.float64(), pa.int64()
    columns: list[tuple[str, Any]] = [
        ("row", whole),
        ("case", text),
        ("code", text),
        ("score", number),
        ("p_value", number),
        ("q_value", number),
        ("p_floor", number),
        ("references", whole),
        ("regions", whole),
        ("sizes", pa.list_(number)),
        ("size_unit", text),
        ("above", number),
        ("label", text),
        ("modality", text),
        ("warnings", pa.list_(text)),
        ("text", text),
        ("seconds", number),
        ("month", whole),
        ("scanner", text),
        ("scoring", text),
        ("model", text),
        ("model_sha256", text),
        ("device", text),
        ("node", text),
        ("attempts", whole),
        ("version", text),
        ("torch", text),
        ("number", whole),
    ]
    columns += [(name, text) for name in _IDENTITY] if named else []
    return pa.schema(columns, metadata={"notice": NOTICE, "schema": "d24fad-cohort-table/1"})


def _flat(table: pa.Table) -> pa.Table:
    """Returns the table with lists as text, which CSV has."""
    import pyarrow as pa

    for at, field in enumerate(table.schema):
        if pa.types.is_list(field.type):
            joined = [" ".join(str(one) for one in each) for each in table[field.name].to_pylist()]
            table = table.set_column(at, field.name, pa.array(joined, pa.string()))
    return table


def _value(each: Ranked, name: str) -> Any:
    value = {"row": each.rank, "q_value": each.q_value}.get(name)
    if value is None:
        value = getattr(each.row, name)
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _known(score: float) -> float:
    return score if np.isfinite(score) else -np.inf


def _by_size(names: Sequence[str]) -> dict[str, str]:
    counts: dict[str, int] = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    ordered = sorted(counts, key=lambda name: (-counts[name], name))
    return {name: str(number) for number, name in enumerate(ordered, start=1)}

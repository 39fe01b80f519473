"""docs/formats/conformance.md: what this tool and others make of every case of the corpus."""

from __future__ import annotations

import importlib.metadata
import os
import re
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from napari_d24fad.errors import Code
from tests.studies.corpus import CASES
from tests.studies.corpus.case import Case, Picture, Refused, Volume
from tests.studies.corpus.judge import comparable, judge
from tests.studies.corpus.readers import READERS

_HEAD = """\
# Conformance

Each case is a study that `tests/studies/corpus` makes from scratch. Every voxel of it holds 2x + 3y + 5z of
its place in the patient (LPS, mm), so that a reader that puts voxels where they belong is told from one that
does not, whatever the format. `pytest tests/studies/test_corpus.py` checks the column *here*: all voxels, all
eight corners, every code ([errors.md](../errors.md)).

The other columns show what the same files become elsewhere, each with its usual call and without options:
`SimpleITK.ImageSeriesReader` (`ReadImage` for a single file), MONAI's `PydicomReader` and `NibabelReader`,
and `dcm2niix` (of a volume and its corrected copy, the copy). *refused* is an error, or no volume at all.
**Bold** is a volume that is wrong without an error: values or corners that are not where the file says, or
slices of several volumes in one. *a guess* happens to be right although the file does not say so. Warnings
on a console do not count as errors. Padding returned as a value counts as wrong. `-` is not compared: colour,
pictures, another format, and studies that hold nothing to be read.

<!-- Made by `make docs`. -->
"""

_OTHER_FORMATS = ("NIfTI", "NRRD", "MetaImage", "FreeSurfer", "a folder of volumes")
_NOT_READ_BY = {
    "dcm2niix": _OTHER_FORMATS,
    # Its readers of these formats need packages that this project has no other use for.
    "MONAI": ("NRRD", "MetaImage", "a folder of volumes", "NIfTI without", "NIfTI, gzip, without"),
    "SimpleITK": ("a folder of volumes", "NIfTI without", "NIfTI, gzip, without"),
}


def conformance() -> str:
    """Returns the page; reads every case with every reader, which takes a minute."""
    rows = [[case.name, outcome(case), *_elsewhere(case)] for case in CASES]
    versions = ", ".join(f"{name} {importlib.metadata.version(name.lower())}" for name in READERS)
    heading = ["here", *READERS]
    lines = [_HEAD, f"Versions: {versions}. Numbers of cases that are compared:", ""]
    lines += _table("", heading, _summary(rows))
    lines += ["", *_table("case", heading, rows)]
    return "\n".join(lines) + "\n"


def _table(first: str, heading: list[str], rows: list[list[str]]) -> list[str]:
    cells = [[first, *heading], ["---"] * (1 + len(heading)), *rows]
    return [f"| {' | '.join(row)} |" for row in cells]


def _summary(rows: list[list[str]]) -> list[list[str]]:
    """Counts verdicts by column over the cases that some reader was compared on."""
    compared = [row for row in rows if any(cell != "-" for cell in row[2:])]
    counted = []
    for title, belongs in (
        ("right", lambda cell: cell == "right" or re.match(r"(\d x )?volume", cell) is not None),
        ("refused", lambda cell: cell.startswith("refused")),
        ("a guess", lambda cell: cell == "a guess"),
        ("**wrong without an error**", lambda cell: cell.startswith("**")),
        ("not compared", lambda cell: cell == "-"),
    ):
        columns = zip(*(row[1:] for row in compared), strict=True)
        counted.append([title, *(str(sum(map(belongs, column))) for column in columns)])
    return counted


def outcome(case: Case) -> str:
    """Says in short what is expected of a case here; the tests hold it to that."""
    if case.refused is not None:
        return f"refused {case.refused.code}"
    counted = Counter(_words(one) for one in case.expected)
    parts = [words if count == 1 else f"{count} x {words}" for words, count in counted.items()]
    return ", ".join(parts + [f"study {problem.code}" for problem in dict.fromkeys(case.problems)])


def _words(expected: Volume | Picture | Refused) -> str:
    if isinstance(expected, Refused):
        offered = ""
        if expected.remedy:
            computed = Code.RESAMPLED in expected.remedy.problems
            offered = f", {'resampled' if computed else 'assumed'} on request"
        return f"refused {expected.code.code}{offered}"
    kind = (
        "volume" if isinstance(expected, Volume) else "picture" if expected.values.shape[0] != 8 else "voxels"
    )
    return " ".join([kind, *(problem.code for problem in expected.problems)])


def _elsewhere(case: Case) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        path = case.write(Path(folder) / "study")
        for name, reader in READERS.items():
            if not comparable(case) or case.name.startswith(_NOT_READ_BY.get(name, ())):
                yield "-"
                continue
            try:
                with _silence(), warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    found = reader(path)
            except Exception:  # whatever other software raises is a refusal
                yield "refused"
                continue
            verdict = judge(case, found) if found else "refused"
            yield verdict if verdict in ("right", "refused", "a guess") else f"**{verdict}**"


@contextmanager
def _silence() -> Iterator[None]:
    """Keeps what C++ libraries print off the screen."""
    sys.stderr.flush()
    kept = os.dup(2)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)

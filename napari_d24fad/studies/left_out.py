"""What was left out of a study, told in few lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from napari_d24fad.errors import Code, StudyError
from napari_d24fad.studies.dicom.file import NOT_DICOM
from napari_d24fad.studies.scan import Problem


class LeftOut:
    """Collects files that are no scans, and scans that cannot be read."""

    def __init__(self) -> None:
        self._refused: list[StudyError] = []
        self._foreign: list[tuple[Path, str]] = []

    def refuse(self, error: StudyError) -> None:
        """Takes down a file that cannot be read, and why."""
        # A new one: where it was raised would keep alive whatever was at hand there.
        self._refused.append(StudyError(error.code, error.detail))

    def pass_over(self, path: Path, what: str) -> None:
        """Takes down a file that is no scan.

        Args:
            path: The file.
            what: Such as ``"a PDF document"``; empty if that is not known.
        """
        self._foreign.append((path, what))

    def forget(self, used: frozenset[Path]) -> None:
        """Forgets files that turned out to be part of a scan, such as the voxels of a header."""
        self._foreign = [(path, what) for path, what in self._foreign if path not in used]

    def problems(self) -> Iterator[Problem]:
        """Yields one problem for all files that are no scans, and one for each other reason."""
        if self._foreign:
            yield Problem(Code.FILE_SKIPPED, f"{_files(len(self._foreign))}: {self._kinds()}.")
        for (code, detail), count in Counter((one.code, one.detail) for one in self._refused).items():
            skipped = Code.FILE_SKIPPED if code is Code.NOT_AN_IMAGE else code
            yield Problem(skipped, f"{_files(count)}: {detail or code.meaning}")

    def _kinds(self) -> str:
        counted = Counter(what or "a file of no known format" for _, what in self._foreign)
        if len(counted) == 1:
            return f"It is {what}" if (what := self._foreign[0][1]) else NOT_DICOM.removesuffix(".")
        return ", ".join(f"{count} x {what}" for what, count in counted.most_common())


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"

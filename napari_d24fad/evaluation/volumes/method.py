"""What a method must do to be measured on volumes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from napari_d24fad.metrics.volumes import Examined
from napari_d24fad.studies.scan import Scan


class Prepared(Protocol):
    """A method with its references."""

    def examine(self, query: Scan) -> Examined:
        """Examines a scan.

        Raises:
            D24fadError: It cannot be examined; the scan then counts as scored lowest.
        """
        ...


class Method(Protocol):
    """A way to examine volumes."""

    @property
    def name(self) -> str:
        """What its figures are listed under."""
        ...

    def prepare(self, references: Sequence[Scan]) -> Prepared:
        """Learns what normal scans show.

        Args:
            references: Two or more normal scans, which are let go after it.

        Raises:
            D24fadError: They cannot be references together.
        """
        ...

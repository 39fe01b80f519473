"""What a method must do to be measured on volumes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from napari_d24fad.metrics.volumes import BoolArray, Examined
from napari_d24fad.studies.scan import Scan


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """An abnormal scan that a method is shown as such.

    Attributes:
        scan: With its voxels.
        lesion: Its outline on the grid of the scan; None if there is none.
        kind: Empty for one without a name.
    """

    scan: Scan = field(repr=False)
    lesion: BoolArray | None = field(repr=False)
    kind: str = ""


class Prepared(Protocol):
    """A method with its references."""

    def examine(self, query: Scan) -> Examined:
        """Examines a scan.

        Raises:
            D24fadError: It cannot be examined; the scan then counts as scored lowest.
        """
        ...


@runtime_checkable
class Teachable(Protocol):
    """A method with its references that abnormal examples can be shown to."""

    def beside(self, examples: Sequence[Shown]) -> Prepared:
        """Learns from abnormal examples.

        Raises:
            D24fadError: One of them cannot be compared with the references.
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

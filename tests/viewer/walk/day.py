"""What is read on the day that is walked through."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

DATA = Path(__file__).parents[4] / "shared" / "data"
"""Real data, which is no part of the project."""


@dataclass(frozen=True)
class Day:
    """What is read.

    Attributes:
        head: Folder of a DICOM series.
        films: Normal ones, of which the first serve as references.
        abnormal: Others, which are examined with what is left of the normal ones.
        references: How many films serve so.
        volumes: Normal heads, all references.
        abnormal_volumes: Heads that are examined.
    """

    head: Path
    films: tuple[Path, ...]
    abnormal: tuple[Path, ...]
    references: int
    volumes: tuple[Path, ...] = ()
    abnormal_volumes: tuple[Path, ...] = ()

    @classmethod
    def of(cls, films: int = 40, references: int = 8, heads: int = 10) -> Day:
        """Takes so many chest films, a quarter of them abnormal, and so many heads, two of them abnormal."""
        chest, head = DATA / "images" / "chest_xray", DATA / "volumes" / "ct_ich_head"
        few, two = max(1, films // 4), min(2, heads)
        return cls(
            DATA / "dicom" / "t1_structural" / "dicoms",
            _first(chest / "normal", films - few),
            _first(chest / "abnormal", few),
            references,
            _first(head / "normal", heads - two),
            _first(head / "abnormal", two),
        )


def _first(folder: Path, count: int) -> tuple[Path, ...]:
    return tuple(sorted(folder.iterdir())[:count])

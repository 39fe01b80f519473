"""Several volumes of one series or one file: echoes, diffusion weightings, time points, phases."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

_MOST_NAMED = 4


@dataclass(frozen=True, slots=True)
class Member:
    """Which of the volumes of one series or file something is.

    Attributes:
        whole: Equal for all volumes of the series or file, and for no others; never shown.
        number: Which of them it is, from 1.
        name: In what it differs from the others, such as ``"b 1000"``; empty if only in its number.
    """

    whole: str = field(repr=False)
    number: int
    name: str = ""

    @property
    def shown(self) -> str:
        """What to call it in a list, such as ``"3: b 1000"``."""
        return f"{self.number}: {self.name}" if self.name else f"volume {self.number}"


class HasMember(Protocol):
    """What may be one of several volumes."""

    @property
    def member(self) -> Member | None:
        """Which of them it is; None if it is a series of its own."""


_One = TypeVar("_One", bound=HasMember)


def together(series: Iterable[_One]) -> tuple[tuple[_One, ...], ...]:
    """Returns series as a list shows them: the volumes of one series or file are one row.

    Args:
        series: In any order.

    Returns:
        Rows in the order of their first member, the members of each by their number.
    """
    rows: dict[object, list[_One]] = {}
    for one in series:
        rows.setdefault(one if one.member is None else one.member.whole, []).append(one)
    return tuple(
        tuple(sorted(row, key=lambda one: one.member.number if one.member else 0)) for row in rows.values()
    )


def summary(volumes: Sequence[HasMember]) -> str:
    """Says how many volumes there are and in what they differ, such as ``"86 volumes: b = 0, 1000"``."""
    text = f"{len(volumes)} volumes"
    names = [one.member.name.partition(",")[0] for one in volumes if one.member and one.member.name]
    different = list(dict.fromkeys(names))
    if len(names) < len(volumes) or len(different) < 2:
        return text
    words = {name.rpartition(" ")[0] for name in different}
    word = words.pop() if len(words) == 1 else ""
    if word == "volume":
        return text
    shown = [name.removeprefix(word).strip() for name in different[:_MOST_NAMED]]
    more = ", ..." if len(different) > _MOST_NAMED else ""
    return f"{text}: {word} = {', '.join(shown)}{more}" if word else f"{text}: {', '.join(shown)}{more}"

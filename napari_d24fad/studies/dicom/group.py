"""A group: slices or frames that belong into one volume, and what tells it from others of its series."""

from __future__ import annotations

import math
from dataclasses import dataclass

from napari_d24fad.errors import StudyError
from napari_d24fad.studies.descriptions import is_harmless
from napari_d24fad.studies.dicom.copies import Copy
from napari_d24fad.studies.dicom.header import Instance
from napari_d24fad.studies.scan import Problem

_LONG_NUMBER = 1e5
"""From so many digits on, a number could be an ID or a date."""


_COUNTED = ("time", "description")
"""Times identify patients, and descriptions are shown anyway."""


_SUBSTANCES = ("contrast",)
"""What is either given, and named, or not given."""


@dataclass(frozen=True, slots=True)
class Group:
    """Instances that belong into one volume or image.

    Attributes:
        instances: In no particular order.
        suffix: What tells the group from others of the same series, such as ``"echo 2"``.
        problems: What was found while splitting.
        refusal: Why the group cannot be one volume.
        copies: Instances that were left out, each with the one it should be equal to.
        whole: What it is one of several volumes of, at the same places; empty if of nothing.
        name: In what it differs from these.
        assumed: Whether the places of its frames were taken from their order.
    """

    instances: tuple[Instance, ...]
    suffix: str = ""
    problems: tuple[Problem, ...] = ()
    refusal: StudyError | None = None
    copies: tuple[Copy, ...] = ()
    whole: str = ""
    name: str = ""
    assumed: bool = False

    @property
    def n_slices(self) -> int:
        """Number of slices or frames."""
        first = self.instances[0]
        return len(self.instances) if first.frame is not None or first.frames == 1 else first.frames


def natural(text: str) -> tuple[float, str]:
    """Sorts numbers by size, and texts after them."""
    try:
        return float(text.split("\\")[0]), text
    except ValueError:
        return math.inf, text


def trait_names(name: str, values: list[str]) -> list[str]:
    """Names each part by its number or by the words only it has; else by its order.

    Texts may hold anything, so that words are shown that identify nobody, and short numbers.
    """
    words = [value.split("\\") for value in values]
    shared = set(words[0]).intersection(*words[1:])
    names = []
    for order, value in enumerate(values):
        if not value and name in _SUBSTANCES:
            names.append(f"no {name}")
            continue
        number = natural(value)[0]
        own = [word for word in words[order] if word and word not in shared]
        shown = " ".join(own) if math.isinf(number) else f"{number:g}"
        harmless = all(map(is_harmless, own)) if math.isinf(number) else abs(number) < _LONG_NUMBER
        names.append(f"{name} {shown if own and harmless and name not in _COUNTED else order + 1}")
    return names

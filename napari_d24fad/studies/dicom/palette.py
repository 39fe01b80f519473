"""Palettes that are stored in segments, as plain tables (PS3.3 C.7.9.2).

highdicom does not read them. pydicom does, but without a limit: a few kilobytes may ask for gigabytes, and
a table that is longer than its descriptor says passes.
"""

from __future__ import annotations

import numpy as np
from pydicom.dataset import Dataset

from napari_d24fad.errors import Code, StudyError

_DISCRETE, _LINEAR, _INDIRECT = 0, 1, 2
_BAD = "Its palette is contradictory."


def expand_palette(dataset: Dataset) -> None:
    """Replaces the segmented tables of a dataset, if it has any, by plain ones.

    Raises:
        StudyError: ``CONTRADICTORY_PIXELS`` if they do not fill what their descriptors say, or
            refer to each other.
    """
    for colour in ("Red", "Green", "Blue"):
        name = f"{colour}PaletteColorLookupTable"
        if f"Segmented{name}Data" not in dataset:
            continue
        entries, _, bits = (int(each) for each in dataset[f"{name}Descriptor"].value)
        kind = "<u2" if bits == 16 else "u1"
        words = np.frombuffer(dataset[f"Segmented{name}Data"].value, kind).tolist()
        table = np.array(_expanded(words, entries or 2**16), kind).tobytes()
        dataset.add_new(f"{name}Data", "OW", table + bytes(len(table) % 2))
        del dataset[f"Segmented{name}Data"]


def _expanded(words: list[int], entries: int) -> list[int]:
    """Returns the table that segments describe.

    Args:
        words: The segments.
        entries: How many values they must give; no more are computed.
    """
    table: list[int] = []
    at = 0
    while len(table) < entries:
        kind, length = (*words[at : at + 2], -1, -1)[:2]
        values = words[at + 2 : at + 2 + (length if kind == _DISCRETE else 1)]
        if kind == _INDIRECT:  # nobody was seen to write them, and readers count their offsets differently
            raise StudyError(Code.CONTRADICTORY_PIXELS, "Its palette refers to parts of itself.")
        complete = len(values) == (length if kind == _DISCRETE else 1)
        if not complete or not 0 < length <= entries - len(table) or (kind == _LINEAR and not table):
            raise StudyError(Code.CONTRADICTORY_PIXELS, _BAD)
        if kind == _DISCRETE:
            table += values
        elif kind == _LINEAR:
            table += np.round(np.linspace(table[-1], values[0], length + 1)[1:]).astype(int).tolist()
        else:
            raise StudyError(Code.CONTRADICTORY_PIXELS, _BAD)
        at += 2 + len(values)
    return table

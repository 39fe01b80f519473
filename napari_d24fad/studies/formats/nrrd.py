"""What the header of an NRRD file states (https://teem.sourceforge.net/nrrd/format.html)."""

from __future__ import annotations

import math
import re
from pathlib import Path

from napari_d24fad.errors import Code, StudyError
from napari_d24fad.studies.formats.facts import (
    LONGEST_HEADER,
    VolumeFacts,
    beside,
    malformed,
    start_of,
    unread,
)

_KIND = "an NRRD file"
_BYTES = {
    **dict.fromkeys(("signed char", "int8", "int8_t", "uchar", "unsigned char", "uint8", "uint8_t"), 1),
    **dict.fromkeys(("short", "short int", "signed short", "signed short int", "int16", "int16_t"), 2),
    **dict.fromkeys(("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"), 2),
    **dict.fromkeys(("int", "signed int", "int32", "int32_t", "uint", "unsigned int", "uint32"), 4),
    **dict.fromkeys(("uint32_t", "float"), 4),
    **dict.fromkeys(("longlong", "long long", "int64", "int64_t", "ulonglong", "uint64", "uint64_t"), 8),
    "double": 8,
}
_SPACES = {
    *("left-posterior-superior", "lps", "right-anterior-superior", "ras"),
    *("left-anterior-superior", "las"),
}
_PLACES, _VOLUMES = {"domain", "space", "???", "none"}, {"list", "time"}
_EIGHT_BITS = {"uchar", "unsigned char", "uint8", "uint8_t"}
_COLOURS = {"rgb-color": 3, "rgba-color": 4, "3-color": 3, "4-color": 4}
_TO_MM = {"mm": 1.0, "millimeter": 1.0, "cm": 10.0, "m": 1000.0, "um": 0.001, "µm": 0.001, "microns": 0.001}
_FIELD = re.compile(r"([A-Za-z][A-Za-z 0-9]*): ?(.*)")


def nrrd_facts(path: Path) -> VolumeFacts:
    """Reads the header of an NRRD file, attached (.nrrd) or detached (.nhdr).

    Raises:
        StudyError: ``NOT_AN_IMAGE`` if it is none, or of a kind that is not read; ``TRUNCATED``.
    """
    start = start_of(path)
    if not start.startswith(b"NRRD000"):
        raise StudyError(Code.NOT_AN_IMAGE, "It is not an NRRD file.")
    fields, voxels_at = _fields(start)
    try:
        return _facts(path, fields, voxels_at)
    except (KeyError, ValueError):
        raise malformed("NRRD") from None


def _fields(start: bytes) -> tuple[dict[str, str], int]:
    """Returns the fields by name, and where the header ends."""
    end = re.search(rb"\r?\n\r?\n", start)
    if end is None and len(start) == LONGEST_HEADER:
        raise malformed("NRRD")
    text = start[: end.start() if end else len(start)].decode("utf-8", errors="replace")
    found = (_FIELD.fullmatch(line.strip()) for line in text.splitlines()[1:])
    fields = {each[1].lower(): each[2].strip() for each in found if each}
    return fields, end.end() if end else len(start)


def _facts(path: Path, fields: dict[str, str], voxels_at: int) -> VolumeFacts:
    sizes = [int(size) for size in fields["sizes"].split()]
    if len(sizes) != int(fields["dimension"]) or min(sizes) < 1:
        raise malformed("NRRD")
    voxel_bytes = _BYTES.get(fields["type"].lower())
    encoding = fields["encoding"].lower()
    if voxel_bytes is None or encoding not in ("raw", "gzip", "gz"):
        raise unread(_KIND, f"with {'voxels of another type' if voxel_bytes is None else 'another encoding'}")
    if any(fields.get(name, "0") != "0" for name in ("byte skip", "byteskip", "line skip", "lineskip")):
        raise unread(_KIND, "with something before its voxels")
    directions = _directions(fields.get("space directions", ""), len(sizes))
    places, volumes, channels = _axes(fields, sizes, directions)
    data = fields.get("data file") or fields.get("datafile")
    if data and (data.startswith("LIST") or "%" in data):
        raise unread(_KIND, "with its voxels in several files")
    spacings = [float(length) for length in fields.get("spacings", "").split()]
    in_mm = bool(directions) or (
        len(spacings) == len(sizes) and all(math.isfinite(spacings[axis]) for axis in places)
    )
    return VolumeFacts(
        sizes=tuple(sizes[axis] for axis in places),
        volumes=volumes,
        channels=channels,
        voxel_bytes=voxel_bytes,
        to_mm=_unit(fields),
        in_mm=in_mm,
        in_patient=bool(directions and "space origin" in fields)
        and fields.get("space", "").lower() in _SPACES,
        compressed=encoding != "raw",
        voxels_at=0 if data else voxels_at,
        voxels_in=beside(path, data) if data else None,
    )


def _directions(text: str, dimension: int) -> list[str]:
    found = re.findall(r"\([^)]*\)|none", text)
    if found and len(found) != dimension:
        raise ValueError("not one direction for each axis")
    return found


def _axes(fields: dict[str, str], sizes: list[int], directions: list[str]) -> tuple[list[int], int, int]:
    """Returns which axes lie in space, and the lengths of those that count volumes and colours."""
    kinds = fields.get("kinds", "").lower().split() or ["???"] * len(sizes)
    if len(kinds) != len(sizes):
        raise malformed("NRRD")
    places = [axis for axis, kind in enumerate(kinds) if kind in _PLACES]
    if directions:
        places = [axis for axis in places if directions[axis] != "none"]
    others = [axis for axis in range(len(sizes)) if axis not in places]
    volumes, channels = 1, 1
    for axis in others:
        kind = kinds[axis]
        if kind in _COLOURS and sizes[axis] == _COLOURS[kind]:
            if fields.get("type", "").lower() not in _EIGHT_BITS:
                raise unread(_KIND, "with colours of other than 8 bits")
            channels = sizes[axis]
        elif kind in (*_VOLUMES, *_PLACES):
            volumes = sizes[axis]
        else:
            raise unread(_KIND, "with vectors or tensors for voxels")
    if not 2 <= len(places) <= 3 or len(others) > 1:
        raise unread(_KIND, f"with {len(places)} axes in space and {len(others)} others")
    return places, volumes, channels


def _unit(fields: dict[str, str]) -> float:
    units = set(re.findall(r'"([^"]*)"', fields.get("space units", fields.get("units", ""))))
    units -= {""}
    if not units:
        return 1.0
    if len(units) > 1 or (unit := units.pop().lower()) not in _TO_MM:
        raise unread(_KIND, "with lengths in another unit than millimetres")
    return _TO_MM[unit]

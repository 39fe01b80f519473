"""What the header of a MetaImage states: .mha, or .mhd with a file of voxels (ITK, elastix)."""

from __future__ import annotations

from pathlib import Path

from napari_d24fad.errors import Code, StudyError
from napari_d24fad.studies.formats.facts import VolumeFacts, beside, malformed, start_of, unread

_KIND = "a MetaImage"
_BYTES = {
    **dict.fromkeys(("MET_CHAR", "MET_UCHAR"), 1),
    **dict.fromkeys(("MET_SHORT", "MET_USHORT"), 2),
    **dict.fromkeys(("MET_INT", "MET_UINT", "MET_FLOAT"), 4),
    **dict.fromkeys(("MET_LONG", "MET_ULONG"), 4),  # whatever a long is elsewhere
    **dict.fromkeys(("MET_LONG_LONG", "MET_ULONG_LONG", "MET_DOUBLE"), 8),
}
_TO_MM = {"": 1.0, "?": 1.0, "mm": 1.0, "cm": 10.0, "um": 0.001}
_COLOURS = (3, 4)


def metaimage_facts(path: Path) -> VolumeFacts:
    """Reads the header of a MetaImage.

    Raises:
        StudyError: ``NOT_AN_IMAGE`` if it is none, or of a kind that is not read; ``TRUNCATED``.
    """
    fields, voxels_at = _fields(start_of(path))
    try:
        return _facts(path, fields, voxels_at)
    except (KeyError, ValueError):
        raise malformed("MetaImage") from None


def _fields(start: bytes) -> tuple[dict[str, str], int]:
    """Returns the fields by name, and where the header ends: after the name of the voxels' file."""
    fields: dict[str, str] = {}
    position = 0
    while (end := start.find(b"\n", position)) >= 0:
        name, sign, value = start[position:end].decode("ascii", errors="replace").partition("=")
        if not sign:
            break
        fields[name.strip()] = value.strip()
        position = end + 1
        if name.strip() == "ElementDataFile":
            return fields, position
    raise StudyError(Code.NOT_AN_IMAGE, "It is not a MetaImage, or its header is damaged.")


def _facts(path: Path, fields: dict[str, str], voxels_at: int) -> VolumeFacts:
    sizes = [int(size) for size in fields["DimSize"].split()]
    if len(sizes) != int(fields["NDims"]) or min(sizes) < 1:
        raise malformed("MetaImage")
    if not 2 <= len(sizes) <= 4:
        raise unread(_KIND, f"of {len(sizes)} dimensions")
    voxel_bytes = _BYTES.get(fields["ElementType"])
    channels = int(fields.get("ElementNumberOfChannels", "1"))
    if voxel_bytes is None or fields.get("BinaryData", "True").lower() != "true":
        raise unread(_KIND, "with voxels of another type")
    if channels != 1 and not (channels in _COLOURS and fields["ElementType"] == "MET_UCHAR"):
        raise unread(_KIND, "with vectors for voxels")
    unit = fields.get("DistanceUnits", "").lower()
    if unit not in _TO_MM:
        raise unread(_KIND, "with lengths in another unit than millimetres")
    if int(fields.get("HeaderSize", "0")) != 0:
        raise unread(_KIND, "with something before its voxels")
    data = fields["ElementDataFile"]
    if data.startswith("LIST") or "%" in data:
        raise unread(_KIND, "with its voxels in several files")
    alone = data.upper() == "LOCAL"
    placed = any(name in fields for name in ("TransformMatrix", "Rotation", "Orientation"))
    placed &= any(name in fields for name in ("Offset", "Origin", "Position"))
    in_mm = "ElementSpacing" in fields
    return VolumeFacts(
        sizes=tuple(sizes[:3]),
        volumes=sizes[3] if len(sizes) > 3 else 1,
        channels=channels,
        voxel_bytes=voxel_bytes,
        to_mm=_TO_MM[unit],
        in_mm=in_mm,
        in_patient=in_mm and placed and len(sizes) > 2,
        compressed=fields.get("CompressedData", "False").lower() == "true",
        voxels_at=voxels_at if alone else 0,
        voxels_in=None if alone else beside(path, data),
    )

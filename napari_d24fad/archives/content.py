"""Whether an archive gives back what was sent to it: names and IDs may be changed there, content may not."""

from __future__ import annotations

from pathlib import Path

from pydicom import dcmread
from pydicom.dataset import Dataset

from napari_d24fad.studies.files.quiet import quiet

# Of a group that an archive may correct (patient, study, procedure), only this: the Content Sequence of SR.
_CORRECTED = (0x0002, 0x0008, 0x0010, 0x0012, 0x0020, 0x0032, 0x0038, 0x0040)
_CONTENT = (0x0040A730,)


def same_content(sent: Path, back: Path) -> bool:
    """Whether two files have the same pixels, measurements and geometry.

    Only elements are compared that an archive has no business to change; pixels byte for byte if both have
    the same transfer syntax, else by their values.

    Args:
        sent: What was sent.
        back: What the archive gave back.
    """
    with quiet():
        try:
            one, other = dcmread(sent), dcmread(back)
            same_syntax = one.file_meta.TransferSyntaxUID == other.file_meta.TransferSyntaxUID
            if same_syntax or "PixelData" not in one:
                return bool(_content(one) == _content(other))
            first, second = one.pixel_array, other.pixel_array
            return bool(first.shape == second.shape and (first == second).all())
        except Exception:
            # pydicom and its decoders raise whatever on files that are damaged
            return False


def _content(dataset: Dataset) -> Dataset:
    kept = Dataset()
    for element in dataset:
        group = element.tag.group
        if element.tag in _CONTENT or (group not in _CORRECTED and element.tag.element != 0):
            kept.add(element)
    return kept

"""Headers that name another file for their voxels: what is unpacked has another name there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

_LONGEST_HEADER = 2**16
# MetaImage (.mhd) and NRRD (.nhdr).
_NAMED = re.compile(rb"(?m)^((?:ElementDataFile[ \t]*=|data ?file:)[ \t]*)([^\r\n]+?)[ \t]*(?=\r?$)", re.I)
HEADERS = (".mhd", ".nhdr")
"""What the names of such headers end in."""


def rename_partner(header: Path, own: str, unpacked: Mapping[str, Path]) -> None:
    """Writes the name that the voxels have now into an unpacked header; leaves other headers as they are.

    Args:
        header: The unpacked file.
        own: The name that the header has in the archive.
        unpacked: Where the files of the archive are now, all in the folder of the header, by their names.

    Raises:
        OSError: It cannot be read or written.
    """
    if header.stat().st_size > _LONGEST_HEADER:
        return
    content = header.read_bytes()
    found = _NAMED.search(content)
    if found is None:
        return
    beside = PurePosixPath(own).parent / found[2].decode("utf-8", errors="replace")
    partner = unpacked.get(str(beside))
    if partner is not None:
        header.write_bytes(content[: found.start(2)] + partner.name.encode() + content[found.end(2) :])

"""Unpacks a zip archive with a study to a temporary folder, if that is safe."""

from __future__ import annotations

import errno
import io
import os
import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from napari_d24fad.errors import Code, StudyError
from napari_d24fad.progress import CancelToken, Progress
from napari_d24fad.studies.files.bounded import open_file
from napari_d24fad.studies.files.limits import LIMIT_VARIABLE, in_gib, limits
from napari_d24fad.studies.files.partners import HEADERS, rename_partner
from napari_d24fad.studies.files.scratch import ScratchFolder

_STARTS = (b"PK\x03\x04", b"PK\x05\x06")
_BLOCK = 2**20
_LARGEST_DIRECTORY = 2**24
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 1
_PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff")
_VOLUMES = (".nii", ".nii.gz", ".hdr", ".hdr.gz", ".img", ".img.gz", ".mgh", ".mgz", ".nrrd", ".mha")
_KINDS = (*_PICTURES, *_VOLUMES, *HEADERS, ".bval")


def is_archive(path: Path) -> bool:
    """Whether a file is a zip archive, by how it begins.

    Raises:
        OSError: If it cannot be read.
        StudyError: ``PATH_UNREADABLE`` if it is no ordinary file.
    """
    with open_file(path) as file:
        return file.read(4) in _STARTS


def unpack(path: Path, progress: Progress, cancel: CancelToken) -> ScratchFolder:
    """Unpacks an archive; everything that it claims is checked before anything is written.

    Files get numbers for names, in the order of the names that they have in the archive: those
    may be the names of patients, or lead anywhere. Headers that name another file name its number.
    Hidden ones are left out.

    Args:
        path: The archive.
        progress: Told the fraction of bytes.
        cancel: Stops the unpacking.

    Returns:
        The folder with the files.

    Raises:
        StudyError: ``UNSAFE_ARCHIVE``, ``TOO_LARGE``, ``TRUNCATED``, ``NOT_AN_IMAGE`` if it is
            compressed or encrypted in an unusual way; ``PATH_MISSING``, ``PATH_UNREADABLE`` or
            ``NO_SCRATCH_SPACE``.
            Nothing is left behind.
        Cancelled: If a stop was asked for; nothing is left behind.
    """
    with _coded_errors(), _Directory(path) as file, zipfile.ZipFile(file) as archive:
        entries = sorted(_checked(archive.infolist(), os.fstat(file.fileno()).st_size), key=_name)
        scratch = ScratchFolder(path)
        try:
            scratch.names = _write(archive, entries, scratch.path, progress, cancel)
        except BaseException:
            scratch.remove()
            raise
    return scratch


class _Directory(io.BufferedReader):
    """An archive of which no table of contents is read that would fill the memory."""

    def __init__(self, path: Path) -> None:
        super().__init__(open_file(path).detach())

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > _LARGEST_DIRECTORY:
            raise StudyError(Code.TOO_LARGE, "Its table of contents is too long.")
        return super().read(size)


def _checked(entries: list[zipfile.ZipInfo], packed: int) -> Iterator[zipfile.ZipInfo]:
    """Returns the files of an archive, if all entries are harmless.

    Args:
        entries: All entries.
        packed: Bytes of the archive.
    """
    allowed = limits()
    if len(entries) > allowed.entries:
        raise StudyError(Code.TOO_LARGE, f"It holds {len(entries)} files; {allowed.entries} are allowed.")
    for entry in entries:
        _check_entry(entry)
    size = sum(entry.file_size for entry in entries)
    if size > allowed.decoded:
        sizes = f"It unpacks to {in_gib(size)}; {in_gib(allowed.decoded)} are allowed"
        raise StudyError(Code.TOO_LARGE, f"{sizes}, which {LIMIT_VARIABLE} sets.")
    if size > max(allowed.header, allowed.ratio * packed):
        text = f"It claims to unpack to {size // packed} times its size, which no images do."
        raise StudyError(Code.TOO_LARGE, text)
    return (entry for entry in entries if not entry.is_dir() and not _hidden(entry))


def _check_entry(entry: zipfile.ZipInfo) -> None:
    name, kind = _name(entry), stat.S_IFMT(entry.external_attr >> 16)
    if name.startswith("/") or name[1:2] == ":" or ".." in name.split("/"):
        raise StudyError(Code.UNSAFE_ARCHIVE, "It holds a file whose name leads out of its folder.")
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise StudyError(Code.UNSAFE_ARCHIVE, "It holds a link or a device.")
    if entry.flag_bits & _ENCRYPTED:
        raise StudyError(Code.NOT_AN_IMAGE, "It is protected by a password.")
    if entry.compress_type not in _COMPRESSIONS:
        raise StudyError(Code.NOT_AN_IMAGE, "It is compressed by another method than Deflate.")


def _name(entry: zipfile.ZipInfo) -> str:
    """Returns the whole name; zipfile itself stops at a null character."""
    return entry.orig_filename.replace("\\", "/")


def _hidden(entry: zipfile.ZipInfo) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in PurePosixPath(_name(entry)).parts)


def _write(
    archive: zipfile.ZipFile,
    entries: list[zipfile.ZipInfo],
    folder: Path,
    progress: Progress,
    cancel: CancelToken,
) -> dict[str, Path]:
    """Writes the files; returns where each is now, by its name in the archive."""
    total = sum(entry.file_size for entry in entries)
    if total > shutil.disk_usage(folder).free:
        raise StudyError(Code.NO_SCRATCH_SPACE, f"The files of this archive take {in_gib(total)}.")
    written = 0
    numbers: dict[str, int] = {}
    unpacked: dict[str, Path] = {}
    for place, entry in enumerate(entries):
        number = numbers.setdefault(_stem(entry) if _suffix(entry) else _name(entry), place)
        target = folder / f"{number:06d}{_suffix(entry)}"
        if target.exists():  # two of one name
            target = folder / f"{place:06d}{_suffix(entry)}"
        with archive.open(entry) as packed, target.open("xb") as file:
            while block := packed.read(_BLOCK):
                cancel.check()
                written += len(block)
                # What an archive states of a file need not be so.
                if written > total:
                    raise StudyError(Code.TOO_LARGE, "It unpacks to more than it states.")
                file.write(block)
        unpacked[_name(entry)] = target
        progress(written / max(1, total), "Unpacking")
    for name, target in unpacked.items():
        if target.suffix in HEADERS:
            rename_partner(target, name, unpacked)
    return unpacked


def _suffix(entry: zipfile.ZipInfo) -> str:
    """Returns the end of the name that tells the kind of file."""
    name = _name(entry).lower()
    return next((kind for kind in _KINDS if name.endswith(kind)), "")


def _stem(entry: zipfile.ZipInfo) -> str:
    """Returns the name without what tells the kind: a header and its voxels share it."""
    name = _name(entry)
    return name[: len(name) - len(_suffix(entry))]


@contextmanager
def _coded_errors() -> Iterator[None]:
    """Turns what zipfile raises into a `StudyError`; its messages quote names."""
    try:
        yield
    except FileNotFoundError:
        raise StudyError(Code.PATH_MISSING) from None
    except OSError as error:
        if error.errno is None:
            raise StudyError(Code.TRUNCATED, "The archive is damaged.") from None
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise StudyError(Code.NO_SCRATCH_SPACE) from None
        raise StudyError(Code.PATH_UNREADABLE, "It could not be unpacked.") from None
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, RuntimeError, LookupError):
        raise StudyError(Code.TRUNCATED, "The archive is damaged.") from None

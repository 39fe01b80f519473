"""Zip archives that climb, link, lie or explode."""

from __future__ import annotations

import io
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

from napari_d24fad.errors import Code
from tests.studies.corpus.build import even, positions, slices, volume
from tests.studies.corpus.case import Case

Fill = Callable[[zipfile.ZipFile], object]


def _archive(*fills: Fill, damage: Callable[[bytearray], object] | None = None) -> Callable[[Path], Path]:
    def build(folder: Path) -> Path:
        path = folder / "study.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for fill in fills:
                fill(archive)
        if damage is not None:
            content = bytearray(path.read_bytes())
            damage(content)
            path.write_bytes(content)
        return path

    return build


def _study(archive: zipfile.ZipFile) -> None:
    for number, dataset in enumerate(slices(positions(even()))):
        file = io.BytesIO()
        dataset.save_as(file, enforce_file_format=True)
        archive.writestr(f"Doe^Jane/series/{number}.dcm", file.getvalue())


def _named(name: str, kind: int = 0) -> Fill:
    def fill(archive: zipfile.ZipFile) -> None:
        entry = zipfile.ZipInfo("placeholder")
        entry.filename = name  # which the constructor would make harmless
        entry.external_attr = kind << 16
        archive.writestr(entry, b"/etc/passwd")

    return fill


def _zeros(mib: int, count: int = 1) -> Fill:
    def fill(archive: zipfile.ZipFile) -> None:
        for number in range(count):
            with archive.open(f"{number}.dcm", "w", force_zip64=True) as file:
                for _ in range(mib):
                    file.write(bytes(2**20))

    return fill


def _many(archive: zipfile.ZipFile) -> None:
    for number in range(100_001):
        archive.writestr(zipfile.ZipInfo(str(number)), b"")


def _nested(archive: zipfile.ZipFile) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as packed:
        _study(packed)
    archive.writestr("inner.zip", inner.getvalue())


def _packed_by(method: int) -> Fill:
    return lambda archive: archive.writestr("a.dcm", b"a" * 999, compress_type=method)


def _claim(size: int) -> Callable[[bytearray], None]:
    """States another size for the first file in the table of contents."""

    def change(content: bytearray) -> None:
        at = content.index(b"PK\x01\x02") + 24
        content[at : at + 4] = size.to_bytes(4, "little")

    return change


def _encrypt(content: bytearray) -> None:
    content[content.index(b"PK\x01\x02") + 8] |= 1


def _spoil(content: bytearray) -> None:
    content[200] ^= 0xFF


def _cut(content: bytearray) -> None:
    del content[len(content) // 2 :]


def _long_contents(folder: Path) -> Path:
    """A table of contents of 600 MB, in a hole that takes no room on the disk."""
    path = folder / "study.zip"
    size = 600 * 2**20
    with path.open("wb") as file:
        file.write(b"PK\x03\x04")
        file.seek(size)
        file.write(b"PK\x05\x06" + bytes(4) + b"\xff\xff\xff\xff" + size.to_bytes(4, "little") + bytes(6))
    return path


_UNSAFE = Code.UNSAFE_ARCHIVE

CASES = (
    Case("zip of a study", _archive(_study), (volume(tolerance=0.51),)),
    Case(
        "zip with hidden files beside a study",
        _archive(_study, _named("__MACOSX/._0.dcm"), _named(".DS_Store"), _named("empty/")),
        (volume(tolerance=0.51),),
    ),
    Case("zip that climbs out of its folder", _archive(_study, _named("../../evil.dcm")), refused=_UNSAFE),
    Case("zip that climbs in the Windows way", _archive(_study, _named("..\\..\\evil.dcm")), refused=_UNSAFE),
    Case("zip with a name from the root", _archive(_study, _named("/etc/evil.dcm")), refused=_UNSAFE),
    Case("zip with a name on a drive", _archive(_study, _named("C:\\evil.dcm")), refused=_UNSAFE),
    Case(
        "zip with a name that goes on behind a null",
        _archive(_study, _named("a.dcm\0/../../b")),
        refused=_UNSAFE,
    ),
    Case(
        "zip with a symbolic link", _archive(_study, _named("a.dcm", stat.S_IFLNK | 0o777)), refused=_UNSAFE
    ),
    Case("zip with a pipe", _archive(_study, _named("a.dcm", stat.S_IFIFO | 0o666)), refused=_UNSAFE),
    Case("zip bomb: 300 MB of zeros", _archive(_zeros(300)), refused=Code.TOO_LARGE),
    Case(
        "zip bomb: 4 GB claimed by each of three",
        _archive(_study, damage=_claim(2**32 - 2)),
        refused=Code.TOO_LARGE,
    ),
    Case("zip of 100,001 files", _archive(_many), refused=Code.TOO_LARGE),
    Case("zip with a table of contents of 600 MB", _long_contents, refused=Code.TOO_LARGE),
    Case("zip that states too small a size", _archive(_study, damage=_claim(5)), refused=Code.TRUNCATED),
    Case("zip in a zip", _archive(_nested), refused=Code.NO_IMAGES),
    Case("zip that is encrypted", _archive(_study, damage=_encrypt), refused=Code.NOT_AN_IMAGE),
    Case(
        "zip by LZMA, which may ask for any memory",
        _archive(_packed_by(zipfile.ZIP_LZMA)),
        refused=Code.NOT_AN_IMAGE,
    ),
    Case("zip by bzip2", _archive(_packed_by(zipfile.ZIP_BZIP2)), refused=Code.NOT_AN_IMAGE),
    Case("zip of a wrong checksum", _archive(_study, damage=_spoil), refused=Code.TRUNCATED),
    Case("zip that was cut off", _archive(_study, damage=_cut), refused=Code.TRUNCATED),
    Case("zip of nothing", _archive(), refused=Code.NO_IMAGES),
    Case("zip of text", _archive(_named("readme.txt")), refused=Code.NO_IMAGES),
)

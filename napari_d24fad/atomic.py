"""Writes files so that a failure leaves nothing half-written behind."""

from __future__ import annotations

import errno
import glob
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from napari_d24fad.errors import Code, ExportError


@contextmanager
def atomic_file(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yields a temporary path to write to, which then takes the place of ``path``.

    The temporary file lies in the same folder and keeps the suffixes, which writers
    choose their format by. Missing folders are made. An older file at ``path`` is
    replaced only when the new one is complete and on the disk.

    Raises:
        ExportError: ``CANNOT_WRITE`` if the system refuses; nothing is left behind.
    """
    target = Path(path)
    staged = target.with_name(f".{uuid.uuid4().hex[:12]}-{target.name}")
    created: list[Path] = []
    try:
        created = _make_folders(target.parent)
        yield staged
        _flush(staged)
        staged.replace(target)
    except OSError as error:
        raise _cannot_write(error) from error
    finally:
        if os.path.lexists(staged):
            staged.unlink()
        _remove_empty(created)


def remove_leftovers(path: str | os.PathLike[str]) -> None:
    """Removes what `atomic_file` was writing for ``path`` when its process was killed.

    Nobody else may be writing to ``path``.
    """
    target = Path(path)
    for staged in target.parent.glob(f".{'[0-9a-f]' * 12}-{glob.escape(target.name)}"):
        staged.unlink(missing_ok=True)


@contextmanager
def atomic_folder(folder: str | os.PathLike[str]) -> Iterator[Path]:
    """Yields an empty folder to write into; its files then move to ``folder`` together.

    Files of the same name in ``folder`` are replaced, others stay. If anything fails,
    ``folder`` is as it was before: missing if it was missing.

    Raises:
        ExportError: ``CANNOT_WRITE`` if the system refuses.
    """
    target = Path(folder)
    created: list[Path] = []
    staging: Path | None = None
    try:
        created = _make_folders(target)
        staging = Path(tempfile.mkdtemp(prefix=".d24fad-", dir=target))
        new, old = staging / "new", staging / "old"
        new.mkdir()
        old.mkdir()
        yield new
        _replace_together(new, old, target)
    except OSError as error:
        raise _cannot_write(error) from error
    finally:
        if staging is not None:
            shutil.rmtree(staging, ignore_errors=True)
        _remove_empty(created)


def check_writable(folder: str | os.PathLike[str]) -> None:
    """Returns if results could be written to ``folder``, and leaves no trace there.

    Asked before a long computation, so that its result is not lost at the end.

    Raises:
        ExportError: ``CANNOT_WRITE`` if not.
    """
    with atomic_folder(folder):
        pass


def _make_folders(target: Path) -> list[Path]:
    """Creates a folder with its parents; returns the new ones, outermost first."""
    missing = [folder for folder in (target, *target.parents) if not folder.exists()][::-1]
    done: list[Path] = []
    try:
        for folder in missing:
            folder.mkdir()
            done.append(folder)
    except OSError:
        _remove_empty(done)
        raise
    return done


def _remove_empty(folders: list[Path]) -> None:
    for folder in reversed(folders):
        try:
            folder.rmdir()
        except OSError:  # it holds results
            return


def _replace_together(new: Path, old: Path, target: Path) -> None:
    """Moves all files from ``new`` to ``target``, or none."""
    names = sorted(path.name for path in new.iterdir())
    for name in names:
        _flush(new / name)
        if (target / name).is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    moved: list[str] = []
    try:
        for name in names:
            if (target / name).exists():
                (target / name).replace(old / name)
            moved.append(name)
            (new / name).replace(target / name)
    except BaseException:
        for name in moved:
            (target / name).unlink(missing_ok=True)
            if (old / name).exists():
                (old / name).replace(target / name)
        raise


def _flush(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _cannot_write(error: OSError) -> ExportError:
    # strerror is the system's sentence without the path, which str(error) would add.
    return ExportError(Code.CANNOT_WRITE, f"{error.strerror}." if error.strerror else "")

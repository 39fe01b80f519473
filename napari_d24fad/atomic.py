"""Writes files so that a failure leaves nothing half-written behind, not even a kill.

What is being written lies beside its target under a name that tells which process writes it.
What a process that was killed left there is cleared away by the next one that writes to the same
folder: half-written files go, and files that were being replaced together are all put back.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from napari_d24fad.errors import Code, ExportError
from napari_d24fad.staging import abandoned, staging_name

PRIVATE_FOLDER, PRIVATE_FILE = 0o700, 0o600
"""Permissions of what shows patients and that no user asked to have written."""

_JOURNAL = "journal.json"
"""Beside new and old files: which ones are moved. There is one only while they are."""


@contextmanager
def atomic_file(path: str | os.PathLike[str], *, private: bool = False) -> Iterator[Path]:
    """Yields a temporary path to write to, which then takes the place of ``path``.

    The temporary file lies in the same folder and keeps the suffixes, which writers
    choose their format by. Missing folders are made. An older file at ``path`` is
    replaced only when the new one is complete and on the disk.

    Args:
        path: The file.
        private: Whether only this user may read the file, and enter the folders that are made for
            it. Otherwise that is left to the umask, as for any document.

    Raises:
        ExportError: ``CANNOT_WRITE`` if the system refuses; nothing is left behind.
    """
    target = Path(path)
    staged = target.with_name(staging_name(target.name))
    created: list[Path] = []
    try:
        created = _make_folders(target.parent, PRIVATE_FOLDER if private else 0o777)
        recover(target.parent)
        if private:  # from its first byte on
            os.close(os.open(staged, os.O_CREAT | os.O_EXCL | os.O_WRONLY, PRIVATE_FILE))
        yield staged
        _flush(staged)
        staged.replace(target)
    except OSError as error:
        raise _cannot_write(error) from None  # its text has the path
    finally:
        if os.path.lexists(staged):
            staged.unlink()
        _remove_empty(created)


def recover(folder: str | os.PathLike[str]) -> None:
    """Clears away what processes that were killed were writing to a folder, as far as the system lets us.

    Every write to the folder begins with it; so should reading files that are replaced together.
    """
    with suppress(OSError, ValueError):  # there may be no such folder, or no name of one
        for staged in abandoned(Path(folder)):
            with suppress(OSError):  # it may be another user's
                _clear(staged, Path(folder))


def _clear(staged: Path, folder: Path) -> None:
    if staged.is_dir() and not staged.is_symlink():
        _put_back(staged, folder)
        shutil.rmtree(staged)
    else:
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
        recover(target)
        staging = target / staging_name("")
        new, old = staging / "new", staging / "old"
        new.mkdir(parents=True)
        old.mkdir()
        yield new
        _replace_together(staging, target)
    except OSError as error:
        raise _cannot_write(error) from None  # its text has the path
    finally:
        if staging is not None:
            shutil.rmtree(staging, ignore_errors=True)
        _remove_empty(created)


@contextmanager
def whole_folder(folder: str | os.PathLike[str]) -> Iterator[Path]:
    """Yields an empty folder to write into, which then is ``folder``: there with all of its files, or not.

    If ``folder`` is there by then, as another process wrote it, it stays, and what was written here goes.

    Args:
        folder: The folder; the one that it lies in must be there.

    Raises:
        ExportError: ``CANNOT_WRITE`` if the system refuses; nothing is left behind.
    """
    target = Path(folder)
    staged = target.with_name(staging_name(target.name))
    try:
        recover(target.parent)
        staged.mkdir(PRIVATE_FOLDER)
        yield staged
        for path in staged.iterdir():
            _flush(path)
        try:
            staged.rename(target)
        except OSError:
            if not target.is_dir():
                raise
    except OSError as error:
        raise _cannot_write(error) from None  # its text has the path
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def check_writable(folder: str | os.PathLike[str]) -> None:
    """Returns if results could be written to ``folder``, and leaves no trace there.

    Asked before a long computation, so that its result is not lost at the end.

    Raises:
        ExportError: ``CANNOT_WRITE`` if not.
    """
    with atomic_folder(folder):
        pass


def _make_folders(target: Path, mode: int = 0o777) -> list[Path]:
    """Creates a folder with its parents; returns the new ones, outermost first."""
    missing = [folder for folder in (target, *target.parents) if not folder.exists()][::-1]
    done: list[Path] = []
    try:
        for folder in missing:
            folder.mkdir(mode)
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


def _replace_together(staging: Path, target: Path) -> None:
    """Moves all new files of a staging folder to ``target``, or none."""
    new, old = staging / "new", staging / "old"
    names = sorted(path.name for path in new.iterdir())
    for name in names:
        _flush(new / name)
        if (target / name).is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    replaced = [name for name in names if (target / name).exists()]
    added = [name for name in names if name not in replaced]
    (staging / _JOURNAL).write_text(json.dumps({"replaced": replaced, "added": added}), encoding="utf-8")
    _flush(staging / _JOURNAL)
    try:
        for name in replaced:
            (target / name).replace(old / name)
        for name in names:
            (new / name).replace(target / name)
    except BaseException:
        _put_back(staging, target)
        raise
    # From here on the new files stay, whatever happens.
    (staging / _JOURNAL).unlink()


def _put_back(staging: Path, target: Path) -> None:
    """Undoes a replacement that was not completed; may itself be stopped and done again."""
    try:
        moved = json.loads((staging / _JOURNAL).read_text(encoding="utf-8"))
        replaced, added = ([str(name) for name in moved[kind]] for kind in ("replaced", "added"))
    except (FileNotFoundError, ValueError, KeyError, TypeError):  # nothing was moved yet, or all was
        return
    if any(name in {"", ".", ".."} or Path(name).name != name for name in (*replaced, *added)):
        return  # no journal of ours: it would reach beyond the folder
    for name in added:
        if not (staging / "new" / name).exists():
            (target / name).unlink(missing_ok=True)
    for name in replaced:
        if (staging / "old" / name).exists():
            (staging / "old" / name).replace(target / name)


def _flush(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _cannot_write(error: OSError) -> ExportError:
    # strerror is the system's sentence without the path, which str(error) would add.
    return ExportError(Code.CANNOT_WRITE, f"{error.strerror}." if error.strerror else "")

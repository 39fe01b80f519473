"""``d24fad open``: results of a cohort, or a session, in napari."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from tempfile import TemporaryDirectory

from napari_d24fad.cli.arguments import Parser, count
from napari_d24fad.cli.display import has_display
from napari_d24fad.cohort.place import SESSION_NAME, CohortPlace
from napari_d24fad.cohort.table import cases_of
from napari_d24fad.errors import ArgumentError, Code, SessionError, StudyError


def add_options(command: Parser) -> None:
    """Adds the options of ``open``."""
    command.add_argument(
        "what",
        metavar="FOLDER|SESSION",
        type=Path,
        help="folder or table of a cohort, or a session",
    )
    command.add_argument(
        "rows",
        metavar="ROW",
        nargs="*",
        help="rows of the table: numbers, or first letters of hashes",
    )
    command.add_argument("--top", type=count, metavar="N", help="the first N rows, as a list")


def run(arguments: Namespace) -> None:
    """Shows them; ends when napari is closed.

    Raises:
        D24fadError: Why they cannot be shown.
    """
    sessions = sessions_of(arguments.what, [*arguments.rows, *map(str, range(1, (arguments.top or 0) + 1))])
    if not has_display():
        raise ArgumentError(Code.NO_DISPLAY, "napari shows them in a window.")
    with TemporaryDirectory() as folder:  # private; it goes when napari is closed
        path = sessions[0] if len(sessions) == 1 else joined(sessions, Path(folder))
        from napari_d24fad.viewer.opened import show_session  # imports napari, which looks for a display

        show_session(path)


def sessions_of(what: Path, rows: list[str]) -> list[Path]:
    """Returns the session of each row of a cohort, or the session itself.

    Raises:
        StudyError: ``PATH_MISSING``.
        ArgumentError: BAD_ARGUMENT if no row is named, or there is none of this name.
        SessionError: ``SESSION_BROKEN`` if it is no cohort, or a row has no result.
    """
    if not what.exists():
        raise StudyError(Code.PATH_MISSING)
    if what.suffix == Path(SESSION_NAME).suffix and what.is_file():
        return [what]
    place = CohortPlace.open(what if what.is_dir() else what.parent)
    if not rows:
        raise ArgumentError(Code.BAD_ARGUMENT, "Say which rows: d24fad open FOLDER ROW, or --top N.")
    cases = cases_of(place.folder, rows)
    found = [place.case(case) / SESSION_NAME for case in cases]
    with_result = [path for path in found if path.is_file()]
    if not with_result:
        raise SessionError(Code.SESSION_BROKEN, place.row(cases[0]).text or "The case left no result.")
    return with_result


def joined(sessions: list[Path], folder: Path) -> Path:
    """Writes the cases of several sessions into one, and returns it.

    Raises:
        D24fadError: See `read_session` and `save_session`.
    """
    from napari_d24fad.session.saved.session_file import read_session, save_session

    path = folder / SESSION_NAME
    save_session((case for each in sessions for case in read_session(each).cases), path, private=True)
    return path

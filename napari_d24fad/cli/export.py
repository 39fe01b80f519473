"""``d24fad export``: writes results as DICOM objects for an archive."""

from __future__ import annotations

from argparse import ArgumentTypeError, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from napari_d24fad.atomic import check_writable
from napari_d24fad.cli.arguments import Parser, add_json
from napari_d24fad.cli.console import progress_bar, warn
from napari_d24fad.errors import Code, ExportError, SessionError
from napari_d24fad.export.dicom.kinds import KINDS, USUAL
from napari_d24fad.export.notice import NOTICE
from napari_d24fad.export.report import as_json
from napari_d24fad.progress import Progress, part
from napari_d24fad.session.saved.archiving import save_deidentified, save_dicom, with_sources
from napari_d24fad.session.saved.case import Case
from napari_d24fad.session.saved.old_results import read_results
from napari_d24fad.session.saved.reopening import open_scans, with_pixels
from napari_d24fad.session.saved.session_file import read_session

if TYPE_CHECKING:
    from napari_d24fad.export.dicom.writing import Written

DEFAULT_OUT = Path("d24fad-dicom")


def add_options(command: Parser) -> None:
    """Adds the options of ``export``."""
    command.add_argument(
        "result", metavar="RESULT", type=Path, help="a saved session, or a folder with results of detect"
    )
    named = "; ".join(f"{kind}: {meaning}" for kind, meaning in KINDS.items())
    command.add_argument(
        "--dicom",
        type=kinds,
        default=USUAL,
        metavar="KIND[,KIND...]",
        help=f"which objects (default: {','.join(USUAL)}). {named}",
    )
    command.add_argument(
        "--out", type=Path, default=DEFAULT_OUT, metavar="DIR", help=f"default: {DEFAULT_OUT}"
    )
    command.add_argument(
        "--source",
        type=Path,
        metavar="PATH",
        help="the DICOM series that results of detect were made from, which they do not name",
    )
    command.add_argument(
        "--open-scans",
        action="store_true",
        help="open the scans of a session that may come from somebody else",
    )
    command.add_argument(
        "--de-identify",
        action="store_true",
        help="write copies of the scan that no longer say whose it is, and the objects of these",
    )
    command.add_argument(
        "--uid-map", type=Path, metavar="FILE", help="with --de-identify: old and new UIDs, as CSV"
    )
    command.add_argument(
        "--burned-in-ok",
        action="store_true",
        help="with --de-identify: pixels were looked at and show nobody",
    )
    command.add_argument("--replace", action="store_true", help="replace earlier objects in DIR")
    add_json(command)


def kinds(text: str) -> tuple[str, ...]:
    """Takes kinds of objects with commas between them."""
    chosen = tuple(dict.fromkeys(text.lower().split(",")))
    if not set(chosen) <= set(KINDS):
        raise ArgumentTypeError(f"expected some of {', '.join(KINDS)}")
    return chosen


def run(arguments: Namespace) -> None:
    """Writes the objects; those of several cases to folders of their own.

    Raises:
        D24fadError: Why there are none.
    """
    check_writable(arguments.out)
    written = []
    with progress_bar() as progress:
        cases = _cases(arguments, part(progress, 0, 0.7))
        for number, case in enumerate(cases, start=1):
            folder = arguments.out if len(cases) == 1 else arguments.out / f"case_{number}"
            found = _save(arguments, case, folder, number)
            for said in found.left_out:
                warn(said)
            written += [str((folder / name).relative_to(arguments.out)) for name in found.names]
            progress(0.7 + 0.3 * number / len(cases), "Writing DICOM objects")
    if arguments.json:
        print(as_json({"files": written, "notice": NOTICE}))
    else:
        named = "They name nobody." if arguments.de_identify else "They name the patient as the scan does."
        print(f"Written: {', '.join(written)}\n{named}\n{NOTICE}")


def _save(arguments: Namespace, case: Case, folder: Path, number: int) -> Written:
    if not arguments.de_identify:
        return save_dicom(case, folder, arguments.dicom, may_replace=arguments.replace)
    uid_map = arguments.uid_map
    if uid_map is not None and number > 1:
        uid_map = uid_map.with_stem(f"{uid_map.stem}_{number}")
    return save_deidentified(
        case,
        folder,
        arguments.dicom,
        uid_map=uid_map,
        burned_in_accepted=arguments.burned_in_ok,
        may_replace=arguments.replace,
    )


def _cases(arguments: Namespace, progress: Progress) -> Sequence[Case]:
    if arguments.result.is_dir():
        cases = read_results(arguments.result)
        if arguments.source is None:
            raise ExportError(Code.SOURCE_NOT_FOUND, "Results name no path.")
        return with_sources(cases, arguments.result, arguments.source, progress)
    session = read_session(arguments.result)
    if not session.is_own and not arguments.open_scans:
        raise SessionError(
            Code.SCAN_NOT_OPENED, "--open-scans opens it; report --list-scans says from where."
        )
    opened = open_scans(session, part(progress, 0, 0.4))
    examined = [case for case in opened.cases if case.examination is not None]
    if not examined:
        raise ExportError(Code.NOTHING_TO_EXPORT)
    return [_with_pixels(case, part(progress, 0.4, 1)) for case in examined]


def _with_pixels(case: Case, progress: Progress) -> Case:
    read, changed = with_pixels(case, progress)
    if changed:
        raise SessionError(Code.SCAN_CHANGED, "Its map would be laid over another picture.")
    return read

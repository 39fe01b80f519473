"""``d24fad report``: writes the report of a saved session."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from napari_d24fad.atomic import check_writable
from napari_d24fad.cli.arguments import Parser, add_json
from napari_d24fad.cli.console import progress_bar, warn
from napari_d24fad.errors import Code, D24fadError
from napari_d24fad.export.notice import NOTICE
from napari_d24fad.export.report import as_json
from napari_d24fad.progress import Progress, part
from napari_d24fad.session.saved.case import Case
from napari_d24fad.session.saved.old_results import read_results
from napari_d24fad.session.saved.reopening import open_scans, with_pixels
from napari_d24fad.session.saved.reporting import save_report
from napari_d24fad.session.saved.session_file import SessionFile, read_session
from napari_d24fad.studies.scan import Problem

DEFAULT_OUT = Path("d24fad-report")


def add_options(command: Parser) -> None:
    """Adds the options of ``report``."""
    command.add_argument(
        "session", metavar="SESSION", type=Path, help="a saved session, or a folder with results of detect"
    )
    command.add_argument(
        "--out", type=Path, default=DEFAULT_OUT, metavar="DIR", help=f"default: {DEFAULT_OUT}"
    )
    command.add_argument(
        "--list-scans", action="store_true", help="print the paths that the session names, and open none"
    )
    command.add_argument(
        "--open-scans",
        action="store_true",
        help="open the scans of a session that may come from somebody else, for pictures of them",
    )
    command.add_argument("--replace", action="store_true", help="replace an earlier report in DIR")
    add_json(command)


def run(arguments: Namespace) -> None:
    """Writes PDF, HTML and tables of findings.

    Raises:
        D24fadError: Why there is no report.
    """
    session = None if arguments.session.is_dir() else read_session(arguments.session)
    if arguments.list_scans:
        studies = () if session is None else session.studies
        print("\n".join(study.path or "(in no file)" for study in studies))
        return
    from napari_d24fad.export.pages.writing import NAMES, check_free  # imports matplotlib

    check_writable(arguments.out)
    check_free(arguments.out, may_replace=arguments.replace)
    with progress_bar() as progress:
        cases, problems = _cases(arguments, session, progress)
        for problem in problems:
            warn(str(problem))
        told = [str(problem).partition(": ")[2] for problem in problems]
        table = save_report(cases, arguments.out, problems=told, may_replace=arguments.replace)
    print(as_json(table) if arguments.json else f"Written: {', '.join(NAMES)}\n{NOTICE}")


def _cases(
    arguments: Namespace, session: SessionFile | None, progress: Progress
) -> tuple[Sequence[Case], list[Problem]]:
    if session is None:
        return read_results(arguments.session), [Problem(Code.SCAN_NOT_OPENED, "Results name no path.")]
    return _opened(session, progress, may_open=session.is_own or arguments.open_scans)


def _opened(
    session: SessionFile, progress: Progress, *, may_open: bool
) -> tuple[Sequence[Case], list[Problem]]:
    """Returns the cases with the pixels of their scans, where they may be opened and can be read."""
    if not may_open:
        return session.cases, [
            Problem(Code.SCAN_NOT_OPENED, "--open-scans opens it, --list-scans says from where.")
        ]
    opened = open_scans(session, part(progress, 0, 0.3))
    problems, cases = list(opened.problems), []
    for at, case in enumerate(opened.cases):
        tell = part(progress, 0.3 + 0.7 * at / len(opened.cases), 0.3 + 0.7 * (at + 1) / len(opened.cases))
        try:
            read, changed = with_pixels(case, tell)
        except D24fadError as error:
            problem = Problem(error.code, f"{case.request.query.label}.")
            read, changed = case, () if problem in problems else (problem,)
        cases.append(read)
        problems += [each for each in changed if each not in problems]
        if read.examination is not None and read.examination.scan.may_show_identity:
            problems.append(Problem(Code.BURNED_IN))
    return cases, problems

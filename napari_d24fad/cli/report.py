"""``d24fad report``: writes the report of a saved session."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path

from napari_d24fad.atomic import check_writable
from napari_d24fad.cli.arguments import Parser, add_json, count
from napari_d24fad.cli.console import progress_bar, warn
from napari_d24fad.errors import ArgumentError, Code, D24fadError
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
    command.add_argument(
        "--case",
        type=count,
        nargs="+",
        metavar="N",
        help="report these cases alone, numbered from 1 as in the whole report",
    )
    command.add_argument("--replace", action="store_true", help="replace an earlier report in DIR")
    add_json(command)


def run(arguments: Namespace) -> None:
    """Writes PDF, HTML and tables of findings.

    Raises:
        D24fadError: Why there is no report.
    """
    session = None if arguments.session.is_dir() else read_session(arguments.session, at_once=False)
    if arguments.list_scans:
        studies = () if session is None else session.studies
        print("\n".join(study.path or "(in no file)" for study in studies))
        return
    from napari_d24fad.export.pages.writing import NAMES, check_free  # imports matplotlib

    check_writable(arguments.out)
    check_free(arguments.out, may_replace=arguments.replace)
    with progress_bar() as progress:
        told: list[str] = []
        cases = _told(_cases(arguments, session, progress), told)
        table = save_report(cases, arguments.out, problems=told, may_replace=arguments.replace)
    print(as_json(table) if arguments.json else f"Written: {', '.join(NAMES)}\n{NOTICE}")


def _told(found: Iterator[tuple[Case, Sequence[Problem]]], told: list[str]) -> Iterator[Case]:
    """Yields cases, each after what is to be said of it, once: printed, and added to a list."""
    for case, problems in found:
        for problem in map(str, problems):
            sentence = problem.partition(": ")[2]
            if sentence not in told:
                warn(problem)
                told.append(sentence)
        yield case


def _cases(
    arguments: Namespace, session: SessionFile | None, progress: Progress
) -> Iterator[tuple[Case, Sequence[Problem]]]:
    """Yields the cases that are wanted, and what is to be said of each, one at a time."""
    if session is None:
        results = read_results(arguments.session)
        for at in _wanted(arguments.case, results):
            yield results[at], (Problem(Code.SCAN_NOT_OPENED, "Results name no path."),)
    elif session.is_own or arguments.open_scans:
        yield from _opened(session, arguments.case, progress)
    else:
        how = Problem(Code.SCAN_NOT_OPENED, "--open-scans opens it, --list-scans says from where.")
        for at in _wanted(arguments.case, session.cases):
            yield session.cases[at], (how,)


def _wanted(numbers: Sequence[int] | None, cases: Sequence[Case]) -> Sequence[int]:
    """Returns the places of the cases that were asked for, or of all that were examined.

    Raises:
        ArgumentError: ``BAD_ARGUMENT`` if there is no case of a number.
    """
    if numbers is None:
        return range(len(cases))
    for number in numbers:
        if number > len(cases):
            raise ArgumentError(Code.BAD_ARGUMENT, f"There is no case {number}: there are {len(cases)}.")
    return [number - 1 for number in dict.fromkeys(numbers)]


def _opened(
    session: SessionFile, numbers: Sequence[int] | None, progress: Progress
) -> Iterator[tuple[Case, Sequence[Problem]]]:
    """Yields the cases with the pixels of their scans, where these can be read."""
    opened = open_scans(session, part(progress, 0, 0.3))
    wanted = _wanted(numbers, opened.cases)
    for done, at in enumerate(wanted):
        tell = part(progress, 0.3 + 0.7 * done / len(wanted), 0.3 + 0.7 * (done + 1) / len(wanted))
        case, problems = opened.cases[at], list(opened.problems)
        try:
            case, changed = with_pixels(case, tell)
        except D24fadError as error:
            changed = (Problem(error.code, f"{case.request.query.label}."),)
        problems += changed
        if case.examination is not None and case.examination.scan.may_show_identity:
            problems.append(Problem(Code.BURNED_IN))
        yield case, problems

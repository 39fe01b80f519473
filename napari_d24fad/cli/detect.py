"""``d24fad detect``: examines scans against normal references and writes what it finds."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from napari_d24fad.atomic import check_writable
from napari_d24fad.cli import examples
from napari_d24fad.cli.arguments import Parser, add_device, add_identity, add_json, window
from napari_d24fad.cli.console import progress_bar
from napari_d24fad.cli.exits import SOME_REFUSED, exit_status
from napari_d24fad.cli.outcomes import Outcomes, refuse
from napari_d24fad.cli.region import open_regions
from napari_d24fad.cli.results import summary
from napari_d24fad.cli.sources import Query, open_queries, open_references
from napari_d24fad.detection.atlas.names import DIRECTIONS
from napari_d24fad.detection.atlas.names import SCORING as ATLAS
from napari_d24fad.detection.references.pairing import check_pairing, check_references
from napari_d24fad.errors import ArgumentError, Code, D24fadError, ExportError, PairingError
from napari_d24fad.export.report import as_json
from napari_d24fad.network.card import SCORINGS
from napari_d24fad.network.zoo import find_model
from napari_d24fad.progress import part
from napari_d24fad.session.request import Drawn
from napari_d24fad.session.saved.case import Case
from napari_d24fad.session.saved.session_file import save_session
from napari_d24fad.session.scripting import Session
from napari_d24fad.studies.scan import Problem, Scan
from napari_d24fad.studies.series import Series

DEFAULT_OUT = Path("d24fad-output")


def add_options(command: Parser) -> None:
    """Adds the options of ``detect``."""
    command.add_argument(
        "query",
        metavar="QUERY",
        nargs="+",
        type=Path,
        help="scan to examine: DICOM folder or file, NIfTI file or image; may be several",
    )
    command.add_argument(
        "--reference",
        metavar="PATH",
        nargs="+",
        action="extend",
        default=[],
        type=Path,
        help="two to eight normal scans of the same kind; a folder gives all of its series",
    )
    examples.add_options(command)
    command.add_argument(
        "--reference-set", metavar="NAME|FILE", help="normal scans saved by: d24fad references save"
    )
    command.add_argument("--model", default="compact", metavar="NAME|FILE", help="default: compact")
    command.add_argument(
        "--scoring",
        choices=(*SCORINGS, ATLAS),
        help="how maps are scored (default: atlas for heads by CT or MR, else as the model says)",
    )
    command.add_argument(
        "--direction",
        choices=DIRECTIONS,
        help="atlas: what is looked for, against the references (default: as usual for the kind of study)",
    )
    command.add_argument(
        "--series", type=int, metavar="N", help="which series of QUERY, as numbered by inspect"
    )
    command.add_argument(
        "--volume",
        type=int,
        metavar="M",
        help="which volume, of series that have several (echoes, b-values, times), as numbered by inspect",
    )
    command.add_argument(
        "--resample",
        action="store_true",
        help="take series that are refused as inspect offers them: missing or unevenly spaced slices"
        " computed, or in the assumed order of their slices",
    )
    command.add_argument(
        "--window", type=window, metavar="LOW,HIGH", help="CT: HU that become black and white"
    )
    command.add_argument(
        "--roi",
        type=Path,
        nargs="+",
        default=(),
        metavar="FILE",
        help="examine only here: masks, each on the voxels of one scan; carried to scans that have none",
    )
    command.add_argument(
        "--roi-of",
        type=Path,
        nargs="+",
        default=(),
        metavar="PATH",
        help="the scans that the masks were drawn on, in their order, if several could be",
    )
    add_device(command)
    command.add_argument(
        "--out", type=Path, default=DEFAULT_OUT, metavar="DIR", help=f"default: {DEFAULT_OUT}"
    )
    command.add_argument(
        "--session",
        type=Path,
        metavar="FILE",
        help="save the results as a session as well, which `d24fad report` reports and the viewer opens",
    )
    add_identity(command)
    add_json(command)


def run(arguments: Namespace) -> int:
    """Examines every query that can be examined, and writes their results together.

    What can be refused cheaply is refused first; what is slow to import is imported after that.

    Returns:
        The exit status: `SOME_REFUSED` if some of several queries could not be examined.

    Raises:
        D24fadError: Why nothing was examined.
    """
    if arguments.direction and arguments.scoring not in (None, ATLAS):
        raise ArgumentError(Code.BAD_ARGUMENT, "--direction is for the scoring atlas.")
    if arguments.roi_of and not arguments.roi:
        raise ArgumentError(Code.BAD_ARGUMENT, "--roi-of goes with --roi.")
    if arguments.roi_of and len(arguments.roi_of) != len(arguments.roi):
        raise ArgumentError(Code.BAD_ARGUMENT, "--roi-of names one scan for each file of --roi.")
    examples.check(arguments)
    if arguments.session is not None:
        if arguments.session.exists():
            raise ExportError(Code.FILE_IS_THERE, "It is the file of --session.")
        check_writable(arguments.session.parent)
    check_writable(arguments.out)
    find_model(arguments.model)
    with progress_bar() as progress:
        queries = open_queries(
            arguments.query,
            arguments.series,
            arguments.volume,
            resample=arguments.resample,
            show_identity=arguments.show_identity,
        )
        if not any(isinstance(query.found, Series) for query in queries):
            return _refuse_all(queries)
        references, problems = _references(arguments)
        abnormal, doubts = examples.open_examples(arguments)
        _check_window(arguments, queries, (*references, *(each.series for each in abnormal)))
        queries = _checked(queries, references)
        regions = _regions(arguments, queries, references)
        if not any(isinstance(query.found, Series) for query in queries):
            return _refuse_all(queries)
        from napari_d24fad.export.results import check_replaceable, save_results  # imports matplotlib

        names = [query.stem for query in queries]
        check_replaceable(arguments.out, map(_scan, queries), names=names)
        session = Session(
            arguments.model,
            arguments.device,
            scoring=arguments.scoring,
            direction=arguments.direction,
            ct_window=arguments.window,
            spare=0,
        )
        first = next(query.found for query in queries if isinstance(query.found, Series))
        session.prepare(first, references, abnormal=abnormal, progress=part(progress, 0, 0.4))
        examined = partial(session.examine, references=references, abnormal=abnormal, regions=regions)
        kept: list[Case] = []
        outcomes = Outcomes(
            examined,
            queries,
            (*problems, *doubts),
            part(progress, 0.4, 1),
            None if arguments.session is None else lambda one: kept.append(Case.of(one).without_pixels()),
        )
        try:
            report = save_results(arguments.out, outcomes, names=names)
        except ExportError as error:
            if error.code is not Code.NOTHING_TO_EXPORT:
                raise
            return exit_status(outcomes.refused[0].code)
        if arguments.session is not None:
            save_session(kept, arguments.session)
    print(as_json(report) if arguments.json else summary(report))
    return SOME_REFUSED if outcomes.refused else 0


def _references(arguments: Namespace) -> tuple[tuple[Series, ...], tuple[Problem, ...]]:
    """Returns the normal scans: those of a set, and those that were named."""
    shared: tuple[Series, ...] = ()
    if arguments.reference_set is not None:
        # Imports torch.
        from napari_d24fad.session.saved.reference_sets import find_reference_set, open_reference_set

        shared = open_reference_set(find_reference_set(arguments.reference_set))
        if not arguments.reference:
            return shared, ()
    named, problems = open_references(arguments.reference, arguments.volume, resample=arguments.resample)
    return (*shared, *named), problems


def _regions(
    arguments: Namespace, queries: Sequence[Query], references: Sequence[Series]
) -> tuple[Drawn, ...]:
    found = [query.found for query in queries if isinstance(query.found, Series)]
    return open_regions(arguments.roi, arguments.roi_of, [*found, *references])


def _scan(query: Query) -> Scan | None:
    """Returns the scan of a query, if there is one."""
    try:
        return query.found.load() if isinstance(query.found, Series) else None
    except D24fadError:  # told when its turn comes
        return None


def _refuse_all(queries: Sequence[Query]) -> int:
    """Says why no query can be examined.

    Returns:
        The exit status that goes with the first.
    """
    refusals = [
        refuse(query, query.found, len(queries)) for query in queries if isinstance(query.found, D24fadError)
    ]
    return exit_status(refusals[0].code)


def _check_window(arguments: Namespace, queries: Sequence[Query], references: Sequence[Series]) -> None:
    asked_for = [query.found for query in queries if isinstance(query.found, Series)]
    if arguments.window and any(each.modality != "CT" for each in (*asked_for, *references)):
        raise ArgumentError(Code.BAD_ARGUMENT, "--window is for CT; other scans have no absolute values.")


def _checked(queries: Sequence[Query], references: Sequence[Series]) -> list[Query]:
    """Refuses what headers tell cannot be compared, before anything is encoded.

    Raises:
        PairingError: The references cannot serve together.
    """
    if any(series.outline.is_colour for series in references):
        return list(queries)  # what is stored as colour may turn out to be grey
    known = [series.unread() for series in references]
    check_references(known)
    checked = []
    for query in queries:
        try:
            if isinstance(query.found, Series) and not query.found.outline.is_colour:
                check_pairing(query.found.unread(), known)
            checked.append(query)
        except PairingError as error:
            checked.append(replace(query, found=error))
    return checked

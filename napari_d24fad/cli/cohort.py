"""``d24fad cohort``: many scans examined with the same references, on workers and nodes, into one table."""

from __future__ import annotations

import re
import signal
from argparse import ArgumentTypeError, Namespace
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from napari_d24fad.atomic import check_writable
from napari_d24fad.cli.arguments import Parser, add_device, add_identity, add_json, count, window
from napari_d24fad.cli.console import counting_bar, warn
from napari_d24fad.cli.exits import SOME_REFUSED
from napari_d24fad.cohort.fetching import PREFIX, archive_of
from napari_d24fad.cohort.gathering import Gathered, gather
from napari_d24fad.cohort.item import Item, Shard
from napari_d24fad.cohort.listing import items_of
from napari_d24fad.cohort.nodes import Nodes, Tls, check_encrypted, given_nodes, local_nodes, slurm_nodes
from napari_d24fad.cohort.place import CohortPlace
from napari_d24fad.cohort.table import CSV_NAME, PARQUET_NAME, check_table_extra
from napari_d24fad.cohort.versions import versions
from napari_d24fad.detection.atlas.names import DIRECTIONS
from napari_d24fad.detection.atlas.names import SCORING as ATLAS
from napari_d24fad.errors import ArgumentError, Code
from napari_d24fad.export.notice import NOTICE
from napari_d24fad.export.report import as_json
from napari_d24fad.network.card import SCORINGS
from napari_d24fad.network.zoo import find_model

if TYPE_CHECKING:
    from napari_d24fad.cohort.work import SessionWork

SCHEMA = "d24fad-cohort-run/1"
_MAY_DIFFER = ("references", "abnormal", "device", "studies")
"""Where things are; of reference sets the hash tells whether they are the same."""

_SHARD = re.compile(r"(\d+)/(\d+)")


def add_options(command: Parser) -> None:
    """Adds the options of ``cohort``."""
    command.add_argument(
        "cases",
        metavar="LIST|FOLDER|QUERY",
        help="text file with a path in each line, table (.csv) with a column path, folder of scans, or "
        "archive:NAME?date=DAY-DAY&modality=NAME",
    )
    command.add_argument(
        "--references", required=True, metavar="SET", help="normal scans saved by: d24fad references save"
    )
    command.add_argument("--abnormal", metavar="SET", help="a set of scans known to be abnormal")
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="which all nodes see")
    where = command.add_mutually_exclusive_group()
    where.add_argument("--workers", type=count, metavar="N", help="so many processes on this machine")
    where.add_argument(
        "--scheduler", metavar="ADDRESS", help="workers of a scheduler of Dask: tls://HOST:PORT"
    )
    where.add_argument("--slurm", metavar="OPTIONS", help="such as jobs=10,cores=4,memory=16GB,queue=gpu")
    where.add_argument(
        "--shard",
        type=_shard,
        metavar="I/N",
        help="only part I of N, in this process: for job arrays",
    )
    for name, what in (("ca", "authority of all nodes"), ("cert", "this program"), ("key", "its key")):
        command.add_argument(f"--tls-{name}", type=Path, metavar="FILE", help=f"--scheduler: PEM, {what}")
    command.add_argument("--resume", action="store_true", help="go on with the cohort in DIR; --shard does")
    command.add_argument("--retry", action="store_true", help="and examine again what was refused")
    command.add_argument("--model", default="compact", metavar="NAME|FILE", help="default: compact")
    command.add_argument("--scoring", choices=(*SCORINGS, ATLAS), help="as for detect; so for the next three")
    command.add_argument("--direction", choices=DIRECTIONS, help="atlas: what is looked for")
    command.add_argument("--window", type=window, metavar="LOW,HIGH", help="CT: HU for black and white")
    command.add_argument("--resample", action="store_true", help="take series with missing or uneven slices")
    command.add_argument("--files", action="store_true", help="write map, overlay and report too")
    add_device(command)
    add_identity(command)
    add_json(command)


def run(arguments: Namespace) -> int:
    """Examines what was not examined yet, and writes table and overview.

    Returns:
        The exit status: `SOME_REFUSED` if some cases of the table have no result.

    Raises:
        D24fadError: Why it cannot begin, or go on.
        KeyboardInterrupt: Its user, or the system, stopped it; ``--resume`` goes on.
    """
    tls = _tls(arguments)
    if arguments.scheduler:
        check_encrypted(arguments.scheduler, tls)
    check_table_extra()
    find_model(arguments.model)
    items = items_of(arguments.cases)
    from napari_d24fad.cohort.running import run_here
    from napari_d24fad.cohort.sending import run_on
    from napari_d24fad.cohort.task import Job, Told  # these import torch

    work = _work(arguments)
    check_writable(arguments.out)
    may_go_on = arguments.resume or arguments.retry or arguments.shard is not None
    setting = {name: value for name, value in asdict(work).items() if name not in _MAY_DIFFER}
    place = CohortPlace.begin(arguments.out, {**setting, **versions()}, resume=may_go_on)
    wanted = {item.key(place.salt): item for item in items}
    if arguments.shard is not None:
        wanted = {key: item for key, item in wanted.items() if arguments.shard.has(key)}
    left = list(_left(place, wanted, retry=arguments.retry))
    job = Job(str(place.folder.absolute()), place.name, work)
    refused = 0
    with ExitStack() as stack:
        stack.enter_context(_stopped_by_system())
        nodes = _nodes(stack, arguments, tls) if left else None
        bar = stack.enter_context(counting_bar(len(wanted), len(wanted) - len(left), "case"))

        def tell(told: Told) -> None:
            nonlocal refused
            refused += bool(told.code)
            bar(f"{refused} refused" if refused else "")

        if nodes is None:
            run_here(job, left, tell)
        else:
            warn(nodes.told)
            run_on(nodes, job, left, tell, warn)
    if not all(place.is_done(item.key(place.salt)) for item in items):
        print("This part is done. Table and overview come with the part that is done last.")
        return 0
    found = gather(place)
    print(_told_as_json(found) if arguments.json else _told(found))
    return SOME_REFUSED if found.refused else 0


def _work(arguments: Namespace) -> SessionWork:
    """Returns what is done with each case: with files by their whole paths, for workers elsewhere."""
    from napari_d24fad.cohort.work import SessionWork, file_sha256, open_set
    from napari_d24fad.session.saved.reference_sets import find_reference_set

    sets = {}
    for name in ("references", "abnormal"):
        stated = getattr(arguments, name)
        path = str(find_reference_set(stated).absolute()) if stated else ""
        sets[name], sets[f"{name}_sha256"] = path, file_sha256(path) if path else ""
        if path:
            open_set(path, sets[f"{name}_sha256"])  # a file that is none is refused now
    archive = archive_of(arguments.cases) if arguments.cases.startswith(PREFIX) else ""
    model = Path(arguments.model)
    return SessionWork(
        **sets,
        model=str(model.absolute()) if model.is_file() else arguments.model,
        device=arguments.device,
        scoring=arguments.scoring,
        direction=arguments.direction,
        ct_window=arguments.window,
        resample=arguments.resample,
        show_identity=arguments.show_identity,
        files=arguments.files,
        archive=archive,
        studies=str((arguments.out / "studies").absolute()) if archive else "",
    )


def _left(place: CohortPlace, wanted: Mapping[str, Item], *, retry: bool) -> Iterator[Item]:
    """Yields the cases that are not done; those without a result again, if that is asked for."""
    for key, item in wanted.items():
        if retry and place.is_done(key) and not place.row(key).is_examined:
            place.drop(key)
        if not place.is_done(key):
            yield item


def _nodes(stack: ExitStack, arguments: Namespace, tls: Tls | None) -> Nodes | None:
    """Starts or finds the workers that are asked for; None for this process alone."""
    if arguments.workers:
        return stack.enter_context(local_nodes(arguments.workers))
    if arguments.scheduler:
        return stack.enter_context(given_nodes(arguments.scheduler, tls))
    if arguments.slurm:
        return stack.enter_context(slurm_nodes(arguments.slurm, arguments.out.absolute()))
    return None


def _tls(arguments: Namespace) -> Tls | None:
    files = [getattr(arguments, f"tls_{name}") for name in ("ca", "cert", "key")]
    if not any(files):
        return None
    if not arguments.scheduler or not all(file is not None and file.is_file() for file in files):
        told = "--tls-ca, --tls-cert and --tls-key are three files, and go with --scheduler."
        raise ArgumentError(Code.BAD_ARGUMENT, told)
    return Tls(*files)


@contextmanager
def _stopped_by_system() -> Iterator[None]:
    """Ends as by Ctrl-C where the system asks for the end, as it does before a job's time is over."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _told(found: Gathered) -> str:
    names = f"{PARQUET_NAME}, {CSV_NAME} and overview.html"
    lines = [*found.said, f"Written: {names}", "Open a case: d24fad open FOLDER ROW", NOTICE]
    return "\n".join(lines)


def _told_as_json(found: Gathered) -> str:
    return as_json(
        {"schema": SCHEMA, "cases": found.cases, "refused": found.refused, "said": list(found.said)}
    )


def _shard(text: str) -> Shard:
    found = _SHARD.fullmatch(text)
    if found is None or not 1 <= int(found[1]) <= int(found[2]):
        raise ArgumentTypeError("expected I/N, such as 3/10")
    return Shard(int(found[1]), int(found[2]))

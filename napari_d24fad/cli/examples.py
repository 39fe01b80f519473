"""``--abnormal``, ``--lesion``, ``--lesion-slices``: scans known to be abnormal, what they show and where."""

from __future__ import annotations

from argparse import ArgumentTypeError, Namespace
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from napari_d24fad.cli.arguments import Parser
from napari_d24fad.cli.region import open_regions
from napari_d24fad.cli.sources import open_marked
from napari_d24fad.errors import ArgumentError, Code
from napari_d24fad.session.request import Example
from napari_d24fad.studies.scan import Problem

Marked = tuple[str, Path]
"""A kind, empty if none was stated, and a path."""

_NONE = "-"


def add_options(command: Parser) -> None:
    """Adds the options of abnormal examples."""
    command.add_argument(
        "--abnormal",
        metavar="[KIND=]PATH",
        nargs="+",
        action="extend",
        default=[],
        type=_marked,
        help="scans known to be abnormal, as examples of what is looked for; each KIND is looked for apart",
    )
    command.add_argument(
        "--lesion",
        type=Path,
        nargs="+",
        default=(),
        metavar="FILE",
        help="where abnormal examples show it: masks, each on the voxels of one of them",
    )
    command.add_argument(
        "--lesion-of",
        type=Path,
        nargs="+",
        default=(),
        metavar="PATH",
        help="the examples that the masks were drawn on, in their order, if several could be",
    )
    command.add_argument(
        "--lesion-slices",
        type=_slices,
        nargs="+",
        default=(),
        metavar="N-N,N",
        help=f"or the slices that show it, from 1, for each example in its order; {_NONE} where not stated",
    )


def check(arguments: Namespace) -> None:
    """Checks that the options go together.

    Raises:
        ArgumentError: They do not.
    """
    for name in ("lesion", "lesion_slices"):
        if getattr(arguments, name) and not arguments.abnormal:
            raise ArgumentError(Code.BAD_ARGUMENT, f"--{name.replace('_', '-')} goes with --abnormal.")
    if arguments.lesion_of and len(arguments.lesion_of) != len(arguments.lesion):
        raise ArgumentError(Code.BAD_ARGUMENT, "--lesion-of names one example for each file of --lesion.")


def open_examples(arguments: Namespace) -> tuple[tuple[Example, ...], tuple[Problem, ...]]:
    """Finds the scans that are marked as abnormal; reads headers of scans, and masks.

    Returns:
        The examples, and what should be known of them.

    Raises:
        D24fadError: See `open_marked` and `open_regions`.
        ArgumentError: Slices are stated for another number of examples.
        PairingError: An example has no slices of these numbers.
    """
    if not arguments.abnormal:
        return (), ()
    groups, problems = open_marked(
        [path for _, path in arguments.abnormal],
        arguments.volume,
        resample=arguments.resample,
        name="Abnormal example",
    )
    found = [
        Example(series, kind)
        for (kind, _), group in zip(arguments.abnormal, groups, strict=True)
        for series in group
    ]
    slices: Sequence[tuple[int, ...] | None] = arguments.lesion_slices
    if slices and len(slices) != len(found):
        detail = f"--lesion-slices is stated {len(slices)} times for {len(found)} abnormal examples."
        raise ArgumentError(Code.BAD_ARGUMENT, detail)
    if slices:
        found = [replace(one, lesion=stated) for one, stated in zip(found, slices, strict=True)]
    for drawn in open_regions(arguments.lesion, arguments.lesion_of, [each.series for each in found]):
        at = next(at for at, each in enumerate(found) if each.series == drawn.series)
        if found[at].lesion is not None:
            detail = f"--lesion and --lesion-slices both tell of abnormal example {at + 1}."
            raise ArgumentError(Code.BAD_ARGUMENT, detail)
        found[at] = replace(found[at], lesion=drawn)
    return tuple(found), problems


def _marked(text: str) -> Marked:
    kind, equals, path = text.partition("=")
    if not equals or not kind.strip() or Path(text).exists():
        return "", Path(text)
    return kind.strip(), Path(path)


def _slices(text: str) -> tuple[int, ...] | None:
    """Reads slices counted from 1, such as ``12-15,20``, as indices from 0."""
    if text == _NONE:
        return None
    found: list[int] = []
    try:
        for part in text.split(","):
            first, _, last = part.partition("-")
            found += range(int(first) - 1, int(last or first))
    except ValueError:
        found = []
    if not found:
        raise ArgumentTypeError(f"expected slices such as 12-15,20, or {_NONE}")
    return tuple(found)

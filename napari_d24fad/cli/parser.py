"""What can be typed after ``d24fad``; each command knows its own options."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from importlib import import_module
from types import ModuleType

from napari_d24fad.cli.arguments import Parser, add_command
from napari_d24fad.version import __version__

COMMANDS = {
    "inspect": "list the series that a folder or file holds",
    "detect": "examine scans against normal references",
    "cohort": "examine many scans, on several workers or nodes, into one table",
    "open": "open results of a cohort, or a session, in napari",
    "export": "write results as DICOM objects of the study: segmentation, map, report, pictures",
    "report": "write the report of a saved session: PDF, HTML and tables of findings",
    "references": "save normal scans as a named set, and list the sets",
    "archives": "set up archives (PACS), list and try them",
    "fetch": "fetch studies from an archive",
    "send": "send DICOM files to an archive",
    "demo": "examine a made-up study and show the result in napari",
    "models": "list, fetch and check models",
    "train": "train a model on folders of normal images",
    "evaluate": "measure a model on folders of labelled images",
    "benchmark": "measure how fast it is on this machine",
}
"""What each does; see `command_module`."""

_ELSEWHERE = {"archives": "archives.setting_up", "fetch": "archives.fetch", "send": "archives.send"}

_EPILOG = """\
exit status:
  0  done                      4  query and references do not fit (P..)
  1  unexpected error (A99)    5  model or device (M..)
  2  arguments (A..)           6  results cannot be written (X..)
  3  study cannot be read (S..)  7  training (T..)
  8  some queries could not be examined, the results of the others were written
  9  a session cannot be opened (R..)
  10  an archive: reaching it, or what it sends (N..)
  11  a cohort cannot be begun or gone on with (C..)
  130  cancelled with Ctrl-C

Errors are one line on stderr: "d24fad: error CODE: what is wrong and what to do".
Research use only. Not for diagnosis.
"""


def command_module(name: str) -> ModuleType:
    """Imports the module of a command: it has its options (``add_options``) and does it (``run``)."""
    return import_module(f"napari_d24fad.cli.{_ELSEWHERE.get(name, name)}")


def read_arguments(argv: Sequence[str]) -> argparse.Namespace:
    """Parses arguments; ``command`` of the result names the module that does the work.

    Raises:
        ArgumentError: They are wrong.
        SystemExit: After ``--help`` and ``--version``.
    """
    words = list(argv)
    if "--window" in words[:-1]:
        # argparse takes "-160,240" for an option unless it is joined to its own.
        at = words.index("--window")
        words[at : at + 2] = [f"--window={words[at + 1]}"]
    return _build_parser(words[0] if words else "").parse_args(words)


def _build_parser(chosen: str) -> Parser:
    parser = Parser(
        prog="d24fad",
        description="Finds where a scan departs from a few normal reference scans.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"napari-d24fad {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, purpose in COMMANDS.items():
        command = add_command(commands, name, purpose)
        if name == chosen:  # the others are not imported
            command_module(name).add_options(command)
    return parser

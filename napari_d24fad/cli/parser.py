"""What can be typed after ``d24fad``; knows nothing of what it does."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from napari_d24fad import __version__
from napari_d24fad.errors import ArgumentError, Code
from napari_d24fad.network.card import SCORINGS

DEFAULT_OUT = Path("d24fad-output")
_COARSEST = 32
_TYPED = re.compile(
    r"(invalid choice): .*(?= \(choose from )|(invalid \w+ value|ignored explicit argument):? .*", re.DOTALL
)
"""What argparse says of an argument that is wrong, and the argument itself."""

_EPILOG = """\
exit status:
  0  done                      4  query and references do not fit (P..)
  1  unexpected error (A99)    5  model or device (M..)
  2  arguments (A..)           6  results cannot be written (X..)
  3  study cannot be read (S..)  7  training (T..)
  130  cancelled with Ctrl-C

Errors are one line on stderr: "d24fad: error CODE: what is wrong and what to do".
Research use only. Not for diagnosis.
"""


class _Parser(argparse.ArgumentParser):
    """Reports wrong arguments as the other errors are: coded, on one line."""

    def error(self, message: str) -> NoReturn:
        # What was typed is not quoted, but for names of options: a path may name a patient.
        stray = message.removeprefix("unrecognized arguments: ")
        if stray != message:
            options = [word.partition("=")[0] for word in stray.split() if word.startswith("-")]
            message = f"not understood: {' '.join(options) or 'something after the last argument'}"
        message = _TYPED.sub(r"\1\2", message)
        raise ArgumentError(Code.BAD_ARGUMENT, f"{message[:1].upper()}{message[1:].rstrip('.')}.")


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
    return _build_parser().parse_args(words)


def _build_parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="d24fad",
        description="Finds where a scan departs from a few normal reference scans.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"napari-d24fad {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    _inspect(_command(commands, "inspect", "list the series that a folder or file holds"))
    _detect(_command(commands, "detect", "examine scans against normal references"))
    _demo(_command(commands, "demo", "examine a made-up study and show the result in napari"))
    _models(_command(commands, "models", "list, fetch and check models"))
    _train(_command(commands, "train", "train a model on folders of normal images"))
    _evaluate(_command(commands, "evaluate", "measure a model on folders of labelled images"))
    _benchmark(_command(commands, "benchmark", "measure how fast it is on this machine"))
    return parser


def _command(commands: argparse._SubParsersAction[_Parser], name: str, purpose: str) -> _Parser:
    command = commands.add_parser(
        name, help=purpose, description=f"{purpose[:1].upper()}{purpose[1:]}.", allow_abbrev=False
    )
    _add_debug(command)
    return command


def _add_debug(command: _Parser) -> None:
    command.add_argument("--debug", action="store_true", help="show where in the code an error arose")


def _add_json(command: _Parser) -> None:
    command.add_argument("--json", action="store_true", help="print JSON instead of text")


def _add_identity(command: _Parser) -> None:
    command.add_argument(
        "--show-identity",
        action="store_true",
        help="show names, IDs and file names, and whole series descriptions; also in what is written",
    )


def _add_device(command: _Parser) -> None:
    command.add_argument(
        "--device", default="auto", help="auto, cpu, cuda or cuda:N (default: auto, CUDA where there is one)"
    )


def _inspect(command: _Parser) -> None:
    command.add_argument("path", metavar="PATH", type=Path, help="DICOM folder or file, NIfTI file or image")
    _add_identity(command)
    _add_json(command)


def _detect(command: _Parser) -> None:
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
    command.add_argument("--model", default="compact", metavar="NAME|FILE", help="default: compact")
    command.add_argument(
        "--scoring", choices=SCORINGS, help="how maps are scored (default: as the model says)"
    )
    command.add_argument(
        "--series", type=int, metavar="N", help="which series of QUERY, as numbered by inspect"
    )
    command.add_argument(
        "--resample",
        action="store_true",
        help="compute slices that are missing or unevenly spaced, instead of refusing the series",
    )
    command.add_argument(
        "--window", type=_window, metavar="LOW,HIGH", help="CT: HU that become black and white"
    )
    _add_device(command)
    command.add_argument(
        "--out", type=Path, default=DEFAULT_OUT, metavar="DIR", help=f"default: {DEFAULT_OUT}"
    )
    _add_identity(command)
    _add_json(command)


def _demo(command: _Parser) -> None:
    command.add_argument(
        "--out", type=Path, default=Path("demo-output"), metavar="DIR", help="default: demo-output"
    )
    command.add_argument(
        "--close", action="store_true", help="close napari when done; without a display it always closes"
    )


def _models(command: _Parser) -> None:
    actions = command.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = _command(actions, "list", "list the models and ImageNet weights that are installed")
    _add_json(listing)
    download = _command(actions, "download", "download the ImageNet weights of a teacher")
    download.add_argument("teacher", metavar="TEACHER", help="resnet18 or wide_resnet50_2")
    importing = _command(actions, "import", "install a model file, or ImageNet weights you have")
    importing.add_argument("file", metavar="FILE", type=Path, help="a .safetensors or a published .pth file")
    verify = _command(actions, "verify", "check a model file against its card")
    verify.add_argument("model", metavar="NAME|FILE")
    convert = _command(actions, "convert", "make a model file of a published D2-4FAD checkpoint")
    convert.add_argument("file", metavar="FILE", type=Path, help="the published .pth")
    convert.add_argument("--out", type=Path, required=True, metavar="FILE", help="a .safetensors file")


def _train(command: _Parser) -> None:
    command.add_argument("data", metavar="DATA", type=Path, help="folder of TASK/normal or TASK/train/good")
    command.add_argument("--out", type=Path, required=True, metavar="FILE", help="a .safetensors file")
    command.add_argument(
        "--recipe", type=Path, metavar="FILE", help="TOML with options, and what the card says of the model"
    )
    command.add_argument(
        "--resume", action="store_true", help="go on from the checkpoint that a stopped training left"
    )
    command.add_argument(
        "--checkpoint-every", type=_count, metavar="N", help="steps between checkpoints (default: 200)"
    )
    # Options without a default here have theirs in training/, where the recipe is; see docs/training.md.
    command.add_argument("--teacher", help="compact (default), resnet18 or wide_resnet50_2")
    command.add_argument("--steps", type=_count, metavar="N", help="optimiser steps")
    command.add_argument("--shots", type=_count, metavar="K", help="support images of an episode")
    command.add_argument("--rate", type=_positive, metavar="X", help="peak learning rate")
    command.add_argument("--procedural", type=_whole, metavar="N", help="made-up tasks to add")
    command.add_argument(
        "--distil-from", type=Path, metavar="NPZ", help="make the compact teacher anew, of a larger one"
    )
    command.add_argument("--distil-steps", type=_count, metavar="N", help="optimiser steps of that")
    command.add_argument("--hold-out", nargs="+", metavar="TASK", help="tasks of DATA never looked at")
    command.add_argument(
        "--validate", nargs="+", metavar="TASK", help="tasks of DATA that only the weights are chosen by"
    )
    command.add_argument(
        "--leave-out",
        action="store_true",
        default=None,
        help="leave out scans that have a problem instead of refusing them",
    )
    command.add_argument(
        "--no-selection", action="store_true", default=None, help="write the last weights, not the best"
    )
    command.add_argument(
        "--published",
        action="store_true",
        default=None,
        help="the paper's loss and optimiser instead of ours, which keep the student from collapsing",
    )
    command.add_argument("--tsd-weight", type=_positive, metavar="X", help="weight of TSD (paper: lambda)")
    command.add_argument("--no-tsd", action="store_true", default=None, help="leave TSD out")
    command.add_argument("--no-ssd", action="store_true", default=None, help="leave SSD out")
    command.add_argument("--no-l2w", action="store_true", default=None, help="weigh all supports equally")
    command.add_argument("--seed", type=_whole, metavar="N", help="default: 0")
    _add_device(command)


def _evaluate(command: _Parser) -> None:
    command.add_argument(
        "data",
        metavar="DATA",
        type=Path,
        help="folder of TASK/{normal,abnormal}[,masks], or TASK/train/good and TASK/test/{good,bad}",
    )
    # No default for options that go with some others only: one that is typed can be told.
    command.add_argument("--model", metavar="NAME|FILE", help="default: compact")
    command.add_argument("--task", nargs="+", default=[], metavar="TASK", help="default: all tasks of DATA")
    command.add_argument(
        "--shots",
        type=_counts,
        default=(2, 4, 8),
        metavar="N,N",
        help="references (default: 2,4,8)",
    )
    command.add_argument("--draws", type=_count, default=5, metavar="N", help="default: 5")
    command.add_argument("--seed", type=_whole, default=0, metavar="N", help="default: 0")
    command.add_argument("--scoring", choices=SCORINGS, help="default: as the model says")
    command.add_argument(
        "--protocol",
        choices=("honest", "published"),
        default="honest",
        help="published repeats the paper's evaluation with its leaks (default: honest)",
    )
    command.add_argument(
        "--out",
        type=Path,
        default=Path("d24fad-evaluation"),
        metavar="DIR",
        help="default: d24fad-evaluation",
    )
    command.add_argument("--no-figures", action="store_true", help="write numbers only, which is faster")
    command.add_argument(
        "--without-tsd",
        metavar="NAME|FILE",
        help="a model trained without TSD, whose student embeddings are shown beside",
    )
    command.add_argument(
        "--reliability",
        action="store_true",
        help="also check stated error rates on normal scans, and what one abnormal reference does",
    )
    command.add_argument(
        "--ablation",
        action="store_true",
        help="instead, measure the default scoring of single images without each of its parts",
    )
    command.add_argument(
        "--leave-out",
        action="store_true",
        help="leave out scans and tasks that have a problem instead of refusing them",
    )
    held_out = command.add_argument_group("held-out tasks")
    held_out.add_argument(
        "--leave-one-task-out",
        action="store_true",
        help="train a model without each task, and measure the task with it, instead of --model",
    )
    held_out.add_argument(
        "--folds", metavar="A+B,C", help="hold these tasks out together instead of one by one"
    )
    held_out.add_argument("--teacher", help="as for train (default: compact)")
    held_out.add_argument("--steps", type=_count, metavar="N", help="as for train (default: 2000)")
    held_out.add_argument(
        "--published",
        action="store_true",
        help="train by the paper's loss and optimiser, on the tasks of DATA alone, and take the last weights",
    )
    held_out.add_argument(
        "--distil-from",
        type=Path,
        metavar="NPZ",
        help="make the compact teacher anew for each model; the embedded one has seen other tasks",
    )
    _add_device(command)
    _add_json(command)


def _benchmark(command: _Parser) -> None:
    command.add_argument(
        "--teacher", default="resnet18", help="architecture of the network (default: resnet18)"
    )
    command.add_argument("--shots", type=_counts, default=(2, 4, 8), metavar="N,N", help="default: 2,4,8")
    command.add_argument("--size", type=_side, default=128, metavar="PX", help="default: 128")
    command.add_argument("--repeats", type=_count, default=5, metavar="N", help="default: 5")
    command.add_argument(
        "--volume",
        type=_count,
        metavar="SLICES",
        help="also measure a CT of so many slices against eight such references, with the embedded model",
    )
    command.add_argument(
        "--volume-teacher",
        action="store_true",
        help="measure that CT with the teacher of --teacher and random weights instead",
    )
    command.add_argument("--plot", type=Path, metavar="PNG", help="also draw images per second")
    _add_device(command)
    _add_json(command)


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError("expected a whole number from 1")
    return int(text)


def _whole(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError("expected a whole number from 0")
    return int(text)


def _side(text: str) -> int:
    size = _count(text)
    if size % _COARSEST:
        raise argparse.ArgumentTypeError(f"expected a multiple of {_COARSEST}")
    return size


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError("expected a number above 0")
    return value


def _counts(text: str) -> tuple[int, ...]:
    return tuple(sorted({_count(part) for part in text.split(",")}))


def _window(text: str) -> tuple[float, float]:
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError("expected two numbers, such as -1350,150") from None
    if not -1e6 < low < high < 1e6:
        raise argparse.ArgumentTypeError("the first number must be lower than the second")
    return low, high

"""What several commands share in their options: types of values, and how wrong ones are told."""

from __future__ import annotations

import argparse
import re
from typing import NoReturn

from napari_d24fad.errors import ArgumentError, Code

_TYPED = re.compile(
    r"(invalid choice): .*(?= \(choose from )|(invalid \w+ value|ignored explicit argument):? .*", re.DOTALL
)
"""What argparse says of an argument that is wrong, and the argument itself."""


class Parser(argparse.ArgumentParser):
    """Reports wrong arguments as the other errors are: coded, on one line."""

    def error(self, message: str) -> NoReturn:
        """Raises an `ArgumentError` that does not quote what was typed: a path may name a patient."""
        stray = message.removeprefix("unrecognized arguments: ")
        if stray != message:
            options = [word.partition("=")[0] for word in stray.split() if word.startswith("-")]
            message = f"not understood: {' '.join(options) or 'something after the last argument'}"
        message = _TYPED.sub(r"\1\2", message)
        raise ArgumentError(Code.BAD_ARGUMENT, f"{message[:1].upper()}{message[1:].rstrip('.')}.")


def add_command(commands: argparse._SubParsersAction[Parser], name: str, purpose: str) -> Parser:
    """Adds a command, or an action of one, with the option that all have.

    Args:
        commands: Of ``add_subparsers``.
        name: As it is typed.
        purpose: What it does, in a few words without a full stop.
    """
    command = commands.add_parser(
        name, help=purpose, description=f"{purpose[:1].upper()}{purpose[1:]}.", allow_abbrev=False
    )
    command.add_argument("--debug", action="store_true", help="show where in the code an error arose")
    return command


def add_json(command: Parser) -> None:
    """Adds ``--json``."""
    command.add_argument("--json", action="store_true", help="print JSON instead of text")


def add_identity(command: Parser) -> None:
    """Adds ``--show-identity``."""
    command.add_argument(
        "--show-identity",
        action="store_true",
        help="show names, IDs and file names, and whole series descriptions; also in what is written",
    )


def add_device(command: Parser) -> None:
    """Adds ``--device``."""
    command.add_argument(
        "--device", default="auto", help="auto, cpu, cuda or cuda:N (default: auto, CUDA where there is one)"
    )


def count(text: str) -> int:
    """Takes a whole number from 1."""
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError("expected a whole number from 1")
    return int(text)


def counts(text: str) -> tuple[int, ...]:
    """Takes whole numbers from 1 with commas between them; each once, the smallest first."""
    return tuple(sorted({count(part) for part in text.split(",")}))


def whole(text: str) -> int:
    """Takes a whole number from 0."""
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError("expected a whole number from 0")
    return int(text)


def wholes(text: str) -> tuple[int, ...]:
    """Takes whole numbers from 0 with commas between them; each once, the smallest first."""
    return tuple(sorted({whole(part) for part in text.split(",")}))


def positive(text: str) -> float:
    """Takes a number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError("expected a number above 0")
    return value


def window(text: str) -> tuple[float, float]:
    """Takes two numbers with a comma between them, the lower first."""
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError("expected two numbers, such as -1350,150") from None
    if not -1e6 < low < high < 1e6:
        raise argparse.ArgumentTypeError("the first number must be lower than the second")
    return low, high

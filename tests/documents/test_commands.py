"""Commands, options, files and targets that the documents name exist."""

from __future__ import annotations

import argparse
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

from napari_d24fad.cli.parser import COMMANDS, _build_parser
from tests.documents.reading import PAGES, REPOSITORY, blocks, commands, in_sentences

OF_OTHER_PROGRAMS = {"--name"}  # of tests.fuzz
_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z0-9-]*")


@cache
def options(command: str) -> frozenset[str]:
    """All options of a command, those of the commands below it too."""
    top = _build_parser(command)
    return frozenset(_options(top)) if not command else frozenset(_options(_below(top)[command]))


def _below(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    return {
        name: other
        for action in parser._actions
        if isinstance(action, argparse._SubParsersAction)
        for name, other in action.choices.items()
    }


def _options(parser: argparse.ArgumentParser) -> set[str]:
    own = {option for action in parser._actions for option in action.option_strings}
    return own.union(*map(_options, _below(parser).values()))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_take_the_options_that_are_written(page: Path) -> None:
    for call in commands(page):
        name = call.split("#")[0].split()[1].strip(",;")
        if name == "COMMAND" or name.startswith("-"):
            continue
        assert name in COMMANDS, call
        unknown = set(_OPTION.findall(call.split(" # ")[0])) - options(name)
        assert not unknown, f"{call}: {unknown}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_options_that_are_named_alone_exist(page: Path) -> None:
    known = frozenset().union(*map(options, COMMANDS)) | OF_OTHER_PROGRAMS
    named = {
        option for code in in_sentences(page) if code.startswith("--") for option in _OPTION.findall(code)
    }
    assert named <= known, named - known


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_modules_and_targets_that_are_named_exist(page: Path) -> None:
    code = [*in_sentences(page), *(line for block in blocks(page) for line in block.text.splitlines())]
    for one in code:
        for target in re.findall(r"^make ([a-z]+)", one):
            assert re.search(rf"^{target}:", (REPOSITORY / "Makefile").read_text(), re.MULTILINE), one
        for module in re.findall(r"python -m (tests[\w.]*)", one):
            assert find_spec(module), one
        for path in re.findall(r"(?:^|\s)((?:napari_d24fad|tests|docs|resources|\.ci)/[\w./-]*\w)", one):
            assert (REPOSITORY / path).exists(), one
        # Modules that a page about one room names without the name of the package.
        if re.fullmatch(
            r"(?:studies|anatomy|detection|evaluation|viewer|session|export|network)/[\w/]+(?:\.py)?", one
        ):
            assert (REPOSITORY / "napari_d24fad" / one).exists(), one


def test_every_option_is_in_the_documents() -> None:
    text = " ".join(page.read_text(encoding="utf-8") for page in PAGES)
    for command in COMMANDS:
        missing = [
            option for option in options(command) if not re.search(re.escape(option) + r"(?![\w-])", text)
        ]
        assert not [option for option in missing if option.startswith("--")], command


def test_the_readme_stays_short_and_begins_with_what_it_is_for() -> None:
    lines = (REPOSITORY / "README.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) < 120
    assert lines.index("## A first walk") < lines.index("## Measured")

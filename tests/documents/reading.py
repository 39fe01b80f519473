"""What the documents hold: blocks of code, and code within sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PAGES = sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")])
_FENCE = re.compile(r"^```(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A block of code of a page; its language is empty where it is not stated."""

    page: str
    language: str
    text: str


def blocks(page: Path) -> Iterator[Block]:
    """The blocks between fences, then those that are indented by four spaces after an empty line."""
    name, text = str(page.relative_to(REPOSITORY)), page.read_text(encoding="utf-8")
    for language, body in _FENCE.findall(text):
        yield Block(name, language, body)
    for body in re.findall(r"(?<=\n\n)(?:    .*\n|\n(?=    ))+", _FENCE.sub("", text)):
        yield Block(name, "", re.sub(r"^    ", "", body, flags=re.MULTILINE))


def in_sentences(page: Path) -> list[str]:
    """Code within sentences and tables."""
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    return re.findall(r"`([^`\n]+)`", text)


def commands(page: Path) -> list[str]:
    """Every call of ``d24fad`` on a page, in blocks (with the lines that go on with it) and in sentences."""
    found = []
    for block in blocks(page):
        for line in block.text.splitlines():
            if line.startswith("d24fad "):
                found.append(line)
            elif found and re.match(r" {2,}\S", line):
                found[-1] += line
    return [*found, *(code for code in in_sentences(page) if code.startswith("d24fad "))]

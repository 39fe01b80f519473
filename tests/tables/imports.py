"""Which room of the package imports which, read from the code; what docs/architecture.md draws."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "napari_d24fad"
Graph = Mapping[str, frozenset[str]]


def modules() -> Graph:
    """For each module and package, such as ``"studies.scan"``, those that it imports anywhere in its code."""
    paths = {_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}
    return {
        name: frozenset(_known(wanted, paths) for wanted in _imports(path)) - {name, ""}
        for name, path in paths.items()
    }


def rooms() -> Graph:
    """The same for folders alone: which room imports from which."""
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    found: dict[str, set[str]] = {room: set() for room in sorted(folders)}
    for name, imported in modules().items():
        room = name.partition(".")[0]
        if room in folders:
            found[room] |= {other.partition(".")[0] for other in imported} & folders - {room}
    return {room: frozenset(imported) for room, imported in found.items()}


def circle(graph: Graph) -> list[str]:
    """Returns a way along imports that ends where it began; empty if there is none."""
    done: set[str] = set()

    def walk(at: str, way: list[str]) -> list[str]:
        if at in way:
            return [*way[way.index(at) :], at]
        if at in done:
            return []
        for following in sorted(graph[at]):
            if found := walk(following, [*way, at]):
                return found
        done.add(at)
        return []

    return next((found for start in graph if (found := walk(start, []))), [])


def purpose(room: str) -> str:
    """The first sentence of the docstring of a room."""
    text = ast.get_docstring(ast.parse((PACKAGE / room / "__init__.py").read_text(encoding="utf-8"))) or ""
    return text.partition("\n")[0]


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _known(wanted: str, paths: Mapping[str, Path]) -> str:
    """The module that an import names, or the one that has what it names; empty if it is not ours."""
    package, _, name = wanted.partition(".")
    if package != PACKAGE.name:
        return ""
    while name and name not in paths:
        name = name.rpartition(".")[0]
    return name


def _name(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

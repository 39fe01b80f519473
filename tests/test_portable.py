"""What is run when a module is imported exists on every system, or collecting the tests would fail there."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
POSIX_ONLY = {"fork", "geteuid", "getuid", "killpg", "mkfifo", "setuid"}
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def at_import(node: ast.AST) -> Iterator[ast.AST]:
    """Everything below a node that is run by importing it: bodies of functions are not, decorators are."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, FUNCTIONS):
            yield from at_import(child)
        elif not isinstance(child, ast.Lambda):
            for decorator in child.decorator_list:
                yield decorator
                yield from at_import(decorator)


def missing_elsewhere(source: str) -> list[str]:
    found = []
    for statement in ast.parse(source).body:
        text = ast.unparse(statement).replace("'", '"')
        for node in at_import(ast.Module([statement], [])):
            if isinstance(node, ast.Attribute) and node.attr in POSIX_ONLY:
                is_asked_for = f'hasattr(os, "{node.attr}")' in text
                found += [] if is_asked_for or ast.unparse(node.value) != "os" else [node.attr]
    return found


def test_nothing_is_asked_of_the_system_that_only_some_have() -> None:
    assert missing_elsewhere("@skipif(os.geteuid() == 0)\ndef test(): os.fork()") == ["geteuid"]
    assert missing_elsewhere('a = not hasattr(os, "geteuid") or os.geteuid() == 0') == []
    wrong = {}
    for folder in ("napari_d24fad", "tests"):
        for path in (REPOSITORY / folder).rglob("*.py"):
            if found := missing_elsewhere(path.read_text(encoding="utf-8")):
                wrong[str(path.relative_to(REPOSITORY))] = found
    assert wrong == {}

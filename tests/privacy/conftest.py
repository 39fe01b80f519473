"""Everything that a run leaves behind or says, to be searched for the mark."""

from __future__ import annotations

import logging
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.cli.conftest import model  # noqa: F401 - a fixture
from tests.privacy.marked import found_in, found_in_files
from tests.viewer.conftest import dock, settle  # noqa: F401 - fixtures

_WRITES = {"os.mkdir", "os.rename", "tempfile.mkdtemp", "tempfile.mkstemp", "os.symlink", "os.link"}
_watching: list[str] = []
_watches = False


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    """Notes the name of every file that is written or made, temporary ones included."""
    if not _watches:
        return
    if event == "open":
        path, mode, flags = arguments
        if (isinstance(mode, str) and set(mode) & set("wxa+")) or (isinstance(flags, int) and flags & 0o103):
            _watching.append(str(path))
    elif event in _WRITES:
        _watching.extend(str(argument) for argument in arguments if isinstance(argument, str | bytes | Path))


sys.addaudithook(_watch)


@dataclass(slots=True)
class Traces:
    """Where a run may leave traces.

    Attributes:
        home: Folder for caches, settings and temporary files of the run.
        out: Folder for its results.
        said: What it printed, logged or showed.
    """

    home: Path
    out: Path
    said: list[str] = field(default_factory=list)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Does not watch what the test itself writes."""
        global _watches
        _watches = False
        yield
        _watches = True

    def leaks(self) -> list[str]:
        """Returns every trace that says whose the study is."""
        spoken = [text for text in self.said if found_in(text)]
        written = [path for path in _watching if found_in(path)]
        return [*spoken, *written, *found_in_files([self.home, self.out])]


class _Everything(logging.Handler):
    def __init__(self, said: list[str]) -> None:
        super().__init__(logging.NOTSET)
        self._said = said

    def emit(self, record: logging.LogRecord) -> None:
        self._said.append(self.format(record))


@pytest.fixture
def traces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Traces]:
    """Collects what is logged at any level, and the names of all files that are written meanwhile."""
    global _watches
    found = Traces(tmp_path / "home", tmp_path / "out")
    found.home.mkdir()
    found.out.mkdir()
    for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "D24FAD_CACHE"):
        monkeypatch.setenv(name, str(found.home))
    monkeypatch.setattr(tempfile, "tempdir", str(found.home))
    root = logging.getLogger()
    handler = _Everything(found.said)
    # Libraries would say more if they were asked to; loggers with a level of their own are asked.
    loggers = [root, *(logging.getLogger(name) for name in ("pydicom", "highdicom", "nibabel", "PIL"))]
    levels = [each.level for each in loggers]
    root.addHandler(handler)
    for each in loggers:
        each.setLevel(logging.DEBUG)
    _watching.clear()
    _watches = True
    yield found
    _watches = False
    root.removeHandler(handler)
    for each, level in zip(loggers, levels, strict=True):
        each.setLevel(level)

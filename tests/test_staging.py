"""Whose half-written files are whose: living writers keep theirs, those of dead ones are found."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from pathlib import Path

import pytest

from napari_d24fad.atomic import atomic_file, atomic_folder, recover
from napari_d24fad.staging import abandoned, staging_name


def dead_process() -> int:
    return int(
        subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], stdout=subprocess.PIPE).stdout
    )


def named(process: int, machine: str = "", name: str = "map.nii.gz") -> str:
    """A staging name of another process, or of another machine."""
    _, program, own, _, random, *rest = staging_name(name).replace(".d24fad", "-d24fad", 1).split("-")
    return "-".join([f".{program}", machine or own, str(process), random, *rest])


def test_names_keep_suffixes_and_tell_no_machine() -> None:
    name = staging_name("map.nii.gz")
    assert Path(name).suffixes[-2:] == [".nii", ".gz"]
    assert name.startswith(".d24fad-")
    assert platform.node() not in name
    assert staging_name("a") != staging_name("a")


def test_only_what_nobody_writes_any_more_is_abandoned(tmp_path: Path) -> None:
    dead = dead_process()
    files = {
        named(os.getpid()): False,
        named(dead): True,
        named(dead, name=""): True,
        named(os.getpid(), machine="0" * 8): False,
        named(dead, machine="1" * 8): False,
        ".d24fad-notes": False,
        "map.nii.gz": False,
    }
    for name in files:
        (tmp_path / name).touch()
    # A process that has the number of the writer, but was started after the last write.
    reused = named(os.getpid())
    (tmp_path / reused).touch()
    os.utime(tmp_path / reused, (1e9, 1e9))
    # Another machine's, untouched for two days.
    old = named(dead, machine="2" * 8)
    (tmp_path / old).touch()
    two_days_ago = time.time() - 2 * 24 * 60 * 60
    os.utime(tmp_path / old, (two_days_ago, two_days_ago))
    expected = {name for name, gone in files.items() if gone} | {reused, old}
    assert {path.name for path in abandoned(tmp_path)} == expected
    recover(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == files.keys() - expected


def test_two_writers_of_one_file_do_not_disturb_each_other(tmp_path: Path) -> None:
    target = tmp_path / "map.nii.gz"
    with atomic_file(target) as first:
        first.write_text("first")
        with atomic_file(target) as second, atomic_folder(tmp_path) as folder:
            second.write_text("second")
            (folder / "other").write_text("other")
        assert target.read_text() == "second"
    assert target.read_text() == "first"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["map.nii.gz", "other"]


@pytest.mark.parametrize("place", ["not/there", "\0"])
def test_recovering_where_nothing_can_be_is_no_error(tmp_path: Path, place: str) -> None:
    recover(tmp_path / place)


@pytest.mark.parametrize(
    ("journal", "put_back"),
    [
        ('{"replaced": ["map"], "added": ["report"]}', True),
        ('{"replaced": ["../map"], "added": ["../precious"]}', False),
        ('{"replaced": [".."], "added": ["/"]}', False),
        ('{"replaced": 3}', False),
        ("[]", False),
        ("{", False),
    ],
)
def test_what_was_half_replaced_is_put_back_and_nothing_beyond_the_folder(
    tmp_path: Path, journal: str, put_back: bool
) -> None:
    (tmp_path / "precious").write_text("kept")
    folder = tmp_path / "out"
    staging = folder / named(dead_process(), name="")
    for part in ("new", "old"):
        (staging / part).mkdir(parents=True)
    (staging / "old" / "map").write_text("old")
    (folder / "map").write_text("new")
    (folder / "report").write_text("new")
    (staging / "journal.json").write_text(journal)
    recover(folder)
    left = {path.name: path.read_text() for path in folder.iterdir()}
    assert left == ({"map": "old"} if put_back else {"map": "new", "report": "new"})
    assert (tmp_path / "precious").read_text() == "kept"

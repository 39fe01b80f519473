"""Nothing half-written stays, and nothing that was there is lost."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from napari_d24fad.atomic import atomic_file, atomic_folder, check_writable
from napari_d24fad.errors import Code, ExportError
from tests.posix import needs_permissions


def everything(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def fail_while_writing(folder: Path) -> None:
    with atomic_folder(folder) as new:
        (new / "one").write_text("1")
        raise RuntimeError


def write_two(folder: Path) -> None:
    with atomic_folder(folder) as new:
        (new / "one").write_text("new")
        (new / "two").write_text("new")


def interrupt_while_writing(file: Path) -> None:
    with atomic_file(file) as staged:
        staged.write_text("half")
        raise KeyboardInterrupt


def test_a_file_appears_complete_with_its_suffixes_and_usual_permissions(tmp_path: Path) -> None:
    target = tmp_path / "map.nii.gz"
    target.write_text("old")
    with atomic_file(target) as staged:
        assert staged.suffixes == [".nii", ".gz"]
        assert staged.parent == tmp_path
        staged.write_text("new")
        assert target.read_text() == "old"
    assert target.read_text() == "new"
    assert everything(tmp_path) == ["map.nii.gz"]
    plain = tmp_path / "plain"
    plain.touch()
    assert stat.S_IMODE(target.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


def test_a_failed_file_leaves_the_old_one(tmp_path: Path) -> None:
    target = tmp_path / "map.nii.gz"
    target.write_text("old")
    with pytest.raises(KeyboardInterrupt):
        interrupt_while_writing(target)
    assert target.read_text() == "old"
    assert everything(tmp_path) == ["map.nii.gz"]


def test_the_reason_of_the_system_is_told_without_the_path(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ExportError) as caught, atomic_file(tmp_path / "file" / "map.nii.gz") as staged:
        staged.write_text("x")
    assert caught.value.code is Code.CANNOT_WRITE
    assert "Not a directory" in caught.value.detail
    assert str(tmp_path) not in str(caught.value)


def test_a_folder_with_its_parents_is_made_and_filled_together(tmp_path: Path) -> None:
    target = tmp_path / "a" / "b"
    with atomic_folder(target) as new:
        (new / "one").write_text("1")
        assert list(target.glob("one")) == []
        (new / "two").write_text("2")
    assert everything(tmp_path) == ["a", "a/b", "a/b/one", "a/b/two"]
    assert (target / "one").read_text() == "1"


def test_a_failed_folder_was_never_there(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError):
        fail_while_writing(tmp_path / "a" / "b")
    assert everything(tmp_path) == []


def test_other_files_of_the_folder_stay_and_same_names_are_replaced(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("mine")
    (tmp_path / "one").write_text("old")
    with atomic_folder(tmp_path) as new:
        (new / "one").write_text("new")
    assert everything(tmp_path) == ["notes", "one"]
    assert (tmp_path / "one").read_text() == "new"


def test_a_folder_in_the_place_of_a_file_stops_all_of_them(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("old")
    (tmp_path / "two" / "inside").mkdir(parents=True)
    with pytest.raises(ExportError, match="Is a directory"):
        write_two(tmp_path)
    assert everything(tmp_path) == ["one", "two", "two/inside"]
    assert (tmp_path / "one").read_text() == "old"


def test_a_replacement_that_fails_half_way_is_undone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "one").write_text("old")
    rename = Path.replace

    def fail_at_two(self: Path, target: Path) -> Path:
        if self.name == "two" and self.parent.name == "new":
            raise OSError(28, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", fail_at_two)
    with pytest.raises(ExportError, match="No space left"):
        write_two(tmp_path)
    assert everything(tmp_path) == ["one"]
    assert (tmp_path / "one").read_text() == "old"


@pytest.mark.parametrize("place", ["", "not/yet/there"])
def test_asking_whether_a_folder_is_writable_leaves_no_trace(tmp_path: Path, place: str) -> None:
    check_writable(tmp_path / place)
    assert everything(tmp_path) == []


def test_a_place_below_a_file_is_not_writable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ExportError) as caught:
        check_writable(tmp_path / "file" / "out" / "deeper")
    assert caught.value.code is Code.CANNOT_WRITE
    assert everything(tmp_path) == ["file"]


@needs_permissions
def test_a_folder_without_write_permission_is_not_writable(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(ExportError, match="Permission denied"):
            check_writable(tmp_path / "out")
    finally:
        tmp_path.chmod(0o700)

"""The window of archives, as a user works with it, with a real Orthanc."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog, QInputDialog

from napari_d24fad.archives.found import FoundSeries
from napari_d24fad.archives.kept import archives, keep_archive
from napari_d24fad.archives.passwords import keep_password
from napari_d24fad.archives.unfinished import ASIDE, note
from napari_d24fad.errors import Code
from napari_d24fad.viewer.archives.archiving import Archiving
from napari_d24fad.viewer.archives.setup_dialog import SetupDialog
from napari_d24fad.viewer.open_bar import OpenBar
from tests.archives.conftest import Memory, network, orthanc  # noqa: F401 - fixtures
from tests.archives.orthanc import PASSWORD, Orthanc
from tests.archives.studies import OTHER_SERIES, OTHER_STUDY, SERIES, STUDY, ct_slice, write_slices
from tests.studies.phantom import save
from tests.viewer.study_in_dock import click


@pytest.fixture
def ring() -> Iterator[Memory]:
    before = keyring.get_keyring()
    memory = Memory()
    keyring.set_keyring(memory)
    yield memory
    keyring.set_keyring(before)


@pytest.fixture(scope="module")
def filled(orthanc: Orthanc, tmp_path_factory: pytest.TempPathFactory) -> Orthanc:  # noqa: F811
    folder = tmp_path_factory.mktemp("filled")
    files = write_slices(folder / "a", 6, pixels=64) + write_slices(folder / "b", 3, series=OTHER_SERIES)
    files += write_slices(folder / "c", 3, study=OTHER_STUDY, series="2.25.7010")
    orthanc.fill(files)
    return orthanc


@pytest.fixture
def opened() -> list[Path]:
    """What was asked to be opened."""
    return []


@pytest.fixture
def archiving(
    qtbot, filled: Orthanc, ring: Memory, opened: list[Path], tmp_path: Path
) -> Iterator[Archiving]:
    bar = OpenBar()
    qtbot.addWidget(bar)
    bar.show()
    bar.open_requested.connect(opened.extend)
    keep_archive(filled.web)
    made = Archiving(bar, bar)
    click(qtbot, bar.archive_button)
    assert made.dialog.isVisible()
    made.dialog.folder.setText(str(tmp_path / "kept"))
    yield made
    made.discard()


def settle(qtbot, archiving: Archiving) -> None:
    qtbot.waitUntil(lambda: not archiving.is_busy, timeout=60_000)


def search(qtbot, archiving: Archiving, **typed: str) -> None:
    for key, text in typed.items():
        archiving.dialog.form.fields[key].setText(text)
    qtbot.keyClick(archiving.dialog.form.fields["name"], Qt.Key.Key_Return)
    settle(qtbot, archiving)


def test_search_choose_retrieve_and_send(
    qtbot,
    archiving: Archiving,
    ring: Memory,
    opened: list[Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dialog = archiving.dialog
    asked: list[str] = []

    def type_password(parent: object, title: str, question: str, echo: object) -> tuple[str, bool]:
        asked.append(question)
        return (PASSWORD if len(asked) > 1 else "wrong"), True

    monkeypatch.setattr(QInputDialog, "getText", type_password)
    click(qtbot, dialog.form.button)
    assert "Type what to search for" in dialog.message.text()
    search(qtbot, archiving, name="Archive*")
    assert len(asked) == 2, "a wrong password is asked for again"
    assert PASSWORD in ring.kept.values()
    tree = dialog.tree
    assert tree.topLevelItemCount() == 2
    rows = {tree.topLevelItem(row).data(0, Qt.ItemDataRole.UserRole).uid: row for row in range(2)}
    study = tree.topLevelItem(rows[STUDY])
    assert [study.text(column) for column in range(5)] == [
        "Archive One", "archive-1", "2026-11-30", "Chest", "CT"
    ]  # fmt: skip
    study.setExpanded(True)
    settle(qtbot, archiving)
    assert study.childCount() == 2
    assert {one.uid for one in tree.chosen} == {SERIES, OTHER_SERIES}
    qtbot.waitUntil(lambda: not study.child(0).icon(0).isNull(), timeout=30_000)
    for row in range(2):
        if study.child(row).data(0, Qt.ItemDataRole.UserRole).uid == OTHER_SERIES:
            study.child(row).setCheckState(0, Qt.CheckState.Unchecked)
    assert [one.uid for one in tree.chosen] == [SERIES]

    pictures: list[object] = []
    archiving.image_read.connect(lambda *read: pictures.append(read))
    click(qtbot, dialog.retrieve_button)
    settle(qtbot, archiving)
    assert "6 images were retrieved" in dialog.message.text()
    assert len(pictures) == 1, "the first image is seen before the last has come"
    (folder,) = opened
    assert folder.parent == tmp_path / "kept"
    assert len(list(folder.rglob("*.dcm"))) == 6

    # priors of the same patient
    for key in dialog.form.fields.values():
        key.clear()
    click(qtbot, dialog.same_button)
    settle(qtbot, archiving)
    assert dialog.form.fields["patient_id"].text() == "archive-1"
    assert tree.topLevelItemCount() == 2

    new = [
        save(ct_slice(number, study="2.25.7020", series="2.25.7021"), tmp_path / f"{number}.dcm")
        for number in (1, 2)
    ]
    other = ct_slice(1)
    other.PixelData = bytes(len(other.PixelData))
    changed = save(other, tmp_path / "changed.dcm")
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_: ([str(file) for file in new], ""))
    click(qtbot, dialog.send_button)
    settle(qtbot, archiving)
    assert dialog.message.text() == "2 files are in the archive; 2 were read back and are the same."
    archiving.send([*new, changed])
    settle(qtbot, archiving)
    assert "1 of 3 are not as they were sent" in dialog.message.text()
    rows = [[dialog.sent.rows.topLevelItem(row).text(column) for column in range(3)] for row in range(3)]
    assert [row[1] for row in rows[:2]] == ["In the archive: read back, the same"] * 2
    assert rows[2][0] == "changed.dcm"
    assert "holds something else" in rows[2][1]
    assert rows[2][2] == f"{SERIES}.1"


def test_a_cancel_says_so_and_opens_nothing(
    qtbot, archiving: Archiving, ring: Memory, opened: list[Path], filled: Orthanc, tmp_path: Path
) -> None:
    keep_password(filled.web, PASSWORD)
    search(qtbot, archiving, patient_id="archive-1")
    archiving.dialog.tree.topLevelItem(0).setExpanded(True)
    settle(qtbot, archiving)
    click(qtbot, archiving.dialog.retrieve_button)
    assert archiving.is_busy
    assert not archiving.dialog.form.button.isEnabled()
    qtbot.keyClick(archiving.dialog, Qt.Key.Key_Escape)
    settle(qtbot, archiving)
    assert archiving.dialog.isVisible(), "Escape stops first"
    assert archiving.dialog.message.text() == "Stopped."
    assert opened == []


def test_retrievals_of_another_day_go_on_one_after_the_other(
    qtbot, archiving: Archiving, ring: Memory, opened: list[Path], filled: Orthanc, tmp_path: Path
) -> None:
    keep_password(filled.web, PASSWORD)
    for number, (study, series) in enumerate(((STUDY, OTHER_SERIES), (OTHER_STUDY, "2.25.7010"))):
        place = tmp_path / "kept" / f"{ASIDE}{number}"
        place.mkdir(parents=True)
        note(place, "web", [FoundSeries(study, series, instances=3)])
    (tmp_path / "kept" / f"{ASIDE}damaged").mkdir()
    (tmp_path / "kept" / f"{ASIDE}damaged" / "retrieval.json").write_text('{"schema": ')
    archiving.dialog.folder_changed.emit()
    assert archiving.dialog.resume_button.text() == "Resume 2 unfinished"
    click(qtbot, archiving.dialog.resume_button)
    settle(qtbot, archiving)
    assert len(opened) == 2
    assert [len(list(folder.rglob("*.dcm"))) for folder in opened] == [3, 3]
    assert not list((tmp_path / "kept").rglob("study-*/retrieval.json"))


def test_an_archive_is_set_up_changed_and_forgotten(qtbot, archiving: Archiving, ring: Memory) -> None:
    dialog = archiving.dialog

    def setup(button) -> SetupDialog:
        click(qtbot, button)
        (found,) = [one for one in dialog.findChildren(SetupDialog) if one.isVisible()]
        return found

    one = setup(dialog.new_button)
    click(qtbot, one.save_button)
    assert "name of an archive" in one.message.text()
    one.name.setText("far")
    one.url.setText("http://192.0.2.1/dicom-web")
    click(qtbot, one.save_button)
    assert "would not be encrypted" in one.message.text()
    assert one.isVisible()
    one.url.setText("https://192.0.2.1/dicom-web")
    one.user.setText("reader")
    one.password.setText("ZZSECRETZZ")
    click(qtbot, one.save_button)
    assert not one.isVisible()
    assert [archive.name for archive in archives()] == ["far", "web"]
    assert dialog.archive == "far"
    assert list(ring.kept.values()) == ["ZZSECRETZZ"]
    changed = setup(dialog.change_button)
    assert (changed.url.text(), changed.password.text()) == ("https://192.0.2.1/dicom-web", "")
    changed.user.setText("other")
    click(qtbot, changed.save_button)
    assert archives()[0].user == "other"
    click(qtbot, dialog.remove_button)
    assert [archive.name for archive in archives()] == ["web"]
    assert dialog.archive == "web"


def test_what_goes_wrong_is_said_with_its_code(qtbot, archiving: Archiving, ring: Memory) -> None:
    from dataclasses import replace

    keep_archive(replace(archives()[0], url="http://127.0.0.1:9/dicom-web", user=""))
    search(qtbot, archiving, patient_id="archive-1")
    assert archiving.dialog.message.text().startswith(Code.UNREACHABLE.code)

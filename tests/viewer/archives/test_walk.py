"""A whole walk in the viewer: from an archive and back to it, by clicks, with a real Orthanc."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

import highdicom
import numpy as np
import pytest
from pydicom import dcmread
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDialog, QFileDialog

from napari_d24fad.archives.found import FoundSeries
from napari_d24fad.archives.kept import keep_archive
from napari_d24fad.archives.passwords import keep_password
from napari_d24fad.viewer.dock import DetectionDock
from napari_d24fad.viewer.sessions.exporting import KindsDialog
from tests.archives.conftest import Memory, network, orthanc, ring  # noqa: F401 - fixtures
from tests.archives.heads import LESION_STUDY, write_head
from tests.archives.hostile import Hostile, multipart, serving
from tests.archives.orthanc import PASSWORD, Orthanc
from tests.archives.studies import SERIES, STUDY, ct_slice, encoded
from tests.viewer.study_in_dock import click

# Sockets of connections that are broken off here are left to Python by pynetdicom and urllib3.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
Settle = Callable[[DetectionDock], None]


class User:
    """Works with the window of archives."""

    def __init__(self, qtbot, dock: DetectionDock, settle: Settle, folder: Path) -> None:
        self._qtbot, self._dock, self._settle = qtbot, dock, settle
        click(qtbot, dock._open_bar.archive_button)
        self.dialog = dock.archiving.dialog
        self.dialog.folder.setText(str(folder))

    def wait(self) -> None:
        self._qtbot.waitUntil(lambda: not self._dock.archiving.is_busy, timeout=60_000)
        self._settle(self._dock)

    def search(self, key: str, text: str) -> None:
        for field in self.dialog.form.fields.values():
            field.clear()
        self.dialog.form.fields[key].setText(text)
        click(self._qtbot, self.dialog.form.button)
        self.wait()

    def open_study(self, uid: str) -> None:
        for row in range(self.dialog.tree.topLevelItemCount()):
            item = self.dialog.tree.topLevelItem(row)
            if item.data(0, Qt.ItemDataRole.UserRole).uid == uid:
                self.dialog.tree.setCurrentItem(item)
                item.setExpanded(True)
        self.wait()

    def retrieve(self) -> None:
        click(self._qtbot, self.dialog.retrieve_button)


@pytest.fixture
def slow() -> Iterator[tuple[Hostile, Event]]:
    """A server that sends the first of three images, and the others only when it is told to."""
    go_on = Event()

    def body() -> Iterator[bytes]:
        for number, piece in enumerate(multipart([encoded(ct_slice(one)) for one in (1, 2, 3)])):
            if number == 1:
                yield piece[:60]  # with the delimiter, that the first one has ended
                go_on.wait(60)
                piece = piece[60:]
            yield piece

    with serving(Hostile(listed=[f"{SERIES}.{one}" for one in (1, 2, 3)], body=body)) as peer:
        yield peer, go_on
        go_on.set()


def test_the_first_image_is_on_the_canvas_before_the_last_has_come(
    qtbot, dock: DetectionDock, settle: Settle, slow: tuple[Hostile, Event], tmp_path: Path
) -> None:
    peer, go_on = slow
    keep_archive(peer.archive)
    user = User(qtbot, dock, settle, tmp_path / "kept")
    overlay = dock.viewer.canvas.overlays.text
    user.search("patient_id", "archive-1")
    user.open_study(STUDY)
    user.retrieve()
    qtbot.waitUntil(lambda: dock.layers.shown is not None, timeout=30_000)
    early = dock.layers.shown
    assert early is not None
    assert dock.archiving.is_busy
    np.testing.assert_array_equal(early.scan.voxels[0], ct_slice(1).pixel_array - 1024.0)
    assert "Series not complete: first image" in overlay.text
    # It is nowhere else: nothing is half-imported, and a stop takes it away.
    assert dock.gallery.series == ()
    assert not list((tmp_path / "kept").glob("study-*"))
    qtbot.keyClick(user.dialog, Qt.Key.Key_Escape)
    user.wait()
    assert dock.layers.shown is None
    assert not overlay.visible
    # After a restart nothing is known of it but what is in the folder.
    user.search("patient_id", "archive-1")
    assert user.dialog.resume_button.text() == "Resume 1 unfinished"
    click(qtbot, user.dialog.resume_button)
    qtbot.waitUntil(lambda: dock.layers.shown is not None, timeout=30_000)
    go_on.set()
    user.wait()
    qtbot.waitUntil(lambda: not dock.looking.is_busy, timeout=30_000)
    assert dock.layers.shown is not None
    assert dock.layers.shown.scan.n_slices == 3
    assert "not complete" not in overlay.text
    assert "slice 2 of 3" in overlay.text
    assert len(dock.gallery.series) == 1
    assert not user.dialog.resume_button.isVisible()


def test_a_finding_goes_back_to_the_archive(
    qtbot,
    dock: DetectionDock,
    settle: Settle,
    orthanc: Orthanc,  # noqa: F811
    ring: Memory,  # noqa: F811
    kept_features: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    orthanc.fill(file for number in range(4) for file in write_head(tmp_path / "made", number))
    keep_archive(orthanc.web)
    keep_password(orthanc.web, PASSWORD)
    user = User(qtbot, dock, settle, tmp_path / "kept")
    user.search("date", "20261201")
    assert user.dialog.tree.topLevelItemCount() == 4
    for number in range(4):
        user.open_study(f"2.25.76{number}")
        user.retrieve()
        user.wait()
    # The first one that was opened is the one to examine; the others are marked as references.
    for series in dock.gallery.series:
        if series is not dock.gallery.query:
            click(qtbot, dock.gallery.card(series).normal_box)
    click(qtbot, dock.run_panel.run_button)
    settle(dock)
    qtbot.waitUntil(lambda: not dock.result_view.is_busy, timeout=60_000)
    dock.results.regions.setCurrentCell(0, 0)
    click(qtbot, dock.results.verdict_bar.accept_button)

    def choose(dialog: KindsDialog) -> QDialog.DialogCode:
        for kind, box in dialog.boxes.items():
            box.setChecked(kind == "seg")
        dialog.to_archive.setChecked(True)
        return QDialog.DialogCode.Accepted

    user.dialog.close()
    monkeypatch.setattr(KindsDialog, "exec", choose)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path / "objects"))
    click(qtbot, dock.results.dicom_button)
    settle(dock)
    assert user.dialog.isVisible(), dock.run_panel.message
    sent = user.dialog.sent
    assert (sent.rows.topLevelItem(0).text(0), sent.button.text()) == ("segmentation.dcm", "Send 1 file")
    click(qtbot, sent.button)
    user.wait()
    assert sent.rows.topLevelItem(0).text(1) == "In the archive: read back, the same"
    assert not sent.button.isVisible()

    user.dialog.folder.setText(str(tmp_path / "again"))
    user.search("patient_id", "walk-0")
    user.open_study(LESION_STUDY)
    found: list[FoundSeries] = user.dialog.tree.chosen
    assert sorted(one.modality for one in found) == ["MR", "SEG"]
    user.retrieve()
    user.wait()
    back = {True: [], False: []}  # type: ignore[var-annotated]
    for file in (tmp_path / "again").rglob("*.dcm"):
        dataset = dcmread(file)
        back[dataset.Modality == "SEG"].append(dataset)
    source = highdicom.get_volume_from_series(back[False])
    segmentation = highdicom.seg.Segmentation.from_dataset(back[True][0])
    over = segmentation.get_volume(segment_numbers=[1], combine_segments=True).match_geometry(source)
    finding, examination = dock.result_view.verdicts.findings.finding(1), dock.examination
    assert finding.mask is not None
    assert examination is not None
    # Each voxel by its place in the patient: both stacks may run the other way.
    laid_over = places(np.argwhere(np.asarray(over.array) > 0), source.affine)
    assert laid_over
    assert laid_over == places(finding.mask.places, examination.scan.affine)


def places(voxels: np.ndarray, affine: np.ndarray) -> set[tuple[float, ...]]:
    """The places of voxels in LPS millimetres."""
    return {tuple(np.round(place, 2) + 0.0) for place in voxels @ affine[:3, :3].T + affine[:3, 3]}

"""The result that is shown is saved as DICOM objects from the dock, and nothing is replaced unasked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from qtpy.QtWidgets import QDialog, QFileDialog, QMessageBox

from napari_d24fad.viewer.dock import DetectionDock
from napari_d24fad.viewer.sessions.exporting import KindsDialog
from tests.heads import AFFINE, GRID, head
from tests.studies import phantom
from tests.viewer.results.examining import examine
from tests.viewer.study_in_dock import click


def write_study(folder: Path) -> Path:
    """A made-up head with a lesion and three normal ones, as DICOM series of four patients."""
    spacing = tuple(np.linalg.norm(AFFINE[:3, :3], axis=0))
    for number in range(4):
        voxels = head(number, lesion=number == 0).voxels.astype(np.int16)
        datasets = phantom.slice_datasets(grid=GRID, spacing=spacing, series_uid=f"2.25.{number + 1}")
        for index, each in enumerate(datasets):
            each.PixelData = voxels[index].tobytes()
            each.PatientID, each.StudyInstanceUID = f"patient {number}", f"2.25.5{number}"
        phantom.write_series(folder / ("query" if number == 0 else f"normal-{number}"), datasets)
    return folder


def test_objects_of_the_study_are_saved(
    qtbot,
    dock: DetectionDock,
    settle: Callable[[DetectionDock], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    examine(dock, settle, write_study(tmp_path / "study"))
    qtbot.waitUntil(lambda: not dock.result_view.is_busy, timeout=60_000)
    dock.results.regions.setCurrentCell(0, 0)
    click(qtbot, dock.results.verdict_bar.accept_button)
    out = tmp_path / "objects"
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(out))
    asked: list[str] = []

    def accept(dialog: KindsDialog) -> QDialog.DialogCode:
        asked.append(" ".join(box.text() for box in dialog.boxes.values() if box.isChecked()))
        dialog.boxes["sc"].setChecked(False)
        return QDialog.DialogCode.Accepted

    monkeypatch.setattr(KindsDialog, "exec", accept)
    click(qtbot, dock.results.dicom_button)
    settle(dock)
    assert "Parametric Map" in asked[0]
    assert "Label Map" not in asked[0]
    message = dock.run_panel.message
    assert message.startswith("Saved: segmentation.dcm, map.dcm, report.dcm.")
    assert str(tmp_path) not in message
    assert {path.name for path in out.iterdir()} == {"segmentation.dcm", "map.dcm", "report.dcm"}
    segments = pydicom.dcmread(out / "segmentation.dcm")
    assert (segments.PatientID, len(segments.SegmentSequence)) == ("patient 0", 1)
    finding = dock.result_view.verdicts.findings.finding(1)
    assert finding.mask is not None
    assert segments.pixel_array.sum() == finding.mask.voxels.sum()

    def accept_unnamed(dialog: KindsDialog) -> QDialog.DialogCode:
        dialog.without_identity.setChecked(True)
        return accept(dialog)

    monkeypatch.setattr(KindsDialog, "exec", accept_unnamed)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path / "unnamed"))
    click(qtbot, dock.results.dicom_button)
    settle(dock)
    assert f"and {GRID[0]} files of the scan" in dock.run_panel.message
    assert pydicom.dcmread(tmp_path / "unnamed" / "map.dcm").PatientID.startswith("ANON-")

    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(out))
    monkeypatch.setattr(QMessageBox, "warning", lambda *_: QMessageBox.StandardButton.No)
    before = (out / "map.dcm").read_bytes()
    click(qtbot, dock.results.dicom_button)
    settle(dock)
    assert dock.run_panel.message == "Nothing was saved."
    assert (out / "map.dcm").read_bytes() == before
    monkeypatch.setattr(QMessageBox, "warning", lambda *_: QMessageBox.StandardButton.Yes)
    click(qtbot, dock.results.dicom_button)
    settle(dock)
    qtbot.waitUntil(lambda: dock.run_panel.message.startswith("Saved:") and not dock.jobs.is_busy)
    assert (out / "map.dcm").read_bytes() != before

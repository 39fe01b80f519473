"""The widget and napari's own Open on marked studies: texts, titles, layers, notifications, files."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.utils.notifications import notification_manager
from pydicom import dcmread
from qtpy.QtCore import QAbstractItemModel, QAbstractListModel, QModelIndex, Qt
from qtpy.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QComboBox,
    QFileDialog,
    QMessageBox,
    QTabBar,
    QWidget,
)

from napari_d24fad.errors import Code
from napari_d24fad.export.stamp import Picture, Stamp, stamp
from napari_d24fad.viewer.dock import DetectionDock
from napari_d24fad.viewer.gallery.roles import Role
from napari_d24fad.viewer.readers import get_reader
from tests.privacy.conftest import Traces
from tests.privacy.marked import MARK, found_in, write_dicom, write_nifti

_TEXTS = (
    "text",
    "title",
    "toolTip",
    "statusTip",
    "whatsThis",
    "windowTitle",
    "accessibleName",
    "accessibleDescription",
    "placeholderText",
    "toPlainText",
    "currentText",
)
_ROLES = (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.StatusTipRole)


def shown_texts() -> Iterator[str]:
    """Every text of every widget of the application, hidden ones included."""
    for widget in QApplication.allWidgets():
        for name in _TEXTS:
            if callable(getattr(widget, name, None)) and not isinstance(widget, QTabBar):
                yield str(getattr(widget, name)())
        if isinstance(widget, QTabBar):
            yield from (widget.tabText(at) for at in range(widget.count()))
        if isinstance(widget, QAbstractItemView | QComboBox):
            yield from _item_texts(widget.model())
        yield from (action.text() for action in widget.actions())


def _item_texts(model: QAbstractItemModel | None, below: QModelIndex | None = None) -> Iterator[str]:
    below = below or QModelIndex()
    for row in range(0 if model is None else model.rowCount(below)):
        # Qt hides the number of columns of a list.
        for column in range(1 if isinstance(model, QAbstractListModel) else model.columnCount(below)):
            index = model.index(row, column, below)
            yield from (str(model.data(index, role)) for role in _ROLES)


def told_by_napari(viewer: Any) -> Iterator[str]:
    yield viewer.title
    yield str(viewer.status)
    yield viewer.canvas.overlays.text.text
    for layer in viewer.layers:
        yield layer.name
        yield repr(layer)
        yield repr(layer.metadata)
        yield repr(layer.source)
        yield str(layer.get_status(position=(0,) * layer.ndim))
    for notification in notification_manager.records:
        yield str(notification)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """Four marked heads below a folder with the mark in its name, and a damaged file."""
    folder = tmp_path / f"{MARK} study"
    for seed in range(3):
        write_dicom(folder, seed, lesion=seed == 0)
    write_nifti(folder, 3)
    (folder / f"{MARK}.dcm").write_bytes(b"\0" * 128 + b"DICM" + b"\2\0\0\0" * 9)
    return folder


def examine(qtbot: Any, widget: DetectionDock, settle: Any) -> None:
    dicom = [series for series in widget.gallery.series if series.kind == "DICOM"]
    for series in dicom[1:]:
        qtbot.mouseClick(widget.gallery.card(series).normal_box, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(widget.gallery.card(dicom[0]).examine_button, Qt.MouseButton.LeftButton)
    widget.run()
    settle(widget)


def test_nothing_in_the_viewer_says_whose_the_study_is(
    qtbot: Any,
    dock: DetectionDock,
    settle: Any,
    study: Path,
    traces: Traces,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pages: list[Stamp] = []

    def draw(picture: Picture, marks: Stamp) -> Picture:
        pages.append(marks)
        return stamp(picture, marks)

    for module in ("export.overlay", "export.stamp"):
        monkeypatch.setattr(f"napari_d24fad.{module}.stamp", draw)
    dock.open([study])
    settle(dock)
    assert len(dock.gallery.series) == 4
    assert "1 file" in dock.run_panel.message  # what was left out is said
    traces.said += shown_texts()
    examine(qtbot, dock, settle)
    assert dock.examination is not None
    dock.results.why_section.set_unfolded(True)
    qtbot.waitUntil(lambda: not dock.result_view.is_busy, timeout=60_000)
    dock.save_picture(traces.out / "picture.png")
    settle(dock)
    dock.save_results(traces.out)
    settle(dock)
    assert {path.name for path in traces.out.iterdir()} >= {"picture.png", "report.json", "anomaly.nii.gz"}
    traces.said += [*shown_texts(), *told_by_napari(dock._viewer), *map(str, pages)]
    traces.said += map(
        repr,
        (dock.examination, dock.examination.request, *dock.gallery.series, dock.gallery.series[0].outline),
    )
    assert len(pages) == 2
    # And what goes wrong: files that vanished, a study that is not there, a place that takes no files.
    with traces.aside():
        shutil.rmtree(study)
    nifti = next(series for series in dock.gallery.series if series.kind == "NIfTI")
    dock.gallery.set_role(nifti, Role.QUERY)
    dock.run()
    settle(dock)
    assert "S01" in dock.run_panel.message or "S02" in dock.run_panel.message
    dock.open([study / f"no {MARK}"])
    settle(dock)
    assert "S01" in dock.run_panel.message
    dock.save_results(traces.out / "report.json" / "new")
    settle(dock)
    assert "X01" in dock.run_panel.message
    traces.said += [*shown_texts(), *told_by_napari(dock._viewer)]
    assert len(traces.said) > 500
    assert traces.leaks() == []


def test_identity_is_shown_on_demand(
    qtbot: Any,
    dock: DetectionDock,
    settle: Any,
    study: Path,
) -> None:
    dock._open_bar.identity_box.setChecked(True)
    dock.open([study])
    settle(dock)
    texts = "\n".join(shown_texts())
    assert f"{MARK}^Jane, {MARK}0, T1 {MARK}^Jane 1947-08-17" in texts
    assert f"{MARK}-3.nii.gz" in texts
    examine(qtbot, dock, settle)
    assert MARK in dock._viewer.layers[0].name


def test_layers_of_naparis_own_open_carry_no_identity(
    make_napari_viewer_proxy: Any, study: Path, traces: Traces
) -> None:
    viewer = make_napari_viewer_proxy()
    reader = get_reader(str(study))
    assert reader is not None
    for data, settings, kind in reader(str(study)):
        assert kind == "image"
        viewer.add_image(data, **settings)
    assert len(viewer.layers) == 4
    broken = study / f"{MARK}.dcm"
    assert get_reader(str(broken))(str(broken)) == [(None,)]
    traces.said += told_by_napari(viewer)
    assert traces.leaks() == []


@pytest.fixture
def burned_in(study: Path) -> Path:
    for file in (study / f"{MARK}-0").iterdir():
        dataset = dcmread(file)
        dataset.BurnedInAnnotation = "YES"
        dataset.save_as(file)
    return study


def test_the_user_is_asked_before_a_picture_with_burned_in_text_is_saved(
    qtbot: Any,
    dock: DetectionDock,
    settle: Any,
    burned_in: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []
    answers = {False: QMessageBox.StandardButton.No, True: QMessageBox.StandardButton.Yes}
    agrees = False

    def ask(parent: QWidget, title: str, text: str, *buttons: object) -> object:
        asked.append(text)
        return answers[agrees]

    dialogs: list[str] = []

    def choose(parent: QWidget, title: str, *more: str) -> Any:
        dialogs.append(title)
        return ("", "") if more else ""

    monkeypatch.setattr(QMessageBox, "warning", ask)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", choose)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", choose)
    dock.open([burned_in])
    settle(dock)
    marked = [series for series in dock.gallery.series if Code.BURNED_IN in {p.code for p in series.problems}]
    assert len(marked) == 1
    assert "S30" in dock.gallery.card(marked[0]).toolTip()
    examine(qtbot, dock, settle)
    buttons = (dock.results.picture_button, dock.results.files_button)
    for button in buttons:
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert (len(asked), dialogs) == (2, [])
    agrees = True
    for button in buttons:
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert (len(asked), dialogs) == (4, ["Save the picture", "Save the results to a folder"])
    assert asked[0].startswith("S30: ")
    assert found_in("".join(asked)) == []
    assert np.isfinite(dock.examination.anomaly.score)

"""Opens the study of the tests in the widget and marks its references, as a user does."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import Qt

from napari_d24fad.studies.series import Series
from napari_d24fad.viewer.dock import DetectionDock
from napari_d24fad.viewer.gallery.gallery import Gallery
from tests.heads import GRID, LESION

LESION_SHOWN = range(GRID[0] - LESION[0].stop, GRID[0] - LESION[0].start)  # slices run down the patient


def by_place(gallery: Gallery) -> dict[str, Series]:
    return {series.source.parent.name: series for series in gallery.series}


def open_and_mark(qtbot, dock: DetectionDock, settle, folder: Path, references: int = 3) -> None:
    """Opens the study and clicks as a user does."""
    dock.open([folder])
    settle(dock)
    series = by_place(dock.gallery)
    for number in range(1, references + 1):
        card = dock.gallery.card(series[f"reference-{number}"])
        qtbot.mouseClick(card.normal_box, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(dock.gallery.card(series["query"]).examine_button, Qt.MouseButton.LeftButton)


def click(qtbot, button) -> None:
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def wait_until_exact(qtbot, dock: DetectionDock) -> None:
    qtbot.waitUntil(lambda: not dock.live.is_busy and not dock.jobs.is_busy, timeout=120_000)

"""Opens a study folder in the widget and examines its query."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from napari_d24fad.viewer.dock import DetectionDock
from napari_d24fad.viewer.gallery.roles import Role


def examine(dock: DetectionDock, settle: Callable[[DetectionDock], None], folder: Path) -> None:
    """Takes the series in the folder query as the one to examine, all others as references."""
    dock.open([folder])
    settle(dock)
    for series in dock.gallery.series:
        query = "query" in (series.source.name, series.source.parent.name)
        dock.gallery.set_role(series, Role.QUERY if query else Role.REFERENCE)
    dock.run()
    settle(dock)
    assert dock.run_panel.message == "", dock.run_panel.message

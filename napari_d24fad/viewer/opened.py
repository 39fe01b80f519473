"""A viewer with a session in its dock, for ``d24fad open``."""

from __future__ import annotations

from pathlib import Path

import napari

from napari_d24fad.viewer.find_anomalies import FindAnomalies


def open_in(viewer: napari.Viewer, path: Path) -> FindAnomalies:
    """Opens the dock in a viewer, and a session in the dock, without a new run.

    Args:
        viewer: The viewer.
        path: The session; if it comes from somebody else, the dock asks before its scans are opened.
    """
    frame = FindAnomalies(viewer)
    viewer.window.add_dock_widget(frame, name="Find anomalies", area="right")
    frame.dock.open([path])
    return frame


def show_session(path: Path) -> None:
    """Shows a session in a new viewer; returns when it is closed."""
    open_in(napari.Viewer(), path)
    napari.run()

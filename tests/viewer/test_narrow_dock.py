"""Everything in the dock fits its least width."""

from __future__ import annotations

from pathlib import Path

from napari_d24fad.viewer.dock import DetectionDock
from napari_d24fad.viewer.gallery.roles import Role


def test_everything_fits_the_narrowest_dock(dock: DetectionDock) -> None:
    dock.results.why_section.set_unfolded(True)
    dock.results.show()
    inside = dock.minimumWidth() - 32  # margins and the scroll bar
    for part in (dock.run_panel, dock.results, dock.results.why):
        assert part.minimumSizeHint().width() <= inside, type(part).__name__


def test_a_marked_card_fits_the_narrowest_dock(dock: DetectionDock, settle, study_folder: Path) -> None:
    dock.open([study_folder])
    settle(dock)
    series = dock.gallery.series[0]
    dock.gallery.set_role(series, Role.REFERENCE)
    card = dock.gallery.card(series)
    assert card.share_box.isVisible()
    assert card.abnormal_box.isVisible()
    assert card.minimumSizeHint().width() <= dock.minimumWidth() - 32
    dock.gallery.set_role(series, Role.ABNORMAL)
    card.example.set_lesion((1, 2), series)
    assert card.minimumSizeHint().width() <= dock.minimumWidth() - 32
    card.example.set_marking(series)
    assert card.minimumSizeHint().width() <= dock.minimumWidth() - 32

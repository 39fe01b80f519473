"""Series that are shown while the search for others goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from qtpy.QtWidgets import QLabel

from napari_d24fad.progress import CancelToken
from napari_d24fad.studies import listing
from napari_d24fad.studies.study import open_study
from napari_d24fad.viewer.dock import DetectionDock
from napari_d24fad.viewer.gallery.roles import Role
from napari_d24fad.viewer.gallery.section import GallerySection
from tests.studies.test_disc import SERIES, disc


def test_a_series_keeps_its_role_when_all_are_found(dock: DetectionDock, tmp_path: Path) -> None:
    disc(tmp_path)
    early, found = open_study(tmp_path).series[:2], open_study(tmp_path).series
    dock.filling.found_early.emit(CancelToken(), early)
    assert dock.gallery.series == early
    dock.gallery.set_role(early[1], Role.REFERENCE)
    dock.gallery.set_role(early[0], Role.QUERY)
    dock.filling.add_study(found)
    assert dock.gallery.series == found
    assert dock.gallery.references == (found[1],)
    assert dock.gallery.query is found[0]


def _titles(dock: DetectionDock) -> dict[str, list[str]]:
    """The titles of the sections, and the numbers of the series below each."""
    sections = dock.gallery.findChildren(GallerySection)
    return {
        section.findChild(QLabel).text(): [card.series.identity.series_uid[-1] for card in section.cards]
        for section in sections
    }


def test_patients_of_a_disc_are_set_apart(dock: DetectionDock, tmp_path: Path) -> None:
    disc(tmp_path, directory=True, patients=("A", "B", "A", "B"))
    found = open_study(tmp_path).series
    early = found[::2]  # one of each patient
    dock.filling.found_early.emit(CancelToken(), early)
    dock.gallery.set_role(early[0], Role.REFERENCE)
    dock.gallery.set_role(early[1], Role.QUERY)
    again = open_study(tmp_path).series
    dock.filling.add_study(again)
    assert _titles(dock) == {
        "Study 1, patient 1: 2 series": ["4", "2"],
        "Study 1, patient 2: 2 series": ["3", "1"],
    }
    assert dock.gallery.references == (again[0],)
    assert dock.gallery.query is again[2]


def test_what_was_found_stays_when_the_search_is_stopped(dock: DetectionDock, tmp_path: Path) -> None:
    early = open_study(disc(tmp_path)).series[:1]
    dock.filling.found_early.emit(CancelToken(), early)
    dock.jobs.ended.emit()
    assert dock.gallery.series == early
    dock.filling.add_study(open_study(tmp_path).series)
    assert len(dock.gallery.series) == 1 + SERIES


def test_what_is_heard_after_the_search_was_stopped_is_passed_over(
    dock: DetectionDock, tmp_path: Path
) -> None:
    early, stopped = open_study(disc(tmp_path)).series[:1], CancelToken()
    stopped.cancel()
    dock.jobs.ended.emit()
    dock.filling.found_early.emit(stopped, early)
    assert dock.gallery.series == ()


def test_opening_tells_early(
    dock: DetectionDock,
    settle: Callable[[DetectionDock], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listing, "_EARLY_S", 0)
    told: list[object] = []
    dock.filling.found_early.connect(lambda _, series: told.append(series))
    dock.open([disc(tmp_path)])
    settle(dock)
    assert len(told) == 1
    assert len(dock.gallery.series) == SERIES
    assert [one.number for one in dock.gallery.series] == [1, 2, 3, 4]

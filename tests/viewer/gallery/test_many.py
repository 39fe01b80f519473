"""A long list comes in portions, which the user does not wait for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from napari_d24fad.session.opening import open_paths
from napari_d24fad.studies.series import Series
from napari_d24fad.viewer.canvas.scans import ScanLayers
from napari_d24fad.viewer.gallery.card import SeriesCard
from napari_d24fad.viewer.gallery.column import _PORTION
from napari_d24fad.viewer.gallery.filling import _FIRST, GalleryFilling
from napari_d24fad.viewer.gallery.gallery import Gallery
from napari_d24fad.viewer.gallery.roles import Role

COUNT = 33


def test_a_long_list_comes_in_portions(qtbot, make_napari_viewer_proxy, tmp_path: Path) -> None:
    viewer = make_napari_viewer_proxy()
    series = _films(tmp_path)
    gallery = Gallery()
    qtbot.addWidget(gallery)
    filling = GalleryFilling(viewer, gallery, ScanLayers(viewer))
    filling.add_study(series, at_once=False)
    assert gallery.series == series[:_FIRST]
    assert filling.is_busy
    gallery.set_role(series[1], Role.REFERENCE)  # nobody waits for the others
    kept = gallery.card(series[1])
    qtbot.waitUntil(lambda: not filling.is_busy, timeout=30_000)
    assert gallery.series == series
    assert gallery.card(series[1]) is kept
    assert gallery.references == (series[1],)
    assert not gallery.card(series[-1]).picture.pixmap().isNull()

    filling.close_studies()
    filling.add_study(series, at_once=False)
    filling.close_studies()
    qtbot.wait(50)
    assert gallery.series == (), "cards of a study that is closed went on coming"
    filling.discard()


def test_thumbnails_come_though_the_study_behind_is_closed(
    qtbot, make_napari_viewer_proxy, tmp_path: Path
) -> None:
    viewer = make_napari_viewer_proxy()
    first, second = _films(tmp_path / "first"), _films(tmp_path / "second")
    gallery = Gallery()
    qtbot.addWidget(gallery)
    filling = GalleryFilling(viewer, gallery, ScanLayers(viewer))
    filling.add_study(first, at_once=False)
    filling.add_study(second, at_once=False)
    while first[-1] not in gallery.series:
        filling._show_more()
    filling._close_study(filling._titles[-1])
    picture = gallery.card(first[-1]).picture
    # PyQt5 has no pixmap where there is none, PyQt6 an empty one.
    qtbot.waitUntil(lambda: picture.pixmap() is not None and not picture.pixmap().isNull(), timeout=30_000)
    assert gallery.series == first
    filling.discard()


def _films(folder: Path) -> tuple[Series, ...]:
    folder.mkdir(exist_ok=True)
    for number in range(COUNT):
        pixels = np.random.default_rng(number).integers(0, 255, (8, 8), np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:02}.png")
    return open_paths([folder]).series


def test_pointing_out_one_of_many_restyles_two(qtbot, tmp_path: Path, monkeypatch) -> None:
    for number in range(5):
        Image.fromarray(np.full((8, 8), number, np.uint8)).save(tmp_path / f"{number}.png")
    series = open_paths([tmp_path]).series
    gallery = Gallery()
    qtbot.addWidget(gallery)
    gallery.set_section("films", series)
    gallery.point_out(series[1])
    restyled = []
    monkeypatch.setattr(SeriesCard, "_restyle", lambda card: restyled.append(card.series))
    gallery.point_out(series[3])
    assert restyled == [series[1], series[3]]


def test_cards_of_a_long_list_come_back_in_portions(qtbot, tmp_path: Path) -> None:
    for number in range(2 * _PORTION + 5):
        Image.fromarray(np.full((8, 8), number, np.uint8)).save(tmp_path / f"{number:03}.png")
    series = open_paths([tmp_path]).series
    gallery = Gallery()
    qtbot.addWidget(gallery)
    gallery.set_section("films", series)

    def listed() -> int:
        return sum(not card.isHidden() for card in gallery.cards)

    qtbot.waitUntil(lambda: listed() == len(series))
    gallery.tools.search.setText("no such film")
    assert listed() == 0
    gallery.tools.search.setText("")
    assert listed() == _PORTION, "the first are there at once"
    assert [card.isHidden() for card in gallery.cards] == sorted(card.isHidden() for card in gallery.cards)
    gallery.tools.search.setText("no such film")
    qtbot.wait(20)
    assert listed() == 0, "cards came after the search had left them out"
    gallery.tools.search.setText("")
    qtbot.waitUntil(lambda: listed() == len(series))

"""The wheel over a thumbnail leafs through slices, and scrolls the list where the pointer only passes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QEnterEvent, QWheelEvent

from napari_d24fad.studies.scan import Scan
from napari_d24fad.viewer.gallery import thumbnail
from napari_d24fad.viewer.gallery.gallery import Gallery
from napari_d24fad.viewer.gallery.layer_series import LayerSeries
from napari_d24fad.viewer.gallery.leafing import Leafing
from napari_d24fad.viewer.gallery.sorting import Order
from tests.viewer.gallery.conftest import series


def turn(widget, notches: int) -> bool:
    """Turns the wheel over a widget towards the user; returns whether it took the turn for itself."""
    middle = QPointF(widget.rect().center())
    event = QWheelEvent(
        middle,
        QPointF(widget.mapToGlobal(widget.rect().center())),
        QPoint(),
        QPoint(0, -120 * notches),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    event.setAccepted(False)
    widget.wheelEvent(event)
    return bool(event.isAccepted())


def test_the_wheel_leafs_where_the_pointer_rests(
    qtbot, gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    voxels = np.zeros((5, 8, 8), np.float32)
    for at in range(5):
        voxels[at, : at + 2] = 100
    volume = LayerSeries(outline=Scan(voxels, np.eye(4)), source=Path(), data=voxels)
    gallery.set_section("Study 2", [volume])
    leafing, picture = Leafing(gallery), gallery.card(volume).picture
    picture.enterEvent(QEnterEvent(*[QPointF()] * 3))
    assert not turn(picture, 1), "the pointer has only come: the list scrolls on"
    monkeypatch.setattr(thumbnail, "HOVER_SECONDS", 0.0)
    assert turn(picture, 1)
    assert picture.place == "reading…"
    assert turn(picture, 1)
    qtbot.waitUntil(lambda: not leafing.is_busy)
    assert picture.place == "5/5"
    last = picture.pixmap().toImage()
    for _ in range(2):
        assert turn(picture, -3), "also at the ends the list stays"
    assert picture.place == "1/5"
    assert picture.pixmap().toImage() != last
    flat = gallery.card(gallery.series[0])
    flat.picture.is_volume = False
    assert not turn(flat.picture, 1), "of one slice there is nothing to leaf through"


def test_cards_are_found_sorted_and_selected(qtbot, gallery: Gallery) -> None:
    first, second, third, last = gallery.series
    other = series(9, outline=Scan(np.zeros((3, 8, 8), np.float32), np.eye(4), modality="CT"))
    gallery.set_section("Study 2", [other])
    assert gallery.series == (first, second, third, last, other)
    gallery.tools.search.setText("ct STUDY")
    assert [card.series for card in gallery.cards if not card.isHidden()] == [other]
    gallery.tools.search.setText("nothing of this")
    assert all(card.isHidden() for card in gallery.cards)
    gallery.tools.search.clear()
    assert not any(card.isHidden() for card in gallery.cards)
    gallery.tools.choice.setCurrentIndex(list(Order).index(Order.MODALITY))
    assert gallery.series == (other, first, second, third, last)
    gallery.tools.choice.setCurrentIndex(0)
    assert gallery.series == (first, second, third, last, other)
    card = gallery.card(second)
    with qtbot.assertNotEmitted(gallery.look_requested), qtbot.waitSignal(gallery.listed_changed):
        qtbot.mouseClick(card, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier)
    assert card.is_selected
    qtbot.keyClick(card, Qt.Key.Key_S)
    assert not card.is_selected
    numbered = series(5).numbered(12)
    gallery.set_section("Study 3", [numbered])
    assert gallery.card(numbered).name == "12. Head 5"

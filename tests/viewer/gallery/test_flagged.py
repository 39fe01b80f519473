"""References that differ from the others, and series that are pointed out."""

from __future__ import annotations

import pytest
from qtpy.QtCore import Qt

from napari_d24fad.studies.series import Series
from napari_d24fad.viewer.gallery.gallery import Gallery
from napari_d24fad.viewer.gallery.roles import Role
from tests.viewer.gallery.conftest import series


@pytest.fixture
def flagged(gallery: Gallery) -> Series:
    """The last series of many is a reference that differs from the others."""
    gallery.set_section("Study 1", [series(number) for number in range(12)])
    for one in gallery.series[-3:]:
        gallery.set_role(one, Role.REFERENCE)
    last = gallery.series[-1]
    gallery.show_checks({last: "Reference 3 differs.", gallery.series[-2]: ""})
    return last


def test_flagged_reference_is_in_sight_with_its_reason(qtbot, gallery: Gallery, flagged: Series) -> None:
    card = gallery.card(flagged)
    assert card.flag.isVisible()
    assert card.flag.text == "Reference 3 differs."
    assert not gallery.card(gallery.series[-2]).flag.isVisible()

    def in_sight() -> bool:
        bottom = card.flag.mapTo(gallery, card.flag.rect().bottomLeft()).y()
        return 0 < bottom < gallery.height()

    qtbot.waitUntil(in_sight)


def test_reference_is_left_out_and_taken_back(qtbot, gallery: Gallery, flagged: Series) -> None:
    flag = gallery.card(flagged).flag
    with qtbot.waitSignal(gallery.roles_changed):
        qtbot.mouseClick(flag.leave_out_button, Qt.MouseButton.LeftButton)
    assert len(gallery.references) == 2
    assert flag.text.startswith("Left out")
    assert not flag.leave_out_button.isVisible()
    with qtbot.waitSignal(gallery.roles_changed):
        qtbot.mouseClick(flag.keep_button, Qt.MouseButton.LeftButton)
    assert gallery.references[-1] is flagged
    # The choice was made: the next run does not ask again.
    gallery.show_checks({flagged: "Reference 3 differs."})
    assert flag.text.startswith("Kept")


def test_kept_reference_needs_no_other_run(qtbot, gallery: Gallery, flagged: Series) -> None:
    flag = gallery.card(flagged).flag
    with qtbot.assertNotEmitted(gallery.roles_changed):
        qtbot.mouseClick(flag.keep_button, Qt.MouseButton.LeftButton)
    assert flagged in gallery.references
    assert flag.leave_out_button.isVisible()
    gallery.set_role(flagged, Role.QUERY)
    assert not flag.isVisible()


def test_pointed_out_series_is_set_off_and_in_sight(qtbot, gallery: Gallery, flagged: Series) -> None:
    first = gallery.series[0]

    def background() -> int:
        card = gallery.card(first)
        return card.grab().toImage().pixelColor(card.width() - 8, 8).blue()

    plain = background()
    gallery.point_out(first)
    assert background() > plain + 10
    qtbot.waitUntil(lambda: gallery.card(first).visibleRegion().boundingRect().height() > 40)
    gallery.point_out(flagged)
    assert background() == plain

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_d24fad.errors import Code, StudyError
from napari_d24fad.studies.scan import Problem, Scan
from napari_d24fad.viewer.gallery.gallery import Gallery
from napari_d24fad.viewer.gallery.roles import Role
from tests.viewer.gallery.conftest import series

GREEN, AMBER, RED = (0x35, 0xC4, 0x6A), (0xFF, 0xB0, 0x20), (0xFF, 0x4D, 0x4D)


def frame_colour(gallery: Gallery, index: int) -> tuple[int, int, int]:
    card = gallery.card(gallery.series[index])
    pixel = card.grab().toImage().pixelColor(card.width() // 2, 0)
    return pixel.red(), pixel.green(), pixel.blue()


def click(qtbot, gallery: Gallery, index: int) -> None:
    qtbot.mouseClick(gallery.card(gallery.series[index]).normal_box, Qt.MouseButton.LeftButton)


def test_a_click_marks_and_unmarks(qtbot, gallery: Gallery) -> None:
    click(qtbot, gallery, 2)
    assert gallery.references == (gallery.series[2],)
    assert frame_colour(gallery, 2) == GREEN
    assert frame_colour(gallery, 1) != GREEN
    click(qtbot, gallery, 2)
    assert gallery.references == ()
    assert frame_colour(gallery, 2) != GREEN


def test_counts_references(qtbot, gallery: Gallery) -> None:
    assert gallery.count_text == "0 of 2-8 normal references; choose one scan to examine"
    for index in range(3):
        click(qtbot, gallery, index)
    assert gallery.count_text.startswith("3 of 2-8 normal references")
    gallery.set_role(gallery.series[3], Role.QUERY)
    assert gallery.count_text == "3 of 2-8 normal references"


def test_one_scan_is_examined_at_a_time(qtbot, gallery: Gallery) -> None:
    for index in (0, 3):
        qtbot.mouseClick(gallery.card(gallery.series[index]).examine_button, Qt.MouseButton.LeftButton)
    assert gallery.query is gallery.series[3]
    assert not gallery.card(gallery.series[0]).examine_button.isChecked()
    assert frame_colour(gallery, 3) == AMBER


def test_click_on_the_picture_asks_to_look_and_marks_nothing(qtbot, gallery: Gallery) -> None:
    card = gallery.card(gallery.series[1])
    with qtbot.waitSignal(gallery.look_requested) as asked:
        qtbot.mouseClick(card.picture, Qt.MouseButton.LeftButton)
    assert asked.args == [gallery.series[1]]
    with qtbot.waitSignal(gallery.look_requested):
        qtbot.keyClick(card.normal_box, Qt.Key.Key_Return)
    assert gallery.references == ()


def test_double_click_examines(qtbot, gallery: Gallery) -> None:
    picture = gallery.card(gallery.series[1]).picture
    qtbot.mouseClick(picture, Qt.MouseButton.LeftButton)
    qtbot.mouseDClick(picture, Qt.MouseButton.LeftButton)
    assert gallery.query is gallery.series[1]
    assert gallery.references == ()


def test_scan_to_examine_is_no_reference(qtbot, gallery: Gallery) -> None:
    first = gallery.series[0]
    gallery.set_role(first, Role.REFERENCE)
    gallery.set_role(first, Role.QUERY)
    assert gallery.references == ()
    click(qtbot, gallery, 0)
    assert gallery.query is None
    assert gallery.references == (first,)


def test_keys_of_the_focused_card(qtbot, gallery: Gallery) -> None:
    card = gallery.card(gallery.series[0])
    card.normal_box.setFocus()
    qtbot.keyClick(card.normal_box, Qt.Key.Key_N)
    assert gallery.references == (gallery.series[0],)
    qtbot.keyClick(card.normal_box, Qt.Key.Key_Q)
    assert gallery.query is gallery.series[0]
    qtbot.keyClick(card.normal_box, Qt.Key.Key_Space)
    assert gallery.references == (gallery.series[0],)


def test_abnormal_cards_have_a_dashed_red_frame_and_a_badge(gallery: Gallery) -> None:
    first = gallery.series[0]
    gallery.set_role(first, Role.ABNORMAL)
    picture = gallery.card(first).grab().toImage()
    top = [picture.pixelColor(x, 0).getRgb()[:3] for x in range(10, picture.width() - 10)]
    # Red and green alone look alike to many: the frame is broken, and the thumbnail has a letter.
    assert 0.4 < top.count(RED) / len(top) < 0.9
    thumbnail = gallery.card(first).picture
    place = thumbnail.mapTo(gallery.card(first), thumbnail.rect().topLeft())
    assert picture.pixelColor(place.x() + 1, place.y() + 1).getRgb()[:3] == RED
    gallery.set_role(first, Role.REFERENCE)
    picture = gallery.card(first).grab().toImage()
    assert picture.pixelColor(place.x() + 1, place.y() + 1).getRgb()[:3] == GREEN


def test_a_scan_is_normal_or_abnormal_or_examined(qtbot, gallery: Gallery) -> None:
    card = gallery.card(gallery.series[0])
    card.normal_box.setFocus()
    marked = [(Qt.Key.Key_A, "abnormal"), (Qt.Key.Key_N, "references"), (Qt.Key.Key_A, "abnormal")]
    for key, name in marked:
        qtbot.keyClick(card.normal_box, key)
        assert getattr(gallery, name) == (gallery.series[0],)
        assert len(gallery.references + gallery.abnormal) == 1
        assert (card.normal_box.isChecked(), card.abnormal_box.isChecked()) == (
            name == "references",
            name == "abnormal",
        )
    qtbot.keyClick(card.normal_box, Qt.Key.Key_Q)
    assert gallery.query is gallery.series[0]
    assert gallery.abnormal == ()
    qtbot.mouseClick(card.abnormal_box, Qt.MouseButton.LeftButton)
    assert gallery.abnormal == (gallery.series[0],)
    assert gallery.query is None
    qtbot.keyClick(card.normal_box, Qt.Key.Key_A)
    assert gallery.abnormal == ()
    assert "(A)" in card.abnormal_box.toolTip()


def test_counts_and_numbers_abnormal_examples(qtbot, gallery: Gallery) -> None:
    first, second, third, last = gallery.series
    gallery.set_role(first, Role.REFERENCE)
    gallery.set_role(last, Role.ABNORMAL)
    assert gallery.count_text.startswith("1 of 2-8 normal references, 1 abnormal example;")
    with qtbot.waitSignal(gallery.roles_changed):
        gallery.set_role(second, Role.ABNORMAL)
    gallery.set_role(third, Role.QUERY)
    assert gallery.count_text == "1 of 2-8 normal references, 2 abnormal examples"
    assert gallery.card(second).accessibleName() == f"{second.label}, abnormal example 2"
    assert not gallery.card(second).share_box.isVisible()
    other = series(7)
    gallery.replace(last, other)
    assert gallery.abnormal == (other, second)
    gallery.set_section("Study 1", [first, second, third])
    assert gallery.abnormal == (second,)
    assert gallery.card(second).number == 1


def test_roles_have_accessible_names(gallery: Gallery) -> None:
    first = gallery.series[0]
    card = gallery.card(first)
    assert card.accessibleName() == f"{first.label}, not used"
    gallery.set_role(first, Role.REFERENCE)
    assert card.accessibleName() == f"{first.label}, normal reference 1"
    assert first.label in card.normal_box.accessibleName()
    assert first.label in card.examine_button.accessibleName()


def test_closing_a_section_takes_its_roles_along(qtbot, gallery: Gallery) -> None:
    other = series(9)
    gallery.set_section("Study 2", [other])
    gallery.set_role(gallery.series[0], Role.QUERY)
    gallery.set_role(other, Role.REFERENCE)
    gallery.set_section("Study 1", [])
    assert gallery.series == (other,)
    assert gallery.query is None
    assert gallery.references == (other,)
    with pytest.raises(KeyError):
        gallery.card(series(0))


def test_replaced_series_keeps_place_and_role(gallery: Gallery) -> None:
    before, after, last = gallery.series[1], series(7), gallery.series[3]
    for one in (before, last):
        gallery.set_role(one, Role.REFERENCE)
    gallery.replace(before, after)
    assert gallery.series[1] is after
    assert gallery.references == (after, last)
    assert gallery.card(after).role is Role.REFERENCE
    gallery.set_role(after, Role.QUERY)
    gallery.replace(after, before)
    assert gallery.query is before


def test_series_that_cannot_be_read_cannot_be_chosen(qtbot, gallery: Gallery) -> None:
    broken = series(5, refusal=StudyError(Code.MISSING_SLICE))
    gallery.set_section("Study 2", [broken])
    card = gallery.card(broken)
    assert "S06" in card.toolTip()
    with qtbot.assertNotEmitted(gallery.look_requested):
        qtbot.mouseClick(card.picture, Qt.MouseButton.LeftButton)
        qtbot.mouseClick(card, Qt.MouseButton.LeftButton)
    assert "S06" in card._details.text()
    assert not card._details.isHidden()
    assert gallery.references == ()
    assert not card.examine_button.isEnabled()


def test_failed_thumbnail_takes_the_role_away(gallery: Gallery) -> None:
    first = gallery.series[0]
    gallery.set_role(first, Role.REFERENCE)
    gallery.set_unreadable(first, str(StudyError(Code.TRUNCATED)))
    assert gallery.references == ()
    assert "S05" in gallery.card(first).toolTip()


def test_problems_are_told_on_the_card(gallery: Gallery) -> None:
    outline = Scan(np.zeros((3, 8, 8)), np.eye(4), problems=(Problem(Code.MISSING_SLICE),))
    flawed = series(6, outline=outline)
    gallery.set_section("Study 2", [flawed])
    assert "S06" in gallery.card(flawed).toolTip()
    assert gallery.card(flawed).normal_box.isEnabled()
    details = gallery.card(flawed)._details
    assert details.isHidden()
    gallery.point_out(flawed)  # as a click on it does: there it is read in full
    assert not details.isHidden()
    assert details.text() == gallery.card(flawed).toolTip()
    gallery.point_out(gallery.series[0])
    assert details.isHidden()


def test_thumbnail_is_shown_with_its_aspect(gallery: Gallery) -> None:
    first = gallery.series[0]
    gallery.set_thumbnail(first, np.full((40, 80), 200, np.uint8))
    pixmap = gallery.card(first).picture.pixmap()
    assert pixmap.width() == 2 * pixmap.height()
    assert pixmap.toImage().pixelColor(10, 10).red() == 200
    colour = np.zeros((30, 30, 3), np.uint8)
    colour[..., 1] = 150
    gallery.set_thumbnail(first, colour)
    assert gallery.card(first).picture.pixmap().toImage().pixelColor(5, 5).green() == 150


def test_cards_fit_a_narrow_dock(qtbot, gallery: Gallery) -> None:
    gallery.set_section("Study 1", [series(number) for number in range(12)])
    gallery.resize(308, 400)  # as wide as the narrowest dock leaves it
    qtbot.wait(50)
    card = gallery.card(gallery.series[0])
    right = card.mapTo(gallery, card.rect().topRight()).x()
    assert card.minimumSizeHint().width() <= card.width()
    assert right <= gallery.width() - 14  # beside the scroll bar, not below it


def test_references_can_count_less(qtbot, gallery: Gallery) -> None:
    first, second = gallery.series[:2]
    for each in (first, second):
        gallery.set_role(each, Role.REFERENCE)
    assert gallery.shares is None
    box = gallery.card(second).share_box
    assert box.isVisible()
    with qtbot.waitSignal(gallery.shares_changed):
        box.stepDown()
    assert gallery.shares == (1.0, 0.9)
    gallery.set_role(second, Role.NONE)
    assert not box.isVisible()


def test_references_are_numbered_as_results_name_them(gallery: Gallery) -> None:
    for index in (2, 0):
        gallery.set_role(gallery.series[index], Role.REFERENCE)
    assert "normal reference 1" in gallery.card(gallery.series[2]).accessibleName()
    assert "normal reference 2" in gallery.card(gallery.series[0]).accessibleName()
    gallery.set_role(gallery.series[2], Role.NONE)
    assert "normal reference 1" in gallery.card(gallery.series[0]).accessibleName()

"""One card for all volumes of a series, with a list to choose from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_d24fad.errors import Code, StudyError
from napari_d24fad.studies.study import open_study
from napari_d24fad.viewer.dock import DetectionDock
from napari_d24fad.viewer.gallery.gallery import Gallery
from napari_d24fad.viewer.gallery.roles import Role
from tests.studies.corpus import CASES
from tests.studies.test_volumes import four_dimensional, weighted


def test_a_study_of_weightings_is_one_card(
    qtbot, dock: DetectionDock, settle: Callable[[DetectionDock], None], tmp_path: Path
) -> None:
    weighted(tmp_path, [0, 1000, 2000])
    dock.open([tmp_path])
    settle(dock)
    (series,) = dock.gallery.series
    card = dock.gallery.card(series)
    choice = card.volume_choice
    assert choice.toolTip() == "3 volumes: b = 0, 1000, 2000"
    assert [choice.itemText(at) for at in range(choice.count())] == ["1: b 0", "2: b 1000", "3: b 2000"]
    assert dock.gallery.query is series
    first = card.picture.pixmap().toImage()
    qtbot.keyClick(choice, Qt.Key.Key_Down)
    qtbot.keyClick(choice, Qt.Key.Key_Down)
    settle(dock)
    (chosen,) = dock.gallery.series
    assert chosen is card.volumes[2]
    assert dock.gallery.query is chosen
    assert dock.gallery.card(chosen) is card
    assert card.role is Role.QUERY
    assert not card.picture.pixmap().isNull()
    assert card.picture.pixmap().toImage().size() == first.size()


def test_a_reference_becomes_another_volume_in_its_place(qtbot, tmp_path: Path) -> None:
    gallery = Gallery()
    qtbot.addWidget(gallery)
    study = open_study(four_dimensional(tmp_path / "v.nii", 3))
    others = open_study(four_dimensional(tmp_path / "w.nii", 1))
    gallery.set_section("Study 1", (*study.series, *others.series))
    gallery.show()
    first, other = gallery.series
    gallery.set_role(first, Role.REFERENCE)
    gallery.set_role(other, Role.REFERENCE)
    gallery.card(first).set_share(0.5)
    with qtbot.waitSignals([gallery.volume_chosen, gallery.roles_changed]):
        qtbot.keyClick(gallery.card(first).volume_choice, Qt.Key.Key_End)
    assert gallery.references == (study.series[2], other)
    assert gallery.shares == (0.5, 1.0)
    assert gallery.card(other).volume_choice.isHidden()
    # What came of a volume that is no longer shown does not show.
    gallery.set_thumbnail(first, np.zeros((4, 4), np.uint8))
    assert gallery.card(study.series[2]).picture.text() == "…"


def test_a_volume_that_cannot_be_read_leaves_the_others_to_choose(qtbot, tmp_path: Path) -> None:
    gallery = Gallery()
    qtbot.addWidget(gallery)
    series = open_study(four_dimensional(tmp_path / "v.nii", 3)).series
    object.__setattr__(series[0], "refusal", StudyError(Code.MISSING_SLICE))
    object.__setattr__(series[2], "refusal", StudyError(Code.MISSING_SLICE))
    gallery.set_section("Study 1", series)
    gallery.show()
    assert gallery.series == (series[1],)
    gallery.set_role(series[1], Role.REFERENCE)
    card = gallery.card(series[1])
    qtbot.keyClick(card.volume_choice, Qt.Key.Key_Down)
    assert gallery.series == (series[2],)
    assert gallery.references == ()
    assert not card.normal_box.isEnabled()
    assert "S06" in card.toolTip()
    qtbot.keyClick(card.volume_choice, Qt.Key.Key_Up)
    assert card.normal_box.isEnabled()
    assert "S06" not in card.toolTip()


@pytest.mark.parametrize(
    ("case", "button", "code"),
    [
        ("a missing slice", "Load with computed slices", "S20"),
        ("cone-beam CT in one classic file", "Load in assumed order", "S29"),
    ],
)
def test_what_is_offered_instead_of_a_refused_series_is_loaded_by_a_button(
    qtbot,
    dock: DetectionDock,
    settle: Callable[[DetectionDock], None],
    tmp_path: Path,
    case: str,
    button: str,
    code: str,
) -> None:
    dock.open([next(one for one in CASES if one.name == case).write(tmp_path)])
    settle(dock)
    (refused,) = dock.gallery.series
    card = dock.gallery.card(refused)
    assert not card.normal_box.isEnabled()
    assert card.remedy_button.text() == button
    assert code in card.remedy_button.toolTip()
    qtbot.mouseClick(card.remedy_button, Qt.MouseButton.LeftButton)
    settle(dock)
    (shown,) = dock.gallery.series
    assert shown is refused.remedy
    assert card.remedy_button.isHidden()
    assert code in card.toolTip()
    assert not card.picture.pixmap().isNull()
    card.examine_button.click()
    assert dock.gallery.query is shown
    assert shown.load().problems[0].code.code == code

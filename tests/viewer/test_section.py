from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel

from napari_d24fad.viewer.section import Section


def test_click_on_the_title_folds_and_unfolds(qtbot) -> None:
    content = QLabel("content")
    section = Section("Regions", content, unfolded=False)
    qtbot.addWidget(section)
    section.show()
    assert not content.isVisible()
    for unfolded in (True, False):
        with qtbot.waitSignal(section.unfolded_changed) as changed:
            qtbot.mouseClick(section.header, Qt.MouseButton.LeftButton)
        assert changed.args == [unfolded]
        assert content.isVisible() is section.is_unfolded is unfolded


def test_long_title_does_not_widen_the_dock(qtbot) -> None:
    section = Section("A title " * 40, QLabel(), unfolded=True)
    qtbot.addWidget(section)
    assert section.minimumSizeHint().width() < 100

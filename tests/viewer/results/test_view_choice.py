from __future__ import annotations

import pytest

from napari_d24fad.viewer.canvas.map_view import MapView
from napari_d24fad.viewer.results.view_choice import ViewChoice


@pytest.fixture
def choice(qtbot) -> ViewChoice:
    widget = ViewChoice()
    qtbot.addWidget(widget)
    widget.show()
    return widget


def test_every_view_can_be_chosen_and_says_what_its_colours_are(qtbot, choice: ViewChoice) -> None:
    assert choice.view is MapView.SCORE
    for row, view in enumerate(MapView):
        choice.view_box.setCurrentIndex(row)
        assert choice.view is view
        assert view.colours.startswith("Colours: ")
    with qtbot.waitSignal(choice.view_changed) as changed:
        choice.choose(MapView.P_VALUE)
    assert changed.args == [MapView.P_VALUE]


def test_opacity_is_a_fraction(qtbot, choice: ViewChoice) -> None:
    with qtbot.waitSignal(choice.opacity_changed) as changed:
        choice.opacity_slider.setValue(35)
    assert changed.args == [pytest.approx(0.35)]

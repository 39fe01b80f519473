from __future__ import annotations

from dataclasses import replace

import pytest

from napari_d24fad.detection.result import MapChannel
from napari_d24fad.viewer.canvas.map_view import ChannelView, MapView
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


def test_parts_of_a_map_can_be_chosen_and_stay_chosen(qtbot, choice: ViewChoice) -> None:
    asymmetry = MapChannel("asymmetry", 1, "brighter than the other side", 2.0, "brighter")
    texture = MapChannel("patches", 1, "unlike the references in texture", 3.0, "brighter")
    choice.show_channels((asymmetry, texture))
    titles = [choice.view_box.itemText(row) for row in range(choice.view_box.count())]
    assert titles[:3] == [
        "Joined map: anomaly score",
        "Brighter than the other side",
        "Unlike the references in texture",
    ]
    with qtbot.waitSignal(choice.view_changed) as changed:
        choice.step(1)
    assert changed.args == [ChannelView(asymmetry)]
    again = replace(asymmetry, level=2.5)  # of other references
    with qtbot.assertNotEmitted(choice.view_changed):
        choice.show_channels((again, texture))
    assert choice.view == ChannelView(again)
    choice.show_channels(())
    assert choice.view is MapView.SCORE
    assert choice.view_box.itemText(0) == "Anomaly score"
    choice.step(-1)
    assert choice.view is MapView.TSD
    choice.step(1)
    assert choice.view is MapView.SCORE


def test_opacity_is_a_fraction(qtbot, choice: ViewChoice) -> None:
    with qtbot.waitSignal(choice.opacity_changed) as changed:
        choice.opacity_slider.setValue(35)
    assert changed.args == [pytest.approx(0.35)]


def test_a_teacher_alone_offers_no_published_distances(choice: ViewChoice) -> None:
    choice.choose(MapView.TSD)
    choice.show_channels((), distances=False)
    views = [choice.view_box.itemData(row) for row in range(choice.view_box.count())]
    assert views == [MapView.SCORE, MapView.P_VALUE]
    assert choice.view is MapView.SCORE
    choice.show_channels((), distances=True)
    assert choice.view_box.count() == len(MapView)

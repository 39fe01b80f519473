from __future__ import annotations

from dataclasses import replace

from napari_d24fad.detection.atlas.names import DIRECTIONS
from napari_d24fad.detection.channels.volume import Direction
from napari_d24fad.viewer.running.direction_choice import DirectionChoice
from tests.heads import chest_ct


def test_directions_are_offered_where_they_are_looked_for(qtbot) -> None:
    box = DirectionChoice()
    qtbot.addWidget(box)
    scan = chest_ct(0)
    asked: list[str | None] = []
    box.direction_changed.connect(lambda: asked.append(box.direction))
    assert box.isHidden()
    assert box.direction is None
    box.show_for(scan)
    assert not box.isHidden()
    for name in DIRECTIONS:
        box.setCurrentIndex(box.findData(name))
    assert asked == list(DIRECTIONS)
    box.show_for(replace(scan, modality="MR"))
    assert not box.isHidden()
    for other in (replace(scan, modality="PT"), None):
        box.show_for(other)
        assert box.isHidden()
        assert box.direction is None  # what cannot be seen is not asked for


def test_all_directions_of_the_atlas_are_offered_and_no_other() -> None:
    assert tuple(each.value for each in Direction) == DIRECTIONS

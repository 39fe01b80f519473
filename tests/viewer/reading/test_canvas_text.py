"""Words on the canvas are made ready before they are needed, one at a time."""

from __future__ import annotations

from functools import partial

from napari.components import ViewerModel
from napari.components.overlays import Overlay

from napari_d24fad.viewer.reading.canvas_text import CanvasText


def test_overlays_are_made_one_at_a_time_and_stay_hidden() -> None:
    viewer = ViewerModel()
    text = CanvasText(viewer)
    seen: list[bool] = []
    for overlay in viewer.canvas.overlays.values():
        overlay.events.visible.connect(seen.append)
    text.show_lines(["already there"])
    seen.clear()
    count, before = 0, 0
    while text.make_next():
        assert len(seen) - before <= 3
        assert all(overlay.opacity == 0 for overlay in viewer.canvas.overlays.values() if _is_tried(overlay))
        assert text.letters() == ("",) * 4, "what is tried is not written"
        count, before = count + 1, len(seen)
    assert count == 7
    assert seen == [True, False] * 6, "each for a moment, but the one that is shown"
    assert text.lines == "already there"


def test_the_scale_bar_stands_in_the_corner_and_the_slice_above_it() -> None:
    viewer, made = ViewerModel(), []
    words = CanvasText(viewer)
    for name in ("text", "scale_bar"):
        getattr(viewer.canvas.overlays, name).events.visible.connect(partial(_note, made, name))
    while words.make_next():
        pass
    assert list(dict.fromkeys(made)) == ["scale_bar", "text"], "what is made first is nearest to the corner"


def test_what_is_to_be_read_takes_the_place_of_what_is_tried() -> None:
    viewer = ViewerModel()
    words = CanvasText(viewer)
    while words.make_next():
        words.show_letters(("R", "L", "A", "P"))
        assert words.letters() == ("R", "L", "A", "P")
        shown = [each for each in viewer.canvas.overlays.values() if each.visible and each.opacity]
        assert {"R", "L", "A", "P"} <= {getattr(each, "text", "") for each in shown}
        words.show_letters(None)
        assert words.letters() == ("",) * 4


def _is_tried(overlay: Overlay) -> bool:
    return overlay.visible and getattr(overlay, "text", "") not in ("", "already there")


def _note(made: list[str], name: str, _event: object) -> None:
    made.append(name)

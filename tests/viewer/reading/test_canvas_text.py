"""Words on the canvas do not lie on each other."""

from __future__ import annotations

from functools import partial

from napari.components import ViewerModel

from napari_d24fad.viewer.reading.canvas_text import CanvasText


def test_the_scale_bar_stands_in_the_corner_and_the_slice_above_it() -> None:
    viewer, made = ViewerModel(), []
    words = CanvasText(viewer)
    for name in ("text", "scale_bar"):
        getattr(viewer.canvas.overlays, name).events.visible.connect(partial(_note, made, name))
    while words.make_next():
        pass
    assert list(dict.fromkeys(made)) == ["scale_bar", "text"], "what is made first is nearest to the corner"


def _note(made: list[str], name: str, _event: object) -> None:
    made.append(name)

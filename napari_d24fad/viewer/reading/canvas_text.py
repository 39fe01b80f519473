"""Words on the canvas: the sides of the patient at its edges, window and cursor in a corner."""

from __future__ import annotations

from collections.abc import Sequence

from napari.components import ViewerModel
from napari.components.overlays import Overlay, TextOverlay
from napari.viewer import Viewer

_EDGES = ("middle_left", "middle_right", "top_center", "bottom_center")
_CORNER = "bottom_left"
_PREFIX = "d24fad_"
_LETTER_PT = 13
_SAMPLES = ("RLAPHF", " ", "0123456", "789.-mWp", "xialscore=")
"""What is usually written on the canvas: a letter is drawn once for all words, which takes some milliseconds.
The one that comes first is short, because its program is the first of its kind."""


class CanvasText:
    """Text overlays of one canvas.

    Args:
        viewer: Whose canvas it is.
    """

    def __init__(self, viewer: Viewer | ViewerModel) -> None:
        self._overlays = viewer.canvas.overlays
        # The last first; what is made first stands in the corner. The slice above the scale bar is beside no
        # line of the other corner.
        self._unmade: list[Overlay] = [self._overlays.text, self._overlays.scale_bar]
        self._own: dict[str, TextOverlay] = {}
        self._trial: TextOverlay | None = None
        for position in (*_EDGES, _CORNER):
            size = 10.0 if position == _CORNER else float(_LETTER_PT)
            overlay = TextOverlay(position=position, font_size=size)
            self._own[position] = overlay
            self._overlays[_PREFIX + position] = overlay
            self._unmade.append(overlay)

    def make_next(self) -> bool:
        """Has napari make one of the overlays of the canvas; returns whether more is left to do.

        napari makes them when they are first visible, and prepares their programs when they are first drawn,
        which for all of them at once holds the window up. Own ones are drawn once, with letters that cannot
        be seen, until this is called again.
        """
        self._end_trial()
        if not self._unmade:
            return False
        overlay = self._unmade.pop()
        if overlay.visible:
            return True
        if isinstance(overlay, TextOverlay) and overlay is not self._overlays.text:
            self._trial, overlay.opacity = overlay, 0.0
            overlay.text = _SAMPLES[len(self._unmade) % len(_SAMPLES)]
            overlay.visible = True
        else:
            overlay.visible = True
            overlay.visible = False
        return True

    def _end_trial(self) -> None:
        overlay, self._trial = self._trial, None
        if overlay is not None:
            overlay.visible, overlay.text, overlay.opacity = False, "", 1.0

    def stop(self) -> None:
        """Takes the words away."""
        for position in self._own:
            self._overlays.pop(_PREFIX + position, None)
        self._own, self._unmade, self._trial = {}, [], None

    def show_letters(self, letters: Sequence[str] | None) -> None:
        """Names the sides beyond the left, right, top and bottom edge; None for none."""
        for at, position in enumerate(_EDGES):
            self._show(position, "" if letters is None else letters[at])

    def show_lines(self, lines: Sequence[str]) -> None:
        """Writes lines into the lower left corner; empty ones are left out."""
        self._show(_CORNER, "\n".join(line for line in lines if line))

    def letters(self) -> tuple[str, ...]:
        """Returns what is written at the edges, as in `show_letters`; empty where nothing is."""
        return tuple(self._written(position) for position in _EDGES)

    @property
    def lines(self) -> str:
        """What is written in the corner."""
        return self._written(_CORNER)

    def _written(self, position: str) -> str:
        overlay = self._own[position]
        return "" if overlay is self._trial else str(overlay.text)

    def _show(self, position: str, text: str) -> None:
        overlay = self._own.get(position)
        if overlay is None:
            return
        is_tried = overlay is self._trial
        if is_tried and not text:
            return
        if is_tried:
            self._end_trial()
        if overlay.text != text:
            overlay.text = text
        if overlay.visible != bool(text):
            overlay.visible = bool(text)

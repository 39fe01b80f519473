"""Puts a picture on a page with the words, scales and letters that make it readable."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colorbar import Colorbar
from matplotlib.colors import ListedColormap, Normalize, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke

from napari_d24fad.export.anatomy import round_length
from napari_d24fad.export.colours import overlay_colours
from napari_d24fad.studies.lengths import round_length_text

Picture = npt.NDArray[np.uint8]

_DPI = 100
_FONT_EM = 15
"""Height of the letters on a page of the usual size; everything else is measured in it."""
_USUAL_PX = 960
_SMALLEST_PX = 480
"""A narrower or lower picture is centred on a page of this size, so that the words fit."""
_PAGE, _INK, _QUIET = "#0d0d0d", "#f2f2f2", "#b5b5b5"


@dataclass(frozen=True, slots=True)
class Stamp:
    """What to say around a picture. Never a name, an ID or a date.

    Attributes:
        heading: Lines above the picture.
        footing: Lines below it.
        limits: Anomaly values at the ends of the colour scale; None for no colour bar.
        scale: What the values of the colour scale are.
        colours: ``(steps, 3)`` red, green and blue from 0 to 1, if they are not those of the project.
        opacity: How opaque the colours lie over the picture, 0 to 1; the colour bar is as faint.
        letters: Anatomical directions beyond the left, right, top and bottom edge.
        mm_per_pixel: Length of a pixel of the picture for the scale bar; None for none.
    """

    heading: Sequence[str] = ()
    footing: Sequence[str] = ()
    limits: tuple[float, float] | None = None
    scale: str = "Anomaly (clear below one false region)"
    colours: npt.NDArray[np.float64] | None = field(default=None, compare=False)
    opacity: float = 1.0
    letters: tuple[str, str, str, str] | None = None
    mm_per_pixel: float | None = None


def stamp(picture: Picture, marks: Stamp) -> Picture:
    """Returns a page with the picture, pixel for pixel, and what belongs around it.

    Serves slices drawn by `overlay` and screenshots of a canvas alike. Lines that do not
    fit the width are wrapped once, then cut short. Uses no state of ``matplotlib.pyplot`` and may run in any
    thread.

    Args:
        picture: ``(rows, columns, 3)``.
        marks: What to say.

    Returns:
        ``(page rows, page columns, 3)``.
    """
    page = _Page(picture, marks)
    page.write()
    if marks.letters is not None:
        page.name_edges(marks.letters)
    if marks.mm_per_pixel is not None:
        page.draw_scale_bar(marks.mm_per_pixel)
    if marks.limits is not None:
        page.draw_colour_bar(marks.limits)
    return page.render()


def corner(picture: Picture, marks: Stamp) -> tuple[int, int]:
    """Returns row and column of the page that `stamp` puts the first pixel of a picture at."""
    page = _Page(picture, marks)
    return page.height - page.bottom - page.rows, page.left


class _Page:
    """A figure that is measured in pixels from its lower left corner."""

    def __init__(self, picture: Picture, marks: Stamp) -> None:
        self._marks = marks
        self.rows, self.columns = picture.shape[:2]
        self._em = round(_FONT_EM * max(1.0, max(self.rows, self.columns) / _USUAL_PX))
        self._line = round(self._em * 1.4)
        inside_width, inside_height = max(self.columns, _SMALLEST_PX), max(self.rows, _SMALLEST_PX // 2)
        beside = 7 * self._em if marks.limits else self._em
        self.width = self._em + inside_width + beside
        # The outermost are the brightest.
        self._heading = self._wrapped(marks.heading, bright=0)
        self._footing = self._wrapped(marks.footing, bright=len(marks.footing) - 1)
        above, below = (len(lines) * self._line + 2 * self._em for lines in (self._heading, self._footing))
        self.height = below + inside_height + above
        self.below, self.inside_height = below, inside_height
        self.left = self._em + (inside_width - self.columns) // 2
        self.bottom = below + (inside_height - self.rows) // 2
        self._figure = Figure(figsize=(self.width / _DPI, self.height / _DPI), dpi=_DPI, facecolor=_PAGE)
        # matplotlib publishes no types for the methods of its canvas.
        self._canvas: Any = FigureCanvasAgg(self._figure)
        self._figure.figimage(picture, xo=self.left, yo=self.bottom, origin="upper")

    def write(self) -> None:
        """Writes the lines above and below."""
        for lines, top in ((self._heading, self.height), (self._footing, self.below)):
            for number, (line, colour) in enumerate(lines):
                self._text(self._em, top - self._em - number * self._line, line, colour, va="top")

    def name_edges(self, letters: tuple[str, str, str, str]) -> None:
        """Writes the anatomical directions inside the edges of the picture."""
        inset = self._em / 2
        centre_x, centre_y = self.left + self.columns / 2, self.bottom + self.rows / 2
        places = (
            (self.left + inset, centre_y, "left", "center"),
            (self.left + self.columns - inset, centre_y, "right", "center"),
            (centre_x, self.bottom + self.rows - inset, "center", "top"),
            (centre_x, self.bottom + inset, "center", "bottom"),
        )
        for name, (x, y, ha, va) in zip(letters, places, strict=True):
            self._text(x, y, name, _INK, ha=ha, va=va, outlined=True)

    def draw_scale_bar(self, mm_per_pixel: float) -> None:
        """Draws a bar of a round length in the lower left corner of the picture."""
        length = round_length(self.columns * mm_per_pixel / 4)
        x, y, thickness = self.left + self._em, self.bottom + self._em, max(3, self._em // 4)
        bar = Rectangle(
            (x / self.width, y / self.height),
            length / mm_per_pixel / self.width,
            thickness / self.height,
            transform=self._figure.transFigure,
            facecolor=_INK,
        )
        self._figure.add_artist(bar)
        self._text(
            x, y + thickness + self._em / 4, round_length_text(length), _INK, va="bottom", outlined=True
        )

    def draw_colour_bar(self, limits: tuple[float, float]) -> None:
        """Draws the colour scale at the right of the picture."""
        left, size = self.width - 6 * self._em, 0.85 * self._em
        box = (left / self.width, self.below / self.height, self._em / self.width)
        axes = self._figure.add_axes((*box, self.inside_height / self.height))
        colours = self._marks.colours if self._marks.colours is not None else overlay_colours()[:, :3]
        faded = self._marks.opacity * colours + (1 - self._marks.opacity) * np.array(to_rgb(_PAGE))
        scale = ScalarMappable(Normalize(*limits), ListedColormap(faded))
        bar = Colorbar(axes, scale, ticks=np.linspace(*limits, 5).tolist(), format="%.3g")
        axes.tick_params(colors=_INK, labelsize=_points(size), length=_points(size / 3))
        bar.outline.set_edgecolor(_QUIET)
        bar.set_label(self._marks.scale, color=_INK, fontsize=_points(size))

    def render(self) -> Picture:
        """Returns the page."""
        self._canvas.draw()
        return np.asarray(self._canvas.buffer_rgba())[..., :3].copy()

    def _wrapped(self, lines: Sequence[str], bright: int) -> list[tuple[str, str]]:
        """Lines that fit into the page, with their colours."""
        fits = int((self.width - 2 * self._em) / (0.62 * self._em))
        return [
            (part, _INK if number == bright else _QUIET)
            for number, line in enumerate(lines)
            for part in textwrap.wrap(line, fits, max_lines=2, placeholder="…")
        ]

    def _text(
        self, x: float, y: float, text: str, colour: str, *, ha: str = "left", va: str, outlined: bool = False
    ) -> None:
        self._figure.text(
            x / self.width,
            y / self.height,
            text,
            color=colour,
            fontsize=_points(self._em),
            ha=ha,
            va=va,
            parse_math=False,
            path_effects=[withStroke(linewidth=_points(self._em / 5), foreground="black")]
            if outlined
            else None,
        )


def _points(pixels: float) -> float:
    return pixels * 72 / _DPI

"""Pictures of a report: slices as they lie on a radiologist's screen, plain and with what was found."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import binary_erosion

from napari_d24fad.detection.encoding.intensity import Window, name_windows, window_of
from napari_d24fad.export.anatomy import edge_letters, round_length, slice_number, slice_text
from napari_d24fad.export.colours import COLOURS, anomaly_limits, blend, overlay_colours
from napari_d24fad.export.overlay import resize
from napari_d24fad.export.pages.entry import CaseEntry
from napari_d24fad.findings.finding import Finding, Verdict
from napari_d24fad.studies.lengths import round_length_text
from napari_d24fad.studies.orientation import canonical, canonical_orientation

Pixels = npt.NDArray[np.uint8]

_KEY_PX, _SMALL_PX = 560, 240
_ACCEPTED, _OTHER = (80, 220, 255), (255, 255, 255)
_BAR = (256, 12)


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture with what is said below it.

    Attributes:
        caption: Below it; also read out to who cannot see it.
        png: The file.
        size: Columns and rows.
        slice_index: Which slice it shows; None if none.
    """

    caption: str
    png: bytes = field(repr=False)
    size: tuple[int, int]
    slice_index: int | None = None


class Pictures:
    """Draws the slices of a case; its scan must have its pixels.

    Args:
        entry: The case.
    """

    def __init__(self, entry: CaseEntry) -> None:
        self._entry, self._scan = entry, entry.found.scan
        self._anomaly = entry.shown_map()
        self._upright, self._orientation = canonical(self._scan), canonical_orientation(self._scan)
        usual = window_of(self._scan, entry.found.ct_window)
        self._window = usual if entry.window is None else Window(*entry.window, usual.inverted)
        self.limits = anomaly_limits(self._anomaly)

    @property
    def words(self) -> str:
        """Says in which window and colours the pictures are drawn."""
        colours = f"map in {COLOURS[self._entry.colours].partition(' (')[0].lower()}"
        if self._scan.is_colour:
            return colours
        low, high = self._window.low, self._window.high
        unit = self._scan.unit or ("HU" if self._scan.modality == "CT" else "")
        shown = f"W {high - low:.4g} L {(high + low) / 2:.4g} {unit}".strip().replace("-", "−")
        if self._window.others:
            shown = name_windows(((low, high), *self._window.others))
        whose = "chosen by the reader" if self._entry.window is not None else "the usual"
        return f"window {shown} ({whose}), {colours}"

    def key_slices(self) -> list[tuple[Picture, Picture]]:
        """Draws a slice for each accepted finding, plain and with what was found; one slice once.

        Where none is accepted, those that nobody decided on; without any, the most suspicious slice.
        """
        found: dict[int, list[Finding]] = {}
        for each in self._entry.findings.reported:
            found.setdefault(each.slice_index, []).append(each)
        if not found:
            found = {index: [] for index in self._anomaly.most_suspicious(1)}
        return [self._pair(index, own) for index, own in found.items()]

    def contact_sheet(self, count: int) -> list[Picture]:
        """Draws slices that lie evenly through what was examined, in the order of their numbers.

        Args:
            count: How many at most; none of a single image.
        """
        examined = np.flatnonzero(np.isfinite(self._anomaly.slice_scores))
        if not self._scan.is_volume or not examined.size:
            return []
        chosen = np.unique(np.linspace(0, len(examined) - 1, min(count, len(examined))).round().astype(int))
        indices = sorted((int(examined[at]) for at in chosen), key=self._number)
        return [self._picture(index, _SMALL_PX, f"{self._number(index)}", marked=True) for index in indices]

    def colour_bar(self) -> Picture:
        """Draws the colours that are really shown, from the lowest to the highest."""
        low, high = self.limits
        scale = (overlay_colours(_BAR[0], self._entry.colours)[:, :3] * 255).round().astype(np.uint8)
        bar = np.repeat(scale[np.newaxis], _BAR[1], axis=0)
        return _saved(bar, f"{low:.3g} (clear below: a normal scan shows one region above) to {high:.3g}")

    def _pair(self, index: int, found: Sequence[Finding]) -> tuple[Picture, Picture]:
        numbers = " and ".join(f"{each.number}" for each in found)
        coloured = np.nan_to_num(self._slab(self._anomaly.values, index), nan=-np.inf) >= self.limits[0]
        named = f"Finding{'s' if len(found) > 1 else ''} {numbers}" if found else "Most suspicious"
        text = slice_text(self._scan, index)
        where = f": {text[:1].lower()}{text[1:]}" if text else ""
        plain = self._picture(index, _KEY_PX, text or "The image", marked=False)
        nothing = "" if coloured.any() else "; nothing above the level"
        caption = f"{named}{where}{nothing}"
        return plain, self._picture(index, _KEY_PX, caption, marked=True)

    def _picture(self, index: int, longest_px: int, caption: str, *, marked: bool) -> Picture:
        rows, columns = self._size(longest_px)
        grey = (self._window.apply(self._slab(self._scan.voxels, index)) * 255).round().astype(np.uint8)
        # Boxes repeat pixels where a slice is enlarged, and average where it is reduced.
        pixels = np.asarray(Image.fromarray(grey).resize((columns, rows), Image.Resampling.BOX))
        if marked:
            values = np.asarray(self._slab(self._anomaly.values, index), np.float32)
            pixels = blend(pixels, resize(values, rows, columns), self.limits, self._entry.colours)
        elif pixels.ndim == 2:
            pixels = np.repeat(pixels[..., np.newaxis], 3, axis=2)
        canvas = Image.fromarray(pixels)
        pen = _Pen(canvas, max(11, longest_px // 26))
        if marked and longest_px == _KEY_PX:
            for each in self._entry.findings.shown:
                self._mark(pen, each, index, rows, columns)
        letters = edge_letters(self._upright)
        if letters is not None:
            pen.letters(letters)
        if self._scan.has_geometry and longest_px == _KEY_PX:
            pen.scale_bar(self._upright.spacing[2] * self._upright.grid[2] / columns)
        return _saved(np.asarray(canvas), caption, index)

    def _mark(self, pen: _Pen, finding: Finding, index: int, rows: int, columns: int) -> None:
        if finding.mask is None:
            return
        inside = finding.mask.slice(self._scan.slice_axis, index, self._scan.grid)
        if not inside.any():
            return
        slab = self._orientation.apply(np.expand_dims(inside, self._scan.slice_axis))[0]
        area = resize(slab, rows, columns)
        is_accepted = finding.verdict is Verdict.ACCEPTED
        colour = _ACCEPTED if is_accepted else _OTHER
        if is_accepted or finding.by_hand:  # what the map shows has the edge of its colours
            pen.outline(area, colour)
        pen.number(area, str(finding.number), colour)

    def _slab(self, array: npt.NDArray[Any], index: int) -> npt.NDArray[Any]:
        own = [slice(None)] * 3
        own[self._scan.slice_axis] = slice(index, index + 1)
        slab: npt.NDArray[Any] = self._orientation.apply(array[tuple(own)])[0]
        return slab

    def _size(self, longest_px: int) -> tuple[int, int]:
        _, row_mm, column_mm = self._upright.spacing
        height, width = self._upright.grid[1] * row_mm, self._upright.grid[2] * column_mm
        scale = longest_px / max(height, width)
        return max(1, round(height * scale)), max(1, round(width * scale))

    def _number(self, index: int) -> int:
        return slice_number(self._scan, index)


class _Pen:
    """Writes on a picture, bright with a dark edge."""

    def __init__(self, canvas: Image.Image, size: int) -> None:
        self._canvas, self._draw, self._size = canvas, ImageDraw.Draw(canvas), size
        self._font = ImageFont.load_default(size)

    def letters(self, letters: tuple[str, str, str, str]) -> None:
        """Writes the directions at the left, right, top and bottom edge."""
        width, height = self._canvas.size
        inset = self._size // 3
        places = (
            (inset, height / 2, "lm"),
            (width - inset, height / 2, "rm"),
            (width / 2, inset, "mt"),
            (width / 2, height - inset, "mb"),
        )
        for name, (x, y, anchor) in zip(letters, places, strict=True):
            self._text(x, y, name, anchor)

    def scale_bar(self, mm_per_pixel: float) -> None:
        """Draws a bar of a round length in the lower left corner."""
        width, height = self._canvas.size
        length = round_length(width * mm_per_pixel / 4)
        x, y, thick = self._size, height - self._size, max(2, self._size // 5)
        pixels = round(length / mm_per_pixel)
        self._draw.rectangle((x - 1, y - thick - 1, x + pixels + 1, y + 1), fill=(0, 0, 0))
        self._draw.rectangle((x, y - thick, x + pixels, y), fill=(255, 255, 255))
        self._text(x, y - 2 * thick, round_length_text(length), "lb")

    def outline(self, inside: npt.NDArray[np.bool_], colour: tuple[int, int, int]) -> None:
        """Draws the edge of an area outside of it, so that nothing of it is covered."""
        padded = ~np.pad(inside, 2)
        line = (padded & ~binary_erosion(padded, iterations=2, border_value=1))[2:-2, 2:-2]
        pen = Image.fromarray((line * 255).astype(np.uint8))
        self._canvas.paste(colour, (0, 0), pen)

    def number(self, inside: npt.NDArray[np.bool_], name: str, colour: tuple[int, int, int]) -> None:
        """Writes the number of an area beside its highest place."""
        row = int(np.flatnonzero(inside.any(axis=1))[0])
        column = int(np.flatnonzero(inside[row])[-1])
        width, height = self._canvas.size
        x = min(column + self._size // 3, width - self._size)
        y = min(max(row, self._size), height - self._size)
        self._text(x, y, name, "lb", colour)

    def _text(
        self, x: float, y: float, text: str, anchor: str, colour: tuple[int, int, int] = (255, 255, 255)
    ) -> None:
        edge = max(1, self._size // 8)
        self._draw.text((x, y), text, colour, self._font, anchor, stroke_width=edge, stroke_fill=(0, 0, 0))


def _saved(pixels: Pixels, caption: str, index: int | None = None) -> Picture:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="PNG")
    return Picture(caption, file.getvalue(), (pixels.shape[1], pixels.shape[0]), index)

"""What a user does in a real window with mouse and keys, and pictures of what is on the screen."""

from __future__ import annotations

import time
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path

import napari
import numpy as np
from napari.settings import get_settings
from PIL import Image
from qtpy.QtCore import QBuffer, QIODevice, QPoint, QPointF, QRect, Qt
from qtpy.QtGui import QGuiApplication, QWheelEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QWidget

from napari_d24fad.studies.series import Series
from napari_d24fad.viewer.dock import DetectionDock
from napari_d24fad.viewer.find_anomalies import FindAnomalies
from napari_d24fad.viewer.gallery.card import SeriesCard
from napari_d24fad.viewer.reading.tools import Tool
from napari_d24fad.viewer.running.workers import Worker
from tests.viewer.reading.mouse import NONE, Point, drag, point_at

LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
_REST, _MOST = 0.3, 600.0
_DOCK_WIDTH = 440
_COLOURS, _GREYS, _A_COLOUR = 96, (128, 64, 40, 28), 12


class _Bot:
    """The part of pytest-qt's bot that `drag` asks for."""

    wait = staticmethod(QTest.qWait)
    mousePress = staticmethod(QTest.mousePress)  # noqa: N815 - Qt's name
    mouseRelease = staticmethod(QTest.mouseRelease)  # noqa: N815 - Qt's name


def rest(dock: DetectionDock | None, least: float = _REST) -> None:
    """Lets Qt work until nothing runs any more."""
    until, now = time.monotonic() + least, time.monotonic()
    end = now + _MOST
    while time.monotonic() < until:
        QApplication.processEvents()
        time.sleep(0.004)
        busy = bool(Worker._running) or (dock is not None and (dock.filling.is_busy or dock.jobs.is_busy))
        if busy and time.monotonic() < end:
            until = time.monotonic() + least


def open_window(size: tuple[int, int], dock_width: int = _DOCK_WIDTH) -> Hands:
    """Opens a viewer with the dock, as the plugin menu does."""
    get_settings().application.gui_notification_level = "error"  # they would lie on the pictures
    viewer = napari.Viewer(title="napari", show=True)
    viewer.window.resize(*size)
    rest(None)
    frame = FindAnomalies(viewer)
    docked = viewer.window.add_dock_widget(frame, name="Find anomalies", area="right")
    docked.window().resizeDocks([docked], [dock_width], Qt.Orientation.Horizontal)
    docked.window().move(0, 0)
    rest(frame.dock)
    return Hands(viewer, frame.dock)


class Hands:
    """Mouse and keys of one who reads.

    Args:
        viewer: A viewer that is shown.
        dock: The dock in it.
    """

    def __init__(self, viewer: napari.Viewer, dock: DetectionDock) -> None:
        self.viewer, self.dock = viewer, dock

    @property
    def window(self) -> QWidget:
        return self.dock.window()

    @property
    def canvas(self) -> QWidget:
        return self.viewer.window._qt_viewer.canvas.native

    def rest(self) -> None:
        rest(self.dock)

    def open(self, paths: Iterable[Path]) -> tuple[Series, ...]:
        """Opens scans; returns those that came."""
        before = set(self.dock.gallery.series)
        self.dock.open(paths)
        self.rest()
        return tuple(each for each in self.dock.gallery.series if each not in before)

    def card(self, series: Series) -> SeriesCard:
        return self.dock.gallery.card(series)

    def click(self, widget: QWidget, place: tuple[int, int] | None = None) -> None:
        if place is None:
            QTest.mouseClick(widget, LEFT)
        else:
            QTest.mouseClick(widget, LEFT, NONE, QPoint(*place))
        self.rest()

    def key(self, widget: QWidget, key: Qt.Key | str, modifier: Qt.KeyboardModifier = NONE) -> None:
        QTest.keyClick(widget, key, modifier)
        self.rest()

    def press(self, key: str) -> None:
        """A shortcut of the window, such as ``"Shift+R"``; the window must be the active one."""
        end = time.monotonic() + _MOST
        while not self.window.isActiveWindow() and time.monotonic() < end:
            self.window.activateWindow()
            rest(None, 0.05)
        shift, _, letter = key.rpartition("+")
        self.key(self.window, letter, Qt.KeyboardModifier.ShiftModifier if shift else NONE)

    def look(self, series: Series) -> None:
        """A click on the card."""
        self.click(self.card(series).picture)

    def mark(self, references: Iterable[Series]) -> None:
        """N on each card."""
        for series in references:
            self.key(self.card(series), "N")

    def leaf(self, series: Series, steps: int) -> None:
        """The wheel over a thumbnail, on which the pointer rests."""
        picture = self.card(series).picture
        picture._since = 0.0
        turn(picture, -steps)
        self.rest()

    def middle(self, across: float = 0.0, down: float = 0.0) -> Point:
        """A place of the canvas by its parts of half the shorter side from the middle."""
        unit = min(self.canvas.width(), self.canvas.height()) / 2
        return self.canvas.width() / 2 + across * unit, self.canvas.height() / 2 + down * unit

    def point(self, place: Point) -> None:
        """Moves the mouse over the canvas."""
        point_at(self.canvas, place)
        self.rest()

    def drag(self, first: Point, last: Point, button: Qt.MouseButton = LEFT) -> None:
        """Holds a button down on the canvas."""
        drag(_Bot, self.canvas, button, first, last)
        self.rest()

    def draw(self, tool: Tool, first: Point, last: Point) -> None:
        """Chooses a tool by its button and draws with it."""
        self.click(self.dock.reading.bar.tools.button(tool))
        self.drag(first, last)

    def write_note(self, text: str) -> None:
        """Writes a note on the finding that is chosen."""
        line = self.dock.results.verdict_bar.note_line
        QTest.keyClicks(line, text)
        self.key(line, Qt.Key.Key_Return)

    def choose_label(self, label: str) -> None:
        """Calls the finding that is chosen something."""
        box = self.dock.results.verdict_bar.label_box
        box.setCurrentIndex(box.findData(label))
        box.activated.emit(box.currentIndex())
        self.rest()

    def scroll_to(self, widget: QWidget) -> None:
        """Scrolls the page of the dock to a part of it."""
        around = widget.parentWidget()
        while around is not None and not hasattr(around, "ensureWidgetVisible"):
            around = around.parentWidget()
        if around is not None:
            around.ensureWidgetVisible(widget, 0, 4)
        self.rest()

    def close(self) -> None:
        """Closes the viewer, whose work is not wanted."""
        self.dock.keeping.note_saved()
        self.dock.keeping._cases.note_saved(self.dock.keeping._cases.unsaved)
        self.viewer.close()
        rest(None)


def turn(widget: QWidget, steps: int) -> None:
    """Turns the wheel over the middle of a widget; positive is away from the user."""
    at = QPointF(widget.rect().center())
    event = QWheelEvent(
        at, QPointF(widget.mapToGlobal(widget.rect().center())), QPoint(), QPoint(0, 120 * steps),
        Qt.MouseButton.NoButton, NONE, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(widget, event)


def on_screen(widget: QWidget, part: QRect | None = None) -> Image.Image:
    """Returns what the screen shows where a widget is, with whatever lies above it."""
    rest(None)
    place = widget.rect() if part is None else part
    corner = widget.mapToGlobal(place.topLeft())
    pixmap = QGuiApplication.primaryScreen().grabWindow(
        0, corner.x(), corner.y(), place.width(), place.height()
    )
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    pixmap.save(buffer, "PNG")
    return Image.open(BytesIO(bytes(buffer.data()))).convert("RGB")


def save_small(picture: Image.Image, path: Path, most_bytes: int) -> None:
    """Saves a PNG with as many greys as fit beside the colours, which say more."""
    pixels = np.asarray(picture).reshape(-1, 3)
    coloured = pixels[np.ptp(pixels.astype(np.int16), axis=1) > _A_COLOUR]
    palette: list[int] = []
    if len(coloured):
        few = Image.fromarray(coloured[None]).quantize(_COLOURS, dither=Image.Dither.NONE, kmeans=1)
        palette = few.getpalette() or []
    for greys in _GREYS:
        packed = BytesIO()
        table = Image.new("P", (1, 1))
        table.putpalette([*palette, *np.linspace(0, 255, greys).round().astype(int).repeat(3).tolist()])
        picture.quantize(palette=table, dither=Image.Dither.NONE).save(packed, "PNG", optimize=True)
        if packed.tell() <= most_bytes:
            break
    path.write_bytes(packed.getvalue())

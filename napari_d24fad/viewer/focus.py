"""Shows where the keyboard focus is, and leads Tab through a panel as it is read."""

from __future__ import annotations

from collections.abc import Iterator

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLayout, QScrollArea, QTabWidget, QWidget

FOCUS = "#4cc9f0"
_FRAMED = ("QPushButton", "QToolButton", "QComboBox", "QAbstractSpinBox", "QLineEdit", "QAbstractScrollArea")
_MARKED = ("QCheckBox", "QRadioButton", "QSlider")

FOCUS_STYLE = f"""
{", ".join(f"{kind}:focus" for kind in _FRAMED)} {{ border: 2px solid {FOCUS}; }}
QPushButton:focus, QToolButton:focus {{ padding: 2px; }}
{", ".join(f"{kind}:focus" for kind in _MARKED)} {{ background: rgba(76, 201, 240, 70); }}
QTabBar::tab:selected:focus {{ border: 2px solid {FOCUS}; padding: 2px 5px; }}
"""
"""napari's themes show the focus nowhere; a coloured frame is seen in all of them."""


def next_stop(panel: QWidget, *, forwards: bool) -> QWidget | None:
    """Returns the control that Tab leads to inside a panel, in the order of its layouts.

    Qt's own order is that in which controls were made.

    Args:
        panel: The panel; the focus may be anywhere.
        forwards: Tab, else Shift+Tab.

    Returns:
        The control; None if there is no other before the panel ends, or the focus is elsewhere.
    """
    stops = [stop for stop in tab_stops(panel) if stop.isVisible() and stop.isEnabled()]
    here = panel.window().focusWidget()
    if here not in stops:
        return None
    at = stops.index(here) + (1 if forwards else -1)
    return stops[at] if 0 <= at < len(stops) else None


def outside(panel: QWidget, *, forwards: bool) -> QWidget | None:
    """Returns the control that Tab leads to from the end of a panel: the next in its window, if any."""
    inside = panel
    while True:
        inside = inside.nextInFocusChain() if forwards else inside.previousInFocusChain()
        if inside is panel:
            return None
        takes_focus = inside.focusPolicy() & Qt.FocusPolicy.TabFocus
        if takes_focus and inside.isVisible() and inside.isEnabled() and not panel.isAncestorOf(inside):
            return inside


def tab_stops(widget: QWidget) -> Iterator[QWidget]:
    """Yields all controls in a widget that Tab stops at, as they are read, hidden ones too."""
    if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.focusProxy() is None:
        yield widget
    if isinstance(widget, QTabWidget):
        yield from tab_stops(widget.tabBar())
        for page in range(widget.count()):
            yield from tab_stops(widget.widget(page))
    elif isinstance(widget, QScrollArea):
        if widget.widget() is not None:
            yield from tab_stops(widget.widget())
    elif widget.layout() is not None:
        yield from _in_layout(widget.layout())


def _in_layout(layout: QLayout) -> Iterator[QWidget]:
    for at in range(layout.count()):
        item = layout.itemAt(at)
        if item.widget() is not None:
            yield from tab_stops(item.widget())
        elif item.layout() is not None:
            yield from _in_layout(item.layout())

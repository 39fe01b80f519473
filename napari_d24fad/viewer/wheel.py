"""Keeps the mouse wheel from changing values that the pointer only passes while a panel is scrolled."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtWidgets import QAbstractSpinBox, QWidget


def scroll_past(widget: QWidget, *, always: bool = False) -> None:
    """Lets the wheel scroll what is around a spin box, a combo box or a slider, instead of changing it.

    A spin box that was clicked into still steps by the wheel: it shows that it is being edited. A choice
    that was made keeps the focus without showing it, so combo boxes and sliders never follow the wheel.

    Args:
        widget: The spin box, combo box or slider.
        always: Whether a spin box that was clicked into does not follow the wheel either.
    """
    # The wheel must not give the focus either, or the next turn would change the value.
    widget.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    widget.installEventFilter(_Wheel(widget, always))


class _Wheel(QObject):
    """Passes wheel events on to the parent of the widget; lives as long as the widget."""

    def __init__(self, widget: QWidget, always: bool) -> None:
        super().__init__(widget)
        self._always = always

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        if event.type() != QEvent.Type.Wheel:
            return False
        if isinstance(watched, QAbstractSpinBox) and watched.hasFocus() and not self._always:
            return False
        event.ignore()
        return True

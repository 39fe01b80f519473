"""Binds keys in the viewer, so that they work from the canvas and the layer list too."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from weakref import WeakMethod, ref

from napari.viewer import Viewer
from qtpy.compat import isalive
from qtpy.QtWidgets import QWidget


class ViewerKeys:
    """Keys of a panel in the keymap of its viewer; they do nothing while the panel is put away.

    A layer that has a use for one of them, such as R of a Shapes layer, comes first: napari asks it before
    the viewer.

    Args:
        viewer: The viewer.
        panel: Whose keys these are.
        actions: What each key does, by its name in napari; methods, which are not kept alive.
    """

    def __init__(self, viewer: Viewer, panel: QWidget, actions: Mapping[str, Callable[[], object]]) -> None:
        self._viewer, self._keys = viewer, tuple(actions)
        for key, action in actions.items():
            viewer.bind_key(key, _presser(ref(panel), WeakMethod(action)), overwrite=True)

    @property
    def keys(self) -> tuple[str, ...]:
        """Their names in napari."""
        return self._keys

    def stop(self) -> None:
        """Takes the keys out of the viewer."""
        for key in self._keys:
            self._viewer.bind_key(key, None)


def _presser(panel: ref[QWidget], action: WeakMethod[Callable[[], object]]) -> Callable[[Viewer], None]:
    def press(viewer: Viewer) -> None:  # a function: napari asks for its name
        widget, act = panel(), action()
        if act is not None and widget is not None and isalive(widget) and not widget.isHidden():
            act()

    return press

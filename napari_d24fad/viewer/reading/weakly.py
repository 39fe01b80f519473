"""Callbacks for napari that do not keep alive what they call, though its lists live as long as the viewer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import WeakMethod


def weakly(method: Callable[..., Any]) -> Callable[..., Any]:
    """Returns a function that calls a bound method as long as its object is there, and else does nothing.

    Args:
        method: Bound to an object that nothing in the viewer may keep.
    """
    held = WeakMethod(method)

    def call(*args: Any) -> Any:
        found = held()
        return None if found is None else found(*args)

    return call

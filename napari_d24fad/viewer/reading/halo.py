"""A dark rim around the words of a layer: yellow alone cannot be read on white tissue."""

from __future__ import annotations

from napari.layers import Points, Shapes
from napari.qt import QtViewer
from qtpy.QtWidgets import QWidget

_PLAIN = "gl_FragColor = vec4(v_color.rgb, v_color.a * alpha);"
_UNDRAWN = "if (alpha <= 0) discard;"
_RIMMED = """
        float covered = max(alpha, smoothstep(0.05, 0.3, distance));
        if (covered <= 0.0) discard;
        gl_FragColor = vec4(v_color.rgb * alpha, v_color.a * covered);
"""
"""Letters are drawn from their distance fields, 0.5 at the edge and less outside: so is the rim."""


def add_halo(window: QWidget, layer: Points | Shapes) -> bool:
    """Gives the words of a layer a dark rim, before they are first drawn.

    napari and vispy have no setting for it, so that a line of the program that draws letters is changed.

    Args:
        window: That of the viewer.
        layer: Has words, and is in the viewer.

    Returns:
        Whether it has a rim; not where another version of vispy draws letters in another way.
    """
    canvas = window.findChild(QtViewer)
    visual = None if canvas is None else canvas.canvas.layer_to_visual.get(layer)
    text = getattr(getattr(visual, "node", None), "text", None)
    if text is None:
        return False
    program = getattr(type(text), "_shaders", {}).get("fragment", "")
    if _PLAIN not in program or _UNDRAWN not in program:
        return False
    text.shared_program.frag = program.replace(_UNDRAWN, "").replace(_PLAIN, _RIMMED)
    return True

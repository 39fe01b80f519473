"""How texts that must be read are set off: by a coloured edge, so that they are legible in every theme."""

from __future__ import annotations

WARNING, GOOD, ERROR = "#ffb020", "#35c46a", "#ff4d4d"


def edged(colour: str) -> str:
    """Returns the style sheet of a text with an edge of this colour on its left."""
    return f"border-left: 4px solid {colour}; padding-left: 4px;"

"""What the user chooses by name; imports nothing, for commands that only list it."""

from __future__ import annotations

from typing import Final

SCORING: Final = "atlas"
"""`AnomalyMap.scoring` of volumes that were held against the references place by place."""

DIRECTIONS: Final = ("brighter", "darker", "both")
"""The values of `Direction`."""

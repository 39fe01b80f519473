"""What the user chooses by name; imports nothing, for commands that only list it."""

from __future__ import annotations

from typing import Final

SCORING: Final = "atlas"
"""`AnomalyMap.scoring` of volumes that were held against the references place by place."""

DRAWN_REGION: Final = "drawn region"
"""Name of the plan of volumes of no known kind, of which a region is drawn."""

DIRECTIONS: Final = ("brighter", "darker", "both")
"""The values of `Direction`."""

"""Chooses which departures from the references are looked for in a volume."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QLabel

from napari_d24fad.detection.atlas.names import DIRECTIONS
from napari_d24fad.studies.scan import Scan
from napari_d24fad.viewer.narrow import NarrowBox

_TITLES = {"brighter": "Brighter than the references", "darker": "Darker", "both": "Brighter or darker"}


class DirectionChoice(NarrowBox):
    """The usual direction of the kind of study, or another; hidden where none is looked for."""

    direction_changed = Signal()
    """The reader chose another direction."""

    def __init__(self) -> None:
        super().__init__()
        self.label = QLabel("Look for")
        self.setAccessibleName("Look for")
        self.setToolTip("Which departures are looked for in volumes that are compared place by place")
        self.addItem("Usual for this kind of study", None)
        for name in DIRECTIONS:
            self.addItem(_TITLES[name], name)
        self.currentIndexChanged.connect(self.direction_changed)
        self.show_for(None)

    @property
    def direction(self) -> str | None:
        """One of `DIRECTIONS`; None for the usual one, and where there is no choice."""
        chosen = self.currentData()
        return None if self.isHidden() or chosen is None else str(chosen)

    def show_for(self, scan: Scan | None, *, drawn: bool = False) -> None:
        """Offers directions if the scan to examine may be compared place by place.

        Args:
            scan: The scan or its outline; None if none is chosen.
            drawn: Whether a region is drawn: by it, volumes of every kind can be.
        """
        offered = scan is not None and scan.is_volume and not scan.is_colour
        offered = offered and (drawn or (scan is not None and scan.modality in ("CT", "MR", "")))
        self.setVisible(offered)
        self.label.setVisible(offered)

"""The ways to look at one result, and what their colours mean."""

from __future__ import annotations

from enum import Enum


class MapView(Enum):
    """What the colours over the scan show."""

    SCORE = "score"
    P_VALUE = "p-value"
    SSD = "SSD"
    TSD = "TSD"

    @property
    def title(self) -> str:
        """What the user chooses it by."""
        return _TITLES[self]

    @property
    def colours(self) -> str:
        """What the numbers of the colour bar are, short enough for the canvas."""
        return _COLOURS[self]

    @property
    def scale(self) -> str:
        """The same for the colour bar of a picture to keep."""
        clear = " (clear below the threshold)" if self.is_calibrated else ""
        return f"{self.quantity}{clear}"

    @property
    def quantity(self) -> str:
        """What the values are, whatever the colours."""
        return _QUANTITIES[self]

    @property
    def explanation(self) -> str:
        """The same in a sentence."""
        return _EXPLANATIONS[self]

    @property
    def is_calibrated(self) -> bool:
        """Whether the threshold applies to it."""
        return self in (MapView.SCORE, MapView.P_VALUE)


_TITLES = {
    MapView.SCORE: "Anomaly score",
    MapView.P_VALUE: "p-value of each pixel",
    MapView.SSD: "SSD distance",
    MapView.TSD: "TSD distance",
}
_COLOURS = {
    MapView.SCORE: "Colours: anomaly score",
    MapView.P_VALUE: "Colours: −log10 p of the pixel (2 is 1 %, 3 is 0.1 %)",
    MapView.SSD: "Colours: SSD distance",
    MapView.TSD: "Colours: TSD distance",
}
_QUANTITIES = {
    MapView.SCORE: "Anomaly",
    MapView.P_VALUE: "−log10 p of the pixel",
    MapView.SSD: "SSD distance",
    MapView.TSD: "TSD distance",
}
_EXPLANATIONS = {
    MapView.SCORE: "Colours are anomaly scores.",
    MapView.P_VALUE: "Colours are −log10 p: at 2, 1 % of a normal scan's pixels are as high, at 3, 0.1 %.",
    MapView.SSD: (
        "Student features of each slice against those of the references, weighted as published. "
        "Not calibrated: the threshold does not apply."
    ),
    MapView.TSD: (
        "What the student network could not re-create of the teacher's features. "
        "Not calibrated: the threshold does not apply."
    ),
}

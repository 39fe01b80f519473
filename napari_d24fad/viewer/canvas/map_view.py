"""The ways to look at one result, and what their colours mean."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from napari_d24fad.detection.result import MapChannel


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


@dataclass(frozen=True, slots=True)
class ChannelView:
    """A map beside the joined one, or a part of a map, alone. Says of itself what a `MapView` does.

    Attributes:
        channel: Which.
    """

    channel: MapChannel

    @property
    def title(self) -> str:
        """See `MapView.title`."""
        return self.channel.title[0].upper() + self.channel.title[1:]

    @property
    def colours(self) -> str:
        """See `MapView.colours`."""
        return f"Colours: {self.channel.title}{', alone' if self.channel.sign else ''}"

    @property
    def scale(self) -> str:
        """See `MapView.scale`."""
        return f"{self.title} (clear below {self.channel.level:.2g})"

    @property
    def quantity(self) -> str:
        """See `MapView.quantity`."""
        return self.title

    @property
    def explanation(self) -> str:
        """See `MapView.explanation`."""
        channel, map_ = self.channel, f"map of {self.channel.beside}" if self.channel.beside else "joined map"
        unit = "1 is how far normal scans are from each other."
        if not channel.sign:
            return (
                f"A map of its own, never averaged into the joined map: {channel.title}. {unit} Clear below "
                f"{channel.level:.3g}: a normal scan shows at most one region above it. "
                "The regions listed are those of this map."
            )
        threshold = "Regions" if channel.beside else "Regions and the threshold"
        return (
            f"One part of the {map_} alone: {channel.title}. {unit} "
            f"Clear below {channel.level:.2g}, which 0.1 % of a normal scan exceeds. "
            f"{threshold} are those of the {map_}."
        )

    @property
    def is_calibrated(self) -> bool:
        """See `MapView.is_calibrated`."""
        return False


View = MapView | ChannelView
"""Whatever can be chosen to be shown."""

JOINED_TITLE = "Joined map: anomaly score"
"""What `MapView.SCORE` is chosen by where its parts can be chosen as well."""

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

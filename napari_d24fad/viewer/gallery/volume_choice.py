"""Chooses one of several volumes of a series: an echo, a b-value, a time point."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Signal

from napari_d24fad.studies.series import Series
from napari_d24fad.studies.volumes import summary
from napari_d24fad.viewer.narrow import NarrowBox


class VolumeChoice(NarrowBox):
    """A list of volumes; hidden where there is only one."""

    volume_requested = Signal(object)
    """The `Series` of the volume that the user wants."""

    def __init__(self, volumes: Sequence[Series]) -> None:
        super().__init__()
        self._volumes = tuple(volumes)
        self.setVisible(len(self._volumes) > 1)
        if len(self._volumes) < 2:
            return
        for series in self._volumes:
            self.addItem(series.member.shown if series.member else series.label)
        self.setToolTip(summary(self._volumes))
        self.setAccessibleName(f"Volume of this series: {summary(self._volumes)}")
        self.activated.connect(lambda at: self.volume_requested.emit(self._volumes[at]))

    def show_volume(self, series: Series) -> None:
        """Shows which volume is chosen; asks nobody."""
        if series in self._volumes:
            self.setCurrentIndex(self._volumes.index(series))

"""In which windows a CT, or PET in SUV, was examined."""

from __future__ import annotations

from collections.abc import Sequence

from napari_d24fad.detection.atlas.names import SCORING as ATLAS
from napari_d24fad.detection.encoding.intensity import SUV_WINDOW, CtWindow, name_windows
from napari_d24fad.detection.result import AnomalyMap
from napari_d24fad.studies.scan import Scan


def examined_windows(scan: Scan, anomaly: AnomalyMap, ct_windows: Sequence[CtWindow]) -> tuple[CtWindow, ...]:
    """Returns the windows that made the map; none where values were compared as they are.

    Args:
        scan: The scan.
        anomaly: Its map.
        ct_windows: Those of the request.
    """
    return tuple(ct_windows) if scan.modality == "CT" and anomaly.scoring != ATLAS else ()


def windows_text(scan: Scan, anomaly: AnomalyMap, ct_windows: Sequence[CtWindow]) -> str:
    """Says in which windows a CT, or PET in SUV, was examined; empty where there were none."""
    if scan.unit == "SUV":
        return f"examined in {SUV_WINDOW[0]:g} to {SUV_WINDOW[1]:g} SUV"
    used = examined_windows(scan, anomaly, ct_windows)
    return f"examined in {name_windows(used)}" if used else ""

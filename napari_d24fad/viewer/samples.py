"""npe2 sample data: the synthetic heads of File > Open Sample, made once and kept."""

from __future__ import annotations

import threading
from functools import partial
from pathlib import Path
from weakref import ref

import napari
from napari.utils import progress as ActivityBar  # noqa: N812 - a class with a small name
from napari.window import Window
from qtpy.QtCore import QTimer

from napari_d24fad.errors import Code, ExportError
from napari_d24fad.sample.study import write_sample_study
from napari_d24fad.session.opening import open_paths
from napari_d24fad.settings import sample_folder
from napari_d24fad.version import __version__
from napari_d24fad.viewer.canvas.layer_data import scan_layer_data
from napari_d24fad.viewer.readers import LayerData, hide_all_but_first

_PLUGIN, _DOCK = "napari-d24fad", "Find anomalies"
_COMPLETE = "complete"
_PERCENT = 100
_making = threading.Lock()


def sample_study() -> list[LayerData]:
    """npe2: returns one layer per sample scan; the first has the lesion, the others are normal.

    The dock that they are meant for opens with them. The first call writes the study as DICOM files, which
    takes some seconds.

    Raises:
        ExportError: If the study cannot be written, or is being written.
        StudyError: If it cannot be made or read.
    """
    # napari's progress bar lets events in, so the menu can be used again while this runs.
    if not _making.acquire(blocking=False):
        raise ExportError(Code.CANNOT_WRITE, "It is being written at this moment.")
    try:
        layers = _layers(_written_study())
    finally:
        _making.release()
    viewer = napari.current_viewer()
    if viewer is not None and viewer.window is not None:
        # Once the layers are there; a dock that is open already stays as it is.
        QTimer.singleShot(0, partial(_open_dock, ref(viewer.window)))
    return layers


def _open_dock(window: ref[Window]) -> None:
    shown = window()
    if shown is not None:
        shown.add_plugin_dock_widget(_PLUGIN, _DOCK)


def _layers(folder: Path) -> list[LayerData]:
    layers = []
    for place in (folder / "query", *sorted(folder.glob("reference-*"))):
        series = open_paths([place]).series[0]
        layers.append(scan_layer_data(series.load(), series.identity.description))
    return hide_all_but_first(layers)


def _written_study() -> Path:
    """Returns the folder of the sample study of this version, writing it if it is not there."""
    folder = sample_folder() / __version__
    mark = folder / _COMPLETE
    if not mark.exists():
        with ActivityBar(total=_PERCENT, desc="Making the sample study") as bar:
            write_sample_study(
                folder, progress=lambda done, step: bar.update(max(0, int(done * _PERCENT) - bar.n))
            )
        mark.touch()
    return folder

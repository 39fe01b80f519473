"""The demonstration: the whole main job on the sample study, held against its known lesion."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import napari
import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QEventLoop, Qt, QTimer
from qtpy.QtWidgets import QApplication

from napari_d24fad.detection.result import AnomalyMap
from napari_d24fad.errors import Cancelled, Code, D24fadError, ExportError
from napari_d24fad.sample.study import SampleStudy, write_sample_study
from napari_d24fad.session.request import Examination
from napari_d24fad.studies.orientation import canonical, canonical_orientation
from napari_d24fad.studies.scan import Scan
from napari_d24fad.studies.study import open_study
from napari_d24fad.viewer.dock import DetectionDock
from napari_d24fad.viewer.find_anomalies import FindAnomalies
from napari_d24fad.viewer.gallery.roles import Role

STUDY_FOLDER, CANVAS_NAME, WINDOW_NAME = "sample-study", "canvas.png", "window.png"
_WINDOW_SIZE, _DOCK_WIDTH = (1600, 1000), 460
_LAYOUT_PASSES = 10
"""Each lays out what the one before made room for."""


@dataclass(frozen=True, slots=True)
class DemoResult:
    """What the demonstration found, beside what is known.

    Attributes:
        score: Score of the scan with the lesion.
        reference_scores: Score of each reference, examined against the others.
        suspicious_slice: The most suspicious slice, numbered from 1 as the viewer does.
        lesion_slices: First and last slice of the lesion, numbered alike.
        peak_in_lesion: Whether the highest value of the map lies in the lesion.
        dice: Overlap of the map above the level of one false region with the lesion, 0 to 1.
    """

    score: float
    reference_scores: tuple[float, ...]
    suspicious_slice: int
    lesion_slices: tuple[int, int]
    peak_in_lesion: bool
    dice: float

    def __str__(self) -> str:
        first, last = self.lesion_slices
        inside = first <= self.suspicious_slice <= last
        normal = ", ".join(f"{score:.3g}" for score in self.reference_scores)
        return "\n".join(
            (
                f"Score of the scan with the lesion: {self.score:.3g}; of the normal scans: {normal}",
                f"Most suspicious slice: {self.suspicious_slice}; the lesion is in slices {first} to {last}"
                f" ({'found' if inside else 'missed'})",
                f"Highest value of the map: {'inside' if self.peak_in_lesion else 'outside'} the lesion",
                f"Overlap with the lesion above the level of one false region (Dice): {self.dice:.2f}",
            )
        )


def run_demo(out_dir: Path, *, show: bool) -> DemoResult:
    """Runs the main job in a real viewer, writes its results and prints what it found.

    Writes to ``out_dir`` what the widget writes (``anomaly.nii.gz``, ``overlay.png``,
    ``report.json``), the stamped canvas, a picture of the whole window, and the sample study.

    Args:
        out_dir: Where to; made if missing.
        show: Whether to leave napari open, and to return when the user closes it.

    Raises:
        D24fadError: If any step failed, or the results of something else are in ``out_dir``.
        Cancelled: If the user pressed Cancel.
    """
    # Imports matplotlib, which the viewer starts without.
    from napari_d24fad.export.results import MAP_NAME, OVERLAY_NAME, REPORT_NAME

    results = (out_dir / name for name in (MAP_NAME, OVERLAY_NAME, REPORT_NAME))
    if not (out_dir / STUDY_FOLDER).exists() and any(path.exists() for path in results):
        raise ExportError(Code.RESULTS_OF_ANOTHER)
    print("Writing the sample study", flush=True)
    sample = write_sample_study(out_dir / STUDY_FOLDER)
    viewer = napari.Viewer(title="napari-d24fad demo", show=True)
    viewer.window.resize(*_WINDOW_SIZE)
    try:
        frame = FindAnomalies(viewer)  # what the plugin menu opens
        docked = viewer.window.add_dock_widget(frame, name="Find anomalies", area="right")
        dock = frame.dock
        docked.window().resizeDocks([docked], [_DOCK_WIDTH], Qt.Orientation.Horizontal)
        print("Finding anomalies", flush=True)
        examination = _examine(dock, sample)
        _look_closer(dock)
        _save(viewer, dock, out_dir)
        findings = compare_with_lesion(examination.scan, examination.anomaly, sample)
        print(findings, flush=True)
        if show:
            napari.run()
    finally:
        if not show:
            viewer.close()
    return findings


def _examine(dock: DetectionDock, sample: SampleStudy) -> Examination:
    """Does what the user does: opens the study, marks the references, chooses the scan, runs."""
    dock.open((sample.query, *sample.references))
    _wait(dock)
    series = {one.source: one for one in dock.gallery.series}
    for folder in sample.references:
        dock.gallery.set_role(series[folder], Role.REFERENCE)
    dock.gallery.set_role(series[sample.query], Role.QUERY)
    dock.run()
    _wait(dock)
    if dock.examination is None:  # the user pressed Cancel in the window
        raise Cancelled
    return dock.examination


def _look_closer(dock: DetectionDock) -> None:
    """Goes to the region of the highest rank and asks why."""
    dock.results.slices_section.set_unfolded(False)
    dock.results.why_section.set_unfolded(True)
    dock.results.regions.setCurrentCell(0, 0)
    _wait(dock)


def _save(viewer: napari.Viewer, dock: DetectionDock, out_dir: Path) -> None:
    dock.save_results(out_dir, replace_others=True)  # those of an earlier demonstration
    _wait(dock)
    dock.save_picture(out_dir / CANVAS_NAME)
    _wait(dock)
    for widget in QApplication.allWidgets():
        # napari's word about PyQt5 would lie on the scale bar; it has no public way to take it back.
        if type(widget).__name__ == "NapariQtNotification":
            widget.close()
    for _ in range(_LAYOUT_PASSES):
        QApplication.processEvents()
    viewer.screenshot(str(out_dir / WINDOW_NAME), canvas_only=False, flash=False)


def _wait(dock: DetectionDock) -> None:
    """Lets Qt work until the widget's job and its thumbnails are done.

    Raises:
        D24fadError: What the job failed with.
    """
    failures: list[D24fadError] = []
    dock.jobs.failed.connect(failures.append)
    loop = QEventLoop()
    timer = QTimer()
    timer.timeout.connect(
        lambda: (
            None
            if dock.jobs.is_busy or dock.filling.previews.is_busy or dock.result_view.is_busy
            else loop.quit()
        )
    )
    timer.start(20)
    loop.exec()
    dock.jobs.failed.disconnect(failures.append)
    if failures:
        raise failures[0]


def compare_with_lesion(scan: Scan, anomaly: AnomalyMap, sample: SampleStudy) -> DemoResult:
    """Holds a result against the known lesion of a sample study.

    Args:
        scan: The scan with the lesion.
        anomaly: What was found in it.
        sample: Where the lesion's mask is.
    """
    orientation = canonical_orientation(scan)
    values = orientation.apply(anomaly.values)
    lesion = _lesion(sample)
    above = np.nan_to_num(values, nan=-np.inf) >= anomaly.level_one_region
    slices = np.flatnonzero(lesion.any(axis=(1, 2)))
    suspicious = anomaly.most_suspicious(1)[0]
    last = scan.n_slices - 1
    return DemoResult(
        score=anomaly.score,
        reference_scores=tuple(float(score) for score in anomaly.reference_scores),
        suspicious_slice=(last - suspicious if orientation.flips[0] else suspicious) + 1,
        lesion_slices=(int(slices[0]) + 1, int(slices[-1]) + 1),
        peak_in_lesion=bool(lesion[np.unravel_index(np.nanargmax(values), values.shape)]),
        dice=float(2 * (above & lesion).sum() / (above.sum() + lesion.sum())),
    )


def _lesion(sample: SampleStudy) -> npt.NDArray[np.bool_]:
    """Returns the known lesion in canonical order."""
    mask = canonical(open_study(sample.lesion_mask).series[0].load())
    return np.asarray(mask.voxels, dtype=np.float32) > 0

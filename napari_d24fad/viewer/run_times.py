"""Says how long a run will take, from how long runs took before."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from qtpy.QtCore import QObject

from napari_d24fad.atomic import atomic_file
from napari_d24fad.progress import CancelToken, Progress, duration_text
from napari_d24fad.session.request import Examination, Request
from napari_d24fad.settings import run_times_file
from napari_d24fad.studies.series import Series
from napari_d24fad.viewer.examining import Examining
from napari_d24fad.viewer.gallery.gallery import FEWEST, Gallery
from napari_d24fad.viewer.running.run_panel import RunPanel
from napari_d24fad.viewer.running.workers import Worker

_NEWEST = 0.5
"""How much the last run says of the next, beside all before."""
_HOUR = 3600


class RunTimes(QObject):
    """Seconds per slice that was not read before, for each model, device and kind of scan.

    Args:
        examining: Tells of runs, and what the next would be.
        gallery: Tells of other choices.
        run_panel: Shows what is expected.
    """

    def __init__(self, examining: Examining, gallery: Gallery, run_panel: RunPanel) -> None:
        super().__init__()
        self._examining, self._gallery, self._run_panel = examining, gallery, run_panel
        self._rates = _read()
        self._known: defaultdict[str, set[Series]] = defaultdict(set)
        examining.ran.connect(self._note)
        gallery.roles_changed.connect(self._show)
        for box in (run_panel.settings.model_box, run_panel.settings.device_box):
            box.currentIndexChanged.connect(self._show)
        self._show()

    def expected(self, request: Request) -> float | None:
        """Returns how many seconds a run will take; None if none like it was done before."""
        rate = self._rates.get(_kind(request))
        return None if rate is None else rate * self._slices(request)

    def expected_of_all(self, requests: Sequence[Request]) -> float | None:
        """Returns how many seconds runs with the same references take, one after the other; None likewise."""
        rates = [self._rates.get(_kind(each)) for each in requests]
        if not requests or len(requests[0].references) < FEWEST or None in rates:
            return None
        slices = [each.query.outline.n_slices for each in requests]
        slices[0] = self._slices(requests[0])  # which reads the references
        return sum(rate * count for rate, count in zip(rates, slices, strict=True) if rate is not None)

    def note_queued(self, request: Request, seconds: float) -> None:
        """Takes what a scan of a list took, whose references were read before."""
        kind = _kind(request)
        self._known[kind].update(_others(request))
        self._learn(kind, seconds / self._slices(request))

    def _slices(self, request: Request) -> int:
        """Counts what must be read and computed: references that were examined with are kept."""
        known = self._known[_kind(request)]
        scans = {request.query, *(each for each in _others(request) if each not in known)}
        return sum(each.outline.n_slices for each in scans)

    def _note(self, examination: Examination) -> None:
        request = examination.request
        kind, rate = _kind(request), examination.anomaly.seconds / self._slices(request)
        self._known[kind].update(_others(request))
        self._learn(kind, rate)

    def _learn(self, kind: str, rate: float) -> None:
        before = self._rates.get(kind, rate)
        self._rates[kind] = _NEWEST * rate + (1 - _NEWEST) * before
        rates = dict(self._rates)
        Worker(lambda progress, cancel: _write(rates, progress, cancel)).start()
        self._show()

    def _show(self) -> None:
        query = self._gallery.query
        if query is None or len(self._gallery.references) < FEWEST:
            self._run_panel.show_expected("")
            return
        seconds = self.expected(self._examining.request_for(query))
        self._run_panel.show_expected("" if seconds is None else duration_text(seconds))


def _others(request: Request) -> tuple[Series, ...]:
    return (*request.references, *request.marked_abnormal)


def _kind(request: Request) -> str:
    outline = request.query.outline
    what = f"{outline.modality or 'other'} {'volume' if outline.is_volume else 'image'}"
    region = " region" if request.regions else ""
    return f"{Path(request.model).name} on {request.device}: {what}{region}"


def _read() -> dict[str, float]:
    try:
        stated = json.loads(run_times_file().read_text())
        return {str(kind): float(rate) for kind, rate in stated.items() if 0 < float(rate) < _HOUR}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}  # nothing is known yet, or the file is damaged: the next run tells


def _write(rates: dict[str, float], progress: Progress, cancel: CancelToken) -> None:
    with atomic_file(run_times_file(), private=True) as path:
        path.write_text(json.dumps(rates))

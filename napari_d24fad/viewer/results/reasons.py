"""Says why: asks for the explanation of what is looked at, and shows it where the panel is unfolded."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np
from qtpy.QtCore import QObject

from napari_d24fad.errors import Code, D24fadError
from napari_d24fad.export.anatomy import slice_number
from napari_d24fad.progress import CancelToken
from napari_d24fad.session.request import Examination
from napari_d24fad.session.session import DetectionSession
from napari_d24fad.studies.scan import Problem
from napari_d24fad.viewer.canvas.flicker import Flicker
from napari_d24fad.viewer.canvas.scans import ShownScan
from napari_d24fad.viewer.results.explanations import Explanations, Told, Wish
from napari_d24fad.viewer.results.panel import ResultsPanel

if TYPE_CHECKING:
    from napari_d24fad.detection.explain import Explanation
    from napari_d24fad.session.places import PlaceExplanation, Places

_NOT_EXAMINED = "What is shown here was not examined: it shows no anatomy."

Index = tuple[int, int, int]


class Reasons(QObject):
    """The explanation of the slice, or of the place in it, that is looked at.

    Args:
        session: Has the examination's scans encoded.
        panel: Shows it.
        flicker: Shows scan and reference in turns.

    Attributes:
        explanations: Computes it.
        flicker: As given.
    """

    def __init__(self, session: DetectionSession, panel: ResultsPanel, flicker: Flicker) -> None:
        super().__init__()
        self._session, self._panel, self.flicker = session, panel, flicker
        self._places: Places | None = None
        self._examination: Examination | None = None
        self._shown: ShownScan | None = None
        self._told_of: Examination | None = None
        self._slice = 0
        self._place: Index | None = None
        self._beside = ""
        self._reference: int | None = None
        self._flickers_again = False
        self.explanations = explanations = Explanations(self._compute)
        why, place = panel.why, panel.why.place
        why.cancel_requested.connect(explanations.cancel)
        place.other_reference_requested.connect(self._show_reference)
        place.flicker_requested.connect(self.set_flicker)
        flicker.changed.connect(place.show_flicker)
        explanations.started.connect(self._say_busy)
        explanations.explained.connect(self._show)
        explanations.failed.connect(self._show_failure)
        explanations.cancelled.connect(self._say_stopped)

    def show(self, examination: Examination, shown: ShownScan) -> None:
        """Explains another examination from now on.

        Args:
            examination: What is explained.
            shown: Its scan on the canvas.
        """
        self.flicker.stop()
        if self._examination is None or examination.request != self._examination.request:
            self._reference = None
        self._examination, self._shown, self._place = examination, shown, None
        if self._places is not None:
            self._places.forget()

    def look_at(self, slice_index: int, beside: str = "") -> None:
        """Explains a slice, if anything shows the answer.

        Args:
            slice_index: Along the slice axis of the scan.
            beside: Name of the plan of the map beside the joined one that is shown; empty if none is.
        """
        if beside != self._beside:
            self._place = None  # it was chosen on another map
        self._slice, self._beside = slice_index, beside
        examination = self._examination
        if examination is None or not self._panel.why_section.is_unfolded:
            self.flicker.stop()
            self.explanations.discard()
            return
        if np.isfinite(examination.anomaly.slice_scores[slice_index]):
            self.explanations.want(examination, self._wish(examination))
        else:
            self.flicker.stop()
            self.explanations.discard()
            self._panel.why.show_message(_NOT_EXAMINED)

    def choose_place(self, place: Index, beside: str = "") -> None:
        """Explains this place from now on when its slice is looked at, on the map it was chosen on.

        Args:
            place: Array index in the scan.
            beside: See `look_at`.
        """
        self._place, self._beside = place, beside

    def set_flicker(self, on: bool) -> None:
        """Shows scan and aligned reference in turns on the canvas, or no longer."""
        explanation = self._panel.why.place.explanation
        self._flickers_again = False
        self.flicker.stop()
        is_new = self._told_of is self._examination and self._is_shown
        if on and explanation is not None and is_new and explanation.slice_index == self._slice:
            name = f"Reference {explanation.reference_index + 1}"
            self.flicker.start(explanation.aligned, explanation.slice_index, name)
        self._panel.why.place.show_flicker(self.flicker.is_running)

    def toggle_flicker(self) -> None:
        """Starts to flicker, or stops it."""
        self.set_flicker(not self.flicker.is_running)

    def discard(self) -> None:
        """Stops what is computed: nobody looks any more."""
        self._flickers_again = False
        self.flicker.stop()
        self.explanations.discard()

    def lose(self) -> None:
        """Explains nothing any more: the scan is gone."""
        self.discard()
        self._examination = self._shown = None

    @property
    def _is_shown(self) -> bool:
        """Whether the place that was explained is still the one that is shown."""
        return not self._panel.why.place.isHidden()

    def _wish(self, examination: Examination) -> Wish:
        if not examination.anomaly.plan:
            return self._slice
        from napari_d24fad.session.places import PlaceWish  # imports scipy

        place = self._place
        here = place is not None and place[examination.scan.slice_axis] == self._slice
        return PlaceWish(self._slice, place if here else None, self._reference, self._beside)

    def _compute(self, examination: Examination, wish: Wish, cancel: CancelToken) -> Told:
        if isinstance(wish, int):
            return self._session.explain(examination, wish, cancel)
        if self._places is None:
            from napari_d24fad.session.places import Places  # likewise

            self._places = Places(self._session)
        return self._places.explain(examination, wish, cancel)

    def _show_reference(self, reference: int) -> None:
        running = self.flicker.is_running
        self.flicker.stop()
        self._reference = reference
        self._flickers_again = running
        self.look_at(self._slice, self._beside)

    def _show(self, told: Told) -> None:
        examination, shown = self._examination, self._shown
        if examination is None or shown is None:
            return
        position = list(shown.slice_order).index(told.slice_index)
        if examination.anomaly.plan:
            self._show_place(
                cast("PlaceExplanation", told), position + 1, len(examination.request.references)
            )
        else:
            self._show_slice(cast("Explanation", told), position + 1, examination)

    def _show_place(self, told: PlaceExplanation, number: int, references: int) -> None:
        self.flicker.stop()
        self._panel.why.show_place(told, number, references)
        self._told_of = self._examination
        if self._flickers_again:
            self.set_flicker(True)

    def _show_slice(self, told: Explanation, number: int, examination: Examination) -> None:
        reference = examination.request.references[told.reference_index].outline
        theirs = slice_number(reference, told.reference_slice_index) if reference.is_volume else None
        is_volume = examination.scan.is_volume
        by_level = str(Problem(Code.BY_LEVEL)) if is_volume else ""
        self._panel.why.show_explanation(told, number if is_volume else None, theirs, by_level)

    def _show_failure(self, error: D24fadError) -> None:
        self.flicker.stop()
        self._panel.why.show_message(str(error))

    def _say_busy(self) -> None:
        self._panel.why.show_message("Comparing…", busy=True)

    def _say_stopped(self) -> None:
        self._panel.why.show_message("Stopped.")

"""What came of examining a scan, in one line of its card."""

from __future__ import annotations

from superqt import QElidingLabel

from napari_d24fad.session.cases.listed import Outcome
from napari_d24fad.viewer.results.wording import p_text
from napari_d24fad.viewer.styles import ERROR, GOOD, WARNING, edged

_FLAG = "▲"
_SHOW = "Click the card: show this result."
_OUTDATED = "It is of an earlier choice of references or settings: examine again to compare it with others."


class OutcomeRow(QElidingLabel):
    """Score and p-value, or why there are none; hidden until the scan was examined."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("d24fadOutcome")
        self._outcome: Outcome | None = None
        self._shown: tuple[object, bool] = None, False
        self.hide()

    @property
    def outcome(self) -> Outcome | None:
        """What came of it; None if it was not examined."""
        return self._outcome

    @property
    def has_result(self) -> bool:
        """Whether there is a result to show."""
        return self._outcome is not None and self._outcome.has_result

    @property
    def details(self) -> str:
        """Why the scan was not examined, in full; empty if it was."""
        return "" if self._outcome is None or self._outcome.error is None else str(self._outcome.error)

    def show_outcome(self, outcome: Outcome | None, *, outdated: bool) -> None:
        """Shows it.

        Args:
            outcome: What came of it; None if the scan was not examined.
            outdated: Whether references or settings are others now.
        """
        if (outcome, outdated) == self._shown:
            return
        self._outcome, self._shown = outcome, (outcome, outdated)
        self.setVisible(outcome is not None)
        if outcome is None:
            self.setText("")
            return
        told, tips, colour = [], [], GOOD
        if outcome.has_result:
            numbers = f"p {p_text(outcome.p_value, outcome.p_floor)}, score {outcome.score:.3g}"
            if outcome.is_flagged:
                numbers = f"{_FLAG} {numbers}"
                tips.append("Scores higher than every reference: the lowest p-value that so many can give.")
                colour = WARNING
            if outdated:
                numbers = f"earlier: {numbers}"
                tips.append(_OUTDATED)
            told.append(numbers)
            tips.append(_SHOW)
        if outcome.error is not None:
            told.insert(0, str(outcome.error))
            tips.insert(0, str(outcome.error))
            colour = ERROR
        self.setText("; ".join(told))
        self.setToolTip("\n".join(tips))
        self.setStyleSheet(edged(colour))
        self.setEnabled(not outdated)

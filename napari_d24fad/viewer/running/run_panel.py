"""Starts a run, shows how far it is and stops it, and says what went wrong; always in sight."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget
from superqt import QElidingLabel

from napari_d24fad.viewer.running.message_box import MessageBox
from napari_d24fad.viewer.running.run_settings import RunSettings
from napari_d24fad.viewer.styles import ERROR, edged

_PROGRESS_STEPS = 1000


class RunPanel(QWidget):
    """Run, progress, Cancel, and the message of what went wrong.

    Attributes:
        settings: What a run is done with; has a place of its own.
        ct_window: One of them: the window of CT.
        direction: What is looked for in volumes.
        region: Where alone is examined.
    """

    run_requested = Signal()
    cancel_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.settings = RunSettings()
        self.ct_window = self.settings.ct_window
        self.direction = self.settings.direction
        self.region = self.settings.region
        self._run = QPushButton("Find anomalies (R)")
        self._run.setToolTip("Compare the scan to examine with the normal references")
        self._run.clicked.connect(self.run_requested)
        self._expected = QLabel()
        self._expected.setToolTip("How long runs like this took before on this machine")
        self._expected.setAccessibleName("Time a run will take")
        self._cancel = QPushButton("Cancel (Esc)")
        self._cancel.setToolTip("Stop within a second")
        self._cancel.clicked.connect(self.cancel_requested)
        self._bar = QProgressBar()
        self._bar.setRange(0, _PROGRESS_STEPS)
        self._bar.setTextVisible(False)
        self._bar.setFixedHeight(8)
        self._step = QElidingLabel()
        self._message = MessageBox()
        self._arrange()
        self.set_idle()
        self.clear_message()

    @property
    def model(self) -> str:
        """Name of the chosen model."""
        return self.settings.model

    @property
    def device(self) -> str:
        """Name of the chosen device, or ``"auto"``."""
        return self.settings.device

    @property
    def is_busy(self) -> bool:
        """Whether something runs that can be cancelled."""
        return not self._cancel.isHidden()

    @property
    def message(self) -> str:
        """The message shown, or nothing."""
        return self._message.text

    @property
    def run_button(self) -> QPushButton:
        """The button that starts a run."""
        return self._run

    @property
    def cancel_button(self) -> QPushButton:
        """The button that stops what runs."""
        return self._cancel

    @property
    def expected(self) -> str:
        """How long a run will take; empty if that is not known."""
        return str(self._expected.text())

    def show_expected(self, text: str) -> None:
        """Says how long a run will take."""
        self._expected.setText(text)
        self._expected.setVisible(bool(text) and not self.is_busy)

    def set_busy(self, step: str, *, fraction: float | None = None) -> None:
        """Shows that something runs.

        Args:
            step: What it is doing.
            fraction: How much of it is done, 0 to 1; None if that is not known.
        """
        # Else the bar would be painted at once, and with it the whole window, for there is a canvas in it.
        self._bar.setUpdatesEnabled(False)
        self._bar.setRange(0, 0 if fraction is None else _PROGRESS_STEPS)
        self._bar.setValue(round((fraction or 0.0) * _PROGRESS_STEPS))
        self._bar.setUpdatesEnabled(True)
        self._step.setText(step)
        for part in (self._bar, self._step, self._cancel):
            part.show()
        self._expected.hide()
        self._run.setEnabled(False)

    def set_idle(self) -> None:
        """Shows that nothing runs."""
        for part in (self._bar, self._step, self._cancel):
            part.hide()
        self._expected.setVisible(bool(self.expected))
        self._run.setEnabled(True)

    def show_error(self, text: str) -> None:
        """Shows what went wrong and what to do."""
        self._message.show_text(text, edged(ERROR))

    def show_note(self, text: str) -> None:
        """Shows something worth knowing that is no error."""
        self._message.show_text(text, "")

    def clear_message(self) -> None:
        """Takes the message away."""
        self._message.clear()

    def _arrange(self) -> None:
        buttons = QHBoxLayout()
        buttons.addWidget(self._run, 1)
        buttons.addWidget(self._expected)
        buttons.addWidget(self._cancel)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(buttons)
        layout.addWidget(self._bar)
        layout.addWidget(self._step)
        layout.addWidget(self._message)

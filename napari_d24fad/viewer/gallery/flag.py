"""What is said about a reference that differs from the others, and the choice it leaves."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget


class ReferenceFlag(QWidget):
    """The reason, "Leave out" and "Keep"; nothing is decided without the user."""

    leave_out_requested = Signal()
    keep_requested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._reason = QLabel()
        self._reason.setObjectName("d24fadFlag")
        self._reason.setWordWrap(True)
        self._leave_out = QPushButton("Leave out")
        self._leave_out.setToolTip("Examine again without this reference")
        self._leave_out.clicked.connect(self.leave_out_requested)
        self._keep = QPushButton("Keep")
        self._keep.clicked.connect(self.keep_requested)
        buttons = QHBoxLayout()
        buttons.addWidget(self._leave_out)
        buttons.addWidget(self._keep)
        buttons.addStretch()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self._reason)
        layout.addLayout(buttons)
        self.hide()

    @property
    def text(self) -> str:
        """What is said."""
        return str(self._reason.text())

    @property
    def leave_out_button(self) -> QPushButton:
        """The button that leaves the reference out."""
        return self._leave_out

    @property
    def keep_button(self) -> QPushButton:
        """The button that keeps the reference, or takes it back."""
        return self._keep

    def ask(self, reason: str) -> None:
        """Shows a reason and both choices."""
        self._show(reason, can_leave=True, keep="Keep", tip="Go on using this reference")

    def tell_kept(self) -> None:
        """Shows that the user kept the reference; it can still be left out."""
        self._show("Kept as a reference although it differs from the others.", can_leave=True)

    def tell_left_out(self) -> None:
        """Shows that the user left the reference out; it can be taken back."""
        self._show(
            "Left out: it differs from the other references.",
            can_leave=False,
            keep="Use again",
            tip="Examine again with this reference",
        )

    def _show(self, text: str, *, can_leave: bool, keep: str = "", tip: str = "") -> None:
        self._reason.setText(text)
        self._leave_out.setVisible(can_leave)
        self._keep.setText(keep)
        self._keep.setToolTip(tip)
        self._keep.setVisible(bool(keep))
        self.show()

"""What is said about a reference that differs from the others, or a doubtful example, and the choice."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_d24fad.viewer.gallery.roles import Role

_KEPT = {
    Role.REFERENCE: "Kept as a reference although it differs from the others.",
    Role.ABNORMAL: "Kept as an abnormal example although it is doubtful.",
}
_LEFT_OUT = {
    Role.REFERENCE: "Left out: it differs from the other references.",
    Role.ABNORMAL: "Left out of the abnormal examples.",
}


class Flag(QWidget):
    """The reason, "Leave out" and "Keep"; nothing is decided without the user.

    Attributes:
        role: What the scan was when it was flagged, and is again if it is taken back.
    """

    leave_out_requested = Signal()
    keep_requested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.role = Role.REFERENCE
        self._reason = QLabel()
        self._reason.setObjectName("d24fadFlag")
        self._reason.setWordWrap(True)
        self._leave_out = QPushButton("Leave out")
        self._leave_out.setToolTip("Examine again without this scan")
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
        """The button that leaves the scan out."""
        return self._leave_out

    @property
    def keep_button(self) -> QPushButton:
        """The button that keeps the scan, or takes it back."""
        return self._keep

    def ask(self, reason: str, role: Role, *, may_stay: bool = True) -> None:
        """Shows a reason and the choices.

        Args:
            reason: Why the scan is doubtful.
            role: What it is.
            may_stay: Whether it can be kept; not where nothing is examined with it.
        """
        self.role = role
        self._show(reason, can_leave=True, keep="Keep" if may_stay else "", tip="Go on using this scan")

    def tell_kept(self) -> None:
        """Shows that the user kept the scan; it can still be left out."""
        self._show(_KEPT[self.role], can_leave=True)

    def tell_left_out(self) -> None:
        """Shows that the user left the scan out; it can be taken back."""
        self._show(
            _LEFT_OUT[self.role], can_leave=False, keep="Use again", tip="Examine again with this scan"
        )

    def _show(self, text: str, *, can_leave: bool, keep: str = "", tip: str = "") -> None:
        self._reason.setText(text)
        self._leave_out.setVisible(can_leave)
        self._keep.setText(keep)
        self._keep.setToolTip(tip)
        self._keep.setVisible(bool(keep))
        self.show()

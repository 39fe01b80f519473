"""What is said about a reference that differs from the others, or a doubtful example, and the choice."""

from __future__ import annotations

from qtpy.QtCore import Signal

from napari_d24fad.viewer.asking_row import AskingRow
from napari_d24fad.viewer.gallery.roles import Role

_KEPT = {
    Role.REFERENCE: "Kept as a reference although it differs from the others.",
    Role.ABNORMAL: "Kept as an abnormal example although it is doubtful.",
}
_LEFT_OUT = {
    Role.REFERENCE: "Left out: it differs from the other references.",
    Role.ABNORMAL: "Left out of the abnormal examples.",
}


class Flag(AskingRow):
    """The reason, "Leave out" and "Keep"; nothing is decided without the user.

    Attributes:
        role: What the scan was when it was flagged, and is again if it is taken back.
        leave_out_button: Leaves the scan out.
        keep_button: Keeps the scan, or takes it back.
    """

    leave_out_requested = Signal()
    keep_requested = Signal()

    def __init__(self) -> None:
        super().__init__("Leave out", "Keep")
        self.role = Role.REFERENCE
        self.about.setObjectName("d24fadFlag")
        self.leave_out_button, self.keep_button = self.first, self.second
        self.first.setToolTip("Examine again without this scan")
        self.first.clicked.connect(self.leave_out_requested)
        self.second.clicked.connect(self.keep_requested)

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
        self.about.setText(text)
        self.first.setVisible(can_leave)
        self.second.setText(keep)
        self.second.setToolTip(tip)
        self.second.setVisible(bool(keep))
        self.show()

"""What a series is in the next run, and the three controls that say so."""

from __future__ import annotations

from enum import Enum

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import QAbstractButton, QCheckBox, QHBoxLayout, QRadioButton, QWidget

_SPACING = 4


class Role(Enum):
    """What a series is in the next run."""

    NONE = "none"
    REFERENCE = "reference"
    ABNORMAL = "abnormal"
    QUERY = "query"

    def named(self, number: int) -> str:
        """Returns the role in words.

        Args:
            number: Which normal reference or abnormal example it is, from 1.
        """
        return {
            Role.NONE: "not used",
            Role.REFERENCE: f"normal reference {number}",
            Role.ABNORMAL: f"abnormal example {number}",
            Role.QUERY: "to be examined",
        }[self]

    def badge(self, number: int) -> str:
        """Returns what stands on the thumbnail; empty for nothing.

        Args:
            number: See `named`.
        """
        return {Role.REFERENCE: f"Ref. {number}", Role.ABNORMAL: f"Abn. {number}"}.get(self, "")


_KEYS: dict[int, Role] = {Qt.Key.Key_N: Role.REFERENCE, Qt.Key.Key_A: Role.ABNORMAL, Qt.Key.Key_Q: Role.QUERY}
_TIPS = {
    Role.REFERENCE: "Use this scan as a normal reference (N)",
    Role.ABNORMAL: "Known to be abnormal: an example of what is looked for (A)",
    Role.QUERY: "Examine this scan (Q, or double-click the picture)",
}
_CALLED = {Role.REFERENCE: "Normal reference", Role.ABNORMAL: "Abnormal example", Role.QUERY: "Examine"}


class RoleButtons(QWidget):
    """Normal, abnormal, or the scan to examine; one of them or none.

    Attributes:
        normal: Marks the series as a normal reference.
        abnormal: Marks it as an abnormal example.
        examine: Makes it the one to examine.
    """

    role_requested = Signal(object)
    """The `Role` the user wants for this series."""

    def __init__(self) -> None:
        super().__init__()
        self.normal, self.abnormal = QCheckBox("Normal"), QCheckBox("Abnormal")
        self.examine = QRadioButton("Examine")
        # Exclusive within the gallery, which unchecks the others, not within this card.
        self.examine.setAutoExclusive(False)
        self._buttons: dict[Role, QAbstractButton] = {
            Role.REFERENCE: self.normal,
            Role.ABNORMAL: self.abnormal,
            Role.QUERY: self.examine,
        }
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(_SPACING)
        for role, button in self._buttons.items():
            button.setToolTip(_TIPS[role])
            button.clicked.connect(lambda on, role=role: self.role_requested.emit(role if on else Role.NONE))
            layout.addWidget(button)
        layout.addStretch()

    def show_role(self, role: Role) -> None:
        """Shows a role; asks nobody."""
        for each, button in self._buttons.items():
            button.setChecked(each is role)

    def set_label(self, label: str) -> None:
        """Says to screen readers which series it is about."""
        for role, button in self._buttons.items():
            button.setAccessibleName(f"{_CALLED[role]}: {label}")

    def press(self, event: QKeyEvent) -> bool:
        """Clicks the control whose key was pressed; returns whether there is one."""
        role = _KEYS.get(event.key())
        if role is not None:
            self._buttons[role].click()
        return role is not None

"""One series in the gallery: thumbnail, what it is, and the two roles it can have."""

from __future__ import annotations

from enum import Enum

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QImage, QKeyEvent, QMouseEvent, QPixmap
from qtpy.QtWidgets import QCheckBox, QFrame, QHBoxLayout, QLabel, QRadioButton, QVBoxLayout, QWidget
from superqt import QElidingLabel

from napari_d24fad.studies.series import Series

THUMBNAIL_PX = 72


class Role(Enum):
    """What a series is in the next run."""

    NONE = "none"
    REFERENCE = "reference"
    QUERY = "query"


class SeriesCard(QFrame):
    """Shows one series; a click on the picture marks it as normal or takes the mark back."""

    role_requested = Signal(object)
    """The `Role` the user wants for this series."""

    def __init__(self, series: Series, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.series = series
        self._role = Role.NONE
        self.setObjectName("d24fadCard")
        self._picture = QLabel("…")
        self._picture.setObjectName("d24fadThumbnail")
        self._picture.setFixedSize(THUMBNAIL_PX, THUMBNAIL_PX)
        self._picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._normal = QCheckBox("Normal")
        self._normal.clicked.connect(self._on_normal_clicked)
        self._examine = QRadioButton("Examine")
        # Exclusive within the gallery, which unchecks the others, not within this card.
        self._examine.setAutoExclusive(False)
        self._examine.clicked.connect(self._on_examine_clicked)
        self._arrange()
        self._explain()
        self.set_role(Role.NONE)

    @property
    def role(self) -> Role:
        """What this series is in the next run."""
        return self._role

    @property
    def picture(self) -> QLabel:
        """The thumbnail that is clicked."""
        return self._picture

    @property
    def examine_button(self) -> QRadioButton:
        """The button that makes this series the one to examine."""
        return self._examine

    @property
    def normal_box(self) -> QCheckBox:
        """The box that marks this series as a normal reference."""
        return self._normal

    def set_role(self, role: Role) -> None:
        """Shows a role; asks nobody."""
        self._role = role
        self._normal.setChecked(role is Role.REFERENCE)
        self._examine.setChecked(role is Role.QUERY)
        self.setProperty("role", role.value)
        self.style().unpolish(self)
        self.style().polish(self)
        told = {Role.NONE: "not used", Role.REFERENCE: "normal reference", Role.QUERY: "to be examined"}
        self.setAccessibleName(f"{self.series.label}, {told[role]}")

    def set_thumbnail(self, pixels: npt.NDArray[np.uint8]) -> None:
        """Shows the thumbnail.

        Args:
            pixels: ``(rows, columns)`` or ``(rows, columns, 3)``.
        """
        colour = pixels.ndim == 3
        form = QImage.Format.Format_RGB888 if colour else QImage.Format.Format_Grayscale8
        data = np.ascontiguousarray(pixels)
        image = QImage(data.data, data.shape[1], data.shape[0], data.strides[0], form)
        size = QSize(THUMBNAIL_PX, THUMBNAIL_PX)
        mode = Qt.TransformationMode.SmoothTransformation
        scaled = QPixmap.fromImage(image).scaled(size, Qt.AspectRatioMode.KeepAspectRatio, mode)
        self._picture.setPixmap(scaled)

    def set_unreadable(self, reason: str) -> None:
        """Shows that the series cannot be used, and why."""
        self._picture.setText("✕")
        self._show_note(reason)
        for control in (self._normal, self._examine, self._picture):
            control.setEnabled(False)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Qt: a click anywhere but on the two controls marks or unmarks."""
        if event.button() == Qt.MouseButton.LeftButton and self._normal.isEnabled():
            marked = self._role is Role.REFERENCE
            self.role_requested.emit(Role.NONE if marked else Role.REFERENCE)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Qt: N marks or unmarks the series the focus is in, Q makes it the one to examine."""
        if event.key() == Qt.Key.Key_N:
            self._normal.click()
        elif event.key() == Qt.Key.Key_Q:
            self._examine.click()
        else:
            super().keyPressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Qt: a double click makes it the series to examine."""
        if event.button() == Qt.MouseButton.LeftButton and self._normal.isEnabled():
            self.role_requested.emit(Role.QUERY)

    def _on_normal_clicked(self, checked: bool) -> None:
        self.role_requested.emit(Role.REFERENCE if checked else Role.NONE)

    def _on_examine_clicked(self, checked: bool) -> None:
        self.role_requested.emit(Role.QUERY if checked else Role.NONE)

    def _arrange(self) -> None:
        roles = QHBoxLayout()
        roles.setContentsMargins(0, 0, 0, 0)
        roles.setSpacing(8)
        roles.addWidget(self._normal)
        roles.addWidget(self._examine)
        roles.addStretch()
        what, _, spacing = self.series.label.partition(", ")
        title = QElidingLabel(self.series.identity.description or what)
        title.setObjectName("d24fadTitle")
        self._note = QElidingLabel()
        self._note.setObjectName("d24fadNote")
        self._note.hide()
        text = QVBoxLayout()
        text.setContentsMargins(0, 0, 0, 0)
        text.setSpacing(0)
        for label in (title, QElidingLabel(what), QElidingLabel(spacing), self._note):
            text.addWidget(label)
        if not spacing:
            text.itemAt(2).widget().hide()
        text.addLayout(roles)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(3, 3, 3, 3)
        layout.setSpacing(6)
        layout.addWidget(self._picture)
        layout.addLayout(text, 1)

    def _explain(self) -> None:
        label = self.series.label
        self._normal.setToolTip("Use this scan as a normal reference (N, or click the picture)")
        self._examine.setToolTip("Examine this scan (Q, or double-click the picture)")
        self._normal.setAccessibleName(f"Normal reference: {label}")
        self._examine.setAccessibleName(f"Examine: {label}")
        self._picture.setToolTip("Click: mark as normal, or take the mark back. Double click: examine.")
        if self.series.refusal is not None:
            self.set_unreadable(str(self.series.refusal))
        elif self.series.problems:
            self._show_note("\n".join(str(problem) for problem in self.series.problems))

    def _show_note(self, text: str) -> None:
        self._note.setText(text.splitlines()[0])
        self._note.show()
        self.setToolTip(text)

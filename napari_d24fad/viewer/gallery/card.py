"""One series in the gallery: thumbnail, what it is, and the roles it can have."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QKeyEvent, QMouseEvent
from qtpy.QtWidgets import (
    QCheckBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QRadioButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from napari_d24fad.studies.series import Series
from napari_d24fad.viewer.gallery.card_text import CardText
from napari_d24fad.viewer.gallery.example_row import ExampleRow
from napari_d24fad.viewer.gallery.flag import Flag
from napari_d24fad.viewer.gallery.outcome_row import OutcomeRow
from napari_d24fad.viewer.gallery.remedy_button import RemedyButton
from napari_d24fad.viewer.gallery.roles import Role, RoleButtons
from napari_d24fad.viewer.gallery.share_box import ShareBox
from napari_d24fad.viewer.gallery.thumbnail import Thumbnail
from napari_d24fad.viewer.gallery.volume_choice import VolumeChoice


class SeriesCard(QFrame):
    """Shows one series; a click on it asks to look at the scan.

    Args:
        volumes: The series; several if it has several volumes, of which one is shown and used.
        parent: Qt's parent.
    """

    role_requested = Signal(object)
    """The `Role` the user wants for this series."""
    look_requested = Signal()
    """The user wants to see the scan."""
    select_requested = Signal()
    """The user takes the scan to those that are examined next, or takes it out of them."""
    leaf_requested = Signal(int)
    """The user leafs through the thumbnail by so many slices."""
    leave_out_requested = Signal()
    """The user leaves this scan out because it is flagged."""
    keep_requested = Signal()
    """The user keeps this scan although it is flagged, or takes it back."""
    share_changed = Signal()
    """The user lets this reference count more or less."""
    volume_requested = Signal(object)
    """The `Series` of another volume that the user wants, or of what can be loaded instead of this one."""

    def __init__(self, volumes: Sequence[Series], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.volumes = tuple(volumes)
        """All volumes of the series."""
        self.series = next((one for one in self.volumes if one.refusal is None), self.volumes[0])
        """What is shown and used: one of the volumes, or what is loaded instead of it."""
        self.volume_choice = VolumeChoice(self.volumes)
        self.volume_choice.volume_requested.connect(self.volume_requested)
        self.remedy_button = RemedyButton()
        self.remedy_button.remedy_requested.connect(self.volume_requested)
        self.label = ""
        """The label of the series, which takes a while to put together for hundreds of cards."""
        self._role = Role.NONE
        self.setObjectName("d24fadCard")
        self._picture = Thumbnail()
        self._picture.leaf_requested.connect(self.leaf_requested)
        self.outcome = OutcomeRow()
        """What came of examining it."""
        self.is_selected = False
        """Whether it is one of those that are examined next."""
        self.number = 0
        """Which normal reference or abnormal example it is, from 1."""
        self._badge = QLabel(self._picture)
        self._badge.setObjectName("d24fadNumber")
        self._kept: Role | None = None
        self._flag = Flag()
        self._flag.leave_out_requested.connect(self.leave_out_requested)
        self._flag.keep_requested.connect(self.keep_requested)
        self._roles = RoleButtons()
        self._roles.role_requested.connect(self.role_requested)
        self.example = ExampleRow()
        """What it shows, and where, as an abnormal example."""
        self._share = ShareBox()
        self._share.valueChanged.connect(lambda _: self.share_changed.emit())
        self._arrange()
        self.show_volume(self.series)
        self.set_role(Role.NONE)

    @property
    def role(self) -> Role:
        """What this series is in the next run."""
        return self._role

    @property
    def picture(self) -> Thumbnail:
        """The thumbnail that is clicked."""
        return self._picture

    @property
    def examine_button(self) -> QRadioButton:
        """The button that makes this series the one to examine."""
        return self._roles.examine

    @property
    def normal_box(self) -> QCheckBox:
        """The box that marks this series as a normal reference."""
        return self._roles.normal

    @property
    def abnormal_box(self) -> QCheckBox:
        """The box that marks this series as an abnormal example."""
        return self._roles.abnormal

    @property
    def share_box(self) -> QSpinBox:
        """How much this reference counts, in percent."""
        return self._share

    @property
    def share(self) -> float:
        """How much this reference counts, above 0 and up to 1."""
        return float(self._share.value()) / 100

    def set_share(self, share: float) -> None:
        """Shows how much this reference counts, above 0 and up to 1; asks nobody."""
        self._share.blockSignals(True)
        self._share.setValue(round(100 * share))
        self._share.blockSignals(False)

    @property
    def name(self) -> str:
        """What the series is called, beginning with its number if it has one."""
        return self._text.name

    def set_name(self, name: str) -> None:
        """Shows another name of the series."""
        self._text.set_name(name)

    def set_selected(self, selected: bool) -> None:
        """Shows whether it is one of those that are examined next; asks nobody."""
        self.is_selected = selected
        self.setProperty("selected", selected)
        self._restyle()

    @property
    def flag(self) -> Flag:
        """What is said about a reference that differs from the others, or a doubtful example."""
        return self._flag

    def set_role(self, role: Role, number: int = 0) -> None:
        """Shows a role; asks nobody.

        Args:
            role: The role.
            number: Which normal reference or abnormal example it is, from 1.
        """
        if role is not self._role:
            self._flag.hide()
        self._role = role
        self._roles.show_role(role)
        self.setProperty("role", role.value)
        self.number = number
        badge = role.badge(number)
        self._badge.setText(badge)
        self._badge.setVisible(bool(badge))
        self._share.setVisible(role is Role.REFERENCE)
        self.example.setVisible(role is Role.ABNORMAL)
        self._restyle()
        self._badge.adjustSize()
        self.setAccessibleName(f"{self.label}, {role.named(number)}")

    def set_pointed(self, pointed: bool) -> None:
        """Shows whether this is the series that something else points to."""
        self._show_details(shown=pointed)
        if bool(self.property("pointed")) != pointed:  # among hundreds of cards, two at most change
            self.setProperty("pointed", pointed)
            self._restyle()

    def show_check(self, reason: str, *, may_stay: bool = True) -> None:
        """Shows why this reference or example is doubtful; an empty reason, that it is not."""
        if not reason:
            self._flag.hide()
        elif may_stay and self._kept is self._role:
            self._flag.tell_kept()
        else:
            self._flag.ask(reason, self._role, may_stay=may_stay)

    def set_kept(self, kept: bool) -> None:
        """Shows that the user kept this scan although it was flagged, or left it out."""
        self._kept = self._flag.role if kept else None
        if kept:
            self._flag.tell_kept()
        else:
            self._flag.tell_left_out()

    def set_unreadable(self, reason: str) -> None:
        """Shows that the series cannot be used, and why."""
        self._picture.setText("✕")
        self._show_note(reason)
        for control in (self._roles, self._picture):
            control.setEnabled(False)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Qt: a click anywhere but on the controls shows the scan, or in full why it cannot be shown.

        With Ctrl it selects the scan, to be examined with others.
        """
        if event.button() == Qt.MouseButton.LeftButton:
            if not self._roles.isEnabled():
                self._show_details(shown=True)
            elif event.modifiers() & Qt.KeyboardModifier.ControlModifier:
                self.select_requested.emit()
            else:
                self.look_requested.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Qt: N marks the series with the focus as normal, A as abnormal, Q to examine, S selects it.

        Return shows it.
        """
        if event.key() == Qt.Key.Key_S and self._roles.isEnabled():
            self.select_requested.emit()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._roles.isEnabled():
            self.look_requested.emit()
        elif not self._roles.press(event):
            super().keyPressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Qt: a double click makes it the series to examine."""
        if event.button() == Qt.MouseButton.LeftButton and self._roles.isEnabled():
            self.role_requested.emit(Role.QUERY)

    def _arrange(self) -> None:
        self._details = QLabel()  # the same in full, of the card that is looked at
        self._details.setObjectName("d24fadDetails")
        self._details.setWordWrap(True)
        self._details.hide()
        below = (self.volume_choice, self.outcome, self.remedy_button)
        self._text = CardText(self._share, below)
        upper = QHBoxLayout()
        upper.setSpacing(6)
        upper.addWidget(self._picture)
        upper.addWidget(self._text, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(3, 3, 3, 3)
        layout.setSpacing(3)
        layout.addLayout(upper)
        layout.addWidget(self._details)
        layout.addWidget(self._roles)
        layout.addWidget(self.example)
        layout.addWidget(self._flag)

    def _restyle(self) -> None:
        for widget in (self, self._badge):  # which is coloured by the role of the card
            widget.style().unpolish(widget)
            widget.style().polish(widget)

    def show_volume(self, series: Series) -> None:
        """Shows another of the volumes, without its thumbnail; asks nobody."""
        self.series = series
        self.volume_choice.show_volume(series)
        self.example.set_lesion(None, series)
        self._text.show_series(series)
        self._picture.is_volume = series.outline.is_volume
        self._picture.show_place("")
        self._picture.setText("…")
        self._show_note("")
        for control in (self._roles, self._picture):
            control.setEnabled(True)
        self._explain()

    def _explain(self) -> None:
        label = self.label = self.series.label
        self._roles.set_label(label)
        self._share.setAccessibleName(f"Weight of reference: {label}")
        leaf = " Wheel: leaf through it." if self._picture.is_volume else ""
        self._picture.setToolTip(f"Click: look at this scan (Return). Double click: examine.{leaf}")
        self.remedy_button.offer(self.series)
        if self.series.refusal is not None:
            self.set_unreadable(str(self.series.refusal))
        elif self.series.problems:
            self._show_note("\n".join(str(problem) for problem in self.series.problems))

    def _show_note(self, text: str) -> None:
        self._problem = text
        self._text.tell(text.partition("\n")[0])
        self.setToolTip(text)
        self._show_details(shown=False)

    def _show_details(self, *, shown: bool) -> None:
        """Shows in full what is doubtful, and why the scan was not examined."""
        self._details.setText("\n".join(each for each in (self._problem, self.outcome.details) if each))
        self._details.setVisible(shown and bool(self._details.text()))

"""The series of all open studies; the user marks normal and abnormal scans and one to examine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from napari_d24fad.session.request import Example
from napari_d24fad.studies.series import Series
from napari_d24fad.viewer.gallery.card import SeriesCard
from napari_d24fad.viewer.gallery.column import CardColumn
from napari_d24fad.viewer.gallery.example_row import Lesion
from napari_d24fad.viewer.gallery.file_list import FileList
from napari_d24fad.viewer.gallery.flagging import flag
from napari_d24fad.viewer.gallery.queue_bar import QueueBar
from napari_d24fad.viewer.gallery.roles import Role
from napari_d24fad.viewer.gallery.style import STYLE
from napari_d24fad.viewer.gallery.tools import GalleryTools
from napari_d24fad.viewer.styles import GOOD, WARNING, edged

FEWEST, MOST = 2, 8
"""How many references are compared well: the paper's two to eight."""


class Gallery(QWidget):
    """Cards of series in sections, one section per opened location.

    Attributes:
        tools: Search and order.
        queue_bar: What examines all scans.
    """

    roles_changed = Signal()
    """The references, the abnormal examples or the series to examine are others now."""
    shares_changed = Signal()
    """A reference counts more or less now."""
    look_requested = Signal(object)
    """The user wants to see the scan of a `Series`."""
    result_requested = Signal(object)
    """The user wants to see what was found in a `Series`."""
    leaf_requested = Signal(object, int)
    """The user leafs through the thumbnail of a `Series` by so many slices."""
    listed_changed = Signal()
    """Other cards are listed or selected, or in another order."""
    examples_changed = Signal()
    """An abnormal example is of another kind now, or its lesion is elsewhere."""
    lesion_step_requested = Signal(object, object)
    """The `Series` of an abnormal example, and the `LesionStep` that the user takes with it."""
    volume_chosen = Signal(object)
    """The `Series` of another volume that is shown on a card now; its thumbnail is wanted."""
    close_requested = Signal(str)
    """The user wants a section closed; its title."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._roles: dict[Series, Role] = {}  # in the order they were marked
        self.setStyleSheet(STYLE)
        self.tools = GalleryTools()
        self.tools.changed.connect(self.sort_again)
        self.tools.changed.connect(self.listed_changed)
        self.tools.files_requested.connect(self._show_files)
        self.queue_bar = QueueBar()
        self._hint = QLabel(
            "Open or drop a study here.\nClick scans to look at them, mark two to\n"
            "eight as normal, choose one to examine.\n\nNo study at hand? File > Open Sample.\n\n"
            "napari asks for a reader?\nChoose napari-d24fad, or for good\nin File > Preferences > Plugins."
        )
        self._hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._hint.setWordWrap(True)
        self._column = CardColumn()
        self.tools.choice.activated.connect(self._column.show_first)
        self._count = QLabel()
        self._count.setWordWrap(True)
        self._count.setAccessibleName("Number of normal references")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._hint, 1)
        layout.addWidget(self.tools)
        layout.addWidget(self._column, 1)
        layout.addWidget(self._count)
        layout.addWidget(self.queue_bar)
        self._refresh()

    @property
    def references(self) -> tuple[Series, ...]:
        """The normal references, in the order they were marked."""
        return self._marked(Role.REFERENCE)

    @property
    def abnormal(self) -> tuple[Series, ...]:
        """The abnormal examples, in the order they were marked."""
        return self._marked(Role.ABNORMAL)

    @property
    def examples(self) -> tuple[Example, ...]:
        """The same with their kinds and lesions."""
        return tuple(self.card(series).example.example(series) for series in self.abnormal)

    @property
    def shares(self) -> tuple[float, ...] | None:
        """How much each reference counts, above 0 and up to 1; None if all count alike."""
        shares = tuple(self.card(series).share for series in self.references)
        return None if all(share == 1 for share in shares) else shares

    @property
    def query(self) -> Series | None:
        """The series to examine."""
        return next(iter(self._marked(Role.QUERY)), None)

    @property
    def series(self) -> tuple[Series, ...]:
        """All series shown; of those with several volumes, the one that is chosen."""
        return tuple(card.series for card in self._cards())

    @property
    def cards(self) -> tuple[SeriesCard, ...]:
        """All cards, in the order they are listed."""
        return tuple(self._cards())

    @property
    def count_text(self) -> str:
        """What is said about the number of references."""
        return str(self._count.text())

    def card(self, series: Series) -> SeriesCard:
        """Returns the card of a series that is shown; KeyError if it is not."""
        for card in self._cards():
            if card.series is series:
                return card
        raise KeyError("this series is not in the gallery")

    def set_section(self, title: str, series: Iterable[Series], *, closable: bool = True) -> None:
        """Shows series under a title, in place of what stood there; no series, no section.

        Args:
            title: Shown above the cards.
            series: The series; those already there keep their cards and roles.
            closable: Whether the user may close the section.
        """
        wanted = list(series)
        section = self._column.section(title)
        if section is None:
            section = self._column.add_section(title, closable=closable)
            section.close_requested.connect(self.close_requested)
        for card in section.show_series(wanted):
            card.role_requested.connect(lambda role, card=card: self.set_role(card.series, role))
            card.leave_out_requested.connect(lambda card=card: self._leave_out(card.series))
            card.keep_requested.connect(lambda card=card: self._keep(card.series))
            card.share_changed.connect(self.shares_changed)
            card.look_requested.connect(lambda card=card: self._look(card))
            card.select_requested.connect(lambda card=card: self._select(card))
            card.leaf_requested.connect(lambda by, card=card: self.leaf_requested.emit(card.series, by))
            card.example.changed.connect(self.examples_changed)
            card.example.step_requested.connect(
                lambda step, card=card: self.lesion_step_requested.emit(card.series, step)
            )
            card.volume_requested.connect(lambda series, card=card: self.choose_volume(card.series, series))
        if not wanted:
            self._column.remove_section(title)
        self.sort_again()
        present = self.series
        self._settle({each: role for each, role in self._roles.items() if each in present})
        self.listed_changed.emit()

    def retitle(self, old: str, new: str) -> bool:
        """Shows another title above the cards of a section; returns whether there is such a section."""
        return self._column.retitle(old, new)

    def replace(self, old: Series, new: Series) -> None:
        """Puts a series in the place and role of another, such as a layer that was edited."""
        card = self.card(old)
        share, row, before = card.share, card.example, self._roles
        section = self._column.section_of(card)
        self._roles = {new if each is old else each: role for each, role in before.items()}
        listed = [new if one is old else one for each in section.cards for one in each.volumes]
        self.set_section(section.title, listed, closable=section.closable)
        self.card(new).set_share(share)
        self.card(new).example.take_over(row)
        if old in before:
            self.roles_changed.emit()

    def choose_volume(self, old: Series, new: Series) -> None:
        """Puts another volume, or what is loaded instead of one, in the place and role of what is shown."""
        if old is new:
            return
        self.card(old).show_volume(new)
        roles = {new if each is old else each: role for each, role in self._roles.items()}
        if new.refusal:
            roles.pop(new, None)
        self._settle(roles, lambda: self.volume_chosen.emit(new))

    def set_role(self, series: Series, role: Role) -> None:
        """Gives a series a role: it has one at a time, and one scan is examined at a time."""
        roles = {
            each: known
            for each, known in self._roles.items()
            if each is not series and (known, role) != (Role.QUERY, Role.QUERY)
        }
        if role is not Role.NONE:
            roles[series] = role
        self._settle(roles)

    def set_lesion(self, series: Series, lesion: Lesion) -> None:
        """Says where the lesion of an example is."""
        self.card(series).example.set_lesion(lesion, series)
        self.examples_changed.emit()

    def set_thumbnail(self, series: Series, pixels: npt.NDArray[np.uint8], place: str = "") -> None:
        """Shows a thumbnail, and which slice it is, if the series is still there."""
        for card in self._cards():
            if card.series is series:
                card.picture.show_picture(pixels)
                card.picture.show_place(place)

    def set_unreadable(self, series: Series, reason: str) -> None:
        """Shows that a series cannot be used, if it is still there."""
        for card in self._cards():
            if card.series is series:
                card.set_unreadable(reason)
                self.set_role(series, Role.NONE)

    def show_checks(
        self, reasons: Mapping[Series, str], role: Role = Role.REFERENCE, *, may_stay: bool = True
    ) -> None:
        """Shows what was said about references or examples, see `flag`; what is new comes into sight."""
        new = flag(self._cards(), reasons, role, may_stay=may_stay)
        if new is not None:
            self._column.bring_into_sight(new)

    def point_out(self, series: Series) -> None:
        """Brings a series into sight and sets it off from the others."""
        for card in self._cards():
            card.set_pointed(card.series is series)
            if card.series is series:
                self._column.bring_into_sight(card)

    def sort_again(self) -> None:
        """Lists the cards as the tools say, such as after scores came."""
        self._column.arrange(self.tools.order, self.tools.search.text())

    def _look(self, card: SeriesCard) -> None:
        asked = self.result_requested if card.outcome.has_result else self.look_requested
        asked.emit(card.series)

    def _select(self, card: SeriesCard) -> None:
        card.set_selected(not card.is_selected)
        self.listed_changed.emit()

    def _show_files(self) -> None:
        rows = [(title, self.card(series).name, series) for title, series in self._column.titled()]
        FileList(rows, self).exec()

    def _leave_out(self, series: Series) -> None:
        self.set_role(series, Role.NONE)
        self.card(series).set_kept(False)

    def _keep(self, series: Series) -> None:
        card = self.card(series)
        if card.role is not card.flag.role:
            self.set_role(series, card.flag.role)
        card.set_kept(True)

    def _marked(self, role: Role) -> tuple[Series, ...]:
        return tuple(series for series, known in self._roles.items() if known is role)

    def _settle(self, roles: dict[Series, Role], then: Callable[[], None] = lambda: None) -> None:
        """Takes these roles, and tells if they are others now."""
        before, self._roles = self._roles, roles
        self._refresh()
        then()
        if list(before.items()) != list(roles.items()):
            self.roles_changed.emit()

    def _cards(self) -> list[SeriesCard]:
        return self._column.cards

    def _refresh(self) -> None:
        for card in self._cards():
            role = self._roles.get(card.series, Role.NONE)
            alike = self._marked(role)
            number = alike.index(card.series) + 1 if card.series in alike else 0
            if (card.role, card.number) != (role, number):
                card.set_role(role, number)
        count, known = len(self.references), len(self.abnormal)
        missing = "" if self.query is not None else "; choose one scan to examine"
        examples = {0: "", 1: ", 1 abnormal example"}.get(known, f", {known} abnormal examples")
        self._count.setText(f"{count} of {FEWEST}-{MOST} normal references{examples}{missing}")
        fits = FEWEST <= count <= MOST
        self._count.setStyleSheet(edged(GOOD if fits else WARNING) if count else "")
        empty = self._column.is_empty
        self._hint.setVisible(empty)
        for part in (self.tools, self._column, self.queue_bar):
            part.setVisible(not empty)

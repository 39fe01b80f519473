"""The series of all open studies; the user marks normal references and one scan to examine."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_d24fad.studies.series import Series
from napari_d24fad.viewer.card import Role, SeriesCard

FEWEST, MOST = 2, 8
"""How many references are compared well: the paper's two to eight."""

_STYLE = """
#d24fadCard { border: 2px solid transparent; border-radius: 4px; background: rgba(128, 128, 128, 28); }
#d24fadCard[role="reference"] { border-color: #35c46a; }
#d24fadCard[role="query"] { border-color: #ffb020; }
#d24fadThumbnail { background: black; color: #b0b0b0; border-radius: 2px; padding: 0px; }
#d24fadTitle { font-weight: bold; }
#d24fadNote { color: #ffb020; }
"""


class Gallery(QWidget):
    """Cards of series in sections, one section per opened location."""

    roles_changed = Signal()
    """The references or the series to examine are others now."""
    close_requested = Signal(str)
    """The user wants a section closed; its title."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sections: dict[str, _Section] = {}
        self._references: list[Series] = []
        self._query: Series | None = None
        self.setStyleSheet(_STYLE)
        self._hint = QLabel(
            "Open or drop a study here.\nThen click two to eight normal scans,\n"
            "and choose one to examine.\n\nNo study at hand? File > Open Sample."
        )
        self._hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._hint.setWordWrap(True)
        self._column = QVBoxLayout()
        self._column.setContentsMargins(0, 0, 2, 0)
        self._column.setSpacing(4)
        self._column.addStretch()
        content = QWidget()
        content.setLayout(self._column)
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setWidget(content)
        self._count = QLabel()
        self._count.setWordWrap(True)
        self._count.setAccessibleName("Number of normal references")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._hint, 1)
        layout.addWidget(self._scroll, 1)
        layout.addWidget(self._count)
        self._refresh()

    @property
    def references(self) -> tuple[Series, ...]:
        """The normal references, in the order they were marked."""
        return tuple(self._references)

    @property
    def query(self) -> Series | None:
        """The series to examine."""
        return self._query

    @property
    def series(self) -> tuple[Series, ...]:
        """All series shown."""
        return tuple(card.series for card in self._cards())

    @property
    def count_text(self) -> str:
        """What is said about the number of references."""
        return str(self._count.text())

    def card(self, series: Series) -> SeriesCard:
        """Returns the card of a series that is shown.

        Raises:
            KeyError: If it is not.
        """
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
        section = self._sections.get(title)
        if section is None:
            section = _Section(title, closable)
            section.close_requested.connect(self.close_requested)
            self._sections[title] = section
            # The section of viewer layers comes first: it is short and near at hand.
            self._column.insertWidget(self._column.count() - 1 if closable else 0, section)
        for card in section.show_series(wanted):
            card.role_requested.connect(lambda role, series=card.series: self.set_role(series, role))
        if not wanted:
            self._sections.pop(title).deleteLater()
            section.hide()
        present = self.series
        self._references = [kept for kept in self._references if kept in present]
        self._query = self._query if self._query in present else None
        self._refresh()

    def replace(self, old: Series, new: Series) -> None:
        """Puts a series in the place and role of another, such as a layer that was edited."""
        card = self.card(old)
        title = next(title for title, section in self._sections.items() if card in section.cards)
        section = self._sections[title]
        self._references = [new if kept is old else kept for kept in self._references]
        self._query = new if self._query is old else self._query
        listed = [new if one.series is old else one.series for one in section.cards]
        self.set_section(title, listed, closable=section.closable)

    def set_role(self, series: Series, role: Role) -> None:
        """Gives a series a role; a scan to examine cannot be its own reference."""
        before = (self.references, self._query)
        self._references = [kept for kept in self._references if kept is not series]
        if self._query is series:
            self._query = None
        if role is Role.REFERENCE:
            self._references.append(series)
        elif role is Role.QUERY:
            self._query = series
        self._refresh()
        if before != (self.references, self._query):
            self.roles_changed.emit()

    def set_thumbnail(self, series: Series, pixels: npt.NDArray[np.uint8]) -> None:
        """Shows a thumbnail, if the series is still there."""
        for card in self._cards():
            if card.series is series:
                card.set_thumbnail(pixels)

    def set_unreadable(self, series: Series, reason: str) -> None:
        """Shows that a series cannot be used, if it is still there."""
        for card in self._cards():
            if card.series is series:
                card.set_unreadable(reason)
                self.set_role(series, Role.NONE)

    def _cards(self) -> list[SeriesCard]:
        return [card for section in self._sections.values() for card in section.cards]

    def _refresh(self) -> None:
        for card in self._cards():
            role = Role.REFERENCE if card.series in self._references else Role.NONE
            wanted = Role.QUERY if card.series is self._query else role
            if card.role is not wanted:
                card.set_role(wanted)
        count = len(self._references)
        missing = "" if self._query is not None else "; choose one scan to examine"
        self._count.setText(f"{count} of {FEWEST}-{MOST} normal references{missing}")
        fits = FEWEST <= count <= MOST
        self._count.setStyleSheet(f"color: {'#35c46a' if fits else '#ffb020'};" if count else "")
        empty = not self._sections
        self._hint.setVisible(empty)
        self._scroll.setVisible(not empty)


class _Section(QWidget):
    """A title and the cards below it."""

    close_requested = Signal(str)

    def __init__(self, title: str, closable: bool) -> None:
        super().__init__()
        self.closable = closable
        self.cards: list[SeriesCard] = []
        close = QToolButton()
        close.setText("✕")
        close.setToolTip("Close this study")
        close.setAccessibleName(f"Close {title}")
        close.setVisible(closable)
        close.clicked.connect(lambda: self.close_requested.emit(title))
        header = QHBoxLayout()
        header.addWidget(QLabel(title), 1)
        header.addWidget(close)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(4)
        self._column.addLayout(header)

    def show_series(self, wanted: list[Series]) -> list[SeriesCard]:
        """Shows these series and returns the cards that are new."""
        kept = {card.series: card for card in self.cards if card.series in wanted}
        for card in self.cards:
            self._column.removeWidget(card)
            if card.series not in kept:
                card.hide()
                card.deleteLater()
        new = [SeriesCard(series) for series in wanted if series not in kept]
        cards = {**kept, **{card.series: card for card in new}}
        self.cards = [cards[series] for series in wanted]
        for card in self.cards:
            self._column.addWidget(card)
        return new

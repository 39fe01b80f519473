"""A part of the gallery: a title and the cards of the series opened together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from napari_d24fad.studies.series import Series
from napari_d24fad.studies.volumes import together
from napari_d24fad.viewer.gallery.card import SeriesCard


class GallerySection(QWidget):
    """A title and the cards below it.

    Attributes:
        closable: Whether the user may close it.
        cards: In the order they were opened.
        arranged: In the order they are listed.
    """

    close_requested = Signal(str)
    """The user wants the section closed; its title."""

    def __init__(self, title: str, closable: bool) -> None:
        super().__init__()
        self.closable = closable
        self.cards: list[SeriesCard] = []
        self.arranged: list[SeriesCard] = []
        self._title = QLabel(title)
        self._close = close = QToolButton()
        close.setText("✕")
        close.setToolTip("Close this study")
        close.setAccessibleName(f"Close {title}")
        close.setVisible(closable)
        close.clicked.connect(lambda: self.close_requested.emit(self._title.text()))
        header = QHBoxLayout()
        header.addWidget(self._title, 1)
        header.addWidget(close)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(4)
        self._column.addLayout(header)

    @property
    def title(self) -> str:
        """What stands above the cards."""
        return str(self._title.text())

    def arrange(
        self, place: Callable[[SeriesCard], Any], wanted: Callable[[SeriesCard], bool]
    ) -> list[SeriesCard]:
        """Lists the cards in another order, and hides those that are not wanted.

        Args:
            place: What to sort by.
            wanted: Whether a card is listed.

        Returns:
            The cards that are wanted and hidden still: to show one takes a millisecond.
        """
        arranged = sorted(self.cards, key=place)
        if arranged != self.arranged:
            self.arranged = arranged
            for card in arranged:
                self._column.removeWidget(card)
            for card in arranged:
                self._column.addWidget(card)
        listed = [card for card in arranged if wanted(card)]
        for card in set(arranged).difference(listed):
            card.hide()
        self.setVisible(bool(listed))
        return [card for card in listed if card.isHidden()]

    def set_title(self, title: str) -> None:
        """Shows another title above the cards."""
        self._title.setText(title)
        self._close.setAccessibleName(f"Close {title}")

    def show_series(self, wanted: list[Series]) -> list[SeriesCard]:
        """Shows these series, volumes of one series on one card, and returns the cards that are new."""
        rows = together(wanted)
        kept = {card.volumes: card for card in self.cards if card.volumes in rows}
        for card in self.cards:
            if card.volumes not in kept:
                self._column.removeWidget(card)
                card.hide()
                card.deleteLater()
        new = [SeriesCard(row) for row in rows if row not in kept]
        cards = {**kept, **{card.volumes: card for card in new}}
        before, self.cards = self.arranged, [cards[row] for row in rows]
        only_more = self.cards[: len(before)] == before  # to add all of a long list again would take long
        for card in self.cards[len(before) if only_more else 0 :]:
            self._column.addWidget(card)
        self.arranged = list(self.cards)
        return new

"""The cards below each other, in sections, in the order that is chosen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QShowEvent, QWheelEvent
from qtpy.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from napari_d24fad.studies.series import Series
from napari_d24fad.viewer.gallery.card import SeriesCard
from napari_d24fad.viewer.gallery.section import GallerySection
from napari_d24fad.viewer.gallery.sorting import Order, matches, place

_PORTION = 40
"""Cards that are shown in one go."""
_SETTLING_MS = 1000
"""For how long a card is kept in sight while cards and window get their size."""


class CardColumn(QScrollArea):
    """Sections of cards, one section per opened location."""

    def __init__(self) -> None:
        super().__init__()
        self._sections: dict[str, GallerySection] = {}
        self._arranged: list[GallerySection] = []
        self._wanted: SeriesCard | None = None
        self._settled = QTimer(self)
        self._settled.setSingleShot(True)
        self._settled.setInterval(_SETTLING_MS)
        self._settled.timeout.connect(self._leave_wanted)
        bar = self.verticalScrollBar()
        bar.rangeChanged.connect(self._follow)
        bar.actionTriggered.connect(self._leave_wanted)  # the user scrolls
        self._to_show: list[SeriesCard] = []
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(0)
        self._soon.timeout.connect(self._show_more)
        self._column = QVBoxLayout()
        self._column.setContentsMargins(0, 0, 2, 0)
        self._column.setSpacing(4)
        self._column.addStretch()
        content = QWidget()
        content.setLayout(self._column)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidget(content)

    @property
    def is_empty(self) -> bool:
        """Whether there is no section."""
        return not self._sections

    @property
    def cards(self) -> list[SeriesCard]:
        """All cards, in the order they are listed; also those that a search leaves out."""
        return [card for section in self._arranged for card in section.arranged]

    def section(self, title: str) -> GallerySection | None:
        """Returns the section with a title; None if there is none."""
        return self._sections.get(title)

    def section_of(self, card: SeriesCard) -> GallerySection:
        """Returns the section of a card."""
        return next(each for each in self._sections.values() if card in each.cards)

    def add_section(self, title: str, *, closable: bool) -> GallerySection:
        """Adds a section without cards."""
        section = self._sections[title] = GallerySection(title, closable)
        # The section of viewer layers comes first: it is short and near at hand.
        at = len(self._arranged) if closable else 0
        self._arranged.insert(at, section)
        self._column.insertWidget(at, section)
        return section

    def remove_section(self, title: str) -> None:
        """Removes a section, whose cards are gone."""
        section = self._sections.pop(title)
        self._arranged.remove(section)
        section.deleteLater()
        section.hide()

    def retitle(self, old: str, new: str) -> bool:
        """Shows another title above the cards of a section; returns whether there is such a section."""
        if old not in self._sections:
            return False
        self._sections = {new if title == old else title: one for title, one in self._sections.items()}
        self._sections[new].set_title(new)
        return True

    def titled(self) -> Sequence[tuple[str, Series]]:
        """Returns all series, each with the title it stands below."""
        return [(each.title, card.series) for each in self._arranged for card in each.arranged]

    def arrange(self, order: Order, words: str) -> None:
        """Lists the cards in an order, and those alone that a search finds.

        A section comes where its first card would.
        """
        hidden: set[SeriesCard] = set()
        with self._laid_out_once():
            for section in self._sections.values():
                wanted = partial(matches, words, section.title)
                hidden.update(section.arrange(partial(place, order), wanted))
        arranged = sorted(self._sections.values(), key=lambda each: each.closable)
        if order is not Order.OPENED:
            arranged.sort(key=lambda each: place(order, each.arranged[0]) if each.arranged else ())
        if arranged != self._arranged:
            self._arranged = arranged
            for at, section in enumerate(arranged):
                self._column.removeWidget(section)
                self._column.insertWidget(at, section)
        self._to_show = [card for card in self.cards if card in hidden]
        self._show_more()

    def _show_more(self) -> None:
        """Shows some of the cards that are listed, and the others when Qt has done what waits."""
        with self._laid_out_once():
            for card in self._to_show[:_PORTION]:
                card.show()
        del self._to_show[:_PORTION]
        if self._to_show:
            self._soon.start()

    @contextmanager
    def _laid_out_once(self) -> Iterator[None]:
        """Lays the cards out at the end: else each that comes or goes lays out all others."""
        layouts = [section.layout() for section in self._sections.values()]
        for layout in layouts:
            layout.setEnabled(False)
        try:
            yield
        finally:
            for layout in layouts:
                layout.setEnabled(True)
                layout.invalidate()
                layout.activate()

    def show_first(self) -> None:
        """Scrolls to the first card: it is another one now."""
        self._leave_wanted()
        self.verticalScrollBar().setValue(0)

    def bring_into_sight(self, card: SeriesCard) -> None:
        """Scrolls to a card, once the layout knows how high it has become."""
        self._wanted = card
        self._settled.stop()
        self._follow()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Qt: scrolls to the card that was wanted while another page was in front."""
        super().showEvent(event)
        self._follow()

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802 - Qt's name
        """Qt: from here on the user says what is in sight."""
        self._leave_wanted()
        super().wheelEvent(event)

    def _follow(self) -> None:
        if self._wanted is not None:
            QTimer.singleShot(0, self._scroll_to_wanted)

    def _leave_wanted(self) -> None:
        self._wanted = None

    def _scroll_to_wanted(self) -> None:
        if not self.isVisible():  # its layout does not follow now
            return
        wanted = self._wanted
        if wanted is None:
            return
        if wanted in self.cards:
            self.ensureWidgetVisible(wanted, 0, 0)
            if not wanted.flag.isHidden():  # the choice it leaves matters most
                self.ensureWidgetVisible(wanted.flag, 0, 0)
        if not self._settled.isActive():
            self._settled.start()

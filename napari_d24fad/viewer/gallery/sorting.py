"""In which order cards are listed, and which of them a search finds."""

from __future__ import annotations

from enum import Enum

from napari_d24fad.viewer.gallery.card import SeriesCard


class Order(Enum):
    """What cards are sorted by; the value is what the user reads."""

    OPENED = "as opened"
    FLAGGED = "above references first"
    SCORE = "highest score first"
    MODALITY = "by modality"


def place(order: Order, card: SeriesCard) -> tuple[object, ...]:
    """Returns what a card is sorted by; cards with the same stay in the order they were opened in."""
    outcome = card.outcome.outcome if card.outcome.has_result else None
    score = float("-inf") if outcome is None else outcome.score
    if order is Order.FLAGGED:
        return outcome is None or not outcome.is_flagged, -score
    if order is Order.SCORE:
        return (-score,)
    return (card.series.modality or card.series.kind,) if order is Order.MODALITY else ()


def matches(words: str, title: str, card: SeriesCard) -> bool:
    """Whether all words of a search are in what a card, or the title above it, says."""
    said = f"{card.name} {card.label} {title}".casefold() if words else ""
    return all(word in said for word in words.casefold().split())

"""Undo and redo: every state is immutable, so a history is a list of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

State = TypeVar("State")

_LONGEST = 200


@dataclass(frozen=True, slots=True)
class History(Generic[State]):
    """States one after the other, with a place among them.

    Attributes:
        now: The state that counts.
        past: Those before it, the oldest first.
        future: Those that were undone, the next to be done again first.
    """

    now: State
    past: tuple[State, ...] = ()
    future: tuple[State, ...] = ()

    def do(self, state: State) -> History[State]:
        """Goes on to a new state; what was undone is gone. The same state again changes nothing."""
        if state is self.now:
            return self
        return History(state, (*self.past, self.now)[-_LONGEST:])

    def undo(self) -> History[State]:
        """Goes back by one state, if there is one."""
        if not self.past:
            return self
        return History(self.past[-1], self.past[:-1], (self.now, *self.future))

    def redo(self) -> History[State]:
        """Goes on to the state that was undone last, if there is one."""
        if not self.future:
            return self
        return History(self.future[0], (*self.past, self.now), self.future[1:])

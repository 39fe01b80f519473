"""What is done with made-up cases: as fast as can be, or fatal. Workers import this module."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from napari_d24fad.cohort.item import Item
from napari_d24fad.cohort.place import THUMBNAIL_NAME
from napari_d24fad.cohort.row import Row


@dataclass(frozen=True, slots=True)
class TinyWork:
    """Writes a small file and a row whose score is the number of the case; what its place says happens first.

    Attributes:
        log: File that gets a line for each case that is examined.
    """

    log: str = ""

    def prepare(self) -> None:
        pass

    def examine(self, item: Item, key: str, salt: bytes, into: Path) -> Row:
        (into / THUMBNAIL_NAME).write_bytes(b"picture")
        if "poison" in item.place:
            os.kill(os.getpid(), signal.SIGKILL)
        if "memory" in item.place:
            raise MemoryError
        if "slow" in item.place:
            time.sleep(0.2)
        if "greedy" in item.place:
            held = []
            while True:
                held.append(b"\1" * 2**25)
                time.sleep(0.01)
        if self.log:
            with Path(self.log).open("a") as file:
                file.write(f"{item.number}\n")
        return Row(case=key, number=item.number, score=float(item.number), p_value=0.5, p_floor=1 / 9)


def items(*places: str) -> list[Item]:
    return [Item(number, place) for number, place in enumerate(places, start=1)]

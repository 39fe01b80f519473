"""The same done to several things at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from napari_d24fad.cores import usable_cores

_MOST = 4  # threads share the memory, whose speed is soon the limit

One = TypeVar("One")
Result = TypeVar("Result")


def in_threads(work: Callable[[One], Result], each: Iterable[One]) -> list[Result]:
    """Does the same to each of several things, some at once; results in their order.

    Raises:
        Exception: The first that one of them raised; what was not begun is then left.
    """
    things = list(each)
    count = min(len(things), usable_cores(), _MOST)
    if count < 2:
        return [work(one) for one in things]
    with ThreadPoolExecutor(count, "comparing") as pool:
        begun = [pool.submit(work, one) for one in things]
        try:
            return [one.result() for one in begun]
        finally:
            for one in begun:
                one.cancel()

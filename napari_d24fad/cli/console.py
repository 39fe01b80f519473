"""How the command speaks on a terminal: progress while it works, tables when it is done."""

from __future__ import annotations

import logging
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from tqdm import tqdm

from napari_d24fad.progress import Progress, duration_text

_STEPS = 1000

LINE_SECONDS = 60.0
"""From one line of progress to the next where no bar can be drawn."""


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Keeps warnings and logs of libraries off the terminal: they quote paths and bury what matters."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before = logging.root.manager.disable
        logging.disable(logging.CRITICAL)
        try:
            yield
        finally:
            logging.disable(before)


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """Yields a `Progress` that draws a bar on stderr, which vanishes at the end.

    Where stderr is no terminal, such as the log of a cluster's job, it is a line a minute.
    """
    if not sys.stderr.isatty():
        yield _lines()
        return
    shape = "{desc} {percentage:3.0f}% |{bar}| {elapsed}"
    with tqdm(total=_STEPS, file=sys.stderr, leave=False, bar_format=shape, dynamic_ncols=True) as bar:

        def show(fraction: float, step: str) -> None:
            bar.set_description_str(step, refresh=False)
            bar.n = round(_STEPS * min(fraction, 1.0))
            bar.refresh()

        yield show


@contextmanager
def counting_bar(total: int, done: int, unit: str) -> Iterator[Callable[[str], None]]:
    """Yields what is called for each of many that is done, with a remark such as ``"3 refused"``.

    It draws a bar on stderr with rate and time left, or a line a minute where stderr is no terminal.

    Args:
        total: How many there are.
        done: How many were done before.
        unit: What they are, such as ``"case"``.
    """
    if sys.stderr.isatty():
        with tqdm(total=total, initial=done, unit=unit, file=sys.stderr, dynamic_ncols=True) as bar:

            def count(remark: str) -> None:
                bar.set_postfix_str(remark, refresh=False)
                bar.update()

            yield count
        return
    began = told = time.monotonic()
    now = done

    def count_in_lines(remark: str) -> None:
        nonlocal told, now
        now += 1
        if (moment := time.monotonic()) - told >= LINE_SECONDS:
            told = moment
            rate = (now - done) / (moment - began)
            left = duration_text((total - now) / rate)
            told_of = (f"{now} of {total} {unit}s", f"{60 * rate:.3g} a minute", f"{left} left", remark)
            print(f"d24fad: {', '.join(filter(None, told_of))}", file=sys.stderr, flush=True)

    yield count_in_lines


def _lines() -> Progress:
    told = time.monotonic()

    def tell(fraction: float, step: str) -> None:
        nonlocal told
        if time.monotonic() - told >= LINE_SECONDS:
            told = time.monotonic()
            print(f"d24fad: {fraction:.0%} {step}", file=sys.stderr, flush=True)

    return tell


def warn(sentence: str) -> None:
    """Says on stderr what the user must know before going on; a bar that is drawn there makes way."""
    tqdm.write(f"d24fad: warning: {sentence}", file=sys.stderr)


def complain(refusal: str) -> None:
    """Says on stderr what was refused, on one line; a bar that is drawn there makes way.

    Args:
        refusal: The code, a colon, and the sentences.
    """
    tqdm.write("d24fad: error " + " ".join(refusal.split()), file=sys.stderr)


def warn_of_device(name: str) -> None:
    """Says on stderr why ``"auto"`` takes the CPU though there is a graphics card. Imports torch."""
    from napari_d24fad.detection.encoding.devices import passed_over

    if problem := passed_over(name):
        warn(str(problem))


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Returns rows with their columns aligned under a head.

    Args:
        head: One word per column.
        rows: As many texts each.
    """
    lines = [head, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def plain(text: str) -> str:
    """Returns text on one line without control characters, which could steer a terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()

"""Walks through a day's reading on real data, and saves a picture of the screen at each step.

    python -m tests.viewer.walk FOLDER [--size 1600x1000] [--theme light] [--films 40] [--heads 10]

With ``QT_SCALE_FACTOR=2`` in the environment the size is that of the window before it is scaled. The pictures
show images of others: they are to be looked at, and are no part of the project.
"""

from __future__ import annotations

import argparse
import re
import tempfile
import time
from pathlib import Path

from tests import isolation

isolation.isolate()  # before napari reads where its settings are

from napari.settings import get_settings  # noqa: E402

from tests.viewer.walk.day import DATA, Day  # noqa: E402
from tests.viewer.walk.hands import on_screen, open_window  # noqa: E402
from tests.viewer.walk.steps import Walk  # noqa: E402
from tests.viewer.watchdog import Watchdog  # noqa: E402


def main() -> None:
    """Walks, and prints how long each step took and held up the event loop."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("folder", type=Path)
    asked.add_argument("--size", default="1600x1000")
    asked.add_argument("--theme", default="dark")
    asked.add_argument("--films", type=int, default=40)
    asked.add_argument("--heads", type=int, default=10)
    asked.add_argument("--references", type=int, default=8)
    asked.add_argument("--dock", type=int, default=440)
    given = asked.parse_args()
    if not DATA.exists():
        asked.error("the real data is not beside this checkout")
    given.folder.mkdir(parents=True, exist_ok=True)
    get_settings().appearance.theme = given.theme
    width, height = map(int, given.size.split("x"))
    with tempfile.TemporaryDirectory() as work:
        hands = open_window((width, height), given.dock)
        walk = Walk(hands, Day.of(given.films, given.references, given.heads), Path(work))
        with Watchdog() as watchdog:
            for at, (name, step) in enumerate(walk.steps().items(), 1):
                began = time.monotonic()
                watchdog.step(name)
                step()
                watchdog.step("between")
                print(f"{time.monotonic() - began:6.1f} s  {name}", flush=True)
                file = f"{at:02}-{re.sub(r'[^a-z]+', '-', name.lower())}.png"
                on_screen(hands.window).save(given.folder / file)
        print(watchdog)
        hands.close()


if __name__ == "__main__":
    main()
    isolation.clean()

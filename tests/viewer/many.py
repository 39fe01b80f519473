"""Measures the dock with very much in it: a large study while it is indexed, and a long reading list.

    python -m tests.viewer.many [--series 300] [--slices 60] [--films 200]

Prints the longest time that the event loop stood still while so many DICOM series were looked for and listed,
and the list scrolled; then, of so many small films, time and memory of each case of *Examine all*, and how
long J takes. It is no test: other work on the machine lengthens what it measures.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from io import BytesIO
from pathlib import Path

from tests import isolation

isolation.isolate()  # before napari reads where its settings are

import numpy as np  # noqa: E402
import psutil  # noqa: E402
from PIL import Image  # noqa: E402
from pydicom.dataset import Dataset, FileMetaDataset  # noqa: E402
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid  # noqa: E402
from qtpy.QtWidgets import QApplication  # noqa: E402

from tests.viewer.walk.hands import Hands, open_window, rest  # noqa: E402
from tests.viewer.watchdog import Watchdog  # noqa: E402

_SIZE, _FILM, _REFERENCES, _MIB = 16, 64, 3, 2**20
_SCROLL_SECONDS = 0.05


def write_series(folder: Path, count: int, slices: int) -> None:
    """Writes a study of tiny series, a folder each, from one file whose numbers are replaced."""
    root = generate_uid()[:40].rstrip(".")
    image = Dataset()
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image.file_meta.MediaStorageSOPClassUID = image.SOPClassUID = MRImageStorage
    image.file_meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID = f"{root}.1777.1888"
    image.StudyInstanceUID = image.FrameOfReferenceUID = root
    image.SeriesInstanceUID, image.PatientID = f"{root}.1777", "made up"
    image.Modality, image.SeriesNumber, image.InstanceNumber = "MR", "1777", "1888"
    image.SeriesDescription = "T1 1777"
    image.Rows = image.Columns = _SIZE
    image.PixelSpacing, image.SliceThickness = [2.0, 2.0], 3.0
    image.ImageOrientationPatient = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]
    image.ImagePositionPatient = ["0", "0", "1888"]
    image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
    image.BitsAllocated, image.BitsStored, image.HighBit, image.PixelRepresentation = 16, 12, 11, 0
    pixels = np.random.default_rng(0).integers(0, 4000, (_SIZE, _SIZE), np.uint16)
    image.PixelData = pixels.tobytes()
    written = BytesIO()
    image.save_as(written, enforce_file_format=True)
    for number in range(1001, 1001 + count):
        place = folder / f"{number}"
        place.mkdir(parents=True)
        for at in range(1001, 1001 + slices):
            named = written.getvalue().replace(b"1777", b"%d" % number).replace(b"1888", b"%d" % at)
            (place / f"{at}.dcm").write_bytes(named)


def write_films(folder: Path, count: int, side: int = _FILM) -> None:
    """Writes pictures that are alike, a tenth of them with a bright place."""
    folder.mkdir()
    rows, columns = np.mgrid[:side, :side] / side
    place = slice(side * 5 // 16, side * 15 // 32), slice(side * 15 // 32, side * 5 // 8)
    for number in range(count):
        noise = np.random.default_rng(number).normal(0, 6, (side, side))
        picture = 120 + 60 * np.sin(6 * rows) * np.cos(5 * columns) + noise
        if number % 10 == 9:
            picture[place] = 250
        Image.fromarray(picture.clip(0, 255).astype(np.uint8)).save(folder / f"{number:03}.png")


def index(hands: Hands, folder: Path, watchdog: Watchdog) -> None:
    """Opens the study and scrolls the list all the while."""
    dock, began, first = hands.dock, time.monotonic(), 0.0
    column = dock.gallery._column.verticalScrollBar()
    watchdog.step("look for series, and list them")
    dock.open([folder])
    at, listed = 0, 0.0
    while dock.jobs.is_busy or dock.filling.is_busy:
        QApplication.processEvents()
        if dock.gallery.series and not first:
            first = time.monotonic() - began
        if not dock.jobs.is_busy and not listed:
            listed = time.monotonic() - began
            watchdog.step("draw thumbnails, and scroll")
        if time.monotonic() - began > at * _SCROLL_SECONDS:
            at += 1
            column.setValue((at * 97) % max(1, column.maximum()))
        time.sleep(0.001)
    done = time.monotonic() - began
    print(f"{len(dock.gallery.series)} series: the first after {first:.1f} s, all after {listed:.1f} s,")
    print(f"their thumbnails after {done:.1f} s")
    watchdog.step("scroll")
    for turn in range(100):
        column.setValue((turn * 997) % max(1, column.maximum()))
        rest(None, 0.02)
    watchdog.step("search")
    dock.gallery.tools.search.setText("T1 129")
    rest(dock)
    dock.gallery.tools.search.clear()
    rest(dock)
    watchdog.step("mark one by N")
    hands.mark(dock.gallery.series[:1])
    watchdog.step("close the study")
    dock.filling.close_studies()
    rest(dock)


def read_list(hands: Hands, folder: Path, watchdog: Watchdog) -> None:
    """Examines all films, and notes when each was done and what memory the process then has."""
    dock = hands.dock
    watchdog.step("open films")
    series = hands.open([folder])
    hands.mark(series[:_REFERENCES])
    told: list[tuple[float, int]] = []
    process = psutil.Process()
    dock.reading_list.told.connect(lambda _: told.append((time.perf_counter(), process.memory_info().rss)))
    watchdog.step("examine all")
    dock.gallery.queue_bar.examine_button.click()
    rest(dock)
    times = np.diff([when for when, _ in told])
    quarter = max(2, len(told) // 4)
    for name, part in (("second", slice(quarter, 2 * quarter)), ("last", slice(-quarter, None))):
        median = statistics.median(times[part])
        print(f"a case of the {name} quarter: {1000 * median:.0f} ms (median)")
    grown = (told[-1][1] - told[quarter][1]) / (len(told) - quarter)
    print(
        f"memory: {told[quarter][1] / _MIB:.0f} MiB after a quarter, {told[-1][1] / _MIB:.0f} MiB at the end,"
    )
    print(f"{grown / 1024:.0f} KiB a case")
    watchdog.step("J")
    went = []
    for _ in range(10):
        began = time.perf_counter()
        hands.dock.cases.step(1)
        while hands.dock.cases.is_busy:
            QApplication.processEvents()
        went.append(time.perf_counter() - began)
        rest(dock)
    median = statistics.median(went)
    print(f"to the next result: {1000 * median:.0f} ms (median), {1000 * max(went):.0f} at most")


def main() -> None:
    """Measures, and prints what the watchdog saw."""
    asked = argparse.ArgumentParser(description=__doc__)
    for name, usual in (("--series", 300), ("--slices", 60), ("--films", 200)):
        asked.add_argument(name, type=int, default=usual)
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        write_series(folder / "study", given.series, given.slices)
        write_films(folder / "films", given.films)
        hands = open_window((1280, 800))
        with Watchdog() as watchdog:
            if given.series:
                index(hands, folder / "study", watchdog)
            if given.films:
                read_list(hands, folder / "films", watchdog)
        print(watchdog)
        hands.close()


if __name__ == "__main__":
    main()
    isolation.clean()

"""Measures retrievals from a local Orthanc against ``curl`` of the same bytes.

    python -m tests.archives.speed [--slices 300] [--runs 5] [--profile]

Needs Orthanc, curl, and the right to make a network namespace; what is written goes to a temporary folder.
"""

from __future__ import annotations

import argparse
import cProfile
import os
import pstats
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from napari_d24fad.archives.dicomweb import WebPeer
from napari_d24fad.archives.dimse import DimsePeer
from napari_d24fad.archives.fetching import fetch
from napari_d24fad.archives.found import FoundSeries
from napari_d24fad.archives.peer import Peer
from napari_d24fad.progress import CancelToken
from tests.archives.namespace import own_network
from tests.archives.orthanc import HTTP_PORT, OWN_PORT, PASSWORD, USER, Orthanc
from tests.archives.studies import write_slices

_STUDY, _SERIES = "2.25.7900", "2.25.7901"


def main() -> None:
    """Prints the median of several runs, those of ``curl`` and of this program in turn."""
    parser = argparse.ArgumentParser(description="Retrievals from a local Orthanc against curl.")
    parser.add_argument("--slices", type=int, default=300)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--pixels", type=int, default=512)
    parser.add_argument("--dimse", action="store_true", help="by C-GET and C-MOVE, too")
    parser.add_argument("--profile", action="store_true", help="print where the time of DICOMweb goes")
    options = parser.parse_args()
    with own_network(), tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        server = Orthanc(folder / "orthanc")
        server.start()
        try:
            files = write_slices(
                folder / "made", options.slices, study=_STUDY, series=_SERIES, pixels=options.pixels
            )
            server.fill(files)
            size = sum(file.stat().st_size for file in files)
            print(f"{len(files)} slices, {size / 2**20:.0f} MiB")
            if options.profile:
                _profile(server, folder, options.slices)
                return
            _measure(server, folder, options)
        finally:
            server.stop()


def _measure(server: Orthanc, folder: Path, options: argparse.Namespace) -> None:
    ways = {"DICOMweb": lambda: WebPeer(server.web, PASSWORD, CancelToken())}
    if options.dimse:
        ways["C-GET"] = lambda: DimsePeer(server.dimse(), CancelToken())  # type: ignore[assignment,return-value]
        ways["C-MOVE"] = lambda: DimsePeer(server.dimse(OWN_PORT), CancelToken())  # type: ignore[assignment,return-value]
    taken: dict[str, list[tuple[float, float, float]]] = {}
    for _ in range(options.runs):
        taken.setdefault("curl", []).append(_curl(folder))
        for name, peer in ways.items():
            taken.setdefault(name, []).append(_fetch(peer(), folder, options.slices))
    print(f"load {os.getloadavg()[0]:.1f}")
    base = statistics.median(seconds for seconds, *_ in taken["curl"])
    for name, measured in taken.items():
        seconds, busy, first = (statistics.median(column) for column in zip(*measured, strict=True))
        ratio = statistics.median(
            one[0] / other[0] for one, other in zip(measured, taken["curl"], strict=True)
        )
        print(
            f"{name:9} {seconds:5.2f} s, {busy:4.2f} of CPU, first image {first:4.2f} s, "
            f"{seconds / base:4.2f} x curl ({ratio:4.2f} run by run)"
        )


def _curl(folder: Path) -> tuple[float, float, float]:
    address = f"http://127.0.0.1:{HTTP_PORT}/dicom-web/studies/{_STUDY}/series/{_SERIES}"
    before, began = os.times(), time.perf_counter()
    subprocess.run(
        ["curl", "-sSf", "-K", "-", "-o", folder / "answer", address],
        input=f'user = "{USER}:{PASSWORD}"\n'
        'header = "Accept: multipart/related; type=\\"application/dicom\\"; transfer-syntax=*"\n',
        text=True,
        check=True,
    )
    seconds, after = time.perf_counter() - began, os.times()
    busy = after.children_user + after.children_system - before.children_user - before.children_system
    (folder / "answer").unlink()
    return seconds, busy, 0.0


def _fetch(peer: Peer, folder: Path, slices: int) -> tuple[float, float, float]:
    out = folder / "out"
    first: list[float] = []

    def arrived(file: Path) -> None:
        if not first:
            first.append(time.perf_counter() - began)

    before, began = time.process_time(), time.perf_counter()
    fetch(peer, [FoundSeries(_STUDY, _SERIES, instances=slices)], out, arrived=arrived)
    seconds, busy = time.perf_counter() - began, time.process_time() - before
    peer.close()
    shutil.rmtree(out)
    return seconds, busy, first[0]


def _profile(server: Orthanc, folder: Path, slices: int) -> None:
    _fetch(WebPeer(server.web, PASSWORD, CancelToken()), folder, slices)
    profile = cProfile.Profile()
    profile.enable()
    _fetch(WebPeer(server.web, PASSWORD, CancelToken()), folder, slices)
    profile.disable()
    pstats.Stats(profile).sort_stats("cumulative").print_stats(40)


if __name__ == "__main__":
    main()

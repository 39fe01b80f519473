"""A session of the viewer in which any contact with the network ends it: ``python -m tests.privacy.offline``.

Everything from the import to the export, in a process of its own, because modules are
imported once. Sockets that lead to no other machine, such as those of a display, are let be.
"""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from typing import Any

REFUSED = 77


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
        outward = arguments[0].family != getattr(socket, "AF_UNIX", None)
    else:
        outward = event in {
            "socket.getaddrinfo",
            "socket.gethostbyname",
            "urllib.Request",
            "http.client.connect",
        }
    if outward:
        # An exception could be caught by whoever calls; this cannot.
        print(f"contact with the network: {event} {arguments[1:]}", file=sys.stderr, flush=True)
        os._exit(REFUSED)


def session(study: Path, out: Path) -> None:
    """Opens the widget and a study, marks references, runs, explains, and saves what was found."""
    import napari
    from qtpy.QtWidgets import QApplication

    from napari_d24fad.viewer.dock import DetectionDock
    from napari_d24fad.viewer.gallery.roles import Role

    viewer = napari.Viewer(show=True)
    dock = DetectionDock(viewer)
    viewer.window.add_dock_widget(dock)

    def settle() -> None:
        while dock.jobs.is_busy or dock.filling.previews.is_busy or dock.result_view.is_busy:
            QApplication.processEvents()

    dock.open([study])
    settle()
    query, *references = dock.gallery.series
    for series in references:
        dock.gallery.set_role(series, Role.REFERENCE)
    dock.gallery.set_role(query, Role.QUERY)
    dock.run()
    settle()
    dock.results.why_section.set_unfolded(True)
    settle()
    dock.save_picture(out / "picture.png")
    settle()
    dock.save_results(out)
    settle()
    viewer.close()


def main(study: str, out: str = "") -> None:
    """Runs the session; without a folder for its results, only tries whether a contact is seen."""
    sys.addaudithook(_refuse)
    if out:
        session(Path(study), Path(out))
    else:
        socket.create_connection(("192.0.2.1", 80), timeout=1)  # reserved for documentation (RFC 5737)


if __name__ == "__main__":
    main(*sys.argv[1:])

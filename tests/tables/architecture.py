"""docs/architecture.md and its drawing: the rooms of the package and what they import."""

from __future__ import annotations

import re
import textwrap
from html import escape

from tests.tables.imports import Graph, purpose, rooms
from tests.tables.layered import BOX_HEIGHT, BOX_WIDTH, LAYER, WIDTH, place

_HEAD = """\
# Architecture

The package is a house of rooms, one folder each. A room imports only rooms below it, and there are no
circles, also not inside a room; `pytest tests/tables` checks both. Only `viewer/` knows Qt and napari, and
its workers are started in `viewer/running`: what lies below takes plain callbacks for progress and a token
for cancelling.

![The rooms and what they import](figures/architecture.svg)

An arrow leads from a room to one that it imports. What follows from other arrows is not drawn. `errors` and
the small modules beside the rooms (`atomic`, `progress`, `settings` and the like), which nearly all rooms
use, are not drawn either.

<!-- The drawing and the table are made of the code by `make docs`. -->

| room | what it is for | imports |
|---|---|---|
"""

_TAIL = """
## How a scan goes through it

1. `studies` finds the series of a folder by their headers. A `Series` is loaded when it is needed and
   becomes a `Scan`: voxels `(slices, rows, columns)` and a 4 x 4 affine to millimetres in the patient
   (LPS), modality, and what was odd about the file.
2. `session` takes a `Request`: query, references, model, device. It keeps what is encoded and what was
   measured of a set of references.
3. `detection` compares. `detection/plans` chooses how: place by place (`atlas`, with `anatomy` and
   `detection/channels`), or by features of slices (`encoding`, `scoring`, with `network`).
   `detection/references` examines each reference against the others, which gives p-values, levels and
   flags. The result is an `AnomalyMap` on the grid of the scan.
4. `findings` makes a `Finding` of each region, to which a reader's verdict belongs.
5. `export` writes: NIfTI, pictures, the report, and DICOM objects of the study.
6. `viewer` and `cli` are doors to `session`: they ask, show and save, and compute nothing themselves.

## What is decided in one place

| decision | where |
|---|---|
| geometry, sides, canonical axes | `studies/scan.py`, `studies/orientation.py` |
| what may be shown of an identity | `studies/identity.py`, `studies/descriptions.py` |
| limits on files | `studies/files/limits.py` |
| decoding in a process that may die | `studies/decoding/` |
| codes and their sentences | `errors/` |
| files all or nothing | `atomic.py`, `staging.py` |
| settings, environment variables | `settings.py` |
| what a session file holds | `session/saved/document.py` |
| which plan examines a scan | `detection/plans/choice.py` |
| keys of the viewer | `viewer/keys/` |
"""


def architecture() -> str:
    """Returns the page."""
    graph = rooms()
    rows = [
        f"| `{room}/` | {purpose(room).replace('``', '`')} | {', '.join(sorted(graph[room])) or '-'} |"
        for layer in layers(graph)
        for room in layer
    ]
    return _HEAD + "\n".join(rows) + "\n" + _TAIL


def layers(graph: Graph) -> list[list[str]]:
    """Rooms from the top of the house down: each stands above all that it imports.

    Raises:
        RecursionError: There is a circle.
    """

    def height(room: str) -> int:
        return 1 + max(map(height, graph[room]), default=-1)

    floors: dict[int, list[str]] = {}
    for room in sorted(graph):
        floors.setdefault(height(room), []).append(room)
    return [floors[floor] for floor in sorted(floors, reverse=True)]


def drawing() -> str:
    """Returns the drawing as SVG."""
    graph = {room: seen - {"errors"} for room, seen in rooms().items() if room != "errors"}
    floors = layers(graph)
    places = place(floors, {room: _direct(graph, room) for room in graph})
    arrows = [_arrow([places[stop] for stop in way]) for way in places.ways]
    boxes = [_box(room, *places[room]) for room in graph]
    height = 20 + len(floors) * LAYER
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
            'font-family="sans-serif">',
            '<marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
            'orient="auto"><path d="M0 0 8 4 0 8z" fill="#5b6b7f"/></marker>',
            f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
            *arrows,
            *boxes,
            "</svg>\n",
        ]
    )


def _direct(graph: Graph, room: str) -> frozenset[str]:
    """What a room imports and does not also reach through another that it imports."""

    def reached(start: str) -> frozenset[str]:
        return graph[start].union(*map(reached, graph[start]))

    return graph[room].difference(*map(reached, graph[room]))


def _arrow(stops: list[tuple[float, float]]) -> str:
    """A line from the first stop to the last; it passes those between them straight down."""
    (x, y), *others = stops
    path = f"M{x:g} {y + BOX_HEIGHT / 2:g}"
    y += BOX_HEIGHT / 2
    for number, (to_x, middle) in enumerate(others, 1):
        to_y = middle - BOX_HEIGHT / 2
        bend = (to_y - y) * 0.6
        path += f"C{x:g} {y + bend:g} {to_x:g} {to_y - bend:g} {to_x:g} {to_y:g}"
        if number < len(others):
            path += f"V{middle + BOX_HEIGHT / 2:g}"
        x, y = to_x, middle + BOX_HEIGHT / 2
    return f'<path d="{path}" fill="none" stroke="#5b6b7f" stroke-width="1.4" marker-end="url(#head)"/>'


def _box(room: str, x: float, y: float) -> str:
    lines = textwrap.wrap(re.split("[:;]", purpose(room))[0].replace("``", "").rstrip("."), 27)[:3]
    top = y - BOX_HEIGHT / 2
    text = "".join(
        f'<text x="{x:g}" y="{top + 38 + 14 * row:g}" font-size="11" fill="#333" text-anchor="middle">'
        f"{escape(line)}</text>"
        for row, line in enumerate(lines)
    )
    return (
        f'<rect x="{x - BOX_WIDTH / 2:g}" y="{top:g}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="7" '
        'fill="#eef3f9" stroke="#34597f"/>'
        f'<text x="{x:g}" y="{top + 20:g}" font-size="15" font-weight="bold" fill="#123" '
        f'text-anchor="middle">{room}</text>{text}'
    )

"""docs/errors.md: every code, what it means, and what to do."""

from __future__ import annotations

from napari_d24fad.errors import Code

_ROOMS = {
    "S": ("Studies", "what was opened"),
    "P": ("Pairing", "query and references"),
    "M": ("Models", "model files, weights and devices"),
    "X": ("Export", "what is written"),
    "R": ("Reading", "sessions, and the scans that they name"),
    "N": ("Archives (PACS)", "reaching them, and what they send and take"),
    "C": ("Cohorts", "many scans, on workers and nodes"),
    "T": ("Training", "training and evaluation"),
    "A": ("Arguments", "the command, and everything else"),
}

_HEAD = """\
# Codes

Whatever the tool refuses or warns of has a code, the same in the viewer, in the output of `d24fad` and in
reports. A code keeps its meaning between versions. The sentence beside it may say more, and never names a
patient, a date or a path. A code can be a refusal or a remark on what was read: what to do tells which.

<!-- Made of napari_d24fad/errors/ by `make docs`. -->
"""


def errors() -> str:
    """Returns the page."""
    page = [_HEAD]
    for letter, (title, about) in _ROOMS.items():
        codes = sorted((code for code in Code if code.code[0] == letter), key=lambda code: code.code)
        page += [f"## {title}: {about}", "", "| code | meaning | what to do |", "|---|---|---|"]
        page += [f"| {code.code} | {code.meaning} | {code.action} |" for code in codes]
        page.append("")
    return "\n".join(page)

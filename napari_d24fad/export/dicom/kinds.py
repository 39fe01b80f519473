"""Which DICOM objects there are; kept apart so that asking for them imports no library."""

from __future__ import annotations

KINDS = {
    "seg": "Segmentation: one segment for each finding",
    "labelmap": "the same as a Label Map Segmentation",
    "pm": "Parametric Map: the values of the map",
    "sr": "Structured Report: what was measured of each finding (TID 1500), with seg",
    "sc": "Secondary Captures: key slices and a contact sheet, with a Key Object Selection",
}
USUAL = ("seg", "pm", "sr", "sc")
"""Label maps are new, and few archives know them."""

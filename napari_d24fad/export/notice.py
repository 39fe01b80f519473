"""The words that go with every result that leaves the tool."""

NOTICE = "Research use only. Not for diagnosis."
"""Printed on pictures and in reports."""

DESCRIPTION = "D2-4FAD anomaly map, research use only"
"""For the description field of image files (NIfTI allows 79 characters)."""

"""What methods are called in the results of an evaluation."""

from __future__ import annotations

PROBE, NEAREST = "linear probe", "nearest scan"
"""What stands beside the model with abnormal examples: both know the scans, but not the scoring."""


def method_with(examples: int, name: str = "model") -> str:
    """Returns what a method is called with so many abnormal examples; itself with none."""
    return f"{name} + {examples} abnormal" if examples else name

"""What a result depends on beside the scans: the same on all nodes, or their scores cannot be compared."""

from __future__ import annotations

import platform
from importlib import metadata

from napari_d24fad import version

_LIBRARIES = ("torch", "numpy", "scipy", "scikit-image", "SimpleITK", "monai")


def versions() -> dict[str, str]:
    """Returns the versions of this process: of this tool, of Python, and of what it computes with."""
    python = ".".join(platform.python_version_tuple()[:2])
    return {"napari-d24fad": version.__version__, "python": python} | {
        name: metadata.version(name) for name in _LIBRARIES
    }


def differences(own: dict[str, str], others: dict[str, str]) -> str:
    """Says in what versions differ, such as ``"torch 2.8 for 2.9"``; nothing if they are the same."""
    names = sorted(own.keys() | others.keys())
    differing = (name for name in names if own.get(name) != others.get(name))
    return ", ".join(f"{name} {others.get(name, 'none')} for {own.get(name, 'none')}" for name in differing)

"""Runs the command as ``python -m napari_d24fad``."""

from __future__ import annotations

import sys

from napari_d24fad.cli import main

if __name__ == "__main__":
    sys.exit(main())

"""What the first pictures need is imported while the dock is looked at, not when they are asked for."""

from __future__ import annotations

import subprocess
import sys

_CODE = """
import sys
import pint
from qtpy.QtCore import QCoreApplication
from napari_d24fad.viewer import warming
from napari_d24fad.viewer.running.workers import Worker

application = QCoreApplication([])
before = set(warming.NEEDED) - set(sys.modules)
warming.warm_up()
while Worker._running:
    application.processEvents()
units = pint.get_application_registry()
imported = set(warming.NEEDED) <= set(sys.modules)
print(sorted(before), imported, "torch" in sys.modules, type(units.get()).__name__)
assert units.mm == units.parse_units("mm") != units.pixel
known = units.get()
warming._take_units(pint.UnitRegistry())
assert units.get() is known, "units of two registries do not mix"
"""


def test_slow_imports_are_done_in_the_background() -> None:
    done = subprocess.run([sys.executable, "-c", _CODE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "matplotlib" in done.stdout
    assert "pandas" in done.stdout
    assert done.stdout.strip().endswith("True False UnitRegistry")

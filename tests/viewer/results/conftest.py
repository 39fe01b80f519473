from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from napari_d24fad.viewer.dock import DetectionDock
from napari_d24fad.viewer.gallery.card import Role
from tests.anatomy.heads import Clot, Head, write_heads


@pytest.fixture(scope="session")
def head_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A head CT with a clot and three normal ones, which are examined place by place."""
    head = Head(spacing=(6.0, 3.0, 3.0), low=-30, high=60)
    return write_heads(tmp_path_factory.mktemp("heads"), head, [Clot((35, 20, 25), 12)])


@pytest.fixture
def examined(
    dock: DetectionDock, settle: Callable[[DetectionDock], None], head_folder: Path
) -> DetectionDock:
    """The widget after it examined the head with the clot."""
    dock.open([head_folder])
    settle(dock)
    for series in dock.gallery.series:
        query = series.source.parent.name == "query"
        dock.gallery.set_role(series, Role.QUERY if query else Role.REFERENCE)
    dock.run()
    settle(dock)
    assert dock.examination is not None
    assert dock.examination.anomaly.scoring == "atlas"
    return dock

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from napari_d24fad.viewer.dock import DetectionDock
from tests.anatomy.heads import Clot, Head, write_heads
from tests.viewer.results.examining import examine


@pytest.fixture(scope="session")
def head_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A head CT with a clot and three normal ones, which are examined place by place."""
    head = Head(spacing=(6.0, 3.0, 3.0), low=-30, high=60)
    return write_heads(tmp_path_factory.mktemp("heads"), head, [Clot((35, 20, 25), 12)])


@pytest.fixture
def examined(
    kept_features: None, dock: DetectionDock, settle: Callable[[DetectionDock], None], head_folder: Path
) -> DetectionDock:
    """The widget after it examined the head with the clot."""
    examine(dock, settle, head_folder)
    assert dock.examination is not None
    assert dock.examination.anomaly.scoring == "atlas"
    return dock

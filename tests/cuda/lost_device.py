"""Run by test_lost_device: a card fails while it computes, and the next run takes the CPU."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import torch

from napari_d24fad.errors import ModelError
from napari_d24fad.progress import CancelToken, silent
from napari_d24fad.session.request import Request
from napari_d24fad.session.session import DetectionSession
from napari_d24fad.studies.study import open_study


def main(folder: Path) -> None:
    """Says the code of the refusal, then the device of the next result."""
    query, *references = (
        open_study(folder / name).series[0] for name in ("query", "reference-1", "reference-2")
    )
    session = DetectionSession()
    on_card = Request(query, tuple(references), "compact", "cuda")
    session.run(on_card, silent, CancelToken())
    assert session._detector is not None

    def fail(images: torch.Tensor) -> None:
        torch.zeros(1, device=images.device)[torch.tensor([5], device=images.device)]
        torch.cuda.synchronize()

    session._detector._fast.teacher.forward = fail  # type: ignore[method-assign]  # a kernel that asserts
    other = Request(references[0], (query, references[1]), "compact", "cuda")
    try:
        session.run(other, silent, CancelToken())
    except ModelError as error:
        print(error.code.code)
    on_cpu = Request(query, tuple(references), "compact", "cpu")
    print(session.run(on_cpu, silent, CancelToken()).anomaly.device)
    sys.stdout.flush()
    os._exit(0)  # what lies on the dead card cannot be freed


if __name__ == "__main__":
    main(Path(sys.argv[1]))

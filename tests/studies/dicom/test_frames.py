"""Compressed frames are decoded several at once, each once, and in place whatever their order."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from pydicom.uid import JPEGLSLossless

from napari_d24fad.progress import CancelToken
from napari_d24fad.studies.decoding.processes import Frame, FrameFormat, decode
from napari_d24fad.studies.dicom import pixels as dicom_pixels
from napari_d24fad.studies.scan import Scan
from napari_d24fad.studies.study import open_study
from tests.studies import phantom

N_FRAMES = 16  # two threads read eight each


def _load(path: Path) -> Scan:
    (series,) = open_study(path).series
    return series.load()


@pytest.mark.parametrize("padding", [None, -32000])
@pytest.mark.parametrize("shuffled", [False, True])
def test_each_frame_is_decoded_once_two_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shuffled: bool, padding: int | None
) -> None:
    order = np.random.default_rng(3).permutation(N_FRAMES) if shuffled else np.arange(N_FRAMES)
    dataset = phantom.enhanced_dataset(grid=(N_FRAMES, 32, 24), frame_order=order.tolist())
    if padding is not None:
        dataset.PixelPaddingValue = padding
    plain = _load(phantom.save(dataset, tmp_path / "plain.dcm"))
    dataset.compress(JPEGLSLossless)
    path = phantom.save(dataset, tmp_path / "compressed.dcm")
    asked: list[bytes] = []
    together = threading.Barrier(2, timeout=60)

    def counted(syntax: str, form: FrameFormat, frame: bytes, cancel: CancelToken | None = None) -> Frame:
        asked.append(frame)
        together.wait()  # breaks if one is decoded after the other
        return decode(syntax, form, frame, cancel)

    monkeypatch.setattr("napari_d24fad.studies.dicom.series.usable_cores", lambda: 2)
    monkeypatch.setattr(dicom_pixels, "decode", counted)
    scan = _load(path)
    assert len(asked) == len(set(asked)) == N_FRAMES
    phantom.assert_world_linear(scan)
    np.testing.assert_array_equal(scan.voxels, plain.voxels)

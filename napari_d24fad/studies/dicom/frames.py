"""The compressed frames of one file, several of which are decoded at once, ahead of being asked for."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any

import numpy.typing as npt

from napari_d24fad.progress import CancelToken
from napari_d24fad.studies.decoding.processes import MOST_KEPT, FrameFormat, decode


class CompressedFrames:
    """Decodes frames, as a context that ends what it began.

    Args:
        syntax: Transfer Syntax UID (0002,0010).
        form: What the header says of each frame.
        coded: The compressed frames.
        cancel: Stops the decoding.
    """

    def __init__(self, syntax: str, form: FrameFormat, coded: Sequence[bytes], cancel: CancelToken) -> None:
        self._syntax, self._form, self._coded, self._cancel = syntax, form, coded, cancel
        # They wait for decoding processes, which compute.
        self._pool = ThreadPoolExecutor(min(MOST_KEPT, os.cpu_count() or 1), "decoding frames")
        self._kept: dict[int, Future[npt.NDArray[Any]]] = {}

    def __enter__(self) -> CompressedFrames:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    def keep(self, indices: Iterable[int]) -> None:
        """Begins to decode frames that will be asked for, counted from 0, and lets go of all others."""
        self._kept = {index: self._kept.get(index) or self._begin(index) for index in indices}

    def decoded(self, number: int, as_index: bool = False) -> npt.NDArray[Any]:
        """Returns the stored values of a frame; the arguments are those of `highdicom.Image.get_raw_frame`.

        Raises:
            StudyError: See `decoding.decode`.
            Cancelled: If a stop was asked for.
        """
        index = number if as_index else number - 1
        return (self._kept.get(index) or self._begin(index)).result()

    def _begin(self, index: int) -> Future[npt.NDArray[Any]]:
        return self._pool.submit(self._decode, self._coded[index])

    def _decode(self, frame: bytes) -> npt.NDArray[Any]:
        return decode(self._syntax, self._form, frame, self._cancel).pixels

"""A model on a device that turns scans into features, in batches, each slice once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor

from napari_d24fad.detection.encoding.devices import (
    available_devices,
    choose_device,
    is_out_of_memory,
    passed_over,
)
from napari_d24fad.detection.encoding.encoded import Encoded, EncodedScan, evenly
from napari_d24fad.detection.encoding.intensity import CT_WINDOW, CtWindow
from napari_d24fad.detection.encoding.prepared import Prepared, prepare
from napari_d24fad.detection.encoding.store import collect
from napari_d24fad.detection.scoring.names import scoring
from napari_d24fad.detection.scoring.protocol import Features, Scoring
from napari_d24fad.errors import ArgumentError, Code, ModelError
from napari_d24fad.network.checkpoint import LoadedModel
from napari_d24fad.network.inference import PRECISIONS, Precision, for_inference
from napari_d24fad.network.normalise import normalise
from napari_d24fad.network.rounding import rounding, whole_float32
from napari_d24fad.network.teachers.architecture import teacher_spec
from napari_d24fad.progress import CancelToken, Progress, silent
from napari_d24fad.studies.scan import Problem, Scan

BATCH = 32
CPU_BATCH = 4
"""As fast on a CPU, where a large teacher takes seconds for 16 slices, in which no cancel is seen."""


class Encoder:
    """A model on a device, ready to encode scans.

    Args:
        model: The loaded model.
        device: See `choose_device`.
        scoring_name: ``"paper"`` or ``"matched"``; None takes what the model's card says.
        ct_windows: Low and high HU for CT, of one window or several that are joined.
        precision: See `Precision`. None takes the exact network for the published scoring and
            float32 for the default one. bfloat16 may change the order of scores: never by default.

    Attributes:
        network: The network as it was trained, on the device.
        precision: What features are computed with.

    Raises:
        ModelError: DEVICE_UNAVAILABLE.
        ArgumentError: BAD_ARGUMENT.
    """

    def __init__(
        self,
        model: LoadedModel,
        device: str = "auto",
        scoring_name: str | None = None,
        ct_windows: tuple[CtWindow, ...] = (CT_WINDOW,),
        precision: Precision | None = None,
    ) -> None:
        self.model = model
        self.device = choose_device(device)
        self._untold = passed_over(device)
        self.scoring_name = scoring_name or model.card.scoring
        self.ct_windows = ct_windows
        scoring(self.scoring_name, volume=True)  # refuses an unknown name now, not after the encoding
        if precision not in (None, *PRECISIONS):
            raise ArgumentError(Code.BAD_ARGUMENT, f"The precision must be {', '.join(PRECISIONS)}.")
        self.precision = precision or ("exact" if self.scoring_name == "paper" else "float32")
        self.network = model.network.to(self.device)
        self._fast = for_inference(self.network, self.precision)
        self._batch = CPU_BATCH if self.device.type == "cpu" else BATCH
        self._mirrored: WeakKeyDictionary[EncodedScan, Features] = WeakKeyDictionary()

    @property
    def arithmetic(self) -> str:
        """What the last bits of features and comparisons depend on: precision, kind of device, rounding."""
        return f"{self.precision} {self.device.type} {rounding(self.device)}".strip()

    @property
    def device_label(self) -> str:
        """The device with the name people know it by."""
        labels = dict(available_devices())
        name = str(self.device)
        return name if name == "cpu" else f"{name} ({labels[name]})"

    def tell_device(self) -> tuple[Problem, ...]:
        """Returns why the CPU computes though there is a graphics card, the first time it is asked."""
        told, self._untold = self._untold, None
        return (told,) if told else ()

    def inputs(self, prepared: Prepared, indices: Sequence[int]) -> Tensor:
        """Returns what the network takes for canonical slices, ``(N, 3, side, side)`` on the device."""
        images = prepared.inputs(indices, self.device)
        spec = teacher_spec(self.model.card.teacher)
        return normalise(images, spec.mean, spec.deviation) if self.model.card.normalise else images

    @torch.inference_mode()
    def encode_scan(
        self,
        scan: Scan,
        *,
        max_slices: int | None = None,
        progress: Progress = silent,
        cancel: CancelToken | None = None,
    ) -> EncodedScan:
        """Encodes the slices of a scan that hold anatomy.

        Args:
            scan: The scan, a reference or a query.
            max_slices: At most so many slices, evenly spread; None for all, as `Detector.examine`
                needs them to examine every slice.
            progress: Told how far the encoding is.
            cancel: Stops it.

        Raises:
            PairingError: NOTHING_TO_EXAMINE if it holds no anatomy.
            StudyError: CONSTANT_IMAGE.
            ModelError: OUT_OF_MEMORY if not even one slice fits into the memory of the device.
            ExportError: See `collect`.
            Cancelled: If a stop was asked for.
        """
        cancel = cancel or CancelToken()
        cancel.check()
        prepared = self.prepare(scan)
        total = len(prepared.examined)
        chosen = evenly(total, max_slices or total)
        return self.encode_slices(scan, prepared, chosen, progress, cancel)

    def prepare(self, scan: Scan) -> Prepared:
        """Makes a scan ready for this model; see `prepare`."""
        return prepare(scan, self.model.card.input_size, self.ct_windows)

    @torch.inference_mode()
    def encode_slices(
        self,
        scan: Scan,
        prepared: Prepared,
        chosen: Sequence[int] | np.ndarray[tuple[int], np.dtype[np.int_]],
        progress: Progress,
        cancel: CancelToken,
        held: int = 0,
    ) -> EncodedScan:
        """Encodes some of the examined slices of a prepared scan.

        Args:
            scan: The scan.
            prepared: The scan, made ready by `prepare`.
            chosen: Positions in ``prepared.examined``.
            progress: Told how far the encoding is.
            cancel: Stops it.
            held: Bytes of features of its other slices; see `collect`.
        """
        indices = tuple(prepared.examined[at] for at in chosen)
        method = scoring(self.scoring_name, scan.is_volume)
        features = self._in_batches(prepared, indices, method, progress, cancel, held=held)
        return EncodedScan(scan, prepared, indices, Encoded(prepared.levels[np.asarray(chosen)], features))

    def mirrored(self, scan: EncodedScan) -> Features:
        """Returns the features of the mirror images of a scan's encoded slices; encoded once."""
        if scan not in self._mirrored:
            method = scoring(self.scoring_name, scan.scan.is_volume)
            found = self._in_batches(scan.prepared, scan.indices, method, silent, CancelToken(), mirror=True)
            self._mirrored[scan] = found
        return self._mirrored[scan]

    @torch.inference_mode()
    def _in_batches(
        self,
        prepared: Prepared,
        indices: Sequence[int],
        method: Scoring,
        progress: Progress,
        cancel: CancelToken,
        mirror: bool = False,
        held: int = 0,
    ) -> Features:
        def batches() -> Iterator[Features]:
            done = 0
            for batch in self._batches(indices):
                cancel.check()
                yield self._encode(prepared, batch, method, mirror)
                done += len(batch)
                progress(done / len(indices), "Encoding slices")

        return collect(len(indices), batches(), held=held)

    def _batches(self, indices: Sequence[int]) -> Iterator[Sequence[int]]:
        start = 0
        while start < len(indices):
            size = self._batch  # it may shrink on the way
            yield indices[start : start + size]
            start += size

    def _encode(self, prepared: Prepared, indices: Sequence[int], method: Scoring, mirror: bool) -> Features:
        """Encodes a batch; where the device runs out of memory, in halves, and so from then on."""
        try:
            return self._at_once(prepared, indices, method, mirror)
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            if len(indices) == 1:
                raise ModelError(Code.OUT_OF_MEMORY) from error
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        middle = self._batch = len(indices) // 2
        halves = (indices[:middle], indices[middle:])
        features = [self._encode(prepared, half, method, mirror) for half in halves]
        return tuple(torch.cat(pair) for pair in zip(*features, strict=True))

    def _at_once(self, prepared: Prepared, indices: Sequence[int], method: Scoring, mirror: bool) -> Features:
        dtype = torch.bfloat16 if self.precision == "bfloat16" else torch.float32
        layout = torch.contiguous_format if self.precision == "exact" else torch.channels_last
        inputs = self.inputs(prepared, indices)
        inputs = inputs.flip(-1) if mirror else inputs
        with whole_float32() if self.precision == "exact" else nullcontext():
            return method.encode(self._fast, inputs.to(dtype=dtype, memory_format=layout))

"""The detection itself: references encoded once, query slices in batches, a map on the scan's own grid."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from napari_d24fad.detection.devices import available_devices, choose_device
from napari_d24fad.detection.encoded import Encoded, supports_at
from napari_d24fad.detection.intensity import CT_WINDOW
from napari_d24fad.detection.null import (
    combine_components,
    measure_null,
    relative_to_expected,
    scan_score,
    smooth,
)
from napari_d24fad.detection.pairing import check_pairing, check_references
from napari_d24fad.detection.prepared import Prepared, prepare
from napari_d24fad.detection.references import References
from napari_d24fad.detection.result import AnomalyMap
from napari_d24fad.detection.scoring import Features, Scoring, scoring
from napari_d24fad.network.checkpoint import LoadedModel, load_model
from napari_d24fad.network.normalise import imagenet_normalise
from napari_d24fad.progress import CancelToken, Progress, part, silent
from napari_d24fad.studies.scan import Scan

BATCH = 16
CPU_BATCH = 4
"""As fast on a CPU, where a large teacher takes seconds for 16 slices, in which no cancel is seen."""

MAX_LEVELS = 64
"""At most so many slices of each reference are encoded, evenly spread."""


class Detector:
    """A model on a device, ready to encode references and to examine scans.

    Args:
        model: The loaded model.
        device: See `choose_device`.
        scoring_name: ``"paper"`` or ``"matched"``; None takes what the model's card says.
        ct_window: Low and high HU for CT.

    Raises:
        ModelError: DEVICE_UNAVAILABLE.
    """

    def __init__(
        self,
        model: LoadedModel,
        device: str = "auto",
        scoring_name: str | None = None,
        ct_window: tuple[float, float] = CT_WINDOW,
    ) -> None:
        self.model = model
        self.device = choose_device(device)
        self.scoring_name = scoring_name or model.card.scoring
        self.ct_window = ct_window
        self._side = model.card.input_size
        scoring(self.scoring_name, volume=True)  # refuses an unknown name now, not after the encoding
        self._network = model.network.to(self.device)
        self._batch = CPU_BATCH if self.device.type == "cpu" else BATCH

    @classmethod
    def load(
        cls,
        model: str | Path = "compact",
        device: str = "auto",
        scoring: str | None = None,
        ct_window: tuple[float, float] = CT_WINDOW,
    ) -> Detector:
        """Loads a model by name or file.

        Raises:
            ModelError: The model is unknown or damaged, or the device not available.
        """
        return cls(load_model(model), device, scoring, ct_window)

    @property
    def device_label(self) -> str:
        """The device with the name people know it by."""
        labels = dict(available_devices())
        name = str(self.device)
        return name if name == "cpu" else f"{name} ({labels[name]})"

    def encode(
        self,
        scans: Sequence[Scan],
        *,
        progress: Progress = silent,
        cancel: CancelToken | None = None,
    ) -> References:
        """Encodes the normal references, and examines each against the others.

        Args:
            scans: Two or more normal scans of one kind.
            progress: Told how far the encoding is.
            cancel: Stops it.

        Returns:
            What `detect` compares queries with; keep it, queries are cheap after it.

        Raises:
            PairingError: The scans cannot be references together.
            StudyError: One of them is constant.
            Cancelled: If a stop was asked for.
        """
        started = time.perf_counter()
        cancel = cancel or CancelToken()
        check_references(scans)
        method = scoring(self.scoring_name, scans[0].is_volume)
        encoded, insides = [], []
        for number, scan in enumerate(scans):
            tell = part(progress, 0.8 * number / len(scans), 0.8 * (number + 1) / len(scans))
            cancel.check()
            prepared = prepare(scan, self._side, self.ct_window)
            encoded.append(self._encode(prepared, method, tell, cancel, f"Encoding reference {number + 1}"))
            insides.append(prepared.sampling.inside().to(self.device))
        null = measure_null(tuple(encoded), insides, method, part(progress, 0.8, 1), cancel)
        return References(tuple(scans), tuple(encoded), method, null, time.perf_counter() - started)

    @torch.inference_mode()
    def detect(
        self,
        query: Scan,
        references: References,
        *,
        progress: Progress = silent,
        cancel: CancelToken | None = None,
    ) -> AnomalyMap:
        """Examines a scan.

        Args:
            query: A scan of the same kind as the references.
            references: Of `encode` by this detector.
            progress: Told how far the examination is.
            cancel: Stops it.

        Returns:
            The map on the query's own grid, its scores and weights.

        Raises:
            PairingError: The scan cannot be compared with these references, or holds no anatomy.
            StudyError: The scan is constant.
            Cancelled: If a stop was asked for.
        """
        started = time.perf_counter()
        cancel = cancel or CancelToken()
        warnings = check_pairing(query, references.scans)
        prepared = prepare(query, self._side, self.ct_window)
        method, null = references.scoring, references.null
        upright = np.full(prepared.scan.grid, np.nan, np.float32)
        n_slices, n_references = prepared.scan.grid[0], len(references.scans)
        slice_scores = np.full(n_slices, np.nan, np.float32)
        weights = np.full((n_slices, n_references, 3), np.nan, np.float32)
        inside = prepared.sampling.inside().to(self.device)
        for start in range(0, len(prepared.examined), self._batch):
            cancel.check()
            indices = list(prepared.examined[start : start + self._batch])
            levels = prepared.levels[start : start + self._batch]
            features = self._features(prepared, indices, method)
            distances = []
            for position, level in enumerate(levels):
                cancel.check()
                supports, owners = supports_at(references.encoded, float(level))
                own = tuple(feature[position : position + 1] for feature in features)
                distance, weight = method.compare(own, supports, self._side)
                distances.append(distance)
                np.add.at(filled := np.zeros((n_references, 3), np.float32), owners, weight[0].cpu().numpy())
                weights[indices[position]] = filled
            combined = combine_components(torch.cat(distances), null.component_means)
            maps = smooth(relative_to_expected(combined, levels, null.expected), method.smoothing)
            slice_scores[indices] = [float(method.image_score(m[inside])) for m in maps]
            upright[indices] = prepared.sampling.to_slices(maps).cpu().numpy()
            progress((start + len(indices)) / len(prepared.examined), "Comparing slices")
        back = -1 if prepared.orientation.flips[0] else 1
        return AnomalyMap(
            values=np.ascontiguousarray(prepared.orientation.invert(upright)),
            affine=query.affine,
            slice_axis=query.slice_axis,
            score=scan_score(slice_scores),
            slice_scores=slice_scores[::back].copy(),
            weights=weights[::back].copy(),
            normal_level=null.normal_level,
            reference_scores=null.scores,
            reference_slice_scores=null.slice_scores,
            reference_labels=tuple(f"Reference {n}" for n in range(1, n_references + 1)),
            scoring=method.name,
            model_name=self.model.card.name,
            model_sha256=self.model.sha256,
            device=self.device_label,
            seconds=references.seconds + time.perf_counter() - started,
            warnings=warnings,
        )

    def _features(self, prepared: Prepared, indices: Sequence[int], method: Scoring) -> Features:
        images = prepared.inputs(indices).to(self.device)
        if self.model.card.normalise:
            images = imagenet_normalise(images)
        return method.encode(self._network, images)

    @torch.inference_mode()
    def _encode(
        self, prepared: Prepared, method: Scoring, progress: Progress, cancel: CancelToken, step: str
    ) -> Encoded:
        count = min(MAX_LEVELS, len(prepared.examined))
        chosen = np.linspace(0, len(prepared.examined) - 1, count).round().astype(int)
        batches = []
        for start in range(0, count, self._batch):
            cancel.check()
            indices = [prepared.examined[i] for i in chosen[start : start + self._batch]]
            batches.append(self._features(prepared, indices, method))
            progress((start + len(indices)) / count, step)
        features = tuple(torch.cat(tensors) for tensors in zip(*batches, strict=True))
        return Encoded(prepared.levels[chosen], features)

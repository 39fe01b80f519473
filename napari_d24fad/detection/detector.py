"""The detection itself: references encoded once, query slices in batches, a map on the scan's own grid."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from napari_d24fad.detection.calibration import MIN_REGION, RATES, calibrate, conformal_p
from napari_d24fad.detection.copies import measure_likeness
from napari_d24fad.detection.devices import available_devices, choose_device
from napari_d24fad.detection.encoded import Encoded, EncodedScan
from napari_d24fad.detection.examination import examine_slices
from napari_d24fad.detection.intensity import CT_WINDOW
from napari_d24fad.detection.null import measure_null
from napari_d24fad.detection.pairing import check_pairing, check_references
from napari_d24fad.detection.prepared import Prepared, prepare
from napari_d24fad.detection.reference_check import check_outliers
from napari_d24fad.detection.references import References
from napari_d24fad.detection.regions import find_regions
from napari_d24fad.detection.result import AnomalyMap
from napari_d24fad.detection.scoring import Features, Scoring, scoring
from napari_d24fad.detection.set_warnings import query_warnings, set_warnings
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
        self.network = model.network.to(self.device)
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

    def features(self, prepared: Prepared, indices: Sequence[int], method: Scoring) -> Features:
        """Encodes some canonical slices of a prepared scan at once."""
        return method.encode(self.network, self.inputs(prepared, indices))

    def inputs(self, prepared: Prepared, indices: Sequence[int]) -> Tensor:
        """Returns what the network takes for canonical slices, ``(N, 3, side, side)`` on the device."""
        images = prepared.inputs(indices).to(self.device)
        return imagenet_normalise(images) if self.model.card.normalise else images

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
            max_slices: At most so many slices, evenly spread; None for all, as `examine`
                needs them to examine every slice.
            progress: Told how far the encoding is.
            cancel: Stops it.

        Raises:
            PairingError: NOTHING_TO_EXAMINE if it holds no anatomy.
            StudyError: CONSTANT_IMAGE.
            Cancelled: If a stop was asked for.
        """
        cancel = cancel or CancelToken()
        cancel.check()
        prepared = prepare(scan, self._side, self.ct_window)
        method = scoring(self.scoring_name, scan.is_volume)
        count = min(max_slices or len(prepared.examined), len(prepared.examined))
        chosen = np.linspace(0, len(prepared.examined) - 1, count).round().astype(int)
        indices = tuple(prepared.examined[i] for i in chosen)
        batches = []
        for start in range(0, count, self._batch):
            cancel.check()
            batches.append(self.features(prepared, indices[start : start + self._batch], method))
            progress(min(start + self._batch, count) / count, "Encoding slices")
        features = tuple(torch.cat(tensors) for tensors in zip(*batches, strict=True))
        return EncodedScan(scan, prepared, indices, Encoded(prepared.levels[chosen], features))

    def reference_set(
        self,
        encoded: Sequence[EncodedScan],
        *,
        method: Scoring | None = None,
        progress: Progress = silent,
        cancel: CancelToken | None = None,
    ) -> References:
        """Examines each reference against the others; of single images, mirror images are encoded.

        Args:
            encoded: Two or more normal scans of one kind, of `encode_scan` by this detector.
            method: A scoring that keeps the same features as the detector's own; None for that.
            progress: Told how far this is.
            cancel: Stops it.

        Raises:
            PairingError: The scans cannot be references together.
            Cancelled: If a stop was asked for.
        """
        started = time.perf_counter()
        scans = [each.scan for each in encoded]
        check_references(scans)
        method = method or scoring(self.scoring_name, scans[0].is_volume)
        statistics = method.statistics([each.encoded.features for each in encoded])
        aligned = tuple(each.encoded.aligned(method, statistics) for each in encoded)
        supports = tuple(
            self._supports(each, own, method, statistics) for each, own in zip(encoded, aligned, strict=True)
        )
        null, left_out = measure_null(encoded, aligned, supports, method, progress, cancel or CancelToken())
        features = [each.encoded for each in encoded]
        likeness = measure_likeness(features)
        return References(
            encoded=tuple(encoded),
            scoring=method,
            statistics=statistics,
            aligned=aligned,
            supports=supports,
            null=null,
            calibration=calibrate(left_out, null.one_more),
            checks=check_outliers(null.scores),
            likeness=likeness,
            warnings=set_warnings(features, likeness),
            seconds=time.perf_counter() - started,
        )

    @torch.inference_mode()
    def _supports(
        self, scan: EncodedScan, aligned: Encoded, method: Scoring, statistics: Features
    ) -> Encoded:
        if not method.mirrored:
            return aligned
        mirrored = method.encode(self.network, self.inputs(scan.prepared, scan.indices).flip(-1))
        both = zip(aligned.features, method.align(mirrored, statistics), strict=True)
        return Encoded(np.tile(aligned.levels, 2), tuple(torch.cat(pair) for pair in both))

    def examine(
        self,
        query: EncodedScan,
        references: References,
        *,
        progress: Progress = silent,
        cancel: CancelToken | None = None,
    ) -> AnomalyMap:
        """Compares an encoded scan with the references.

        Args:
            query: Of `encode_scan` by this detector; slices it does not hold are not examined.
            references: Of `reference_set` or `encode` by this detector.
            progress: Told how far the comparison is.
            cancel: Stops it.

        Returns:
            The map on the query's own grid, its scores and weights.

        Raises:
            PairingError: The scan cannot be compared with these references.
            Cancelled: If a stop was asked for.
        """
        started = time.perf_counter()
        warnings = check_pairing(query.scan, references.scans) + references.warnings
        known = [each.encoded for each in references.encoded]
        warnings += query_warnings(query.encoded, known, references.likeness)
        found = examine_slices(query, references, self._batch, progress, cancel or CancelToken())
        null, calibration = references.null, references.calibration
        return AnomalyMap(
            values=found.values,
            affine=query.scan.affine,
            slice_axis=query.scan.slice_axis,
            score=found.score,
            slice_scores=found.slice_scores,
            weights=found.weights,
            normal_level=null.normal_level,
            reference_scores=null.scores,
            reference_slice_scores=null.slice_scores,
            reference_labels=tuple(f"Reference {n}" for n in range(1, len(references.encoded) + 1)),
            scoring=references.scoring.name,
            model_name=self.model.card.name,
            model_sha256=self.model.sha256,
            device=self.device_label,
            seconds=references.seconds + time.perf_counter() - started,
            warnings=warnings,
            p_value=conformal_p(found.score, null.scores),
            p_floor=1 / (1 + len(references.encoded)),
            slice_p_values=found.slice_p_values,
            level_one_region=calibration.level_one_region,
            levels_by_rate={rate: calibration.level(rate) for rate in RATES},
            regions=find_regions(
                found.values,
                query.scan,
                calibration.level_one_region,
                MIN_REGION * query.prepared.sampling.voxels_per_input,
                calibration.peaks,
            ),
            reference_checks=references.checks,
            calibration=calibration,
        )

    def encode(
        self,
        scans: Sequence[Scan],
        *,
        progress: Progress = silent,
        cancel: CancelToken | None = None,
    ) -> References:
        """Encodes normal references and examines each against the others.

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
        check_references(scans)
        encoded = []
        for number, scan in enumerate(scans):
            tell = part(progress, 0.8 * number / len(scans), 0.8 * (number + 1) / len(scans))
            encoded.append(self.encode_scan(scan, max_slices=MAX_LEVELS, progress=tell, cancel=cancel))
        references = self.reference_set(encoded, progress=part(progress, 0.8, 1), cancel=cancel)
        return replace(references, seconds=time.perf_counter() - started)

    def detect(
        self,
        query: Scan,
        references: References,
        *,
        progress: Progress = silent,
        cancel: CancelToken | None = None,
    ) -> AnomalyMap:
        """Encodes and examines a scan.

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
        check_pairing(query, references.scans)
        encoded = self.encode_scan(query, progress=part(progress, 0, 0.6), cancel=cancel)
        anomaly = self.examine(encoded, references, progress=part(progress, 0.6, 1), cancel=cancel)
        return replace(anomaly, seconds=references.seconds + time.perf_counter() - started)

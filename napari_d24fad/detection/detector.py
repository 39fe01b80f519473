"""The detection itself: references encoded once, query slices in batches, a map on the scan's own grid."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from napari_d24fad.detection.encoding.encoded import MAX_LEVELS, EncodedScan
from napari_d24fad.detection.encoding.encoder import Encoder
from napari_d24fad.detection.encoding.intensity import CT_WINDOW, CtWindow
from napari_d24fad.detection.examination import examine_slices
from napari_d24fad.detection.examples.check import check_query
from napari_d24fad.detection.examples.learned import Examples
from napari_d24fad.detection.examples.of_slices import SliceExamples
from napari_d24fad.detection.references.alignment import Alignment
from napari_d24fad.detection.references.calibration import RATES, calibrate, conformal_p
from napari_d24fad.detection.references.copies import measure_likeness
from napari_d24fad.detection.references.null import measure_null
from napari_d24fad.detection.references.pairing import check_pairing, check_references
from napari_d24fad.detection.references.reference_check import check_outliers
from napari_d24fad.detection.references.reference_set import References
from napari_d24fad.detection.references.set_warnings import query_warnings, set_warnings
from napari_d24fad.detection.result import AnomalyMap
from napari_d24fad.detection.scoring.names import scoring
from napari_d24fad.detection.scoring.protocol import Scoring
from napari_d24fad.errors import Code
from napari_d24fad.network.checkpoint import load_model
from napari_d24fad.network.inference import Precision
from napari_d24fad.progress import CancelToken, Progress, part, silent
from napari_d24fad.studies.scan import Problem, Scan


class Detector(Encoder):
    """A model on a device, ready to encode scans, to make references of some and to examine others.

    See `Encoder` for its arguments and errors.
    """

    @classmethod
    def load(
        cls,
        model: str | Path = "compact",
        device: str = "auto",
        scoring: str | None = None,
        ct_windows: tuple[CtWindow, ...] = (CT_WINDOW,),
        precision: Precision | None = None,
    ) -> Detector:
        """Loads a model by name or file.

        Raises:
            ModelError: The model is unknown or damaged, or the device not available.
        """
        return cls(load_model(model), device, scoring, ct_windows, precision)

    def reference_set(
        self,
        encoded: Sequence[EncodedScan],
        *,
        method: Scoring | None = None,
        shares: Sequence[float] | None = None,
        alignment: Alignment | None = None,
        region: npt.NDArray[np.bool_] | None = None,
        progress: Progress = silent,
        cancel: CancelToken | None = None,
    ) -> References:
        """Examines each reference against the others; of single images, mirror images are encoded.

        Args:
            encoded: Two or more normal scans of one kind, of `encode_scan` by this detector.
            method: A scoring that keeps the same features as the detector's own; None for that.
            shares: How much each counts, above 0 and up to 1; None for 1 each.
            alignment: That of a set with nearly the same scans: what two scans show together is
                not computed again, while features stay centred and scaled by that set. None
                measures this set.
            region: ``(side, side)`` of the network input: examine only here; None for all of it.
            progress: Told how far this is.
            cancel: Stops it.

        Raises:
            PairingError: The scans cannot be references together.
            Cancelled: If a stop was asked for.
        """
        started = time.perf_counter()
        scans = [each.scan for each in encoded]
        check_references(scans)
        features = [each.encoded.on(self.device) for each in encoded]
        if alignment is None:
            method = method or scoring(self.scoring_name, scans[0].is_volume)
            statistics = method.statistics([each.features for each in features])
            alignment = Alignment(method, statistics, self)
        counted = tuple(shares) if shares is not None else (1.0,) * len(encoded)
        null, left_out = measure_null(encoded, alignment, counted, progress, cancel or CancelToken(), region)
        likeness = measure_likeness(features)
        return References(
            encoded=tuple(encoded),
            alignment=alignment,
            shares=counted,
            null=null,
            calibration=calibrate(left_out, null.one_more),
            checks=check_outliers(null.scores),
            likeness=likeness,
            warnings=(*set_warnings(features, likeness), *_unequal(counted)),
            seconds=time.perf_counter() - started,
            region=region,
        )

    def examine(
        self,
        query: EncodedScan,
        references: References,
        *,
        examples: Examples | SliceExamples | None = None,
        progress: Progress = silent,
        cancel: CancelToken | None = None,
    ) -> AnomalyMap:
        """Compares an encoded scan with the references.

        Args:
            query: Of `encode_scan` by this detector; slices it does not hold are not examined.
            references: Of `reference_set` or `encode` by this detector.
            examples: What abnormal scans teach beside the same references; None for none.
            progress: Told how far the comparison is.
            cancel: Stops it.

        Returns:
            The map on the query's own grid, its scores and weights.

        Raises:
            PairingError: The scan cannot be compared with these references.
            Cancelled: If a stop was asked for.
        """
        started = time.perf_counter()
        outline = self.outline(query, references)
        found = examine_slices(query, references, progress, cancel or CancelToken())
        evidence = None
        if examples is not None:
            doubts = check_query(query.scan, examples.scans)
            outline = replace(outline, warnings=outline.warnings + examples.warnings + doubts)
            found, evidence = examples.examine(query, found)
            references = examples.references
        null, calibration = references.null, references.calibration
        return replace(
            outline,
            values=found.values,
            score=found.score,
            slice_scores=found.slice_scores,
            weights=found.weights,
            normal_level=null.normal_level,
            reference_scores=null.scores,
            reference_slice_scores=null.slice_scores,
            seconds=references.seconds + time.perf_counter() - started,
            p_value=conformal_p(found.score, null.scores),
            slice_p_values=found.slice_p_values,
            level_one_region=calibration.level_one_region,
            levels_by_rate={rate: calibration.level(rate) for rate in RATES},
            regions=references.regions(query, found.values, calibration.level_one_region),
            reference_checks=references.checks,
            calibration=calibration,
            anatomy="" if query.prepared.extent is None else query.prepared.extent.kind.value,
            examples=evidence,
        )

    def outline(self, query: EncodedScan, references: References) -> AnomalyMap:
        """Returns what is known of a scan and its references before slices are compared; no map yet.

        Args:
            query: Of `encode_scan`; a few slices tell whether it is one of the references in disguise.
            references: See `examine`.

        Returns:
            A result whose map, scores and weights are NaN.

        Raises:
            PairingError: The scan cannot be compared with these references.
        """
        warnings = check_pairing(query.scan, references.scans) + references.warnings + self.tell_device()
        known = [each.encoded for each in references.encoded]
        warnings += query_warnings(query.encoded, known, references.likeness)
        nothing, count = np.full(query.scan.n_slices, np.nan, np.float32), len(references.encoded)
        return AnomalyMap(
            values=np.broadcast_to(np.float32(np.nan), query.scan.grid),
            affine=query.scan.affine,
            slice_axis=query.scan.slice_axis,
            score=float("nan"),
            slice_scores=nothing,
            weights=np.broadcast_to(np.float32(np.nan), (query.scan.n_slices, count, 1)),
            normal_level=float("nan"),
            reference_scores=np.full(count, np.nan, np.float32),
            reference_slice_scores=np.full((count, 1), np.nan, np.float32),
            scoring=references.scoring.name,
            model_name=self.model.card.name,
            model_sha256=self.model.sha256,
            has_student=self.network.has_student,
            device=self.device_label,
            seconds=references.seconds,
            warnings=warnings,
            p_floor=1 / (1 + count),
            slice_p_values=nothing,
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
            found = self.encode_scan(scan, max_slices=MAX_LEVELS, progress=tell, cancel=cancel)
            encoded.append(found.without_pixels())
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


def _unequal(shares: Sequence[float]) -> list[Problem]:
    told = [f"Reference {at} counts {share:.0%}." for at, share in enumerate(shares, start=1) if share != 1]
    return [Problem(Code.UNEQUAL_WEIGHTS, " ".join(told))] if told else []

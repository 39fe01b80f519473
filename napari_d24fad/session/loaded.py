"""A model on a device with all that it has encoded: made by the first run, let go of together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import torch

from napari_d24fad.anatomy.grid import BoolArray
from napari_d24fad.cores import usable_cores
from napari_d24fad.detection.atlas.names import SCORING as ATLAS
from napari_d24fad.detection.detector import Detector
from napari_d24fad.detection.encoding.encoded import EncodedScan
from napari_d24fad.detection.encoding.prepared import prepare
from napari_d24fad.detection.examples.learned import Examples
from napari_d24fad.detection.examples.of_slices import SliceExamples
from napari_d24fad.detection.references.alignment import Alignment
from napari_d24fad.detection.references.copies import COMPARED_SLICES
from napari_d24fad.detection.references.reference_set import References
from napari_d24fad.detection.result import AnomalyMap, ExaminedRegion
from napari_d24fad.detection.streaming import PartialMap, encode_and_show
from napari_d24fad.errors import Code, PairingError
from napari_d24fad.network.inference import Precision
from napari_d24fad.progress import CancelToken, Progress, part
from napari_d24fad.session.atlases import Atlases
from napari_d24fad.session.encodings import Encodings
from napari_d24fad.session.examples import check_marked, lesion_of
from napari_d24fad.session.feature_cache import FeatureCache
from napari_d24fad.session.held import Held
from napari_d24fad.session.kept_atlases import KeptAtlases
from napari_d24fad.session.kept_references import KeptReferences
from napari_d24fad.session.request import Drawn, Example, Request
from napari_d24fad.settings import features_folder, features_limit
from napari_d24fad.studies.orientation import canonical_orientation
from napari_d24fad.studies.scan import Problem, Scan


class Loaded:
    """What every request with the same setting can use again.

    Args:
        request: Names the model, the device, the scoring and the window.
        spare: How many encoded scans to keep beside those of the last run.
        cache: Keeps references on disk; None for that of the user.

    Attributes:
        setting: That of the request.
        precision: What features are computed with, as it was asked for.
        detector: The model on the device.
        encodings: The encoded scans.
        atlases: The volumes that were measured place by place.

    Raises:
        ModelError: The model is unknown or damaged, or the device not available.
    """

    def __init__(
        self,
        request: Request,
        spare: int,
        cache: FeatureCache | None = None,
        precision: Precision | None = None,
    ) -> None:
        self.setting, self.precision = request.setting, precision
        # Features explain what the atlas finds.
        scoring = None if request.scoring == ATLAS else request.scoring
        self.detector = Detector.load(request.model, request.device, scoring, request.windows, precision)
        cache = cache or FeatureCache(features_folder(), features_limit())
        self._kept_references = KeptReferences(self.detector, cache)
        self.encodings = Encodings(self.detector, self._kept_references, spare)
        self._references: References | None = None
        self._learned: (
            tuple[References, tuple[EncodedScan, ...], tuple[Example, ...], Examples | SliceExamples] | None
        ) = None
        self.atlases = Atlases(KeptAtlases(cache))

    def encode(
        self,
        request: Request,
        show: Callable[[PartialMap], None] | None,
        start: int | None,
        progress: Progress,
        cancel: CancelToken,
    ) -> tuple[EncodedScan, tuple[EncodedScan, ...]]:
        """Encodes the query and the references of a request; see `DetectionSession.run`."""
        in_parts = partial(self._encode_query, request, show, start)
        seen = partial(self.atlases.see, request, cancel)
        encoded = () if request.query.outline.is_volume else request.marked_abnormal
        check_marked(request, query=True)
        return self.encodings.of(request.query, request.references, progress, cancel, in_parts, seen, encoded)

    def prepare(self, request: Request, progress: Progress, cancel: CancelToken) -> None:
        """Encodes and measures the references of a request; see `DetectionSession.prepare`."""
        seen = partial(self.atlases.see, request, cancel)
        marked = () if request.references[0].outline.is_volume else request.marked_abnormal
        check_marked(request, query=False)
        encoded = self.encodings.of_references(
            request.references, part(progress, 0, 0.6), cancel, seen, marked
        )
        self.reference_set(request, encoded, part(progress, 0.6, 0.8), cancel)
        self.atlases.prepare(request, part(progress, 0.8, 1), cancel)

    def reference_set(
        self, request: Request, encoded: tuple[EncodedScan, ...], progress: Progress, cancel: CancelToken
    ) -> References:
        """Measures references against each other, unless these are those of the last run.

        Raises:
            PairingError: They cannot be references together.
            Cancelled: If a stop was asked for.
        """
        # An `EncodedScan` is kept as long as its scan is the same, and equal to no other.
        if self._references is None or self._references.encoded != encoded:
            self._references = self._kept_references.reference_set(encoded, progress=progress, cancel=cancel)
        region = self._region_of_input(request, encoded, cancel)
        if request.shares is None and region is None:
            return self._references
        alignment = self._references.alignment
        return self.detector.reference_set(
            encoded, shares=request.shares, alignment=alignment, region=region, cancel=cancel
        )

    def preview_set(
        self,
        request: Request,
        encoded: tuple[EncodedScan, ...],
        alignment: Alignment,
        progress: Progress,
        cancel: CancelToken,
    ) -> References:
        """Measures references by what another set was centred and scaled by; says so if that is not theirs.

        Raises:
            PairingError: They cannot be references together.
            Cancelled: If a stop was asked for.
        """
        region = self._region_of_input(request, encoded, cancel)
        references = self.detector.reference_set(
            encoded,
            shares=request.shares,
            alignment=alignment,
            region=region,
            progress=progress,
            cancel=cancel,
        )
        if self.is_measured(references):
            return references
        return replace(references, warnings=(*references.warnings, Problem(Code.PREVIEW)))

    def _region_of_input(
        self, request: Request, encoded: tuple[EncodedScan, ...], cancel: CancelToken
    ) -> BoolArray | None:
        """Returns where single images are examined, ``(side, side)`` of the network input; None for all.

        All are brought to the same square, so that a region takes the same place in each picture: of
        several drawings the place that at least half of them hold. Of volumes the atlas examines the region.

        Raises:
            PairingError: ``REGION_EMPTY``, if the region is too small to be seen there.
        """
        if not request.regions or encoded[0].scan.is_volume:
            return None
        return self._of_input(request.regions, cancel)

    def _of_input(self, regions: Sequence[Drawn], cancel: CancelToken) -> BoolArray:
        """Returns the place that at least half of several drawings on single images hold."""
        drawn = []
        for each in regions:
            scan = each.series.load(cancel=cancel)
            sampling = prepare(scan, self.detector.model.card.input_size, self.detector.ct_windows).sampling
            drawn.append(sampling.region_of_input(canonical_orientation(scan).apply(each.read())[0]))
        region = np.asarray(np.mean(drawn, axis=0) >= 0.5)
        if not region.any():
            raise PairingError(Code.REGION_EMPTY, "It is smaller than the network can see.")
        return region

    def examine(
        self,
        request: Request,
        query: EncodedScan,
        references: References,
        progress: Progress,
        cancel: CancelToken,
    ) -> tuple[EncodedScan, AnomalyMap, Held | None]:
        """Holds a scan against the references place by place where that is known, else compares features.

        Returns:
            The scan with what was encoded of it by now, the result, and what it was made from.

        Raises:
            D24fadError: Why there is no result.
            Cancelled: If a stop was asked for.
        """
        outline = self.detector.outline(query, references)
        found = self.atlases.examine(request, query.scan, progress, cancel)
        if isinstance(found, Held):
            return query, found.anomaly(outline), found
        query = self.encodings.whole(query, part(progress, 0, 0.5), cancel)
        anomaly = self.detector.examine(
            query,
            references,
            examples=self._examples(request, references, part(progress, 0.5, 0.8), cancel),
            progress=part(progress, 0.8, 1),
            cancel=cancel,
        )
        if request.regions and references.region is not None:
            number = len(request.regions)
            how = (
                "carried by place in the picture" if number == 1 else f"where most of {number} drawings hold"
            )
            if [each.series for each in request.regions] == [request.query]:
                how = "drawn on this image"
            share = float(np.isfinite(anomaly.values).mean())
            anomaly = replace(anomaly, region=ExaminedRegion(how, None, share))
        return query, replace(anomaly, warnings=(*anomaly.warnings, *found)), None

    def _examples(
        self, request: Request, references: References, progress: Progress, cancel: CancelToken
    ) -> Examples | SliceExamples | None:
        """Learns from the scans marked as abnormal, unless these were learned from before."""
        marked = request.abnormal
        if not marked:
            return None
        volumes = references.scans[0].is_volume
        if volumes:  # of images `encode` saw to it
            self.encodings.of_references(
                request.references, progress, cancel, abnormal=request.marked_abnormal
            )
        scans = self.encodings.kept(request.marked_abnormal, cancel)
        assert scans is not None
        if self._learned is None or self._learned[:3] != (references, scans, marked):
            kinds = [each.kind for each in marked]
            lesions = [
                lesion_of(each, scan) if volumes else self._lesion_of_image(each, cancel)
                for each, scan in zip(marked, scans, strict=True)
            ]
            learn = SliceExamples if volumes else Examples
            found = learn(references, scans, cancel, kinds=kinds, lesions=lesions)
            self._learned = references, scans, marked, found
        return self._learned[3]

    def _lesion_of_image(self, example: Example, cancel: CancelToken) -> BoolArray | None:
        return self._of_input([example.lesion], cancel) if isinstance(example.lesion, Drawn) else None

    def is_measured(self, references: References) -> bool:
        """Whether features are centred and scaled by these very references, and not by a set before."""
        measured = self._references
        return (
            measured is not None
            and measured.alignment is references.alignment
            and measured.encoded == references.encoded
        )

    def _encode_query(
        self,
        request: Request,
        show: Callable[[PartialMap], None] | None,
        start: int | None,
        encoded: tuple[EncodedScan, ...],
        scan: Scan,
        *,
        progress: Progress,
        cancel: CancelToken,
    ) -> EncodedScan:
        if self.atlases.has_plan(request, scan, part(progress, 0, 0.5), cancel):
            # Its map is not made of features: a few tell near-copies, the rest waits until somebody asks why.
            tell = part(progress, 0.5, 1)
            return self.detector.encode_scan(scan, max_slices=COMPARED_SLICES, progress=tell, cancel=cancel)
        if show is None or not scan.is_volume or self.detector.scoring_name == "paper":
            return self.detector.encode_scan(scan, progress=progress, cancel=cancel)
        references = self.reference_set(request, encoded, part(progress, 0, 0.4), cancel)
        tell = part(progress, 0.4, 1)
        return encode_and_show(self.detector, scan, references, start, show, progress=tell, cancel=cancel)


def leave_a_core() -> None:
    """Keeps torch from taking every core: threads that wait for each other would also stall a GUI."""
    torch.set_num_threads(max(1, min(torch.get_num_threads(), usable_cores() - 1)))

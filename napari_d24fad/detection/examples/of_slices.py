"""Abnormal examples of volumes that are compared slice by slice: what places of their lesions show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import torch

from napari_d24fad.detection.encoding.encoded import EncodedScan
from napari_d24fad.detection.examination import ExaminedSlices, draw_maps, maps_of, per_slice
from napari_d24fad.detection.examples.check import check_examples
from napari_d24fad.detection.examples.slices import Slices
from napari_d24fad.detection.examples.volume_kinds import VolumeKind, learn_kinds
from napari_d24fad.detection.examples.voxels import Normal, Towards
from napari_d24fad.detection.examples.where import lesion_in_slices, patch_of
from napari_d24fad.detection.references.calibration import (
    LeftOutMaps,
    calibrate,
    conformal_slice_p,
)
from napari_d24fad.detection.references.null import NORMAL_PERCENTILE, measure_null, scan_score
from napari_d24fad.detection.references.reference_set import References
from napari_d24fad.detection.result import ExampleEvidence, FloatArray
from napari_d24fad.detection.scoring.matched import MatchedScoring
from napari_d24fad.errors import ArgumentError, Code
from napari_d24fad.progress import CancelToken, silent
from napari_d24fad.studies.scan import Problem


class SliceExamples:
    """Abnormal examples beside one set of references, of volumes whose features are compared.

    As `VolumeExamples`, with places of the features in place of voxels: a place gets what it is nearer to
    those of the lesions than places of references are, and never loses::

        map + m^2 / (m^2 + 4) * deviation of the references' maps * max(0, likeness)

    for ``m`` examples of a kind; of several kinds the one that adds most. Scores of slices and of the scan
    are those of this map. Each reference has its map by directions that were learned without it.

    Args:
        references: The normal scans.
        examples: One or more abnormal ones, encoded by the same detector.
        cancel: Stops it.
        kinds: Of each example; empty for one kind.
        lesions: Of each example where the lesion is, see `lesion_in_slices`; None or empty for what stands
            out most in its three highest slices.

    Attributes:
        scans: The examples.
        warnings: What is doubtful about them.
        references: The same references, with scores and levels as they are beside these examples.
        kinds: Of each example; empty for one without a name.
        found: For each example, whether it would have been found by what the others teach.

    Raises:
        PairingError: They do not go with the references, see `check_examples`; ``LESION_OUTSIDE``.
        ArgumentError: The references were encoded for the published scoring.
        Cancelled: If a stop was asked for.
    """

    def __init__(
        self,
        references: References,
        examples: Sequence[EncodedScan],
        cancel: CancelToken | None = None,
        *,
        kinds: Sequence[str] = (),
        lesions: Sequence[npt.NDArray[np.bool_] | None] = (),
    ) -> None:
        cancel = cancel or CancelToken()
        if not isinstance(references.scoring, MatchedScoring):
            raise ArgumentError(Code.BAD_ARGUMENT, "Abnormal examples go with the scoring matched.")
        self.scans = tuple(each.scan for each in examples)
        self.kinds = tuple(kinds) or ("",) * len(examples)
        self._encoded, self._plain = tuple(examples), references
        doubts = check_examples(self.scans, references.scans)
        null, left_out = measure_null(
            references.encoded, references.alignment, references.shares, silent, cancel, references.region
        )
        self._left_out = left_out
        self._slices = [Slices.of(each, references) for each in references.encoded]
        cancel.check()
        self._normal = Normal([each.values for each in self._slices])
        self._deviation = float(np.concatenate([each.values() for each in left_out]).std())
        self._known = [Slices.of(each, references) for each in examples]
        self._maps = [maps_of(each, references, cancel).cpu() for each in examples]
        self._where = [
            lesion_in_slices(lesion, known, self._score(maps, known)[0], maps, references.scoring.top, at)
            for at, (lesion, known, maps) in enumerate(
                zip(lesions or (None,) * len(examples), self._known, self._maps, strict=True)
            )
        ]
        self._means = np.stack(
            [
                known.values[where].mean(axis=0, dtype=np.float64)
                for known, where in zip(self._known, self._where, strict=True)
            ]
        )
        self._learned = self._learn(range(len(examples)))
        self.references = self._recalibrated()
        self.found, unremarkable = self._check(null.scores)
        self.warnings = doubts + tuple(
            Problem(Code.EXAMPLE_LOOKS_NORMAL, f"Abnormal example {at + 1}.", at) for at in unremarkable
        )

    def examine(self, query: EncodedScan, plain: ExaminedSlices) -> tuple[ExaminedSlices, ExampleEvidence]:
        """Adds to what references say of a volume what the examples say.

        Args:
            query: The volume.
            plain: Of `examine_slices` with the references alone.
        """
        own, references = Slices.of(query, self._plain), self.references
        more = self._more(own, [(each, each.towards) for each in self._learned])
        maps = maps_of(query, self._plain, CancelToken()).cpu() + more
        scores, _ = self._score(maps, own)
        levels = [each.encoded.levels for each in self._plain.encoded]
        p_values = conformal_slice_p(scores, query.encoded.levels, references.null.slice_scores, levels)
        known = np.isfinite(plain.slice_scores)
        found = replace(
            plain,
            values=(plain.values + draw_maps(query, more)).astype(np.float32),
            score=scan_score(scores[references.ranked(query)]),
            slice_scores=np.where(known, per_slice(query, scores), np.float32(np.nan)),
            slice_p_values=np.where(known, per_slice(query, p_values), np.float32(np.nan)),
        )
        return found, self._evidence(query, own, plain.score)

    def _learn(self, chosen: Sequence[int]) -> tuple[VolumeKind, ...]:
        tops = [each.top for each in self._slices]
        return learn_kinds(chosen, self.kinds, self._means, self._normal, tops)

    def _more(self, own: Slices, kinds: Sequence[tuple[VolumeKind, Towards]]) -> torch.Tensor:
        """What the examples add to the maps of the slices of a scan, ``(n, side, side)``."""
        method = self._plain.scoring
        side = method.map_side(self._plain.encoded[0].prepared.sampling.side)
        if not kinds:
            return torch.zeros(1, side, side)
        likeness = [kind.weight * np.maximum(0, own.along(towards)) for kind, towards in kinds]
        return self._deviation * own.as_maps(np.max(likeness, axis=0), side, method.smoothing)

    def _raised(self, reference: int, kinds: Sequence[VolumeKind]) -> torch.Tensor:
        """Returns the maps of a reference, by directions without it."""
        own = self._slices[reference]
        more = self._more(own, [(each, each.without[reference]) for each in kinds])
        return torch.from_numpy(self._left_out[reference].maps) + more

    def _score(self, maps: torch.Tensor, own: Slices) -> tuple[FloatArray, float]:
        """Scores of the slices of a scan, and of the scan."""
        inside = own.image.prepared.inside(own.image.indices, maps.shape[-1], self._plain.region)
        scores = self._plain.scoring.image_score(maps, inside).numpy()
        return scores, scan_score(scores)

    def _recalibrated(self) -> References:
        plain, null = self._plain, self._plain.null
        maps = [self._raised(at, self._learned) for at in range(len(self._slices))]
        rows = np.full_like(null.slice_scores, np.nan)
        for row, each, own in zip(rows, maps, self._slices, strict=True):
            row[: len(each)] = self._score(each, own)[0]
        left_out: list[LeftOutMaps] = [
            replace(one, maps=each.numpy()) for one, each in zip(self._left_out, maps, strict=True)
        ]
        peaks = [np.percentile(one.values(), NORMAL_PERCENTILE) for one in left_out]
        null = replace(
            null,
            scores=np.array([scan_score(row) for row in rows], np.float32),
            slice_scores=rows,
            normal_level=float(np.median(peaks)),
        )
        return replace(plain, null=null, calibration=calibrate(left_out, null.one_more))

    def _check(self, normal: FloatArray) -> tuple[tuple[bool, ...], tuple[int, ...]]:
        """Holds each example against the references by what the others teach."""
        found, unremarkable = [], []
        for at, (own, maps) in enumerate(zip(self._known, self._maps, strict=True)):
            others = self._learn([each for each in range(len(self._known)) if each != at])
            score = self._score(maps + self._more(own, [(each, each.towards) for each in others]), own)[1]
            scores = [
                self._score(self._raised(each, others), slices)[1] for each, slices in enumerate(self._slices)
            ]
            found.append(score > max(scores))
            plain = self._score(maps, own)[1]
            looks_normal = plain <= float(np.median(normal))
            if looks_normal and max((_along(each, own) for each in others), default=0.0) <= 0:
                unremarkable.append(at)
        return tuple(found), tuple(unremarkable)

    def _evidence(self, query: EncodedScan, own: Slices, plain: float) -> ExampleEvidence:
        """Tells which kind counts, which of its examples is nearest, and by what places."""
        along = [_along(each, own) for each in self._learned]
        added = [each.weight * max(0.0, one) for each, one in zip(self._learned, along, strict=True)]
        most = max(range(len(added)), key=lambda at: (added[at], along[at]))
        kind = self._learned[most]
        likeness = own.along(kind.towards)
        mean = own.values[own.highest(likeness)].mean(axis=0, dtype=np.float64)
        alike = self._normal.alike(mean, self._means[list(kind.examples)])
        nearest = kind.examples[int(np.argmax(alike))]
        place = int(np.argmax(likeness))
        there, where = self._known[nearest], self._where[nearest]
        like = where[int(np.argmax(self._normal.alike(own.values[place], there.values[where])))]
        return ExampleEvidence(
            kind.weight,
            along[most],
            0.0,
            self.found,
            nearest,
            plain,
            self.kinds,
            patch_of(query, own.at(place), own.side),
            patch_of(self._encoded[nearest], there.at(int(like)), there.side),
        )


def _along(kind: VolumeKind, own: Slices) -> float:
    """How far the most alike places of a scan lie, in deviations of the references."""
    return (own.top(kind.towards) - kind.top[0]) / kind.top[1]

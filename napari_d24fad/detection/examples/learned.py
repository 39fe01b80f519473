"""What abnormal examples teach: how far a scan lies from the references in their direction, and where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import torch
from torch.nn.functional import adaptive_avg_pool2d, interpolate

from napari_d24fad.detection.encoding.encoded import EncodedScan
from napari_d24fad.detection.examination import ExaminedSlices, draw_maps, maps_of
from napari_d24fad.detection.examples.check import check_examples
from napari_d24fad.detection.examples.described import Described, Vectors, describe
from napari_d24fad.detection.examples.directions import OfPlaces
from napari_d24fad.detection.examples.of_kind import OfKind
from napari_d24fad.detection.examples.where import patch_of, places_in
from napari_d24fad.detection.references.calibration import LeftOutMaps, calibrate, conformal_p
from napari_d24fad.detection.references.null import NORMAL_PERCENTILE, measure_null, smooth
from napari_d24fad.detection.references.reference_set import References
from napari_d24fad.detection.result import ExampleEvidence, FloatArray
from napari_d24fad.detection.scoring.matched import MatchedScoring
from napari_d24fad.errors import ArgumentError, Code
from napari_d24fad.progress import CancelToken, silent
from napari_d24fad.studies.scan import Problem

_LEAST = 1e-9


class Examples:
    """Abnormal examples beside one set of references.

    A scan gets what it lies nearer to the examples than references do, and never loses by it: what is
    unlike the examples scores as it does without them. In deviations of the references left out in turn::

        score + m^2 / (m^2 + 4) * max(0, by places + as a whole)

    for ``m`` examples. *By places*: mean of the highest tenth of the projections of places on the direction
    from all places of references to the most unusual tenth of those of the examples. *As a whole*: the
    projection of mean, deviation and maximum of each channel. Each reference is scored by directions that
    were learned without it, so that p-values rank a scan among normal scans scored alike. Each kind has
    directions of its own, and the one that adds most counts.

    Args:
        references: The normal scans, of single images.
        examples: One or more abnormal ones, encoded by the same detector.
        cancel: Stops it.
        kinds: Of each example; empty for one kind.
        lesions: Of each example where in it the lesion is, ``(side, side)`` of the network input; None or
            empty for the tenth of its places that is most unusual by the map.

    Attributes:
        scans: The examples.
        warnings: What is doubtful about them.
        references: The same references, with scores and levels as they are beside these examples.
        kinds: Of each example; empty for one without a name.
        found: For each example, whether it would have been found: its score, learned from the other
            examples alone, is above those of all references.

    Raises:
        PairingError: They do not go with the references; see `check_examples`.
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
        alignment, region = references.alignment, references.region
        if not isinstance(alignment.method, MatchedScoring):
            raise ArgumentError(Code.BAD_ARGUMENT, "Abnormal examples go with the scoring matched.")
        self.scans = tuple(each.scan for each in examples)
        self.kinds = tuple(kinds) or ("",) * len(examples)
        self._encoded = tuple(examples)
        doubts = check_examples(self.scans, references.scans)
        normal = [describe(each, alignment, region) for each in references.encoded]
        self._plain, self._normal = references, normal
        self._known = [describe(each, alignment, region) for each in examples]
        maps = [maps_of(each, references, cancel) for each in examples]
        coarse = [
            adaptive_avg_pool2d(each[:1, None].cpu().double(), known.side).flatten().numpy()
            for each, known in zip(maps, self._known, strict=True)
        ]
        self._where = [
            known.most(each) if lesion is None else places_in(lesion, known.side)
            for known, each, lesion in zip(
                self._known, coarse, lesions or (None,) * len(examples), strict=True
            )
        ]
        self._unusual = [known.mean(where) for known, where in zip(self._known, self._where, strict=True)]
        cancel.check()
        self._all = OfPlaces(normal, self._unusual)
        self._without = [
            OfPlaces([each for each in normal if each is not out], self._unusual) for out in normal
        ]
        self._learned = self._learn(range(len(examples)))
        null, plain_maps = measure_null(
            references.encoded, alignment, references.shares, silent, cancel, region
        )
        self._deviation = max(float(null.scores.std(ddof=1)), _LEAST)
        self._spread = float(np.concatenate([each.values() for each in plain_maps]).std())
        self.references = self._recalibrated(references, null.scores, plain_maps)
        self.found, unremarkable = self._check(examples, maps, null.scores)
        self.warnings = doubts + tuple(
            Problem(Code.EXAMPLE_LOOKS_NORMAL, f"Abnormal example {at + 1}.", at) for at in unremarkable
        )

    def examine(self, query: EncodedScan, plain: ExaminedSlices) -> tuple[ExaminedSlices, ExampleEvidence]:
        """Adds to what references say of an image what the examples say.

        Args:
            query: The image.
            plain: Of `examine_slices` with the references alone.
        """
        image = describe(query, self._plain.alignment, self._plain.region)
        parts = [each.parts(image) for each in self._learned]
        score = float(self._raised(np.array([plain.score]), self._learned, [sum(each) for each in parts])[0])
        more = draw_maps(query, self._as_map(image, [each.of_places(image) for each in self._learned]))
        found = replace(
            plain,
            values=(plain.values + more).astype(np.float32),
            score=score,
            slice_scores=np.where(np.isfinite(plain.slice_scores), np.float32(score), np.float32(np.nan)),
            slice_p_values=np.where(
                np.isfinite(plain.slice_p_values),
                np.float32(conformal_p(score, self.references.null.scores)),
                np.float32(np.nan),
            ),
        )
        return found, self._evidence(query, image, plain.score, parts)

    def as_a_whole(self, query: EncodedScan) -> float:
        """How far an image as a whole lies in the direction of the examples: a linear probe, nothing else."""
        image = describe(query, self._plain.alignment, self._plain.region)
        return max(each.parts(image)[1] for each in self._learned)

    def _evidence(
        self, query: EncodedScan, image: Described, plain: float, parts: Sequence[tuple[float, float]]
    ) -> ExampleEvidence:
        """Tells which kind counts, which of its examples is nearest, and by what places."""
        along = [sum(each) for each in parts]
        added = [each.weight * max(0, one) for each, one in zip(self._learned, along, strict=True)]
        most = max(range(len(added)), key=lambda at: (added[at], along[at]))
        kind, (by_places, as_a_whole) = self._learned[most], parts[most]
        projected = image.places @ kind.direction
        own = image.mean(image.most(projected))
        alike = _cosine(own, np.stack([self._unusual[at] for at in kind.examples]), kind.direction)
        nearest = kind.examples[int(np.argmax(alike))]
        place = int(image.most(projected)[-1])
        there, where = self._known[nearest], self._where[nearest]
        like = where[int(np.argmax(_cosine(image.places[place], there.places[where], kind.direction)))]
        return ExampleEvidence(
            kind.weight,
            by_places,
            as_a_whole,
            self.found,
            nearest,
            plain,
            self.kinds,
            patch_of(query, (0, place), image.side),
            patch_of(self._encoded[nearest], (0, int(like)), there.side),
        )

    def _learn(self, chosen: Sequence[int]) -> tuple[OfKind, ...]:
        """Learns from some of the examples, each kind apart."""
        kinds = dict.fromkeys(self.kinds[at] for at in chosen)
        groups = [[at for at in chosen if self.kinds[at] == kind] for kind in kinds]
        return tuple(
            OfKind.learn(group, self._known, self._normal, self._all, self._without) for group in groups
        )

    def _raised(
        self, scores: npt.NDArray[np.floating], kinds: Sequence[OfKind], along: Sequence[float | Vectors]
    ) -> FloatArray:
        """Adds to scores what the kind adds that adds most."""
        more = [
            each.weight * self._deviation * np.maximum(0, np.asarray(part))
            for each, part in zip(kinds, along, strict=True)
        ]
        return np.asarray(scores + np.max(more, axis=0) if more else scores, np.float32)

    def _as_map(self, image: Described, projected: Sequence[Vectors]) -> torch.Tensor:
        """What the examples add to the map of an image, ``(1, side, side)``."""
        side = self._plain.scoring.map_side(self._plain.encoded[0].prepared.sampling.side)
        maps = []
        for kind, values in zip(self._learned, projected, strict=True):
            grid = torch.from_numpy(np.maximum(values, 0)).float().reshape(1, 1, image.side, image.side)
            fine = interpolate(grid, (side, side), mode="bilinear")[:, 0]
            maps.append(kind.weight * self._spread * smooth(fine, self._plain.scoring.smoothing))
        return torch.stack(maps).amax(dim=0)

    def _recalibrated(
        self, references: References, normal: FloatArray, plain: Sequence[LeftOutMaps]
    ) -> References:
        scores = self._raised(normal, self._learned, [each.along for each in self._learned])
        maps = []
        for at, (one, image) in enumerate(zip(plain, self._normal, strict=True)):
            more = self._as_map(image, [each.along_places[at] for each in self._learned])
            maps.append(replace(one, maps=one.maps + more.numpy()))
        peaks = [np.percentile(one.values(), NORMAL_PERCENTILE) for one in maps]
        null = replace(
            references.null,
            scores=scores,
            slice_scores=scores[:, None],
            normal_level=float(np.median(peaks)),
        )
        return replace(references, null=null, calibration=calibrate(maps, null.one_more))

    def _check(
        self, examples: Sequence[EncodedScan], maps: Sequence[torch.Tensor], normal: FloatArray
    ) -> tuple[tuple[bool, ...], tuple[int, ...]]:
        """Holds each example against the references by what the others teach."""
        method, region = self._plain.scoring, self._plain.region
        found, unremarkable = [], []
        for at, (example, drawn) in enumerate(zip(examples, maps, strict=True)):
            inside = example.prepared.inside(example.indices, drawn.shape[-1], region)
            plain = float(method.image_score(drawn, inside.to(drawn.device))[0])
            others = self._learn([each for each in range(len(examples)) if each != at])
            along = [sum(each.parts(self._known[at])) for each in others]
            score = float(self._raised(np.array([plain]), others, along)[0])
            scores = self._raised(normal, others, [each.along for each in others])
            found.append(bool(score > scores.max()))
            unremarkable.append(bool(plain <= np.median(normal)) and max(along, default=0.0) <= 0)
        return tuple(found), tuple(at for at, each in enumerate(unremarkable) if each)


def _cosine(one: Vectors, others: Vectors, along: Vectors) -> Vectors:
    """How alike vectors ``(n, channels)`` are to one in what tells them from references, ``(n,)``."""
    own, theirs = one * along, others * along
    lengths = np.linalg.norm(own) * np.linalg.norm(theirs, axis=1)
    return np.asarray(theirs @ own / np.maximum(lengths, _LEAST))

"""What abnormal examples teach: how far a scan lies from the references in their direction, and where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import torch
from torch.nn.functional import adaptive_avg_pool2d, interpolate

from napari_d24fad.detection.encoding.encoded import EncodedScan
from napari_d24fad.detection.examination import ExaminedSlices, draw_maps, maps_of
from napari_d24fad.detection.examples.check import check_examples
from napari_d24fad.detection.examples.described import Described, Vectors, describe
from napari_d24fad.detection.examples.directions import OfPlaces, OfWhole
from napari_d24fad.detection.references.calibration import LeftOutMaps, calibrate, conformal_p
from napari_d24fad.detection.references.null import NORMAL_PERCENTILE, measure_null, smooth
from napari_d24fad.detection.references.reference_set import References
from napari_d24fad.detection.result import ExampleEvidence, FloatArray
from napari_d24fad.detection.scoring.matched import MatchedScoring
from napari_d24fad.errors import ArgumentError, Code
from napari_d24fad.progress import CancelToken, silent
from napari_d24fad.studies.scan import Problem

_HALF = 2
"""So many examples count half: what a single one shows may be chance."""

_LEAST = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class _Direction:
    """Towards some of the examples: projections, and what left-out references show of them."""

    places: Vectors = field(repr=False)
    whole: OfWhole = field(repr=False)
    top: tuple[float, float]  # mean and deviation over references
    place: tuple[float, float]
    spread: float

    def parts(self, image: Described) -> tuple[float, float]:
        """By its places and as a whole, in deviations of left-out references."""
        top = (image.top(image.places @ self.places) - self.top[0]) / self.top[1]
        return top, self.whole.along(image) / self.spread

    def along(self, image: Described) -> float:
        return sum(self.parts(image))


class Examples:
    """Abnormal examples beside one set of references.

    A scan gets what it lies nearer to the examples than references do, and never loses by it: what is
    unlike the examples scores as it does without them. In deviations of the references left out in turn::

        score + m^2 / (m^2 + 4) * max(0, by places + as a whole)

    for ``m`` examples. *By places*: mean of the highest tenth of the projections of places on the direction
    from all places of references to the most unusual tenth of those of the examples. *As a whole*: the
    projection of mean, deviation and maximum of each channel. Each reference is scored by directions that
    were learned without it, so that p-values rank a scan among normal scans scored alike.

    Args:
        references: The normal scans, of single images.
        examples: One or more abnormal ones, encoded by the same detector.
        cancel: Stops it.

    Attributes:
        scans: The examples.
        warnings: What is doubtful about them.
        references: The same references, with scores and levels as they are beside these examples.
        weight: ``m^2 / (m^2 + 4)``.
        found: For each example, whether it would have been found: its score, learned from the other
            examples alone, is above those of all references.

    Raises:
        PairingError: They do not go with the references; see `check_examples`.
        ArgumentError: The references were encoded for the published scoring.
        Cancelled: If a stop was asked for.
    """

    def __init__(
        self, references: References, examples: Sequence[EncodedScan], cancel: CancelToken | None = None
    ) -> None:
        cancel = cancel or CancelToken()
        alignment, region = references.alignment, references.region
        if not isinstance(alignment.method, MatchedScoring):
            raise ArgumentError(Code.BAD_ARGUMENT, "Abnormal examples go with the scoring matched.")
        self.scans = tuple(each.scan for each in examples)
        doubts = check_examples(self.scans, references.scans)
        normal = [describe(each, alignment, region) for each in references.encoded]
        self._plain, self._normal = references, normal
        self._known = [describe(each, alignment, region) for each in examples]
        maps = [maps_of(each, references, cancel) for each in examples]
        coarse = [
            adaptive_avg_pool2d(each[:1, None].cpu().double(), known.side).flatten().numpy()
            for each, known in zip(maps, self._known, strict=True)
        ]
        self._unusual = [known.unusual(each) for known, each in zip(self._known, coarse, strict=True)]
        cancel.check()
        self._all = OfPlaces(normal, self._unusual)
        self._without = [
            OfPlaces([each for each in normal if each is not out], self._unusual) for out in normal
        ]
        self.weight = _weight(len(examples))
        every = range(len(examples))
        self._direction, left_out = self._learn(every)
        null, plain_maps = measure_null(
            references.encoded, alignment, references.shares, silent, cancel, region
        )
        self._deviation = max(float(null.scores.std(ddof=1)), _LEAST)
        self._spread = float(np.concatenate([each.values() for each in plain_maps]).std())
        scores = self._raised(null.scores, self.weight, left_out.along)
        self.references = self._recalibrated(references, plain_maps, left_out, scores)
        self.found, unremarkable = self._check(examples, maps, null.scores)
        self.warnings = doubts + tuple(
            Problem(Code.EXAMPLE_LOOKS_NORMAL, f"Abnormal example {at + 1}.") for at in unremarkable
        )

    def examine(self, query: EncodedScan, plain: ExaminedSlices) -> tuple[ExaminedSlices, ExampleEvidence]:
        """Adds to what references say of an image what the examples say.

        Args:
            query: The image.
            plain: Of `examine_slices` with the references alone.
        """
        image = describe(query, self._plain.alignment, self._plain.region)
        by_places, as_a_whole = self._direction.parts(image)
        score = float(self._raised(np.array([plain.score]), self.weight, [by_places + as_a_whole])[0])
        more = draw_maps(query, self._map(image, self._direction))
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
        own = image.unusual(image.places @ self._direction.places)
        likeness = [_cosine(own, each, self._direction.places) for each in self._unusual]
        evidence = ExampleEvidence(
            self.weight, by_places, as_a_whole, self.found, int(np.argmax(likeness)), plain.score
        )
        return found, evidence

    def as_a_whole(self, query: EncodedScan) -> float:
        """How far an image as a whole lies in the direction of the examples: a linear probe, nothing else."""
        return self._direction.parts(describe(query, self._plain.alignment, self._plain.region))[1]

    def _learn(self, chosen: Sequence[int]) -> tuple[_Direction, _LeftOut]:
        """Learns from some of the examples; also what each reference shows if it was not among the others."""
        examples = [self._known[at] for at in chosen]
        tops, wholes, places = [], [], []
        for at, (out, of_places) in enumerate(zip(self._normal, self._without, strict=True)):
            others = self._normal[:at] + self._normal[at + 1 :]
            projected = out.places @ of_places.direction(chosen)
            places.append(projected)
            tops.append(out.top(projected))
            wholes.append(OfWhole(others, examples).along(out))
        inside = np.concatenate([p[each.inside] for p, each in zip(places, self._normal, strict=True)])
        top = float(np.mean(tops)), max(float(np.std(tops, ddof=1)), _LEAST)
        place = float(inside.mean()), max(float(inside.std()), _LEAST)
        spread = max(float(np.sqrt(np.mean(np.square(wholes)))), _LEAST)
        direction = _Direction(
            self._all.direction(chosen), OfWhole(self._normal, examples), top, place, spread
        )
        along = (np.array(tops) - top[0]) / top[1] + np.array(wholes) / spread
        return direction, _LeftOut(along, [(each - place[0]) / place[1] for each in places])

    def _raised(
        self, scores: npt.NDArray[np.floating], weight: float, along: Sequence[float] | Vectors
    ) -> FloatArray:
        more = weight * self._deviation * np.maximum(0, np.asarray(along))
        return np.asarray(scores + more, np.float32)

    def _map(self, image: Described, direction: _Direction) -> torch.Tensor:
        """What the examples add to the map of an image, ``(1, side, side)``."""
        projected = (image.places @ direction.places - direction.place[0]) / direction.place[1]
        return self._as_map(projected, image)

    def _as_map(self, projected: Vectors, image: Described) -> torch.Tensor:
        side = self._plain.scoring.map_side(self._plain.encoded[0].prepared.sampling.side)
        grid = torch.from_numpy(np.maximum(projected, 0)).float().reshape(1, 1, image.side, image.side)
        fine = interpolate(grid, (side, side), mode="bilinear")[:, 0]
        return self.weight * self._spread * smooth(fine, self._plain.scoring.smoothing)

    def _recalibrated(
        self, references: References, plain: Sequence[LeftOutMaps], left_out: _LeftOut, scores: FloatArray
    ) -> References:
        maps = [
            replace(one, maps=one.maps + self._as_map(projected, image).numpy())
            for one, projected, image in zip(plain, left_out.places, self._normal, strict=True)
        ]
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
            others = [each for each in range(len(examples)) if each != at]
            weight = _weight(len(others))
            along, scores = 0.0, normal
            if others:
                direction, left_out = self._learn(others)
                along = direction.along(self._known[at])
                scores = self._raised(normal, weight, left_out.along)
            score = float(self._raised(np.array([plain]), weight, [along])[0])
            found.append(bool(score > scores.max()))
            unremarkable.append(bool(plain <= np.median(normal)) and along <= 0)
        return tuple(found), tuple(at for at, each in enumerate(unremarkable) if each)


@dataclass(frozen=True, slots=True, eq=False)
class _LeftOut:
    """References, each held against directions learned without it."""

    along: Vectors = field(repr=False)
    places: list[Vectors] = field(repr=False)


def _weight(count: int) -> float:
    return count**2 / (count**2 + _HALF**2)


def _cosine(one: Vectors, other: Vectors, along: Vectors) -> float:
    """How alike two mean vectors are in what tells them from references."""
    own, others = one * along, other * along
    return float(own @ others / max(float(np.linalg.norm(own) * np.linalg.norm(others)), _LEAST))

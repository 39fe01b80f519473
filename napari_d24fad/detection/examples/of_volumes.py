"""Abnormal examples of volumes that are compared place by place: what their lesions show in each channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from napari_d24fad.anatomy.grid import BoolArray, FloatArray
from napari_d24fad.detection.atlas.examination import AtlasExamination
from napari_d24fad.detection.atlas.left_out import LeftOut, channels_of
from napari_d24fad.detection.atlas.normal import NormalMaps
from napari_d24fad.detection.atlas.plan import Plan
from napari_d24fad.detection.atlas.scoring import AtlasReferences
from napari_d24fad.detection.atlas.statistics import components, learn_levels, slice_scores
from napari_d24fad.detection.channels.volume import WorkingVolume
from napari_d24fad.detection.examples.lesions import seen_of
from napari_d24fad.detection.examples.volume_kinds import VolumeKind, learn_kinds
from napari_d24fad.detection.examples.voxels import Normal, Towards, Voxels, box_of
from napari_d24fad.detection.result import ExampleEvidence
from napari_d24fad.errors import Code
from napari_d24fad.studies.scan import Problem


@dataclass(frozen=True, slots=True, eq=False)
class VolumeExample:
    """An abnormal example, held against the references alone.

    Attributes:
        found: The examination.
        lesion: On its working grid, inside the anatomy.
        kind: Empty for one without a name.
    """

    found: AtlasExamination = field(repr=False)
    lesion: BoolArray = field(repr=False)
    kind: str = ""


class MapScore:
    """Scores maps of one volume, by the box around its anatomy, which is all that counts.

    Args:
        fused: One of them.
        plan: How.
        volume: Which.
    """

    def __init__(self, fused: FloatArray, plan: Plan, volume: WorkingVolume) -> None:
        known = np.isfinite(fused)
        self._box = box_of(known)
        self._score = plan.scan_score(known[self._box], volume.anatomy.grid)

    def of(self, fused: FloatArray) -> float:
        """Returns the scan score."""
        return self._score.of(fused[self._box])


class NormalVolumes:
    """References as examples are told from them: made once, whatever is marked as abnormal beside them.

    Args:
        references: The normal scans.
        left_out: Each of them, held against the others.

    Attributes:
        references: As given.
        left_out: As given.
        voxels: Of each.
        all: How their voxels vary.
        deviation: Of their maps.
        scores: Score maps of each.
    """

    def __init__(self, references: AtlasReferences, left_out: Sequence[LeftOut]) -> None:
        self.references, self.left_out = references, tuple(left_out)
        self.voxels = [Voxels.of(each.channels, each.fused, each.volume, references) for each in left_out]
        self.all = Normal([each.values for each in self.voxels])
        self.scores = [MapScore(each.fused, references.plan, each.volume) for each in left_out]
        known = [each.fused[np.isfinite(each.fused)] for each in left_out]
        self.deviation = float(np.concatenate(known).std())


class VolumeExamples:
    """Abnormal examples beside one set of references.

    A place gets what it is nearer to the lesions of the examples than references are, and never loses::

        map + m^2 / (m^2 + 4) * deviation of the references' maps * max(0, likeness)

    for ``m`` examples of a kind; of several kinds the one that adds most. The likeness is Fisher's
    discriminant between the mean voxel of each lesion and all voxels of the references left out, see
    `Voxels`, with a ridge; in deviations of the references. The score of a scan is that of this map. Each
    reference has its map by directions that were learned without it.

    Args:
        normal: The references.
        examples: One or more abnormal ones.

    Attributes:
        references: The same references, with scores and levels as they are beside these examples.
        kinds: Of each example.
        warnings: What is doubtful about the examples.
        found: For each example, whether it would have been found: its score, learned from the other
            examples alone, is above those of all references.
    """

    def __init__(self, normal: NormalVolumes, examples: Sequence[VolumeExample]) -> None:
        self._plain, self._left_out, self._examples = normal.references, normal.left_out, examples
        self._voxels, self._normal, self._deviation = normal.voxels, normal.all, normal.deviation
        self._scores = normal.scores
        self.kinds = tuple(each.kind for each in examples)
        self._keys = tuple(key for key, _ in channels_of(self._plain))
        self._known = [self._of(each.found) for each in examples]
        self._means = np.stack(
            [own.mean(each.lesion) for own, each in zip(self._known, examples, strict=True)]
        )
        self._learned = self._learn(range(len(examples)))
        maps = [self._raised(each.fused, at, self._learned) for at, each in enumerate(self._left_out)]
        self.references = self._with_levels(maps)
        self.found, unremarkable = self._check()
        self.warnings = tuple(
            Problem(Code.EXAMPLE_LOOKS_NORMAL, f"Abnormal example {at + 1}.", at) for at in unremarkable
        )

    def examine(self, plain: AtlasExamination) -> tuple[AtlasExamination, ExampleEvidence]:
        """Adds to what references say of a scan what the examples say.

        Args:
            plain: By the references alone.
        """
        plan, references = self._plain.plan, self.references
        grid, own = plain.volume.anatomy.grid, self._of(plain)
        fused = self._added(plain.fused, own, [(each, each.towards) for each in self._learned])
        regions = components(fused, grid, references.levels.value, references.levels.smallest_mm3)
        found = replace(
            plain,
            fused=fused,
            labels=regions.labels,
            score=plan.score(fused, grid),
            normal_scores=references.normal_scores,
            slice_scores=grid.scan_slices(slice_scores(fused, grid, plan.slice_mm2)),
            levels=references.levels,
        )
        found = replace(found, regions=references.describe(found, regions))
        return found, self._evidence(plain, own)

    def _of(self, found: AtlasExamination) -> Voxels:
        first = self._plain.direction.signs[0]
        channels = {key: found.channels[key[0] or first, key[1]] for key in self._keys}
        return Voxels.of(channels, found.fused, found.volume, self._plain)

    def _learn(self, chosen: Sequence[int]) -> tuple[VolumeKind, ...]:
        tops = [partial(self._top, own) for own in self._voxels]
        return learn_kinds(chosen, self.kinds, self._means, self._normal, tops)

    def _top(self, own: Voxels, towards: Towards) -> float:
        """Mean likeness of the most alike voxels, of the volume that the scan score is the mean of."""
        likeness = own.along(towards)
        count = own.count_of(self._plain.plan.score_mm3)
        return float(np.partition(likeness, -count)[-count:].mean())

    def _raised(self, fused: FloatArray, reference: int, kinds: Sequence[VolumeKind]) -> FloatArray:
        """Returns the map of a reference, by directions without it."""
        return self._added(
            fused, self._voxels[reference], [(each, each.without[reference]) for each in kinds]
        )

    def _added(
        self, fused: FloatArray, own: Voxels, kinds: Sequence[tuple[VolumeKind, Towards]]
    ) -> FloatArray:
        more = [kind.weight * np.maximum(0, own.along(towards)) for kind, towards in kinds]
        return own.added(fused, self._deviation * np.max(more, axis=0)) if more else fused

    def _with_levels(self, maps: Sequence[FloatArray]) -> AtlasReferences:
        plan = self._plain.plan
        volumes = [each.volume for each in self._left_out]
        grids = [volume.anatomy.grid for volume in volumes]
        levels, masses = learn_levels(maps, grids, plan.level_share, plan.smallest_mm3)
        return replace(
            self._plain,
            levels=levels,
            normal_scores=tuple(score.of(each) for score, each in zip(self._scores, maps, strict=True)),
            normal_masses=masses,
            normal=NormalMaps.of(maps, volumes, plan.slice_mm2, levels.value),
        )

    def _check(self) -> tuple[tuple[bool, ...], tuple[int, ...]]:
        """Holds each example against the references by what the others teach."""
        found, unremarkable = [], []
        for at, (example, own) in enumerate(zip(self._examples, self._known, strict=True)):
            others = self._learn([each for each in range(len(self._examples)) if each != at])
            score, normal = example.found.score, list(self._plain.normal_scores)
            if others:
                raised = self._added(example.found.fused, own, [(each, each.towards) for each in others])
                score = MapScore(raised, self._plain.plan, example.found.volume).of(raised)
                normal = [
                    self._scores[number].of(self._raised(each.fused, number, others))
                    for number, each in enumerate(self._left_out)
                ]
            found.append(score > max(normal))
            along = [(self._top(own, each.towards) - each.top[0]) / each.top[1] for each in others]
            looks_normal = example.found.score <= float(np.median(self._plain.normal_scores))
            if looks_normal and max(along, default=0.0) <= 0:
                unremarkable.append(at)
        return tuple(found), tuple(unremarkable)

    def _evidence(self, plain: AtlasExamination, own: Voxels) -> ExampleEvidence:
        """Tells which kind counts, which of its examples is nearest, and by what places."""
        along = [(self._top(own, each.towards) - each.top[0]) / each.top[1] for each in self._learned]
        added = [each.weight * max(0.0, one) for each, one in zip(self._learned, along, strict=True)]
        most = max(range(len(added)), key=lambda at: (added[at], along[at]))
        kind = self._learned[most]
        likeness = own.along(kind.towards)
        count = own.count_of(self._plain.plan.score_mm3)
        highest = np.argpartition(likeness, -count)[-count:]
        mean = own.values[highest].mean(axis=0, dtype=np.float64)
        alike = self._normal.alike(mean, self._means[list(kind.examples)])
        nearest = kind.examples[int(np.argmax(alike))]
        place = int(np.argmax(likeness))
        example, there = self._examples[nearest], self._known[nearest]
        inside = there.within(example.lesion)
        like = inside[int(np.argmax(self._normal.alike(own.values[place], there.values[inside])))]
        return ExampleEvidence(
            kind.weight,
            along[most],
            0.0,
            self.found,
            nearest,
            plain.score,
            self.kinds,
            seen_of(plain.volume, own.index(place)),
            seen_of(example.found.volume, there.index(int(like))),
        )

"""What a detection returns: the `AnomalyMap`, in the geometry of the scan examined."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_d24fad.anatomy.found import DRAWN
from napari_d24fad.studies.scan import Problem

if TYPE_CHECKING:
    from napari_d24fad.detection.references.calibration import Calibration
    from napari_d24fad.detection.references.reference_check import ReferenceCheck
    from napari_d24fad.detection.references.regions import Region

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class MapChannel:
    """One of the maps that a map is joined from, or that stands beside it: one way to depart from references.

    Attributes:
        name: Of the channel, such as ``"asymmetry"``; of a whole map that stands beside, `MapBeside.plan`.
        sign: +1 of what is brighter, -1 of what is darker; 0 of a whole map that stands beside.
        title: What it shows, such as ``"brighter than the other side"``.
        level: Map value that one voxel in a thousand of a normal scan exceeds; of a whole map its level.
        side: The sign in a word: ``"brighter"``, ``"darker"``, ``"larger"`` or ``"smaller"``; ``"both"``.
        beside: `MapBeside.plan` of the map that it is a part of; empty for the joined map.
    """

    name: str
    sign: int
    title: str
    level: float
    side: str
    beside: str = ""


@dataclass(frozen=True, slots=True)
class MapBeside:
    """What is known of a further map of the same scan, which is never averaged into the joined one.

    Attributes:
        plan: Its stable name, such as ``"volume"``: where anatomy is larger or smaller than usual.
        score: Of the scan by this map.
        p_value: Conformal p-value of this score.
        level_one_region: Map value above which a normal scan shows at most one region on average.
        regions: Connected regions at or above it, highest rank first.
    """

    plan: str
    score: float
    p_value: float
    level_one_region: float
    regions: tuple[Region, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class ExaminedRegion:
    """The drawn region that alone was examined.

    Attributes:
        how: How it came to this scan, such as ``"drawn on this scan"`` or ``"carried by alignment"``.
        volume_ml: Volume of it that was examined in this scan; None for an image or without geometry.
        share: Share of the scan's voxels that were examined.
        references: How it came to each reference; empty where all are examined at the same place.
    """

    how: str
    volume_ml: float | None
    share: float
    references: tuple[str, ...] = ()

    def __str__(self) -> str:
        size = f"{self.volume_ml:.3g} ml" if self.volume_ml is not None else f"{self.share:.1%} of the image"
        told = f"Examined only inside the drawn region, {size}, {self.how}."
        own = sum(how == DRAWN for how in self.references)
        return f"{told} It was drawn on {own} of the {len(self.references)} references." if own else told


@dataclass(frozen=True, slots=True)
class Patch:
    """A box of voxels of a scan.

    Attributes:
        first: Lowest array index along each axis of the scan, as it is stored.
        last: Highest array index along each axis, included.
    """

    first: tuple[int, int, int]
    last: tuple[int, int, int]

    @property
    def centre(self) -> tuple[int, int, int]:
        """Array index of its middle."""
        one, two, three = ((low + high) // 2 for low, high in zip(self.first, self.last, strict=True))
        return one, two, three


@dataclass(frozen=True, slots=True)
class ExampleEvidence:
    """What abnormal examples say of a scan.

    Attributes:
        weight: How much that counts, ``m^2 / (m^2 + 4)`` for ``m`` examples of the kind.
        by_places: How far its most alike places lie from those of references in the direction of the
            examples, in deviations of the references.
        as_a_whole: The same of the whole image.
        found: For each example, whether it would have been found by what the others teach.
        nearest: The example it is most like, from 0.
        plain_score: Score of the scan without the examples; with them it is never lower.
        kinds: Of each example; empty for one without a name.
        place: Where the scan is most like the examples of the kind of `nearest`; None if nowhere.
        example_place: The place in that example that is most like it.
    """

    weight: float
    by_places: float
    as_a_whole: float
    found: tuple[bool, ...]
    nearest: int
    plain_score: float
    kinds: tuple[str, ...] = ()
    place: Patch | None = None
    example_place: Patch | None = None

    @property
    def alike(self) -> bool:
        """Whether the scan lies nearer to the examples than references do on average."""
        return self.by_places + self.as_a_whole > 0

    @property
    def kind(self) -> str:
        """The kind of the example that the scan is most like; empty for one without a name."""
        return self.kinds[self.nearest] if self.kinds else ""

    def __str__(self) -> str:
        count = len(self.found)
        one = count == 1
        named = f" ({self.kind})" if self.kind else ""
        like = (
            f"most like example {self.nearest + 1}{named}" if self.alike else "not like the abnormal examples"
        )
        learned = f"{sum(self.found)} of {count} examples would have been found by the others"
        return f"Examined with {count} abnormal example{'' if one else 's'}: {like}." + (
            "" if one else f" {learned}."
        )


@dataclass(frozen=True, slots=True, eq=False)
class AnomalyMap:
    """Where a scan departs from its normal references.

    Attributes:
        values: ``(slices, rows, columns)`` float32 on the voxel grid of the scan; larger
            is more anomalous; NaN where nothing was examined.
        affine: ``(4, 4)``, that of the scan (array index to LPS mm).
        slice_axis: Array axis along which slices were examined, that of the scan.
        score: One number for the scan; comparable between scans that were examined
            with the same references, model and scoring.
        slice_scores: ``(n_slices,)`` float32 along `slice_axis`; NaN where not examined.
        weights: ``(n_slices, references, scales)`` float32: how much each reference
            counted for each slice and feature scale; each scale sums to 1; NaN where
            not examined.
        normal_level: The map value that a normal reference hardly exceeds when it is
            examined against the others (median over references of the 99.9th
            percentile).
        reference_scores: ``(references,)`` float32: the score of each reference,
            examined against the others.
        reference_slice_scores: The same for single slices, ``(references, levels)``
            float32, NaN where not examined; what slice scores can be held against.
        scoring: How the map was computed: ``"paper"``, ``"matched"`` or, in volumes, ``"atlas"``.
        model_name: Name of the model.
        model_sha256: SHA-256 of its weights.
        device: Where it ran, such as ``"cpu"`` or ``"cuda:0 (NVIDIA H100)"``.
        seconds: Wall time of encoding references and examining the scan.
        warnings: What the user must see beside the result.
        p_value: Conformal p-value of the scan: how often a normal scan would score as high.
        p_floor: The lowest p-value that this number of references can show, 1 / (K + 1).
        slice_p_values: ``(n_slices,)`` float32, each slice among the reference slices at its
            level, not corrected for the number of slices; NaN where not examined.
        level_one_region: Map value above which a normal scan shows at most one region on average.
            The overlay is transparent below it.
        levels_by_rate: Map value that this share of a normal scan's pixels reaches, for the
            shares in `calibration.RATES`.
        regions: Connected regions at or above `level_one_region`, highest rank first.
        reference_checks: For each reference, whether it stands out among the others.
        calibration: What turns map values into p-values.
        direction: Which departures were looked for: ``"brighter"``, ``"darker"`` or ``"both"``; empty if
            the scoring knows no direction.
        anatomy: What of the scan was examined, such as ``"inside of the skull"``; empty if not found out.
        plan: How volumes of its kind are examined place by place, such as ``"head CT"``; else empty.
        channels: What the map is joined from, each of which is a map of its own; see `Held.channel_map`.
        region: The drawn region that alone was examined; None if it was the whole anatomy.
        beside: Further maps of the same scan; `channels` says how to show them.
        examples: What abnormal examples say of the scan; None without any.
        has_student: Whether the model has a student, and so the published distances.
    """

    values: FloatArray = field(repr=False)
    affine: npt.NDArray[np.float64] = field(repr=False)
    slice_axis: int
    score: float
    slice_scores: FloatArray = field(repr=False)
    weights: FloatArray = field(repr=False)
    normal_level: float
    reference_scores: FloatArray = field(repr=False)
    reference_slice_scores: FloatArray = field(repr=False)
    scoring: str
    model_name: str
    model_sha256: str
    device: str
    seconds: float
    warnings: tuple[Problem, ...] = ()
    p_value: float = float("nan")
    p_floor: float = float("nan")
    slice_p_values: FloatArray = field(default_factory=lambda: np.empty(0, np.float32), repr=False)
    level_one_region: float = float("nan")
    levels_by_rate: Mapping[float, float] = field(default_factory=dict)
    regions: tuple[Region, ...] = field(default=(), repr=False)
    reference_checks: tuple[ReferenceCheck, ...] = field(default=(), repr=False)
    calibration: Calibration | None = field(default=None, repr=False)
    direction: str = ""
    anatomy: str = ""
    plan: str = ""
    channels: tuple[MapChannel, ...] = field(default=(), repr=False)
    region: ExaminedRegion | None = None
    beside: tuple[MapBeside, ...] = field(default=(), repr=False)
    examples: ExampleEvidence | None = None
    has_student: bool = True

    def p_map(self) -> FloatArray:
        """Returns how likely a pixel of a normal scan is to reach each map value.

        Returns:
            ``(slices, rows, columns)`` float32 on the voxel grid of the scan; NaN where
            not examined, and everywhere in a map without calibration.
        """
        if self.calibration is None:
            return np.full_like(self.values, np.nan)
        return self.calibration.p_values(self.values)

    def most_suspicious(self, count: int = 10) -> tuple[int, ...]:
        """Returns the slices with the highest scores, highest first.

        Args:
            count: How many at most.

        Returns:
            Indices along `slice_axis`; slices that were not examined are never among them.
        """
        order = np.argsort(-np.nan_to_num(self.slice_scores, nan=-np.inf), kind="stable")
        examined = order[np.isfinite(self.slice_scores[order])]
        return tuple(int(index) for index in examined[:count])

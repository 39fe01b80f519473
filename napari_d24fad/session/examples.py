"""Volumes that are marked as abnormal: checked, measured, and what they teach kept between runs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from napari_d24fad.anatomy.grid import BoolArray
from napari_d24fad.detection.atlas.comparable import contrast_fault
from napari_d24fad.detection.atlas.left_out import left_out
from napari_d24fad.detection.atlas.measured import MeasuredScan
from napari_d24fad.detection.atlas.plan import Plan
from napari_d24fad.detection.atlas.scoring import AtlasReferences
from napari_d24fad.detection.encoding.encoded import EncodedScan
from napari_d24fad.detection.examples.check import check_examples, check_query
from napari_d24fad.detection.examples.lesions import drawn_lesion, most_unusual
from napari_d24fad.detection.examples.of_volumes import NormalVolumes, VolumeExample, VolumeExamples
from napari_d24fad.detection.examples.where import drawn_in_slices, slices_with
from napari_d24fad.errors import Code, PairingError
from napari_d24fad.progress import CancelToken, Progress, part
from napari_d24fad.session.held import Held
from napari_d24fad.session.kept_atlases import KeptAtlases
from napari_d24fad.session.measured_scans import MeasuredScans, is_kept
from napari_d24fad.session.request import Drawn, Example, Request
from napari_d24fad.studies.orientation import canonical_orientation
from napari_d24fad.studies.scan import Problem

_NOT_COMPARED = (Code.NOT_ALIGNED, Code.NOTHING_TO_EXAMINE, Code.REGION_NOT_CARRIED, Code.NOT_COVERED)


def lesion_of(example: Example, encoded: EncodedScan) -> BoolArray | None:
    """Returns where the lesion of a volume is in its encoded slices; see `lesion_in_slices`."""
    lesion = example.lesion
    if isinstance(lesion, Drawn):
        return drawn_in_slices(canonical_orientation(encoded.scan).apply(lesion.read()), encoded)
    return None if lesion is None else slices_with(map(encoded.own_index, lesion), encoded)


def check_marked(request: Request, *, query: bool) -> tuple[Problem, ...]:
    """Checks volumes that are marked as abnormal by what is known without reading their pixels.

    Single images are checked when they are encoded.

    Args:
        request: What the user asked for.
        query: Whether its query is checked against them too.

    Returns:
        What to show beside the result.

    Raises:
        PairingError: See `check_examples` and `check_query`.
    """
    if not request.abnormal or not request.references[0].outline.is_volume:
        return ()
    examples = [each.unread() for each in request.marked_abnormal]
    doubts = check_examples(examples, [each.unread() for each in request.references])
    return doubts + (check_query(request.query.unread(), examples) if query else ())


class MarkedVolumes:
    """What was learned of the abnormal examples of the last request.

    Args:
        scans: Measures them.
        disk: Keeps distances of references for later programs.
    """

    def __init__(self, scans: MeasuredScans, disk: KeptAtlases) -> None:
        self._scans, self._disk = scans, disk
        self._references: AtlasReferences | None = None
        self._normal: NormalVolumes | None = None
        self._held: dict[Example, VolumeExample] = {}
        self._pixels: tuple[str, ...] = ()
        self._learned: tuple[tuple[Example, ...], VolumeExamples] | None = None

    def held(
        self,
        request: Request,
        references: AtlasReferences,
        plan: Plan,
        measured: Sequence[MeasuredScan],
        query: MeasuredScan,
        progress: Progress,
        cancel: CancelToken,
    ) -> Held:
        """Holds a query against references and examples; see `learned`.

        Raises:
            PairingError: Also ``QUERY_IS_EXAMPLE``, whatever files both came from.
        """
        examples = self.learned(request, references, plan, measured, part(progress, 0, 0.8), cancel)
        for number, pixels in enumerate(self._pixels, start=1):
            if pixels == _pixels(query):
                raise PairingError(
                    Code.QUERY_IS_EXAMPLE, f"It is abnormal example {number}.", example=number - 1
                )
        found, evidence = examples.examine(references.examine_measured(query, part(progress, 0.8, 1), cancel))
        doubts = check_marked(request, query=True)
        return Held(found, examples.references, evidence, examples.warnings + doubts)

    def learned(
        self,
        request: Request,
        references: AtlasReferences,
        plan: Plan,
        measured: Sequence[MeasuredScan],
        progress: Progress,
        cancel: CancelToken,
    ) -> VolumeExamples:
        """Returns what the examples of a request teach, unless they are those of the last time.

        Args:
            request: What the user asked for.
            references: What they are held against.
            plan: How scans are measured.
            measured: The references, as they were measured.
            progress: Told how far this is.
            cancel: Stops it.

        Raises:
            PairingError: A scan is marked twice, cannot be compared, or its lesion is not examined.
            D24fadError: An example cannot be read.
            Cancelled: If a stop was asked for.
        """
        if self._references is not references:
            self._references, self._normal, self._held, self._learned = references, None, {}, None
        if self._learned is None or self._learned[0] != request.abnormal:
            tell = part(progress, 0, 0.5)
            scans = self._measured(request.abnormal, references, plan, measured, tell, cancel)
            progress(0.5, "Learning from abnormal examples")
            if self._normal is None:
                if is_kept(plan):
                    self._disk.take_pairs(references.scans, plan, references.direction)
                self._normal = NormalVolumes(references, left_out(references, request.shares, cancel))
            held = {
                example: self._held.get(example) or _held(example, number, scan, references, cancel)
                for number, (example, scan) in enumerate(zip(request.abnormal, scans, strict=True), start=1)
            }
            self._held = held
            found = VolumeExamples(self._normal, list(held.values()))
            self._learned, self._pixels = (request.abnormal, found), tuple(map(_pixels, scans))
        return self._learned[1]

    def _measured(
        self,
        examples: Sequence[Example],
        references: AtlasReferences,
        plan: Plan,
        measured: Sequence[MeasuredScan],
        progress: Progress,
        cancel: CancelToken,
    ) -> list[MeasuredScan]:
        normal = {_pixels(scan): number for number, scan in enumerate(measured, start=1)}
        kinds = {each.volume.anatomy.kind for each in measured}
        found: dict[str, MeasuredScan] = {}
        for number, example in enumerate(examples, start=1):
            tell = part(progress, (number - 1) / len(examples), number / len(examples))
            name, at = f"Abnormal example {number}", number - 1
            try:
                scan = self._scans.reference(example.series, None, plan, references.direction, tell, cancel)
            except PairingError as error:
                if error.code not in _NOT_COMPARED:
                    raise
                detail = f"{name}. {error.detail}"
                raise PairingError(Code.EXAMPLE_NOT_COMPARED, detail, example=at) from error
            own = _pixels(scan)
            if own in normal:
                detail = f"{name} equals reference {normal[own]}."
                raise PairingError(Code.NORMAL_AND_ABNORMAL, detail, example=at)
            if own in found:
                raise PairingError(Code.DUPLICATE_EXAMPLE, f"{name} equals an earlier one.", example=at)
            if scan.volume.anatomy.kind not in kinds:
                raise PairingError(Code.EXAMPLE_NOT_COMPARED, f"{name} shows other anatomy.", example=at)
            if contrast_fault(scan, measured, plan) is not None:
                detail = f"{name} shows another contrast."
                raise PairingError(Code.EXAMPLE_NOT_COMPARED, detail, example=at)
            found[own] = scan
        return list(found.values())


def _held(
    example: Example, number: int, scan: MeasuredScan, references: AtlasReferences, cancel: CancelToken
) -> VolumeExample:
    """Holds an example against the references alone, and finds its lesion."""
    name = f"Abnormal example {number}."
    try:
        found = references.examine_measured(scan, cancel=cancel)
        if isinstance(example.lesion, Drawn):
            lesion = drawn_lesion(example.lesion.read(), found)
        else:
            slices = None
            if example.lesion is not None:
                outline = example.series.outline
                slices = np.zeros(outline.grid, bool)
                np.moveaxis(slices, outline.slice_axis, 0)[list(example.lesion)] = True
            lesion = most_unusual(found, slices, references.plan.score_mm3)
    except PairingError as error:
        code = Code.EXAMPLE_NOT_COMPARED if error.code in _NOT_COMPARED else error.code
        raise PairingError(code, f"{name} {error.detail}".strip(), example=number - 1) from error
    return VolumeExample(found, lesion, example.kind)


def _pixels(scan: MeasuredScan) -> str:
    """Returns the part of an identity that is the scan's own, wherever it is placed."""
    return scan.identity.split()[0]

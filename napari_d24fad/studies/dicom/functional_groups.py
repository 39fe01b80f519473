"""The frames of a DICOM file, each as if it were a file of its own: where it lies and what tells it apart.

Enhanced objects say it in the functional groups of each frame. Reconstructed SPECT and older volumes in
one file say only where the first frame lies.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset

from napari_d24fad.errors import Code, StudyError
from napari_d24fad.studies.dicom.file import open_dicom, read_header
from napari_d24fad.studies.dicom.header import Instance
from napari_d24fad.studies.dicom.pet import frame_facts
from napari_d24fad.studies.dicom.placement import placement
from napari_d24fad.studies.dicom.refusals import check_decodable, coded_errors
from napari_d24fad.studies.dicom.subject import body_part
from napari_d24fad.studies.dicom.traits import traits
from napari_d24fad.studies.dicom.values import items, number, numbers, positive, text
from napari_d24fad.studies.dicom.window import stated_window
from napari_d24fad.studies.files.limits import limits
from napari_d24fad.studies.files.quiet import quiet

# A byte of a sequence becomes twenty in memory; frames are described by two kilobytes each.
_GROUPS_SHARE = 16
_PER_FRAME, _SHARED = "PerFrameFunctionalGroupsSequence", "SharedFunctionalGroupsSequence"

# The functional groups that say where a frame lies, and what tells it from others at its place.
_MACROS = (
    "PlanePositionSequence",
    "PlaneOrientationSequence",
    "PixelMeasuresSequence",
    "FrameContentSequence",
    "MRImageFrameTypeSequence",
    "CTImageFrameTypeSequence",
    "PETFrameTypeSequence",
    "MREchoSequence",
    "MRDiffusionSequence",
    "MRTimingAndRelatedParametersSequence",
    "MRModifierSequence",
    "CTReconstructionSequence",
    "CTXRayDetailsSequence",
    "TemporalPositionSequence",
    "CardiacSynchronizationSequence",
    "ContrastBolusUsageSequence",
)
# What enhanced objects call what other files call otherwise.
_ALIASES = {
    "EffectiveEchoTime": "EchoTime",
    "NominalCardiacTriggerDelayTime": "TriggerTime",
    "InversionTimes": "InversionTime",
    "TemporalPositionIndex": "TemporalPositionIdentifier",
    "FrameAcquisitionNumber": "AcquisitionNumber",
}
_FILM_TAGS = frozenset({0x00181063, 0x00181065})  # Frame Time, Frame Time Vector


@dataclass(frozen=True, slots=True)
class Frames:
    """What is known of the frames of a file.

    Attributes:
        instances: One for each frame, in the order of the file; the whole file alone if its frames
            have no place.
        refusal: Why they are no volume, or none unless the user agrees to what was assumed.
        assumed: Whether their places were taken from their order.
    """

    instances: tuple[Instance, ...]
    refusal: StudyError | None = None
    assumed: bool = False


def frames_of(instance: Instance) -> Frames:
    """Reads where the frames of a file lie.

    Args:
        instance: The header of a file with several frames, or with functional groups.
    """
    try:
        check_decodable(instance)
        with coded_errors(instance.transfer_syntax), quiet(), open_dicom(instance.path) as file:
            header = read_header(file)
            identity = instance.identity
            known = replace(
                instance,
                window=instance.window or stated_window(header),
                identity=replace(identity, body_part=identity.body_part or body_part(header)),
            )
            return _frames(known, header)
    except StudyError as error:
        return Frames((instance,), StudyError(error.code, error.detail))


def _frames(instance: Instance, header: Dataset) -> Frames:
    groups: Any = header.get_item(_PER_FRAME)
    if isinstance(groups, RawDataElement) and groups.length > limits().header // _GROUPS_SHARE:
        raise StudyError(Code.TOO_LARGE, "What it says of each of its frames is too long.")
    if not items(header, _PER_FRAME):
        return _stacked(instance, header)
    if len(header[_PER_FRAME].value) != instance.frames:
        raise StudyError(Code.TRUNCATED, "It does not describe all of its frames.")
    shared = items(header, _SHARED)[:1]
    common = Dataset()
    for name in ("ImageOrientationPatient", "PixelSpacing", "SliceThickness", "SpacingBetweenSlices"):
        if name in header:
            common[name] = header[name]
    found = tuple(
        _frame(instance, index, _flat(common, (*shared, group)), header, (*shared, group))
        for index, group in enumerate(header[_PER_FRAME].value)
    )
    found = _counted(found, header[_PER_FRAME].value)
    placed = sum(each.placement is not None for each in found)
    if not placed:
        raise _film(instance)
    if placed < len(found):
        raise StudyError(
            Code.FRAMES_UNPLACED, f"{len(found) - placed} of {len(found)} frames do not say where they lie."
        )
    return Frames(found)


def _counted(found: tuple[Instance, ...], groups: Sequence[Dataset]) -> tuple[Instance, ...]:
    """Numbers frames in the order of their Dimension Index Values (0020,9157), if these tell them apart."""
    contents = [items(group, "FrameContentSequence")[:1] for group in groups]
    stated = [text(content[0], "DimensionIndexValues").split("\\") if content else [] for content in contents]
    if len(found) == 1 or not all(value.isdecimal() for values in stated for value in values):
        return found
    indices = [tuple(map(int, values)) for values in stated]
    if len(set(indices)) < len(indices) or len(set(map(len, indices))) > 1:
        return found
    ranks = {index: rank for rank, index in enumerate(sorted(indices), 1)}
    return tuple(replace(one, number=ranks[index]) for one, index in zip(found, indices, strict=True))


def _flat(common: Dataset, groups: Sequence[Dataset]) -> Dataset:
    """Returns the attributes of the functional groups of a frame side by side; its own come last."""
    flat = Dataset()
    flat.update(common)
    for group in groups:
        for macro in _MACROS:
            for item in items(group, macro)[:1]:
                flat.update(item)
                for inner in ("MRDiffusionSequence", "DiffusionGradientDirectionSequence"):
                    for nested in items(item, inner)[:1]:
                        flat.update(nested)
    for stated, usual in _ALIASES.items():
        if stated in flat and usual not in flat:
            setattr(flat, usual, flat[stated].value)
    if "FrameType" in flat:
        # The last of them tells magnitude from phase, real and imaginary.
        flat.ImageType = [*text(flat, "FrameType").split("\\"), text(flat, "ComplexImageComponent")]
    return flat


def _frame(
    instance: Instance, index: int, flat: Dataset, header: Dataset, groups: Sequence[Dataset]
) -> Instance:
    spacing = positive(numbers(flat, "PixelSpacing", 2))
    thickness = number(flat, "SpacingBetweenSlices") or number(flat, "SliceThickness")
    stated = traits(flat)
    return replace(
        instance,
        frame=index,
        number=instance.number if instance.frames == 1 else index + 1,
        placement=placement(flat, spacing),
        pixel_shape=instance.pixel_shape if spacing is None else (spacing[0], spacing[1]),
        thickness=abs(thickness or instance.thickness),
        traits=tuple(own or whole for own, whole in zip(stated, instance.traits, strict=True)),
        pet=None if instance.pet is None else frame_facts(header, groups),
    )


def _stacked(instance: Instance, header: Dataset) -> Frames:
    """Places frames that follow the first one along its normal.

    Of reconstructed SPECT the file says so (PS3.3 C.8.4.9, C.8.4.15): the sign of Spacing Between
    Slices (0018,0088) is the direction, and Slice Vector (0054,0080) counts slices. Of others it is
    usual, but nothing says so.
    """
    kind = "".join(instance.image_type[2:3])
    reconstructed = instance.modality == "NM" and kind in ("RECON TOMO", "RECON GATED TOMO")
    detectors = items(header, "DetectorInformationSequence") if reconstructed else ()
    spacing = positive(numbers(header, "PixelSpacing", 2))
    first = placement(detectors[0] if detectors else header, spacing)
    step = number(header, "SpacingBetweenSlices")
    if first is None or not step or positive((abs(step),)) is None:
        if first is not None or reconstructed:
            raise StudyError(
                Code.FRAMES_UNPLACED, f"It holds {instance.frames} frames, and not how far they are apart."
            )
        raise _film(instance)
    if not reconstructed and _is_film(header):
        raise StudyError(Code.FILM, f"Its {instance.frames} frames follow each other in time.")
    slices = [int(each) for each in text(header, "SliceVector").split("\\") if each] if reconstructed else []
    slices = slices or list(range(1, instance.frames + 1))
    times = Counter(slices)  # a heart is reconstructed for several phases
    if (
        len(slices) != instance.frames
        or set(times) != set(range(1, len(times) + 1))
        or len(set(times.values())) > 1
    ):
        raise StudyError(Code.FRAMES_UNPLACED, "Its frames are not numbered as the slices of a volume.")
    directions = np.reshape(first.orientation, (2, 3))
    along = step * np.cross(*directions)
    placed = tuple(
        replace(
            instance,
            frame=index,
            number=index + 1,
            placement=replace(first, position=tuple((np.array(first.position) + (at - 1) * along).tolist())),
            thickness=abs(step),
        )
        for index, at in enumerate(slices)
    )
    if reconstructed and detectors:
        return Frames(placed)
    refusal = StudyError(
        Code.FRAMES_UNPLACED, f"It states the place of the first of its {instance.frames} frames only."
    )
    return Frames(placed, refusal, assumed=True)


def _is_film(header: Dataset) -> bool:
    pointers = header.get("FrameIncrementPointer")
    stated = {int(each) for each in (pointers if isinstance(pointers, list) else [pointers]) if each}
    return bool(stated & _FILM_TAGS) or "FrameTime" in header


def _film(instance: Instance) -> StudyError:
    return StudyError(Code.FILM, f"It holds {instance.frames} frames without a place in the patient.")

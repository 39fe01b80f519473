"""Splits the instances of DICOM series into groups that each are one volume or image.

One Series Instance UID often holds more than one volume: scouts in three planes, echoes,
time points, magnitude and phase. Nothing is merged or dropped on a guess: what cannot
be told apart stays one group with a refusal.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from napari_d24fad.errors import Code, StudyError
from napari_d24fad.studies.dicom.copies import Copy, set_copies_apart
from napari_d24fad.studies.dicom.functional_groups import Frames, frames_of
from napari_d24fad.studies.dicom.group import Group, natural, trait_names
from napari_d24fad.studies.dicom.header import Instance
from napari_d24fad.studies.dicom.mixtures import apart
from napari_d24fad.studies.dicom.mosaic import is_tiled
from napari_d24fad.studies.dicom.placement import Placement
from napari_d24fad.studies.dicom.tolerances import CORNER, corners_apart
from napari_d24fad.studies.dicom.traits import TRAITS
from napari_d24fad.studies.scan import Plane, Problem

# Below this difference of direction cosines two slices are meant to be parallel, and below the other
# one, in mm, to have the same pixels. They only decide who belongs together; see `tolerances` for what
# forms a volume.
_PARALLEL, _ALIKE = 1e-3, 5e-4

_NUMBERS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")
_MOST_NAMED = 6


def split_series(instances: Iterable[Instance]) -> list[Group]:
    """Splits instances into groups, ordered by series number.

    Args:
        instances: The headers of any number of series of any number of patients.
    """
    series: dict[Hashable, list[Instance]] = defaultdict(list)
    for instance in instances:
        who = instance.identity
        series[who.patient_key, who.study_uid, who.series_uid].append(instance)
    ordered = sorted(series.values(), key=lambda members: (members[0].series_number, members[0].path))
    return [group for members in ordered for group in _split_one(members)]


def _split_one(members: Sequence[Instance]) -> list[Group]:
    files, copies = set_copies_apart(members)
    framed = {one.path: frames_of(one) for one in files if one.frames > 1 or _says_of_frames(one)}
    originals = [frame for one in files for frame in _frames(one, framed)]
    spaces = {instance.identity.frame_of_reference_uid for instance in originals}
    # Some anonymisers give every file a frame of reference of its own, which says nothing.
    meant = 2 * len(spaces) <= len(originals)
    known = partial(_lattice, known=[])
    groups: list[Group] = []
    for look in _partition(originals, partial(_appearance, in_space=meant)):
        for parallel in _partition(look, known):
            found = _split_by_position(parallel, framed.get(parallel[0].path))
            groups += _as_volumes(found, len(groups))
    groups = _with_look(groups)
    # Pictures that look the same stay single without a reason that needs to be said.
    placed = any(group.instances[0].placement or group.instances[0].frames > 1 for group in groups)
    apart = len(groups) > 1 and (placed or any(group.suffix for group in groups))
    why = (Problem(Code.SPLIT_SERIES, _reason(groups)),) if apart else ()
    return [
        _with_copies(
            replace(group, problems=(*why, *group.problems), suffix=_numbered(group, groups)), copies
        )
        for group in groups
    ]


def _as_volumes(found: list[Group], number: int) -> list[Group]:
    """Says of groups at the same places that they are volumes of one series, such as echoes.

    Slices that lie between each other, or that state different Series Numbers, are of different series.

    Args:
        found: Groups of the same look and orientation.
        number: Different for each such call of one series.
    """
    places = [set(map(_place, group.instances)) for group in found]
    placed = all(group.instances[0].placement for group in found)
    tiled = is_tiled(found[0].instances[0])
    if len(found) < 2 or not (placed or tiled):
        return found
    if not tiled and any(places[0].isdisjoint(others) for others in places):
        return found
    first = found[0].instances[0].identity
    whole = f"{first.study_uid} {first.series_uid} {first.patient_key} {number}"
    return [
        replace(group, whole=f"{whole} {group.instances[0].series_number}", name=group.suffix)
        for group in found
    ]


def _says_of_frames(instance: Instance) -> bool:
    return instance.has_groups and instance.placement is None


def _frames(file: Instance, framed: Mapping[Path, Frames]) -> tuple[Instance, ...]:
    """Returns what a file is split into: its frames; itself if it has only one and says nothing of it."""
    found = framed.get(file.path)
    if found is None or (file.frames == 1 and (found.refusal or found.assumed)):
        return (file,)
    return found.instances


def _with_copies(group: Group, copies: Sequence[Copy]) -> Group:
    paths = {instance.path for instance in group.instances}
    own = tuple(copy for copy in copies if copy[0].path in paths)
    if not own:
        return group
    problem = Problem(Code.DUPLICATE_INSTANCE, f"Copies left out: {len(own)}.")
    return replace(group, problems=(*group.problems, problem), copies=own)


def _reason(groups: Sequence[Group]) -> str:
    """Says what a series consists of, such as "Two series: 24 slices axial, 1 localizer."."""
    parts = [_contents(group) for group in groups[:_MOST_NAMED]]
    if len(groups) > _MOST_NAMED:
        parts.append(f"{len(groups) - _MOST_NAMED} more")
    number = _NUMBERS[len(groups)] if len(groups) < len(_NUMBERS) else str(len(groups))
    return f"{number} series: {', '.join(parts)}."


def _contents(group: Group) -> str:
    first = group.instances[0]
    number = group.n_slices
    noun = "localizer" if "LOCALIZER" in first.image_type else "slice" if first.placement else "image"
    if first.frames > 1:
        noun = "frame"
    words = [word for word in group.suffix.split(", ") if word and word != noun]
    return " ".join([str(number), noun if number == 1 else f"{noun}s", *words])


def _appearance(instance: Instance, *, in_space: bool) -> Hashable:
    # Files with several frames are volumes of their own, unless they say that they are parts of one.
    whole = instance.concatenation if instance.placement else ""
    own = whole or (instance.path if instance.frames > 1 else None)
    return (
        own,
        instance.modality,
        instance.photometric,
        (instance.rows, instance.columns),
        None if instance.placement else tuple(round(length, 3) for length in instance.pixel_shape),
        instance.placement is None,
        "LOCALIZER" in instance.image_type,
        instance.identity.frame_of_reference_uid if in_space else None,
    )


def _lattice(instance: Instance, known: list[Placement]) -> int:
    """Returns the index of the first known placement of the same directions and spacing, adding a new one."""
    place = instance.placement
    if place is None:
        return -1
    for index, other in enumerate(known):
        turned = np.abs(np.subtract(place.orientation, other.orientation)).max()
        stretched = np.abs(np.subtract(place.pixel_spacing, other.pixel_spacing)).max()
        if (turned < _PARALLEL and stretched < _ALIKE) or (
            corners_apart(place, other, instance.rows, instance.columns) <= CORNER
        ):
            return index
    known.append(place)
    return len(known) - 1


def _split_by_position(members: list[Instance], frames: Frames | None) -> list[Group]:
    if members[0].frames > 1 and frames is not None and frames.refusal is not None:
        return [Group(tuple(members), refusal=frames.refusal, assumed=frames.assumed)]
    # Each tiled picture is a volume of its own, also where it lies elsewhere than the others.
    alone = is_tiled(members[0]) and _sharing(members) < len(members)
    if members[0].placement is not None and not alone:
        return [part for group in _split_shared(members) for part in apart(group)]
    ordered = sorted(members, key=lambda one: (one.number or 0, one.path))
    names = _own_names(ordered) if is_tiled(members[0]) else [""] * len(ordered)
    return [Group((instance,), name) for instance, name in zip(ordered, names, strict=True)]


def _own_names(members: Sequence[Instance]) -> list[str]:
    """Names each by the first trait that differs in all of them; else by nothing."""
    for index, (_, name) in enumerate(TRAITS):
        values = [_trait(instance, index) for instance in members]
        if len(set(values)) == len(values) > 1:
            return trait_names(name, values)
    return [""] * len(members)


def _split_shared(members: list[Instance], suffix: str = "") -> list[Group]:
    """Splits slices of one orientation so that no two of a group share a position."""
    sharing = _sharing(members)
    if sharing == 1:
        return [Group(tuple(members), suffix)]
    for index, (_, name) in enumerate(TRAITS):
        parts = _partition(members, partial(_trait, index=index))
        # A trait that counts slices instead of volumes does not thin out the positions.
        if 1 < len(parts) <= sharing and all(_sharing(part) < sharing for part in parts):
            parts.sort(key=lambda part: natural(_trait(part[0], index)))
            names = trait_names(name, [_trait(part[0], index) for part in parts])
            return [
                group
                for part, text in zip(parts, names, strict=True)
                for group in _split_shared(part, f"{suffix}, {text}".removeprefix(", "))
            ]
    volumes = _consecutive_volumes(members, sharing)
    if volumes:
        return [
            Group(tuple(volume), f"{suffix}, volume {order}".removeprefix(", "))
            for order, volume in enumerate(volumes, 1)
        ]
    refusal = StudyError(
        Code.MIXED_SERIES, f"Up to {sharing} slices lie at one position, and nothing tells them apart."
    )
    return [Group(tuple(members), suffix, refusal=refusal)]


def _consecutive_volumes(members: list[Instance], sharing: int) -> list[list[Instance]]:
    """Splits by Instance Number where that counts volume after volume, or slice after slice."""
    numbers = [instance.number for instance in members]
    if None in numbers or len(set(numbers)) < len(numbers) or len(members) % sharing:
        return []
    ordered = sorted(members, key=lambda one: one.number or 0)
    slices = len(members) // sharing
    by_volume = [ordered[start : start + slices] for start in range(0, len(ordered), slices)]
    by_slice = [ordered[start::sharing] for start in range(sharing)]
    for volumes in (by_volume, by_slice):
        positions = [{_place(instance) for instance in volume} for volume in volumes]
        if len(positions[0]) == slices and all(each == positions[0] for each in positions):
            return volumes
    return []


def _sharing(members: Iterable[Instance]) -> int:
    return max(Counter(map(_place, members)).values())


def _place(instance: Instance) -> Hashable:
    """The position to 0.01 mm; scanners write the same one with different digits."""
    return instance.placement and tuple(round(mm, 2) for mm in instance.placement.position)


def _partition(members: Iterable[Instance], key: Callable[[Instance], Hashable]) -> list[list[Instance]]:
    parts: dict[Hashable, list[Instance]] = defaultdict(list)
    for instance in members:
        parts[key(instance)].append(instance)
    return list(parts.values())


def _trait(instance: Instance, index: int) -> str:
    return instance.traits[index]


def _with_look(groups: list[Group]) -> list[Group]:
    """Puts into the suffix in what the groups of a series look different."""
    looks = [_look(group.instances[0]) for group in groups]
    differing = [column for column, values in enumerate(zip(*looks, strict=True)) if len(set(values)) > 1]
    return [
        replace(
            group, suffix=", ".join(word for word in [*(look[i] for i in differing), group.suffix] if word)
        )
        for group, look in zip(groups, looks, strict=True)
    ]


def _look(instance: Instance) -> tuple[str, ...]:
    plane = ""
    if instance.placement is not None:
        normal = np.cross(instance.placement.orientation[:3], instance.placement.orientation[3:])
        plane = (Plane.SAGITTAL, Plane.CORONAL, Plane.AXIAL)[int(np.abs(normal).argmax())].value
    return (
        "localizer" if "LOCALIZER" in instance.image_type else "",
        instance.modality,
        plane,
        f"{instance.rows} x {instance.columns}",
        f"{instance.pixel_shape[0]:.3g} mm pixels" if instance.placement else "",
    )


def _numbered(group: Group, groups: list[Group]) -> str:
    """Counts groups that would otherwise be called the same."""
    twins = [other for other in groups if other.suffix == group.suffix]
    if len(twins) == 1:
        return group.suffix
    return f"{group.suffix}, part {twins.index(group) + 1}".removeprefix(", ")

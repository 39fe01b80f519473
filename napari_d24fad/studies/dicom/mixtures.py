"""Tells slices of different volumes apart that share no position: they would make one even stack.

Two reconstructions that interleave, or follow each other, lie in one series if a workstation saves them
into one, or if an anonymiser blanks identifiers. Slices of two thicknesses of one head are two volumes.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace

import numpy as np

from napari_d24fad.errors import Code, StudyError
from napari_d24fad.studies.dicom.geometry import is_even
from napari_d24fad.studies.dicom.group import Group, trait_names
from napari_d24fad.studies.dicom.header import Instance
from napari_d24fad.studies.dicom.tolerances import common_plane
from napari_d24fad.studies.dicom.traits import TRAITS
from napari_d24fad.studies.scan import Problem

# One volume has one value of these. Others change from slice to slice, as times and flip angles do.
_OF_A_VOLUME = (
    "SeriesNumber",
    "EchoNumbers",
    "EchoTime",
    "DiffusionBValue",
    "ImageType",
    "ConvolutionKernel",
    "KVP",
    "ContrastBolusAgent",
    "SeriesDescription",
)
_NUMBERS = ("EchoTime", "DiffusionBValue", "KVP")  # measured, so that the last digits may differ
_SMALLEST_RUN = 3  # slices; two are always at even distances
_MOST_WOVEN = 4


def apart(group: Group) -> list[Group]:
    """Splits a group by what slices of one volume share: traits, and thickness where that changes.

    Args:
        group: Slices that share a plane and no position.

    Returns:
        The parts, each in the order of its slices; the group itself if it is one volume, or if
        nothing tells. If some slices differ and make no volume of their own, it says so.
    """
    ordered = _ordered(group.instances)
    if group.refusal is not None or len(ordered) < 4:
        return [group]
    even = is_even(ordered)
    odd = ""
    for index, (attribute, name) in enumerate(TRAITS):
        if attribute not in _OF_A_VOLUME:
            continue
        parts = _parts(ordered, _value(index, str(attribute)))
        if len(parts) == 1:
            continue
        if all(len(part) > 1 and is_even(part) for part in parts) or (
            not even and min(map(len, parts)) >= _SMALLEST_RUN and _interleave(ordered, parts)
        ):
            names = trait_names(name, [part[0].traits[index] for part in parts])
            return [
                one
                for part, text in zip(parts, names, strict=True)
                for one in apart(_named(group, part, text))
            ]
        odd = odd or name
    woven = _woven(ordered)
    if woven:
        return [_named(group, part, text) for part, text in zip(woven, _spacing_names(woven), strict=True)]
    if not even:
        runs = _runs(ordered)
        if len(runs) > 1:
            names = _spacing_names(runs)
            return [_named(group, run, text) for run, text in zip(runs, names, strict=True)]
    if odd:
        problem = Problem(Code.MIXED_TRAITS, f"They differ in {_SPELT.get(odd, odd)}.")
        return [replace(group, problems=(*group.problems, problem))]
    return [group]


_SPELT = {"b": "diffusion weighting", "kV": "tube voltage", "type": "image type", "series": "series number"}


def _named(group: Group, instances: Sequence[Instance], text: str) -> Group:
    return replace(group, instances=tuple(instances), suffix=f"{group.suffix}, {text}".removeprefix(", "))


def _ordered(instances: Sequence[Instance]) -> list[Instance]:
    """Sorts slices along their normal; leaves them if their directions contradict each other."""
    try:
        axes = common_plane(instances).axes
    except StudyError:
        return list(instances)
    return sorted(
        instances,
        key=lambda one: float(np.dot(one.placement.position if one.placement else (0, 0, 0), axes[:, 0])),
    )


def _value(index: int, attribute: str) -> Callable[[Instance], Hashable]:
    def value(instance: Instance) -> Hashable:
        text = instance.traits[index]
        try:
            return f"{float(text):.3g}" if attribute in _NUMBERS else text
        except ValueError:
            return text

    return value


def _parts(ordered: Sequence[Instance], value: Callable[[Instance], Hashable]) -> list[list[Instance]]:
    parts: dict[Hashable, list[Instance]] = defaultdict(list)
    for instance in ordered:
        parts[value(instance)].append(instance)
    return list(parts.values())


def _woven(ordered: Sequence[Instance]) -> list[list[Instance]]:
    """Splits slices that lie between each other by thickness, or where Instance Number counts them twice.

    The latter is all that is left of two series whose descriptions and identifiers were blanked.
    """
    thick = _parts(ordered, lambda one: round(one.thickness, 2))
    if 1 < len(thick) <= _MOST_WOVEN and _whole(thick) and _interleave(ordered, thick):
        return thick
    counted = Counter(instance.number for instance in ordered)
    times = next(iter(counted.values()))
    if None in counted or set(counted.values()) != {times} or not 2 <= times <= _MOST_WOVEN:
        return []
    turns = [list(ordered[start::times]) for start in range(times)]
    return turns if all(map(_count_up_or_down, turns)) and _whole(turns) else []


def _count_up_or_down(instances: Sequence[Instance]) -> bool:
    steps = np.diff([instance.number or 0 for instance in instances])
    return bool((steps > 0).all() or (steps < 0).all())


def _whole(parts: Sequence[Sequence[Instance]]) -> bool:
    return all(len(part) >= _SMALLEST_RUN and is_even(part) for part in parts)


def _interleave(ordered: Sequence[Instance], parts: Sequence[Sequence[Instance]]) -> bool:
    """Whether parts of a stack lie between each other, not one after the other."""
    place = {id(instance): index for index, instance in enumerate(ordered)}
    return any(place[id(part[-1])] - place[id(part[0])] >= len(part) for part in parts)


def _runs(ordered: Sequence[Instance]) -> list[list[Instance]]:
    """Splits a stack where its spacing changes; one run if that is not all that is uneven.

    Slices of one thickness belong together if they are even. Without that, gaps decide, unless one
    spacing is a whole number of the other: then slices may be missing.
    """
    parts = _parts(ordered, lambda one: round(one.thickness, 2))
    if len(parts) > 1:
        whole = all(len(part) > 1 and is_even(part) for part in parts)
        return parts if whole and not _interleave(ordered, parts) else [list(ordered)]
    runs: list[list[Instance]] = []
    for instance in ordered:
        longer = [*runs[-1], instance] if runs else [instance]
        if runs and is_even(longer):
            runs[-1] = longer
        else:
            runs.append([instance])
    if min(map(len, runs)) < _SMALLEST_RUN:
        return [list(ordered)]
    gaps = sorted(map(_gap, runs))
    ratios = np.array(gaps) / gaps[0]
    return [list(ordered)] if np.abs(ratios - np.round(ratios)).max() < 0.1 else runs


def _gap(run: Sequence[Instance]) -> float:
    """Returns the distance of the slices of an even run in mm."""
    first, last = (np.array(one.placement.position) for one in (run[0], run[-1]) if one.placement)
    return float(np.linalg.norm(last - first)) / (len(run) - 1)


def _spacing_names(runs: Sequence[Sequence[Instance]]) -> list[str]:
    thick = [f"{run[0].thickness:.3g} mm slices" for run in runs]
    gaps = [f"every {_gap(run):.3g} mm" for run in runs]
    differing = (names for names in (thick, gaps) if len(set(names)) == len(runs))
    return next(differing, [f"part {number}" for number in range(1, len(runs) + 1)])

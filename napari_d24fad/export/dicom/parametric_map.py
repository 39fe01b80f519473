"""The anomaly map as a DICOM Parametric Map (PS3.3 A.75): float32 on the grid of the scan."""

from __future__ import annotations

import numpy as np
from highdicom import VOILUTFunctionValues, VOILUTTransformation
from highdicom.pm import ParametricMap, RealWorldValueMapping
from highdicom.sr import CodedConcept
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.valuerep import format_number_as_ds

from napari_d24fad.detection.result import AnomalyMap
from napari_d24fad.errors import Code, ExportError
from napari_d24fad.export.colours import anomaly_limits
from napari_d24fad.export.dicom.common import (
    MAP_VALUE,
    UNPAIRED,
    made_by,
    on_grid,
    origin,
    say_body_part,
    source_images,
)
from napari_d24fad.export.dicom.source import Source

_NARROWEST = 1e-6
_ROUNDED = 5e-4
"""By how much directions may differ that were stated by a scanner and brought to right angles here."""


def parametric_map(source: Source, anomaly: AnomalyMap, number: int) -> ParametricMap:
    """Makes a Parametric Map of the values of a map; see `padding` for places that were not examined.

    Args:
        source: The images of the scan.
        anomaly: Its map.
        number: Which object of the export it is.

    Raises:
        ExportError: ``NOTHING_TO_EXPORT`` if nothing was examined.
    """
    values = np.asarray(anomaly.values, np.float32)
    examined = np.isfinite(values)
    if not examined.any():
        raise ExportError(Code.NOTHING_TO_EXPORT, "Nothing of the scan was examined.")
    low, high = float(values[examined].min()), float(values[examined].max())
    outside = padding(low)
    first, last = anomaly_limits(anomaly)
    made = ParametricMap(
        **source_images(source),
        pixel_array=on_grid(np.where(examined, values, outside), source),
        contains_recognizable_visual_features=False,
        real_world_value_mappings=[
            RealWorldValueMapping(
                lut_label="ANOMALY",
                lut_explanation="Anomaly map value, no unit",
                unit=codes.UCUM.NoUnits,
                value_range=(low, high),
                slope=1.0,
                intercept=0.0,
                quantity_definition=MAP_VALUE,
            )
        ],
        # Black below the level of one false region in a normal scan, as in the pictures.
        voi_lut_transformations=[
            VOILUTTransformation(
                window_center=(first + last) / 2,
                window_width=max(last - first, _NARROWEST),
                voi_lut_function=VOILUTFunctionValues.LINEAR_EXACT,  # others are not defined below 1
            )
        ],
        content_label="ANOMALY_MAP",
        content_description="Anomaly map, research use only",
        content_creator_name="",  # a program is no person
        **made_by(),
        **origin(source, number),
    )
    say_body_part(made, source)
    _put_in_order(made)
    _turn_as_stated(made, source)
    region = _anatomy(source)
    if region is not None:
        made.SharedFunctionalGroupsSequence[0].FrameAnatomySequence = [region]
    if not examined.all():
        # A range of this one value: readers take the range for granted.
        made.FloatPixelPaddingValue = made.FloatPixelPaddingRangeLimit = float(outside)
    return made


def _put_in_order(made: ParametricMap) -> None:
    """Puts frames in the order of their place along the normal, rows times columns.

    highdicom puts them against it. Each frame says where it lies, but dcmqi, which 3D Slicer reads maps with,
    takes them in the order of the file.
    """
    groups = list(made.PerFrameFunctionalGroupsSequence)
    if len(groups) < 2 or "PlanePositionSequence" not in groups[0]:
        return
    shared = made.SharedFunctionalGroupsSequence[0]
    cosines = np.array(shared.PlaneOrientationSequence[0].ImageOrientationPatient, float)
    normal = np.cross(cosines[:3], cosines[3:])
    first, last = (
        np.array(each.PlanePositionSequence[0].ImagePositionPatient, float)
        for each in (groups[0], groups[-1])
    )
    if (last - first) @ normal > 0:
        return
    pixels = np.frombuffer(made.FloatPixelData, "<f4").reshape(len(groups), -1)
    made.FloatPixelData = pixels[::-1].tobytes()
    made.PerFrameFunctionalGroupsSequence = groups[::-1]
    for number, group in enumerate(groups[::-1], start=1):
        group.FrameContentSequence[0].DimensionIndexValues = number


def _turn_as_stated(made: ParametricMap, source: Source) -> None:
    """Writes the orientation in the digits of the source, which is the same but for rounding.

    OHIF 3.13 shows a map only if these are equal to the last digit.
    """
    plane = made.SharedFunctionalGroupsSequence[0].PlaneOrientationSequence[0]
    ours = np.array(plane.ImageOrientationPatient, float)
    if source.orientation and np.abs(ours - source.orientation).max() < _ROUNDED:
        plane.ImageOrientationPatient = [format_number_as_ds(float(each)) for each in source.orientation]


def _anatomy(source: Source) -> Dataset | None:
    """Returns the Frame Anatomy macro, where the source says which part of the body it shows.

    Only of parts that there is one of: no side is guessed. Some readers cannot do without it.
    """
    named = getattr(codes.SCT, source.scan.identity.body_part.capitalize(), None)
    if source.scan.identity.body_part not in UNPAIRED or named is None:
        return None
    anatomy = Dataset()
    anatomy.FrameLaterality = "U"
    anatomy.AnatomicRegionSequence = [CodedConcept.from_code(named)]
    return anatomy


def padding(lowest: float) -> np.float32:
    """Returns Float Pixel Padding Value (0028,0122), which stands for NaN: some viewers cannot read that.

    Args:
        lowest: Of the map values; it is well below.
    """
    return np.float32(np.floor(lowest) - 1)

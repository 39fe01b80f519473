"""What tells slices of several volumes apart: echo, diffusion weighting, time, kernel."""

from __future__ import annotations

from pydicom.dataset import Dataset
from pydicom.tag import Tag

from napari_d24fad.studies.dicom.values import text

# Of GE: magnitude, phase, real or imaginary.
_GE_TYPE, _GE_TYPES = 0x0043102F, ("MAGNITUDE", "PHASE", "REAL", "IMAGINARY")

# Attributes that tell instances at one slice position apart, in the order they are tried,
# with the word that is shown: echoes, diffusion weightings, time points, reconstructions.
TRAITS: tuple[tuple[str | int, str], ...] = (
    ("SeriesNumber", "series"),
    ("EchoNumbers", "echo"),
    ("EchoTime", "echo time"),
    ("DiffusionBValue", "b"),
    (0x0019100C, "b"),  # Siemens
    (0x00431039, "b"),  # GE
    ("TemporalPositionIdentifier", "time"),
    ("TriggerTime", "trigger time"),
    ("InversionTime", "inversion time"),
    ("FlipAngle", "flip angle"),
    ("ImageType", "type"),
    (_GE_TYPE, "type"),
    ("ConvolutionKernel", "kernel"),
    ("KVP", "kV"),
    ("ContrastBolusAgent", "contrast"),
    ("SeriesDescription", "description"),
    ("AcquisitionNumber", "acquisition"),
    ("AcquisitionTime", "time"),
)

_GE_CREATOR = 0x00430010  # without which nobody knows what kind of value its attributes hold
TRAIT_TAGS = (*(int(Tag(trait)) for trait, _ in TRAITS), _GE_CREATOR)
"""What is read of a header for them."""


def traits(header: Dataset) -> tuple[str, ...]:
    """Returns the values of `TRAITS`; empty where one is missing."""
    types = {str(number): name for number, name in enumerate(_GE_TYPES)}
    stated = [(trait, text(header, trait)) for trait, _ in TRAITS]
    return tuple(types.get(value, value) if trait == _GE_TYPE else value for trait, value in stated)

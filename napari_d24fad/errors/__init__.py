"""Every way the tool can refuse: one exception family with stable codes.

A code, once released, keeps its meaning. Sentences are for clinicians; they never
name a patient, a date or a path. The letter tells the room: ``S`` studies,
``P`` pairing of query and references, ``M`` models, ``X`` export, ``T`` training,
``R`` reading: sessions and what they name, ``N`` the network: archives, ``C`` cohorts,
``A`` arguments.
"""

from napari_d24fad.errors.codes import Code
from napari_d24fad.errors.family import (
    ArchiveError,
    ArgumentError,
    Cancelled,
    CohortError,
    D24fadError,
    ExportError,
    ModelError,
    PairingError,
    SessionError,
    StudyError,
    TrainingError,
)

__all__ = [
    "ArchiveError",
    "ArgumentError",
    "Cancelled",
    "Code",
    "CohortError",
    "D24fadError",
    "ExportError",
    "ModelError",
    "PairingError",
    "SessionError",
    "StudyError",
    "TrainingError",
]

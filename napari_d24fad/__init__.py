"""Few-shot anomaly detection for radiology: normal references in, anomaly map out.

From a script or a notebook::

    import napari_d24fad as d24

    query, *references = d24.open_study("folder").series
    session = d24.Session(model="compact", device="auto")
    examination = session.examine(query, references)
    d24.save(examination, "out")
"""

from importlib import import_module
from typing import TYPE_CHECKING

from napari_d24fad.version import __version__

if TYPE_CHECKING:
    from napari_d24fad.errors import D24fadError
    from napari_d24fad.session.request import Examination
    from napari_d24fad.session.saved.case import Case
    from napari_d24fad.session.saved.reopening import open_scans
    from napari_d24fad.session.saved.reporting import save_report
    from napari_d24fad.session.saved.session_file import read_session, save_session
    from napari_d24fad.session.saving import save
    from napari_d24fad.session.scripting import Session
    from napari_d24fad.studies.study import Study, open_study

__all__ = [
    "Case",
    "D24fadError",
    "Examination",
    "Session",
    "Study",
    "__version__",
    "open_scans",
    "open_study",
    "read_session",
    "save",
    "save_report",
    "save_session",
]

_WHERE = {
    "Case": "session.saved.case",
    "D24fadError": "errors",
    "Examination": "session.request",
    "Session": "session.scripting",
    "Study": "studies.study",
    "open_scans": "session.saved.reopening",
    "open_study": "studies.study",
    "read_session": "session.saved.session_file",
    "save": "session.saving",
    "save_report": "session.saved.reporting",
    "save_session": "session.saved.session_file",
}


def __getattr__(name: str) -> object:
    # Imported when first used: napari asks for this package at its start, and it may cost nothing then.
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

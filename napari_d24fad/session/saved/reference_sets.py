"""Named reference sets, such as "normal head CT, 8 scans": one file with what was measured of the scans.

A set is a session without cases. With it lie the entries of the feature cache that a run with these
references asks for, so that on another machine it needs neither the scans nor the time; a single image, of
which no entry is kept, lies in it as it is.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from napari_d24fad.errors import ArgumentError, Code, D24fadError, SessionError
from napari_d24fad.network.tensors import Tensors
from napari_d24fad.progress import CancelToken, Progress, silent
from napari_d24fad.session.arrays import Array
from napari_d24fad.session.feature_cache import FeatureCache
from napari_d24fad.session.request import Request
from napari_d24fad.session.saved.document import Document
from napari_d24fad.session.saved.file import read_document, read_header, write_document
from napari_d24fad.session.saved.hashes import ContentHashes
from napari_d24fad.session.saved.scans import NamedSeries, named_series, save_scan, save_study
from napari_d24fad.session.saved.seal import is_own
from napari_d24fad.session.stored import source_key
from napari_d24fad.settings import features_folder, features_limit, reference_sets_folder
from napari_d24fad.studies.scan import Voxels
from napari_d24fad.studies.series import Series
from napari_d24fad.version import __version__

SUFFIX = ".d24fad-references"

_KEY = re.compile("[0-9a-f]{64}")
_ENTRY, _PIXELS = "entry ", "pixels "
_LONGEST_NAME, _SCRATCH_BYTES = 80, 2**40
_ELSEWHERE = (
    "Only its features are known, which were made with another model, setting or version, or are not kept "
    "on this machine (D24FAD_FEATURES_GIB)."
)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SharedSeries(NamedSeries):
    """A reference of a set, of which its features are known, or its pixels.

    Attributes:
        voxels: Its pixels; None where only features are known.
    """

    voxels: Voxels | None = field(default=None, repr=False)

    @property
    def files(self) -> tuple[Path, ...]:
        """See `Series.files`."""
        return (self.source,)

    def fingerprint(self) -> str:
        """See `Series.fingerprint`: of its content, wherever it is."""
        content = self.study.pixels_sha256 or f"{self.study.sha256} {id(self)}"
        return hashlib.sha256(f"shared {content}".encode()).hexdigest()

    def _read(self, progress: Progress, cancel: CancelToken) -> Voxels:
        if self.voxels is None:
            raise SessionError(Code.SCAN_MISSING, _ELSEWHERE)
        return self.voxels

    def _read_middle_slice(self, cancel: CancelToken) -> Voxels:
        axis = self.outline.slice_axis
        middle: Voxels = np.take(self._read(silent, cancel), [self.grid[axis] // 2], axis=axis)
        return middle


@dataclass(frozen=True, slots=True)
class ReferenceSet:
    """A reference set as it is listed.

    Attributes:
        name: What the user called it.
        path: Its file.
        labels: What its scans are.
    """

    name: str
    path: Path = field(repr=False)
    labels: tuple[str, ...]


class _Recording(FeatureCache):
    """Notes which entries are asked for."""

    def __init__(self, folder: Path, limit: int) -> None:
        super().__init__(folder, limit)
        self.used: set[str] = set()

    def get(self, key: str) -> tuple[Tensors, dict[str, Any]] | None:
        """See `FeatureCache.get`."""
        found = super().get(key)
        if found is not None:
            self.used.add(key)
        return found

    def put(self, key: str, tensors: Tensors, content: Mapping[str, Any]) -> None:
        """See `FeatureCache.put`."""
        super().put(key, tensors, content)
        self.used.add(key)


def save_reference_set(
    name: str,
    request: Request,
    path: Path | None = None,
    progress: Progress = silent,
    cancel: CancelToken | None = None,
) -> Path:
    """Measures the references of a request, unless they were measured before, and saves them as a set.

    The file holds small pictures of the scans, and their paths: it is passed on as scans are.

    Args:
        name: What to call the set.
        request: Its query is not looked at, and may be a reference.
        path: The file; None for one in the user's folder, named after the set.
        progress: Told how far it is.
        cancel: Stops it.

    Returns:
        The file.

    Raises:
        ArgumentError: ``BAD_ARGUMENT``, if it has no name.
        ExportError: ``CANNOT_WRITE`` if the system refuses.
        D24fadError: Why these references cannot be used.
        Cancelled: If a stop was asked for.
    """
    from napari_d24fad.session.loaded import Loaded  # imports torch

    called = " ".join(name.split())
    if not called or len(called) > _LONGEST_NAME:
        raise ArgumentError(
            Code.BAD_ARGUMENT, f"A reference set has a name of up to {_LONGEST_NAME} letters."
        )
    cancel = cancel or CancelToken()
    target = path or reference_sets_folder() / f"{_stem(called)}{SUFFIX}"
    with TemporaryDirectory() as scratch:
        limit = features_limit()
        # The features of a set are kept even where the user keeps no others.
        cache = _Recording(features_folder(), limit) if limit else _Recording(Path(scratch), _SCRATCH_BYTES)
        Loaded(request, len(request.references), cache).prepare(request, progress, cancel)
        _write(called, request, target, cache, cancel)
    return target


def _write(name: str, request: Request, target: Path, cache: _Recording, cancel: CancelToken) -> None:
    hashes, arrays, studies, notes = ContentHashes(), dict[str, Array](), [], set()
    for at, series in enumerate(request.references):
        study = save_study(series, target.absolute().parent, "normal", hashes, cancel)
        key = source_key(series.fingerprint())
        note = cache.get(key)
        if note is None:  # no features are kept of it
            scan = series.load(cancel=cancel)
            # Only the pixels tell that what is stored as colour is grey.
            study = replace(study, scan=save_scan(scan))
            arrays[f"{_PIXELS}{at}"] = np.asarray(scan.voxels)
        else:
            study = replace(study, pixels_sha256=str(note[1]["pixels"]))
            notes.add(key)
        studies.append(study)
    for key in sorted(cache.used - notes):
        content = cache.stored(key)
        if content is not None:
            arrays[f"{_ENTRY}{key}"] = np.frombuffer(content, np.uint8)
    write_document(Document(__version__, tuple(studies), name=name), arrays, target)


def open_reference_set(path: Path) -> tuple[Series, ...]:
    """Returns the references of a set; nothing that it names is opened, and its features are kept.

    Raises:
        StudyError: ``PATH_MISSING``, ``PATH_UNREADABLE``.
        SessionError: ``SESSION_BROKEN``, ``SESSION_NEWER``.
    """
    document, arrays = read_document(path)
    own, folder = is_own(document), path.absolute().parent
    cache = FeatureCache(features_folder(), features_limit())
    try:
        if not document.name:
            raise ValueError("It is a session.")
        found = []
        for at, study in enumerate(document.studies):
            named = named_series(study, folder, is_foreign=not own)
            voxels = arrays.get(f"{_PIXELS}{at}")
            if voxels is not None and voxels.shape != named.outline.voxels.shape:
                raise ValueError("The pixels do not fit the scan.")
            shared = SharedSeries(
                outline=replace(named.outline, pixels_hash=""),
                source=path.absolute(),
                n_files=study.n_files,
                kind=study.kind,
                number=study.number,
                study=study,
                folder=folder,
                is_foreign=not own,
                voxels=voxels,
            )
            found.append(shared)
        entries = {
            name.removeprefix(_ENTRY): each for name, each in arrays.items() if name.startswith(_ENTRY)
        }
        if not all(_KEY.fullmatch(key) and each.dtype == np.uint8 for key, each in entries.items()):
            raise ValueError("An entry has no key.")
    except (LookupError, ValueError, TypeError) as error:
        raise SessionError(Code.SESSION_BROKEN) from error
    for key, content in entries.items():
        cache.take(key, content.tobytes())
    for series in found:
        if series.study.pixels_sha256:
            cache.put(source_key(series.fingerprint()), {}, {"pixels": series.study.pixels_sha256})
    return tuple(found)


def find_reference_set(name: str) -> Path:
    """Returns the file of a set: of this name in the user's folder, or of this path.

    Raises:
        ArgumentError: ``BAD_ARGUMENT``, if there is none.
    """
    listed = next((each.path for each in list_reference_sets() if each.name == name), None)
    if listed is not None:
        return listed
    if Path(name).suffix == SUFFIX and Path(name).is_file():
        return Path(name)
    raise ArgumentError(Code.BAD_ARGUMENT, "There is no reference set of this name or path.")


def list_reference_sets() -> tuple[ReferenceSet, ...]:
    """Lists the sets in the user's folder by name; what is damaged is left out."""
    found = []
    for path in sorted(reference_sets_folder().glob(f"*{SUFFIX}")):
        try:
            document = read_header(path)
        except D24fadError:
            continue
        found.append(ReferenceSet(document.name, path, tuple(study.label for study in document.studies)))
    return tuple(sorted(found, key=lambda each: each.name.casefold()))


def _stem(name: str) -> str:
    """Returns a file name after what the user called it; by a hash where two names could share one."""
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    plain = re.sub("[^A-Za-z0-9]+", "-", name).strip("-")[:40]
    return f"{plain}-{digest}" if plain else digest

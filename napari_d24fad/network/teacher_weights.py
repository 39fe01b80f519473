"""The published weights of the teachers: fetched or imported on demand, kept, checked on use."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from napari_d24fad.atomic import atomic_file
from napari_d24fad.errors import ArgumentError, Code, ModelError
from napari_d24fad.network import strict_json as strict
from napari_d24fad.network.download import download
from napari_d24fad.network.files import is_file, sha256_of
from napari_d24fad.network.teachers.catalogue import CATALOGUE, PublishedWeights, published_for
from napari_d24fad.progress import CancelToken, Progress, part, silent
from napari_d24fad.settings import imagenet_folder, teachers_folder, weights_url

if TYPE_CHECKING:
    from napari_d24fad.network.tensors import Tensors

_SAFETENSORS = ".safetensors"


@dataclass(frozen=True, slots=True)
class _Installed:
    """What was installed for a teacher, kept as ``TEACHER.json`` beside ``TEACHER.safetensors``.

    Attributes:
        source_sha256: SHA-256 of the published file, in full.
        sha256: SHA-256 of the safetensors file made of it.
        licence: What was accepted for it; empty if nothing was asked.
    """

    source_sha256: strict.Sha256
    sha256: strict.Sha256
    licence: str = ""


def weights_installed(teacher: str) -> bool:
    """Returns whether a teacher's published weights are here. They are checked when they are loaded."""
    return installed_sha256(teacher) is not None


def installed_sha256(teacher: str) -> str | None:
    """Returns the SHA-256 of a teacher's weights as they are kept here; None if they are not installed."""
    installed = _installed(teacher)
    return installed.sha256 if installed is not None and is_file(weights_file(teacher)) else None


def download_weights(
    teacher: str,
    *,
    accepted: bool = False,
    catalogue: tuple[PublishedWeights, ...] = CATALOGUE,
    progress: Progress = silent,
    cancel: CancelToken | None = None,
) -> None:
    """Downloads a teacher's published weights unless they are here and intact.

    Args:
        teacher: One of the catalogue.
        accepted: Whether the licence was accepted, where that is asked for.
        catalogue: What there is.
        progress: Told how far the download is.
        cancel: Keeps what arrived, so that the next call goes on from there.

    Raises:
        ArgumentError: BAD_ARGUMENT if nothing is downloaded for this teacher.
        ModelError: LICENCE_NOT_ACCEPTED; DOWNLOAD_FAILED, CHECKSUM_MISMATCH, MODEL_CORRUPT,
            MODEL_MISMATCH; CANNOT_WRITE for what is downloaded.
        ExportError: CANNOT_WRITE for what is made of it.
        Cancelled: If asked to stop.
    """
    published = published_for(teacher, catalogue)
    if published is None or not published.file:
        known = ", ".join(entry.teacher for entry in catalogue if entry.file)
        wrong = f"Weights are downloaded for {known}."
        if published is not None:
            wrong += f" Those of {teacher} are imported: fetch them from {published.source}"
        raise ArgumentError(Code.BAD_ARGUMENT, wrong)
    if _intact(teacher):
        progress(1.0, f"The weights of {teacher} are installed")
        return
    _expect_accepted(published, accepted)
    fetched = _folder(teacher) / published.file
    try:
        url = f"{weights_url(published.folder)}/{published.file}"
        source = download(url, fetched, _expected(published), progress=part(progress, 0, 0.95), cancel=cancel)
        progress(0.95, "Installing")
        _install(fetched, source, published)
    finally:
        fetched.unlink(missing_ok=True)
    progress(1.0, f"The weights of {teacher} are installed")


def import_weights(
    file: Path,
    teacher: str | None = None,
    *,
    accepted: bool = False,
    catalogue: tuple[PublishedWeights, ...] = CATALOGUE,
) -> str:
    """Installs a published weights file that was brought here without the network.

    Args:
        file: As published; which one it is, its checksum tells, not its name, where that is known.
        teacher: What it is for; needed where its checksum is not known. Then all of its weights must have
            the names and shapes of this teacher's.
        accepted: Whether the licence was accepted, where that is asked for.
        catalogue: What there is.

    Returns:
        The teacher it is for.

    Raises:
        ArgumentError: BAD_ARGUMENT if nothing is published for this teacher.
        ModelError: CHECKSUM_MISMATCH if it is none of them; TEACHER_MISMATCH if it is that of another
            teacher; LICENCE_NOT_ACCEPTED; MODEL_MISMATCH; MODEL_CORRUPT.
        ExportError: CANNOT_WRITE.
    """
    source = sha256_of(file)
    published = _by_checksum(source, catalogue)
    if teacher is not None:
        published = _named(teacher, published, file, catalogue)
    if published is None:
        detail = "It is none of those whose checksum is known. Of others name the teacher with --teacher."
        raise ModelError(Code.CHECKSUM_MISMATCH, detail)
    _expect_accepted(published, accepted)
    _install(file, source, published)
    return published.teacher


def recognise(file: Path, *, catalogue: tuple[PublishedWeights, ...] = CATALOGUE) -> PublishedWeights | None:
    """Tells which published weights a file is by its checksum; None if that is not known.

    Raises:
        ModelError: MODEL_CORRUPT if it cannot be read.
    """
    return _by_checksum(sha256_of(file), catalogue)


def load_weights(teacher: str) -> Tensors:
    """Reads a teacher's published weights, less the classifier, by the names that the teacher has.

    Raises:
        ModelError: WEIGHTS_MISSING if they are not installed; CHECKSUM_MISMATCH or MODEL_CORRUPT
            if they were damaged since.
    """
    from napari_d24fad.network.tensors import (
        read_tensors,
    )  # not at the top: asking what is here needs no torch

    sha256 = installed_sha256(teacher)
    if sha256 is None:
        raise ModelError(Code.WEIGHTS_MISSING, f"The teacher is {teacher}.")
    if sha256_of(weights_file(teacher)) != sha256:
        raise ModelError(Code.CHECKSUM_MISMATCH)
    return read_tensors(weights_file(teacher))


def weights_file(teacher: str) -> Path:
    """Returns where a teacher's weights are kept; they need not be there."""
    return _folder(teacher) / f"{teacher}{_SAFETENSORS}"


def _by_checksum(sha256: str, catalogue: tuple[PublishedWeights, ...]) -> PublishedWeights | None:
    return next((each for each in catalogue if each.sha256 and sha256.startswith(_expected(each))), None)


def _named(
    teacher: str, found: PublishedWeights | None, file: Path, catalogue: tuple[PublishedWeights, ...]
) -> PublishedWeights:
    """Returns what a file is taken for by the teacher that was named for it."""
    wanted = published_for(teacher, catalogue)
    if wanted is None:
        known = ", ".join(entry.teacher for entry in catalogue)
        raise ArgumentError(Code.BAD_ARGUMENT, f"Weights are published for {known}.")
    if found is not None and found.teacher != teacher:
        raise ModelError(Code.TEACHER_MISMATCH, f"By its checksum the file is that of {found.teacher}.")
    # Of some the publisher's own file is known; another format of the same weights is not.
    if found is None and wanted.sha256 and file.suffix != _SAFETENSORS:
        raise ModelError(Code.CHECKSUM_MISMATCH, f"It is not {wanted.file}, or it is cut off or changed.")
    return wanted


def _expect_accepted(published: PublishedWeights, accepted: bool) -> None:
    if published.asks and not accepted:
        detail = f"{published.title}: {published.licence}, {published.terms}"
        raise ModelError(Code.LICENCE_NOT_ACCEPTED, detail)


def _folder(teacher: str) -> Path:
    published = published_for(teacher)
    return teachers_folder() if published is not None and published.asks else imagenet_folder()


def _record(teacher: str) -> Path:
    return _folder(teacher) / f"{teacher}.json"


def _installed(teacher: str) -> _Installed | None:
    """Returns the record of a teacher; None without one, or if it is damaged and thus says nothing."""
    try:
        raw = strict.parse_object(strict.read_text(_record(teacher)))
        return strict.checked(TypeAdapter(_Installed), raw)
    except ModelError:
        return None


def _intact(teacher: str) -> bool:
    sha256 = installed_sha256(teacher)
    return sha256 is not None and sha256_of(weights_file(teacher)) == sha256


def _expected(published: PublishedWeights) -> str:
    """Returns the checksum to hold a file against: in full if one was installed before."""
    installed = _installed(published.teacher)
    if installed and published.sha256 and installed.source_sha256.startswith(published.sha256):
        return installed.source_sha256
    return published.sha256


def _install(file: Path, source_sha256: str, published: PublishedWeights) -> None:
    from napari_d24fad.network.fitting import fitted  # these import torch
    from napari_d24fad.network.tensors import named_tensors, read_pickled, read_tensors, write_tensors

    is_pickle = file.suffix != _SAFETENSORS
    tensors = named_tensors(read_pickled(file)) if is_pickle else read_tensors(file)
    if published.asks:
        tensors = fitted(tensors, published.teacher)
    else:
        tensors = {name: tensor for name, tensor in tensors.items() if not name.startswith("fc.")}
    weights = weights_file(published.teacher)
    write_tensors(tensors, weights)
    licence = published.licence if published.asks else ""
    record = asdict(_Installed(source_sha256, sha256_of(weights), licence))
    with atomic_file(_record(published.teacher)) as temporary:
        temporary.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")

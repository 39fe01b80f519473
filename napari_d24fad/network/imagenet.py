"""The published ImageNet weights of the teachers: fetched or imported on demand, kept, checked on use."""

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
from napari_d24fad.progress import CancelToken, Progress, part, silent
from napari_d24fad.settings import imagenet_folder, weights_url

if TYPE_CHECKING:
    from napari_d24fad.network.tensors import Tensors


@dataclass(frozen=True, slots=True)
class PublishedWeights:
    """A weights file as its publisher offers it.

    Attributes:
        teacher: The architecture it is for.
        file: Its published name.
        sha256: Its SHA-256, or the first digits of it where no more is published.
    """

    teacher: str
    file: str
    sha256: str


CATALOGUE = (
    PublishedWeights(
        "resnet18",
        "resnet18-f37072fd.pth",
        "f37072fd47e89c5e827621c5baffa7500819f7896bbacec160b1a16c560e07ec",
    ),
    # torchvision publishes no more of this one's SHA-256 than its name says.
    PublishedWeights("wide_resnet50_2", "wide_resnet50_2-95faca4d.pth", "95faca4d"),
)
"""torchvision's ``IMAGENET1K_V1`` weights."""


@dataclass(frozen=True, slots=True)
class _Installed:
    """What was installed for a teacher, kept as ``TEACHER.json`` beside ``TEACHER.safetensors``.

    Attributes:
        source_sha256: SHA-256 of the published file, in full.
        sha256: SHA-256 of the safetensors file made of it.
    """

    source_sha256: strict.Sha256
    sha256: strict.Sha256


def imagenet_weights_installed(teacher: str) -> bool:
    """Returns whether a teacher's published weights are here. They are checked when they are loaded."""
    return _installed(teacher) is not None and is_file(_weights(teacher))


def download_imagenet_weights(
    teacher: str,
    *,
    catalogue: tuple[PublishedWeights, ...] = CATALOGUE,
    progress: Progress = silent,
    cancel: CancelToken | None = None,
) -> None:
    """Downloads a teacher's published weights unless they are here and intact.

    Args:
        teacher: One of the catalogue.
        catalogue: What there is.
        progress: Told how far the download is.
        cancel: Keeps what arrived, so that the next call goes on from there.

    Raises:
        ArgumentError: BAD_ARGUMENT if nothing is published for this teacher.
        ModelError: DOWNLOAD_FAILED, CHECKSUM_MISMATCH, MODEL_CORRUPT; CANNOT_WRITE for what is downloaded.
        ExportError: CANNOT_WRITE for what is made of it.
        Cancelled: If asked to stop.
    """
    published = next((entry for entry in catalogue if entry.teacher == teacher), None)
    if published is None:
        known = ", ".join(entry.teacher for entry in catalogue)
        raise ArgumentError(Code.BAD_ARGUMENT, f"ImageNet weights are published for {known}.")
    if _intact(teacher):
        progress(1.0, f"The weights of {teacher} are installed")
        return
    fetched = imagenet_folder() / published.file
    try:
        url = f"{weights_url()}/{published.file}"
        source = download(url, fetched, _expected(published), progress=part(progress, 0, 0.95), cancel=cancel)
        progress(0.95, "Installing")
        _install(fetched, source, teacher)
    finally:
        fetched.unlink(missing_ok=True)
    progress(1.0, f"The weights of {teacher} are installed")


def import_imagenet_weights(file: Path, *, catalogue: tuple[PublishedWeights, ...] = CATALOGUE) -> str:
    """Installs a published weights file that was brought here without the network.

    Args:
        file: The ``.pth`` as published; which one it is, its checksum tells, not its name.
        catalogue: What there is.

    Returns:
        The teacher it is for.

    Raises:
        ModelError: CHECKSUM_MISMATCH if it is none of them; MODEL_CORRUPT.
        ExportError: CANNOT_WRITE.
    """
    source = sha256_of(file)
    published = next((entry for entry in catalogue if source.startswith(_expected(entry))), None)
    if published is None:
        raise ModelError(Code.CHECKSUM_MISMATCH, "It is none of the published ImageNet weights.")
    _install(file, source, published.teacher)
    return published.teacher


def load_imagenet_weights(teacher: str) -> Tensors:
    """Reads a teacher's published weights, less the classifier, by torchvision's names.

    Raises:
        ModelError: WEIGHTS_MISSING if they are not installed; CHECKSUM_MISMATCH or MODEL_CORRUPT
            if they were damaged since.
    """
    from napari_d24fad.network.tensors import (
        read_tensors,
    )  # not at the top: asking what is here needs no torch

    installed = _installed(teacher)
    if installed is None or not is_file(_weights(teacher)):
        raise ModelError(Code.WEIGHTS_MISSING, f"The teacher is {teacher}.")
    if sha256_of(_weights(teacher)) != installed.sha256:
        raise ModelError(Code.CHECKSUM_MISMATCH)
    return read_tensors(_weights(teacher))


def _record(teacher: str) -> Path:
    return imagenet_folder() / f"{teacher}.json"


def _weights(teacher: str) -> Path:
    return imagenet_folder() / f"{teacher}.safetensors"


def _installed(teacher: str) -> _Installed | None:
    """Returns the record of a teacher; None without one, or if it is damaged and thus says nothing."""
    try:
        raw = strict.parse_object(strict.read_text(_record(teacher)))
        return strict.checked(TypeAdapter(_Installed), raw)
    except ModelError:
        return None


def _intact(teacher: str) -> bool:
    installed = _installed(teacher)
    if installed is None or not is_file(_weights(teacher)):
        return False
    return sha256_of(_weights(teacher)) == installed.sha256


def _expected(published: PublishedWeights) -> str:
    """Returns the checksum to hold a file against: in full if one was installed before."""
    installed = _installed(published.teacher)
    if installed and installed.source_sha256.startswith(published.sha256):
        return installed.source_sha256
    return published.sha256


def _install(file: Path, source_sha256: str, teacher: str) -> None:
    from napari_d24fad.network.tensors import named_tensors, read_pickled, write_tensors  # as above

    tensors = named_tensors(read_pickled(file))
    weights = _weights(teacher)
    write_tensors({name: tensor for name, tensor in tensors.items() if not name.startswith("fc.")}, weights)
    record = asdict(_Installed(source_sha256, sha256_of(weights)))
    with atomic_file(_record(teacher)) as temporary:
        temporary.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")

"""Keeps encoded scans between runs, so that another set of references encodes only what is new."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from napari_d24fad.detection.references.pairing import check_pairing
from napari_d24fad.progress import CancelToken, Progress, part
from napari_d24fad.studies.scan import Scan
from napari_d24fad.studies.series import Series

if TYPE_CHECKING:
    from napari_d24fad.detection.detector import Detector
    from napari_d24fad.detection.encoding.encoded import EncodedScan
    from napari_d24fad.session.kept_references import KeptReferences

_SPARE = 4
"""So many scans are kept beside those of the last run: references that were left out may come back."""

EncodeQuery = Callable[..., "EncodedScan"]
"""Given the encoded references and the scan, with ``progress`` and ``cancel`` by keyword."""

Key = tuple[object, bool]
"""What is equal as long as the pixels are, and whether the scan is a reference."""


class Encodings:
    """The scans that one detector has encoded, least recently used first.

    References are encoded one after the other and let their pixels go: eight volumes of 300 slices
    would fill gigabytes.

    Args:
        detector: Encodes queries.
        references: Encodes references, or finds them on disk.
    """

    def __init__(self, detector: Detector, references: KeptReferences) -> None:
        self._detector = detector
        self._references = references
        self._kept: dict[Key, EncodedScan] = {}

    def of(
        self,
        query: Series,
        references: Sequence[Series],
        progress: Progress,
        cancel: CancelToken,
        encode_query: EncodeQuery | None = None,
    ) -> tuple[EncodedScan, tuple[EncodedScan, ...]]:
        """Returns the query and the references encoded; loads and encodes only what is new.

        Args:
            query: The series to examine.
            references: The series marked as normal.
            progress: Told how far this is.
            cancel: Stops it.
            encode_query: Encodes the query if it is new, given the references; None for the detector.

        Raises:
            D24fadError: A scan cannot be read, or the scans cannot be compared.
            Cancelled: If a stop was asked for.
        """
        series = (query, *references)
        keys = [(_identity(each, cancel), at > 0) for at, each in enumerate(series)]
        scans = [self._known(key, each, cancel) for key, each in zip(keys, series, strict=True)]
        check_pairing(scans[0], scans[1:])  # a wrong pairing is refused before the long encoding
        missing = [at for at, key in enumerate(keys) if key not in self._kept]
        for number, at in enumerate(reversed(missing)):  # the query, whose pixels stay, at last
            tell = part(progress, number / len(missing), (number + 1) / len(missing))
            name = "Encoding the scan to examine" if at == 0 else f"Encoding reference {at}"
            scan = None if scans[at].pixels_hash else scans[at]
            encode = self._detector.encode_scan
            if at == 0 and encode_query is not None:
                encode = partial(encode_query, tuple(self._kept[key] for key in keys[1:]))
            self._kept[keys[at]] = self._encode(keys[at], series[at], scan, encode, name, tell, cancel)
            scans[at] = self._kept[keys[at]].scan
            check_pairing(scans[0], scans[1:])
        encoded = [self._kept[key] for key in keys]
        self._forget_all_but(keys)
        return encoded[0], tuple(encoded[1:])

    def kept(self, references: Sequence[Series], cancel: CancelToken) -> tuple[EncodedScan, ...] | None:
        """Returns the references if all of them are encoded already."""
        keys = [(_identity(each, cancel), True) for each in references]
        return tuple(self._kept[key] for key in keys) if all(key in self._kept for key in keys) else None

    def _known(self, key: Key, series: Series, cancel: CancelToken) -> Scan:
        """Returns as much of a scan as can be had without reading a large file."""
        if key in self._kept:
            return self._kept[key].scan
        if series.outline.is_volume and not series.outline.is_colour and series.files:
            # Stands for the content until that is read: the same files hold the same pixels.
            return replace(series.outline, pixels_hash=series.fingerprint() or f"unread {id(series)}")
        return series.load(cancel=cancel)

    def _encode(
        self,
        key: Key,
        series: Series,
        scan: Scan | None,
        encode: Callable[..., EncodedScan],
        name: str,
        progress: Progress,
        cancel: CancelToken,
    ) -> EncodedScan:
        identity, is_reference = key
        if is_reference and scan is None and (found := self._references.find(series)):
            return found
        scan = scan or series.load(_named(part(progress, 0, 0.3), "Reading slices"), cancel)
        tell = _named(part(progress, 0.3, 1), name)
        other = self._kept.get((identity, not is_reference))
        if other is not None and len(other.indices) == len(other.prepared.examined):
            # The other role needs the same slices: all of them.
            if not is_reference:
                return other.with_pixels(scan, self._detector.prepare(scan))
            if scan.n_slices <= self._references.max_slices:
                return other.without_pixels()
        if is_reference:
            return self._references.encode(scan, series, progress=tell, cancel=cancel)
        return encode(scan, progress=tell, cancel=cancel)

    def _forget_all_but(self, keys: Sequence[Key]) -> None:
        latest = {key: self._kept.pop(key) for key in keys}
        for key in list(self._kept)[: max(0, len(self._kept) - _SPARE)]:
            del self._kept[key]
        self._kept.update(latest)


def _identity(series: Series, cancel: CancelToken) -> object:
    """Returns what is equal as long as the pixels are.

    A series of files reads the same ones each time. The array of a layer may be edited in place
    or rescaled without anybody being told, so its content counts.
    """
    return series if series.files else series.load(cancel=cancel).scan_hash()


def _named(progress: Progress, name: str) -> Progress:
    return lambda fraction, _: progress(fraction, name)

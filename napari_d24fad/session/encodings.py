"""Keeps encoded scans between runs, so that another set of references encodes only what is new."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from napari_d24fad.detection.examples.check import check_examples, check_query
from napari_d24fad.detection.references.pairing import check_pairing, check_references
from napari_d24fad.progress import CancelToken, Progress, part
from napari_d24fad.studies.scan import Scan
from napari_d24fad.studies.series import Series

if TYPE_CHECKING:
    from napari_d24fad.detection.detector import Detector
    from napari_d24fad.detection.encoding.encoded import EncodedScan
    from napari_d24fad.session.kept_references import KeptReferences

SPARE = 4
"""So many scans are kept beside those of the last run: references that were left out may come back."""

EncodeQuery = Callable[..., "EncodedScan"]
"""Given the encoded references and the scan, with ``progress`` and ``cancel`` by keyword."""

Seen = Callable[[Series, Scan, Progress], None]
"""Given a reference whose pixels were read: what else is made of them is made now, not read again."""

Key = tuple[object, bool]
"""What is equal as long as the pixels are, and whether the scan is a reference."""


class Encodings:
    """The scans that one detector has encoded, least recently used first.

    References are encoded one after the other and let their pixels go: eight volumes of 300 slices
    would fill gigabytes.

    Args:
        detector: Encodes queries.
        references: Encodes references, or finds them on disk.
        spare: How many scans to keep beside those of the last run.
    """

    def __init__(self, detector: Detector, references: KeptReferences, spare: int = SPARE) -> None:
        self._detector = detector
        self._references = references
        self._spare = spare
        self._kept: dict[Key, EncodedScan] = {}

    def of(
        self,
        query: Series,
        references: Sequence[Series],
        progress: Progress,
        cancel: CancelToken,
        encode_query: EncodeQuery | None = None,
        seen: Seen | None = None,
        abnormal: Sequence[Series] = (),
    ) -> tuple[EncodedScan, tuple[EncodedScan, ...]]:
        """Returns the query and the references encoded; loads and encodes only what is new.

        Args:
            query: The series to examine.
            references: The series marked as normal.
            progress: Told how far this is.
            cancel: Stops it.
            encode_query: Encodes the query if it is new, given the references; None for the detector.
            seen: Called for each reference that was read.
            abnormal: The series marked as abnormal: encoded too, and then found by `kept`.

        Raises:
            D24fadError: A scan cannot be read, or the scans cannot be compared.
            Cancelled: If a stop was asked for.
        """
        encoded = self._all(query, references, abnormal, progress, cancel, encode_query, seen)
        return encoded[0], encoded[1:]

    def of_references(
        self,
        references: Sequence[Series],
        progress: Progress,
        cancel: CancelToken,
        seen: Seen | None = None,
        abnormal: Sequence[Series] = (),
    ) -> tuple[EncodedScan, ...]:
        """Returns the references encoded; loads and encodes only what is new.

        Args:
            references: The series marked as normal.
            progress: Told how far this is.
            cancel: Stops it.
            seen: See `of`.
            abnormal: See `of`.

        Raises:
            D24fadError: A scan cannot be read, or the scans cannot be references together.
            Cancelled: If a stop was asked for.
        """
        return self._all(None, references, abnormal, progress, cancel, None, seen)

    def whole(self, query: EncodedScan, progress: Progress, cancel: CancelToken) -> EncodedScan:
        """Returns a query with all its slices encoded; from then on it is kept so.

        Args:
            query: Of `of`, perhaps with a few slices.
            progress: Told how far this is.
            cancel: Stops it.

        Raises:
            D24fadError: See `Detector.encode_scan`.
            Cancelled: If a stop was asked for.
        """
        if query.is_whole:
            return query
        for each in self._kept.values():  # of another examination of this scan
            if each.is_whole and each.scan is query.scan:
                return each
        encoded = self._detector.encode_scan(query.scan, progress=progress, cancel=cancel)
        for key, each in list(self._kept.items()):
            if each is query:
                self._kept[key] = encoded
        return encoded

    def kept(self, references: Sequence[Series], cancel: CancelToken) -> tuple[EncodedScan, ...] | None:
        """Returns the references if all of them are encoded already."""
        keys = [(each.state(cancel), True) for each in references]
        return tuple(self._kept[key] for key in keys) if all(key in self._kept for key in keys) else None

    def _all(
        self,
        query: Series | None,
        references: Sequence[Series],
        abnormal: Sequence[Series],
        progress: Progress,
        cancel: CancelToken,
        encode_query: EncodeQuery | None,
        seen: Seen | None,
    ) -> tuple[EncodedScan, ...]:
        """Returns the query, if there is one, the references and the abnormal examples, encoded."""
        first = 0 if query is None else 1
        series = (*references, *abnormal) if query is None else (query, *references, *abnormal)
        after = first + len(references)
        keys = [(each.state(cancel), each is not query) for each in series]

        def check(scans: Sequence[Scan]) -> None:
            (check_references if query is None else _check_pairing)(scans[:after])
            check_examples(scans[after:], scans[first:after])
            for scan in scans[:first]:
                check_query(scan, scans[after:])

        scans = [self._known(key, each, cancel) for key, each in zip(keys, series, strict=True)]
        check(scans)  # a wrong pairing is refused before the long encoding
        missing = [at for at, key in enumerate(keys) if key not in self._kept]
        try:
            # The query comes last: its pixels stay in memory.
            for number, at in enumerate(sorted(missing, key=lambda at: (series[at] is query, at))):
                tell = part(progress, number / len(missing), (number + 1) / len(missing))
                name = f"Encoding reference {at - first + 1}"
                if at >= after:
                    name = f"Encoding abnormal example {at - after + 1}"
                scan = None if scans[at].pixels_hash else scans[at]
                encode = self._detector.encode_scan
                if series[at] is query:
                    name = "Encoding the scan to examine"
                    if encode_query is not None:
                        encode = partial(encode_query, tuple(self._kept[key] for key in keys[1:after]))
                self._kept[keys[at]] = self._encode(
                    keys[at], series[at], scan, encode, name, tell, cancel, seen
                )
                scans[at] = self._kept[keys[at]].scan
                check(scans)
            return tuple(self._kept[key] for key in keys[:after])
        finally:
            # Also after a cancel: what was encoded until then may be of use, but not without end.
            self._forget_all_but([key for key in keys if key in self._kept])

    def _known(self, key: Key, series: Series, cancel: CancelToken) -> Scan:
        """Returns as much of a scan as is known without reading a large file."""
        if key in self._kept:
            return self._kept[key].scan
        if series.outline.is_volume and not series.outline.is_colour and series.files:
            return series.unread()
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
        seen: Seen | None,
    ) -> EncodedScan:
        identity, is_reference = key
        if is_reference and scan is None and (found := self._references.find(series)):
            return found
        scan = scan or series.load(_named(part(progress, 0, 0.3), "Reading slices"), cancel)
        tell = _named(part(progress, 0.3, 1), name)
        if is_reference and seen is not None:
            seen(series, scan, part(progress, 0.3, 0.7))
            tell = _named(part(progress, 0.7, 1), name)
        other = self._kept.get((identity, not is_reference))
        if other is not None and other.is_whole:
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
        for key in list(self._kept)[: max(0, len(self._kept) - self._spare)]:
            del self._kept[key]
        self._kept.update(latest)


def _check_pairing(scans: Sequence[Scan]) -> None:
    check_pairing(scans[0], scans[1:])


def _named(progress: Progress, name: str) -> Progress:
    return lambda fraction, _: progress(fraction, name)

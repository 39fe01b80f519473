"""References that an earlier program encoded: found again by their files or pixels, not computed again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

from napari_d24fad.detection.detector import Detector
from napari_d24fad.detection.encoding.encoded import MAX_LEVELS, EncodedScan
from napari_d24fad.detection.references.alignment import Alignment
from napari_d24fad.detection.references.reference_set import References
from napari_d24fad.detection.scoring.names import scoring
from napari_d24fad.network.tensors import Tensors
from napari_d24fad.progress import CancelToken, Progress, silent
from napari_d24fad.session.feature_cache import FeatureCache
from napari_d24fad.session.stored import (
    encoding_key,
    pack_scan,
    pack_set,
    set_key,
    source_key,
    statistics_of,
    unpack_scan,
    unpack_set,
)
from napari_d24fad.studies.scan import Scan
from napari_d24fad.studies.series import Series


class KeptReferences:
    """Encodes references by a detector, and keeps those that take long: grey volumes.

    Args:
        detector: Encodes and compares what was not kept.
        cache: Keeps them.
    """

    def __init__(self, detector: Detector, cache: FeatureCache) -> None:
        self._detector = detector
        self._cache = cache
        self._keys: WeakKeyDictionary[EncodedScan, str] = WeakKeyDictionary()

    @property
    def max_slices(self) -> int:
        """At most so many slices of each are encoded."""
        return MAX_LEVELS

    def find(self, series: Series) -> EncodedScan | None:
        """Returns a series that was encoded before, without reading its pixels; None if it was not."""
        print_of_files = series.fingerprint()
        note = self._cache.get(source_key(print_of_files)) if print_of_files else None
        if note is None:
            return None
        return self._get(replace(series.outline, pixels_hash=str(note[1]["pixels"])))

    def encode(
        self,
        scan: Scan,
        series: Series | None = None,
        *,
        progress: Progress = silent,
        cancel: CancelToken | None = None,
    ) -> EncodedScan:
        """Encodes a reference, unless the same pixels were encoded before.

        Args:
            scan: The reference.
            series: What it was loaded from, by which it will be found again.
            progress: Told how far the encoding is.
            cancel: Stops it.

        Raises:
            D24fadError: See `Detector.encode_scan`.
        """
        keeps = scan.is_volume and not scan.is_colour
        kept = self._get(scan.without_pixels()) if keeps else None
        encoded = kept or self._detector.encode_scan(
            scan, max_slices=MAX_LEVELS, progress=progress, cancel=cancel
        )
        if not keeps:
            return encoded
        if kept is None:
            encoded = encoded.without_pixels()
            self._keys[encoded] = self._key(scan)
            self._cache.put(self._keys[encoded], *pack_scan(encoded))
        if series is not None and (print_of_files := series.fingerprint()):
            self._cache.put(source_key(print_of_files), {}, {"pixels": scan.content_hash()})
        return encoded

    def reference_set(
        self,
        encoded: Sequence[EncodedScan],
        *,
        progress: Progress = silent,
        cancel: CancelToken | None = None,
    ) -> References:
        """Examines references against each other, unless the same ones were before.

        Raises:
            PairingError: They cannot be references together.
            Cancelled: If a stop was asked for.
        """
        keys = [self._keys.get(each, "") for each in encoded]
        if not all(keys):
            return self._detector.reference_set(encoded, progress=progress, cancel=cancel)
        key = set_key(keys)
        kept = self._cache.get(key)
        references = None if kept is None else self._restore(*kept, encoded)
        if references is None:
            references = self._detector.reference_set(encoded, progress=progress, cancel=cancel)
            self._cache.put(key, *pack_set(references))
        return references

    def _key(self, scan: Scan) -> str:
        return encoding_key(self._detector, scan, MAX_LEVELS)

    def _get(self, outline: Scan) -> EncodedScan | None:
        key = self._key(outline)
        kept = self._cache.get(key)
        if kept is None:
            return None
        try:
            encoded = unpack_scan(*kept, outline, self._detector.device)
        except (KeyError, ValueError, TypeError, IndexError):
            return None  # written by something else under this name
        self._keys[encoded] = key
        return encoded

    def _restore(
        self, tensors: Tensors, content: dict[str, Any], encoded: Sequence[EncodedScan]
    ) -> References | None:
        method = scoring(self._detector.scoring_name, encoded[0].scan.is_volume)
        try:
            statistics = statistics_of(tensors, self._detector.device)
            alignment = Alignment(method, statistics, self._detector)
            return unpack_set(tensors, content, encoded, alignment)
        except (KeyError, ValueError, TypeError, IndexError):
            return None

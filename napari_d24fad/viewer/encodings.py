"""Keeps encoded scans between runs, so that another set of references encodes only what is new."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from napari_d24fad.detection.pairing import check_pairing
from napari_d24fad.progress import CancelToken, Progress, part
from napari_d24fad.studies.scan import Scan
from napari_d24fad.studies.series import Series
from napari_d24fad.viewer.layer_series import LayerSeries

if TYPE_CHECKING:
    from napari_d24fad.detection.detector import Detector
    from napari_d24fad.detection.encoded import EncodedScan

_SPARE = 4
"""So many scans are kept beside those of the last run: references that were left out may come back."""


class Encodings:
    """The scans that one detector has encoded, least recently used first.

    Args:
        detector: Encodes what is not there yet.
    """

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._kept: dict[object, EncodedScan] = {}

    def of(
        self, query: Series, references: Sequence[Series], progress: Progress, cancel: CancelToken
    ) -> tuple[EncodedScan, tuple[EncodedScan, ...]]:
        """Returns the query and the references encoded; loads and encodes only what is new.

        Raises:
            D24fadError: A scan cannot be read, or the scans cannot be compared.
            Cancelled: If a stop was asked for.
        """
        # Imports torch, as the detector did.
        from napari_d24fad.detection.detector import MAX_LEVELS

        wanted = [(series, None if series is query else MAX_LEVELS) for series in (query, *references)]
        keys, scans = [], []
        for at, (series, most) in enumerate(wanted):
            tell = part(progress, 0.3 * at / len(wanted), 0.3 * (at + 1) / len(wanted))
            key, scan = self._look_up(series, most, tell, cancel)
            keys.append(key)
            scans.append(scan)
        check_pairing(scans[0], scans[1:])  # a wrong pairing is refused before the long encoding
        missing = [at for at, key in enumerate(keys) if key not in self._kept]
        for number, at in enumerate(missing):
            start, stop = (0.3 + 0.7 * n / len(missing) for n in (number, number + 1))
            name = "Encoding the scan to examine" if at == 0 else f"Encoding reference {at}"
            self._kept[keys[at]] = self._detector.encode_scan(
                scans[at],
                max_slices=wanted[at][1],
                progress=_named(part(progress, start, stop), name),
                cancel=cancel,
            )
        encoded = [self._kept[key] for key in keys]
        self._forget_all_but(keys)
        return encoded[0], tuple(encoded[1:])

    def _look_up(
        self, series: Series, most: int | None, progress: Progress, cancel: CancelToken
    ) -> tuple[object, Scan]:
        """Returns what is equal as long as pixels and slices chosen are, and the scan.

        A file series reads the same file each time. The array of a layer may be edited in place
        without anybody being told, so its content counts.
        """
        loaded = series.load(progress, cancel) if isinstance(series, LayerSeries) else None
        identity: object = loaded.content_hash() if loaded is not None else series
        # A scan of few slices is encoded alike as a reference and as a query.
        key = (identity, most is not None and series.outline.n_slices > most)
        kept = self._kept.get(key)
        if kept is not None:
            return key, kept.scan
        return key, loaded if loaded is not None else series.load(progress, cancel)

    def _forget_all_but(self, keys: Sequence[object]) -> None:
        latest = {key: self._kept.pop(key) for key in keys}
        for key in list(self._kept)[: max(0, len(self._kept) - _SPARE)]:
            del self._kept[key]
        self._kept.update(latest)


def _named(progress: Progress, name: str) -> Progress:
    return lambda fraction, _: progress(fraction, name)

"""SHA-256 of what the files of a series hold, whatever they are called and wherever they lie."""

from __future__ import annotations

import hashlib

from napari_d24fad.progress import CancelToken
from napari_d24fad.studies.series import Series


class ContentHashes:
    """Hashes contents, and remembers them as long as the files do not change."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def of(self, series: Series, cancel: CancelToken) -> str:
        """Returns the hash of a series; empty if it is in no files, or one cannot be read.

        Args:
            series: The series.
            cancel: Stops it.

        Raises:
            Cancelled: If a stop was asked for.
        """
        state = series.fingerprint()
        if not state:
            return ""
        if state not in self._known:
            try:
                self._known[state] = _hashed(series, cancel)
            except OSError:
                return ""
        return self._known[state]


def _hashed(series: Series, cancel: CancelToken) -> str:
    digests = []
    for path in series.files:
        cancel.check()
        with path.open("rb") as file:
            digests.append(hashlib.file_digest(file, "sha256").digest())
    return hashlib.sha256(b"".join(sorted(digests))).hexdigest()

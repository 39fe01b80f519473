"""SHA-256 of what the files of a series hold, whatever they are called and wherever they lie."""

from __future__ import annotations

import hashlib

from napari_d24fad.progress import CancelToken
from napari_d24fad.studies.series import Series


class ContentHashes:
    """Hashes contents, and remembers them as long as the files do not change.

    Args:
        cancel: Stops it.
    """

    def __init__(self, cancel: CancelToken | None = None) -> None:
        self._cancel = cancel or CancelToken()
        self._known: dict[str, str] = {}

    def of(self, series: Series) -> str:
        """Returns the hash of a series; empty if it is in no files, or one cannot be read.

        Raises:
            Cancelled: If a stop was asked for.
        """
        state = series.fingerprint()
        if not state:
            return ""
        if state not in self._known:
            try:
                self._known[state] = self._hashed(series)
            except OSError:
                return ""
        return self._known[state]

    def _hashed(self, series: Series) -> str:
        digests = []
        for path in series.files:
            self._cancel.check()
            with path.open("rb") as file:
                digests.append(hashlib.file_digest(file, "sha256").digest())
        return hashlib.sha256(b"".join(sorted(digests))).hexdigest()

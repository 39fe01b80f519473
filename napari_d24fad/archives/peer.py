"""What both kinds of archive can do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from napari_d24fad.archives.archive import Archive
from napari_d24fad.archives.found import FoundInstance, FoundSeries, FoundStudy, Wanted
from napari_d24fad.archives.limits import BOUNDS, Bounds
from napari_d24fad.progress import CancelToken

if TYPE_CHECKING:
    from napari_d24fad.archives.inbox import Inbox  # imports the readers


class Peer(Protocol):
    """An archive that is spoken to. Every method raises `ArchiveError`, and `Cancelled` if asked to stop.

    Attributes:
        lists_first: Whether images can only be asked for once they are listed.
    """

    lists_first: bool

    def check(self) -> None:
        """Returns if the archive answers and accepts this user."""

    def studies(self, wanted: Wanted) -> tuple[FoundStudy, ...]:
        """Finds studies."""

    def series(self, study: str) -> tuple[FoundSeries, ...]:
        """Lists the series of a study."""

    def instances(self, series: FoundSeries) -> tuple[FoundInstance, ...]:
        """Lists the instances of a series."""

    def retrieve(
        self, series: FoundSeries, instances: Sequence[FoundInstance], inbox: Inbox, *, whole: bool
    ) -> None:
        """Has instances of a series sent to the inbox, or as many as the peer sends.

        Args:
            series: Which.
            instances: Those that are missing; for a whole series of a peer that need not list, perhaps none.
            inbox: Where they go to.
            whole: Whether the whole series may be asked for at once.
        """

    def store(self, file: Path) -> str:
        """Sends one file; returns what the archive says against it, or nothing."""

    def commit(self, instances: Sequence[FoundInstance]) -> frozenset[str] | None:
        """Has the archive commit itself to keep instances that were sent.

        Returns:
            The SOP Instance UIDs that it commits itself to; None where it does not offer that.
        """

    def preview(self, series: FoundSeries) -> bytes:
        """Returns a picture (JPEG or PNG) of a series; empty where that is not offered."""

    def close(self) -> None:
        """Ends the connection."""


def connect(archive: Archive, password: str, cancel: CancelToken, bounds: Bounds = BOUNDS) -> Peer:
    """Returns an archive that can be spoken to; nothing is sent yet.

    Args:
        archive: Which.
        password: See `passwords.password_of`.
        cancel: Stops whatever is asked of it.
        bounds: What is taken of it at most.

    Raises:
        ArchiveError: ``NOT_ENCRYPTED``; ``NOT_TRUSTED`` if the file of the authority is not there.
    """
    archive.check_encrypted()
    archive.check_authority()
    if archive.is_web:
        from napari_d24fad.archives.dicomweb import WebPeer

        return WebPeer(archive, password, cancel, bounds)
    from napari_d24fad.archives.dimse import DimsePeer

    return DimsePeer(archive, cancel, bounds)

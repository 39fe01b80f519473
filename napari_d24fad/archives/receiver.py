"""The port on which an archive delivers what a C-MOVE asked for: open only while that lasts."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterable
from typing import Any

from pynetdicom import AE, build_context, evt
from pynetdicom.presentation import PresentationContext
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined] # made at run time

from napari_d24fad.archives.archive import Archive
from napari_d24fad.archives.inbox import Inbox
from napari_d24fad.archives.limits import Bounds
from napari_d24fad.archives.waiting import POLL_SECONDS, Watch
from napari_d24fad.errors import ArchiveError, Cancelled, Code, D24fadError

_SUCCESS, _REFUSED = 0x0000, 0xA700
_ASSOCIATIONS = 4
_GRACE_SECONDS = 2.0
_MOST_CONTEXTS = 120

# As it is stored where possible; what is not among them, the archive must change or cannot send.
_SYNTAXES = (
    "1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.70",
    "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.91", "1.2.840.10008.1.2.4.50",
    "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.81",
)  # fmt: skip

# CT, enhanced CT, MR, enhanced MR, PET, CR, DX, MG, SC, segmentation, parametric map, SR
_CLASSES = tuple(
    f"1.2.840.10008.5.1.4.1.1.{ending}"
    for ending in ("2", "2.1", "4", "4.1", "128", "1", "1.1", "1.2", "7", "66.4", "30", "88.33")
)


def storage_contexts(classes: Iterable[str]) -> list[PresentationContext]:
    """Returns what is proposed, or accepted, to take images by.

    Each transfer syntax has a context of its own: in one together, a peer would choose one for all.

    Args:
        classes: SOP Class UIDs that are expected; empty for the usual ones.
    """
    wanted = sorted(set(classes)) or list(_CLASSES)
    syntaxes = _SYNTAXES[: max(1, _MOST_CONTEXTS // len(wanted))]
    pairs = [build_context(uid, syntax) for uid in wanted[:_MOST_CONTEXTS] for syntax in syntaxes]
    return pairs[:_MOST_CONTEXTS]


class Receiver:
    """A storage SCP for one archive; a context.

    It takes associations only of that archive's AE title, to this program's own.

    Args:
        archive: Which.
        classes: SOP Class UIDs that are expected.
        inbox: Where images go to.
        bounds: What is taken at most.

    Attributes:
        watch: That of the association which asked; told what comes here.

    Raises:
        ArchiveError: ``CANNOT_LISTEN``; ``NOT_ENCRYPTED`` where others could read what arrives.
    """

    def __init__(self, archive: Archive, classes: set[str], inbox: Inbox, bounds: Bounds) -> None:
        self._archive, self._classes, self._inbox = archive, classes, inbox
        self._bounds = bounds
        self._problem: D24fadError | Cancelled | None = None
        self._open: set[Any] = set()
        self._lock = threading.Lock()
        self.watch: Watch | None = None

    def __enter__(self) -> Receiver:
        archive = self._archive
        if not (archive.is_local or archive.unencrypted):
            detail = "What arrives by C-MOVE is never encrypted; leave out --listen to use C-GET."
            raise ArchiveError(Code.NOT_ENCRYPTED, detail)
        entity = AE(ae_title=archive.own_ae_title)
        entity.require_called_aet = True
        entity.require_calling_aet = [archive.ae_title]
        entity.maximum_associations = _ASSOCIATIONS
        entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = self._bounds.silence
        entity.add_supported_context(Verification)
        contexts = _supported(storage_contexts(self._classes))
        place = "127.0.0.1" if archive.is_local else "0.0.0.0"
        handlers: list[Any] = [
            (evt.EVT_C_STORE, self._take),
            (evt.EVT_DATA_RECV, self._count),
            (evt.EVT_ACCEPTED, self._begin),
            (evt.EVT_CONN_CLOSE, self._end),
        ]
        try:
            self._server = entity.start_server(
                (place, archive.listen), block=False, evt_handlers=handlers, contexts=contexts
            )
        except (OSError, ssl.SSLError):
            raise ArchiveError(Code.CANNOT_LISTEN) from None
        return self

    def __exit__(self, *error: object) -> None:
        self._abort_all()
        if self._server is not None:
            self._server.shutdown()

    def check(self) -> None:
        """Returns if all that came so far was in order.

        Raises:
            ArchiveError: If not.
            ExportError: ``CANNOT_WRITE``.
        """
        if self._problem is not None:
            raise self._problem

    def settle(self) -> None:
        """Waits a moment for images under way, after the archive said that it is done."""
        deadline = time.monotonic() + _GRACE_SECONDS
        while self._open and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        self.check()

    def _take(self, event: Any) -> int:
        if self._problem is not None:
            return _REFUSED
        try:
            self._inbox.take(event.encoded_dataset())
        except (D24fadError, Cancelled) as error:
            self._problem = error
            return _REFUSED
        if self.watch is not None:
            self.watch.saw_image()
        return _SUCCESS

    def _count(self, event: Any) -> None:
        if self.watch is not None:
            self.watch.saw(len(event.data))

    def _begin(self, event: Any) -> None:
        with self._lock:
            self._open.add(event.assoc)

    def _end(self, event: Any) -> None:
        with self._lock:
            self._open.discard(event.assoc)

    def _abort_all(self) -> None:
        with self._lock:
            ending = list(self._open)
        for association in ending:
            association.abort()


def _supported(contexts: list[PresentationContext]) -> list[PresentationContext]:
    """Returns contexts as an acceptor states them: one of each class, with all its transfer syntaxes."""
    syntaxes: dict[Any, list[Any]] = {Verification: ["1.2.840.10008.1.2"]}
    for context in contexts:
        syntaxes.setdefault(context.abstract_syntax, []).extend(context.transfer_syntax)
    return [build_context(uid, offered) for uid, offered in syntaxes.items()]

"""Associations with a DIMSE archive (PS3.8): opened with patience, watched, and ended in every case."""

from __future__ import annotations

import logging
import socket
import ssl
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from pynetdicom import AE, _config, evt
from pynetdicom.association import Association
from pynetdicom.presentation import PresentationContext

from napari_d24fad.archives.archive import Archive
from napari_d24fad.archives.limits import Bounds
from napari_d24fad.archives.waiting import Watch, patiently
from napari_d24fad.errors import ArchiveError, Code
from napari_d24fad.progress import CancelToken

# It logs what was searched for, and whom was found.
logging.getLogger("pynetdicom").setLevel(logging.CRITICAL)
_config.LOG_REQUEST_IDENTIFIERS = _config.LOG_RESPONSE_IDENTIFIERS = False

_CONNECT_SECONDS = 10.0
Handlers = Sequence[tuple[Any, Any]]


class Link:
    """An association that is watched.

    Attributes:
        association: Pynetdicom's.
        watch: Counts what comes.
    """

    def __init__(self, association: Association, watch: Watch, cancel: CancelToken) -> None:
        self.association, self.watch, self._cancel = association, watch, cancel

    def halt(self) -> None:
        """Aborts the association; may be called in any thread."""
        halt(self.association)

    def check(self, status: Any) -> int:
        """Returns the status of an answer.

        Args:
            status: A dataset, which is empty if no answer came.

        Raises:
            ArchiveError: Why no answer came.
            Cancelled: If the user stopped it.
        """
        self._cancel.check()
        if self.watch.problem is not None:
            raise self.watch.problem
        if "Status" not in status:
            raise ArchiveError(Code.UNREACHABLE, "The connection broke off, or no answer came in time.")
        return int(status.Status)


def halt(association: Association) -> None:
    """Aborts an association and wakes whoever waits for an answer, which pynetdicom's abort does not."""
    association.abort()
    association.dimse.msg_queue.put((None, None))


@contextmanager
def associated(
    archive: Archive,
    contexts: list[PresentationContext],
    cancel: CancelToken,
    bounds: Bounds,
    *,
    allowed: int,
    takes: bool = True,
    roles: Sequence[Any] = (),
    handlers: Handlers = (),
) -> Iterator[Link]:
    """Opens an association, and releases or aborts it in the end.

    Args:
        archive: With which.
        contexts: What is proposed.
        cancel: Aborts it.
        bounds: What is taken at most.
        allowed: Bytes that may come in all.
        takes: Whether the archive sends most of the time; not so while a file is sent to it.
        roles: Of the classes that the archive sends over the same association (C-GET).
        handlers: Of pynetdicom's events.

    Raises:
        ArchiveError: ``UNREACHABLE``, ``NOT_TRUSTED`` or ``AE_REFUSED``.
        Cancelled: If asked to stop.
    """
    links: list[Link] = []

    def count(event: Any) -> None:
        if links:
            links[0].watch.saw(len(event.data))

    association = _open(archive, contexts, cancel, bounds, roles, [*handlers, (evt.EVT_DATA_RECV, count)])
    watch = Watch(
        cancel,
        lambda: halt(association),
        allowed=allowed,
        at_once=bounds.held,
        silence=bounds.silence if takes else float("inf"),
        slowest=bounds.slowest if roles else 0.0,
    )
    links.append(Link(association, watch, cancel))
    clean = False
    try:
        with watch:
            yield links[0]
        clean = True
    finally:
        if association.is_established:
            patiently(association.release if clean else association.abort, CancelToken(), bounds.silence)


def tls_context(archive: Archive) -> ssl.SSLContext:
    """Returns how the other side of a connection is verified.

    Raises:
        ArchiveError: ``NOT_TRUSTED`` if the file of the authority cannot be read.
    """
    try:
        return ssl.create_default_context(cafile=archive.authority or None)
    except (OSError, ssl.SSLError):
        raise ArchiveError(Code.NOT_TRUSTED, "The file of the authority cannot be read.") from None


def _open(
    archive: Archive,
    contexts: list[PresentationContext],
    cancel: CancelToken,
    bounds: Bounds,
    roles: Sequence[Any],
    handlers: list[tuple[Any, Any]],
) -> Association:
    entity = AE(ae_title=archive.own_ae_title)
    entity.connection_timeout = _CONNECT_SECONDS
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = bounds.silence
    tls = (tls_context(archive), archive.host) if archive.tls else None

    def ask() -> Association:
        return entity.associate(
            archive.host,
            archive.port,
            contexts=contexts,
            ae_title=archive.ae_title,
            ext_neg=list(roles) or None,
            tls_args=tls,
            evt_handlers=handlers,  # type: ignore[arg-type] # a union too long to write again
        )

    began = time.monotonic()
    try:
        patiently(lambda: _reach(archive, tls), cancel, 2 * _CONNECT_SECONDS)
        association = patiently(ask, cancel, _CONNECT_SECONDS + 2 * bounds.silence, Association.abort)
    except (OSError, RuntimeError, ValueError):
        raise ArchiveError(Code.UNREACHABLE) from None
    if association.is_established:
        return association
    if time.monotonic() - began >= bounds.silence:
        raise ArchiveError(Code.STALLED)
    if _is_busy(association):
        raise ArchiveError(Code.UNREACHABLE, "It takes no further connection at present: try again later.")
    # Some abort, or hang up, instead of refusing.
    refused = association.is_rejected or association.rejected_contexts
    raise ArchiveError(Code.AE_REFUSED, "" if refused else "It hung up, or does not speak DICOM.")


def _is_busy(association: Association) -> bool:
    """Whether it was rejected for now, by the presentation service: congestion, or too many (PS3.8 9.3.4)."""
    answer = association.acceptor.primitive
    return answer is not None and association.is_rejected and (answer.result, answer.result_source) == (2, 3)


def _reach(archive: Archive, tls: tuple[ssl.SSLContext, str] | None) -> None:
    """Returns if there is a connection. pynetdicom does not say why not, and leaves its socket open."""
    try:
        with socket.create_connection((archive.host, archive.port), timeout=_CONNECT_SECONDS) as plain:
            if tls is not None:
                tls[0].wrap_socket(plain, server_hostname=tls[1]).close()
    except ssl.SSLError:
        raise ArchiveError(Code.NOT_TRUSTED) from None
    except (OSError, ValueError):
        raise ArchiveError(Code.UNREACHABLE, "There is no connection to that host and port.") from None

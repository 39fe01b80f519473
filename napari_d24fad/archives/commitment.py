"""Storage commitment (PS3.4, Annex J): an archive takes it on itself to keep what was sent to it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

from pydicom.dataset import Dataset
from pydicom.uid import generate_uid
from pynetdicom import AE, build_context, evt
from pynetdicom.sop_class import (  # type: ignore[attr-defined] # made at run time
    StorageCommitmentPushModel,
    StorageCommitmentPushModelInstance,
)

from napari_d24fad.archives.archive import Archive
from napari_d24fad.archives.association import Link
from napari_d24fad.archives.found import FoundInstance
from napari_d24fad.archives.limits import Bounds
from napari_d24fad.archives.waiting import POLL_SECONDS
from napari_d24fad.errors import ArchiveError, Code
from napari_d24fad.progress import CancelToken
from napari_d24fad.studies.files.quiet import quiet

_SUCCESS, _REFUSED = 0x0000, 0x0110
_REQUEST = 1
Opens = Callable[..., AbstractContextManager[Link]]


class _Answer:
    """Waits for the report of one transaction."""

    def __init__(self) -> None:
        self.transaction = str(generate_uid())
        self.came = threading.Event()
        self.committed: frozenset[str] = frozenset()

    def take(self, event: Any) -> tuple[int, None]:
        """Takes a report, of this transaction alone."""
        try:
            with quiet():
                report = event.event_information
                if str(report.get("TransactionUID", "")) != self.transaction:
                    return _REFUSED, None
                listed = report.get("ReferencedSOPSequence") or []
                self.committed = frozenset(str(one.ReferencedSOPInstanceUID) for one in listed)
        except Exception:
            # pydicom raises whatever on what is no dataset
            return _REFUSED, None
        self.came.set()
        return _SUCCESS, None


def committed(
    archive: Archive, instances: Sequence[FoundInstance], opens: Opens, cancel: CancelToken, bounds: Bounds
) -> frozenset[str] | None:
    """Asks an archive to commit itself, and waits for its report.

    The report comes over the same association, or over one that the archive opens to the own port.

    Args:
        archive: Which; without a port to listen on, nothing is asked.
        instances: What was sent to it.
        opens: Opens an association with it.
        cancel: Stops the waiting.
        bounds: How long it is waited for.

    Returns:
        SOP Instance UIDs that it commits itself to; None where it does not offer that, or does not answer.

    Raises:
        ArchiveError: ``CANNOT_LISTEN``, or what the archive gives reason for.
        Cancelled: If asked to stop.
    """
    if not archive.listen or not (archive.is_local or archive.unencrypted):
        return None
    answer = _Answer()
    server = _server(archive, answer, bounds)
    try:
        with opens(
            [build_context(StorageCommitmentPushModel)],
            bounds.answer,
            handlers=[(evt.EVT_N_EVENT_REPORT, answer.take)],
        ) as link:
            status, _ = link.association.send_n_action(
                _asked(answer.transaction, instances),
                _REQUEST,
                StorageCommitmentPushModel,
                StorageCommitmentPushModelInstance,
            )
            if link.check(status) != _SUCCESS:
                return None
            deadline = time.monotonic() + bounds.silence
            while not answer.came.wait(POLL_SECONDS) and time.monotonic() < deadline:
                cancel.check()
    except ArchiveError as error:
        if error.code is Code.AE_REFUSED:
            return None
        raise
    finally:
        server.shutdown()
    return answer.committed if answer.came.is_set() else None


def _asked(transaction: str, instances: Sequence[FoundInstance]) -> Dataset:
    asked = Dataset()
    asked.TransactionUID = transaction
    asked.ReferencedSOPSequence = []
    for instance in instances:
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = instance.sop_class, instance.uid
        asked.ReferencedSOPSequence.append(item)
    return asked


def _server(archive: Archive, answer: _Answer, bounds: Bounds) -> Any:
    entity = AE(ae_title=archive.own_ae_title)
    entity.require_called_aet = True
    entity.require_calling_aet = [archive.ae_title]
    entity.maximum_associations = 1
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = bounds.silence
    # The archive opens the association, and is the provider all the same.
    entity.add_supported_context(StorageCommitmentPushModel, scu_role=False, scp_role=True)
    place = "127.0.0.1" if archive.is_local else "0.0.0.0"
    try:
        return entity.start_server(
            (place, archive.listen), block=False, evt_handlers=[(evt.EVT_N_EVENT_REPORT, answer.take)]
        )
    except OSError:
        raise ArchiveError(Code.CANNOT_LISTEN) from None

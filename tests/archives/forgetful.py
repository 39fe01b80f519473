"""A DIMSE archive on loopback that forgets to send some of what it lists."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pydicom.dataset import Dataset
from pynetdicom import AE, evt
from pynetdicom.sop_class import (  # type: ignore[attr-defined] # made at run time
    CTImageStorage,
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
    StudyRootQueryRetrieveInformationModelMove,
)

from napari_d24fad.archives.archive import Archive


@dataclass
class Forgetful:
    """What it has and does.

    Attributes:
        images: By SOP Instance UID.
        forgets: SOP Instance UIDs that it does not send.
        again: Whether it sends them when they are asked for by name.
        asked: SOP Instance UIDs of each retrieval; none of a whole series.
    """

    images: dict[str, Dataset]
    forgets: set[str] = field(default_factory=set)
    again: bool = True
    asked: list[list[str]] = field(default_factory=list)
    port: int = 0

    def archive(self, listen: int = 0) -> Archive:
        return Archive("forgetful", host="127.0.0.1", port=self.port, ae_title="FORGETFUL", listen=listen)

    def _find(self, event: Any) -> Iterator[tuple[int, Dataset | None]]:
        for uid, image in self.images.items():
            found = Dataset()
            found.QueryRetrieveLevel, found.SOPInstanceUID = "IMAGE", uid
            found.SOPClassUID, found.InstanceNumber = image.SOPClassUID, image.InstanceNumber
            yield 0xFF00, found

    def _sent(self, identifier: Dataset) -> list[Dataset]:
        named = identifier.get("SOPInstanceUID", [])
        named = [named] if isinstance(named, str) else list(named)
        self.asked.append([str(uid) for uid in named])
        wanted = named or list(self.images)
        return [self.images[uid] for uid in wanted if uid not in self.forgets or (named and self.again)]

    def _get(self, event: Any) -> Iterator[Any]:
        sent = self._sent(event.identifier)
        yield len(sent)
        for image in sent:
            yield 0xFF00, image

    def _move(self, event: Any, port: int) -> Iterator[Any]:
        yield "127.0.0.1", port
        yield from self._get(event)


@contextmanager
def forgetting(peer: Forgetful, listens_at: int, at_once: int = 100) -> Iterator[Forgetful]:
    entity = AE(ae_title="FORGETFUL")
    entity.maximum_associations = at_once
    for model in (
        StudyRootQueryRetrieveInformationModelFind,
        StudyRootQueryRetrieveInformationModelGet,
        StudyRootQueryRetrieveInformationModelMove,
    ):
        entity.add_supported_context(model)
    entity.add_supported_context(CTImageStorage, scu_role=True, scp_role=True)
    entity.add_requested_context(CTImageStorage)
    handlers: list[Any] = [
        (evt.EVT_C_FIND, peer._find),
        (evt.EVT_C_GET, peer._get),
        (evt.EVT_C_MOVE, peer._move, [listens_at]),
    ]
    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
    assert server is not None
    peer.port = server.server_address[1]
    try:
        yield peer
    finally:
        server.shutdown()

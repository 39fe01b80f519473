"""Archives that speak DIMSE (PS3.7): C-FIND finds, C-GET or C-MOVE retrieves, C-STORE stores."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from pydicom import dcmread
from pydicom.dataset import Dataset
from pynetdicom import build_context, build_role, evt
from pynetdicom.sop_class import (  # type: ignore[attr-defined] # made at run time
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
    StudyRootQueryRetrieveInformationModelMove,
    Verification,
)

from napari_d24fad.archives.archive import Archive
from napari_d24fad.archives.association import Link, associated
from napari_d24fad.archives.commitment import committed
from napari_d24fad.archives.found import (
    FoundInstance,
    FoundSeries,
    FoundStudy,
    Wanted,
    plain_text,
)
from napari_d24fad.archives.inbox import Inbox
from napari_d24fad.archives.limits import BOUNDS, Bounds, checked_uid
from napari_d24fad.archives.receiver import Receiver, storage_contexts
from napari_d24fad.errors import ArchiveError, Cancelled, Code, D24fadError
from napari_d24fad.progress import CancelToken
from napari_d24fad.studies.files.quiet import quiet

_SUCCESS, _WARNING = 0x0000, 0xB000
_PENDING = (0xFF00, 0xFF01)
_NOT_OFFERED, _DESTINATION_UNKNOWN, _NO_ROOM = 0x0122, 0xA801, 0xA700
_WARNINGS = (0xB000, 0xB006, 0xB007)
_AT_ONCE = 100
"""Identifiers of instances in one request: some archives take no long ones."""

_STUDY_FIELDS = (
    "PatientID", "PatientName", "StudyDate", "StudyDescription", "ModalitiesInStudy",
    "NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances", "StudyInstanceUID",
)  # fmt: skip
_SERIES_FIELDS = (
    "SeriesNumber", "Modality", "SeriesDescription", "NumberOfSeriesRelatedInstances", "SeriesInstanceUID",
)  # fmt: skip
_INSTANCE_FIELDS = ("SOPInstanceUID", "SOPClassUID", "InstanceNumber")


class DimsePeer:
    """A `Peer` that speaks DIMSE.

    Args:
        archive: Which.
        cancel: Stops what is asked of it.
        bounds: What is taken of it at most.
    """

    lists_first = True
    """By their classes, which an association must name before anything can come over it."""

    def __init__(self, archive: Archive, cancel: CancelToken, bounds: Bounds = BOUNDS) -> None:
        self._archive, self._cancel, self._bounds = archive, cancel, bounds

    def check(self) -> None:
        """See `Peer`."""
        with self._with([build_context(Verification)], self._bounds.answer) as link:
            if link.check(link.association.send_c_echo()) != _SUCCESS:
                raise ArchiveError(Code.AE_REFUSED)

    def studies(self, wanted: Wanted) -> tuple[FoundStudy, ...]:
        """See `Peer`."""
        found = self._find("STUDY", _STUDY_FIELDS, wanted.filters, self._bounds.results)
        return tuple(FoundStudy.told(_uid(one, "StudyInstanceUID"), partial(_text, one)) for one in found)

    def series(self, study: str) -> tuple[FoundSeries, ...]:
        """See `Peer`."""
        keys = {"StudyInstanceUID": checked_uid(study)}
        found = self._find("SERIES", _SERIES_FIELDS, keys, self._bounds.results)
        return tuple(
            FoundSeries.told(study, _uid(one, "SeriesInstanceUID"), partial(_text, one)) for one in found
        )

    def instances(self, series: FoundSeries) -> tuple[FoundInstance, ...]:
        """See `Peer`."""
        keys = {"StudyInstanceUID": checked_uid(series.study), "SeriesInstanceUID": checked_uid(series.uid)}
        found = self._find("IMAGE", _INSTANCE_FIELDS, keys, self._bounds.instances)
        listed = {_uid(one, "SOPInstanceUID"): _text(one, "SOPClassUID") for one in found}
        return tuple(FoundInstance(uid, sop_class) for uid, sop_class in listed.items())

    def retrieve(
        self, series: FoundSeries, instances: Sequence[FoundInstance], inbox: Inbox, *, whole: bool
    ) -> None:
        """See `Peer`. By C-GET over the same connection, or by C-MOVE to a port of this program."""
        asked = [_identifier(series)] if whole else list(_identifiers(series, instances))
        classes = {one.sop_class for one in instances if one.sop_class}
        get = self._move if self._archive.listen else self._get
        for identifier in asked:
            get(identifier, classes, inbox)

    def store(self, file: Path) -> str:
        """See `Peer`."""
        with quiet():
            dataset = dcmread(file, defer_size=None)
            sop_class, syntax = dataset.SOPClassUID, dataset.file_meta.TransferSyntaxUID
            context = [build_context(sop_class, syntax)]
            try:
                with self._with(context, self._bounds.answer, takes=False) as link:
                    status = link.check(link.association.send_c_store(dataset))
            except ArchiveError as error:
                if error.code is not Code.AE_REFUSED:
                    raise
                return "it takes no objects of this kind or compression, or not from this program"
        if status == _SUCCESS or status in _WARNINGS:
            return ""
        if status & 0xFF00 == _NO_ROOM & 0xFF00:
            return "it has no room"
        return f"it gave the status {status:04X}"

    def commit(self, instances: Sequence[FoundInstance]) -> frozenset[str] | None:
        """See `Peer`."""
        return committed(self._archive, instances, self._with, self._cancel, self._bounds)

    def preview(self, series: FoundSeries) -> bytes:
        """See `Peer`. DIMSE offers none."""
        return b""

    def close(self) -> None:
        """See `Peer`. There is an association only while something is asked."""

    def _with(self, contexts: list[Any], allowed: int, **options: Any) -> Any:
        return associated(self._archive, contexts, self._cancel, self._bounds, allowed=allowed, **options)

    def _find(self, level: str, fields: Iterable[str], keys: dict[str, str], most: int) -> list[Dataset]:
        query = Dataset()
        query.QueryRetrieveLevel = level
        for keyword in fields:
            setattr(query, keyword, None)
        with quiet():
            query.SpecificCharacterSet = "ISO_IR 192"
            for keyword, value in keys.items():
                setattr(query, keyword, value)
        model = StudyRootQueryRetrieveInformationModelFind
        found: list[Dataset] = []
        with self._with([build_context(model)], self._bounds.answer) as link, quiet():
            for status, answer in link.association.send_c_find(query, model):
                code = link.check(status)
                if code not in _PENDING:
                    _check_end(code)
                elif answer is not None:
                    found.append(answer)
                if len(found) > most:
                    raise ArchiveError(Code.TOO_MUCH, f"There are more than {most} results.")
        return found

    def _get(self, identifier: Dataset, classes: set[str], inbox: Inbox) -> None:
        model = StudyRootQueryRetrieveInformationModelGet
        storage = storage_contexts(classes)
        roles = [build_role(uid, scp_role=True) for uid in {str(one.abstract_syntax) for one in storage}]
        taking = _Taking(inbox)
        with (
            self._with(
                [build_context(model), *storage],
                self._bounds.study,
                roles=roles,
                handlers=[(evt.EVT_C_STORE, taking.take)],
            ) as link,
            quiet(),
        ):
            taking.link = link
            for status, _ in link.association.send_c_get(identifier, model):
                taking.check()
                code = link.check(status)
                if code not in _PENDING:
                    _check_end(code)
            taking.check()

    def _move(self, identifier: Dataset, classes: set[str], inbox: Inbox) -> None:
        model = StudyRootQueryRetrieveInformationModelMove
        with (
            Receiver(self._archive, classes, inbox, self._bounds) as receiver,
            self._with([build_context(model)], self._bounds.study) as link,
            quiet(),
        ):
            receiver.watch = link.watch
            answers = link.association.send_c_move(identifier, self._archive.own_ae_title, model)
            for status, _ in answers:
                receiver.check()
                code = link.check(status)
                if code not in _PENDING:
                    _check_end(code)
            receiver.settle()


class _Taking:
    """Puts what comes over an association into the inbox; what is wrong with it is raised later.

    pynetdicom calls `take` and would swallow an error.
    """

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self._problem: D24fadError | Cancelled | None = None
        self.link: Link | None = None

    def take(self, event: Any) -> int:
        if self._problem is not None:
            return _NO_ROOM
        try:
            self._inbox.take(event.encoded_dataset())
        except (D24fadError, Cancelled) as error:
            self._problem = error
            if self.link is not None:
                self.link.halt()
            return _NO_ROOM
        if self.link is not None:
            self.link.watch.saw_image()
        return _SUCCESS

    def check(self) -> None:
        if self._problem is not None:
            raise self._problem


def _check_end(code: int) -> None:
    """Returns if a request was done, or in part: what is missing is seen by what has arrived."""
    if code == _SUCCESS or code & 0xF000 == _WARNING:
        return
    if code == _NOT_OFFERED:
        raise ArchiveError(Code.AE_REFUSED)
    if code == _DESTINATION_UNKNOWN:
        raise ArchiveError(Code.AE_REFUSED, "It does not know where to send images for this program.")
    if code & 0xFF00 == _NO_ROOM & 0xFF00:
        return  # it could not match or send some
    raise ArchiveError(Code.BAD_ANSWER, f"It answered with status {code:04X}.")


def _identifier(series: FoundSeries) -> Dataset:
    identifier = Dataset()
    identifier.QueryRetrieveLevel = "SERIES"
    identifier.StudyInstanceUID, identifier.SeriesInstanceUID = series.study, series.uid
    return identifier


def _identifiers(series: FoundSeries, instances: Sequence[FoundInstance]) -> Iterator[Dataset]:
    for start in range(0, len(instances), _AT_ONCE):
        identifier = _identifier(series)
        identifier.QueryRetrieveLevel = "IMAGE"
        identifier.SOPInstanceUID = [one.uid for one in instances[start : start + _AT_ONCE]]
        yield identifier


def _uid(dataset: Dataset, keyword: str) -> str:
    return checked_uid(str(dataset.get(keyword, "")))


def _text(dataset: Dataset, keyword: str) -> str:
    value = dataset.get(keyword)
    if value is None:
        return ""
    several = isinstance(value, Iterable) and not isinstance(value, str | bytes) and hasattr(value, "append")
    return plain_text("/".join(str(one) for one in value) if several else value)

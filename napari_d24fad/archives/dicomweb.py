"""Archives that speak DICOMweb (PS3.18): QIDO-RS finds, WADO-RS retrieves, STOW-RS stores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from dicomweb_client.web import DICOMwebClient
from pydicom import dcmread
from pydicom.datadict import tag_for_keyword

from napari_d24fad.archives.archive import Archive
from napari_d24fad.archives.found import (
    PAGE,
    FoundInstance,
    FoundSeries,
    FoundStudy,
    Wanted,
    plain_text,
)
from napari_d24fad.archives.inbox import Inbox
from napari_d24fad.archives.limits import BOUNDS, Bounds, checked_uid
from napari_d24fad.archives.multipart import boundary_of, take_apart
from napari_d24fad.archives.web_session import CHUNK, WebSession, check_status, coded_web_errors
from napari_d24fad.errors import ArchiveError, Code
from napari_d24fad.progress import CancelToken
from napari_d24fad.studies.files.quiet import quiet

_DICOM = 'multipart/related; type="application/dicom"; transfer-syntax=*'
_PREVIEW = "image/jpeg"
_INSTANCE_PAGE = 5_000
"""Orthanc 1.10 looks through all instances of a series for each page."""

_STUDY_FIELDS = ("StudyDescription", "ModalitiesInStudy")
_SERIES_FIELDS = ("SeriesDescription", "NumberOfSeriesRelatedInstances")
_STORED_FAILURES = {
    0x0110: "it had an error of its own",
    0x0111: "it is there already",
    0x0122: "it takes no objects of this kind",
    0xA700: "it has no room",
    0xA900: "it says that the object contradicts itself",
    0xC000: "it does not understand the object",
}
Entry = dict[str, Any]


class WebPeer:
    """A `Peer` that speaks DICOMweb.

    Args:
        archive: Which.
        password: Its password; empty without one.
        cancel: Stops what is asked of it.
        bounds: What is taken of it at most.
    """

    lists_first = False

    def __init__(self, archive: Archive, password: str, cancel: CancelToken, bounds: Bounds = BOUNDS) -> None:
        self._bounds, self._cancel = bounds, cancel
        self._base = archive.url.rstrip("/")
        self._session = WebSession(archive, password, cancel, bounds)
        # One chunk: Orthanc and others take no chunked requests.
        self._client = DICOMwebClient(
            self._base, self._session, chunk_size=bounds.instance, permissive_uid=True
        )
        self._client.set_http_retry_params(retry=False)

    def check(self) -> None:
        """See `Peer`."""
        with self._asking():
            self._client.search_for_studies(limit=1)

    def studies(self, wanted: Wanted) -> tuple[FoundStudy, ...]:
        """See `Peer`."""
        # What must be escaped in an address is not understood by all: anything may stand there instead.
        name = wanted.name.replace("^", "*").replace(" ", "*")
        filters = replace(wanted, name=name).filters
        entries = self._pages(
            lambda offset: self._client.search_for_studies(
                fields=_STUDY_FIELDS, search_filters=filters, limit=PAGE, offset=offset
            ),
            "0020000D",
            self._bounds.results,
        )
        return tuple(FoundStudy.told(uid, partial(_text, entry)) for uid, entry in entries.items())

    def series(self, study: str) -> tuple[FoundSeries, ...]:
        """See `Peer`."""
        entries = self._pages(
            lambda offset: self._client.search_for_series(
                checked_uid(study), fields=_SERIES_FIELDS, limit=PAGE, offset=offset
            ),
            "0020000E",
            self._bounds.results,
        )
        return tuple(FoundSeries.told(study, uid, partial(_text, entry)) for uid, entry in entries.items())

    def instances(self, series: FoundSeries) -> tuple[FoundInstance, ...]:
        """See `Peer`."""
        entries = self._pages(
            lambda offset: self._client.search_for_instances(
                series.study, series.uid, limit=_INSTANCE_PAGE, offset=offset
            ),
            "00080018",
            self._bounds.instances,
            enough=series.instances,
        )
        return tuple(FoundInstance(uid, _text(entry, "SOPClassUID")) for uid, entry in entries.items())

    def retrieve(
        self, series: FoundSeries, instances: Sequence[FoundInstance], inbox: Inbox, *, whole: bool
    ) -> None:
        """See `Peer`. A whole series comes in one answer, single instances in one each."""
        place = f"{self._base}/studies/{checked_uid(series.study)}/series/{checked_uid(series.uid)}"
        if whole:
            self._take(place, inbox)
            return
        for instance in instances:
            try:
                self._take(f"{place}/instances/{checked_uid(instance.uid)}", inbox)
            except ArchiveError as error:
                if error.code not in (Code.NOTHING_MATCHES, Code.BAD_ANSWER):
                    raise

    def store(self, file: Path) -> str:
        """See `Peer`."""
        with self._asking(), quiet():
            answer = self._client.store_instances([dcmread(file)])
            failed = [int(item.get("FailureReason", 0)) for item in answer.get("FailedSOPSequence", [])]
        if not failed:
            return ""
        reason = _STORED_FAILURES.get(failed[0], _STORED_FAILURES.get(failed[0] & 0xFF00, ""))
        return reason or f"it gave the reason {failed[0]:04X}"

    def commit(self, instances: Sequence[FoundInstance]) -> frozenset[str] | None:
        """See `Peer`. DICOMweb offers none."""
        return None

    def preview(self, series: FoundSeries) -> bytes:
        """See `Peer`. The picture is of the instance in the middle."""
        with self._asking():
            listed = self._client.search_for_instances(
                series.study, series.uid, limit=1, offset=series.instances // 2
            )
            if not listed:
                return b""
            middle = checked_uid(_first(listed[0], "00080018"))
            url = f"{self._base}/studies/{series.study}/series/{series.uid}/instances/{middle}/rendered"
            response = self._session.get(url, headers={"Accept": _PREVIEW}, stream=False)
            if response.status_code >= 400 or response.headers.get("Content-Type") != _PREVIEW:
                return b""
            return bytes(response.content)

    def close(self) -> None:
        """See `Peer`."""
        self._session.close()

    def _asking(self) -> Any:
        self._session.allowed = self._bounds.answer
        return coded_web_errors()

    def _pages(
        self, ask: Callable[[int], list[Entry]], tag: str, most: int, enough: int = 0
    ) -> dict[str, Entry]:
        """Asks page by page until nothing new comes, or as many as are known; returns the entries by UID.

        Some peers ignore the page that is asked for and send the same again, for ever.
        """
        found: dict[str, Entry] = {}
        with self._asking():
            while True:
                before = len(found)
                page = ask(before)
                for entry in page:
                    found.setdefault(checked_uid(_first(entry, tag)), entry)
                if len(found) > most:
                    raise ArchiveError(Code.TOO_MUCH, f"There are more than {most} results.")
                if len(found) == before or 0 < enough <= len(found):
                    return found

    def _take(self, url: str, inbox: Inbox) -> None:
        """Has one or many instances sent to the inbox; what was complete stays, whatever happens."""
        self._session.allowed = self._bounds.study
        try:
            with (
                coded_web_errors(),
                self._session.get(url, headers={"Accept": _DICOM}, stream=True) as response,
            ):
                check_status(response)
                chunks = response.iter_content(CHUNK)
                if boundary := boundary_of(response.headers.get("Content-Type", "")):
                    take_apart(chunks, boundary, inbox)
                    return
                inbox.begin()
                for chunk in chunks:
                    inbox.write(chunk)
                inbox.end()
        finally:
            inbox.close()


def _first(entry: Entry, tag: str) -> object:
    values = entry.get(tag, {}).get("Value") or [None]
    return values[0]


def _text(entry: Entry, keyword: str) -> str:
    values = entry.get(f"{tag_for_keyword(keyword):08X}", {}).get("Value") or []
    shown = [value.get("Alphabetic", "") if isinstance(value, dict) else value for value in values[:16]]
    return plain_text("/".join(str(value) for value in shown if value is not None))

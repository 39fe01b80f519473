"""A session for scripts and notebooks: choose the model once, then examine scan after scan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from napari_d24fad.detection.encoding.intensity import CtWindow
from napari_d24fad.detection.result import FloatArray, MapChannel
from napari_d24fad.errors import ArgumentError, Code
from napari_d24fad.progress import CancelToken, Progress, silent
from napari_d24fad.session.encodings import SPARE
from napari_d24fad.session.request import Drawn, Examination, Example, Request
from napari_d24fad.session.session import DetectionSession
from napari_d24fad.studies.series import Series

if TYPE_CHECKING:
    from napari_d24fad.detection.explain import Explanation
    from napari_d24fad.detection.references.regions import Region


class Session:
    """Examines scans, and keeps the model and what it has encoded for the next.

    References are encoded once; features of reference volumes stay on disk and are found again by
    the files they came from (see docs/performance.md). One thread at a time.

    Args:
        model: Name or file of the model; ``d24fad models list`` lists names.
        device: ``"auto"`` (CUDA where there is one), ``"cpu"``, ``"cuda"`` or ``"cuda:N"``.
        scoring: ``"paper"``, ``"matched"`` or ``"atlas"``; None takes ``"atlas"`` for volumes of a kind
            that it knows, such as heads by CT or MR, else what the model's card says.
        direction: ``"brighter"``, ``"darker"`` or ``"both"``, for the atlas; None for what is usual.
        ct_window: Low and high HU that become black and white, for CT; None for those that are usual
            for the query's body part, or that its header states.
        spare: How many encoded scans to keep in memory beside those of the last examination.

    Example:
        >>> import napari_d24fad as d24
        >>> query, *references = d24.open_study("folder").series
        >>> examination = d24.Session().examine(query, references)
        >>> examination.anomaly.score
    """

    def __init__(
        self,
        model: str | Path = "compact",
        device: str = "auto",
        *,
        scoring: str | None = None,
        direction: str | None = None,
        ct_window: CtWindow | None = None,
        spare: int = SPARE,
    ) -> None:
        self._model, self._device, self._scoring, self._ct_window = model, device, scoring, ct_window
        self._direction = direction
        self._session = DetectionSession(spare=spare, leaves_a_core=False)

    def prepare(
        self,
        query: Series,
        references: Sequence[Series],
        *,
        abnormal: Sequence[Series | Example] = (),
        progress: Progress = silent,
        cancel: CancelToken | None = None,
    ) -> None:
        """Encodes references and measures them against each other: `examine` then has less to do.

        Args:
            query: A series that is going to be examined; only its header is looked at.
            references: Two or more series of normal scans of one kind.
            abnormal: See `examine`.
            progress: Told how far this is.
            cancel: Stops it.

        Raises:
            D24fadError: Why these references cannot be used, or the model cannot be loaded.
            Cancelled: If a stop was asked for.
        """
        request = replace(self._request(query, references), abnormal=_examples(abnormal))
        self._session.prepare(request, progress, cancel or CancelToken())

    def examine(
        self,
        query: Series,
        references: Sequence[Series],
        *,
        shares: Sequence[float] | None = None,
        regions: Sequence[Drawn] = (),
        abnormal: Sequence[Series | Example] = (),
        progress: Progress = silent,
        cancel: CancelToken | None = None,
    ) -> Examination:
        """Examines a scan; encodes only scans that were not encoded before.

        Args:
            query: The series to examine.
            references: Two or more series of normal scans of the same kind.
            shares: How much each reference counts, above 0 and up to 1; None for 1 each.
            regions: Examine only here: what was drawn on one or several of the scans, see `Drawn.of`.
            abnormal: Abnormal scans of the same kind of study, as examples of what is looked for: what is
                like them scores higher, nothing scores lower. A series, or an `Example` that says what
                kind it is and where.
            progress: Told how far this is.
            cancel: Stops it.

        Returns:
            The scan, and what was found: ``anomaly.values`` is the map on the grid of the scan,
            ``anomaly.score`` and ``anomaly.p_value`` tell of the scan, ``anomaly.regions`` of places.

        Raises:
            D24fadError: Why there is no result.
            Cancelled: If a stop was asked for.
        """
        request = self._request(query, references, shares)
        request = replace(request, regions=tuple(regions), abnormal=_examples(abnormal))
        return self._session.run(request, progress, cancel or CancelToken())

    def explain(self, examination: Examination, slice_index: int) -> Explanation:
        """Explains one slice of an examination by this session; see `Explanation`.

        Args:
            examination: Of `examine`.
            slice_index: Along the slice axis of the scan.

        Raises:
            D24fadError: The slice was not examined.
            Cancelled: `release` was called since.
        """
        return self._session.explain(examination, slice_index, CancelToken())

    def channel_map(self, examination: Examination, channel: MapChannel) -> FloatArray:
        """Returns the map of one of ``examination.anomaly.channels``, on the grid of the scan.

        Raises:
            ArgumentError: BAD_ARGUMENT if the map of the examination has no channels.
            Cancelled: `release` was called since.
        """
        held = self._session.held(examination)
        if held is None:
            raise ArgumentError(Code.BAD_ARGUMENT, "This map is not joined from several.")
        return held.channel_map(channel)

    def regions(self, examination: Examination, level: float) -> tuple[Region, ...]:
        """Finds the regions of an examination by this session at another level of the map.

        Raises:
            Cancelled: `release` was called since.
        """
        return self._session.regions(examination, level, CancelToken())

    def release(self) -> None:
        """Lets go of the model and of all features, and gives a GPU's memory back."""
        self._session.release()

    def _request(
        self, query: Series, references: Sequence[Series], shares: Sequence[float] | None = None
    ) -> Request:
        counted = None if shares is None else tuple(shares)
        return Request(
            query,
            tuple(references),
            self._model,
            self._device,
            counted,
            self._ct_window,
            self._scoring,
            self._direction,
        )


def _examples(marked: Sequence[Series | Example]) -> tuple[Example, ...]:
    return tuple(map(Example.of, marked))

"""Scans relative to one set of references, and what each two of them show together: each made once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from napari_d24fad.detection.encoding.devices import upload
from napari_d24fad.detection.encoding.encoded import SEARCH_WINDOW, Encoded, EncodedScan, supports_at
from napari_d24fad.detection.encoding.encoder import Encoder
from napari_d24fad.detection.encoding.halving import in_halves
from napari_d24fad.detection.scoring.matched import MatchedScoring
from napari_d24fad.detection.scoring.protocol import Features, Scoring
from napari_d24fad.progress import CancelToken, Progress, silent

_MOST_AT_ONCE = 16

_Pairs = WeakKeyDictionary[EncodedScan, Features]


class Alignment:
    """What features of scans are held against: the statistics of one set of references.

    Supports and matches of pairs of scans are kept, so that a reference more, or less, or one that
    counts less, costs only what is new. What is kept of a scan goes with it.

    Args:
        method: The scoring that the scans were encoded for.
        statistics: Of `Scoring.statistics`.
        encoder: What encoded the scans; asked for mirror images if the method wants them.
    """

    def __init__(self, method: Scoring, statistics: Features, encoder: Encoder) -> None:
        self.method = method
        self.statistics = statistics
        self._encoder = encoder
        self._supports: WeakKeyDictionary[EncodedScan, Encoded] = WeakKeyDictionary()
        self._pairs: WeakKeyDictionary[EncodedScan, _Pairs] = WeakKeyDictionary()

    @torch.inference_mode()
    def supports(self, scan: EncodedScan) -> Encoded:
        """Returns what queries are compared with of a reference: it, and its mirror images where wanted."""
        if scan not in self._supports:
            encoded = scan.encoded.on(self._encoder.device)
            aligned = encoded.aligned(self.method, self.statistics)
            if self.method.mirrored:
                mirrored = replace(encoded, features=self._encoder.mirrored(scan)).on(self._encoder.device)
                aligned = aligned.and_mirrored(mirrored.aligned(self.method, self.statistics).features)
            features = self.method.supports(self._encoder.network, aligned.features)
            self._supports[scan] = replace(aligned, features=features)
        return self._supports[scan]

    @torch.inference_mode()
    def compare(
        self,
        query: EncodedScan,
        references: Sequence[EncodedScan],
        *,
        progress: Progress = silent,
        cancel: CancelToken | None = None,
    ) -> Compared:
        """Compares a scan with references, and keeps what can be used again.

        Raises:
            Cancelled: If a stop was asked for.
        """
        cancel = cancel or CancelToken()
        cancel.check()
        supports = tuple(self.supports(each) for each in references)
        if not isinstance(self.method, MatchedScoring):
            return Compared(query, supports, self.method, self.statistics, None)
        known = self._pairs.setdefault(query, WeakKeyDictionary())
        missing = [at for at, each in enumerate(references) if each not in known]
        if missing:
            found = self._match(query, [supports[at] for at in missing], self.method, progress, cancel)
            for at, columns in zip(missing, found, strict=True):
                known[references[at]] = columns
        pairs = [known[each] for each in references]
        matches = tuple(torch.stack(columns, dim=1) for columns in zip(*pairs, strict=True))
        return Compared(query, supports, self.method, self.statistics, matches)

    def knows(self, query: EncodedScan, references: Sequence[EncodedScan]) -> bool:
        """Whether a comparison would have nothing to compute."""
        known = self._pairs.get(query)
        return known is not None and all(each in known for each in references)

    def keep(self, query: EncodedScan, reference: EncodedScan, matches: Features) -> None:
        """Takes what two scans show together from where it was kept, ``(N, h, w)`` per space and scale."""
        self._pairs.setdefault(query, WeakKeyDictionary())[reference] = matches

    def kept_among(self, scans: Sequence[EncodedScan]) -> dict[tuple[int, int], Features]:
        """Returns what is kept of pairs of some scans, by their positions among them."""
        at = {scan: index for index, scan in enumerate(scans)}
        return {
            (at[query], at[reference]): matches
            for query in scans
            for reference, matches in self._pairs.get(query, {}).items()
            if reference in at
        }

    def joined(self, whole: EncodedScan, parts: Sequence[EncodedScan]) -> None:
        """Takes what was found for the parts of a scan for the whole; see `EncodedScan.join`."""
        order = torch.tensor(whole.order_of(parts))
        known = [self._pairs.pop(part) for part in parts]
        for other in set.intersection(*(set(pairs) for pairs in known)):
            columns = zip(*(pairs[other] for pairs in known), strict=True)
            self.keep(whole, other, tuple(torch.cat(each)[order.to(each[0].device)] for each in columns))

    def _match(
        self,
        query: EncodedScan,
        supports: Sequence[Encoded],
        method: MatchedScoring,
        progress: Progress,
        cancel: CancelToken,
    ) -> list[Features]:
        """For each reference, the lowest distances ``(N, h, w)`` of each space and scale."""

        def lowest(chosen: slice) -> Features:
            """``(n, references, h, w)`` for each space and scale."""
            encoded = query.encoded.part(chosen).on(self._encoder.device)
            own = encoded.aligned(method, self.statistics)
            at = supports_at(supports, own.levels.tolist())
            matches = method.match(own.features, at.features)
            of = [[n for n, owner in enumerate(at.owners) if owner == each] for each in range(len(supports))]
            runs = [slice(each[0], each[-1] + 1) for each in of]  # a reference's slices follow each other
            return tuple(
                torch.stack([_lowest(each[:, run], at.near[:, run]) for run in runs], dim=1)
                for each in matches
            )

        found = []
        for chosen in _neighbours(query.encoded):
            cancel.check()
            found.append(in_halves(lowest, chosen))
            progress(chosen.stop / len(query.encoded.levels), "Comparing slices")
        whole = [torch.cat(each) for each in zip(*found, strict=True)]
        # Copies: what is kept of a reference goes with it.
        return [tuple(each[:, owner].clone() for each in whole) for owner in range(len(supports))]


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """A scan held against references, some of which may then be left out or count less.

    Attributes:
        query: The scan.
        supports: What it is compared with, of each reference.
        method: The scoring.
        statistics: What features are aligned by.
        matches: For the default scoring, for each space and scale ``(N, references, h, w)`` in half
            precision; None for the published one, which compares each time.
    """

    query: EncodedScan
    supports: tuple[Encoded, ...] = field(repr=False)
    method: Scoring
    statistics: Features = field(repr=False)
    matches: Features | None = field(repr=False)

    @torch.inference_mode()
    def distances(
        self, chosen: slice, side: int, shares: Sequence[float], cancel: CancelToken
    ) -> tuple[Tensor, Tensor]:
        """Returns the distances of some slices.

        Args:
            chosen: Which of the encoded slices.
            side: Side of the maps in pixels.
            shares: For each reference how much it counts, 0 to 1.
            cancel: Stops it between some slices and the next.

        Returns:
            Distances ``(n, components, side, side)`` and weights ``(n, references, scales)``, 0 for
            references that do not count.

        Raises:
            Cancelled: If a stop was asked for.
        """
        cancel.check()
        kept = [at for at, share in enumerate(shares) if share > 0]
        counted = None if all(shares[at] == 1 for at in kept) else [shares[at] for at in kept]
        if self.matches is not None and isinstance(self.method, MatchedScoring):
            method, columns = self.method, tuple(each[chosen][:, kept] for each in self.matches)
            distances, own = in_halves(
                lambda run: method.distances(tuple(each[run] for each in columns), side, counted),
                slice(0, len(columns[0])),
            )
            weights = own.new_zeros(len(own), len(shares), own.shape[2])
            weights[:, kept] = own
            return distances, weights
        slices = self.query.encoded.part(chosen)
        parts = [
            in_halves(lambda part: self._run(slices.part(part), kept, side, counted, cancel), run)
            for run in _neighbours(slices)
        ]
        distances, weights = (torch.cat(tensors) for tensors in zip(*parts, strict=True))
        return distances, weights

    def distances_without_one(
        self, chosen: slice, side: int, shares: Sequence[float], cancel: CancelToken
    ) -> list[Tensor]:
        """Returns the distances of some slices with each reference left out in turn; see `distances`.

        With the default scoring all are computed at once where references count alike: on a GPU,
        starting a computation of a few small maps takes longer than the computation.
        """
        left = [
            [0.0 if at == out else share for at, share in enumerate(shares)] for out in range(len(shares))
        ]
        equal = all(share == 1 for share in shares)
        if self.matches is None or not equal or not isinstance(self.method, MatchedScoring):
            return [self.distances(chosen, side, each, cancel)[0] for each in left]
        cancel.check()
        kept = [[at for at, share in enumerate(each) if share] for each in left]
        at = upload(torch.tensor(kept), self.matches[0].device)  # one row for each that is left out
        method = self.method
        columns = [each[chosen][:, at].transpose(0, 1).flatten(0, 1) for each in self.matches]
        distances, _ = in_halves(
            lambda run: method.distances(tuple(each[run] for each in columns), side),
            slice(0, len(columns[0])),
        )
        return list(distances.reshape(len(kept), -1, *distances.shape[1:]).unbind())

    def _run(
        self,
        slices: Encoded,
        kept: Sequence[int],
        side: int,
        shares: Sequence[float] | None,
        cancel: CancelToken,
    ) -> tuple[Tensor, Tensor]:
        """Compares slices that have most of their supports in common."""
        cancel.check()
        supports = [self.supports[index] for index in kept]
        own = slices.on(supports[0].features[0].device).aligned(self.method, self.statistics)
        at = supports_at(supports, own.levels.tolist())
        distances, weights = self.method.compare(own.features, at.features, at.owners, side, shares, at.near)
        per_reference = weights.new_zeros(len(weights), len(self.supports), weights.shape[2])
        of = torch.tensor([kept[owner] for owner in at.owners], device=weights.device)
        return distances, per_reference.index_add(1, of, weights)


def _neighbours(scan: Encoded) -> Iterator[slice]:
    """Runs of slices near enough in level to share most of their supports."""
    start = 0
    for at in range(1, len(scan.levels) + 1):
        full = at - start == _MOST_AT_ONCE
        if at == len(scan.levels) or full or scan.levels[at] - scan.levels[start] > SEARCH_WINDOW:
            yield slice(start, at)
            start = at


def _lowest(distances: Tensor, near: Tensor) -> Tensor:
    """Lowest of the distances ``(N, S, h, w)`` that count, ``near`` being ``(N, S)``: ``(N, h, w)``."""
    return distances.masked_fill(~near[..., None, None], torch.inf).amin(dim=1)

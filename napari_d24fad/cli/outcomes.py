"""What comes of each query of ``d24fad detect``: a result, or why there is none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from napari_d24fad.cli.console import complain, warn
from napari_d24fad.cli.sources import Query
from napari_d24fad.errors import Code, D24fadError
from napari_d24fad.export.report import Refused, ReportEntry
from napari_d24fad.progress import Progress, part
from napari_d24fad.session.request import Examination
from napari_d24fad.session.saving import report_entry
from napari_d24fad.studies.scan import Problem


class Outcomes:
    """What comes of each query, computed when it is asked for; none of it is kept here.

    Args:
        examine: Examines a series, given ``progress``: by a session that has the references encoded.
        queries: The scans to examine.
        problems: What should be known of the scans that were marked.
        progress: Told how far it is.
        keep: Given each examination with all of its warnings; None to keep none.

    Attributes:
        refused: Why queries could not be examined, as far as it has come.

    Raises:
        D24fadError: While it is gone through, why the only query cannot be examined.
    """

    def __init__(
        self,
        examine: Callable[..., Examination],
        queries: Sequence[Query],
        problems: tuple[Problem, ...],
        progress: Progress,
        keep: Callable[[Examination], None] | None = None,
    ) -> None:
        self._examine, self._queries, self._keep = examine, queries, keep
        self._problems, self._progress = problems, progress
        self.refused: list[D24fadError] = []

    def __iter__(self) -> Iterator[ReportEntry | Refused]:
        for done, query in enumerate(self._queries):
            tell = part(self._progress, done / len(self._queries), (done + 1) / len(self._queries))
            yield self._outcome(query, tell)

    def _outcome(self, query: Query, progress: Progress) -> ReportEntry | Refused:
        try:
            if isinstance(query.found, D24fadError):
                raise query.found
            examination = self._examine(query.found, progress=progress)
        except D24fadError as error:
            self.refused.append(refuse(query, error, len(self._queries)))
            return Refused(query.number, error)
        except OSError as error:
            # Results are being written around this: it must not be taken for a folder that refuses them.
            raise D24fadError(Code.UNEXPECTED, f"({type(error).__name__})") from error
        if examination.scan.may_show_identity:
            warn(f"query {query.number}: {Problem(Code.BURNED_IN)}")
        warnings = (*examination.anomaly.warnings, *self._problems)
        examination = replace(examination, anomaly=replace(examination.anomaly, warnings=warnings))
        if self._keep is not None:
            self._keep(examination)
        return report_entry(examination)


def refuse(query: Query, error: D24fadError, of: int) -> D24fadError:
    """Says on stderr why one of several queries cannot be examined.

    Args:
        query: The query.
        error: Why.
        of: How many queries there are.

    Returns:
        The error.

    Raises:
        D24fadError: The same, if there is one query only: then nothing is left to do.
    """
    if of == 1:
        raise error
    code, _, reason = str(error).partition(": ")
    complain(f"{code}: Query {query.number}: {reason}")
    return error

"""Files made to do harm, each made from scratch, with what must come of it."""

from tests.studies.corpus.case import Case
from tests.studies.hostile import archives, claims, headers, paths, pixels, volumes

CASES: tuple[Case, ...] = (
    *claims.CASES,
    *headers.CASES,
    *pixels.CASES,
    *volumes.CASES,
    *archives.CASES,
    *paths.CASES,
)

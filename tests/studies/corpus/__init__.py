"""Hard studies, each made from scratch on the world-linear phantom, with what must come of it."""

from tests.studies.corpus import (
    discs,
    enhanced,
    formats,
    geometry,
    interleaved,
    mixtures,
    mosaics,
    multiframe,
    nifti,
    pixels,
    rounding,
    syntaxes,
    unusual,
    variants,
)
from tests.studies.corpus.case import Case

CASES: tuple[Case, ...] = (
    *syntaxes.CASES,
    *pixels.CASES,
    *geometry.CASES,
    *rounding.CASES,
    *interleaved.CASES,
    *mixtures.CASES,
    *discs.CASES,
    *multiframe.CASES,
    *mosaics.CASES,
    *unusual.CASES,
    *variants.CASES,
    *enhanced.CASES,
    *nifti.CASES,
    *formats.CASES,
)

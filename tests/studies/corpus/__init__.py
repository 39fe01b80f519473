"""Hard studies, each made from scratch on the world-linear phantom, with what must come of it."""

from tests.studies.corpus import formats, geometry, mixtures, mosaics, multiframe, nifti, pixels, syntaxes
from tests.studies.corpus.case import Case

CASES: tuple[Case, ...] = (
    *syntaxes.CASES,
    *pixels.CASES,
    *geometry.CASES,
    *mixtures.CASES,
    *multiframe.CASES,
    *mosaics.CASES,
    *nifti.CASES,
    *formats.CASES,
)

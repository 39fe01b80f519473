"""Opens a folder and says what is expected of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_d24fad.errors import Code, StudyError
from napari_d24fad.studies.series import Series
from napari_d24fad.studies.study import open_study


def only(path: Path) -> Series:
    (series,) = open_study(path).series
    return series


def refused(path: Path, code: Code) -> StudyError:
    with pytest.raises(StudyError) as caught:
        only(path).load()
    assert caught.value.code is code
    return caught.value


def described(path: Path) -> dict[str, Series]:
    study = open_study(path)
    named = {series.identity.description: series for series in study.series}
    assert len(named) == len(study.series)
    return named

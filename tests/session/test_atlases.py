"""A head CT through the session: the map of the atlas, and what is kept between runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_d24fad.detection.atlas import measured
from napari_d24fad.detection.atlas.scoring import AtlasReferences
from napari_d24fad.detection.encoding import extent
from napari_d24fad.detection.encoding.encoder import Encoder
from napari_d24fad.detection.plans.head_ct import head_ct_plan
from napari_d24fad.errors import ArgumentError, Cancelled, Code
from napari_d24fad.export.colours import anomaly_limits
from napari_d24fad.progress import CancelToken, silent
from napari_d24fad.session import atlases, measured_scans
from napari_d24fad.session.request import Request
from napari_d24fad.session.session import DetectionSession
from napari_d24fad.studies.nifti.series import NiftiSeries
from napari_d24fad.studies.orientation import canonical
from napari_d24fad.studies.series import Series
from napari_d24fad.studies.study import open_study
from tests.anatomy.heads import Clot, Head, draw
from tests.session.head_series import write_head

COARSE = Head(spacing=(6.0, 3.0, 3.0), low=-30, high=60)
CLOT = Clot((35, 20, 25), 12)


def _series(folder: Path, name: str, head: Head) -> Series:
    return open_study(write_head(folder, name, head)).series[0]


@pytest.fixture(scope="module")
def heads(tmp_path_factory: pytest.TempPathFactory) -> tuple[Series, tuple[Series, ...]]:
    folder = tmp_path_factory.mktemp("heads")
    normal = [_series(folder, f"normal-{n}", replace(COARSE, seed=n, turn=3 * n)) for n in range(4)]
    return _series(folder, "query", replace(COARSE, seed=9, clots=[CLOT])), tuple(normal)


def test_a_head_ct_is_examined_place_by_place(heads, monkeypatch: pytest.MonkeyPatch) -> None:
    query, references = heads
    counted: list[str] = []
    original = measured.measure_scan

    def counting(*args, **settings):
        counted.append("one")
        return original(*args, **settings)

    monkeypatch.setattr(measured_scans, "measure_scan", counting)
    shown: list[object] = []
    session = DetectionSession()
    request = Request(query, references[:3], "compact", "cpu")
    one = session.run(request, silent, CancelToken(), shown.append)
    assert shown == []  # the map comes as a whole
    assert one.anomaly.scoring == "atlas"
    assert len(counted) == 4
    _, _, clot = draw(replace(COARSE, seed=9, clots=[CLOT]))
    clot = clot if clot.shape == one.scan.grid else clot.T
    assert clot[one.anomaly.regions[0].peak_index]
    assert one.anomaly.regions[0].meaning.startswith("brighter than the references by")
    assert one.limits == anomaly_limits(one.anomaly)

    more = replace(request, references=references)
    assert session.score_slice(more, 5, CancelToken()) is None
    two = session.rescore(more, silent, CancelToken())
    assert len(counted) == 5
    assert all(problem.code is not Code.PREVIEW for problem in two.anomaly.warnings)
    fresh = DetectionSession().run(more, silent, CancelToken())
    np.testing.assert_allclose(two.anomaly.values, fresh.anomaly.values, atol=1e-5)
    assert session.regions(two, two.anomaly.level_one_region, CancelToken()) == two.anomaly.regions
    assert session.explain(two, 5, CancelToken()).weights.shape[0] == 4  # by features, as ever

    darker = session.run(replace(more, direction="darker"), silent, CancelToken())
    assert darker.anomaly.direction == "darker"
    assert not any(clot[region.peak_index] for region in darker.anomaly.regions)
    slices = session.run(replace(more, scoring="matched"), silent, CancelToken())
    assert slices.anomaly.scoring == "matched"


def test_a_part_of_a_head_lies_where_the_measured_scoring_puts_it(heads, tmp_path: Path) -> None:
    """What `evaluate` measures is what the session gives: the same map, also of a part of a head."""
    _, references = heads
    query = _series(tmp_path, "part", replace(COARSE, seed=9, low=6, high=42, clots=[CLOT]))
    request = Request(query, references, "compact", "cpu")
    found = DetectionSession().run(request, silent, CancelToken())
    assert Code.PART_OF_ANATOMY in [problem.code for problem in found.anomaly.warnings]
    measured_set = AtlasReferences.measure([each.load() for each in references], head_ct_plan())
    expected = measured_set.examine(query.load())
    assert found.anomaly.score == pytest.approx(expected.score, rel=1e-5)
    told = expected.coloured(1.0)
    np.testing.assert_array_equal(found.anomaly.values >= found.anomaly.level_one_region, told)


def test_the_atlas_is_refused_where_there_is_no_plan(study_folder: Path) -> None:
    query = open_study(study_folder / "query").series[0]
    references = tuple(open_study(study_folder / f"reference-{n}").series[0] for n in (1, 2))
    with pytest.raises(ArgumentError) as caught:
        DetectionSession().run(
            Request(query, references, "compact", "cpu", scoring="atlas"), silent, CancelToken()
        )
    assert caught.value.code is Code.BAD_ARGUMENT


def test_each_series_is_read_once_and_features_of_all_slices_wait_until_somebody_asks(
    heads, monkeypatch: pytest.MonkeyPatch
) -> None:
    query, references = heads
    reads: list[Path] = []
    encoded: list[int] = []
    alone: list[bool] = []
    masked: list[str] = []
    find_extent = extent.find_extent

    def finding(scan, examined):
        masked.append(scan.scan_hash())
        return find_extent(scan, examined)

    monkeypatch.setattr(extent, "find_extent", finding)
    read, encode = NiftiSeries._read, Encoder.encode_slices

    def reading(self, *args):
        reads.append(self.source)
        return read(self, *args)

    def encoding(self, scan, prepared, chosen, *args):
        encoded.append(len(chosen))
        alone.append(session._lock.locked())
        return encode(self, scan, prepared, chosen, *args)

    monkeypatch.setattr(NiftiSeries, "_read", reading)
    monkeypatch.setattr(Encoder, "encode_slices", encoding)
    session = DetectionSession()
    request = Request(query, references[:3], "compact", "cpu")
    session.prepare(request, silent, CancelToken())
    assert len(reads) == 3
    found = session.run(request, silent, CancelToken())
    assert sorted(reads) == sorted(each.source for each in (query, *references[:3]))
    all_slices = len(detected := np.flatnonzero(np.isfinite(found.anomaly.slice_scores)))
    assert encoded[-1] == 8 < all_slices
    assert canonical(found.scan).scan_hash() not in masked  # the body mask is for features only
    count = len(encoded)
    values, stopped = np.zeros(found.scan.grid, np.float32), CancelToken()
    stopped.cancel()
    with pytest.raises(Cancelled):
        session.draw_distance(found, "SSD", values, range(2, 3), stopped)
    assert len(encoded) == count
    alone.clear()
    assert np.isfinite(session.explain(found, int(detected[0]), CancelToken()).weights).all()
    session.explain(found, int(detected[-1]), CancelToken())
    assert len(encoded) == count + 1
    assert encoded[-1] >= all_slices
    assert alone == [True]  # no run meanwhile
    # Another examination of the same scan uses them as well.
    fewer = session.rescore(replace(request, references=references[:2]), silent, CancelToken())
    session.draw_distance(fewer, "SSD", values, range(int(detected[0]), int(detected[0]) + 1), CancelToken())
    assert values.any()
    assert len(encoded) == count + 1
    assert len(reads) == 4
    # References of another kind are compared by features of all slices, though a few were kept.
    monkeypatch.setattr(atlases, "plan_for", lambda scan, cancel: None)
    other = session.run(
        replace(request, references=references[:0:-1]), silent, CancelToken(), lambda partial: None
    )
    assert other.anomaly.scoring == "matched"
    assert np.isfinite(other.anomaly.weights).all(axis=(1, 2)).sum() >= all_slices

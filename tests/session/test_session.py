from __future__ import annotations

import gc
import json
import threading
import weakref
from pathlib import Path

import numpy as np
import pytest
from napari.layers import Image

from napari_d24fad.detection.detector import Detector
from napari_d24fad.errors import Cancelled, Code, D24fadError
from napari_d24fad.progress import CancelToken, silent
from napari_d24fad.session import session as session_module
from napari_d24fad.session.request import Examination, Request
from napari_d24fad.session.saving import save_examination
from napari_d24fad.session.session import DetectionSession
from napari_d24fad.studies.scan import Scan
from napari_d24fad.studies.series import Series
from napari_d24fad.studies.study import open_study
from napari_d24fad.viewer.canvas.layer_data import scan_layer_data
from napari_d24fad.viewer.gallery.layer_series import layer_series
from tests.heads import chest_ct, write_study


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Which scans are really encoded, by their content."""
    seen: list[int] = []
    encode = Detector.encode_scan

    def counting(self, scan, **settings):
        seen.append(hash(scan.content_hash()))
        return encode(self, scan, **settings)

    monkeypatch.setattr(Detector, "encode_scan", counting)
    return seen


@pytest.fixture(scope="module")
def heads(tmp_path_factory: pytest.TempPathFactory) -> tuple[Series, tuple[Series, ...]]:
    """A scan and three references of three slices each: the numbers do not matter here."""
    folder = write_study(tmp_path_factory.mktemp("thin"), slices=slice(4, 7))
    query = open_study(folder / "query").series[0]
    return query, tuple(open_study(folder / f"reference-{number}").series[0] for number in (1, 2, 3))


def run(
    session: DetectionSession, query: Series, references: tuple[Series, ...], device="cpu"
) -> Examination:
    return session.run(Request(query, references, "compact", device), silent, CancelToken())


def test_only_new_scans_are_encoded(heads, encoded: list[int]) -> None:
    query, (first, second, third) = heads
    session = DetectionSession()
    one = run(session, query, (first, second))
    assert len(encoded) == 3
    other = run(session, third, (first, second))
    assert len(encoded) == 4
    assert one.anomaly.values.shape == one.scan.grid
    assert not np.array_equal(one.anomaly.slice_scores, other.anomaly.slice_scores)
    # A reference that is left out, taken back, or was examined before is there already.
    with_three = run(session, query, (first, second, third))
    run(session, query, (first, second))
    again = run(session, query, (first, second, third))
    assert len(encoded) == len(set(encoded)) == 4
    np.testing.assert_array_equal(again.anomaly.values, with_three.anomaly.values)
    run(session, query, (first, second), device="auto")
    assert len(encoded) == 7


def chest(seed: int, *, ground_glass: bool = False) -> Series:
    data, settings, _ = scan_layer_data(chest_ct(seed, ground_glass=ground_glass), "chest")
    return layer_series(Image(data, **settings))


def test_ground_glass_in_a_chest_is_examined_and_the_window_told(encoded: list[int], tmp_path: Path) -> None:
    references = (chest(1), chest(2))
    session = DetectionSession()
    healthy, ill = chest(3), chest(3, ground_glass=True)
    clear = run(session, healthy, references).anomaly
    found = run(session, ill, references)
    assert not np.array_equal(clear.values, found.anomaly.values, equal_nan=True)
    assert len(encoded) == 4
    save_examination(found, tmp_path / "usual", silent, CancelToken())

    # Another window is another examination, of the references too, and not a change of references alone.
    request = Request(ill, references, "compact", "cpu", ct_window=(-160.0, 240.0))
    assert not request.differs_in_references_only(found.request)
    blind = session.run(request, silent, CancelToken())
    assert len(encoded) == 7
    save_examination(blind, tmp_path / "chosen", silent, CancelToken())
    for folder, window in (("usual", [-1000, 400]), ("chosen", [-160, 240])):
        report = json.loads((tmp_path / folder / "report.json").read_text())
        assert report["results"][0]["query"]["window_hu"] == window


def test_a_layer_edited_in_place_is_encoded_again(heads, encoded: list[int]) -> None:
    query, (first, second, _) = heads
    references = [Image(np.array(one.load().voxels)) for one in (first, second)]
    session = DetectionSession()
    volume = layer_series(Image(np.array(query.load().voxels)))
    for _ in range(2):
        run(session, volume, tuple(layer_series(layer) for layer in references))
    assert len(encoded) == 3
    references[0].data[1, 10:20, 10:20] = 900
    run(session, volume, tuple(layer_series(layer) for layer in references))
    assert len(encoded) == 4


def test_layers_are_hashed_once_until_they_change(heads, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each click asks for the references twice: for the slice shown, and for the volume."""
    hashed: list[int] = []
    own = Scan.content_hash

    def counting(self: Scan) -> str:
        if not self.pixels_hash and not self._hash:
            hashed.append(1)
        return own(self)

    monkeypatch.setattr(Scan, "content_hash", counting)
    query, files = heads
    layers = [Image(np.array(one.load().voxels)) for one in files]
    references = tuple(layer_series(layer) for layer in layers)
    session, cancel = DetectionSession(), CancelToken()
    examination = run(session, query, references)
    first = len(hashed)
    request = Request(query, references[:2], "compact", "cpu")
    for _ in range(3):
        for one in references:
            one.look_again()  # as napari asks for at every slice that is shown
        assert session.score_slice(request, 1, cancel) is not None
        session.rescore(request, silent, cancel)
    assert len(hashed) == first
    layers[0].data[1, 10:20, 10:20] = layers[0].data[1, 10:20, 10:20][::-1].copy()
    references[0].look_again()
    assert session.score_slice(request, 1, cancel) is None  # not encoded as it is now
    assert len(hashed) == first + 1
    assert examination.scan.grid == query.grid  # still here, or nothing could be scored again


def test_cancelled_runs_leave_no_more_scans_than_others(heads, monkeypatch: pytest.MonkeyPatch) -> None:
    query, references = heads
    session = DetectionSession(spare=2)
    run(session, query, references)
    encode, begun = Detector.encode_scan, []

    def stop_at_the_third(self, scan, **settings):
        begun.append(scan)
        if len(begun) == 3:
            settings["cancel"].cancel()
        return encode(self, scan, **settings)

    monkeypatch.setattr(Detector, "encode_scan", stop_at_the_third)
    for number in range(4):
        begun.clear()
        others = tuple(layer_series(Image(one.load().voxels + number)) for one in references)
        with pytest.raises(Cancelled):
            run(session, query, others)
        assert len(session._loaded.encodings._kept) <= len(references) + 1 + 2


def test_every_examination_that_is_kept_can_be_looked_into(heads) -> None:
    query, (first, second, third) = heads
    session = DetectionSession()
    earlier = run(session, third, (first, second))
    examination = run(session, query, (first, second))
    anomaly = examination.anomaly
    again = session.regions(examination, anomaly.level_one_region, CancelToken())
    assert again == anomaly.regions
    low = session.regions(examination, anomaly.levels_by_rate[0.05], CancelToken())
    assert sum(region.n_voxels for region in low) > sum(region.n_voxels for region in again)
    explanation = session.explain(examination, 1, CancelToken())
    np.testing.assert_allclose(explanation.weights, anomaly.weights[1], atol=1e-5)
    assert set(explanation.maps) == {"SSD", "TSD"}
    # One that a cancel kept from being shown must not take away what is shown.
    low = earlier.anomaly.level_one_region
    assert session.regions(earlier, low, CancelToken()) == earlier.anomaly.regions
    del earlier
    gc.collect()
    assert list(session._bases) == [examination], "what it was made from goes with the examination"
    session.release()
    with pytest.raises(Cancelled):
        session.explain(examination, 1, CancelToken())


def test_wrong_pairing_is_refused_before_the_encoding(heads, encoded: list[int]) -> None:
    query, (first, _, _) = heads
    for wrong, code in (
        ((first,), Code.TOO_FEW_REFERENCES),
        ((), Code.TOO_FEW_REFERENCES),
        ((first, query), Code.QUERY_IS_REFERENCE),
        ((first, first), Code.DUPLICATE_REFERENCE),
    ):
        with pytest.raises(D24fadError) as refused:
            run(DetectionSession(), query, wrong)
        assert refused.value.code is code
    assert encoded == []


def test_session_is_free_again_after_a_refusal_and_after_a_cancel(heads) -> None:
    query, (first, second, _) = heads
    session = DetectionSession()
    with pytest.raises(D24fadError):
        run(session, query, (first, query))
    stopped = CancelToken()
    stopped.cancel()
    with pytest.raises(Cancelled):
        session.run(Request(query, (first, second), "compact", "cpu"), silent, stopped)
    assert run(session, query, (first, second)).limits[0] > 0


def test_progress_runs_from_start_to_end(heads) -> None:
    query, (first, second, _) = heads
    told: list[float] = []
    session = DetectionSession()
    request = Request(query, (first, second), "compact", "cpu")
    session.run(request, lambda fraction, step: told.append(fraction), CancelToken())
    assert told == sorted(told)
    assert told[0] == 0.0
    assert told[-1] == pytest.approx(1.0)


def test_a_lost_device_is_let_go_of_and_the_next_run_goes_on(heads, monkeypatch: pytest.MonkeyPatch) -> None:
    query, references = heads
    session = DetectionSession()
    before = run(session, query, references)

    def lose(*_: object, **__: object) -> None:
        raise RuntimeError("CUDA error: the launch timed out and was terminated")

    with monkeypatch.context() as patched:
        patched.setattr(Detector, "examine", lose)
        with pytest.raises(D24fadError) as refused:
            run(session, query, references)
    assert refused.value.code is Code.DEVICE_LOST
    assert session._loaded is None
    with pytest.raises(Cancelled):
        session.explain(before, 0, CancelToken())
    again = run(session, query, references)
    np.testing.assert_array_equal(again.anomaly.values, before.anomaly.values)


def test_release_lets_go_of_model_and_features(heads) -> None:
    query, (first, second, _) = heads
    session = DetectionSession()
    examination = run(session, query, (first, second))
    held = [weakref.ref(session._loaded.detector), weakref.ref(session._bases[examination].query)]
    session.release()
    gc.collect()
    assert [each() for each in held] == [None, None]
    assert run(session, query, (first, second)).anomaly.values.shape == query.load().grid
    assert session._loaded is not None  # kept again


def test_release_during_a_run_does_not_wait_and_lets_go_when_it_ends(
    heads, monkeypatch: pytest.MonkeyPatch
) -> None:
    query, (first, second, _) = heads
    session = DetectionSession()
    at_work, go_on = threading.Event(), threading.Event()
    encode = Detector.encode_scan

    def slow(self, scan, **settings):
        at_work.set()
        assert go_on.wait(60)
        return encode(self, scan, **settings)

    monkeypatch.setattr(Detector, "encode_scan", slow)
    returned: list[bool] = []
    monkeypatch.setattr(session_module, "return_memory", lambda: returned.append(True))
    runs = threading.Thread(target=run, args=(session, query, (first, second)))
    runs.start()
    assert at_work.wait(60)
    session.release()
    assert session._loaded is not None  # in use
    assert not returned
    go_on.set()
    runs.join(60)
    assert session._loaded is None
    assert returned == [True]

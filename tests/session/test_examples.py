"""Heads marked as abnormal through the session: what they teach, and what is refused."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_d24fad.errors import Code, D24fadError, PairingError
from napari_d24fad.session import examples as session_examples
from napari_d24fad.session.examples import check_marked
from napari_d24fad.session.request import Drawn, Example, Request
from napari_d24fad.session.scripting import Session
from napari_d24fad.studies.series import Series
from napari_d24fad.studies.study import open_study
from tests.anatomy.heads import Clot, Head, draw
from tests.evaluation.images import lesion_of, picture, write
from tests.session.head_series import write_head

COARSE = Head(spacing=(6.0, 3.0, 3.0), low=-30, high=60)
CLOT = Clot((35, 20, 25), 12)
MARKED = replace(COARSE, seed=20, clots=[CLOT])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("heads")
    for n in range(3):
        write_head(folder, f"normal-{n}", replace(COARSE, seed=n, turn=3 * n))
    write_head(folder, "marked", MARKED)
    write_head(folder, "query", replace(COARSE, seed=9, clots=[replace(CLOT, at=(-30, 25, 30))]))
    write_head(folder, "air", replace(COARSE, low=400, high=490))
    for source, copy in (("marked", "same"), ("query", "itself"), ("normal-1", "normal")):
        shutil.copy(folder / f"{source}.nii.gz", folder / f"{copy}.nii.gz")
    return folder


@pytest.fixture(scope="module")
def session() -> Session:
    """What one test has measured the next need not."""
    return Session(device="cpu", spare=12)


def series(folder: Path, name: str) -> Series:
    return open_study(folder / f"{name}.nii.gz").series[0]


def test_marked_heads_teach_and_nothing_is_measured_twice(
    folder: Path, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    references = [series(folder, f"normal-{n}") for n in range(3)]
    query, marked = series(folder, "query"), series(folder, "marked")
    plain = session.examine(query, references).anomaly
    _, _, lesion = draw(MARKED)
    shown = np.flatnonzero(lesion.any(axis=(1, 2)))
    made = []
    left_out = session_examples.left_out
    monkeypatch.setattr(session_examples, "left_out", lambda *given: made.append(1) or left_out(*given))
    told = {
        name: session.examine(query, references, abnormal=[example]).anomaly
        for name, example in (
            ("drawn", Example(marked, "bleed", Drawn.of(marked, lesion))),
            ("slices", Example(marked, "", tuple(map(int, shown)))),
            ("alone", Example(marked)),
        )
    }
    assert made == [1]  # the references were not held against each other again
    for found in told.values():
        assert found.scoring == "atlas"
        assert found.examples is not None
        assert found.examples.plain_score == pytest.approx(plain.score, rel=1e-6)
        assert found.score > plain.score
        known = np.isfinite(plain.values)
        assert (found.values >= plain.values - 1e-4)[known & (plain.values < plain.level_one_region)].all()
        assert lesion[found.examples.example_place.centre]
        assert found.p_value == pytest.approx(1 / 4)
    assert told["drawn"].examples.kind == "bleed"
    again = session.examine(query, references).anomaly
    np.testing.assert_array_equal(again.values, plain.values)
    assert again.examples is None


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (("marked", "marked"), Code.DUPLICATE_EXAMPLE),
        (("marked", "same"), Code.DUPLICATE_EXAMPLE),  # another file
        (("normal-1",), Code.NORMAL_AND_ABNORMAL),
        (("normal",), Code.NORMAL_AND_ABNORMAL),
        (("query",), Code.QUERY_IS_EXAMPLE),
        (("itself",), Code.QUERY_IS_EXAMPLE),
        (("air",), Code.EXAMPLE_NOT_COMPARED),
    ],
)
def test_what_does_not_go_together_is_refused(
    folder: Path, session: Session, names: tuple[str, ...], code: Code
) -> None:
    references = [series(folder, f"normal-{n}") for n in range(3)]
    with pytest.raises(D24fadError) as caught:
        session.examine(
            series(folder, "query"), references, abnormal=[series(folder, name) for name in names]
        )
    assert caught.value.code is code


def test_examples_do_not_stand_for_normal_scans(folder: Path, session: Session, tmp_path: Path) -> None:
    query, marked = series(folder, "query"), series(folder, "marked")
    normal = [series(folder, f"normal-{n}") for n in range(3)]
    for references in ([], normal[:1]):
        with pytest.raises(D24fadError) as caught:
            session.examine(query, references, abnormal=[marked])
        assert caught.value.code is Code.TOO_FEW_REFERENCES
    many = Request(
        query,
        tuple(normal[:2]),
        "compact",
        "cpu",
        abnormal=tuple(map(Example, (marked, normal[2], series(folder, "air")))),
    )
    assert [each.code for each in check_marked(many, query=True)] == [Code.MORE_EXAMPLES_THAN_REFERENCES]
    write(tmp_path, picture(0))
    image = open_study(next(tmp_path.glob("*.png"))).series[0]
    with pytest.raises(PairingError) as refused:
        check_marked(replace(many, abnormal=(Example(marked), Example(image))), query=True)
    assert (refused.value.code, refused.value.example) == (Code.DIMENSION_MISMATCH, 1)


def test_where_slices_are_compared_their_places_teach(folder: Path) -> None:
    references = [series(folder, f"normal-{n}") for n in range(3)]
    query, marked = series(folder, "query"), series(folder, "marked")
    session = Session(device="cpu", scoring="matched")
    plain = session.examine(query, references).anomaly
    lesion = draw(MARKED)[2]
    shown = tuple(map(int, np.flatnonzero(lesion.any(axis=(1, 2)))))
    for example in (Drawn.of(marked, lesion), shown, None):
        found = session.examine(query, references, abnormal=[Example(marked, lesion=example)]).anomaly
        assert found.scoring == "matched"
        assert found.examples is not None
        assert found.examples.plain_score == plain.score
        assert found.score >= np.float32(plain.score)
        known = np.isfinite(plain.values)
        assert (found.values >= plain.values)[known].all()
        if example is not None:
            assert found.examples.example_place.centre[0] in shown


def test_an_example_says_what_it_shows_and_where(tmp_path: Path) -> None:
    write(tmp_path, *(picture(seed, lesion=seed > 5) for seed in range(9)))
    query, *others = (open_study(path).series[0] for path in sorted(tmp_path.glob("*.png"))[::-1])
    marked, references = others[:2], others[2:]
    lesion = Drawn.of(marked[0], lesion_of(7)[None])
    session = Session(device="cpu")
    plain = session.examine(query, references, abnormal=marked).anomaly.examples
    kinds = (Example(marked[0], "stripes", lesion), Example(marked[1], "other"))
    told = session.examine(query, references, abnormal=kinds).anomaly.examples
    assert (plain.kinds, told.kinds) == (("", ""), ("stripes", "other"))
    assert (plain.weight, told.weight) == (0.5, 0.2)
    with pytest.raises(D24fadError) as caught:
        Example(marked[1], lesion=lesion)
    assert caught.value.code is Code.REGION_UNMATCHED
    with pytest.raises(D24fadError) as caught:
        Example(marked[0], lesion=(1,))
    assert caught.value.code is Code.LESION_SLICES_UNKNOWN

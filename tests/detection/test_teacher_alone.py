"""A published teacher as a model: matched without a student, from encoding to result."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from napari_d24fad.detection.detector import Detector
from napari_d24fad.detection.examples.described import describe
from napari_d24fad.detection.examples.learned import Examples
from napari_d24fad.detection.explain import explain
from napari_d24fad.detection.published import SSD, PublishedDistances
from napari_d24fad.detection.scoring.matched import FOR_IMAGES
from napari_d24fad.errors import Code, ModelError
from napari_d24fad.evaluation.ablation import VARIANTS, ablate
from napari_d24fad.evaluation.files import save_evaluation
from napari_d24fad.evaluation.measure import Plan
from napari_d24fad.evaluation.reading import read_labelled
from napari_d24fad.evaluation.run import Fold, Options, evaluate
from napari_d24fad.network.checkpoint import LoadedModel, load_model
from napari_d24fad.network.d24fad import build_network
from napari_d24fad.network.inference import Precision
from napari_d24fad.network.teacher_weights import import_weights
from napari_d24fad.network.teachers.build import build_teacher
from napari_d24fad.session.feature_cache import FeatureCache
from napari_d24fad.session.kept_references import KeptReferences
from napari_d24fad.session.scripting import Session
from napari_d24fad.session.stored import encoding_key
from napari_d24fad.studies.scan import Scan
from napari_d24fad.studies.study import open_study
from tests.detection.subjects import head
from tests.evaluation.images import make_task, picture, write
from tests.network.teachers.conftest import lively
from tests.network.teachers.small import make_teachers_small


@pytest.fixture(autouse=True)
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    make_teachers_small(monkeypatch)
    monkeypatch.setenv("D24FAD_CACHE", str(tmp_path / "kept"))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def install(teacher: str, folder: Path, factor: float = 1.0) -> LoadedModel:
    state = lively(build_teacher(teacher)).state_dict()
    path = folder / f"{teacher}.safetensors"
    save_file({name: factor * tensor.contiguous() for name, tensor in state.items()}, path)
    import_weights(path, teacher, accepted=True)
    return load_model(teacher)


def photograph(seed: int, lesion: bool = False) -> Scan:
    """A single image: one slice of a head."""
    volume = head(seed, lesion=lesion)
    return replace(volume, voxels=volume.voxels[6:7], has_geometry=False, affine=np.eye(4))


def beside_a_student(alone: LoadedModel) -> LoadedModel:
    """The same teacher with a student of random weights."""
    torch.manual_seed(0)
    network = build_network(alone.card.teacher).requires_grad_(False)
    network.teacher.load_state_dict(alone.network.teacher.state_dict())
    return replace(alone, network=network.eval())


@pytest.mark.parametrize(
    "teacher", ["dinov2_vits14", "dinov2_vits14_reg4", "rad_dino", "radimagenet_resnet50"]
)
def test_volumes_are_examined_by_any_of_them(teacher: str, tmp_path: Path) -> None:
    detector = Detector(install(teacher, tmp_path), "cpu")
    result = detector.detect(head(9, lesion=True), detector.encode([head(seed) for seed in range(4)]))
    examined = np.isfinite(result.slice_scores)
    assert examined.sum() > 8
    assert not result.has_student
    assert result.weights.shape[2] == 2
    np.testing.assert_allclose(result.weights[examined].sum(axis=1), 1, atol=1e-5)


def test_it_scores_as_the_teacher_alone_of_the_ablation(tmp_path: Path) -> None:
    """With a student beside it, matching the teacher's features alone gives the same numbers."""
    alone = install("dinov2_vits14", tmp_path)
    images = [photograph(seed) for seed in range(6)]
    own = Detector(alone, "cpu", precision="exact")
    found = own.detect(images[0], own.encode(images[1:]))
    both = Detector(beside_a_student(alone), "cpu", precision="exact")
    encoded = [both.encode_scan(image) for image in images]
    references = both.reference_set(encoded[1:], method=VARIANTS["teacher features alone"])
    expected = both.examine(encoded[0], references)
    assert found.score == pytest.approx(expected.score, rel=1e-4)
    np.testing.assert_allclose(found.values, expected.values, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(found.weights, expected.weights, atol=1e-6)
    shipped = both.examine(encoded[0], both.reference_set(encoded[1:], method=FOR_IMAGES))
    assert found.score != pytest.approx(shipped.score, rel=1e-3), "residuals would change it"


def test_inputs_are_normalised_as_each_teacher_was_trained(tmp_path: Path) -> None:
    image = photograph(1)
    seen = {}
    for teacher in ("dinov2_vits14", "rad_dino"):
        detector = Detector(install(teacher, tmp_path), "cpu")
        prepared = detector.prepare(image)
        plain = prepared.inputs([0])
        seen[teacher] = (detector.inputs(prepared, [0]), plain)
    given, plain = seen["rad_dino"]
    torch.testing.assert_close(given, (plain - 0.5307) / 0.2583)
    given, plain = seen["dinov2_vits14"]
    torch.testing.assert_close(given[:, 2], (plain[:, 2] - 0.406) / 0.225)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_other_precisions_rank_alike(precision: Precision, tmp_path: Path) -> None:
    model = install("dinov2_vits14_reg4", tmp_path)
    images = [photograph(seed) for seed in range(5)]
    scores = []
    for each in ("exact", precision):
        detector = Detector(model, "cpu", precision=each)
        scores.append(detector.detect(images[0], detector.encode(images[1:])).score)
    assert scores[1] == pytest.approx(scores[0], rel=0.05)


def test_features_are_kept_by_teacher_and_weights(tmp_path: Path) -> None:
    """Other weights under the same name, or the same under another name, are other features."""
    scan = head(1)
    keys = set()
    for factor in (1.0, 0.5):
        model = install("rad_dino", tmp_path, factor)
        keys.add(encoding_key(Detector(model, "cpu"), scan, 64))
    other = replace(model, card=replace(model.card, teacher="dinov2_vits14"))
    keys.add(encoding_key(Detector(other, "cpu"), scan, 64))
    student = replace(model, sha256="1" * 64)
    for each in (student, replace(student, teacher_sha256="2" * 64)):
        keys.add(encoding_key(Detector(each, "cpu"), scan, 64))
    assert len(keys) == 5


def test_what_needs_a_student_is_refused_by_its_code(tmp_path: Path) -> None:
    model = install("dinov2_vits14", tmp_path)
    images = [photograph(seed) for seed in range(4)]
    with pytest.raises(ModelError) as caught:
        Detector(model, "cpu", "paper").encode_scan(images[0])
    assert caught.value.code is Code.NO_STUDENT
    detector = Detector(model, "cpu")
    references, query = detector.encode(images[1:]), detector.encode_scan(images[0])
    distances = PublishedDistances(detector, query, references)
    assert explain(distances, 0).maps == {}
    assert explain(distances, 0).weights.shape == (3, 2)
    with pytest.raises(ModelError) as caught:
        distances.of_slices(slice(0, 1), SSD)
    assert caught.value.code is Code.NO_STUDENT


def test_sides_that_are_no_multiples_of_four_are_masked_in_place(tmp_path: Path) -> None:
    """RAD-DINO's 518 pixels: maps of 129, whose centres the mask is read at."""
    detector = Detector(install("rad_dino", tmp_path), "cpu")
    sampling = replace(detector.prepare(head(2)).sampling, side=518, content=(518, 259))
    inside = sampling.inside(129).numpy()
    assert inside.shape == (129, 129)
    at = (2 * np.arange(129) + 1) * 518 / 258
    expected = (at >= 129) & (at < 388)
    assert np.array_equal(inside.any(axis=0), expected)
    assert inside.any(axis=1).all()


def test_examples_of_the_abnormal_are_learned_from_without_residuals(tmp_path: Path) -> None:
    detector = Detector(install("dinov2_vits14", tmp_path), "cpu")
    normal = [detector.encode_scan(photograph(seed)) for seed in range(5)]
    references = detector.reference_set(normal)
    described = describe(normal[0], references.alignment)
    assert described.places.shape == (6 * 6, 2 * 64)
    np.testing.assert_allclose(np.linalg.norm(described.places, axis=1), 1, atol=1e-3)
    abnormal = [detector.encode_scan(photograph(seed, lesion=True)) for seed in (20, 21)]
    query = detector.encode_scan(photograph(22, lesion=True))
    plain = detector.examine(query, references)
    found = detector.examine(query, references, examples=Examples(references, abnormal))
    assert np.isfinite(found.score)
    assert found.score >= plain.score - 1e-6


def test_volumes_are_kept_on_disk_and_found_again(tmp_path: Path) -> None:
    detector = Detector(install("rad_dino", tmp_path), "cpu")
    cache = FeatureCache(tmp_path / "features", 2**30)
    scan = head(3)
    first = KeptReferences(detector, cache).encode(scan)
    again = KeptReferences(detector, cache).encode(scan)
    assert again is not first
    assert len(again.encoded.features) == 2
    assert all(map(torch.equal, again.encoded.features, first.encoded.features))


def test_an_evaluation_measures_it_and_draws_what_there_is(tmp_path: Path) -> None:
    install("rad_dino", tmp_path)
    make_task(tmp_path / "data" / "discs", n_normal=6, n_abnormal=2)
    tasks = read_labelled(tmp_path / "data", shots=3)
    plan = Plan(shots=(3,), draws=1)
    evaluation, illustrations = evaluate([Fold("rad_dino", tasks)], Options(plan, device="cpu"))
    assert evaluation.name == "rad_dino-matched"
    save_evaluation(tmp_path / "measured", evaluation, illustrations)
    drawn = {path.name for path in (tmp_path / "measured" / "rad_dino-matched").glob("*.png")}
    assert "misses.png" in drawn
    assert not drawn & {"rainclouds.png", "tsne.png"}, "of a student"
    variants = ablate(Detector(load_model("rad_dino"), "cpu", "matched"), tasks[0], plan)
    assert set(VARIANTS) - set(variants) == {"teacher features alone", "residuals alone"}


def test_a_session_examines_and_explains_with_it(tmp_path: Path) -> None:
    """What the viewer and scripts do; a teacher has no published distances to draw."""
    install("dinov2_vits14", tmp_path)
    write(tmp_path / "images", *(picture(seed, lesion=seed == 0) for seed in range(4)))
    query, *references = open_study(tmp_path / "images").series
    session = Session("dinov2_vits14", "cpu")
    examination = session.examine(query, references)
    assert examination.anomaly.model_name == "dinov2_vits14"
    assert not examination.anomaly.has_student
    assert session.explain(examination, 0).maps == {}

import dataclasses
import json

import pytest
import safetensors.torch
import torch

from napari_d24fad.errors import Code, ExportError, ModelError
from napari_d24fad.network import layout, strict_json
from napari_d24fad.network.checkpoint import load_model, save_model
from napari_d24fad.network.d24fad import build_network
from napari_d24fad.network.files import sha256_of

pytestmark = pytest.mark.usefixtures("one_thread")


def outputs(network):
    with torch.inference_mode():
        images = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(2))
        teacher = network.teacher(images)
        student = network.student(teacher.embedding)
        return [*teacher.scales, *student, *network.weighting.project(student)]


def rewrite(path, change):
    """Changes the weights of a model file and makes its card agree."""
    state = change(safetensors.torch.load_file(path))
    path.write_bytes(safetensors.torch.save(state))
    card = path.with_suffix(".json")
    card.write_text(json.dumps(json.loads(card.read_text("utf-8")) | {"sha256": sha256_of(path)}), "utf-8")


def test_a_saved_network_computes_the_same(compact, tiny, card):
    loaded = load_model(tiny)
    for mine, theirs in zip(outputs(loaded.network), outputs(compact), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=0)
    assert not loaded.network.training
    assert not any(parameter.requires_grad for parameter in loaded.network.parameters())
    assert loaded.sha256 == loaded.card.sha256 == sha256_of(tiny)
    assert loaded.card == dataclasses.replace(card, sha256=loaded.sha256)


def test_a_load_reads_the_card_and_parses_the_header_once(tiny, monkeypatch):
    parse, parsed = strict_json.parse_object, []

    def counting(text, what="The card"):
        parsed.append(what)
        return parse(text, what)

    for module in (strict_json, layout):
        monkeypatch.setattr(module, "parse_object", counting)
    load_model(tiny)
    assert sorted(parsed) == ["The card", "The header"]


def test_half_precision_halves_the_file_and_hardly_moves_a_weight(compact, tiny, card, tmp_path):
    half = tmp_path / "half.safetensors"
    save_model(compact, card, half, half=True)
    assert half.stat().st_size < 0.55 * tiny.stat().st_size
    loaded = load_model(half)
    assert loaded.card.name == "half"
    for name, tensor in compact.state_dict().items():
        stored = loaded.network.state_dict()[name]
        if name.endswith("num_batches_tracked"):
            continue
        assert stored.dtype is torch.float32
        tolerance = 2**-10 if tensor.ndim > 1 else 0  # float16 has 11 bits; statistics stay float32
        torch.testing.assert_close(stored, tensor, rtol=tolerance, atol=1e-7 if tolerance else 0)


def test_nothing_depends_on_the_file_once_it_is_loaded(compact, tiny):
    loaded = load_model(tiny)
    with tiny.open("r+b") as file:
        file.seek(-(1 << 20), 2)
        file.write(bytes(1 << 20))
    for mine, theirs in zip(outputs(loaded.network), outputs(compact), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=0)


def test_every_changed_byte_is_noticed(tiny):
    content = bytearray(tiny.read_bytes())
    content[-1] ^= 1
    tiny.write_bytes(content)
    with pytest.raises(ModelError) as caught:
        load_model(tiny)
    assert caught.value.code is Code.CHECKSUM_MISMATCH


def with_nan(state):
    state["student.layer1.0.bn1.running_var"][3] = torch.nan
    return state


def with_integers(state):
    return state | {"weighting.proj_in1.bias": state["weighting.proj_in1.bias"].long()}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (with_nan, Code.MODEL_CORRUPT),
        (with_integers, Code.MODEL_MISMATCH),
        (lambda state: state | {"extra": torch.zeros(1)}, Code.MODEL_MISMATCH),
        (lambda state: dict(list(state.items())[1:]), Code.MODEL_MISMATCH),
        (lambda state: state | {"teacher.bn1.bias": torch.zeros(5)}, Code.MODEL_MISMATCH),
        (lambda state: {}, Code.MODEL_MISMATCH),
    ],
)
def test_weights_that_do_not_fit_are_refused(tiny, change, code):
    rewrite(tiny, change)
    with pytest.raises(ModelError) as caught:
        load_model(tiny)
    assert caught.value.code is code


def test_batch_counters_in_a_file_are_ignored(tiny):
    rewrite(tiny, lambda state: state | {"teacher.bn1.num_batches_tracked": torch.tensor(5)})
    assert load_model(tiny).network.state_dict()["teacher.bn1.num_batches_tracked"] == 0


@pytest.mark.parametrize("content", [b"", b"garbage", b"\xff" * 100, b"\x10\0\0\0\0\0\0\0{}"])
def test_garbage_is_refused(tiny, content):
    tiny.write_bytes(content)
    card = tiny.with_suffix(".json")
    card.write_text(json.dumps(json.loads(card.read_text("utf-8")) | {"sha256": sha256_of(tiny)}), "utf-8")
    with pytest.raises(ModelError) as caught:
        load_model(tiny)
    assert caught.value.code is Code.MODEL_CORRUPT


def test_a_pickle_named_like_a_model_is_not_opened(tiny, malicious):
    tiny.write_bytes(malicious.read_bytes())
    rewritten = json.loads(tiny.with_suffix(".json").read_text("utf-8")) | {"sha256": sha256_of(tiny)}
    tiny.with_suffix(".json").write_text(json.dumps(rewritten), "utf-8")
    with pytest.raises(ModelError) as caught:
        load_model(tiny)
    assert caught.value.code is Code.MODEL_CORRUPT


def test_a_network_of_another_architecture_is_not_saved(card, tmp_path):
    with pytest.raises(ModelError) as caught:
        save_model(build_network("resnet18"), card, tmp_path / "new" / "tiny.safetensors")
    assert caught.value.code is Code.MODEL_MISMATCH
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", ["my model", "x" * 70])
def test_a_name_no_card_may_have_is_refused_before_writing(compact, card, tmp_path, name):
    with pytest.raises(ModelError, match="name"):
        save_model(compact, card, tmp_path / "new" / name)
    assert not (tmp_path / "new").exists()


def test_a_diverged_network_leaves_the_old_file(tiny, card):
    before = tiny.read_bytes()
    broken = build_network("compact")
    broken.student.get_parameter("layer1.0.conv1.weight").data[0] = torch.inf
    with pytest.raises(ModelError) as caught:
        save_model(broken, card, tiny)
    assert caught.value.code is Code.MODEL_CORRUPT
    assert tiny.read_bytes() == before
    assert sorted(file.name for file in tiny.parent.iterdir()) == ["tiny.json", "tiny.safetensors"]


def test_a_place_that_takes_no_files_is_reported(compact, card, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ExportError) as caught:
        save_model(compact, card, tmp_path / "file" / "tiny.safetensors")
    assert caught.value.code is Code.CANNOT_WRITE


@pytest.mark.parametrize("device", ["cuda:99", "abacus"])
def test_a_device_that_is_not_there(tiny, device):
    with pytest.raises(ModelError) as caught:
        load_model(tiny, map_location=device)
    assert caught.value.code is Code.DEVICE_UNAVAILABLE

import hashlib

import pytest
import torch

from napari_d24fad.errors import Code, ModelError
from napari_d24fad.network.checkpoint import load_model
from napari_d24fad.network.convert import convert
from napari_d24fad.network.d24fad import build_network
from napari_d24fad.network.teacher_weights import import_weights
from napari_d24fad.network.teachers.catalogue import PublishedWeights
from tests.network.conftest import randomised

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="session")
def trained():
    torch.manual_seed(3)
    return randomised(build_network("resnet18"))


def published(network, path):
    """Writes a checkpoint as the authors' code does."""
    torch.save({"decoder": network.student.state_dict(), "weight": network.weighting.state_dict()}, path)
    return path


def install_teacher(network, path):
    """Installs the network's teacher as if it were the published one, classifier and all."""
    torch.save({**network.teacher.state_dict(), "fc.weight": torch.ones(1000, 512)}, path)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    import_weights(path, catalogue=(PublishedWeights("resnet18", path.name, sha256),))


def test_a_converted_checkpoint_is_the_network_it_was(trained, tmp_path):
    source = published(trained, tmp_path / "checkpoint.pth")
    card = convert(source, tmp_path / "out" / "mine.safetensors")
    assert (card.name, card.teacher, card.teacher_weights) == ("mine", "resnet18", "imagenet")
    assert (card.normalise, card.input_size, card.scoring) == (False, 128, "paper")
    assert hashlib.sha256(source.read_bytes()).hexdigest() in card.notes

    with pytest.raises(ModelError) as caught:
        load_model(tmp_path / "out" / "mine.safetensors")
    assert caught.value.code is Code.WEIGHTS_MISSING

    install_teacher(trained, tmp_path / "resnet18.pth")
    loaded = load_model(tmp_path / "out" / "mine.safetensors")
    assert loaded.card == card
    expected = trained.state_dict()
    for name, tensor in loaded.network.state_dict().items():
        if not name.endswith("num_batches_tracked"):
            torch.testing.assert_close(tensor, expected[name], rtol=0, atol=0, msg=name)


def test_the_wide_teacher_is_told_by_the_shapes(tmp_path):
    with torch.device("meta"):
        wide = build_network("wide_resnet50_2")
    parts = {
        # One stored zero stands for each whole tensor, so that the test writes kilobytes.
        name: {key: torch.zeros(()).expand(tensor.shape) for key, tensor in module.state_dict().items()}
        for name, module in (("decoder", wide.student), ("weight", wide.weighting))
    }
    torch.save(parts, tmp_path / "wide.pth")
    assert convert(tmp_path / "wide.pth", tmp_path / "wide.safetensors").teacher == "wide_resnet50_2"


def test_code_in_a_checkpoint_is_not_run(malicious, tmp_path):
    with pytest.raises(ModelError) as caught:
        convert(malicious, tmp_path / "out" / "mine.safetensors")
    assert caught.value.code is Code.MODEL_CORRUPT
    assert not (tmp_path / "out").exists()


def lacking(part, key):
    def change(content):
        content[part] = {name: tensor for name, tensor in content[part].items() if name != key}

    return change


def replaced(part, value):
    return lambda content: content.update({part: value})


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda content: content.pop("weight"), Code.MODEL_CORRUPT),
        (replaced("decoder", torch.ones(3)), Code.MODEL_CORRUPT),
        (replaced("decoder", {"layer1": {}}), Code.MODEL_CORRUPT),
        (replaced("weight", {}), Code.MODEL_MISMATCH),
        (replaced("weight", {"proj_in1.weight": torch.ones(())}), Code.MODEL_MISMATCH),
        (lacking("decoder", "layer1.0.conv1.weight"), Code.MODEL_MISMATCH),
        (lacking("weight", "proj_in2.bias"), Code.MODEL_MISMATCH),
    ],
)
def test_what_is_no_such_checkpoint_is_refused(trained, tmp_path, change, code):
    source = published(trained, tmp_path / "checkpoint.pth")
    content = torch.load(source)
    change(content)
    torch.save(content, source)
    with pytest.raises(ModelError) as caught:
        convert(source, tmp_path / "out" / "mine.safetensors")
    assert caught.value.code is code
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 and no more", b"\x80\x04.", None])
def test_what_is_no_checkpoint_at_all(tmp_path, content):
    source = tmp_path / "checkpoint.pth"
    if content is not None:
        source.write_bytes(content)
    with pytest.raises(ModelError) as caught:
        convert(source, tmp_path / "mine.safetensors")
    assert caught.value.code is Code.MODEL_CORRUPT


def test_a_teacher_that_does_not_fit_is_reported(trained, tmp_path):
    convert(published(trained, tmp_path / "checkpoint.pth"), tmp_path / "mine.safetensors")
    install_teacher(build_network("compact"), tmp_path / "resnet18.pth")
    with pytest.raises(ModelError) as caught:
        load_model(tmp_path / "mine.safetensors")
    assert caught.value.code is Code.MODEL_MISMATCH

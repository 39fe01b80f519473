"""Model files made to do harm end in a refusal by code, before anything large is loaded."""

from __future__ import annotations

import hashlib
import json
import os
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from napari_d24fad.errors import Code, ModelError
from napari_d24fad.network.card import ModelCard
from napari_d24fad.network.checkpoint import load_model
from napari_d24fad.network.convert import convert
from napari_d24fad.network.layout import opened
from napari_d24fad.network.tensors import read_metadata, read_pickled, read_tensors
from tests.posix import needs_pipes

FOUR = {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}


def _file(header: bytes | dict[str, object], content: bytes = bytes(16), length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + content


def _four(**changes: object) -> bytes:
    return _file({"a": {**FOUR, **changes}})


BAD = {
    "nothing": b"",
    "a cut length": b"\1\0",
    "a header of 2^63 bytes": _file(b"{}", length=2**63),
    "a header of 120 MB": _file(b"{" + b" " * 120 * 2**20 + b"}"),
    "a header beyond the file": _file(b"{}", length=5000),
    "a tensor beyond the file": _four(shape=[4000], data_offsets=[0, 16000]),
    "a tensor of 2^62 values": _four(shape=[2**62]),
    "a length of 2^100": _four(shape=[2**100]),
    "a negative length": _four(shape=[-4], data_offsets=[0, -16]),
    "offsets that go back": _four(data_offsets=[16, 0]),
    "one offset": _four(data_offsets=[16]),
    "tensors that overlap": _file({"a": FOUR, "b": FOUR}),
    "bytes of no tensor": _file({"a": FOUR}, bytes(20)),
    "a name twice": _file(b'{"a":' + json.dumps(FOUR).encode() + b',"a":' + json.dumps(FOUR).encode() + b"}"),
    "numbers of four bits": _four(dtype="F4", shape=[32]),
    "numbers of eight bits": _four(dtype="F8_E4M3", shape=[16]),
    "an unknown kind of number": _four(dtype="Q7"),
    "an unknown field": _four(loader="os.system"),
    "a length that is text": _four(shape=["4"]),
    "lists 100,000 deep": _file(b'{"a":' + b"[" * 100_000),
    "a number of 5000 digits": _file(b'{"a":' + b"9" * 5000 + b"}"),
    "no text": _file(b"{\xff\xfe}"),
    "metadata that is no text": _file({"__metadata__": {"a": 1}, "a": FOUR}),
    "a value that is not finite": _file({"a": FOUR}, struct.pack("<4f", 1, 2, float("nan"), 4)),
}


@pytest.mark.parametrize("content", BAD.values(), ids=BAD)
def test_a_bad_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "m.safetensors"
    path.write_bytes(content)
    with pytest.raises(ModelError) as caught:
        read_tensors(path)
    assert caught.value.code is Code.MODEL_CORRUPT
    assert str(tmp_path) not in str(caught.value)


def test_a_good_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    path.write_bytes(_file({"a": FOUR, "__metadata__": {"said": "so"}}, struct.pack("<4f", 1, 2, 3, 4)))
    assert read_tensors(path)["a"].tolist() == [1, 2, 3, 4]
    assert read_metadata(path) == {"said": "so"}


def test_weights_of_another_shape_are_refused_before_they_are_loaded(tiny: Path) -> None:
    """Its card vouches for its checksum."""
    with opened(tiny) as (_, layout):
        name = next(iter(layout))
    header = {name: {"dtype": "F32", "shape": [2**20], "data_offsets": [0, 2**22]}}
    content = _file(header, bytes(2**22))
    tiny.write_bytes(content)
    card = tiny.with_suffix(".json")
    told = json.loads(card.read_text())
    card.write_text(json.dumps({**told, "sha256": hashlib.sha256(content).hexdigest()}))
    with pytest.raises(ModelError) as caught:
        load_model(tiny)
    assert caught.value.code is Code.MODEL_MISMATCH


@needs_pipes
@pytest.mark.parametrize("suffix", [".safetensors", ".json"])
def test_a_pipe_in_place_of_a_file_is_not_opened(tiny: Path, suffix: str) -> None:
    path = tiny.with_suffix(suffix)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(ModelError):
        load_model(tiny)
    with pytest.raises(ModelError):
        convert(path, tiny.with_name("new.safetensors"))


CARDS: dict[str, Callable[[str], str]] = {
    "lists 100,000 deep": lambda text: text.replace('"data":', '"data": ' + "[" * 100_000 + '], "x":', 1),
    "a number of 5000 digits": lambda text: text.replace(": 128", ": " + "9" * 5000),
    "a seed of 100 digits": lambda text: text.replace('"seeds": []', f'"seeds": [{"9" * 100}]'),
    "a number beyond all": lambda text: text.replace(": 128", ": 1e999"),
    "an unknown field": lambda text: text.replace("{", '{"loader": "os.system",', 1),
    "a field twice": lambda text: text.replace("{", '{"name": "other",', 1),
    "2 MiB of blanks": lambda text: text + " " * 2**21,
}


@pytest.mark.parametrize("change", CARDS.values(), ids=CARDS)
def test_a_bad_card_is_refused(tiny: Path, change: Callable[[str], str]) -> None:
    card = tiny.with_suffix(".json")
    old = card.read_text()
    assert change(old) != old
    card.write_text(change(old))
    with pytest.raises(ModelError) as caught:
        load_model(tiny)
    assert caught.value.code is Code.MODEL_CORRUPT


def test_a_figure_that_no_number_holds_is_refused(card: ModelCard) -> None:
    text = card.to_json()
    assert '"shots": 8' in text
    with pytest.raises(ModelError):
        ModelCard.from_json(text.replace('"shots": 8', '"shots": ' + "9" * 400))


def test_a_checkpoint_that_was_compressed_is_not_inflated(tmp_path: Path) -> None:
    plain, packed = tmp_path / "plain.pth", tmp_path / "packed.pth"
    torch.save({"a": torch.zeros(1000)}, plain)
    assert list(read_pickled(plain)) == ["a"]
    with zipfile.ZipFile(plain) as stored, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as deflated:
        for entry in stored.infolist():
            deflated.writestr(entry.filename, stored.read(entry))
    with pytest.raises(ModelError, match="compressed"):
        read_pickled(packed)

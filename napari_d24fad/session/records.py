"""Dataclasses as tensors and JSON, and back: of a closed list of classes, so that a file runs no code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from typing import Any

import numpy as np
import torch

from napari_d24fad.network.tensors import Tensors
from napari_d24fad.session.arrays import Array, put_together, take_apart

_TREE = "tree"


def pack(value: object, classes: Mapping[str, type]) -> Tensors:
    """Takes a value apart.

    Args:
        value: Dataclasses, enums, mappings, tuples, arrays, numbers and text, in each other.
        classes: The dataclasses and enums that may be among them, by a stable name.

    Returns:
        Arrays and, as one of them, the JSON of all else. Each number comes back to the last bit.

    Raises:
        TypeError: It holds something else.
    """
    return _Packing(classes).run(value)


def unpack(tensors: Tensors, classes: Mapping[str, type]) -> Any:
    """Puts together what `pack` took apart; arrays have memory of their own.

    Args:
        tensors: Of `pack`.
        classes: The same as there.

    Raises:
        KeyError: These tensors are something else; so for the others.
        TypeError: A class has other fields today.
        ValueError: An array has not the length that is stated.
    """
    tree = json.loads(tensors[_TREE].numpy().tobytes())
    return _Unpacking(tensors, classes).value(tree)


class _Packing:
    def __init__(self, classes: Mapping[str, type]) -> None:
        self._names = {kind: name for name, kind in classes.items()}
        self._tensors: Tensors = {}
        self._known: dict[int, tuple[Array, dict[str, Any]]] = {}  # one array may be kept under two names

    def run(self, value: object) -> Tensors:
        tree = json.dumps(self._tree(value)).encode()
        return {**self._tensors, _TREE: torch.frombuffer(bytearray(tree), dtype=torch.uint8)}

    def _tree(self, value: Any) -> Any:
        if value is None or isinstance(value, (bool, int, float, str)):
            return value
        if isinstance(value, np.generic):
            return value.item()
        if isinstance(value, (tuple, list)):
            return [self._tree(each) for each in value]
        if isinstance(value, Mapping):
            return {"map": [[self._tree(key), self._tree(each)] for key, each in value.items()]}
        if isinstance(value, np.ndarray):
            if id(value) not in self._known:
                self._known[id(value)] = value, self._array(value)
            return self._known[id(value)][1]
        name = self._names.get(type(value))
        if name is None:
            raise TypeError(f"{type(value).__name__} is not among the classes that are kept.")
        if isinstance(value, Enum):
            return {"enum": name, "member": value.name}
        assert is_dataclass(value)
        return {"class": name, "fields": {f.name: self._tree(getattr(value, f.name)) for f in fields(value)}}

    def _array(self, array: Array) -> dict[str, Any]:
        number = len(self._known)
        note, parts = take_apart(array)
        self._tensors |= {f"{number} {name}": torch.from_numpy(part) for name, part in parts.items()}
        return {"array": number, **note}


@dataclass(frozen=True, slots=True)
class _Unpacking:
    tensors: Tensors
    classes: Mapping[str, type]

    def value(self, tree: Any) -> Any:
        if isinstance(tree, list):
            return tuple(self.value(each) for each in tree)
        if not isinstance(tree, dict):
            return tree
        if "map" in tree:
            return {self.value(key): self.value(each) for key, each in tree["map"]}
        if "array" in tree:
            return self._array(tree)
        if "enum" in tree:
            return self.classes[tree["enum"]][tree["member"]]  # type: ignore[index]
        made = {name: self.value(each) for name, each in tree["fields"].items()}
        return self.classes[tree["class"]](**made)

    def _array(self, note: dict[str, Any]) -> Array:
        names = ("values", "where") if "fill" in note else ("values",)
        return put_together(note, {name: self.tensors[f"{note['array']} {name}"].numpy() for name in names})

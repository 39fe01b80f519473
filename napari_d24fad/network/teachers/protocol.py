"""What every teacher can be asked for, whatever network is behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from torch import Tensor

from napari_d24fad.network.teachers.architecture import Triple


class TeacherFeatures(NamedTuple):
    """What the teacher sees in a batch of ``N`` images of side ``S``.

    Attributes:
        scales: Three maps, ``(N, C_i, S / stride_i, S / stride_i)``, finest (or shallowest) first.
        embedding: The deepest map; what the student starts from.
    """

    scales: tuple[Tensor, Tensor, Tensor]
    embedding: Tensor


@runtime_checkable
class Teacher(Protocol):
    """A frozen encoder of images.

    Inputs are ``(N, 3, S, S)`` with ``S`` a multiple of `multiple`, normalised by `mean` and `deviation`
    unless a card says otherwise.
    """

    @property
    def name(self) -> str:
        """What it is chosen by; a key of `architecture.TEACHERS`."""

    @property
    def strides(self) -> tuple[int, int, int]:
        """Pixels of the input from one place of each of the three scales to the next."""

    @property
    def multiple(self) -> int:
        """What the side of an input is a multiple of."""

    @property
    def mean(self) -> Triple:
        """Of each channel of inputs in 0..1."""

    @property
    def deviation(self) -> Triple:
        """Of each channel of inputs in 0..1."""

    def maps(self, images: Tensor, depths: Sequence[int]) -> tuple[Tensor, ...]:
        """Returns the maps after some of the stages or blocks, counted from 1, in ascending order."""

    def __call__(self, images: Tensor) -> TeacherFeatures:
        """Encodes images."""

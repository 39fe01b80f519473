"""What all teachers share: they know what the table says of them."""

from __future__ import annotations

from torch import nn

from napari_d24fad.network.teachers.architecture import Triple, teacher_spec


class DescribedTeacher(nn.Module):
    """A teacher that answers for its name, strides and normalisation; see `protocol.Teacher`.

    Args:
        name: A key of `architecture.TEACHERS`.

    Raises:
        ModelError: MODEL_MISMATCH for an unknown name.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self._spec = teacher_spec(name)

    @property
    def strides(self) -> tuple[int, int, int]:
        """See `protocol.Teacher.strides`."""
        return self._spec.architecture.strides

    @property
    def multiple(self) -> int:
        """See `protocol.Teacher.multiple`."""
        return self._spec.architecture.multiple

    @property
    def mean(self) -> Triple:
        """See `protocol.Teacher.mean`."""
        return self._spec.mean

    @property
    def deviation(self) -> Triple:
        """See `protocol.Teacher.deviation`."""
        return self._spec.deviation

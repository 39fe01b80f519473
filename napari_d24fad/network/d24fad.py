"""D2-4FAD assembled: frozen teacher, student and learn-to-weight under one module."""

from __future__ import annotations

from torch import nn

from napari_d24fad.network.architecture import architecture
from napari_d24fad.network.student import Student
from napari_d24fad.network.teacher import Teacher
from napari_d24fad.network.weighting import LearnToWeight


class D24FAD(nn.Module):
    """The three networks of the paper; state-dict keys begin with their names.

    Attributes:
        teacher: Never trained here; always in evaluation mode.
        student: Trained to re-create the teacher's features of normal images.
        weighting: Trained to choose among the support images.
    """

    def __init__(self, teacher_name: str) -> None:
        super().__init__()
        arch = architecture(teacher_name)
        self.teacher = Teacher(arch).requires_grad_(False)
        self.student = Student(arch)
        self.weighting = LearnToWeight(arch)

    def train(self, mode: bool = True) -> D24FAD:
        """Switches student and weighting; the teacher's BatchNorm statistics stay frozen."""
        super().train(mode)
        self.teacher.eval()
        return self


def build_network(teacher_name: str) -> D24FAD:
    """Builds the network with random weights, in evaluation mode.

    Args:
        teacher_name: A key of `architecture.ARCHITECTURES`.

    Raises:
        ModelError: MODEL_MISMATCH for an unknown name.
    """
    return D24FAD(teacher_name).eval()

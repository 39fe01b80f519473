"""D2-4FAD assembled: frozen teacher, student and learn-to-weight under one module."""

from __future__ import annotations

from typing import NoReturn

from torch import Tensor, nn

from napari_d24fad.errors import Code, ModelError
from napari_d24fad.network.student import Student
from napari_d24fad.network.teachers.architecture import Architecture, teacher_spec
from napari_d24fad.network.teachers.build import build_teacher
from napari_d24fad.network.token_student import TokenStudent
from napari_d24fad.network.weighting import LearnToWeight


class D24FAD(nn.Module):
    """The three networks of the paper; state-dict keys begin with their names.

    Args:
        teacher_name: A key of `teachers.architecture.TEACHERS`.
        student: Whether there is a student; without one only the teacher's features can be compared.

    Attributes:
        teacher: Never trained here; always in evaluation mode.
        student: Trained to re-create the teacher's features of normal images.
        weighting: Trained to choose among the support images.
    """

    def __init__(self, teacher_name: str, *, student: bool = True) -> None:
        super().__init__()
        self.teacher = build_teacher(teacher_name)
        arch = teacher_spec(teacher_name).architecture
        self.student: Student | TokenStudent | NoStudent
        self.weighting: LearnToWeight
        if not student:
            self.student, self.weighting = NoStudent(), NoWeighting()
            return
        self.student = Student(arch) if isinstance(arch, Architecture) else TokenStudent(arch)
        self.weighting = LearnToWeight(arch)

    @property
    def has_student(self) -> bool:
        """Whether there is a student."""
        return not isinstance(self.student, NoStudent)

    def train(self, mode: bool = True) -> D24FAD:
        """Switches student and weighting; the teacher's BatchNorm statistics stay frozen."""
        super().train(mode)
        self.teacher.eval()
        return self


class NoStudent(nn.Module):
    """In the place of a student where there is none; refuses whatever is asked of it."""

    def forward(self, embedding: Tensor) -> NoReturn:
        """Refuses.

        Raises:
            ModelError: NO_STUDENT.
        """
        raise ModelError(Code.NO_STUDENT)


class NoWeighting(LearnToWeight):
    """In the place of learn-to-weight where there is none: it has nothing to project by."""

    def __init__(self) -> None:
        nn.Module.__init__(self)


def build_network(teacher_name: str, *, student: bool = True) -> D24FAD:
    """Builds the network with random weights, in evaluation mode.

    Args:
        teacher_name: A key of `teachers.architecture.TEACHERS`.
        student: See `D24FAD`.

    Raises:
        ModelError: MODEL_MISMATCH for an unknown name.
    """
    return D24FAD(teacher_name, student=student).eval()

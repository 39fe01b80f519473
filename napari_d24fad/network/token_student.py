"""The student of a vision transformer: its last map back to the three before, on the same grid."""

from __future__ import annotations

from torch import Tensor, nn

from napari_d24fad.network.student import Bottleneck, Scales
from napari_d24fad.network.teachers.architecture import Architecture, Transformer
from napari_d24fad.network.teachers.residual import convolution

_NARROWED = 8
_BLOCKS = 2


class TokenStudent(nn.Module):
    """Decoder from a transformer's deepest map back to its third, second and first scale.

    A residual teacher's student starts from fewer places than it re-creates, so that it cannot copy all;
    here all maps have one grid, and an eighth of the channels takes that part. Blocks are those of the
    residual student, which end in a ReLU; a linear map after each stage gives the signs back.
    """

    def __init__(self, arch: Transformer) -> None:
        super().__init__()
        width, narrow = arch.width, arch.width // _NARROWED
        self.narrow = _linear(width, narrow)
        self.widen = _linear(narrow, width)
        blocks = Architecture("bottleneck", (_BLOCKS,) * 4, width=width // 4)
        for stage in (1, 2, 3):
            layer = [Bottleneck(width, width // 4, False, blocks) for _ in range(_BLOCKS)]
            self.add_module(f"layer{stage}", nn.Sequential(*layer))
            self.add_module(f"signed{stage}", nn.Conv2d(width, width, 1))

    def forward(self, embedding: Tensor) -> Scales:
        """Re-creates the teacher's scales.

        Args:
            embedding: ``(N, width, rows, columns)``, `TeacherFeatures.embedding`.

        Returns:
            Shapes of `TeacherFeatures.scales`, shallowest first.
        """
        coarse, middle, fine = self._stages(embedding, 3)
        return fine, middle, coarse

    def coarser(self, embedding: Tensor) -> tuple[Tensor, Tensor]:
        """Re-creates the third and the second scale alone, in that order."""
        coarse, middle = self._stages(embedding, 2)
        return coarse, middle

    def _stages(self, embedding: Tensor, count: int) -> list[Tensor]:
        x = self.widen(self.narrow(embedding))
        found = []
        for stage in range(1, count + 1):
            x = self.get_submodule(f"layer{stage}")(x)
            found.append(self.get_submodule(f"signed{stage}")(x))
        return found


def _linear(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(convolution(inputs, outputs, 1), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))

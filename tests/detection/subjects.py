"""Small made-up scans that the detection tests share."""

from __future__ import annotations

import numpy as np

from napari_d24fad.network.card import ModelCard
from napari_d24fad.network.checkpoint import LoadedModel
from napari_d24fad.network.d24fad import build_network
from napari_d24fad.studies.scan import Scan

GRID = (12, 40, 36)
SPACING = (4.0, 1.5, 2.0)
# Array (slice, row, column) to LPS: columns along x, rows along y, slices along z.
AFFINE = np.array([[0, 0, 2.0, 0], [0, 1.5, 0, 0], [4.0, 0, 0, 0], [0, 0, 0, 1]])


def head(seed: int, lesion: bool = False, grid: tuple[int, int, int] = GRID, modality: str = "MR") -> Scan:
    """An ellipsoid of tissue with two ventricles; subjects differ in size, position and noise."""
    r = np.random.default_rng(seed)
    axes = [np.linspace(-1, 1, size) for size in grid]
    z, y, x = np.meshgrid(*axes, indexing="ij")
    size = 0.85 + 0.05 * r.random()
    y, x = (y - 0.05 * r.standard_normal()) / size, (x - 0.05 * r.standard_normal()) / size
    tissue = (z**2 * 0.6 + y**2 + x**2) < 1
    ventricles = ((np.abs(x) - 0.2) ** 2 / 0.02 + y**2 / 0.1 + z**2 / 0.3) < 1
    voxels = 600.0 * tissue - 450 * (tissue & ventricles)
    if lesion:
        voxels[((z - 0.1) ** 2 / 0.1 + (y - 0.3) ** 2 / 0.03 + (x - 0.5) ** 2 / 0.03) < 1] = 1000
    voxels = voxels + 20 * np.abs(r.standard_normal(grid))
    return Scan(voxels.astype(np.float32), AFFINE, modality=modality)


def random_model(seed: int = 0, input_size: int = 64, scoring: str = "matched") -> LoadedModel:
    """A compact network with random weights: enough wherever numbers, not skill, are tested."""
    import torch

    torch.manual_seed(seed)
    card = ModelCard(
        name="random",
        title="Random weights",
        teacher="compact",
        teacher_weights="embedded",
        normalise=True,
        input_size=input_size,
        scoring=scoring,
        data=(),
        recipe=(),
        date="2026-11-23",
        figures=(),
        licence="none",
        sha256="0" * 64,
    )
    network = build_network("compact").requires_grad_(False)
    for module in network.modules():
        # The default initialisation fades to 1e-8 over so many layers, where cosines are noise.
        if isinstance(module, torch.nn.Conv2d | torch.nn.ConvTranspose2d):
            torch.nn.init.kaiming_normal_(module.weight)
    return LoadedModel(card, network, "0" * 64)

"""A head that is known at every point, so that it can be drawn on any grid, turned and cut exactly."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from napari_d24fad.anatomy.registration import Template
from napari_d24fad.anatomy.volume import Points, Volume

HALF = np.array([66.0, 86.0, 56.0])  # of the brain, in mm
_RNG = np.random.default_rng(3)
_BLOBS = [
    (_RNG.uniform(-0.75, 0.75, 3) * HALF, _RNG.uniform(8, 18), float(_RNG.choice([-0.45, -0.3, 0.3])))
    for _ in range(40)
]
_VENTRICLES = [(np.array([side * 12.0, 0.0, 8.0]), np.array([7.0, 26.0, 9.0])) for side in (-1, 1)]


def tissue(points: Points, wider: float = 1.0) -> npt.NDArray[np.float64]:
    """Grey values at ``(..., 3)`` mm of the head: brain 1, ventricles .2, skull dark, scalp bright."""
    radius = np.linalg.norm(points / HALF, axis=-1)
    grey = np.where(radius < 1, 1.0, 0.0)
    for centre, width, amount in _BLOBS:
        near = ((points - centre) ** 2).sum(axis=-1) / width**2
        grey += np.where(radius < 1, amount * np.exp(-near), 0)
    for centre, half in _VENTRICLES:
        grey = np.where(np.linalg.norm((points - centre) / (half * wider), axis=-1) < 1, 0.2, grey)
    scalp = np.linalg.norm(points / (HALF + 12), axis=-1)
    return np.where((scalp < 1) & (np.linalg.norm(points / (HALF + 7), axis=-1) >= 1), 0.9, grey)


def grid(low: list[float], high: list[float], spacing: list[float]) -> tuple[tuple[int, ...], Points]:
    """Shape and affine of a grid whose array runs along (z, y, x) between two corners in mm (x, y, z)."""
    size = np.array(high) - np.array(low)
    shape = tuple(int(n) for n in np.round(size[::-1] / np.array(spacing)))
    affine = np.eye(4)
    affine[:3, :3] = np.array([[0, 0, spacing[2]], [0, spacing[1], 0], [spacing[0], 0, 0]])
    affine[:3, 3] = low
    return shape, affine


def places(shape: tuple[int, ...], affine: Points) -> Points:
    """Millimetres of every voxel, ``(..., 3)``."""
    index = np.stack(np.indices(shape), axis=-1)
    return index @ affine[:3, :3].T + affine[:3, 3]


def drawn(
    move: Points | None = None,
    *,
    low: tuple[float, float, float] = (-92, -108, -86),
    high: tuple[float, float, float] = (92, 108, 86),
    spacing: tuple[float, float, float] = (4.0, 4.0, 4.0),
    wider: float = 1.0,
    noise: float = 0.03,
    seed: int = 0,
) -> Volume:
    """A scan of the head, which lies in the scanner as ``move`` (head mm to scanner mm) says."""
    shape, affine = grid(list(low), list(high), list(spacing))
    points = places(shape, affine)
    back = np.linalg.inv(np.eye(4) if move is None else move)
    grey = tissue(points @ back[:3, :3].T + back[:3, 3], wider)
    grey = grey + noise * np.random.default_rng(seed).standard_normal(shape)
    return Volume(grey.astype(np.float32), affine)


def template() -> Template:
    """The head without its skull, as MNI152 is."""
    scan = drawn(noise=0.0)
    radius = np.linalg.norm(places(scan.values.shape, scan.affine) / HALF, axis=-1)
    brain = radius < 1
    rim = np.linalg.norm(places(scan.values.shape, scan.affine) / (HALF + 6), axis=-1) < 1
    return Template(Volume(np.where(brain, scan.values, 0), scan.affine), brain, rim)


def turned(axis: str, degrees: float, shift: tuple[float, float, float] = (0, 0, 0)) -> Points:
    """A rotation about the middle of the head, then a shift in mm."""
    from scipy.spatial.transform import Rotation

    move = np.eye(4)
    move[:3, :3] = Rotation.from_euler(axis, degrees, degrees=True).as_matrix()
    move[:3, 3] = shift
    return move


def misplaced(found: Points, true: Points) -> float:
    """How far points of the brain are misplaced at most, in mm."""
    points = np.array([[x, y, z, 1] for x in (-1, 0, 1) for y in (-1, 0, 1) for z in (-1, 0, 1)], float)
    points[:, :3] *= 0.6 * HALF
    return float(np.linalg.norm((points @ (found - true).T)[:, :3], axis=1).max())

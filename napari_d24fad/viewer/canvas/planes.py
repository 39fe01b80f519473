"""Which way a canvas shows the patient: the letters at its edges, and how each cut stands upright."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from napari.components import ViewerModel
from napari.layers import Image
from napari.viewer import Viewer

from napari_d24fad.export.anatomy import direction_letters
from napari_d24fad.studies.scan import Plane
from napari_d24fad.viewer.canvas.layer_data import AFFINE_KEY

Matrix = npt.NDArray[np.float64]
Letters = tuple[str, str, str, str]

_PLANES = (Plane.SAGITTAL, Plane.CORONAL, Plane.AXIAL)


def world_directions(layer: Image) -> Matrix | None:
    """Returns where the axes of the viewer's world lead in the patient, as its layer is placed now.

    Args:
        layer: Shows a scan.

    Returns:
        ``(3, 3)``, in column ``i`` the LPS direction of the last but ``2 - i`` axis of the world; None where
        sides are not known.
    """
    affine = layer.metadata.get(AFFINE_KEY)
    if affine is None or layer.ndim != 3:
        return None
    start = np.asarray(layer.world_to_data((0.0, 0.0, 0.0)))
    steps = np.stack([np.asarray(layer.world_to_data(each)) - start for each in np.eye(3)], axis=1)
    return np.asarray(affine[:3, :3] @ steps)


def edge_letters_of(viewer: Viewer | ViewerModel, layer: Image) -> Letters | None:
    """Names what lies beyond the left, right, top and bottom edge of the canvas; None where it is not known.

    Args:
        viewer: A viewer that shows the layer, however its axes are rolled.
        layer: Shows a scan.
    """
    directions, axes = world_directions(layer), _displayed(viewer)
    if directions is None or axes is None:
        return None
    vertical, horizontal = viewer.scene.camera.orientation2d
    down = directions[:, axes[0]] * (1 if str(vertical) == "down" else -1)
    right = directions[:, axes[1]] * (1 if str(horizontal) == "right" else -1)
    return (
        direction_letters(-right),
        direction_letters(right),
        direction_letters(-down),
        direction_letters(down),
    )


def upright_orientation(viewer: Viewer | ViewerModel, layer: Image) -> tuple[str, str]:
    """Returns which way the displayed axes must run so that the head is up, or else the front.

    Left of the patient is at the right, and so is the back where left is in no direction of the canvas.

    Returns:
        ``"down"`` or ``"up"`` for the vertical axis, ``"right"`` or ``"left"`` for the other.
    """
    directions, axes = world_directions(layer), _displayed(viewer)
    if directions is None or axes is None:
        return "down", "right"
    vertical, horizontal = directions[:, axes[0]], directions[:, axes[1]]
    along = int(np.abs(vertical).argmax())
    rises = vertical[2] > 0 if along == 2 else vertical[along] < 0
    across = int(np.abs(horizontal).argmax())
    reversed_ = horizontal[2] > 0 if across == 2 else horizontal[across] < 0
    return "up" if rises else "down", "left" if reversed_ else "right"


def is_on_its_side(viewer: Viewer | ViewerModel, layer: Image) -> bool:
    """Whether the displayed axes must be exchanged: the head is at the side, or in an axial cut the front."""
    directions, axes = world_directions(layer), _displayed(viewer)
    if directions is None or axes is None:
        return False
    # Head to foot stands before front to back, and that before right to left.
    vertical, horizontal = (int(np.abs(directions[:, axis]).argmax()) for axis in axes)
    return horizontal > vertical


def cut_text(viewer: Viewer | ViewerModel, layer: Image) -> str:
    """Names a cut that is no slice of the scan, such as ``"Sagittal cut, L 2.1 mm"``."""
    directions, axes = world_directions(layer), _displayed(viewer)
    if directions is None or axes is None:
        return "A cut across the slices"
    (across,) = {0, 1, 2} - set(axes)
    along = int(np.abs(directions[:, across]).argmax())
    centre = np.array([(size - 1) / 2 for size in layer.data.shape[:3]])
    centre[across] = round(float(layer.world_to_data(viewer.dims.point[-3:])[across]))
    affine = layer.metadata[AFFINE_KEY]
    position = float(affine[along, :3] @ centre + affine[along, 3])
    letter = direction_letters(np.eye(3)[along] * (1 if position > 0 else -1))
    return f"{_PLANES[along].value.capitalize()} cut, {letter} {abs(position):.1f} mm"


def _displayed(viewer: Viewer | ViewerModel) -> tuple[int, int] | None:
    """Returns the vertical and the horizontal axis, among the last three of the world."""
    dims = viewer.dims
    if dims.ndisplay != 2 or dims.ndim < 3:
        return None
    vertical, horizontal = (int(axis) - (dims.ndim - 3) for axis in dims.displayed)
    return (vertical, horizontal) if min(vertical, horizontal) >= 0 else None

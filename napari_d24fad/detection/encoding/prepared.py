"""A scan made ready for the network: canonical, windowed, cropped, its slices at known levels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from napari_d24fad.detection.encoding.devices import upload
from napari_d24fad.detection.encoding.extent import Extent, LazyExtent
from napari_d24fad.detection.encoding.intensity import CT_WINDOW, CtWindow, Window, window_of
from napari_d24fad.detection.encoding.sampling import Sampling, anatomy_box, whole_box
from napari_d24fad.errors import Code, PairingError
from napari_d24fad.studies.orientation import Orientation, canonical, canonical_orientation
from napari_d24fad.studies.scan import Scan


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """What the network will see of a scan.

    Attributes:
        scan: The scan in canonical order.
        orientation: How it was brought there.
        window: Its intensity mapping.
        sampling: How its slices become inputs and maps become slices.
        examined: Canonical indices of the slices that hold anatomy.
        levels: ``(len(examined),)`` position of each within the anatomy, 0 at one end
            and 1 at the other; what slices of different scans are matched by.
        anatomy: Finds what of a grey volume is anatomy; None for images and colour, and where pixels were
            let go.
        kept_masks: What was found of each slice that was kept, where pixels were let go; see `masks`.
        kept: What the network saw of some slices, by canonical index, ``(side, side)`` uint8 each;
            empty while the scan has its pixels.
    """

    scan: Scan
    orientation: Orientation
    window: Window
    sampling: Sampling
    examined: tuple[int, ...]
    levels: npt.NDArray[np.float64] = field(repr=False)
    anatomy: LazyExtent | None = field(default=None, repr=False)
    kept_masks: Mapping[int, npt.NDArray[np.bool_]] = field(default_factory=dict, repr=False)
    kept: Mapping[int, npt.NDArray[np.uint8]] = field(default_factory=dict, repr=False)

    @property
    def extent(self) -> Extent | None:
        """What is anatomy; None without a mask that passes the checks. Looking for it takes a moment."""
        return None if self.anatomy is None else self.anatomy.extent

    @property
    def masks(self) -> Mapping[int, npt.NDArray[np.bool_]]:
        """The same of each examined slice as the network sees it, by canonical index.

        ``(side / 4, side / 4)`` bool each; empty where all is examined.
        """
        return self.kept_masks if self.anatomy is None else self.anatomy.masks

    def without_pixels(self, scan: Scan, indices: Sequence[int]) -> Prepared:
        """Lets the pixels of a grey scan go, but for what the network saw of some slices.

        Args:
            scan: The scan without its pixels, in its own order.
            indices: Canonical indices of the slices to keep.
        """
        kept = {index: (255 * self.inputs([index])[0, 0]).round().byte().numpy() for index in indices}
        known = self.masks
        masks = {index: known[index] for index in indices if index in known}
        return replace(self, scan=canonical(scan), anatomy=None, kept_masks=masks, kept=kept)

    def inside(
        self, indices: Sequence[int], side: int, region: npt.NDArray[np.bool_] | None = None
    ) -> Tensor:
        """Returns which pixels of maps show anatomy: neither padding nor surroundings.

        Args:
            indices: Canonical indices of the slices, ``N``.
            side: Side of the maps in pixels, a divisor of the input's.
            region: Of the input, its side squared: examine only here; None for all of it.

        Returns:
            ``(N, side, side)`` bool.
        """
        inside = self.sampling.inside(side, region).expand(len(indices), side, side)
        known = self.masks
        if not known:
            return inside
        masks = torch.from_numpy(np.stack([known[index] for index in indices]))
        return interpolate(masks[:, None].float(), (side, side), mode="nearest")[:, 0].bool() & inside

    def inputs(self, indices: Sequence[int], device: torch.device | None = None) -> Tensor:
        """Returns network inputs of canonical slices, ``(N, 3, side, side)`` in 0..1.

        Args:
            indices: Of the slices.
            device: Where they are scaled to size and wanted; None for the CPU.

        Raises:
            KeyError: For slices that were not kept when pixels were let go.
        """
        if self.scan.pixels_hash:
            known = np.stack([self.kept[index] for index in indices])
            return (upload(torch.from_numpy(known), device)[:, None] / 255).expand(-1, 3, -1, -1)
        unit = self.window.apply(self.scan.voxels[list(indices)])
        channels = unit if self.scan.is_colour else unit[..., None]
        slices = torch.from_numpy(np.ascontiguousarray(np.moveaxis(channels, -1, 1)))
        return self.sampling.to_input(upload(slices, device))

    def to_slices(self, maps: Tensor, indices: Sequence[int]) -> npt.NDArray[np.float32]:
        """Brings maps of the network input back to the pixels of canonical slices.

        Args:
            maps: ``(N, side, side)`` of any side.
            indices: Of the slices, ``N``.

        Returns:
            ``(N, rows, columns)``; NaN outside the crop and the anatomy, and where the scan holds no
            value (NaN).
        """
        slices: npt.NDArray[np.float32] = self.sampling.to_slices(maps).cpu().numpy()
        if self.extent is not None:
            slices[~self.extent.voxels[list(indices)]] = np.nan
        voxels = self.scan.voxels
        if np.issubdtype(voxels.dtype, np.floating) and not self.scan.pixels_hash:
            for row, plane in zip(slices, (voxels[index] for index in indices), strict=True):
                if np.isnan(plane.max()):  # most scans have a value everywhere, and a look is cheaper
                    row[np.isnan(plane)] = np.nan
        return slices

    def picture(self, index: int) -> tuple[npt.NDArray[np.uint8], tuple[float, float]]:
        """Returns a canonical slice as the window shows it, or as the network saw it if pixels were let go.

        Returns:
            ``(rows, columns)`` or ``(rows, columns, 3)``, and row and column spacing in mm (pixels
            without geometry).
        """
        spacing = self.scan.spacing[1:]
        if not self.scan.pixels_hash:
            return (255 * self.window.apply(self.scan.voxels[index])).round().astype(np.uint8), spacing
        sampling = self.sampling
        (top, left), (height, width) = sampling.origin, sampling.content
        pixel = (
            spacing[0] * (sampling.rows[1] - sampling.rows[0]) / height,
            spacing[1] * (sampling.columns[1] - sampling.columns[0]) / width,
        )
        return self.kept[index][top : top + height, left : left + width], pixel


def prepare(scan: Scan, side: int, ct_windows: tuple[CtWindow, ...] = (CT_WINDOW,)) -> Prepared:
    """Makes a scan ready.

    Args:
        scan: A volume, or an image as a volume of one slice.
        side: Side of the network input in pixels.
        ct_windows: Low and high HU for CT, of one window or several that are joined.

    Raises:
        PairingError: NOTHING_TO_EXAMINE if a volume holds no anatomy.
        StudyError: CONSTANT_IMAGE.
    """
    orientation = canonical_orientation(scan)
    upright = canonical(scan)
    window = window_of(upright, *ct_windows)
    box = whole_box(upright.grid)
    if upright.is_volume:
        # Where a body ends does not depend on the window chosen to look at it: in a lung window air is grey.
        found = anatomy_box(upright.voxels, window_of(upright))
        if found is None:
            raise PairingError(Code.NOTHING_TO_EXAMINE)
        box = found
    examined = tuple(range(*box.slices))
    levels = (np.arange(len(examined)) + 0.5) / len(examined)
    sampling = Sampling.fit(box, upright.grid[1:], upright.spacing[1:], side)
    grey = upright.is_volume and not upright.is_colour
    anatomy = LazyExtent(upright, examined, sampling) if grey else None
    return Prepared(upright, orientation, window, sampling, examined, levels, anatomy)

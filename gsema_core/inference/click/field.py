"""What the windows around a click have shown so far."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from gsema_core.grids.axis_interpolation import Floats
from gsema_core.grids.boxes import Box, box_of, common_box, moved
from gsema_core.inference.click.points import Places
from gsema_core.inference.windows.stitching import importance
from gsema_core.inference.windows.window_plan import RIM, Size
from gsema_core.labels import ANEURYSM, VESSEL

Mask = npt.NDArray[np.bool_]

Predict = Callable[[Floats, Places, Places], Floats]
"""From a window's image (k, j, i), in [0, 1] and perhaps cut off at the scan's border, and the
clicks inside (n, 3) and outside (m, 3), as voxels of the window and perhaps beyond it, to the
probabilities (2, k, j, i) of vessel and aneurysm in its voxels."""


@dataclass(frozen=True, eq=False)
class Field:
    """Probabilities in a box of the working grid.

    Attributes:
        shares: (2, k, j, i) of vessel and aneurysm, float32; 0 where no window has looked.
        seen: (k, j, i), where a window has looked.
        box: where the field lies in the working grid.
    """

    shares: Floats
    seen: Mask
    box: Box

    @property
    def aneurysm(self) -> Floats:
        """The probability (k, j, i) of an aneurysm."""
        return np.asarray(self.shares[ANEURYSM - 1])

    @property
    def vessel(self) -> Floats:
        """The probability (k, j, i) of vessel."""
        return np.asarray(self.shares[VESSEL - 1])

    @property
    def start_kji(self) -> npt.NDArray[np.int64]:
        """The field's first voxel in the working grid."""
        return np.array([side.start for side in self.box])


class Surroundings:
    """Grows window by window.

    Args:
        image: (k, j, i) float32 in [0, 1] on the working grid.
        window: size (k, j, i) of the windows.
        predict: runs the network on one window.
        inside: (n, 3) positions k, j, i of clicks in the aneurysm.
        outside: (m, 3) of clicks on what is not part of it.
    """

    def __init__(
        self, image: Floats, window: Size, predict: Predict, inside: Places, outside: Places
    ) -> None:
        self._image, self._window, self._predict = image, window, predict
        self._clicks = inside, outside
        self._views: list[tuple[Box, Floats]] = []

    @property
    def windows(self) -> int:
        """How many windows have been run."""
        return len(self._views)

    def look_at(self, center_kji: npt.ArrayLike) -> None:
        """Run the window around a voxel, moved inwards where it would leave the scan."""
        box = window_box(center_kji, self._image.shape, self._window)
        start = [side.start for side in box]
        inside, outside = (points - start for points in self._clicks)
        self._views.append((box, self._predict(self._image[box], inside, outside)))

    def field(self) -> Field:
        """Everything seen; where windows overlap they are blended as for a whole scan."""
        around = common_box(box for box, _ in self._views)
        shape = [side.stop - side.start for side in around]
        sums = np.zeros((2, *shape), np.float32)
        weights = np.zeros(shape, np.float32)
        for box, shares in self._views:
            inside = moved(box, [-side.start for side in around])
            k, j, i = shares.shape[1:]
            weight = importance((k, j, i)).numpy()
            sums[(slice(None), *inside)] += weight * shares
            weights[inside] += weight
        seen = weights > 0
        np.divide(sums, weights, out=sums, where=seen)
        return Field(sums, seen, around)

    def frontier(self, field: Field, mask: Mask) -> Mask:
        """The voxels of ``mask`` beside voxels of the scan that no window has seen."""
        known = np.pad(field.seen, 1)
        for axis, (side, length) in enumerate(zip(field.box, self._image.shape, strict=True)):
            along = np.moveaxis(known, axis, 0)  # a view
            along[0] |= side.start == 0  # beyond the scan there is nothing to see
            along[-1] |= side.stop == length
        inner = ndimage.binary_erosion(known, border_value=True)[1:-1, 1:-1, 1:-1]
        return np.asarray(mask & ~inner)


def window_centers(inside: Places, outside: Places, window: Size) -> list[Places]:
    """Where to look first: around the first click, so that what a network sees stays the same.

    Where another click lies in the rim of that window or beyond, it is the middle of all clicks, or
    of as many as fit into a window.

    Args:
        inside: (n, 3) positions k, j, i, at least one. A window is found for each.
        outside: (m, 3), which count only where they fit into the one window of all others.
        window: size (k, j, i) of the windows; clicks stay out of their rims.
    """
    room = np.array(window) * (1 - 2 * RIM)

    def fit(points: Places) -> bool:
        return bool((np.ptp(points, axis=0) <= room).all())

    everything = np.concatenate([inside, outside])
    if (np.abs(everything - inside[0]) <= room / 2).all():
        return [inside[0]]
    if fit(everything):
        return [_middle(everything)]
    groups: list[list[Places]] = []
    for point in inside:
        for group in groups:
            if fit(np.array([*group, point])):
                group.append(point)
                break
        else:
            groups.append([point])
    return [_middle(np.array(group)) for group in groups]


def _middle(points: Places) -> Places:
    """The middle of the box around points; of a single one, itself."""
    return np.asarray((points.min(axis=0) + points.max(axis=0)) / 2)


def window_box(center_kji: npt.ArrayLike, shape: tuple[int, ...], window: Size) -> Box:
    """The window around a voxel, moved inwards to lie in the image; cut off if that is smaller."""
    lengths = np.minimum(window, shape)
    starts = np.rint(np.asarray(center_kji) - (lengths - 1) / 2)
    return box_of(np.clip(starts, 0, np.array(shape) - lengths), lengths)

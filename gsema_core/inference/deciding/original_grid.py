"""From shares on the working grid to labels on the scan's own grid, tile by tile.

Interpolation comes first and the choice of a class after it, voxel by voxel of the scan, so both
are here; where the walls lie between the voxels is said by ``deciding.walls``.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from gsema_core.grids.axis_interpolation import Floats, Line, interpolate, lines_between
from gsema_core.grids.boxes import Box
from gsema_core.grids.geometry import Geometry
from gsema_core.grids.volume import Volume
from gsema_core.inference.deciding.walls import UNSURE, Wall, lumen_factor
from gsema_core.inference.shares import Shares, full_share
from gsema_core.labels import ANEURYSM, BACKGROUND

TILE = 32
"""Voxels of the scan's grid along each axis that are worked on at once: small, as most tiles of a
scan show no vessel and cost nothing. Our choice."""

Voxels = Callable[[Box], Floats]
"""The voxels (k, j, i) of a scan in a box of its grid."""


def probabilities_to_labels(
    foreground: Shares,
    working: Geometry,
    original: Geometry,
    threshold: float | None = None,
    walls: tuple[Wall, Voxels] | None = None,
) -> Volume:
    """Bring class probabilities back to a scan's own grid and choose a class for every voxel.

    A voxel is background where that is likelier than all other classes together; otherwise it is
    of the likeliest other class, the rule of ``labels_to_working``. Plain argmax would open a gap
    of background between a sac and its vessel, where the two share what is not background.

    Probabilities are interpolated linearly before the choice is made, so that the surface does
    not show the working grid's steps. What lies outside the working grid is background. Tiles
    without foreground are not interpolated at all, which is exact: between voxels where the
    background is likelier it is likelier, too.

    Args:
        foreground: (classes, k, j, i) on the working grid, of all classes but the background.
        working: the working grid.
        original: the scan's own grid, with axes parallel to the working grid's in any order and
            sense.
        threshold: the probability from which on a voxel is aneurysm, whatever else is likelier;
            elsewhere vessel and background are left to themselves. Default: the rule above.
        walls: where they lie by the scan, on the working grid, and the scan's own voxels, in the
            same units. Default: where the probabilities put them.

    Returns:
        A uint8 volume on ``original``.
    """
    wanted = _may_be_foreground(foreground, UNSURE if walls else 0.5, threshold)
    result = np.zeros(original.shape, dtype=np.uint8)
    for tile, lines in _tiles(wanted, working, original):
        shares = [_interpolated(channel, lines) for channel in foreground]
        if walls:
            wall, voxels = walls
            level, contrast = (_interpolated(c, lines) for c in (wall.level, wall.contrast))
            factor = lumen_factor(np.stack(shares).sum(axis=0), voxels(tile), level, contrast)
            shares = [share * factor for share in shares]
        result[tile] = _choose(shares, threshold)
    return Volume(result, original)


def probability_to_original(probability: Shares, working: Geometry, original: Geometry) -> Volume:
    """Bring the (k, j, i) probability of one class back to a scan's own grid; 0 outside.

    Returns:
        A float32 volume on ``original``.
    """
    result = np.zeros(original.shape, dtype=np.float32)
    for tile, lines in _tiles(probability != 0, working, original):
        result[tile] = _interpolated(probability, lines)
    return Volume(result, original)


def _choose(shares: Sequence[Floats], threshold: float | None) -> npt.NDArray[np.uint8]:
    """The class of every voxel of a tile."""
    others = shares if threshold is None else shares[: ANEURYSM - 1]
    background = 1 - np.sum(shares, axis=0, dtype=np.float32)
    best = np.zeros_like(background)
    filled = np.zeros_like(background)
    winner = np.full(background.shape, BACKGROUND, dtype=np.uint8)
    for value, share in enumerate(others, start=1):
        winner[share > best] = value
        np.maximum(best, share, out=best)
        filled += share
    winner[background >= filled] = BACKGROUND
    if threshold is not None:
        winner[shares[ANEURYSM - 1] >= threshold] = ANEURYSM
    return winner


def _may_be_foreground(
    foreground: Shares, least: float, threshold: float | None
) -> npt.NDArray[np.bool_]:
    """Where a working voxel (k, j, i) could make another class than background near it."""
    one = full_share(foreground)
    wanted = np.empty(foreground.shape[1:], dtype=bool)
    for k in range(len(wanted)):  # no second array of that size
        np.greater(foreground[:, k].sum(axis=0, dtype=np.float32), least * one, out=wanted[k])
        if threshold is not None:
            wanted[k] |= foreground[ANEURYSM - 1, k] >= threshold * one * (1 - 1e-6)
    return wanted


def _tiles(
    wanted: npt.NDArray[np.bool_], working: Geometry, original: Geometry
) -> Iterator[tuple[Box, list[Line]]]:
    """Cut a scan's grid into tiles: those whose interpolation meets a wanted working voxel.

    Yields:
        The tile, and the lines of its axes in the working grid.
    """
    axes = [
        [
            (slice(start, start + TILE), line.part(slice(start, start + TILE)))
            for start in range(0, length, TILE)
        ]
        for line, length in zip(lines_between(working, original), original.shape, strict=True)
    ]
    for k, j, i in itertools.product(*axes):
        lines = [k[1], j[1], i[1]]
        if wanted[_source_box(lines)].any():
            yield (k[0], j[0], i[0]), lines


def _source_box(lines: Sequence[Line]) -> Box:
    """The working voxels that a tile is interpolated from."""
    k, j, i = (line.source for line in sorted(lines, key=lambda line: line.axis))
    return k, j, i


def _interpolated(channel: Shares, lines: Sequence[Line]) -> Floats:
    """One class in a tile.

    In the half voxel around the working grid's outermost centers the edge continues.
    """
    box = _source_box(lines)
    values = channel[box].astype(np.float32) / np.float32(full_share(channel))
    return interpolate(values, lines, [side.start for side in box])

"""What a scan on the working grid looks like, in a few numbers.

They tell an angiography from noise, from a run without contrast agent, from an inverted scan and
from most other kinds of images. All but the voxel's edge and the extents are shares, so that a
scan in other units gives the same numbers.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from gsema_core.grids import Geometry
from gsema_core.intensities.appearance_ranges import Appearance

Floats = npt.NDArray[np.float32]

POOLED = 2
"""Voxels along an axis that are averaged into one: 1 mm at the bundled teacher's spacing, which
takes most of the noise away and leaves a vessel of 1 mm. Ours."""
SURROUNDINGS = 13
"""Averaged voxels along an axis of the cube that a spot is compared with, 13 mm there: wider than
arteries, narrower than the shading of a head that the detector cuts off. Ours."""
VESSELS_MM3 = 200.0
"""So much of any angiography with an aneurysm in it is vessel: 20 mm of a carotid. Ours."""
PIECE_MM = 10.0
"""A piece of a vessel is at least as long as this; a speck is not. Ours."""
RIDGE_VOXELS = 0.7
"""Standard deviation, in averaged voxels, of the smoothing before ridges are looked at. Of 0.7, 1
and 1.5 the one that told vessels from bone best."""
ACROSS, ALONG = 0.6, 0.25
"""A ridge is a tube where its second curvature is at least 0.6 of the first, and the third at most
0.25 of the second, in size. Ours: the shares told vessels from bone best."""
MORE_THAN_NOISE = 0.1
"""Of the contrast: what counts when slices are compared. Ours; twice as much tells real volumes
from stacks of pictures less well."""
NEIGHBORS = np.ones((3, 3, 3))


def appearance_of(image: Floats, spacing_mm: float, geometry: Geometry) -> Appearance:
    """Measure what a scan looks like.

    Args:
        image: (k, j, i) on the working grid; its scale and offset do not matter, but for
            ``contrast``.
        spacing_mm: of the working grid.
        geometry: of the scan as it was stored.
    """
    extents = [n * mm for n, mm in zip(geometry.size, geometry.spacing, strict=True)]
    grid = {
        "voxel_mm": max(geometry.spacing),
        "shortest_mm": min(extents),
        "longest_mm": max(extents),
    }
    pooled = pool(image)
    local = local_contrast(pooled)
    edge = POOLED * spacing_mm
    count = int(np.clip(round(VESSELS_MM3 / edge**3), 1, max(1, local.size // 20)))
    ordered = np.sort(local, axis=None)
    contrast = float(ordered[-count:].mean())
    if contrast <= 0:
        return Appearance(**grid)
    middle = float(ordered[ordered.size // 2])
    spread = 1.4826 * float(np.median(np.abs(local - middle)))
    bright = local > contrast / 2
    return Appearance(
        **grid,
        contrast=contrast,
        noise=_noise(image) / contrast,
        unevenness=spread / contrast,
        dark=max(0.0, -float(ordered[:count].mean())) / contrast,
        bright=float(bright.mean()),
        joined=_joined(bright, edge),
        tubes=_tubes(pooled, local > contrast / 3, count),
        slices=_slices(np.maximum(local - MORE_THAN_NOISE * contrast, 0)),
    )


def pool(image: Floats) -> Floats:
    """Averages of cubes of ``POOLED`` voxels; the last ones along an axis may be fewer."""
    spread = [(0, -length % POOLED) for length in image.shape]
    padded = np.pad(image, spread, mode="edge")
    k, j, i = (length // POOLED for length in padded.shape)
    cubes = padded.reshape(k, POOLED, j, POOLED, i, POOLED)
    return np.asarray(cubes.mean(axis=(1, 3, 5)), dtype=np.float32)


def local_contrast(pooled: Floats) -> Floats:
    """How much brighter than its surroundings each pooled voxel is."""
    return np.asarray(pooled - ndimage.uniform_filter(pooled, SURROUNDINGS, mode="nearest"))


def _noise(image: Floats) -> float:
    """Standard deviation of the noise, by voxels two apart along the axis where they differ most.

    Neighbors share noise where a scan was interpolated.
    """
    few = image[:: 1 + image.shape[0] // 128]
    differences = (
        np.abs(few[:, 2:, ::2] - few[:, :-2, ::2]),
        np.abs(few[:, ::2, 2:] - few[:, ::2, :-2]),
        np.abs(image[2::2, ::2, ::2] - image[:-2:2, ::2, ::2]),
    )
    medians = (float(np.median(each)) for each in differences if each.size)
    return 1.4826 * max(medians, default=0.0) / math.sqrt(2.0)


def _joined(bright: npt.NDArray[np.bool_], edge_mm: float) -> float:
    """The share of bright voxels in pieces of at least ``PIECE_MM``, by their boxes' diagonals."""
    pieces, _ = ndimage.label(bright, NEIGHBORS)
    sizes = np.bincount(pieces.reshape(-1))[1:]
    boxes = ndimage.find_objects(pieces)
    lengths = [np.linalg.norm([side.stop - side.start for side in box]) for box in boxes]
    long = np.asarray(lengths) * edge_mm >= PIECE_MM
    return float(sizes[long].sum() / sizes.sum())


def _slices(bright: Floats) -> float:
    """How much what is bright varies from slice to slice, along the axis where it varies least.

    The views of one object all show the same amount of it.
    """
    sums = (bright.sum(axis=tuple({0, 1, 2} - {axis})) for axis in range(3))
    return min(float(each.std() / each.mean()) for each in sums)


def _tubes(pooled: Floats, where: npt.NDArray[np.bool_], count: int) -> float:
    """The share of tubes among the sharpest ridges.

    Of a tube two principal curvatures are alike and the third is none; of a ball all are alike, of
    a sheet or an edge two are none (Frangi et al., MICCAI 1998).
    """
    smooth = np.pad(ndimage.gaussian_filter(pooled, RIDGE_VOXELS, mode="nearest"), 1, mode="edge")
    first, second, third = _curvatures(smooth, np.stack(np.nonzero(where)) + 1)
    sharpest = np.argsort(second)[:count]
    first, second, third = first[sharpest], second[sharpest], third[sharpest]
    tubes = (second < ACROSS * first) & (np.abs(third) < ALONG * np.abs(second))
    return float(tubes.mean())


def _curvatures(smooth: Floats, at: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.floating], ...]:
    """The principal curvatures (eigenvalues of the Hessian) at (3, N) voxels, ascending."""

    def moved(step: npt.NDArray[np.int64]) -> Floats:
        return np.asarray(smooth[tuple(at + step[:, None])])

    units = np.eye(3, dtype=np.int64)
    middle = smooth[tuple(at)]
    hessian = np.empty((at.shape[1], 3, 3), np.float32)
    for a in range(3):
        hessian[:, a, a] = moved(units[a]) + moved(-units[a]) - 2 * middle
        for b in range(a):
            along = moved(units[a] + units[b]) + moved(-units[a] - units[b])
            across = moved(units[a] - units[b]) + moved(units[b] - units[a])
            hessian[:, a, b] = hessian[:, b, a] = (along - across) / 4
    return tuple(np.linalg.eigvalsh(hessian).T)

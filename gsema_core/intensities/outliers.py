"""Voxels that no tissue beside them explains: scattered, wrapped, saturated, or metal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from gsema_core.intensities.levels import Levels

Array = npt.NDArray[Any]
Indices = npt.NDArray[np.intp]

CHUNK = 2**20
"""Voxels whose neighbors are gathered at once. Ours."""

ROUNDS = 100
"""So deep, in voxels, are lumps filled from their surroundings: more than any clip. Ours."""

RIM = 3
"""Voxels around metal that are as bright as its edges make them. Ours."""

MOST_METAL = 0.01
"""Where a larger share of a volume is that bright, it is the vessels of a small or cropped scan: a
coil of 10 mm is 0.002 of a cube of 64 mm. Ours."""


def find_outliers(array: Array, levels: Levels) -> Indices:
    """Flat indices of voxels beyond what a body with contrast agent in it has, and of voxels twice
    as bright as vessels, or darker than tissue, that differ from all but one of their six neighbors
    by more than the contrast of vessels.

    All but one: two of them may lie side by side. Around lumps that are too bright, as of metal,
    goes what is bright within ``RIM``: their edges are as soft as the scanner's.
    """
    found, lumps = [], []
    flat = array.reshape(-1)
    for start in range(0, flat.size, 16 * CHUNK):
        values = flat[start : start + 16 * CHUNK]
        bright = levels.background + 2 * levels.contrast
        dark = levels.low - levels.contrast / 4
        far = (values > bright) | (values < dark)
        for some in _chunks(start + np.flatnonzero(far)):
            here = flat[some].astype(np.float64)
            beside = np.sort(_neighbors(some, array), axis=0)
            alone = (here - beside[-2] > levels.contrast) | (beside[1] - here > levels.contrast)
            found.append(some[alone | (here < levels.floor)])
            lumps.append(some[~alone & (here > levels.ceiling)])
    if 0 < sum(part.size for part in lumps) <= MOST_METAL * array.size:
        found.append(_rim(array, np.concatenate(lumps), levels))
    return np.unique(np.concatenate(found)) if found else np.empty(0, np.intp)


def without_outliers(array: Array, outliers: Indices, levels: Levels) -> Array:
    """A copy in which outliers have the mean of the neighbors that are none, from outside in."""
    result = np.ascontiguousarray(array).copy()
    flat = result.reshape(-1)
    bad = np.zeros(array.size, dtype=bool)
    bad[outliers] = True
    left = outliers
    for _ in range(ROUNDS):
        settled, means = [left[:0]], [np.empty(0)]
        for some in _chunks(left):
            good = ~_neighbors(some, bad.reshape(array.shape))
            count = good.sum(axis=0)
            total = np.where(good, _neighbors(some, result), 0).sum(axis=0, dtype=np.float64)
            settled.append(some[count > 0])
            means.append(total[count > 0] / count[count > 0])
        done = np.concatenate(settled)
        if not done.size:
            break
        flat[done] = np.concatenate(means).astype(array.dtype)
        bad[done] = False
        left = left[bad[left]]
    flat[left] = np.array(levels.background).astype(array.dtype)
    return result


def _rim(array: Array, lumps: Indices, levels: Levels) -> Indices:
    """Lumps, and what is bright around them."""
    metal = np.zeros(array.shape, dtype=bool)
    metal.reshape(-1)[lumps] = True
    bright = array > levels.background + levels.contrast / 4
    whole = ndimage.generate_binary_structure(3, 3)
    return np.flatnonzero(ndimage.binary_dilation(metal, whole, RIM, mask=bright))


def _chunks(indices: Indices) -> Iterator[Indices]:
    return (indices[n : n + CHUNK] for n in range(0, indices.size, CHUNK))


def _neighbors(indices: Indices, array: Array) -> Array:
    """(6, N) values beside voxels; beyond the volume's faces those of the other side."""
    places = np.unravel_index(indices, array.shape)
    found = []
    for axis, n in enumerate(array.shape):
        for step in (-1, 1):
            there = np.abs(places[axis] + step)
            there = np.where(there >= n, max(n - 2, 0), there)
            found.append(array[(*places[:axis], there, *places[axis + 1 :])])
    return np.stack(found)

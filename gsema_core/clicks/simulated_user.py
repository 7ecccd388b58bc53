"""A simulated user: points at an aneurysm, then at what the answer got wrong most.

The clicks that follow are those of DeepEdit (Diaz-Pinto et al., 2022) and its forerunners: the
middle of the largest error. How a first click misses the middle is ours.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from gsema_core.clicks.kinds import KINDS
from gsema_core.grids.boxes import bounding_box
from gsema_core.grids.components import connected_components

BESIDE_MM = 2.0
"""How far beside a sac a click may lie: about four voxels of a scan (ours)."""

NEAR_MM = 0.75
"""How near the wall a click near the wall is: the outermost voxels at 0.5 mm (ours)."""

Mask = npt.NDArray[np.bool_]
Point = npt.NDArray[np.float64]
"""(3,) voxel indices k, j, i."""


class CorrectingClick(NamedTuple):
    """What a user clicks on to correct an answer.

    Attributes:
        point: (3,) voxel indices k, j, i.
        inside: whether it says "aneurysm" or "no aneurysm".
    """

    point: Point
    inside: bool


def first_click(
    sac_mask: Mask, spacing: Sequence[float], rng: np.random.Generator, kind: str = "anywhere"
) -> Point:
    """Click on a sac, as users do.

    Args:
        sac_mask: (k, j, i) the sac, at least one voxel.
        spacing: mm of a voxel along k, j, i.
        rng: draws the voxel; ``middle`` needs none.
        kind: ``anywhere`` in the sac; its ``middle``, the point deepest in it; ``near_wall``, in
            its outermost 0.75 mm; or ``beside``, up to 2 mm outside of it, which is still meant as
            a click inside.

    Returns:
        (3,) voxel indices k, j, i. A sac without room beside it is clicked anywhere.
    """
    if kind not in KINDS:
        raise ValueError(f"The kind of click is {kind!r}: give one of {', '.join(KINDS)}.")
    if kind == "middle":
        return _deepest(sac_mask, spacing)
    box = _box(sac_mask, spacing, BESIDE_MM)
    near = sac_mask[box]
    if kind == "near_wall":
        depth = _depth(near, spacing)
        least = depth[near].min()
        chosen = near & (depth <= max(NEAR_MM, least))
    elif kind == "beside" and not near.all():
        chosen = ~near & (_depth(~near, spacing) <= BESIDE_MM)
    else:
        chosen = near
    voxels = np.argwhere(chosen if chosen.any() else near)
    start = [side.start for side in box]
    return np.asarray(voxels[rng.integers(len(voxels))] + start, dtype=np.float64)


def next_click(
    predicted: Mask, reference: Mask, spacing: Sequence[float], least_mm3: float = 0.0
) -> CorrectingClick | None:
    """Click on the deepest point of the largest error.

    Args:
        predicted: (k, j, i) the aneurysms of the present answer.
        reference: (k, j, i) the true ones.
        spacing: mm of a voxel along k, j, i.
        least_mm3: smaller errors are none that a user would correct.

    Returns:
        The click, inside where the error lacks a part of an aneurysm; None without an error.
    """
    worst, inside, most = None, False, 0
    least = least_mm3 / math.prod(spacing)
    for wrong, missed in ((reference & ~predicted, True), (predicted & ~reference, False)):
        components, count = connected_components(wrong)
        if not count:
            continue
        sizes = np.bincount(components.ravel())[1:]
        if sizes.max() > most and sizes.max() >= least:
            worst, inside = components == 1 + sizes.argmax(), missed
            most = int(sizes.max())
    return None if worst is None else CorrectingClick(_deepest(worst, spacing), inside)


def _deepest(mask: Mask, spacing: Sequence[float]) -> Point:
    """The voxel of a mask that is farthest from the rest; of several, that nearest their middle."""
    box = _box(mask, spacing, 0.0)
    near = mask[box]
    depth = _depth(near, spacing)
    voxels = np.argwhere(near & (depth >= depth[near].max() - 1e-6))
    away = (((voxels - voxels.mean(axis=0)) * spacing) ** 2).sum(axis=1)
    return np.asarray(voxels[away.argmin()] + [side.start for side in box], dtype=np.float64)


def _depth(mask: Mask, spacing: Sequence[float]) -> npt.NDArray[np.float64]:
    """Each voxel's distance (mm) from what is not in the mask; where all is, it is the same."""
    if mask.all():
        return np.ones(mask.shape)
    return np.asarray(ndimage.distance_transform_edt(mask, sampling=tuple(spacing)))


def _box(mask: Mask, spacing: Sequence[float], margin_mm: float) -> tuple[slice, ...]:
    """The box around a mask, with a margin and one voxel more, as far as the array goes.

    Distances in it are those in the array: a border that cuts the mask is no wall.
    """
    margins = (int(margin_mm / mm) + 1 for mm in spacing)
    sides = zip(bounding_box(mask), margins, mask.shape, strict=True)
    return tuple(
        slice(max(side.start - margin, 0), min(side.stop + margin, size))
        for side, margin, size in sides
    )

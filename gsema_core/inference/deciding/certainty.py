"""Aneurysms that the teacher is not sure of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from gsema_core.grids import Geometry
from gsema_core.grids.boxes import bounding_box, box_of, grown
from gsema_core.grids.components import connected_components
from gsema_core.inference.shares import Shares, full_share
from gsema_core.labels import ANEURYSM, VESSEL
from gsema_core.measurements.interface import Floats


@dataclass(frozen=True)
class Dropped:
    """What would be an aneurysm if less certainty were enough.

    Attributes:
        voxels: of the working grid.
        mean: its mean probability.
        center_ijk: its centroid on the working grid.
    """

    voxels: int
    mean: float
    center_ijk: tuple[float, float, float]


def drop_uncertain_aneurysms(foreground: Shares, minimum_mean: float) -> list[Dropped]:
    """Take for vessel every aneurysm whose mean probability stays below ``minimum_mean``.

    Where vessels end at the border of the field, or bend sharply, and in bone a teacher is often
    half convinced of an aneurysm, and of a few voxels even wholly; in a true sac it is sure of all
    but the rim. The class is decided voxel by voxel, the component by the mean over its voxels.

    Args:
        foreground: probabilities (2, k, j, i) of vessel and aneurysm on the working grid, as
            ``inference.shares`` has them; changed in place.
        minimum_mean: 0 keeps everything.

    Returns:
        What was taken for vessel, the most certain first; the sum over the classes is as before.
    """
    one = full_share(foreground)
    # The likeliest of three classes has at least a third.
    candidates = foreground[ANEURYSM - 1] >= one / 3
    if minimum_mean <= 0 or not candidates.any():
        return []
    whole = box_of((0, 0, 0), candidates.shape)
    box = grown(bounding_box(candidates), (1, 1, 1), whole)  # with room for the dilation
    vessel, aneurysm = foreground[VESSEL - 1][box], foreground[ANEURYSM - 1][box]
    background = one - vessel.astype(np.float32) - aneurysm
    likeliest = (aneurysm > vessel) & (aneurysm > background)
    components, count = connected_components(likeliest)
    numbers = np.arange(1, count + 1)
    means = np.asarray(ndimage.mean(aneurysm, components, numbers)).reshape(-1)
    bar = minimum_mean * one - (0.5 if one > 1 else 0.0)  # half a step is rounding
    low = means < bar
    uncertain = np.concatenate([[False], low])[components]
    # One voxel more: interpolation back to the scan's grid would leave a shell of the sac.
    dropped = ndimage.binary_dilation(uncertain, np.ones((3, 3, 3)))
    dropped &= ~(likeliest & ~uncertain)
    vessel[dropped] += aneurysm[dropped]
    aneurysm[dropped] = 0
    sizes = np.bincount(components.reshape(-1), minlength=count + 1)[1:]
    starts = [side.start for side in reversed(box)]
    found = []
    for number in numbers[low]:
        center = ndimage.center_of_mass(components == number)
        i, j, k = (float(n) for n in np.add(starts, center[::-1]))
        mean = float(means[number - 1]) / one
        found.append(Dropped(int(sizes[number - 1]), mean, (i, j, k)))
    return sorted(found, key=lambda one: -one.mean)


def certainty_at(foreground: Shares, working: Geometry, points_lps: Floats) -> float | None:
    """How sure the teacher is of an aneurysm: the mean probability where it is the likeliest class.

    Args:
        foreground: as for ``drop_uncertain_aneurysms``.
        working: the grid of these shares.
        points_lps: (N, 3) the aneurysm's voxels on the scan's own grid, in mm.

    Returns:
        In [0, 1]; None where nowhere in it an aneurysm is the likeliest.
    """
    one = full_share(foreground)
    nearest = np.rint(working.world_to_index(points_lps)).astype(int)[:, ::-1]
    k, j, i = np.unique(np.clip(nearest, 0, np.array(working.shape) - 1), axis=0).T
    vessel, aneurysm = foreground[:, k, j, i].astype(np.float32)
    likeliest = (aneurysm > vessel) & (aneurysm > one - vessel - aneurysm)
    return float(aneurysm[likeliest].mean() / one) if likeliest.any() else None

"""The sac's extent seen from its neck: how far its dome reaches, and how wide it is."""

from __future__ import annotations

import numpy as np

from gsema_core.measurements.diameter import largest_diameter
from gsema_core.measurements.interface import ROUNDING, Floats
from gsema_core.measurements.neck import HEIGHT_LOSS, Neck

LEAST_AGREEMENT = 0.7
"""The least length of the mean of the unit vectors to all places that are as far as the farthest,
for a sac to point anywhere. Our choice: a hemisphere has 0.5, a ring at 60 degrees from the normal
likewise, a patch of 60 degrees around its middle 0.75."""


def long_axis(neck: Neck, points: Floats, spacing: Floats) -> tuple[float, Floats | None]:
    """The largest distance of the sac's wall from the neck's center, and where it points.

    The "maximum height" of Dhar et al. (Neurosurgery 63:185, 2008), the numerator of their size
    ratio, and the direction of the sac in its angles. As in ``neck.height``, ``HEIGHT_LOSS`` voxels
    along it are added. Where several places are as far within a voxel, the direction is their mean,
    so that no single voxel turns it.

    Args:
        neck: its center.
        points: (N, 3) voxel centers of the sac's surface in mm along the array's axes, some of them
            above the neck's plane.
        spacing: (3,) in mm along the array's axes.

    Returns:
        The length in mm and the direction (3,), a unit vector from the neck into the sac; None for
        a sac that reaches about as far in all directions (see ``LEAST_AGREEMENT``).
    """
    vectors = (points - neck.center)[(points - neck.center) @ neck.normal > ROUNDING]
    lengths = np.linalg.norm(vectors, axis=1)
    longest = lengths >= lengths.max() - ROUNDING
    widths = np.linalg.norm(vectors[longest] * spacing, axis=1) / lengths[longest]
    far = lengths >= lengths.max() - float(spacing.max()) - ROUNDING
    mean = (vectors[far] / lengths[far, None]).mean(axis=0)
    agreement = float(np.linalg.norm(mean))
    direction = mean / agreement if agreement >= LEAST_AGREEMENT - ROUNDING else None
    return float(lengths.max() + HEIGHT_LOSS * widths.max()), direction


def largest_width(neck: Neck, points: Floats, spacing: Floats) -> tuple[Floats, Floats]:
    """The ends of the longest line across the sac that is parallel to the neck's plane.

    The largest diameter of its sections parallel to the neck (D_max in Raghavan et al., Journal of
    Neurosurgery 102:355, 2005, and the width of the angiographic habit). The sections are slices
    as thick as a voxel, seen along the plane's normal; each is measured as ``largest_diameter``
    measures. The neck itself is a section, so that no sac is narrower.

    Args:
        neck: its plane.
        points: (N, 3) voxel centers of the sac's surface in mm along the array's axes.
        spacing: (3,) in mm along the array's axes.
    """
    heights = (points - neck.center) @ neck.normal
    flat = points - heights[:, None] * neck.normal
    numbers = np.floor((heights + ROUNDING) / np.linalg.norm(neck.normal * spacing)).astype(int)
    best, longest = neck.ends, neck.width_mm
    for number in range(numbers.max() + 1):
        here = numbers == number
        if not here.any():
            continue
        first, second = largest_diameter(flat[here], spacing)
        length = float(np.linalg.norm(second - first))
        if length > longest:
            lift = heights[here].mean() * neck.normal
            best, longest = (first + lift, second + lift), length
    return best

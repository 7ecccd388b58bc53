"""The sac's extent seen from its neck: how far its dome reaches, and how wide it is."""

from __future__ import annotations

import numpy as np

from gsema_core.measurements.diameter import largest_diameter
from gsema_core.measurements.interface import Floats
from gsema_core.measurements.neck import HEIGHT_LOSS, Neck


def long_axis(neck: Neck, points: Floats, spacing: Floats) -> tuple[float, Floats]:
    """The largest distance of the sac's wall from the neck's center, and where it points.

    The "maximum height" of Dhar et al. (Neurosurgery 63:185, 2008), the numerator of their size
    ratio, and the direction of the sac in its angles. As in ``neck.height``, ``HEIGHT_LOSS`` voxels
    along it are added. Where several places are as far within a voxel, the direction is their mean:
    a hemisphere's is the normal, and no single voxel turns it.

    Args:
        neck: its center.
        points: (N, 3) voxel centers of the sac's surface in mm along the array's axes, some of them
            above the neck's plane.
        spacing: (3,) in mm along the array's axes.

    Returns:
        The length in mm and the direction (3,), a unit vector from the neck into the sac.
    """
    vectors = (points - neck.center)[(points - neck.center) @ neck.normal > 0]
    lengths = np.linalg.norm(vectors, axis=1)
    longest = int(lengths.argmax())
    extra = HEIGHT_LOSS * float(np.linalg.norm(vectors[longest] * spacing)) / lengths[longest]
    far = vectors[lengths >= lengths[longest] - float(spacing.max())]
    direction = far.mean(axis=0)
    return float(lengths[longest] + extra), direction / np.linalg.norm(direction)


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
    numbers = np.floor(heights / np.linalg.norm(neck.normal * spacing)).astype(int)
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

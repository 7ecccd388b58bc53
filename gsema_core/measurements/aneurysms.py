"""Volume, largest diameter and position of each aneurysm in a label map."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.spatial import ConvexHull, distance

from gsema_core.labels import ANEURYSM
from gsema_core.volumes.components import connected_components
from gsema_core.volumes.geometry import Geometry
from gsema_core.volumes.volume import Volume

ALL_PAIRS_POINTS = 1000
"""Up to here all pairs of points are compared (8 MB); beyond, those of the convex hull."""


@dataclass(frozen=True)
class Aneurysm:
    """One connected aneurysm; voxels that share a corner are connected.

    Args:
        index: 1 for the largest.
        volume_ml: voxels times the voxel's volume.
        largest_diameter_mm: see ``largest_diameter_mm``.
        centroid_lps: mean position of its voxels in mm (LPS).
        centroid_ijk: the same as voxel indices, with fractions.
        voxels: number of voxels.
    """

    index: int
    volume_ml: float
    largest_diameter_mm: float
    centroid_lps: tuple[float, float, float]
    centroid_ijk: tuple[float, float, float]
    voxels: int

    @property
    def centroid_ras(self) -> tuple[float, float, float]:
        """The position in mm as Slicer shows it."""
        left, posterior, superior = self.centroid_lps
        return -left, -posterior, superior

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON has them, with the position in RAS beside that in LPS."""
        return {**asdict(self), "centroid_ras": self.centroid_ras}


def measure_aneurysms(labels: Volume) -> list[Aneurysm]:
    """Measure every aneurysm of a label map.

    Args:
        labels: background 0, vessel 1, aneurysm 2.

    Returns:
        The aneurysms, the one of the largest volume first.
    """
    components, _ = connected_components(labels.array == ANEURYSM)
    found = []
    for number, box in enumerate(ndimage.find_objects(components), start=1):
        mask = components[box] == number
        start = np.array([side.start for side in box])
        found.append((int(mask.sum()), start, mask))
    found.sort(key=lambda item: -item[0])  # stable: equal ones keep the order of their first voxel
    return [
        _measure(index, mask, start, labels.geometry)
        for index, (_, start, mask) in enumerate(found, start=1)
    ]


def largest_diameter_mm(points_ijk: npt.NDArray[Any], geometry: Geometry) -> float:
    """The largest distance across a set of voxels, in mm.

    Between two voxels' centers the largest distance falls short, by 0.05 to 0.3 voxels for a
    sphere and by 0.4 to 0.9 for an elongated sac, both 5 to 20 voxels across (measured: random
    places and rotations). So half a voxel's width along that line is added, which leaves less
    than half a voxel of error: sqrt(sum (u_i s_i)^2) / 2 for the direction u in index axes and
    the spacings s. A single voxel is as wide as its longest side.

    Args:
        points_ijk: (N, 3) voxel indices; those on the surface are enough.
        geometry: the voxels' grid.
    """
    # Distances do not depend on where the grid lies or how it is turned.
    points = points_ijk * np.array(geometry.spacing)
    if len(points) > ALL_PAIRS_POINTS:
        # QJ joggles flat sets, which have no hull in 3D; the vertices are still the true points.
        points = points[ConvexHull(points, qhull_options="QJ").vertices]
    if len(points) == 1:
        return float(max(geometry.spacing))
    distances = distance.squareform(distance.pdist(points))
    first, second = np.unravel_index(int(distances.argmax()), distances.shape)
    length = float(distances[first, second])
    direction = (points[first] - points[second]) / length
    return length + float(np.linalg.norm(direction * geometry.spacing)) / 2


def _measure(
    index: int, mask: npt.NDArray[np.bool_], start_kji: npt.NDArray[Any], geometry: Geometry
) -> Aneurysm:
    voxels = int(mask.sum())
    surface = mask & ~ndimage.binary_erosion(mask)
    points_ijk = (np.argwhere(surface) + start_kji)[:, ::-1]
    centroid_ijk = (np.argwhere(mask).mean(axis=0) + start_kji)[::-1]
    i, j, k = (float(value) for value in centroid_ijk)
    x, y, z = (float(value) for value in geometry.index_to_world(centroid_ijk))
    return Aneurysm(
        index=index,
        volume_ml=voxels * geometry.voxel_volume_mm3 / 1000,
        largest_diameter_mm=largest_diameter_mm(points_ijk, geometry),
        centroid_lps=(x, y, z),
        centroid_ijk=(i, j, k),
        voxels=voxels,
    )

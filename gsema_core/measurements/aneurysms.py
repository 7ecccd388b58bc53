"""Size, shape and position of each aneurysm in a label map."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from gsema_core.grids.boxes import bounding_box, box_of
from gsema_core.grids.components import connected_components
from gsema_core.grids.volume import Volume
from gsema_core.labels import ANEURYSM
from gsema_core.measurements.aneurysm import Aneurysm as Aneurysm
from gsema_core.measurements.diameter import largest_diameter
from gsema_core.measurements.interface import Integers
from gsema_core.measurements.neck_values import CUT_OFF, Found, neck_values
from gsema_core.measurements.sac_voxels import Sac, line_lps, point
from gsema_core.measurements.surface import SMALLEST_ACROSS, sphericity, surface_area_mm2

NO_CERTAINTY = "Only the model that drew an aneurysm tells how certain it is."


def measure_aneurysms(labels: Volume) -> list[Aneurysm]:
    """Measure every aneurysm of a label map.

    Args:
        labels: background 0, vessel 1, aneurysm 2.

    Returns:
        The aneurysms, the one of the largest volume first.

    Example:
        >>> from gsema_core import read_labels
        >>> largest = measure_aneurysms(read_labels("labels.nrrd"))[0]
        >>> round(largest.volume_ml, 1), round(largest.largest_diameter_mm)
        (0.5, 10)
    """
    return [_measure(index, sac) for index, sac in enumerate(_by_size(labels), start=1)]


def aneurysm_voxels(labels: Volume) -> list[Integers]:
    """The voxels (N, 3) of each aneurysm as indices (i, j, k), in ``measure_aneurysms``' order."""
    return [(np.argwhere(sac.mask) + sac.start)[:, ::-1] for sac in _by_size(labels)]


def aneurysm_numbers(labels: Volume) -> npt.NDArray[Any]:
    """Return for each voxel the index of its aneurysm, as ``measure_aneurysms`` counts, or 0.

    Returns:
        (k, j, i), of the smallest unsigned type that holds the indices.
    """
    found = _by_size(labels)
    numbers = np.zeros(labels.array.shape, np.min_scalar_type(len(found)))
    for index, sac in enumerate(found, start=1):
        numbers[box_of(sac.start, sac.mask.shape)][sac.mask] = index
    return numbers


def _by_size(labels: Volume) -> list[Sac]:
    # Stable: equal ones keep the order of their first voxel.
    return sorted(_sacs(labels), key=lambda sac: -np.count_nonzero(sac.mask))


def _sacs(labels: Volume) -> Iterator[Sac]:
    aneurysm = labels.array == ANEURYSM
    if not aneurysm.any():
        return
    around = bounding_box(aneurysm)  # aneurysms fill a small part of most label maps
    offset = np.array([side.start for side in around])
    components, _ = connected_components(aneurysm[around])
    for number, box in enumerate(ndimage.find_objects(components), start=1):
        start = np.array([side.start for side in box]) + offset
        yield Sac(components[box] == number, start, labels)


def _measure(index: int, sac: Sac) -> Aneurysm:
    geometry, spacing = sac.labels.geometry, sac.spacing
    inside = np.argwhere(sac.mask)
    centroid_ijk = (inside.mean(axis=0) + sac.start)[::-1]
    surface = np.argwhere(sac.mask & ~ndimage.binary_erosion(sac.mask))
    points = (surface + sac.start) * spacing
    diameter = largest_diameter(points, spacing)
    shape, no_shape = _surface(sac)
    values, missing = neck_values(sac, points)
    return Aneurysm(
        index=index,
        volume_ml=sac.volume_mm3 / 1000,
        largest_diameter_mm=float(np.linalg.norm(diameter[1] - diameter[0])),
        centroid_lps=point(geometry.index_to_world(centroid_ijk)),
        centroid_ijk=point(centroid_ijk),
        voxels=len(inside),
        cut_off=sac.cut_off(),
        diameter_line_lps=line_lps(diameter, geometry),
        **shape,
        **values,
        missing={**no_shape, **missing, "certainty": NO_CERTAINTY},
    )


def _surface(sac: Sac) -> Found:
    names = ("surface_area_mm2", "sphericity")
    if sac.cut_off():
        return {}, dict.fromkeys(names, CUT_OFF)
    area = surface_area_mm2(sac.mask, sac.spacing)
    if area is None:
        reason = f"The aneurysm is less than {SMALLEST_ACROSS:.0f} voxels across."
        return {}, dict.fromkeys(names, reason)
    return {"surface_area_mm2": area, "sphericity": sphericity(sac.volume_mm3, area)}, {}

"""Size, shape and position of each aneurysm in a label map."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from gsema_core.grids.boxes import box_of
from gsema_core.grids.components import connected_components
from gsema_core.grids.geometry import Geometry
from gsema_core.grids.volume import Volume
from gsema_core.labels import ANEURYSM, VESSEL
from gsema_core.measurements.diameter import largest_diameter
from gsema_core.measurements.interface import Floats, Integers, Mask, faces_between
from gsema_core.measurements.neck import Neck, NoNeck, find_neck, height
from gsema_core.measurements.parent_vessel import REACH_MM, parent_vessel_diameter_mm
from gsema_core.measurements.surface import sphericity, surface_area_mm2

Point = tuple[float, float, float]
Line = tuple[Point, Point]


@dataclass(frozen=True)
class Aneurysm:
    """One connected aneurysm; voxels that share a corner are connected.

    What has no meaning is None: without a vessel that touches it an aneurysm has no neck, hence no
    height, aspect ratio and parent vessel. So are the height and the surface of one that the
    volume's border cuts off; its volume and largest diameter are those of the part inside.

    Args:
        index: 1 for the largest.
        volume_ml: voxels times the voxel's volume.
        largest_diameter_mm: see ``diameter.largest_diameter``.
        centroid_lps: mean position of its voxels in mm (LPS).
        centroid_ijk: the same as voxel indices, with fractions.
        voxels: number of voxels.
        height_mm: largest distance from the neck plane, see ``neck.height``.
        neck_width_mm: the neck's largest diameter, see ``neck.Neck``.
        aspect_ratio: height / neck width (Ujiie et al., Neurosurgery 48:495, 2001).
        surface_area_mm2: closed surface, the opening of the neck included, see
            ``surface.surface_area_mm2``.
        sphericity: of that surface, see ``surface.sphericity``.
        parent_vessel_diameter_mm: see ``parent_vessel.parent_vessel_diameter_mm``.
        cut_off: it touches the volume's border, so that part of it may be missing.
        certainty: mean probability by the teacher that drew it in a whole scan, in [0, 1].
        diameter_line_lps: both ends of the largest diameter, in mm (LPS).
        height_line_lps: the foot on the neck plane and the dome's tip, in mm (LPS).
        neck_line_lps: both ends of the neck's largest diameter, in mm (LPS).
        neck_center_lps: middle of the neck plane, in mm (LPS); there also where the border cuts
            the aneurysm off.
        neck_normal_lps: unit normal of the neck plane, from the vessel into the sac (LPS).
    """

    index: int
    volume_ml: float
    largest_diameter_mm: float
    centroid_lps: Point
    centroid_ijk: Point
    voxels: int
    height_mm: float | None = None
    neck_width_mm: float | None = None
    aspect_ratio: float | None = None
    surface_area_mm2: float | None = None
    sphericity: float | None = None
    parent_vessel_diameter_mm: float | None = None
    cut_off: bool = False
    certainty: float | None = None
    diameter_line_lps: Line | None = None
    height_line_lps: Line | None = None
    neck_line_lps: Line | None = None
    neck_center_lps: Point | None = None
    neck_normal_lps: Point | None = None

    @property
    def centroid_ras(self) -> Point:
        """The position in mm as Slicer shows it."""
        left, posterior, superior = self.centroid_lps
        return -left, -posterior, superior

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON has them, with the position in RAS beside that in LPS."""
        return {**asdict(self), "centroid_ras": self.centroid_ras}


@dataclass(frozen=True, eq=False)
class _Sac:
    """The voxels of one aneurysm, cut out.

    Args:
        mask: (k, j, i) its box.
        start: (3,) index (k, j, i) of the box in the label map.
        labels: the label map.
    """

    mask: Mask
    start: Integers
    labels: Volume

    @property
    def spacing(self) -> Floats:
        """(3,) in mm along (k, j, i), as everything in mm here until it is turned into LPS."""
        return np.array(self.labels.geometry.spacing[::-1])

    @property
    def stop(self) -> Integers:
        return self.start + self.mask.shape

    def cut_off(self) -> bool:
        return bool((self.start == 0).any() or (self.stop == self.labels.array.shape).any())


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
    """Which aneurysm a voxel is of: (k, j, i) its index as ``measure_aneurysms`` counts, or 0.

    Returns:
        Of the smallest unsigned type that holds them.
    """
    found = _by_size(labels)
    numbers = np.zeros(labels.array.shape, np.min_scalar_type(len(found)))
    for index, sac in enumerate(found, start=1):
        numbers[box_of(sac.start, sac.mask.shape)][sac.mask] = index
    return numbers


def _by_size(labels: Volume) -> list[_Sac]:
    # Stable: equal ones keep the order of their first voxel.
    return sorted(_sacs(labels), key=lambda sac: -np.count_nonzero(sac.mask))


def _sacs(labels: Volume) -> Iterator[_Sac]:
    boxes = ndimage.find_objects((labels.array == ANEURYSM).view(np.uint8))
    if not boxes:
        return
    around = boxes[0]  # that of all aneurysms: they fill a small part of most label maps
    offset = np.array([side.start for side in around])
    components, _ = connected_components(labels.array[around] == ANEURYSM)
    for number, box in enumerate(ndimage.find_objects(components), start=1):
        start = np.array([side.start for side in box]) + offset
        yield _Sac(components[box] == number, start, labels)


def _measure(index: int, sac: _Sac) -> Aneurysm:
    geometry, spacing = sac.labels.geometry, sac.spacing
    inside = np.argwhere(sac.mask)
    centroid_ijk = (inside.mean(axis=0) + sac.start)[::-1]
    surface = np.argwhere(sac.mask & ~ndimage.binary_erosion(sac.mask))
    points = (surface + sac.start) * spacing
    diameter = largest_diameter(points, spacing)
    volume_mm3 = len(inside) * geometry.voxel_volume_mm3
    cut_off = sac.cut_off()
    area = None if cut_off else surface_area_mm2(sac.mask, spacing)
    return Aneurysm(
        index=index,
        volume_ml=volume_mm3 / 1000,
        largest_diameter_mm=float(np.linalg.norm(diameter[1] - diameter[0])),
        centroid_lps=_point(geometry.index_to_world(centroid_ijk)),
        centroid_ijk=_point(centroid_ijk),
        voxels=len(inside),
        surface_area_mm2=area,
        sphericity=None if area is None else sphericity(volume_mm3, area),
        cut_off=cut_off,
        diameter_line_lps=_line(diameter, geometry),
        **_neck_values(sac, points),
    )


def _neck_values(sac: _Sac, points: Floats) -> dict[str, Any]:
    """What needs a neck, by the names of ``Aneurysm``; ``points`` as ``height`` takes them."""
    box, start = _around(sac.labels, sac.start - 1, sac.stop + 1)
    mask = np.zeros(box.shape, dtype=bool)
    inner = sac.start - start
    mask[box_of(inner, sac.mask.shape)] = sac.mask
    faces = faces_between(mask, box == VESSEL, sac.spacing, start)
    neck = find_neck(faces, sac.labels.array.shape)
    top = None if isinstance(neck, NoNeck) else height(neck, points, sac.spacing)
    if isinstance(neck, NoNeck) or top is None:
        return {}
    center, normal = neck.plane_lps(sac.labels.geometry)
    values = {
        "neck_center_lps": _point(center),
        "neck_normal_lps": _point(normal),
        "neck_width_mm": neck.width_mm,
        "neck_line_lps": _line(neck.ends, sac.labels.geometry),
        "parent_vessel_diameter_mm": _parent_vessel(neck, sac),
    }
    if not sac.cut_off():
        height_mm, tip = top
        values["height_mm"] = height_mm
        values["aspect_ratio"] = height_mm / neck.width_mm
        values["height_line_lps"] = _line((tip - height_mm * neck.normal, tip), sac.labels.geometry)
    return values


def _parent_vessel(neck: Neck, sac: _Sac) -> float | None:
    reach = neck.width_mm / 2 + REACH_MM
    low = np.floor((neck.center - reach) / sac.spacing).astype(int)
    high = np.ceil((neck.center + reach) / sac.spacing).astype(int) + 1
    box, start = _around(sac.labels, low, high)
    return parent_vessel_diameter_mm(box == VESSEL, neck, sac.spacing, start)


def _around(labels: Volume, low: Integers, high: Integers) -> tuple[Any, Integers]:
    """The label map from ``low`` to before ``high``, as far as it goes, and where that begins."""
    low = np.maximum(low, 0)
    return labels.array[tuple(slice(a, b) for a, b in zip(low, high, strict=True))], low


def _point(values: Floats) -> Point:
    x, y, z = (float(value) for value in values)
    return x, y, z


def _line(ends: tuple[Floats, Floats], geometry: Geometry) -> Line:
    first, second = (
        _point(geometry.index_to_world((end / geometry.spacing[::-1])[::-1])) for end in ends
    )
    return first, second

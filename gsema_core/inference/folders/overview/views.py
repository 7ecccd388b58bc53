"""A scan as a reader looks at it: a projection from the front, and a slice through an aneurysm.

All views are upright, however the scan is stored: from the front and from the feet the patient's
right is on the left, from the left the front is; superior or anterior is on top.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk
from scipy import ndimage

from gsema_core.grids import Geometry, Volume
from gsema_core.grids.geometry import IDENTITY
from gsema_core.labels import ANEURYSM, BACKGROUND, CLASSES, VESSEL

PROJECTION_PIXELS, SLICE_PIXELS = 220, 150
"""Edges of the pictures: a page of 500 scans stays below 10 MB. Our choice."""
LEAST_SLICE_MM = 24.0
"""Edge of a slice around a small aneurysm, so that its parent vessel is seen. Our choice."""
AROUND = 2.4
"""Edge of a slice as a multiple of the aneurysm's extent in it. Our choice."""
BRIGHTEST = 99.5
"""The percentile of a picture's pixels that is white: a few may be brighter. Our choice."""

Floats = npt.NDArray[np.float64]
Pixels = npt.NDArray[Any]


@dataclass(frozen=True)
class Plane:
    """Where a view looks from.

    Args:
        name: of the plane.
        right, down: (3,) unit vectors in LPS along a row and down a column of the picture.
        letters: what lies at the left, right, top and bottom edge.
    """

    name: str
    right: tuple[float, float, float]
    down: tuple[float, float, float]
    letters: tuple[str, str, str, str]

    @property
    def normal(self) -> Floats:
        return np.asarray(np.cross(self.right, self.down))


CORONAL = Plane("coronal", (1, 0, 0), (0, 0, -1), ("R", "L", "S", "I"))
AXIAL = Plane("axial", (1, 0, 0), (0, 1, 0), ("R", "L", "A", "P"))
SAGITTAL = Plane("sagittal", (0, 1, 0), (0, 0, -1), ("A", "P", "S", "I"))
PLANES = (AXIAL, CORONAL, SAGITTAL)


@dataclass(frozen=True, eq=False)
class View:
    """One picture, not yet coded.

    Args:
        title: what it shows.
        plane: its orientation.
        gray: (rows, columns) uint8.
        labels: (rows, columns) of label values.
        mm: edge of a pixel.
        marks: numbers of aneurysms, and where they are as shares of width and height.
    """

    title: str
    plane: Plane
    gray: Pixels
    labels: Pixels
    mm: float
    marks: tuple[tuple[int, float, float], ...] = ()


def projection(
    volume: Volume,
    labels: Volume,
    centroids_lps: Sequence[Sequence[float]],
    bounds: tuple[float, float],
) -> View:
    """The brightest voxel along each line from the front to the back, with all segments.

    Args:
        volume: the scan.
        labels: on its grid.
        centroids_lps: of its aneurysms, which get their numbers.
        bounds: the intensities between which anatomy is.
    """
    geometry = volume.geometry
    corners = geometry.index_to_world(_corners(geometry))
    low, high = corners.min(axis=0), corners.max(axis=0)
    left_top = np.array([low[0], high[2]])
    mm = float(max(high[0] - low[0], high[2] - low[2])) / PROJECTION_PIXELS
    factor = max(1, int(mm / max(geometry.spacing)))
    image = _brightest(_coarse(volume, factor), low, high, mm)
    points = _on_coronal(np.array(centroids_lps).reshape(-1, 3), left_top, mm)
    shares = points / image.shape[::-1]
    marks = tuple((number, float(x), float(y)) for number, (x, y) in enumerate(shares, 1))
    shadows = _shadows(labels, left_top, mm, image.shape)
    return View("from the front", CORONAL, _projection_gray(image, bounds), shadows, mm, marks)


def aneurysm_slice(
    volume: Volume, labels: Volume, points_lps: Floats, number: int, bounds: tuple[float, float]
) -> View:
    """The axial, coronal or sagittal slice that shows the most of an aneurysm.

    Args:
        volume: the scan.
        labels: on its grid.
        points_lps: (N, 3) the aneurysm's voxels, in mm.
        number: the aneurysm's.
        bounds: the intensities that are black and white.
    """
    step = max(volume.geometry.spacing)
    sections = {plane: _largest_section(points_lps, plane, step) for plane in PLANES}
    plane = max(PLANES, key=lambda plane: len(sections[plane]))
    inside = sections[plane]
    center = (inside.min(axis=0) + inside.max(axis=0)) / 2
    extent = float(np.ptp(inside @ _axes(plane).T, axis=0).max()) + step
    mm = max(LEAST_SLICE_MM, AROUND * extent) / SLICE_PIXELS
    offsets = (np.arange(SLICE_PIXELS) - (SLICE_PIXELS - 1) / 2) * mm
    world = center + offsets[:, None, None] * plane.down + offsets[None, :, None] * plane.right
    index = volume.geometry.world_to_index(world.reshape(-1, 3)).T[::-1]
    box, start = _box_around(index, volume.array.shape)
    where = index - start[:, None]
    shape = world.shape[:2]
    image = ndimage.map_coordinates(
        volume.array[box].astype(np.float32), where, order=1, mode="constant", cval=bounds[0]
    )
    drawn = np.zeros(shape, np.uint8)
    for value in (VESSEL, ANEURYSM):
        share = (labels.array[box] == value).astype(np.float32)
        drawn[ndimage.map_coordinates(share, where, order=1).reshape(shape) >= 0.5] = value
    gray = _gray(image.reshape(shape), *bounds)
    return View(f"aneurysm {number}, {plane.name}", plane, gray, drawn, mm)


def _largest_section(points: Floats, plane: Plane, step: float) -> Floats:
    """The points in the layer along a plane that has the most of them."""
    layers = np.floor(points @ plane.normal / step).astype(int)
    layers -= layers.min()
    return np.asarray(points[layers == np.bincount(layers).argmax()])


def _axes(plane: Plane) -> Floats:
    return np.array([plane.right, plane.down], dtype=float)


def _corners(geometry: Geometry) -> Floats:
    """(8, 3) the outer corners of the corner voxels, as indices."""
    sides = [(-0.5, n - 0.5) for n in geometry.size]
    return np.array(np.meshgrid(*sides)).reshape(3, -1).T


def _coarse(volume: Volume, factor: int) -> Volume:
    """Means of ``factor`` voxels along each axis: a few times faster than a low-pass."""
    array, geometry = volume.array, volume.geometry
    factors = [min(factor, n) for n in array.shape]
    for axis, number in enumerate(factors):
        end = array.shape[axis] // number * number
        parts = (array[(slice(None),) * axis + (slice(at, end, number),)] for at in range(number))
        total = next(parts).astype(np.float32)
        for part in parts:
            total += part
        array = total
    array = array / np.float32(np.prod(factors))
    numbers = np.array(factors[::-1])
    grid = replace(
        geometry,
        size=array.shape[::-1],
        spacing=_triple(geometry.spacing * numbers),
        origin=_triple(geometry.index_to_world((numbers - 1) / 2)),
    )
    return Volume(array, grid)


def _triple(values: npt.ArrayLike) -> tuple[float, float, float]:
    x, y, z = np.asarray(values, float).tolist()
    return x, y, z


def _brightest(volume: Volume, low: Floats, high: Floats, mm: float) -> Pixels:
    """The maximum along lines from the front to the back; -inf where no voxel is.

    Args:
        volume: the scan.
        low, high: (3,) corners in mm (LPS) of the upright box around it.
        mm: edge of a pixel, and distance of the points along a line.
    """
    size = np.maximum(1, np.ceil((high - low) / mm - 1e-3)).astype(int)
    upright = sitk.Resample(
        volume.to_image(),
        [int(n) for n in size],
        sitk.Transform(),
        sitk.sitkLinear,
        [float(x) for x in low + mm / 2],
        [mm] * 3,
        IDENTITY,
        -math.inf,
    )
    return np.asarray(sitk.GetArrayViewFromImage(upright).max(axis=1)[::-1])


def _on_coronal(points_lps: Floats, left_top: Floats, mm: float) -> Floats:
    """Points (N, 3) as columns and rows (N, 2) of a coronal view, with fractions."""
    return (points_lps[:, [0, 2]] - left_top) * [1, -1] / mm


def _shadows(labels: Volume, left_top: Floats, mm: float, shape: tuple[int, ...]) -> Pixels:
    """The labels seen from the front, aneurysms before vessels."""
    reach = int(np.ceil(max(labels.geometry.spacing) / mm))
    masks = np.zeros((CLASSES, *np.add(shape, 2 * reach)), bool)  # with room for closing
    for k, layer in enumerate(labels.array):
        rows, columns = np.nonzero(layer != BACKGROUND)  # of truth values, twice as fast
        index = np.stack([columns, rows, np.full(len(rows), k)], axis=1)
        points = labels.geometry.index_to_world(index)
        x, y = np.floor(_on_coronal(points, left_top, mm)).astype(int).T
        masks[layer[rows, columns], y + reach, x + reach] = True
    result = np.zeros(shape, np.uint8)
    for value in (VESSEL, ANEURYSM):
        closed = ndimage.binary_closing(masks[value], np.ones((3, 3)), iterations=reach)
        result[closed[reach:-reach, reach:-reach]] = value
    return result


def _box_around(index: Floats, shape: Sequence[int]) -> tuple[tuple[slice, ...], Floats]:
    """The part of an array that (3, N) positions need, and where it begins."""
    low = [
        int(np.clip(np.floor(at.min()) - 1, 0, n - 1)) for at, n in zip(index, shape, strict=True)
    ]
    high = [int(np.clip(np.ceil(at.max()) + 2, 1, n)) for at, n in zip(index, shape, strict=True)]
    box = tuple(slice(a, max(a + 1, b)) for a, b in zip(low, high, strict=True))
    return box, np.array(low, float)


def _projection_gray(image: Pixels, bounds: tuple[float, float]) -> Pixels:
    """A projection as it is shown: its darkest twentieth, which is noise and fill, is black."""
    image = np.clip(image, *bounds)
    inside = image[image > bounds[0]]
    low, high = np.percentile(inside, (5, BRIGHTEST)) if inside.size else bounds
    return _gray(image, float(low), float(high))


def _gray(image: Pixels, low: float, high: float) -> Pixels:
    scaled = (image - low) / (high - low) if high > low else np.zeros(image.shape)
    return np.rint(255 * np.clip(scaled, 0, 1)).astype(np.uint8)

"""Pictures are upright and to scale, however a scan is stored."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gsema_core.grids import Geometry, Volume
from gsema_core.inference.folders.overview.pictures import OUTLINES, draw_pictures, outlines, shown
from gsema_core.inference.folders.overview.views import (
    AXIAL,
    CORONAL,
    SAGITTAL,
    View,
    aneurysm_slice,
    projection,
)
from gsema_core.labels import ANEURYSM, VESSEL
from gsema_core.measurements import measure_aneurysms
from gsema_core.measurements.aneurysms import aneurysm_voxels

Distance = Callable[[Geometry], Any]


def around(geometry: Geometry, inside: Any) -> tuple[Volume, Volume]:
    """A scan that is bright where a mask (k, j, i) is, and its labels."""
    noise = np.random.default_rng(3).normal(0, 10, geometry.shape)
    image = (np.where(inside, 2000, 100) + noise).astype(np.int16)
    return Volume(image, geometry), Volume((2 * inside).astype(np.uint8), geometry)


def middle(mask: Any) -> Any:
    """The mean column and row of a picture's mask."""
    return np.argwhere(mask).mean(axis=0)[::-1]


def test_a_projection_has_right_on_the_left_and_superior_on_top(
    geometry: Geometry, sphere_distance: Distance
) -> None:
    volume, labels = around(geometry, sphere_distance(geometry) < 0)
    (aneurysm,) = measure_aneurysms(labels)
    view = projection(volume, labels, [aneurysm.centroid_lps], shown(volume).bounds)
    corners = np.array(np.meshgrid(*[(-0.5, n - 0.5) for n in geometry.size])).reshape(3, -1).T
    world = geometry.index_to_world(corners)
    left, top = world[:, 0].min(), world[:, 2].max()
    center = np.add(geometry.center, (1.3, -1.1, 0.7))
    column, row = (center[0] - left) / view.mm, (top - center[2]) / view.mm
    for mask in (view.gray > 200, view.labels == ANEURYSM):
        assert middle(mask) == pytest.approx((column - 0.5, row - 0.5), abs=0.5 / view.mm)
        assert mask.sum() * view.mm**2 == pytest.approx(np.pi * 16, rel=0.15)
    ((number, x, y),) = view.marks
    height, width = view.gray.shape
    assert (number, x * width, y * height) == pytest.approx((1, column, row), abs=0.3 / view.mm)


def test_a_slice_is_to_scale(geometry: Geometry, sphere_distance: Distance) -> None:
    volume, labels = around(geometry, sphere_distance(geometry) < 0)
    points = geometry.index_to_world(aneurysm_voxels(labels)[0])
    view = aneurysm_slice(volume, labels, points, 1, shown(volume).bounds)
    mask = view.labels == ANEURYSM
    assert middle(mask) == pytest.approx((74.5, 74.5), abs=0.4 / view.mm)
    assert mask.sum() * view.mm**2 == pytest.approx(np.pi * 16, rel=0.1)
    assert (view.gray[mask] > 200).mean() > 0.9
    assert (view.gray[~mask] < 60).mean() > 0.9


@pytest.mark.parametrize(
    ("radii", "plane", "seen"),
    [
        ((6, 5, 2), AXIAL, (6, 5)),
        ((6, 2, 5), CORONAL, (6, 5)),
        ((2, 6, 5), SAGITTAL, (6, 5)),
    ],
)
def test_the_largest_section_is_shown(radii: Any, plane: Any, seen: Any, world: Any) -> None:
    grid = Geometry((50, 60, 40), (0.5, 0.4, 0.6), (-10.0, 5.0, 30.0))
    inside = (((world(grid) - grid.center) / radii) ** 2).sum(axis=-1) < 1
    volume, labels = around(grid, inside)
    points = grid.index_to_world(aneurysm_voxels(labels)[0])
    view = aneurysm_slice(volume, labels, points, 2, shown(volume).bounds)
    assert view.plane == plane and view.title == f"aneurysm 2, {plane.name}"
    rows, columns = np.nonzero(view.labels)
    assert np.ptp(columns) * view.mm / 2 == pytest.approx(seen[0], abs=0.5)
    assert np.ptp(rows) * view.mm / 2 == pytest.approx(seen[1], abs=0.5)


def test_thick_slices_leave_no_gaps() -> None:
    grid = Geometry((40, 40, 12), (0.3, 0.3, 2.5))
    labels = Volume(np.full(grid.shape, VESSEL, np.uint8), grid)
    scan = Volume(np.arange(labels.array.size, dtype=np.float32).reshape(grid.shape), grid)
    seen = projection(scan, labels, [], shown(scan).bounds).labels
    assert seen.shape == (220, 88)
    assert (seen[10:-10, 2:-2] == VESSEL).all()  # up to the outer slices' middles


def test_what_is_no_image_takes_no_part_in_the_grays(make_scan: Any, oblique: Geometry) -> None:
    scan, labels = make_scan(oblique)
    array = scan.array.copy()
    array[:, :8], array[5:8, 5:8, 5:8] = -2000, 32767
    spoiled = Volume(array, oblique)
    for view in (draw(scan, labels), draw(spoiled, labels)):
        vessel = view.gray[view.labels == VESSEL]
        assert vessel.mean() > 100
        assert np.median(view.gray[view.labels == 0]) < 40


def draw(scan: Volume, labels: Volume) -> View:
    ready = shown(scan)
    return projection(ready.scan, labels, [], ready.bounds)


def test_an_aneurysm_at_the_corner_of_the_scan() -> None:
    grid = Geometry((30, 30, 30), (0.4, 0.4, 0.4))
    inside = np.zeros(grid.shape, bool)
    inside[:5, :5, :5] = True
    volume, labels = around(grid, inside)
    first, second = draw_pictures(shown(volume), labels, measure_aneurysms(labels))
    assert (first["title"], second["title"][:10]) == ("from the front", "aneurysm 1")


def test_outlines_are_rims() -> None:
    labels = np.zeros((20, 20), np.uint8)
    labels[4:16, 4:16], labels[8:14, 8:14] = VESSEL, ANEURYSM
    colors = outlines(labels)
    assert tuple(colors[4, 10]) == OUTLINES[VESSEL]
    assert tuple(colors[8, 10]) == tuple(colors[9, 10]) == OUTLINES[ANEURYSM]
    assert not colors[[0, 6, 7, 10], [0, 6, 10, 10]].any()  # no vessel's line where they touch


def test_a_constant_projection_is_black() -> None:
    grid = Geometry((20, 20, 20))
    scan = Volume(np.zeros(grid.shape, np.int16), grid)
    labels = Volume(np.zeros(grid.shape, np.uint8), grid)
    view: View = projection(scan, labels, [], shown(scan).bounds)
    assert view.plane is CORONAL and not view.gray.any()

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from gsema_core.grids import Geometry, working_geometry
from gsema_core.grids.axis_interpolation import interpolate, lines_between


@pytest.mark.parametrize("spacing", [0.25, 0.8])
def test_a_linear_function_keeps_its_value(
    geometry: Geometry, spacing: float, world: Callable[[Geometry], np.ndarray]
) -> None:
    """Any swapped, flipped or shifted axis would not."""
    slopes = np.array([1.0, 2.5, -4.0])
    working = working_geometry(geometry, spacing)
    lines = lines_between(working, geometry)
    values = (world(working) @ slopes).astype(np.float32)
    inner = tuple(
        (line.places >= 0) & (line.places <= line.length - 1) for line in lines
    )  # at the rim the edge continues
    found = interpolate(values, lines)[np.ix_(*inner)]
    np.testing.assert_allclose(found, (world(geometry) @ slopes)[np.ix_(*inner)], atol=1e-3)


def test_a_part_is_as_the_whole(geometry: Geometry) -> None:
    working = working_geometry(geometry, 0.8)
    lines = lines_between(working, geometry)
    values = np.random.default_rng(0).random(working.shape, dtype=np.float32)
    whole = interpolate(values, lines)
    box = (slice(3, 20), slice(10, 11), slice(5, 30))
    parts = [line.part(side) for line, side in zip(lines, box, strict=True)]
    source = tuple(line.source for line in sorted(parts, key=lambda line: line.axis))
    part = interpolate(values[source], parts, [side.start for side in source])
    np.testing.assert_array_equal(part, whole[box])


def test_the_edge_continues_for_half_a_voxel() -> None:
    source = Geometry((2, 1, 1))
    target = Geometry((9, 1, 1), (0.25, 1.0, 1.0), (-0.75, 0.0, 0.0))
    found = interpolate(np.array([[[1.0, 3.0]]], np.float32), lines_between(source, target))
    assert found.ravel().tolist() == [0, 1, 1, 1, 1.5, 2, 2.5, 3, 3]


def test_grids_that_are_turned_are_refused(geometry: Geometry) -> None:
    c, s = np.cos(0.1), np.sin(0.1)
    turned = replace(geometry, direction=(c, -s, 0, s, c, 0, 0, 0, 1))
    with pytest.raises(ValueError, match="not parallel"):
        lines_between(Geometry((5, 5, 5)), turned)

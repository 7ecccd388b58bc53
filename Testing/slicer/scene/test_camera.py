"""From where an aneurysm is looked at: everything in the picture, nothing before it."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture
def camera(segmentation_module):
    from GSEMASegmentationLib.scene import Camera

    return Camera


def sphere(center, radius, count=2000, seed=0):
    points = np.random.default_rng(seed).normal(size=(count, 3))
    return np.asarray(center) + radius * points / np.linalg.norm(points, axis=1)[:, None]


def test_everything_is_within_the_pictures_angle(camera):
    focus, direction = np.array([5.0, -3.0, 2.0]), np.array([0.6, 0.8, 0.0])
    points = sphere((20.0, 0.0, 10.0), 15.0)
    look = camera.lookAt(focus, direction, points, 30.0)
    axis = focus - look.position
    axis /= np.linalg.norm(axis)
    assert axis == pytest.approx(-direction)
    rays = points - look.position
    angles = np.degrees(np.arccos(rays @ axis / np.linalg.norm(rays, axis=1)))
    assert angles.max() <= 15.0 + 1e-6
    assert look.radius == pytest.approx(np.linalg.norm(points - focus, axis=1).max())


@pytest.mark.parametrize("side", [(1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0)])
def test_a_ball_beside_a_vessel_is_seen_from_its_own_side(camera, side):
    vessel = sphere((0.0, 0.0, 0.0), 8.0)
    direction = camera.openDirection(9.0 * np.array(side), 3.0, vessel)
    assert direction @ side > np.cos(np.radians(12))


def test_a_wall_on_the_near_side_is_looked_around(camera):
    """The vessel lies behind the ball, but a plate before it, so the nearest side is not free."""
    y, z = (axis.ravel() for axis in np.meshgrid(*2 * [np.linspace(-6, 6, 40)]))
    plate = np.column_stack([np.full_like(y, 15.0), y, z])
    vessel = sphere((-8.0, 0.0, 0.0), 3.0)
    direction = camera.openDirection(np.zeros(3), 3.0, np.concatenate([plate, vessel]))
    relative = np.concatenate([plate, vessel])
    along = relative @ direction
    aside = np.linalg.norm(relative - along[:, None] * direction, axis=1)
    assert not ((along > 0) & (aside < 3.0)).any()


def test_nothing_beside_it_and_steep_directions_are_left_out(camera):
    direction = camera.openDirection(np.zeros(3), 3.0, np.empty((0, 3)))
    assert np.linalg.norm(direction) == pytest.approx(1)
    above = camera.openDirection(np.array([0.0, 0.0, 20.0]), 3.0, sphere((0, 0, 0), 8.0))
    assert above[2] == pytest.approx(camera.STEEPEST, abs=0.02)

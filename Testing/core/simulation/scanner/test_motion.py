"""Heads that move: how far, around what, and what is seen of it."""

from __future__ import annotations

import numpy as np
import pytest

from gsema_core.grids import Geometry
from gsema_core.simulation.scanner.motion import Poses, draw_motion, moved
from gsema_core.simulation.scene import Scene


def ball(place: tuple[float, float, float], spacing: float = 1.0, n: int = 31) -> np.ndarray:
    """A soft ball at (i, j, k) mm from the middle."""
    axis = (np.arange(n) - (n - 1) / 2) * spacing
    k, j, i = np.meshgrid(axis, axis, axis, indexing="ij")
    squared = (i - place[0]) ** 2 + (j - place[1]) ** 2 + (k - place[2]) ** 2
    return np.exp(-squared / 8.0).astype(np.float32)


def middle_of(array: np.ndarray, spacing: float = 1.0) -> np.ndarray:
    bright = np.where(array > 0.3 * array.max(), array, 0.0)
    places = np.indices(array.shape).reshape(3, -1)
    middle = (places * bright.ravel()).sum(axis=1) / bright.sum()
    return ((middle - (np.array(array.shape) - 1) / 2) * spacing)[::-1]


def test_a_turn_and_a_shift_bring_a_ball_where_they_say():
    turn = np.array([0.0, 0.0, np.pi / 2])  # about k: from i to j
    after = moved(ball((8.0, 0.0, 3.0)), 1.0, np.array([0.0, 2.0, -1.0]), turn)
    assert np.allclose(middle_of(after), (0.0, 10.0, 2.0), atol=0.1)


def test_motion_has_the_size_of_the_protocol_and_no_mean(quick):
    assert draw_motion(quick("A"), np.random.default_rng(0)) is None
    for at in (0.0, 0.5):
        protocol = quick("A", motion_mm=1.5, motion_deg=2.0, motion_at=at)
        poses = draw_motion(protocol, np.random.default_rng(3))
        assert poses is not None
        way = np.linalg.norm(poses.shifts_mm[-1] - poses.shifts_mm[0])
        assert way == pytest.approx(1.5, rel=0.02)
        assert np.allclose(poses.shifts_mm.mean(axis=0), 0.0, atol=1e-9)


def test_the_c_arm_of_a_head_that_only_lies_elsewhere_sees_it_there(quick, needs_rtk):
    """A constant pose moves what is reconstructed by just that."""
    needs_rtk()
    from gsema_core.simulation import cone_beam

    protocol = quick("B", photons=1e9, scatter=0.0, spacing_mm=1.0)
    grid = Geometry((31, 31, 31), (1.0,) * 3, (-15.0,) * 3)
    run = cone_beam._Run(protocol, grid, np.random.default_rng(0))
    pose = np.array([2.0, -1.0, 1.5]), np.deg2rad([0.0, 30.0, 0.0])
    views = np.ones((protocol.views, 1))
    run._taken = cone_beam._moved(run._circle, Poses(views * pose[0], views * pose[1]))
    array = 2000.0 * ball((6.0, 3.0, 0.0))
    scene = Scene(grid, array, np.zeros_like(array), ())
    lines = run.project_voxels(scene.contrast, 1.0)
    seen = middle_of(run.backproject(lines))
    assert np.allclose(seen, middle_of(moved(array, 1.0, *pose)), atol=0.15)

"""Streaks and rings of the light model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gsema_core.grids import Geometry
from gsema_core.simulation.scanner.parallel_planes import dense_errors, ring_errors

GRID = Geometry((60, 12, 60), (0.8,) * 3, (0.0,) * 3)


def two_rods(hounsfield: float) -> np.ndarray:
    k, _, i = np.indices(GRID.shape) - (np.array(GRID.shape).reshape(3, 1, 1, 1) - 1) / 2
    rods = np.minimum(np.hypot(k, i - 12), np.hypot(k, i + 12)) < 4
    return np.where(rods, hounsfield, 0.0).astype(np.float32)


def test_nothing_dense_leaves_nothing(quick):
    errors, step = dense_errors(
        two_rods(0.0), 0.8, quick("A", hardening=1.0), np.random.default_rng(0)
    )
    assert step == pytest.approx(0.8)
    assert np.abs(errors).max() < 1.0


def test_a_dark_band_lies_between_two_dense_rods(quick):
    protocol = quick("A", hardening=1.0, photons=1e9, scatter=0.0)
    errors, _ = dense_errors(two_rods(6000.0), 0.8, protocol, np.random.default_rng(0))
    between, beside = errors[28:32, :, 28:32].mean(), errors[10:14, :, 28:32].mean()
    assert between < beside - 20
    still = replace(protocol, hardening=0.0)
    linear, _ = dense_errors(two_rods(6000.0), 0.8, still, np.random.default_rng(0))
    assert np.abs(linear).max() < 10


def test_metal_streaks_far_and_only_in_its_planes(quick):
    metal = two_rods(60_000.0)
    metal[:, :6] = 0.0
    protocol = quick("A", photons=5e4)
    errors, _ = dense_errors(metal, 0.8, protocol, np.random.default_rng(0))
    assert errors[:, 9:].std() > 100
    assert np.abs(errors[:, :3]).max() < 5


def test_rings_grow_with_the_gains_error_and_are_strongest_in_the_middle(quick):
    protocol = quick("A", ring_gain=0.004)
    rings = ring_errors(GRID, protocol, np.random.default_rng(0))
    twice = ring_errors(GRID, replace(protocol, ring_gain=0.008), np.random.default_rng(0))
    assert np.allclose(twice, 2 * rings, rtol=1e-3, atol=1e-3)
    assert rings[27:33, :, 27:33].std() > 1.5 * rings[:10, :, :10].std()
    assert np.allclose(rings[50, :, 30], rings[50, :, 29], atol=1e-3)  # the same radius

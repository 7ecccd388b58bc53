"""What is stored of a reconstruction, and which labels that still shows."""

from __future__ import annotations

import numpy as np
import pytest

from gsema_core.grids import Geometry, Volume
from gsema_core.simulation.scanner.storing import (
    enhance_edges,
    label_what_shows,
    reconstructed,
    store,
)

GRID = Geometry((30, 20, 30), (0.5,) * 3, (0.0,) * 3)


@pytest.mark.parametrize(("field", "share"), [("cylinder", np.pi / 4), ("sphere", None)])
def test_fill_stands_outside_the_field_and_nothing_there_is_labeled(field, share, quick):
    protocol = quick("A", storage="hounsfield", field=field, fill_value=-2000)
    image = Volume(store(np.full(GRID.shape, 50.0, np.float32), GRID, protocol), GRID)
    inside = reconstructed(GRID, protocol)
    assert np.all(image.array[~inside] == -2000)
    assert np.all(image.array[inside] == 50)
    if share:
        assert inside.mean() == pytest.approx(share, abs=0.02)
        assert np.all(inside == inside[:, :1])  # along the rotation axis
    labels = label_what_shows(Volume(np.ones(GRID.shape, np.uint8), GRID), protocol, image)
    assert np.array_equal(labels.array > 0, inside)


def test_a_cut_background_is_the_lowest_value_and_faint_vessels_lose_their_label(quick):
    protocol = quick("A", storage="window8", window_hu=(0.0, 2000.0), cut_hu=300.0)
    scan = np.random.default_rng(0).normal(0.0, 130.0, GRID.shape).astype(np.float32)
    labels = np.zeros(GRID.shape, np.uint8)
    labels[:, 8:12, 4:8], labels[:, 8:12, 20:24] = 2, 1
    scan[labels == 2] += 1500.0  # the other is as dark as the background
    image = Volume(store(scan, GRID, protocol), GRID)
    assert np.mean(image.array == 0) > 0.95
    assert np.any(image.array[labels == 1] > 0)  # noise above the cut does not make it a vessel
    shown = label_what_shows(Volume(labels, GRID), protocol, image).array
    assert set(np.unique(shown)) == {0, 2}
    assert np.array_equal(shown == 2, labels == 2)


def test_a_centered_window_does_not_care_how_much_truncation_lifts_a_scan(quick):
    protocol = quick("A", storage="window8", window_hu=(-200.0, 800.0), centered=True)
    scan = np.random.default_rng(0).normal(0.0, 100.0, GRID.shape).astype(np.float32)
    assert np.array_equal(store(scan, GRID, protocol), store(scan + 1024, GRID, protocol))


def test_sixteen_bits_without_a_sign_hold_air(quick):
    protocol = quick("A", storage="offset16", window_hu=(-1024.0, 4096.0))
    stored = store(np.array([[[-5000.0, -1000.0, 0.0, 9000.0]]], np.float32), GRID, protocol)
    assert stored.dtype == np.uint16
    assert stored.ravel().tolist() == [0, 24, 1024, 5120]


def test_enhanced_edges_overshoot_and_flat_parts_stay(quick):
    step = np.zeros(GRID.shape, np.float32)
    step[15:] = 1000.0
    assert enhance_edges(step, GRID, quick("A")) is step
    sharp = enhance_edges(step, GRID, quick("A", edge_gain=1.0, edge_mm=0.6))
    assert sharp.max() > 1200
    assert sharp.min() < -200
    assert np.allclose(sharp[:5], 0.0)

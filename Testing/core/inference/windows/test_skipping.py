from __future__ import annotations

import numpy as np
import pytest

from gsema_core.grids import labels_to_working
from gsema_core.inference.windows.skipping import bright_spots, is_plausible
from gsema_core.inference.windows.window_plan import plan_windows
from gsema_core.intensities import IntensityRule
from gsema_core.intensities.prepared_scan import prepare
from gsema_core.labels import BACKGROUND
from gsema_core.simulation import CENTERS, acquire, make_phantom


def test_spots_are_where_it_is_brighter_than_around() -> None:
    shading = np.linspace(0.0, 0.5, 61, dtype=np.float32)  # 0.1 across the surroundings
    image = np.broadcast_to(shading, (50, 41, 61)).copy()
    image[20:24, 20:24, 10:50] += 0.3
    spots = bright_spots(image)
    assert spots.shape == (25, 21, 31)
    assert spots[10:12, 10:12, 5:25].all()
    assert spots.sum() == 2 * 2 * 20


def test_noise_makes_no_spots() -> None:
    noise = np.random.default_rng(2).normal(0.3, 0.02, (40, 40, 40)).astype(np.float32)
    assert not bright_spots(noise).any()
    assert not is_plausible(bright_spots(noise))


@pytest.mark.parametrize("center", sorted(CENTERS))
def test_no_vessel_of_any_center_is_left_out(center: str) -> None:
    """Windows of 16 mm are harder than a teacher's of 40 mm, which nearly all show vessels."""
    phantom = make_phantom(seed=11, size_mm=48, spacing_mm=0.6)
    image, labels = acquire(phantom, CENTERS[center], seed=11, model="light")
    working = prepare(image, 0.5, IntensityRule()).working.array
    vessels = labels_to_working(labels, 0.5).array != BACKGROUND
    window = (32, 32, 32)
    choice, _ = plan_windows(working, window, 0.5, skip=True)
    seen = np.zeros(working.shape, dtype=bool)
    for k, j, i in choice.starts:
        seen[k : k + 32, j : j + 32, i : i + 32] = True
    assert choice.reason == ""
    assert vessels.sum() > 1000
    assert not (vessels & ~seen).any()

"""Beam hardening: water comes out right, dense things too low the more there is of them."""

from __future__ import annotations

import numpy as np
import pytest

from gsema_core.simulation.scanner.beam import HEAD_MM, WATER_PER_MM, hardened, water_corrected

WATER = np.linspace(0.0, 6.0, 40, dtype=np.float32)


@pytest.mark.parametrize("strength", [0.0, 0.4, 1.0])
def test_water_alone_is_corrected(strength):
    assert np.allclose(
        water_corrected(hardened(WATER, WATER, strength), strength), WATER, atol=0.01
    )


def test_without_hardening_lines_are_what_they_are():
    lines = WATER + 1.5
    assert np.allclose(hardened(lines, WATER, 0.0), lines, atol=1e-4)


def test_a_little_iodine_keeps_its_contrast_and_much_of_it_loses_some():
    water = np.full(3, WATER_PER_MM * HEAD_MM, np.float32)
    added = np.array([0.0, 0.02, 1.5], np.float32)
    read = water_corrected(hardened(water + added, water, 1.0), 1.0)
    assert read[1] - read[0] == pytest.approx(0.02, rel=0.05)
    assert read[2] - read[0] < 0.9 * 1.5

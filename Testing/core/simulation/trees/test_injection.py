"""Contrast along an artery tree."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gsema_core.simulation.trees.injection import Injection, draw_injection, fill

LEFT, RIGHT, LEFT_LOW, TOP = (30, 20, 12), (30, 20, 50), (4, 20, 12), (48, 20, 31)


@pytest.fixture
def left(tree) -> int:
    return int(tree.way[:, tree.number_at(LEFT_LOW)].argmin())


@pytest.fixture
def plain(left) -> Injection:
    """Contrast in the left artery alone, that neither fades nor ends."""
    strength = (1.0, 0.0) if left == 0 else (0.0, 1.0)
    return Injection(strength=strength, advantage_mm=(0.0, 0.0), mixing_mm=2.0, fade_mm=1e9,
                     abrupt_ends=1.0)  # fmt: skip


def at(tree, filling, *points):
    return [float(filling[tree.number_at(point)]) for point in points]


def test_the_bloods_of_two_inflows_meet_where_their_ways_are_the_same(tree, plain):
    filling = fill(tree, plain)
    near, far = at(tree, filling, LEFT, RIGHT)
    assert near == pytest.approx(1.0, abs=0.01)
    assert far == pytest.approx(0.0, abs=0.01)
    assert at(tree, filling, (40, 20, 31))[0] == pytest.approx(0.5, abs=0.25)


def test_an_advantage_pushes_the_other_blood_back(tree, plain, left):
    forward = (30.0, 0.0) if left == 0 else (0.0, 30.0)
    filling = fill(tree, replace(plain, advantage_mm=forward))
    across, down = at(tree, filling, (40, 20, 46), (8, 20, 50))
    assert across == pytest.approx(1.0, abs=0.01)
    assert down < 0.1


def test_contrast_falls_with_the_way(tree, plain):
    filling = fill(tree, replace(plain, fade_mm=20.0))
    way = tree.shortest_way[tree.number_at(LEFT)]
    assert at(tree, filling, LEFT)[0] == pytest.approx(np.exp(-way / 20.0), rel=0.02)


def test_early_blood_has_not_come_far_and_late_contrast_is_gone_near_the_inflow(tree, plain):
    early = fill(tree, replace(plain, front_mm=8.0, edge_mm=2.0))
    assert at(tree, early, LEFT_LOW) == [pytest.approx(1.0, abs=0.01)]
    assert at(tree, early, LEFT) == [0.0]
    late = fill(tree, replace(plain, tail_mm=8.0, edge_mm=2.0, residue=0.4))
    assert at(tree, late, LEFT_LOW) == [pytest.approx(0.4, abs=0.02)]
    assert at(tree, late, LEFT) == [pytest.approx(1.0, abs=0.01)]
    weak = fill(tree, replace(plain, density=0.5))
    assert np.allclose(weak, 0.5 * fill(tree, plain), atol=1e-6)


def test_streaming_contrast_is_denser_on_its_side(tree, plain):
    filling = fill(tree, replace(plain, side=(0.0, 0.4, 0.0)))
    back, front = at(tree, filling, (12, 23, 12), (12, 17, 12))
    assert back > 1.1 > 0.9 > front


def test_ends_fade_unless_they_are_abrupt(tree, plain):
    both = replace(plain, strength=(1.0, 1.0))
    fading = fill(tree, replace(both, abrupt_ends=0.0, end_mm=(4.0, 4.0)))
    end = tree.voxels[tree.ends[0]]
    assert at(tree, fading, end) == [0.0]
    assert at(tree, fading, TOP)[0] > 0.9
    assert at(tree, fill(tree, both), end)[0] == pytest.approx(1.0, abs=0.01)


def test_a_sac_has_one_filling(tree, plain):
    filling = fill(tree, replace(plain, fade_mm=5.0, side=(0.0, 0.5, 0.0)))
    assert len(np.unique(filling[tree.sacs[0]])) == 1


def test_draws_come_from_the_seed_and_reach_what_is_to_be_seen(tree):
    focus = int(tree.number_at(LEFT))
    for seed in range(12):
        one, again = (draw_injection(tree, focus, np.random.default_rng(seed)) for _ in range(2))
        assert one == again
        filling = fill(tree, one)
        assert np.array_equal(filling, fill(tree, again))
        assert np.isfinite(filling).all() and filling.min() >= 0.0
        assert filling[focus] > 0.2
    phases = {draw_injection(tree, focus, np.random.default_rng(s)).phase for s in range(60)}
    assert phases == {"steady", "early", "late", "washed_out"}

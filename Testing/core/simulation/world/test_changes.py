"""What is changed in the arteries, and what lies beside them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.spatial.transform import Rotation

from gsema_core.simulation.mimics.addition import Addition
from gsema_core.simulation.sacs.sac_plan import SacPlan, draw_plan
from gsema_core.simulation.world import changes
from gsema_core.simulation.world.anatomy import draw_anatomy
from gsema_core.simulation.world.changes import change
from gsema_core.simulation.world.world_scan import _add_beside, _Parts


def test_what_looks_like_an_aneurysm_is_noted_and_no_aneurysm(artery_tree):
    noted = 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        anatomy = draw_anatomy(artery_tree, "none", rng)
        if anatomy is None:
            continue
        before = anatomy.labels.copy()
        assert change(anatomy, "none", (), draw_plan(rng), rng)
        assert not ((anatomy.labels == 2) & (before != 2)).any()
        if (anatomy.labels != before).any():
            assert anatomy.changes or anatomy.additions
        noted += len(anatomy.changes)
    assert noted > 0


def test_a_transplanted_aneurysm_is_the_planned_one(artery_tree):
    plan = SacPlan("bend", 3.0, False, True, False)
    for seed in range(12):
        rng = np.random.default_rng(seed)
        anatomy = draw_anatomy(artery_tree, "transplant", rng)
        if anatomy is not None and change(anatomy, "transplant", (), plan, rng):
            assert anatomy.changes[0]["wanted_mm"] == 3.0
            assert ((anatomy.labels == 2) & (artery_tree.labels == 0)).any()
            return
    raise AssertionError("no place was found in 12 fields")


def test_the_neck_rule_divides_a_scan_only_where_it_is_asked_for(artery_tree, monkeypatch):
    monkeypatch.setitem(changes.COUNTS, "real", (1.0, 0.0, 0.0))  # no mimics
    monkeypatch.setattr(changes, "divide", lambda labels: np.minimum(labels, 1))
    seed = next(s for s in range(20) if draw_anatomy(artery_tree, "real", np.random.default_rng(s)))
    for neck_rule in (False, True):
        anatomy = draw_anatomy(artery_tree, "real", np.random.default_rng(seed))
        rng = np.random.default_rng(0)
        assert change(anatomy, "real", (), draw_plan(rng), rng, neck_rule)
        assert (anatomy.labels == 2).any() != neck_rule


def test_veins_are_filled_and_not_labeled_and_metal_is_told_apart():
    labels, filling = np.zeros((6, 6, 6), np.uint8), np.zeros((6, 6, 6), np.float32)
    places = np.array([(11, 12, 13), (30, 12, 13)])  # the second lies outside of the part
    vein = Addition("faint", places, np.array([0.3, 0.3], np.float32), {})
    clip = Addition("metal", places[:1] + 1, np.array([16000.0], np.float32), {})
    corner = np.array([10, 10, 10])
    assert _add_beside([vein], labels, filling, corner) is None
    assert filling[1, 2, 3] == np.float32(0.3) and filling.sum() == np.float32(0.3)
    assert labels[1, 2, 3] == 1 and labels.sum() == 1
    metal = _add_beside([clip], labels, filling, corner)
    assert metal is not None and metal[2, 3, 4] == 16000.0 and metal.sum() == 16000.0
    assert filling[2, 3, 4] == 0.0


def test_weak_contrast_is_weak_in_the_scan_and_labeled_all_the_same(artery_tree):
    rng = np.random.default_rng(0)
    anatomy = draw_anatomy(artery_tree, "transplant", rng)
    assert anatomy is not None

    def parts(density):
        anatomy.injection = replace(anatomy.injection, density=density)
        still = Rotation.identity()
        return _Parts.of(anatomy, still, 1.0, np.random.default_rng(1))

    full, weak = parts(1.0), parts(0.5)
    assert np.allclose(weak.filling.array, 0.5 * full.filling.array)
    assert np.array_equal(weak.stored.array, full.stored.array)
    assert (full.stored.array > 0).any()

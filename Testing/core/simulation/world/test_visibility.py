"""What a field of view shows of an artery tree."""

from __future__ import annotations

import numpy as np
import pytest

from gsema_core.simulation.world.visibility import VISIBLE, fill_volume, shown, within


@pytest.fixture
def everything(artery_tree):
    return np.zeros(3, int), np.array(artery_tree.labels.shape)


def test_contrast_is_told_against_the_brightest_arteries_of_the_field(artery_tree, everything):
    filling = np.full(len(artery_tree.voxels), 0.02, np.float32)
    assert np.allclose(shown(artery_tree, filling, everything), 1.0)
    assert shown(artery_tree, 0 * filling, everything) is None


def test_what_is_too_faint_falls_off_quickly(artery_tree, everything):
    rng = np.random.default_rng(0)
    filling = rng.uniform(0.0, 1.0, len(artery_tree.voxels)).astype(np.float32)
    share = shown(artery_tree, filling, everything)
    top = np.percentile(filling[artery_tree.radius >= 0.8], 95)
    faint = filling / top < VISIBLE / 2
    assert share[faint].max() < VISIBLE / 8 + 1e-6


def test_specks_are_not_shown(artery_tree, everything):
    filling = np.zeros(len(artery_tree.voxels), np.float32)
    wide = int(artery_tree.radius.argmax())
    lit = np.abs(artery_tree.voxels - artery_tree.voxels[wide]).max(axis=1) <= 6
    speck = np.abs(artery_tree.voxels - artery_tree.voxels[-1]).max(axis=1) <= 1
    filling[lit], filling[speck] = 1.0, 1.0
    share = shown(artery_tree, filling, everything)
    assert share[lit].min() >= VISIBLE
    assert share[speck & ~lit].max() == 0.0


def test_a_new_sac_is_filled_evenly_and_a_lost_vessel_not(artery_tree, everything):
    share = np.linspace(0.4, 1.0, len(artery_tree.voxels)).astype(np.float32)
    labels = artery_tree.labels.copy()
    k, j, i = artery_tree.voxels[len(share) // 2]
    ball = np.zeros(labels.shape, bool)
    ball[k - 3 : k + 4, j - 3 : j + 4, i - 3 : i + 4] = True
    sac, lost = ball & (labels == 0), tuple(artery_tree.voxels[0])
    labels[sac], labels[lost] = 2, 0
    volume = fill_volume(artery_tree, share, labels, everything, np.random.default_rng(0))
    assert len(np.unique(volume[sac])) == 1
    assert 0.2 < volume[sac][0] < 1.1
    assert volume[lost] == 0.0
    same = tuple(artery_tree.voxels[-1])
    assert volume[same] == share[-1]
    assert not volume[labels == 0].any()


def test_within_is_half_open(artery_tree):
    place = artery_tree.voxels[5]
    assert within(artery_tree, (place, place + 1)).sum() == 1
    assert not within(artery_tree, (place, place)).any()

"""Phantoms: always an aneurysm, always one connected tree, always the same for a seed."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from gsema_core.errors import UserError
from gsema_core.simulation import make_phantom
from gsema_core.simulation.vessel_tree import grow_vessel_tree

EVERY_NEIGHBOR = np.ones((3, 3, 3))


@pytest.mark.parametrize("seed", range(12))
def test_one_component_with_a_sac_on_a_vessel(seed):
    labels = make_phantom(seed, spacing_mm=0.8).array
    _, pieces = ndimage.label(labels > 0, EVERY_NEIGHBOR)
    assert pieces == 1
    sacs, count = ndimage.label(labels == 2, EVERY_NEIGHBOR)
    assert count >= 1
    vessel_reach = ndimage.binary_dilation(labels == 1, EVERY_NEIGHBOR)
    assert all((vessel_reach & (sacs == sac)).any() for sac in range(1, count + 1))
    assert (labels == 1).mean() < 0.03  # arteries fill about a hundredth of a head


def test_sacs_have_the_sizes_of_aneurysms():
    diameters = []
    for seed in range(30):
        labels = make_phantom(seed, spacing_mm=0.8)
        sacs, count = ndimage.label(labels.array == 2, EVERY_NEIGHBOR)
        sizes = np.bincount(sacs.ravel())[1:] * labels.geometry.voxel_volume_mm3
        assert count >= 1
        diameters.append((6 / np.pi * sizes.max()) ** (1 / 3))
        assert not (sacs[[0, -1]].any() or sacs[:, [0, -1]].any() or sacs[..., [0, -1]].any())
    assert 1.5 < min(diameters) < 4.5  # voxels shared with the vessel are the vessel's
    assert 7 < max(diameters) < 18
    assert 3.5 < np.median(diameters) < 8


def test_seed_decides():
    first, again = make_phantom(7, spacing_mm=1.0), make_phantom(7, spacing_mm=1.0)
    assert np.array_equal(first.array, again.array)
    assert not np.array_equal(first.array, make_phantom(8, spacing_mm=1.0).array)


@pytest.mark.parametrize(("size_mm", "spacing_mm"), [(64.0, 0.5), (24.0, 0.6), (16.0, 2.0)])
def test_grid(size_mm, spacing_mm):
    labels = make_phantom(3, size_mm=size_mm, spacing_mm=spacing_mm)
    assert labels.array.dtype == np.uint8
    assert labels.array.shape == (round(size_mm / spacing_mm),) * 3
    assert np.allclose(labels.geometry.center, 0.0)
    assert {1, 2} <= set(np.unique(labels.array))


def test_resolution_does_not_change_the_anatomy():
    fine, coarse = make_phantom(5, spacing_mm=0.5), make_phantom(5, spacing_mm=1.0)
    volumes = [
        (labels.array == 2).sum() * labels.geometry.voxel_volume_mm3 for labels in (fine, coarse)
    ]
    assert volumes[0] == pytest.approx(volumes[1], rel=0.25)


def test_forks_obey_murrays_law():
    tree = grow_vessel_tree(np.random.default_rng(2), 64.0)
    assert len(tree.forks) >= 4
    for index in tree.forks:
        parent = tree.branches[index]
        children = [
            branch
            for branch in tree.branches
            if branch is not parent and np.allclose(branch.points[0], parent.points[-1])
        ]
        cubes = sum(child.radii[0] ** 3 for child in children)
        assert len(children) == 2
        assert cubes == pytest.approx(parent.radii[-1] ** 3)


@pytest.mark.parametrize(("size_mm", "spacing_mm"), [(5.0, 0.4), (64.0, 5.0), (64.0, 0.0)])
def test_impossible_grids_are_explained(size_mm, spacing_mm):
    with pytest.raises(UserError, match=f"{size_mm} mm at {spacing_mm} mm"):
        make_phantom(1, size_mm=size_mm, spacing_mm=spacing_mm)

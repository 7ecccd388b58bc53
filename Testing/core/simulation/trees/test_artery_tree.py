"""The graph of an artery tree: ways, widths, inflows, ends, sacs and crossings."""

from __future__ import annotations

import numpy as np
import pytest

from gsema_core.errors import UserError
from gsema_core.grids import Geometry, Volume
from gsema_core.simulation.trees.artery_tree import ArteryTree

LEFT, RIGHT, TOP = (20, 20, 12), (20, 20, 50), (54, 20, 31)


def test_voxels_are_numbered_and_found_again(tree):
    assert np.array_equal(tree.number_at(tree.voxels), np.arange(len(tree.voxels)))
    assert tree.number_at([(0, 0, 0), (-1, 20, 12), (64, 20, 12)]).tolist() == [-1, -1, -1]


def test_radius_is_half_the_width(tree):
    for point, voxels in ((LEFT, 4.0), (RIGHT, 3.0), ((48, 20, 31), 2.0)):
        assert tree.radius[tree.number_at(point)] == pytest.approx(voxels * 0.5, abs=0.1)
        assert tree.number_at(point) in tree.medial


def test_blood_comes_in_through_the_two_lower_ends(tree):
    assert len(tree.inflows) == 2
    middles = [tree.voxels[inflow].mean(axis=0) for inflow in tree.inflows]
    assert all(middle[0] < 1.1 for middle in middles)
    assert sorted(round(middle[2]) for middle in middles) == [12, 50]


def test_the_way_is_the_length_within_the_lumen(tree):
    left = int(np.argmin(tree.way[:, tree.number_at((5, 20, 12))]))
    own, other = tree.way[left], tree.way[1 - left]
    assert own[tree.number_at(LEFT)] == pytest.approx(20 * 0.5, abs=0.6)
    # Up the other side, across, and down again, which is 49 mm along the middle; corners are cut.
    assert 41.0 < other[tree.number_at(LEFT)] < 49.0
    assert np.allclose(tree.shortest_way, np.minimum(own, other))


def test_a_loose_part_is_fed_across_a_small_gap_only(tree):
    loose = tree.number_at((63, 20, 31))
    assert tree.shortest_way[loose] > tree.shortest_way[tree.number_at(TOP)] + 3.0
    labels = np.array(tree.labels)
    labels[45:60] = 0
    far = ArteryTree(labels, Geometry((64, 40, 64), (0.8,) * 3))
    assert np.isinf(far.shortest_way[far.number_at((63, 20, 31))])
    assert np.isfinite(far.shortest_way[far.number_at(LEFT)])


def test_ends_are_where_arteries_stop_and_not_sacs_or_meeting_ways(tree):
    # The stem, and the loose piece above it.
    assert sorted(tree.voxels[tree.ends][:, 0].tolist()) == [58, 63]


def test_crossings_tell_end_tube_and_bifurcation_apart(tree):
    assert len(tree.crossings(LEFT)) in (2, 3)  # the sac is near
    assert len(tree.crossings(RIGHT)) == 2
    assert len(tree.crossings((40, 20, 31))) == 3
    assert len(tree.crossings((63, 20, 31))) == 0
    up = [crossing.direction @ (1, 0, 0) for crossing in tree.crossings(RIGHT)]
    assert sorted(np.round(up, 1).tolist()) == [-1.0, 1.0]
    cut = np.array(tree.labels)
    cut[46:] = 0
    assert len(tree.crossings((40, 20, 31), cut)) <= 3
    cut[42:] = 0
    assert len(tree.crossings((40, 20, 31), cut)) == 2


def test_sacs_are_the_components_of_the_aneurysm_label(tree):
    (sac,) = tree.sacs
    assert len(sac) == int((tree.labels == 2).sum())
    assert tree.in_sac[sac].all()


def test_a_cut_out_cube_without_thick_lower_ends_has_its_widest_voxel_as_inflow():
    labels = np.zeros((24, 24, 24), np.uint8)
    labels[2:22, 11:13, 11:13] = 1
    labels[14:18, 9:15, 9:15] = 1
    tree = ArteryTree(labels, Geometry((24,) * 3, (0.3,) * 3))
    assert len(tree.inflows) == 1
    assert 14 <= tree.voxels[tree.inflows[0][0]][0] < 18


@pytest.mark.parametrize(
    ("labels", "geometry", "message"),
    [
        (np.zeros((8, 8, 8), np.uint8), Geometry((8,) * 3), "no vessel"),
        (np.ones((8, 8, 8), np.uint8), Geometry((8,) * 3, (0.4, 0.4, 0.8)), "isotropic"),
        (
            np.ones((8, 8, 8), np.uint8),
            Geometry((8,) * 3, direction=(1, 0, 0, 0, -1, 0, 0, 0, -1)),
            "reorient",
        ),
    ],
)
def test_errors_are_explained(labels, geometry, message):
    with pytest.raises(UserError, match=message):
        ArteryTree.of(Volume(labels, geometry), "7")

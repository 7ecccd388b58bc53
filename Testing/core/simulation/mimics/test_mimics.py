import json

import numpy as np
import pytest
from scipy import ndimage

from gsema_core.grids import Geometry
from gsema_core.grids.components import connected_components
from gsema_core.simulation.mimics.clips import METALS_HU, add_clip
from gsema_core.simulation.mimics.coiled_sac import LEAST_MM3, REMNANT_MM3, coil_sac
from gsema_core.simulation.mimics.cut_ends import add_stump, cut_end
from gsema_core.simulation.mimics.draw_mimics import APART_MM, CHANGES, _unchanged, draw_mimics
from gsema_core.simulation.mimics.hard_places import _hardest, hard_places
from gsema_core.simulation.mimics.kissing import add_kissing
from gsema_core.simulation.mimics.loops import add_loop
from gsema_core.simulation.mimics.tubes import tube_voxels
from gsema_core.simulation.mimics.veins import CONTRAST, add_veins
from gsema_core.simulation.trees.artery_tree import ArteryTree


def tree_of(*tubes, shape=(64, 64, 64), ball=None, spacing=0.5) -> ArteryTree:
    labels = np.zeros(shape, np.uint8)
    if ball is not None:
        center, radius = ball
        labels[tuple(tube_voxels([center], radius, spacing, shape).T)] = 2
    for start, end, radius in tubes:
        line = np.linspace(start, end, 160)
        labels[tuple(tube_voxels(line, radius, spacing, shape).T)] = 1
    return ArteryTree(labels, Geometry(shape[::-1], (spacing,) * 3, (0.0,) * 3), "made")


@pytest.fixture(scope="module")
def two() -> ArteryTree:
    """A T: an artery upward, and one across it higher up, 8 mm beside."""
    return tree_of(((0, 32, 20), (50, 32, 20), 1.4), ((50, 32, 20), (50, 32, 60), 1.2),
                   ((20, 32, 20), (20, 32, 60), 0.9))  # fmt: skip


@pytest.fixture(scope="module")
def with_sac() -> ArteryTree:
    return tree_of(((0, 32, 20), (63, 32, 20), 1.5), ball=((32, 32, 30), 3.5))


def everything(tree: ArteryTree):
    return (np.zeros(3, int), np.array(tree.labels.shape)), np.ones(len(tree.voxels), bool)


@pytest.mark.parametrize("change", [add_loop, add_kissing, add_stump])
def test_adds_one_connected_vessel(two, change):
    box, filled = everything(two)
    results = []
    for _ in range(2):
        labels = two.labels.copy()
        record = change(two, labels, box, filled, np.random.default_rng(3))
        results.append(labels)
    assert record is not None
    assert np.array_equal(*results)
    assert set(np.unique(labels)) == {0, 1}
    assert (labels >= two.labels).all() and (labels > two.labels).any()
    # What kisses may stay a voxel away, but nothing comes loose.
    assert connected_components(labels > 0)[1] == 1
    assert change(two, labels, box, ~filled, np.random.default_rng(3)) is None


def test_kissing_vessels_touch(two):
    box, filled = everything(two)
    labels = two.labels.copy()
    record = add_kissing(two, labels, box, filled, np.random.default_rng(3))
    new = np.argwhere(labels > two.labels)
    near = new[np.linalg.norm(new - record["at"], axis=1) < 4]
    apart = np.linalg.norm(near[:, None] - two.voxels[None], axis=2).min() * two.spacing
    assert apart <= 0.3 + 2 * two.spacing


def test_a_cut_takes_all_behind_it(two):
    box, filled = everything(two)
    labels = two.labels.copy()
    record = cut_end(two, labels, box, filled, np.random.default_rng(0))
    assert record is not None
    assert connected_components(labels > 0)[1] == 1
    gone = (two.labels > labels).sum() * two.spacing**3
    assert gone == pytest.approx(record["taken_mm3"], abs=0.1)
    assert (labels <= two.labels).all()


def test_a_cut_leaves_nothing_loose(two):
    box, filled = everything(two)
    changed = two.labels.copy()
    for height, end in ((50, 60), (20, 60)):  # what was added hangs on both arms
        line = np.linspace((height, 32, end), (height, 55, end), 60)
        changed[tuple(tube_voxels(line, 0.8, two.spacing, changed.shape).T)] = 1
    for seed in range(6):
        labels = changed.copy()
        cut_end(two, labels, box, filled, np.random.default_rng(seed))
        assert connected_components(labels > 0)[1] == 1


def test_veins_are_faint_and_unlabelled(two):
    box, _ = everything(two)
    labels = two.labels.copy()
    addition = add_veins(two, labels, box, np.random.default_rng(1))
    assert addition is not None and addition.kind == "faint"
    assert np.array_equal(labels, two.labels)
    assert len(np.unique(addition.voxels, axis=0)) == len(addition.voxels)
    beside = ndimage.binary_dilation(labels > 0)  # there is a wall between
    for seed in range(4):
        veins = add_veins(two, labels, box, np.random.default_rng(seed))
        assert veins is not None and not beside[tuple(veins.voxels.T)].any()
    assert addition.values.min() >= CONTRAST[0] - 1e-6
    assert addition.values.max() <= CONTRAST[1] + 1e-6
    array = np.zeros(labels.shape, np.float32)
    addition.add_to(array)
    assert (array > 0).sum() == len(addition.voxels)


def test_a_clip_lies_beside_the_artery(two):
    box, filled = everything(two)
    labels = two.labels.copy()
    addition = add_clip(two, labels, box, filled, np.random.default_rng(2))
    assert addition is not None and addition.kind == "metal"
    assert np.array_equal(labels, two.labels)
    assert not labels[tuple(addition.voxels.T)].any()
    assert set(np.unique(addition.values)) <= set(METALS_HU.values())
    reach = np.linalg.norm(np.ptp(addition.voxels, axis=0)) * two.spacing
    assert 4.0 < reach < 22.0


def test_coils_leave_what_is_still_filled(with_sac):
    box, filled = everything(with_sac)
    before = with_sac.labels == 2
    assert before.sum() * with_sac.spacing**3 > LEAST_MM3
    seen = set()
    for seed in range(12):
        labels = with_sac.labels.copy()
        addition = coil_sac(with_sac, labels, box, filled, np.random.default_rng(seed))
        outcome = addition.record["outcome"]
        seen.add(outcome)
        rest = labels == 2
        assert not (rest & ~before).any()
        assert not labels[tuple(addition.voxels.T)].any()
        assert (labels == 1).sum() == (with_sac.labels == 1).sum()
        volume = rest.sum() * with_sac.spacing**3
        assert volume == 0 if outcome == "complete" else volume == 0 or volume >= REMNANT_MM3
        assert volume == pytest.approx(addition.record["rest_mm3"], abs=0.1)
    assert seen == {"complete", "neck", "sac"}


def test_a_rest_too_small_to_be_seen_is_no_aneurysm(with_sac, monkeypatch):
    monkeypatch.setattr("gsema_core.simulation.mimics.coiled_sac.REMNANT_MM3", 1000.0)
    box, filled = everything(with_sac)
    for seed in range(6):
        labels = with_sac.labels.copy()
        coil_sac(with_sac, labels, box, filled, np.random.default_rng(seed))
        assert not (labels == 2).any()


def test_a_changed_sac_is_not_coiled(with_sac):
    box, filled = everything(with_sac)
    labels = with_sac.labels.copy()
    labels[tuple(np.argwhere(labels == 2)[0])] = 1
    assert coil_sac(with_sac, labels, box, filled, np.random.default_rng(0)) is None


def test_hard_places_are_bends_forks_and_ends(two):
    places = hard_places(two)
    found = {name: two.voxels[getattr(places, name)] for name in ("bends", "forks", "ends")}
    assert np.linalg.norm(found["forks"][0] - [20, 32, 20]) < 6
    assert np.linalg.norm(found["bends"][0] - [50, 32, 20]) < 8
    tips = np.array([[50, 32, 60], [20, 32, 60]])
    assert all(np.linalg.norm(tips - end, axis=1).min() < 8 for end in found["ends"])
    assert len(found["ends"]) == 2
    assert places.draw(np.random.default_rng(0)) in np.concatenate(
        [places.bends, places.forks, places.ends]
    )


def test_the_hardest_places_come_first(two):
    far = [0, len(two.voxels) - 1]
    assert _hardest(two, [(1.0, far[0]), (2.0, far[1])]).tolist() == far[::-1]
    assert _hardest(two, [(1.0, 0), (2.0, 1)]).tolist() == [1]  # neighbors are one place


def test_changes_stay_apart(two):
    labels = two.labels.copy()
    labels[20, 32, 58] = 0
    apart = np.linalg.norm(two.voxels - [20, 32, 58], axis=1) * two.spacing
    assert np.array_equal(_unchanged(two, labels), apart >= APART_MM)


def test_a_field_gets_several_and_no_new_aneurysm(with_sac):
    box, filled = everything(with_sac)
    results = []
    for _ in range(2):
        labels = with_sac.labels.copy()
        rng = np.random.default_rng(0)
        drawn = draw_mimics(with_sac, labels, box, filled, rng, count=len(CHANGES))
        results.append(labels)
    assert len(drawn.records) >= 3
    assert np.array_equal(labels == 2, with_sac.labels == 2)
    assert connected_components(labels > 0)[1] == 1
    assert np.array_equal(*results)
    assert json.loads(json.dumps(drawn.records)) == list(drawn.records)

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from gsema_core.datasets import PatchDataset, VolumeCache, read_datalist
from gsema_core.datasets.patches import PatchSampler
from gsema_core.errors import UserError
from gsema_core.intensities import IntensityRule
from gsema_core.labels import ANEURYSM, IGNORE, VESSEL
from gsema_core.transforms import NoTransform, build_transform
from gsema_core.transforms.sequence import Sequence

PATCH = (16, 16, 16)


@pytest.fixture
def volumes(datalist, tmp_path):
    cache = VolumeCache(tmp_path / "cache", 0.5, IntensityRule())
    return [cache.load(case) for case in read_datalist(datalist)]


def make_dataset(volumes, transform="paper", **sampler):
    settings = {"aneurysm_share": 0.7, "random_orientation": True, **sampler}
    return PatchDataset(
        volumes, PatchSampler(PATCH, **settings), build_transform(transform), 2, seed=5
    )


def test_shapes_types_and_range(volumes):
    pair = make_dataset(volumes)[0]
    for image in (pair.source_image, pair.target_image):
        assert image.shape == (2, 1, *PATCH) and image.dtype == torch.float32
        assert image.min() >= 0 and image.max() <= 1
    assert pair.source_labels.dtype == pair.target_labels.dtype == torch.uint8


def test_a_step_always_gets_the_same_patches(volumes):
    first, again, other = (make_dataset(volumes)[step] for step in (7, 7, 8))
    assert torch.equal(first.source_image, again.source_image)
    assert torch.equal(first.target_image, again.target_image)
    assert not torch.equal(first.source_image, other.source_image)


def test_without_transform_the_target_is_the_source(volumes):
    pair = make_dataset(volumes, transform="none")[0]
    assert torch.equal(pair.source_image, pair.target_image)
    assert torch.equal(pair.source_labels, pair.target_labels)


def test_labels_move_with_the_image(volumes):
    """Vessel and aneurysm are bright in these cases, whatever the orientation."""
    dataset = make_dataset(volumes)
    for step in range(10):
        pair = dataset[step]
        labelled = pair.source_labels > 0
        assert labelled.any()
        assert pair.source_image[labelled].min() > pair.source_image[~labelled].max()


def test_aneurysm_share_is_kept(volumes):
    always = make_dataset(volumes, aneurysm_share=1.0)
    assert all((always[step].source_labels == 2).flatten(1).any(1).all() for step in range(15))


def test_donors_are_of_another_center(volumes):
    recorded = []

    class Recorder(NoTransform):
        needs_donor = True

        def draw(self, generator, image, donor=None):
            recorded.append((image, donor))
            return super().draw(generator, image, donor)

    # Centers told apart by their intensity: A is 0, B is 1 everywhere.
    marked = [
        dataclasses.replace(each, image=np.full_like(each.image, each.case.center == "B"))
        for each in volumes
    ]
    dataset = PatchDataset(marked, PatchSampler(PATCH, 0.7, True), Recorder(), 2, seed=5)
    for step in range(5):
        dataset[step]
    for image, donor in recorded:
        assert torch.equal(donor, 1 - image)


def test_amplitudes_are_mixed_between_centers_only(volumes):
    pair = make_dataset(volumes, "amplitude_mix")[0]
    assert not torch.equal(pair.target_image, pair.source_image)
    assert torch.equal(pair.target_labels, pair.source_labels)
    with pytest.raises(UserError, match="all cases are of one"):
        make_dataset([each for each in volumes if each.case.center == "A"], "amplitude_mix")


def test_small_volumes_are_continued_by_their_mirror_images(volumes):
    sampler = PatchSampler((48, 48, 48), 0.7, random_orientation=False)
    image, labels = sampler.draw(volumes[0], np.random.default_rng(0))
    assert image.shape == labels.shape == (48, 48, 48)
    assert np.array_equal(image[:32, :32, :32], np.asarray(volumes[0].image, np.float32))
    assert np.array_equal(image[32:], image[31:15:-1])
    assert np.array_equal(labels[32:], labels[31:15:-1])


def test_other_sizes_are_flipped_but_not_permuted(volumes):
    sampler = PatchSampler((8, 16, 24), 0.7, random_orientation=True)
    for seed in range(5):
        image, _ = sampler.draw(volumes[0], np.random.default_rng(seed))
        assert image.shape == (8, 16, 24)


@pytest.mark.parametrize("transform", ["paper", "amplitude_mix"])
def test_ranks_share_the_very_batch_that_one_would_have(volumes, transform):
    sampler = PatchSampler(PATCH, 0.7, True)
    parts = volumes, sampler, build_transform(transform), 4, 5
    whole = PatchDataset(*parts, with_origin=True)[3]
    shares = [
        PatchDataset(*parts, share=share, with_origin=True)[3]
        for share in (slice(0, 2), slice(2, 4))
    ]
    assert (whole.origin is None) == (transform == "amplitude_mix")
    for name, expected in whole._asdict().items():
        if expected is not None:
            assert torch.equal(torch.cat([getattr(each, name) for each in shares]), expected), name


def test_two_views_are_complements_of_one_draw(volumes):
    """m * a + (1 - m) * b and (1 - m) * a + m * b: they differ and belong to the same labels."""
    sampler, transform = PatchSampler(PATCH, 0.7, True), build_transform("gin_ipa")
    plain = PatchDataset(volumes, sampler, transform, 2, seed=5)[0]
    views = PatchDataset(volumes, sampler, transform, 2, seed=5, two_views=True)[0]
    assert torch.equal(views.target_image, plain.target_image)
    assert not torch.equal(views.source_image, plain.source_image)
    assert not torch.equal(views.source_image, views.target_image)
    assert torch.equal(views.source_labels, plain.source_labels)
    assert torch.equal(views.target_labels, plain.source_labels)


def test_the_other_view_of_other_transforms_is_the_patch_itself(volumes):
    sampler, transform = PatchSampler(PATCH, 0.7, True), build_transform("paper")
    plain = PatchDataset(volumes, sampler, transform, 2, seed=5)[0]
    views = PatchDataset(volumes, sampler, transform, 2, seed=5, two_views=True)[0]
    assert all(torch.equal(*pair) for pair in zip(views[:4], plain[:4], strict=True))


class Placeholder(NoTransform):
    """Draws as many numbers as the patch has bright voxels: what it shows decides."""

    def draw_one(self, generator, image, donor):
        return torch.rand(int((image > 0.5).sum()) + 1, generator=generator)[-1].item()

    def apply_one(self, image, labels, parameters):
        return image * parameters, labels


@pytest.mark.parametrize(
    ("transform", "read"),
    [
        (build_transform("paper"), [2, 2]),
        (build_transform("amplitude_mix"), [4, 4]),  # with a donor each
        (Placeholder(), [2, 4]),  # those before its own decide what it draws
    ],
)
def test_a_rank_reads_its_own_patches_alone(volumes, transform, read, monkeypatch):
    cut, counts = PatchSampler.cut, []

    def counted(self, volume, place):
        counts[-1] += 1
        return cut(self, volume, place)

    monkeypatch.setattr(PatchSampler, "cut", counted)
    sampler, made = PatchSampler(PATCH, 0.7, True), []
    for share in (slice(0, 2), slice(2, 4), slice(None)):
        counts.append(0)
        made.append(PatchDataset(volumes, sampler, transform, 4, 5, share=share)[3])
    assert counts == [*read, counts[-1]] and counts[-1] == (8 if transform.needs_donor else 4)
    shared = [torch.cat(each) for each in zip(made[0][:4], made[1][:4], strict=True)]
    assert all(torch.equal(*each) for each in zip(shared, made[2][:4], strict=True))


def read_in_one_go(volume, random, share):
    """The patch as it was read before drawing and reading were taken apart, numbers in order."""
    size, shape = np.array(PATCH), np.array(volume.image.shape)
    choice = random.random()
    if choice < (1 + share) / 2:
        anchors = volume.aneurysm_voxels if choice < share else volume.vessel_voxels
        start = anchors[random.integers(len(anchors))] - size // 2
        start = np.clip(start + random.integers(-(size // 3), size // 3 + 1), 0, shape - size)
    else:
        start = random.integers(0, shape - size + 1)
    patch = volume.image[tuple(map(slice, start, start + size))]
    patch = patch.transpose(random.permutation(3))
    return np.flip(patch, [axis for axis in range(3) if random.random() < 0.5])


def test_where_patches_lie_is_drawn_without_a_look_at_them(volumes, monkeypatch):
    """And as ever: a run that goes on sees the patches that it would have seen before."""
    sampler = PatchSampler(PATCH, 0.4, True)
    with monkeypatch.context() as patched:
        patched.setattr("gsema_core.datasets.array_file.StoredArray.open", None)
        places = [sampler.place(volumes[0], np.random.default_rng(seed)) for seed in range(20)]
    near = {place.near and place.near[0] for place in places}
    assert near == {"aneurysm_voxels", "vessel_voxels", None}
    for seed, place in enumerate(places):
        expected = read_in_one_go(volumes[0], np.random.default_rng(seed), 0.4)
        assert np.array_equal(sampler.cut(volumes[0], place)[0], expected)


def test_a_class_that_draws_anew_does_not_inherit_that_it_draws_unseen():
    assert build_transform(["noise", "bias"]).draws_unseen
    assert not Placeholder.draws_unseen
    assert not Sequence([NoTransform(), Placeholder()]).draws_unseen


def ignoring(volume, where):
    """The volume with ignored voxels at ``where``."""
    labels = np.array(volume.labels)
    labels[where] = IGNORE
    voxels = {
        name: np.argwhere(labels == label).astype(np.int32)
        for name, label in (("vessel_voxels", VESSEL), ("aneurysm_voxels", ANEURYSM))
    }
    return dataclasses.replace(volume, labels=labels, **voxels)


def test_ignored_voxels_change_no_draw_and_move_with_the_image(volumes):
    """The very same patches, and nothing but whole labels after flips, turns and scalings."""
    some = [ignoring(volume, np.s_[:, :9]) for volume in volumes]
    for step in range(6):
        before, after = make_dataset(volumes)[step], make_dataset(some)[step]
        assert after.has_ignored or IGNORE not in (*after.source_labels.unique(),)
        if not torch.equal(before.source_image, after.source_image):
            continue  # an anchor was ignored
        for old, new in zip(before[1::2], after[1::2], strict=True):
            same = new != IGNORE
            assert torch.equal(old[same], new[same])
    assert not make_dataset(volumes)[0].has_ignored


def test_no_patch_is_ignored_altogether(volumes):
    """One voxel in eight thousand is labeled: every patch has it."""
    everywhere = np.ones(volumes[0].labels.shape, bool)
    everywhere[3, 17, 30] = False
    lonely = ignoring(volumes[0], everywhere)
    sampler = PatchSampler(PATCH, 0.7, True)
    for seed in range(20):
        _, labels = sampler.draw(lonely, np.random.default_rng(seed))
        assert (labels != IGNORE).any()


@pytest.mark.parametrize("transform", ["geometric", ["noise", "geometric", "bias"]])
def test_where_each_target_voxel_came_from_is_told_on_demand(volumes, transform):
    plain, asked = make_dataset(volumes, transform), make_dataset(volumes, transform)
    asked.with_origin = True
    for step in range(5):
        pair, expected = asked[step], plain[step]
        assert all(torch.equal(*both) for both in zip(pair[:4], expected[:4], strict=True))
        assert expected.origin is None
        taken = pair.source_labels.flatten(1).gather(1, pair.origin.flatten(1).long())
        assert torch.equal(taken.view_as(pair.target_labels), pair.target_labels)
    still = make_dataset(volumes, "noise")
    still.with_origin = True
    assert still[0].origin is None


class Blurred(NoTransform):
    """Takes labels from between voxels."""

    moves_voxels = True

    def draw_one(self, generator, image, donor):
        return True

    def apply_one(self, image, labels, parameters):
        return image, torch.maximum(labels, labels.roll(1, 1))


def test_a_transform_that_no_click_can_follow_is_refused(volumes):
    dataset = PatchDataset(
        volumes, PatchSampler(PATCH, 1.0, True), Blurred(), 2, seed=5, with_origin=True
    )
    with pytest.raises(UserError, match="so that clicks cannot move along"):
        dataset[0]

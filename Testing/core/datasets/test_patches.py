from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from gsema_core.datasets import PatchDataset, VolumeCache, read_datalist
from gsema_core.datasets.patches import PatchSampler
from gsema_core.errors import UserError
from gsema_core.intensities import IntensityRule
from gsema_core.transforms import NoTransform, build_transform

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
    whole = PatchDataset(volumes, sampler, build_transform(transform), 4, seed=5)[3]
    shares = [
        PatchDataset(volumes, sampler, build_transform(transform), 4, 5, share=share)[3]
        for share in (slice(0, 2), slice(2, 4))
    ]
    for name, expected in whole._asdict().items():
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
    assert all(torch.equal(*pair) for pair in zip(views, plain, strict=True))

"""Patches from other processes: what travels to them, and what is said when they end."""

from __future__ import annotations

import os
import pickle
import signal

import pytest
import torch

from gsema_core.datasets import VolumeCache, read_datalist, split_by_patient
from gsema_core.errors import UserError
from gsema_core.intensities import IntensityRule
from gsema_core.training.loader import load_batches
from gsema_core.training.prepared_cases import PreparedCases
from gsema_core.training.ranks import Ranks
from gsema_core.transforms import build_transform
from gsema_core.transforms.transform_factory import TRANSFORMS


@pytest.fixture
def prepared(datalist, tmp_path) -> PreparedCases:
    split = split_by_patient(read_datalist(datalist), (), 0.0, 0)
    cache = VolumeCache(tmp_path / "cache", 0.5, IntensityRule())
    return PreparedCases(split, tuple(map(cache.load, split.training)), ())


@pytest.fixture
def batches(make_tiny, prepared):
    def make(workers: int, step: int = 0, **run):
        config = make_tiny(
            data={"workers": workers, "patch": [32, 32, 32]}, run={"steps": 40, **run}
        )
        transform = build_transform(config.method.transform)
        return load_batches(config, prepared, transform, step, Ranks())

    return make


def test_workers_and_resuming_change_no_patch(batches):
    alone, helped, resumed = batches(0, accumulate=2), batches(1, accumulate=2), batches(0, 1)
    first, second = next(alone), next(alone)
    assert len(first) == len(second) == 2
    again = [next(helped), next(helped)][1]
    assert torch.equal(second[1].target_image, again[1].target_image)
    assert torch.equal(first[1].target_image, next(resumed)[0].target_image)


def test_beginning_leaves_pytorchs_generator_alone(batches):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    next(batches(0))
    assert torch.equal(torch.rand(3), expected)


def test_volumes_travel_by_file_name(prepared):
    """To processes that do not share this one's memory: macOS and Windows have no others."""
    volume = prepared.training[0]
    content = pickle.dumps(volume)
    assert len(content) < 10_000 < volume.image.nbytes
    assert (pickle.loads(content).image == volume.image).all()


@pytest.mark.parametrize("name", TRANSFORMS)
def test_transforms_travel_too(name):
    transform = pickle.loads(pickle.dumps(build_transform((name,))))
    image = torch.rand(2, 1, 16, 16, 16)
    labels = torch.zeros(2, 1, 16, 16, 16, dtype=torch.uint8)
    target, _ = transform(image, labels, torch.Generator().manual_seed(0), image.flip(0))
    assert target.shape == image.shape


def test_a_worker_that_was_ended_is_told_in_one_sentence(batches):
    before = set(torch.multiprocessing.active_children())
    patches = batches(1)
    next(patches)
    [worker] = set(torch.multiprocessing.active_children()) - before
    os.kill(worker.pid, signal.SIGKILL)
    with pytest.raises(UserError, match=r"that prepare patches was ended from outside"):
        for _ in patches:
            pass

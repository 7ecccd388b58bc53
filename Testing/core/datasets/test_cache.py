from __future__ import annotations

import os

import numpy as np
import pytest

from gsema_core.datasets import VolumeCache, read_datalist
from gsema_core.datasets import cache as cache_module
from gsema_core.errors import UserError
from gsema_core.volumes import Geometry, IntensityRule, Volume, write_labels


@pytest.fixture
def cache(tmp_path):
    return VolumeCache(tmp_path / "cache", 0.5, IntensityRule())


@pytest.fixture
def case(datalist):
    return read_datalist(datalist)[0]


def test_holds_the_case_on_the_working_grid(cache, case):
    volume = cache.load(case)
    assert volume.image.shape == volume.labels.shape == (32, 32, 32)
    assert volume.image.min() >= 0 and volume.image.max() <= 1
    assert set(np.unique(volume.labels)) == {0, 1, 2}
    assert np.all(volume.labels[tuple(volume.aneurysm_voxels.T)] == 2)
    assert len(volume.aneurysm_voxels) == (volume.labels == 2).sum()


def test_second_load_prepares_nothing(cache, case, monkeypatch):
    first = cache.load(case)
    monkeypatch.setattr(cache_module, "read_volume", None)
    assert np.array_equal(cache.load(case).image, first.image)


def test_changed_file_or_setting_never_meets_a_stale_entry(cache, case):
    before = cache.load(case)
    labels = np.zeros((32, 32, 32), np.uint8)
    labels[:2] = 1
    geometry = Geometry((32, 32, 32), (0.5, 0.5, 0.5), (0, 0, 0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
    write_labels(Volume(labels, geometry), case.label)
    os.utime(case.label, ns=(1, 1))
    assert len(before.aneurysm_voxels) and not len(cache.load(case).aneurysm_voxels)
    other = VolumeCache(cache.folder, 1.0, cache.intensity)
    assert other.load(case).image.shape == (16, 16, 16)


def test_half_written_entry_is_made_anew(cache, case, monkeypatch):
    def interrupted(file, array):
        file.write(b"half")
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(np, "save", interrupted)
        with pytest.raises(KeyboardInterrupt):
            cache.load(case)
    assert cache.load(case).image.shape == (32, 32, 32)


def test_label_on_another_grid_is_refused(cache, case):
    geometry = Geometry((32, 32, 32), (0.5, 0.5, 0.5), (3, 0, 0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
    write_labels(Volume(np.ones((32, 32, 32), np.uint8), geometry), case.label)
    with pytest.raises(UserError, match=r"case0-label\.nrrd does not lie on the grid"):
        cache.load(case)

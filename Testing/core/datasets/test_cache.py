from __future__ import annotations

import dataclasses
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from gsema_core.datasets import VolumeCache, cache as cache_module, read_datalist
from gsema_core.datasets.array_file import stored_arrays
from gsema_core.errors import UserError
from gsema_core.files import write_labels
from gsema_core.files.label_rules import LabelRules
from gsema_core.grids import Geometry, Volume
from gsema_core.intensities import IntensityRule

GRID = Geometry((32, 32, 32), (0.5, 0.5, 0.5))


@pytest.fixture
def cache(tmp_path):
    return VolumeCache(tmp_path / "cache", 0.5, IntensityRule())


@pytest.fixture
def case(datalist):
    return read_datalist(datalist)[0]


def keep_from_preparing(monkeypatch):
    def prepare(self, case):
        raise AssertionError("prepared although the entry is there")

    monkeypatch.setattr(VolumeCache, "_prepare", prepare)


def test_holds_the_case_on_the_working_grid(cache, case):
    volume = cache.load(case)
    assert volume.image.shape == volume.labels.shape == (32, 32, 32)
    assert volume.image.min() >= 0 and volume.image.max() <= 1
    assert set(np.unique(volume.labels)) == {0, 1, 2}
    assert np.all(volume.labels[tuple(volume.aneurysm_voxels.T)] == 2)
    assert len(volume.aneurysm_voxels) == (volume.labels == 2).sum()


def test_second_load_prepares_nothing(cache, case, monkeypatch):
    first = cache.load(case)
    keep_from_preparing(monkeypatch)
    assert np.array_equal(cache.load(case).image, first.image)


def test_a_path_written_in_another_way_is_the_same_case(cache, case, monkeypatch):
    """A run's own settings have whole paths, those that it was begun with may have not."""
    first = cache.load(case)
    keep_from_preparing(monkeypatch)
    monkeypatch.chdir(case.image.parent)
    files = {"image": Path(case.image.name), "label": Path(case.label.name)}
    assert np.array_equal(cache.load(dataclasses.replace(case, **files)).image, first.image)


def test_changed_file_or_setting_never_meets_a_stale_entry(cache, case):
    before = cache.load(case)
    labels = np.zeros((32, 32, 32), np.uint8)
    labels[:2] = 1
    write_labels(Volume(labels, GRID), case.label)
    os.utime(case.label, ns=(1, 1))
    assert len(before.aneurysm_voxels) and not len(cache.load(case).aneurysm_voxels)
    other = VolumeCache(cache.folder, 1.0, cache.intensity)
    assert other.load(case).image.shape == (16, 16, 16)


@pytest.mark.parametrize(
    "says",
    [
        {"relabel": ((0, 0), (1, 2), (2, 1))},
        {"labels": LabelRules.from_options(["vessel=2", "aneurysm=1"])},
    ],
)
def test_values_that_mean_something_else_are_another_entry(cache, case, says):
    swapped = dataclasses.replace(case, **says)
    ours, theirs = cache.load(case), cache.load(swapped)
    assert np.array_equal(theirs.vessel_voxels, ours.aneurysm_voxels)
    assert np.array_equal(theirs.image, ours.image)


@pytest.mark.parametrize("where", ["", "series"])
def test_a_changed_slice_is_another_entry(cache, case, tmp_path, where):
    """Of the same size and date, in the folder or below."""
    folder = tmp_path / "dicom"
    (folder / where).mkdir(parents=True)
    for number in range(3):
        (folder / where / f"{number}.dcm").write_bytes(b"0123")
    slice_ = folder / where / "1.dcm"
    for image in (folder, slice_) if not where else (folder,):
        scan = dataclasses.replace(case, image=image)
        date, key = slice_.stat().st_mtime_ns, cache._key(scan)
        assert cache._key(scan) == key
        time.sleep(0.02)  # the clock of a file system ticks every few milliseconds
        slice_.write_bytes(b"3210")
        os.utime(slice_, ns=(date, date))
        changed = cache._key(scan)
        assert changed != key
        (folder / where / "3.dcm").write_bytes(b"0123")
        assert cache._key(scan) != changed


def test_voxels_beside_their_header_are_watched(cache, case, tmp_path):
    (tmp_path / "scan.mhd").write_text("ElementDataFile = voxels.bin")
    (tmp_path / "voxels.bin").write_bytes(b"0123")
    scan = dataclasses.replace(case, image=tmp_path / "scan.mhd")
    key = cache._key(scan)
    (tmp_path / "voxels.bin").write_bytes(b"012345")
    assert cache._key(scan) != key


def test_a_scan_that_is_gone_is_named(cache, case):
    case.image.unlink()
    with pytest.raises(UserError, match=r"case0\.nrrd cannot be used"):
        cache.load(case)


def only_entry(cache):
    (path,) = cache.folder.iterdir()
    return path


def test_safetensors_reads_the_same_from_an_entry(cache, case):
    volume = cache.load(case)
    arrays = load_file(only_entry(cache))
    assert set(arrays) == set(cache_module._ARRAYS)
    for name, array in arrays.items():
        assert np.array_equal(array, getattr(volume, name)) and array.flags.aligned


def test_a_case_without_an_aneurysm(cache, case):
    """An array of no voxels cannot be mapped."""
    labels = np.ones((32, 32, 32), np.uint8)
    labels[:16] = 0
    write_labels(Volume(labels, GRID), case.label)
    for _ in range(2):
        volume = cache.load(case)
        assert volume.aneurysm_voxels.shape == volume.shape("aneurysm_voxels") == (0, 3)
        assert len(volume.vessel_voxels) == 32**3 // 2


def test_half_written_entry_is_made_anew(cache, case, monkeypatch):
    def interrupted(file, arrays):
        file.write(b"half")
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(cache_module, "write_arrays", interrupted)
        with pytest.raises(KeyboardInterrupt):
            cache.load(case)
    assert not list(cache.folder.iterdir())
    assert cache.load(case).image.shape == (32, 32, 32)


def cut_off(path):
    os.truncate(path, path.stat().st_size // 2)


def cut_off_at_its_last_byte(path):
    os.truncate(path, path.stat().st_size - 1)


def cut_off_in_its_header(path):
    os.truncate(path, 20)


def lengthen(path):
    path.write_bytes(path.read_bytes() + b"0")


def empty(path):
    path.write_bytes(b"")


def replace_by_text(path):
    path.write_text("not an array")


def claim_a_huge_header(path):
    path.write_bytes(b"\xff" * 8 + path.read_bytes()[8:])


def pickle_something(path):
    path.write_bytes(pickle.dumps({"a": 1}))


def changed(change):
    """A whole file of arrays that are not those of an entry."""

    def damage(path):
        arrays = load_file(path)
        change(arrays)
        save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, path)

    damage.__name__ = change.__name__
    return damage


def without_labels(arrays):
    del arrays["labels"]


def another_shape(arrays):
    arrays["image"] = arrays["image"][:-1]


def another_type(arrays):
    arrays["image"] = arrays["image"].astype(np.float32)


def flat_voxels(arrays):
    arrays["vessel_voxels"] = arrays["vessel_voxels"][:, :2]


def short_appearance(arrays):
    arrays["appearance_values"] = arrays["appearance_values"][:-1]


DAMAGES = (
    cut_off, cut_off_at_its_last_byte, cut_off_in_its_header, lengthen, empty, replace_by_text,
    claim_a_huge_header, pickle_something, os.unlink, changed(without_labels),
    changed(another_shape), changed(another_type), changed(flat_voxels), changed(short_appearance),
)  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_damaged_entries_are_made_anew(cache, case, damage):
    good = {each: np.array(getattr(cache.load(case), each)) for each in cache_module._ARRAYS}
    damage(only_entry(cache))
    volume = cache.load(case)
    assert all(np.array_equal(getattr(volume, each), array) for each, array in good.items())
    assert stored_arrays(only_entry(cache))


def test_a_process_killed_while_it_prepares(cache, case, datalist):
    """Killed in the middle of writing; the next load is right."""
    program = textwrap.dedent(
        """
        import sys, time
        from pathlib import Path
        from gsema_core.datasets import VolumeCache, cache, read_datalist
        from gsema_core.intensities import IntensityRule

        def slow(file, arrays):
            file.write(b"half")
            file.flush()
            print("writing", flush=True)
            time.sleep(60)

        cache.write_arrays = slow
        case = read_datalist(sys.argv[1])[0]
        VolumeCache(Path(sys.argv[2]), 0.5, IntensityRule()).load(case)
        """
    )
    command = [sys.executable, "-c", program, str(datalist), str(cache.folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"writing\n"
        process.send_signal(signal.SIGKILL)
    assert not list(cache.folder.glob("*.safetensors"))
    volume = cache.load(case)
    assert len(volume.aneurysm_voxels) == (volume.labels == 2).sum() > 0


def test_an_entry_that_another_run_made_meanwhile_stays(cache, case, monkeypatch):
    """On a network drive, a file that is replaced would vanish under whoever reads it."""
    prepare = VolumeCache._prepare

    def slow(self, case):
        arrays = prepare(self, case)
        with monkeypatch.context() as patched:
            patched.setattr(VolumeCache, "_prepare", prepare)
            made.append(VolumeCache(cache.folder, 0.5, cache.intensity).load(case))
        written.append(only_entry(cache).stat().st_ino)
        return arrays

    made: list = []
    written: list = []
    with monkeypatch.context() as patched:
        patched.setattr(VolumeCache, "_prepare", slow)
        volume = cache.load(case)
    assert np.array_equal(volume.image, made[0].image)
    assert [only_entry(cache).stat().st_ino] == written


def test_an_entry_of_an_older_version_is_not_read(cache, case, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(cache_module, "_VERSION", cache_module._VERSION - 1)
        patched.setattr(cache_module, "ANEURYSM", 1)
        cache.load(case)
    volume = cache.load(case)
    assert len(volume.aneurysm_voxels) == (volume.labels == 2).sum()


def test_keeps_only_what_is_used(cache, case, datalist):
    other = read_datalist(datalist)[1]
    for each in (case, other):
        cache.load(each)
    VolumeCache(cache.folder, 1.0, cache.intensity).load(case)
    former = cache.folder / f"{'0' * 32}.aneurysm_voxels.npy"
    theirs = [cache.folder / name for name in ("notes.txt", "teacher.safetensors", "image.npy")]
    for path in (former, *theirs):
        path.touch()
    assert cache.keep_only([case]) == 3
    entry = cache.folder / f"{cache._key(case)}.safetensors"
    assert set(cache.folder.iterdir()) == {entry, *theirs}


def test_each_use_sets_the_date(cache, case):
    """By which those that no run uses any more can be found and deleted."""
    cache.load(case)
    os.utime(only_entry(cache), (1, 1))
    cache.load(case)
    assert only_entry(cache).stat().st_mtime > time.time() - 60


def test_pickles_files_and_not_voxels(cache, case):
    volume = cache.load(case)
    content = pickle.dumps(volume)
    assert len(content) < 4000 < volume.labels.nbytes
    copy = pickle.loads(content)
    assert copy.case == case
    for name in ("image", "labels", "vessel_voxels", "aneurysm_voxels"):
        array = getattr(copy, name)
        assert isinstance(array, np.memmap) and np.array_equal(array, getattr(volume, name))


def test_pickles_arrays_that_are_no_files(cache, case):
    """Also parts of memory-mapped ones."""
    volume = cache.load(case)
    changed = dataclasses.replace(
        volume, image=np.ones((2, 3, 4), np.float16), labels=volume.labels[3:5]
    )
    copy = pickle.loads(pickle.dumps(changed))
    assert copy.image.shape == (2, 3, 4) and (copy.image == 1).all()
    assert np.array_equal(copy.labels, volume.labels[3:5])


def test_a_spawned_process_sees_the_volume(cache, case):
    volume = cache.load(case)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        count = pool.apply(np.count_nonzero, (_LabelsOf(volume),))
    assert count == np.count_nonzero(volume.labels)


class _LabelsOf:
    """Pickles the volume, and is its labels on the other side."""

    def __init__(self, volume):
        self.volume = volume

    def __reduce__(self):
        return getattr, (self.volume, "labels")


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="nobody tells what is open")
def test_cases_that_nobody_looks_at_keep_no_file_open(cache, case):
    """There may be more cases than the 1,024 files that many systems let a process open."""
    before = len(list(Path("/proc/self/fd").iterdir()))
    volumes = [cache.load(case) for _ in range(50)]
    assert sum(int(volume.labels.max()) for volume in volumes) == 100
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_cache_that_vanishes_is_told(cache, case):
    volume = cache.load(case)
    for file in cache.folder.iterdir():
        file.unlink()
    with pytest.raises(UserError, match=r"prepared case in .*cache cannot be read any more"):
        _ = volume.image


def test_label_on_another_grid_is_refused(cache, case):
    moved = dataclasses.replace(GRID, origin=(3, 0, 0))
    write_labels(Volume(np.ones((32, 32, 32), np.uint8), moved), case.label)
    with pytest.raises(UserError, match=r"case0-label\.nrrd is not on the grid of its image"):
        cache.load(case)


def test_a_full_disk_is_told_in_a_sentence(cache, case, monkeypatch):
    def full(file, arrays):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache_module, "write_arrays", full)
    with pytest.raises(UserError, match="No space left on device"):
        cache.load(case)
    assert not list(cache.folder.iterdir())

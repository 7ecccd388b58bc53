from __future__ import annotations

import errno
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from gsema_core.errors import UserError
from gsema_core.files import read_labels, read_volume, write_labels, write_volume
from gsema_core.grids import Geometry, Volume

SUFFIXES = (".nrrd", ".nii", ".nii.gz", ".mha")
# NIfTI keeps origins and rotations as float32.
TOLERANCE_MM = {".nrrd": 1e-9, ".mha": 1e-6, ".nii": 1e-4, ".nii.gz": 1e-4}


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_images_come_back_on_their_grid(tmp_path: Path, geometry: Geometry, suffix: str) -> None:
    array = np.random.default_rng(0).normal(size=geometry.shape).astype(np.float32)
    path = tmp_path / f"scan{suffix}"
    write_volume(Volume(array, geometry), path, compress=False)
    back = read_volume(path)
    np.testing.assert_array_equal(back.array, array)
    assert back.geometry.is_close(geometry, TOLERANCE_MM[suffix])


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".seg.nrrd"])
def test_labels_come_back_on_their_grid(
    tmp_path: Path,
    geometry: Geometry,
    suffix: str,
    sphere_distance: Callable[[Geometry], np.ndarray],
) -> None:
    distance = sphere_distance(geometry)
    labels = Volume(np.select([distance < -2, distance < 0], [1, 2], 0), geometry)
    path = tmp_path / f"labels{suffix}"
    write_labels(labels, path)
    back = read_labels(path)
    assert back.array.dtype == np.uint8
    np.testing.assert_array_equal(back.array, labels.array)
    assert back.geometry.is_close(geometry, TOLERANCE_MM[suffix.replace(".seg", "")])


@pytest.mark.parametrize("suffix", [".nrrd", ".nii.gz", ".mha"])
def test_labels_are_compressed(tmp_path: Path, suffix: str) -> None:
    labels = Volume(np.zeros((50, 50, 50), np.uint8), Geometry((50, 50, 50)))
    write_labels(labels, tmp_path / f"labels{suffix}")
    assert (tmp_path / f"labels{suffix}").stat().st_size < 5000


def test_probabilities_of_half_precision_are_written(tmp_path: Path, scan: Volume) -> None:
    write_volume(Volume(scan.array.astype(np.float16), scan.geometry), tmp_path / "p.nrrd")
    np.testing.assert_array_equal(read_volume(tmp_path / "p.nrrd").array, np.float16(scan.array))


@pytest.mark.parametrize("value", [-1, 256, 0.5])
def test_labels_that_are_none_are_refused(tmp_path: Path, scan: Volume, value: float) -> None:
    with pytest.raises(ValueError, match="whole numbers from 0 to 255"):
        write_labels(Volume(np.full_like(scan.array, value), scan.geometry), tmp_path / "a.nrrd")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["out", "out.png", "out.nrrd.txt", "out.mhd"])
def test_unknown_suffix(tmp_path: Path, scan: Volume, name: str) -> None:
    with pytest.raises(UserError, match=rf"output format of {name} is not known.*\.nrrd"):
        write_volume(scan, tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_folder_that_does_not_exist(tmp_path: Path, scan: Volume) -> None:
    with pytest.raises(UserError, match="nowhere does not exist: create it first"):
        write_volume(scan, tmp_path / "nowhere" / "out.nrrd")


def test_output_that_is_a_folder(tmp_path: Path, scan: Volume) -> None:
    (tmp_path / "out.nrrd").mkdir()
    with pytest.raises(UserError, match="is a folder"):
        write_volume(scan, tmp_path / "out.nrrd")


@pytest.mark.parametrize("write", [write_volume, write_labels])
@pytest.mark.parametrize("reason", [errno.ENOSPC, errno.EROFS, errno.EACCES])
@pytest.mark.parametrize("where", ["mkdtemp", "replace", "fsync"])
def test_the_old_file_survives_every_failure(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    write: Callable[[Volume, Path], None],
    reason: int,
    where: str,
) -> None:
    path = tmp_path / "out.nrrd"
    path.write_bytes(b"the old output")

    def fail(*_: object, **__: object) -> None:
        raise OSError(reason, os.strerror(reason))

    monkeypatch.setattr(tempfile if where == "mkdtemp" else os, where, fail)
    volume = Volume(np.ones((3, 4, 5), np.uint8), Geometry((5, 4, 3)))
    with pytest.raises(UserError, match="Could not write") as caught:
        write(volume, path)
    monkeypatch.undo()
    assert os.strerror(reason) in str(caught.value)
    assert path.read_bytes() == b"the old output"
    assert list(tmp_path.iterdir()) == [path]


def test_the_old_file_survives_an_error_of_the_writer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scan: Volume
) -> None:
    path = tmp_path / "out.nrrd"
    path.write_bytes(b"the old output")

    def fail(*_: object) -> None:
        raise RuntimeError("sitk::ERROR: 0xdead")

    monkeypatch.setattr(sitk, "WriteImage", fail)
    with pytest.raises(UserError, match="the disk may be full") as caught:
        write_volume(scan, path)
    assert "sitk" not in str(caught.value)
    assert path.read_bytes() == b"the old output"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(sys.platform == "win32", reason="limits a file's size the POSIX way")
def test_a_disk_that_runs_full_is_noticed_in_every_format(tmp_path: Path) -> None:
    """ITK reports success for NIfTI; a limit on the file's size stands for the full disk."""
    code = """
import resource, signal, sys
import numpy as np
from gsema_core.grids import Geometry, Volume
from gsema_core.files import write_labels, write_volume
noise = np.random.default_rng(0).integers(0, 255, (40, 40, 40)).astype(np.uint8)
volume = Volume(noise, Geometry((40, 40, 40)))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
for path in sys.argv[1:]:
    for write in (write_volume, write_labels):
        try:
            write(volume, path)
        except ValueError as error:
            print("Could not write" in str(error))
"""
    paths = [tmp_path / f"out{suffix}" for suffix in (*SUFFIXES, ".seg.nrrd")]
    for path in paths:
        path.write_bytes(b"the old output")
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, paths)], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["True"] * 2 * len(paths)
    assert done.stderr == ""
    assert all(path.read_bytes() == b"the old output" for path in paths)
    assert sorted(tmp_path.iterdir()) == sorted(paths)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_a_name_that_is_no_text_does_not_end_the_process(
    tmp_path: Path, geometry: Geometry
) -> None:
    """As names from Windows or from old archives are; ITK calls abort() there."""
    labels = Volume(np.ones(geometry.shape, np.uint8), geometry)
    path = tmp_path / os.fsdecode(b"Zo\xeb.seg.nrrd")
    write_labels(labels, path)
    assert np.array_equal(read_labels(path).array, labels.array)
    folder = tmp_path / os.fsdecode(b"Zo\xeb")
    folder.mkdir()
    with pytest.raises(UserError, match=r"Zo\\udceb has a name that is not in this system's enc"):
        write_labels(labels, folder / "a.nrrd")
    assert list(folder.iterdir()) == []

from __future__ import annotations

import bz2
import gzip
import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from gsema_core.files.image_files import read_header
from gsema_core.files.voxel_data import DamagedFile, VoxelData, inflated

VALUES = np.arange(-30, 70, dtype="<i2")


def stored(path: Path, content: bytes, **how: object) -> VoxelData:
    path.write_bytes(content)
    return VoxelData(path, 0, VALUES.dtype, **how)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("coding", "content"),
    [
        ("raw", VALUES.tobytes()),
        ("deflate", gzip.compress(VALUES.tobytes())),
        ("deflate", zlib.compress(VALUES.tobytes())),
        ("bzip2", bz2.compress(VALUES.tobytes())),
        ("hex", VALUES.tobytes().hex().encode()),
        ("text", " ".join(map(str, VALUES)).encode()),
    ],
)
def test_every_coding_is_read_and_checked(tmp_path: Path, coding: str, content: bytes) -> None:
    voxels = stored(tmp_path / "a", content, coding=coding)
    np.testing.assert_array_equal(voxels.read(100), VALUES)
    voxels.check(100)
    for count in (101, 60):
        for look in (voxels.read, voxels.check):
            with pytest.raises(DamagedFile):
                look(count)


def test_a_file_that_is_cut_off_while_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    voxels = stored(tmp_path / "a", VALUES.tobytes()[:150])
    monkeypatch.setattr("gsema_core.files.voxel_data._left", lambda file: 200)
    with pytest.raises(DamagedFile, match="75 voxels instead of 100"):
        voxels.read(100)


@pytest.mark.parametrize("coding", ["raw", "deflate"])
def test_far_more_voxels_than_the_header_says_mean_that_it_is_wrong(
    tmp_path: Path, coding: str
) -> None:
    """A header of 8 bits on a file of 16 would else give half a scan of noise."""
    content = VALUES.tobytes() if coding == "raw" else gzip.compress(VALUES.tobytes())
    (tmp_path / "a").write_bytes(content)
    voxels = VoxelData(tmp_path / "a", 0, np.dtype("u1"), coding)  # type: ignore[arg-type]
    with pytest.raises(DamagedFile, match="far more data"):
        voxels.read(100)


@pytest.mark.parametrize("first", [0, 700, 10_000])
def test_streams_in_a_row_are_one(first: int) -> None:
    """Parallel compressors write them so."""
    data = np.random.default_rng(0).bytes(200_000)
    for compress, coding in ((gzip.compress, "deflate"), (bz2.compress, "bzip2")):
        file = io.BytesIO(compress(data[:first]) + compress(data[first:]))
        assert b"".join(inflated(file, coding, len(data))) == data
        file = io.BytesIO(compress(data) + bytes(300) + b"padding")
        assert b"".join(inflated(file, coding, len(data))) == data


@pytest.mark.parametrize("offset", [0, -100])
def test_voxels_never_begin_within_the_header(tmp_path: Path, offset: int) -> None:
    path = tmp_path / "a.nii"
    array = np.arange(210, dtype=np.float32).reshape(7, 6, 5)
    sitk.WriteImage(sitk.GetImageFromArray(array), str(path))
    content = bytearray(path.read_bytes())
    struct.pack_into("<f", content, 108, offset)
    path.write_bytes(content)
    np.testing.assert_array_equal(read_header(path).read(), array.reshape(-1))


@pytest.mark.parametrize("content", [b"", b"\x1f\x8b", b"\x1f\x8bxx", bytes(600), b"\x5c\x01\0\0"])
def test_no_nifti_header(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.nii").write_bytes(content)
    with pytest.raises(DamagedFile):
        read_header(tmp_path / "a.nii")


def test_the_checksum_is_looked_at(tmp_path: Path) -> None:
    stream = bytearray(gzip.compress(VALUES.tobytes()))
    stream[-8] ^= 1
    with pytest.raises(DamagedFile, match="compressed data is wrong"):
        stored(tmp_path / "a", bytes(stream), coding="deflate").read(100)

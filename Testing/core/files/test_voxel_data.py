from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from gsema_core.files.image_files import find_voxels
from gsema_core.files.nifti_header import NiftiHeader, has_all_finite_voxels, read_nifti_header
from gsema_core.files.voxel_data import DamagedFile


def nifti2(big_endian: bool = False) -> bytes:
    order = ">" if big_endian else "<"
    header = bytearray(544)
    struct.pack_into(order + "i", header, 0, 540)
    header[4:12] = b"n+2\0\r\n\x1a\n"
    struct.pack_into(order + "hh", header, 12, 4, 16)
    struct.pack_into(order + "8q", header, 16, 3, 5, 6, 7, 1, 1, 1, 1)
    struct.pack_into(order + "8d", header, 104, 1, 0.3, 0.4, 0.5, 1, 1, 1, 1)
    struct.pack_into(order + "q", header, 168, 544)
    return bytes(header) + bytes(5 * 6 * 7 * 2)


def first_voxel(header: NiftiHeader) -> int:
    """Where the voxels begin, in the decompressed file."""
    return header.voxels.offset + header.voxels.skipped


def test_nifti_1_header(tmp_path: Path) -> None:
    image = sitk.GetImageFromArray(np.zeros((7, 6, 5), np.int16))
    image.SetSpacing((0.3, 0.4, 0.5))
    for name in ("a.nii", "a.nii.gz"):
        sitk.WriteImage(image, str(tmp_path / name))
        header = read_nifti_header(tmp_path / name)
        assert header.size == (5, 6, 7)
        assert header.spacing == pytest.approx((0.3, 0.4, 0.5))
        assert (header.data_bytes, first_voxel(header)) == (5 * 6 * 7 * 2, 352)


@pytest.mark.parametrize("big_endian", [False, True])
def test_nifti_2_header(tmp_path: Path, big_endian: bool) -> None:
    path = tmp_path / "a.nii"
    path.write_bytes(nifti2(big_endian))
    header = read_nifti_header(path)
    assert header.size == (5, 6, 7)
    assert header.spacing == pytest.approx((0.3, 0.4, 0.5))
    assert (header.data_bytes, first_voxel(header)) == (5 * 6 * 7 * 2, 544)
    find_voxels(path).check(5 * 6 * 7, 2)
    path.write_bytes(nifti2(big_endian)[:-1])
    with pytest.raises(DamagedFile):
        find_voxels(path).check(5 * 6 * 7, 2)


@pytest.mark.parametrize("offset", [0, -100])
def test_voxels_never_begin_within_the_header(tmp_path: Path, offset: int) -> None:
    path = tmp_path / "a.nii"
    sitk.WriteImage(sitk.GetImageFromArray(np.ones((7, 6, 5), np.float32)), str(path))
    content = bytearray(path.read_bytes())
    struct.pack_into("<f", content, 108, offset)
    path.write_bytes(content)
    assert first_voxel(read_nifti_header(path)) == 348
    assert has_all_finite_voxels(path)


@pytest.mark.parametrize("content", [b"", b"\x1f\x8b", b"\x1f\x8bxx", bytes(600), b"\x5c\x01\0\0"])
def test_no_nifti_header(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.nii").write_bytes(content)
    with pytest.raises(DamagedFile):
        read_nifti_header(tmp_path / "a.nii")


def test_gzip_files_of_several_streams_are_whole(tmp_path: Path) -> None:
    """Parallel compressors write them so."""
    data = nifti2()
    path = tmp_path / "a.nii.gz"
    path.write_bytes(gzip.compress(data[:700]) + gzip.compress(data[700:]))
    find_voxels(path).check(5 * 6 * 7, 2)
    path.write_bytes(gzip.compress(data[:700]))
    with pytest.raises(DamagedFile):
        find_voxels(path).check(5 * 6 * 7, 2)


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_compressed_nrrd_is_checked_whatever_its_line_ends(tmp_path: Path, line_end: str) -> None:
    head = ["NRRD0004", "type: uint8", "dimension: 3", "sizes: 9 9 9", "encoding: gzip", "", ""]
    stream = bytearray(gzip.compress(np.random.default_rng(0).bytes(729)))
    path = tmp_path / "a.nrrd"
    path.write_bytes(line_end.join(head).encode() + stream)
    find_voxels(path).check(9**3, 1)
    stream[300] ^= 1
    path.write_bytes(line_end.join(head).encode() + stream)
    with pytest.raises(DamagedFile):
        find_voxels(path).check(9**3, 1)

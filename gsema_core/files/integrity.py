"""Finding image files that are cut off, damaged or forged, which ITK reads without a word.

Measured with ITK 5.4: a NIfTI file that is cut off reads as an image that ends in zeros, and a
damaged gzip or zlib stream in NRRD and MetaImage as an image that is wrong from there on. A full
disk while writing NIfTI goes unnoticed as well, so writers check what they wrote.
"""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import numpy as np

from gsema_core.files.meta_header import meta_voxels
from gsema_core.files.nifti_header import nifti_voxels, read_nifti_header
from gsema_core.files.nrrd_header import nrrd_voxels
from gsema_core.files.voxel_data import CHUNK_BYTES, GZIP_START, VoxelData, read_start


def find_voxels(path: str | os.PathLike[str]) -> VoxelData:
    """Where the voxels of an NRRD, NIfTI or MetaImage file lie, by its suffix.

    Raises:
        DamagedFile: its header is none of that format.
        UserError: the voxels lie in a file that is missing or that it must not refer to.
    """
    path = Path(path)
    name = path.name.lower()
    if name.endswith((".nii", ".nii.gz")):
        return nifti_voxels(path)
    return nrrd_voxels(path) if name.endswith((".nrrd", ".nhdr")) else meta_voxels(path)


def check_integrity(
    path: str | os.PathLike[str], voxels: int | None = None, voxel_bytes: int = 1
) -> None:
    """Check a file's length and checksum.

    Args:
        path: NIfTI, NRRD or MetaImage, by its suffix.
        voxels: how many there must be; None asks the header of NIfTI, and checks no more than
            the checksum of compressed data in the others.
        voxel_bytes: bytes of one.

    Raises:
        DamagedFile: bytes are missing or wrong.
        UserError: as for ``find_voxels``.
    """
    path = Path(path)
    if path.name.lower().endswith((".nii", ".nii.gz")):
        voxels, voxel_bytes = read_nifti_header(path).data_bytes, 1
    find_voxels(path).check(voxels, voxel_bytes)


def has_all_finite_voxels(path: str | os.PathLike[str]) -> bool:
    """Whether a NIfTI file is free of NaN and infinities, which ITK reads as 0 without a word.

    Raises:
        DamagedFile: it is no NIfTI file.
    """
    path = Path(path)
    header = read_nifti_header(path)
    if not header.float_type:
        return True
    compressed = read_start(path, 2) == GZIP_START
    left = header.data_bytes
    with gzip.open(path, "rb") if compressed else path.open("rb") as file:
        file.seek(header.data_offset)
        while left > 0 and (data := file.read(min(left, CHUNK_BYTES))):
            if not np.isfinite(np.frombuffer(data, header.float_type)).all():
                return False
            left -= len(data)
    return True

"""What a NIfTI file's header says, before ITK replaces what is nonsense in it."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gsema_core.files.voxel_data import (
    CHUNK_BYTES,
    GZIP_START,
    DamagedFile,
    VoxelData,
    read_start,
)

_FLOATS = {16: "f4", 64: "f8"}
"""NIfTI's codes of real floating-point types, and NumPy's names of them."""

_VOXEL_BYTES = {
    2: 1, 4: 2, 8: 4, 16: 4, 32: 8, 64: 8, 128: 3, 256: 1, 512: 2, 768: 4, 1024: 8, 1280: 8,
    1536: 16, 1792: 16, 2048: 32, 2304: 4,
}  # fmt: skip
"""Bytes of a voxel by its type's code. The header has a field for them too, but nobody reads it."""

_LAYOUTS = {
    348: (("8h", 40), ("h", 70), ("3f", 80), ("f", 108), ("2h", 252), ("18f", 256)),
    540: (("8q", 16), ("h", 12), ("3d", 112), ("q", 168), ("2i", 344), ("18d", 352)),
}
"""By the header's length, NIfTI-1's and NIfTI-2's: as what and where the dimensions, the voxels'
type, the spacing, the voxels' offset, the codes of the axes and the axes stand."""

LARGEST_MM = 1e6
"""Of the numbers that say where the voxels lie: no scanner is a kilometer wide. Our choice."""


@dataclass(frozen=True)
class NiftiHeader:
    """The part of a header that matters here: ITK turns a spacing of 0 or NaN into 1 mm.

    Args:
        size: voxels along each axis, as many as the image has.
        spacing: mm along the first three axes.
        data_bytes: how long the voxel data are.
        voxels: where they lie.
        float_type: NumPy's name of the voxels' type where they are floats, else empty.
    """

    size: tuple[int, ...]
    spacing: tuple[float, float, float]
    data_bytes: int
    voxels: VoxelData
    float_type: str = ""


def read_nifti_header(path: Path) -> NiftiHeader:
    """Read the header of a NIfTI-1 or NIfTI-2 file, compressed or not.

    Raises:
        DamagedFile: it is not one.
    """
    try:
        start = read_start(path, 2**16)
        compressed = start.startswith(GZIP_START)
        if compressed:
            start = zlib.decompressobj(wbits=31).decompress(start, 540)
        order = "<" if struct.unpack_from("<i", start)[0] in _LAYOUTS else ">"
        (header_bytes,) = struct.unpack_from(order + "i", start)
        dimensions, (code,), spacing, (offset,), codes, numbers = (
            struct.unpack_from(order + kind, start, at) for kind, at in _LAYOUTS[header_bytes]
        )
        # As ITK does: voxels cannot begin within the header, whatever it says.
        offset = max(int(offset), header_bytes)
    except (struct.error, zlib.error, KeyError, ValueError, OverflowError) as e:
        raise DamagedFile("no NIfTI header") from e
    _check_axes(codes, numbers)
    size = dimensions[1 : 1 + max(0, min(7, dimensions[0]))]
    if code not in _VOXEL_BYTES:
        raise DamagedFile(f"voxels of the unknown type {code}")
    length = math.prod(max(0, n) for n in size) * _VOXEL_BYTES[code]
    float_type = order + _FLOATS[code] if code in _FLOATS else ""
    packed, plain = VoxelData(path, 0, "deflate", offset), VoxelData(path, offset, "raw")
    return NiftiHeader(size, spacing, length, packed if compressed else plain, float_type)


def has_all_finite_voxels(path: Path) -> bool:
    """Whether a NIfTI file is free of NaN and infinities, which ITK reads as 0 without a word.

    Raises:
        DamagedFile: it is no NIfTI file.
    """
    header = read_nifti_header(path)
    if not header.float_type:
        return True
    voxels, left = header.voxels, header.data_bytes
    with gzip.open(path, "rb") if voxels.coding == "deflate" else path.open("rb") as file:
        file.seek(voxels.offset + voxels.skipped)
        while left > 0 and (data := file.read(min(left, CHUNK_BYTES))):
            if not np.isfinite(np.frombuffer(data, header.float_type)).all():
                return False
            left -= len(data)
    return True


def _check_axes(codes: tuple[int, ...], numbers: tuple[float, ...]) -> None:
    """Check the two ways to say where the voxels lie; a code of 0 says that one is not used.

    ITK looks for the axes forever where the numbers are infinite or huge (measured).
    """
    rotation, place, rows = numbers[:3], numbers[3:6], numbers[6:]
    used = [*rotation, *place] if codes[0] > 0 else []
    used += rows if codes[1] > 0 else []
    if not all(abs(number) <= LARGEST_MM for number in used):  # not a number fails too
        raise DamagedFile("axes that are not numbers, or beyond all measure")

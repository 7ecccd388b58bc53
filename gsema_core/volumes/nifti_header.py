"""What a NIfTI file's header says, before ITK replaces what is nonsense in it."""

from __future__ import annotations

import gzip
import math
import os
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

GZIP_START = b"\x1f\x8b"

_FLOATS = {16: "f4", 64: "f8"}
"""NIfTI's codes of real floating-point types, and NumPy's names of them."""


class DamagedFile(Exception):
    """The file's bytes contradict its header or its checksum."""


@dataclass(frozen=True)
class NiftiHeader:
    """The part of a header that matters here: ITK turns a spacing of 0 or NaN into 1 mm.

    Args:
        size: voxels along each axis, as many as the image has.
        spacing: mm along the first three axes.
        data_bytes: how long the voxel data are.
        data_offset: where they begin (in the decompressed file).
        float_type: NumPy's name of the voxels' type where they are floats, else empty.
    """

    size: tuple[int, ...]
    spacing: tuple[float, float, float]
    data_bytes: int
    data_offset: int
    float_type: str = ""


def read_nifti_header(path: str | os.PathLike[str]) -> NiftiHeader:
    """Read the header of a NIfTI-1 or NIfTI-2 file, compressed or not.

    Raises:
        DamagedFile: it is not one.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            compressed = file.read(2) == GZIP_START
        with gzip.open(path, "rb") if compressed else path.open("rb") as file:
            start = file.read(540)
        order = "<" if struct.unpack_from("<i", start)[0] in (348, 540) else ">"
        version_length = struct.unpack_from(order + "i", start)[0]
        if version_length == 348:
            dimensions = struct.unpack_from(order + "8h", start, 40)
            code, bits = struct.unpack_from(order + "2h", start, 70)
            spacing = struct.unpack_from(order + "3f", start, 80)
            offset = int(struct.unpack_from(order + "f", start, 108)[0])
        elif version_length == 540:
            code, bits = struct.unpack_from(order + "2h", start, 12)
            dimensions = struct.unpack_from(order + "8q", start, 16)
            spacing = struct.unpack_from(order + "3d", start, 112)
            offset = struct.unpack_from(order + "q", start, 168)[0]
        else:
            raise DamagedFile("no NIfTI header")
    except (struct.error, EOFError, zlib.error, gzip.BadGzipFile, ValueError, OverflowError) as e:
        raise DamagedFile(str(e)) from e
    size = dimensions[1 : 1 + max(0, min(7, dimensions[0]))]
    length = math.prod(max(0, n) for n in size) * bits // 8
    float_type = order + _FLOATS[code] if code in _FLOATS else ""
    # As ITK does: voxels cannot begin within the header, whatever it says.
    return NiftiHeader(size, spacing, length, max(offset, version_length), float_type)

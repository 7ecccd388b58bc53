"""What a NIfTI file's header says (nifti.nimh.nih.gov/nifti-1)."""

from __future__ import annotations

import math
import struct
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gsema_core.errors import UserError
from gsema_core.files.image_header import ImageHeader, check_spacing, unit_mm
from gsema_core.files.voxel_data import (
    GZIP_START,
    DamagedFile,
    VoxelData,
    existing_data,
    read_start,
)

_TYPES = {
    2: "u1", 4: "i2", 8: "i4", 16: "f4", 32: "c8", 64: "f8", 128: "u1", 256: "i1", 512: "u2",
    768: "u4", 1024: "i8", 1280: "u8", 1792: "c16", 2304: "u1",
}  # fmt: skip
"""NumPy's names of NIfTI's types. The header has a field for bits too, but nobody reads it."""

_COLORS = {128: 3, 2304: 4}
"""Values a voxel, of the types that are colors."""

_LAYOUTS = {
    348: (("3s", 344), ("8h", 40), ("h", 70), ("8f", 76), ("f", 108), ("2f", 112), ("B", 123),
          ("2h", 252), ("18f", 256)),
    540: (("3s", 4), ("8q", 16), ("h", 12), ("8d", 104), ("q", 168), ("2d", 176), ("i", 500),
          ("2i", 344), ("18d", 352)),
}  # fmt: skip
"""By the header's length, NIfTI-1's and NIfTI-2's: as what and where the mark, the dimensions, the
voxels' type, the spacings, the voxels' offset, their scale, the units, the codes of qform and sform
and the numbers of both stand."""

_UNITS = {0: "", 1: "m", 2: "mm", 3: "um"}

SPACING_TOLERANCE = 1e-3
"""How far the axes' lengths may differ from the spacings: half a voxel after 500. Our choice."""

_TO_LPS = np.array([[-1.0], [-1.0], [1.0]])


def read_nifti_header(path: Path) -> ImageHeader:
    """Read the header of a NIfTI-1 or NIfTI-2 file, compressed or not, whatever its name says.

    Raises:
        DamagedFile: it is none.
        UserError: it contradicts itself, its unit is not known, or its voxels are missing.
    """
    try:
        start = read_start(path, 2**16)
        if start.startswith(GZIP_START):
            start = zlib.decompressobj(wbits=31).decompress(start, 540)
        order = "<" if struct.unpack_from("<i", start)[0] in _LAYOUTS else ">"
        (length,) = struct.unpack_from(order + "i", start)
        found = [struct.unpack_from(order + kind, start, at) for kind, at in _LAYOUTS[length]]
        (mark,), (axes, *sizes), (code,), (qfac, *sides), (first,) = found[:5]
        scale, (unit,), codes, place = found[5:]
        offset = int(first)
    except (struct.error, zlib.error, KeyError, ValueError, OverflowError) as e:
        raise DamagedFile("no NIfTI header") from e
    if not 1 <= axes <= 7:
        raise DamagedFile(f"{axes} axes")
    if code not in _TYPES:
        raise UserError(
            f"The image {path} has voxels of the unknown type {code}, which cannot be read: save "
            "it with 16-bit integers or 32-bit floats."
        )
    kind, sizes = np.dtype(order + _TYPES[code]), sizes[:axes]
    values = sizes.pop(4) if axes > 4 else 1
    unit_size = unit_mm(path, [_UNITS.get(unit & 7, f"code {unit & 7}")])
    spacing = tuple(side * unit_size for side in sides[: min(3, axes)])
    origin, direction = _place(path, codes, place, spacing, unit_size, qfac)
    slope, intercept = scale if scale[0] and not math.isnan(scale[0]) else (1.0, 0.0)
    if not (math.isfinite(slope) and math.isfinite(intercept)):
        raise DamagedFile(f"a slope of {slope} and an intercept of {intercept}")
    return ImageHeader(
        tuple(sizes), spacing, origin, direction, _voxels(path, mark, length, offset, kind),
        components=_COLORS.get(code, 1) * values, slope=slope, intercept=intercept,
    )  # fmt: skip


def _voxels(path: Path, mark: bytes, length: int, offset: int, kind: np.dtype) -> VoxelData:
    """Where the voxels lie: behind the header, or in a file of their own."""
    if mark[:2] == b"ni":
        names = [path.with_name(path.stem + end) for end in (".img", ".IMG", ".img.gz")]
        data = existing_data(path, next((one for one in names if one.is_file()), names[0]))
    elif mark[:2] == b"n+":
        # Some programs write 0; behind the header four bytes say whether there is more of it.
        data, offset = path, offset if offset >= length else length + 4
    else:
        raise UserError(
            f"The image {path} is an Analyze file, which does not say how the patient lies: save "
            "it as NIfTI or NRRD."
        )
    if read_start(data, 2) == GZIP_START:
        return VoxelData(data, 0, kind, "deflate", skipped=max(0, offset))
    return VoxelData(data, max(0, offset), kind)


def _place(
    path: Path,
    codes: tuple[int, int],
    place: tuple[float, ...],
    spacing: tuple[float, ...],
    unit_size: float,
    qfac: float,
) -> tuple[tuple[float, ...], npt.NDArray[np.float64]]:
    """Origin and directions in LPS.

    Where qform and sform are both there, the sform counts if it means the scanner (code 1), else
    the qform, as in ITK and Slicer: the other codes are places in an atlas or another scan. Where
    neither is, the axes are the patient's, as there.
    """
    qform, sform = codes
    if sform > 0 and (sform == 1 or qform <= 0):
        rows = np.array(place[6:]).reshape(3, 4)
        axes, origin = rows[:, :3], rows[:, 3]
        check_spacing(path, spacing)
        lengths = np.linalg.norm(axes * unit_size, axis=0)[: len(spacing)]
        if not np.allclose(lengths, spacing, rtol=SPACING_TOLERANCE, atol=0):
            told = " x ".join(f"{length:g}" for length in lengths)
            raise UserError(
                f"The image {path} has two voxel spacings, {told} mm by its sform and "
                f"{' x '.join(f'{side:g}' for side in spacing)} mm by its pixdim: correct its "
                "header, or resample it."
            )
        axes = axes / np.linalg.norm(axes, axis=0)
    elif qform > 0:
        axes, origin = _rotation(*place[:3]), np.array(place[3:6])
        axes[:, 2] *= -1 if qfac < 0 else 1
    else:
        return (0.0, 0.0, 0.0), np.eye(3)
    return tuple(_TO_LPS[:, 0] * origin * unit_size), _TO_LPS * axes


def _rotation(b: float, c: float, d: float) -> npt.NDArray[np.float64]:
    """The matrix of a unit quaternion whose first number is left out, as it is not negative.

    Raises:
        DamagedFile: it is longer than 1.
    """
    squares = b * b + c * c + d * d
    if not squares <= 1 + SPACING_TOLERANCE:
        raise DamagedFile("axes that are no rotation")
    a = math.sqrt(max(0.0, 1 - squares))
    b, c, d = (x / math.sqrt(max(1.0, squares)) for x in (b, c, d))
    return np.array([
        [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
        [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
        [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
    ])  # fmt: skip

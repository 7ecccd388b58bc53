"""What a MetaImage file's header says (itk.org/Wiki/MetaIO/Documentation)."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from gsema_core.errors import UserError
from gsema_core.files.image_header import (
    ImageHeader,
    decoded,
    no_spacing,
    numbers,
    unit_mm,
    whole_numbers,
)
from gsema_core.files.voxel_data import DamagedFile, VoxelData, data_beside, read_start

_TYPES = {
    "MET_CHAR": "i1", "MET_UCHAR": "u1", "MET_SHORT": "i2", "MET_USHORT": "u2", "MET_INT": "i4",
    "MET_UINT": "u4", "MET_LONG": "i4", "MET_ULONG": "u4", "MET_LONG_LONG": "i8",
    "MET_ULONG_LONG": "u8", "MET_FLOAT": "f4", "MET_DOUBLE": "f8",
}  # fmt: skip
"""A long has four bytes on every system, as in MetaIO's table."""

MAXIMUM_AXES = 10
"""MetaIO's limit."""


def read_meta_header(path: Path) -> ImageHeader:
    """Read a MetaImage header.

    Raises:
        DamagedFile: it is none.
        UserError: it says what cannot be read, or leaves out what is needed; or the voxels lie in
            a file that is missing or that it must not refer to.
    """
    fields, end = _fields(read_start(path))
    if fields.get("ObjectType", "Image") != "Image" or not {"NDims", "DimSize"} <= set(fields):
        raise DamagedFile("an object that is no image")
    (axes,) = whole_numbers(fields["NDims"], 1, "NDims")
    if not 1 <= axes <= MAXIMUM_AXES:
        raise DamagedFile(f"{axes} axes")
    if "ElementSpacing" not in fields:
        raise no_spacing(path, "'ElementSpacing'")
    scale = unit_mm(path, [fields.get("DistanceUnits", "")])
    spacing = numbers(fields["ElementSpacing"], axes, "ElementSpacing")
    zeros, identity = "0 " * axes, " ".join(map(str, np.eye(axes).reshape(-1)))
    origin = numbers(_first(fields, zeros, "Offset", "Position", "Origin"), axes, "Offset")
    rows = _first(fields, identity, "TransformMatrix", "Rotation", "Orientation")
    direction = np.array(numbers(rows, axes**2, "TransformMatrix")).reshape(axes, axes).T
    slope, intercept = (
        numbers(fields.get(f"ElementToIntensityFunction{name}", default), 1, name)[0]
        for name, default in (("Slope", "1"), ("Offset", "0"))
    )
    return ImageHeader(
        tuple(whole_numbers(fields["DimSize"], axes, "DimSize")),
        tuple(side * scale for side in spacing[:3]),
        tuple(place * scale for place in [*origin, 0, 0][:3]),
        np.pad(direction, (0, max(0, 3 - axes)))[:3, :3],
        _voxels(path, fields, end),
        components=whole_numbers(fields.get("ElementNumberOfChannels", "1"), 1, "channels")[0],
        slope=slope,
        intercept=intercept,
    )


def _fields(start: bytes) -> tuple[dict[str, str], int]:
    """The fields in their order up to the data file's, and where what follows begins."""
    fields: dict[str, str] = {}
    offset = 0
    while "ElementDataFile" not in fields:
        if offset >= len(start):
            raise DamagedFile("a header without end")
        end = start.find(b"\n", offset) + 1 or len(start)
        line, offset = decoded(start[offset:end]), end
        name, *value = re.split("[=:]", line, maxsplit=1)
        if not value or name.strip() in fields:
            raise DamagedFile(f"the line {line[:40]!r}")
        fields[name.strip()] = value[0].strip()
    return fields, offset


def _voxels(path: Path, fields: dict[str, str], end: int) -> VoxelData:
    name = fields.get("ElementType", "")
    if name not in _TYPES:
        raise UserError(
            f"The image {path} has voxels of the type {name!r:.40}, which cannot be read: save it "
            "as MET_SHORT or MET_FLOAT."
        )
    orders = [_is_true(fields, f"{kind}ByteOrderMSB") for kind in ("BinaryData", "Element")]
    kind = np.dtype((">" if any(orders) else "<") + _TYPES[name])
    file = fields["ElementDataFile"]
    local = file.upper() == "LOCAL"
    data = path if local else data_beside(path, file)
    # Counted from the file's beginning; -1 stands for voxels that end with the file.
    (size,) = whole_numbers(fields.get("HeaderSize", "0"), 1, "HeaderSize")
    if size < -1 or 0 < size < (end if local else 0):
        raise DamagedFile("voxels that are not where they should be")
    offset = size if size > 0 else end if local else 0
    if _is_true(fields, "CompressedData"):
        return VoxelData(data, offset, kind, "deflate")
    if not _is_true(fields, "BinaryData", "True"):
        return VoxelData(data, offset, kind, "text")
    return VoxelData(data, offset, kind, skipped=min(0, size))


def _first(fields: dict[str, str], default: str, *names: str) -> str:
    return next((fields[name] for name in names if name in fields), default)


def _is_true(fields: dict[str, str], name: str, default: str = "False") -> bool:
    value = fields.get(name, default).lower()
    if value not in ("true", "false", "1", "0"):
        raise DamagedFile(f"the {name} {value!r:.40}")
    return value in ("true", "1")

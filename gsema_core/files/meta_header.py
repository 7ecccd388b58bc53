"""What a MetaImage file's header says of its voxels (itk.org/Wiki/MetaIO/Documentation).

MetaIO, which ITK reads MetaImage with, crashes at numbers of axes and at texts that are too large
for its tables (measured), so nothing gets there that is not as it should be.
"""

from __future__ import annotations

import math
import re
from pathlib import Path

from gsema_core.files.voxel_data import DamagedFile, VoxelData, data_beside, read_start

LINE_LENGTH = 4000
"""MetaIO's tables end at 4096 numbers and, for unknown keys, at 32768 letters."""
MAXIMUM_AXES = 4
"""A time series has four; more are nowhere in use. MetaIO's limit is 10."""

_LINE = re.compile(r"\s*([^=:]{1,255}?)\s*[=:]\s*(.*?)\s*")
_VECTORS = (
    "DimSize", "ElementSpacing", "ElementSize", "Offset", "Position", "Origin", "CenterOfRotation",
)  # fmt: skip
_MATRICES = ("TransformMatrix", "Rotation", "Orientation")
_NUMBERS = ("HeaderSize", "CompressedDataSize", "ElementNumberOfChannels", "ElementNBits")
_SWITCHES = (
    "BinaryData", "BinaryDataByteOrderMSB", "ElementByteOrderMSB", "CompressedData",
)  # fmt: skip


def meta_voxels(path: Path) -> VoxelData:
    """Read a MetaImage header's fields that say where the voxels lie.

    Raises:
        DamagedFile: it is no MetaImage header.
        UserError: the voxels lie in a file that is missing or that it must not refer to.
    """
    fields, offset = _fields(read_start(path))
    _check(fields)
    name = fields["ElementDataFile"]
    if name.upper() != "LOCAL":
        path, offset = data_beside(path, name), 0
    if _is_true(fields, "CompressedData"):
        return VoxelData(path, offset, "deflate")
    if not _is_true(fields, "BinaryData"):
        return VoxelData(path, offset, "text")
    # A header size of -1 stands for voxels that end with the file.
    return VoxelData(path, offset + max(0, int(fields.get("HeaderSize", "0"))), "raw")


def _fields(start: bytes) -> tuple[dict[str, str], int]:
    """The fields in their order up to the data file's, and where what follows begins."""
    fields: dict[str, str] = {}
    offset = 0
    while "ElementDataFile" not in fields:
        if offset >= len(start):
            raise DamagedFile("a header without end")
        end = start.find(b"\n", offset) + 1 or len(start)
        line, offset = start[offset:end], end
        sound = len(line) <= LINE_LENGTH and b"\0" not in line
        found = _LINE.fullmatch(line.decode("latin-1")) if sound else None
        if found is None or found[1] in fields:
            raise DamagedFile(f"the line {line[:40]!r}")
        fields[found[1]] = found[2]
    return fields, offset


def _check(fields: dict[str, str]) -> None:
    """Check the fields that MetaIO reads into tables."""
    if fields.get("ObjectType", "Image") != "Image":
        raise DamagedFile("an object that is no image")
    axes = _numbers(fields, "NDims", 1, whole=True)
    if not 1 <= axes <= MAXIMUM_AXES:
        raise DamagedFile(f"{axes} axes")
    for name in _VECTORS:
        _numbers(fields, name, int(axes), whole=name == "DimSize")
    for name in _MATRICES:
        _numbers(fields, name, int(axes) ** 2)
    for name in _NUMBERS:
        _numbers(fields, name, 1, whole=True)
    for name in _SWITCHES:
        if fields.get(name, "True").lower() not in ("true", "false", "1", "0"):
            raise DamagedFile(f"the {name} {fields[name]!r:.40}")


def _numbers(fields: dict[str, str], name: str, count: int, *, whole: bool = False) -> float:
    """The first of a field's numbers, once all of them are sound; 0 where there is no field."""
    if name not in fields:
        return 0
    try:
        values = [int(text) if whole else float(text) for text in fields[name].split()]
    except ValueError:
        values = []
    if len(values) != count or not all(math.isfinite(n) and abs(n) < 2**53 for n in values):
        raise DamagedFile(f"the {name} {fields[name]!r:.40}")
    return values[0]


def _is_true(fields: dict[str, str], name: str) -> bool:
    return fields.get(name, "False").lower() in ("true", "1")

"""What an NRRD file's header says of its voxels (teem.sourceforge.net/nrrd/format.html)."""

from __future__ import annotations

import re
from pathlib import Path

from gsema_core.errors import UserError
from gsema_core.files.voxel_data import Coding, DamagedFile, VoxelData, data_beside, read_start

LINE_LENGTH = 1000
"""Of a field; key/value pairs may be longer. Teem, by which ITK reads NRRD, writes past the end of
a buffer where a longer field is wrong (measured). Our choice."""

_CODINGS: dict[str, Coding] = {
    "raw": "raw", "gzip": "deflate", "gz": "deflate", "hex": "hex",
    "ascii": "text", "text": "text", "txt": "text",
}  # fmt: skip


def nrrd_voxels(path: Path) -> VoxelData:
    """Read an NRRD header's fields that say where the voxels lie.

    Raises:
        DamagedFile: it is no NRRD header.
        UserError: the encoding is unknown, or the voxels lie in a file that is missing or that it
            must not refer to.
    """
    start = read_start(path)
    if not start.startswith(b"NRRD000"):
        raise DamagedFile("no NRRD header")
    end = re.search(rb"\n\r?\n", start)
    fields = _fields(start[: end.start()] if end else start)
    if not {"type", "sizes", "encoding"} <= set(fields):
        raise DamagedFile("a header without type, sizes or encoding")
    encoding = fields["encoding"]
    coding = _CODINGS.get(encoding.lower())
    if coding is None:
        raise UserError(
            f"The image {path} has the encoding {encoding!r:.40}, which cannot be read: save it as "
            "raw or gzip."
        )
    line_skip, byte_skip = _count(fields, "lineskip"), _count(fields, "byteskip")
    if line_skip or (byte_skip and coding != "raw"):
        raise DamagedFile("voxels that are not where they should be")
    skipped = max(0, byte_skip)  # -1 stands for voxels that end with the file
    if "datafile" in fields:
        return VoxelData(data_beside(path, fields["datafile"]), skipped, coding)
    if end is None:
        raise DamagedFile("a header without end")
    return VoxelData(path, end.end() + skipped, coding)


def _fields(head: bytes) -> dict[str, str]:
    """The fields by their names in small letters without spaces; no comments, no key/values."""
    fields: dict[str, str] = {}
    for line in head.decode("latin-1").splitlines()[1:]:
        name, colon, value = line.partition(":")
        if line.startswith("#") or value.startswith("="):
            continue
        name = name.lower().replace(" ", "")
        if not colon or len(line) > LINE_LENGTH or "\0" in line:
            raise DamagedFile(f"the line {line[:40]!r}")
        if name in fields:
            raise DamagedFile(f"the field {name} twice")
        fields[name] = value.strip()
    return fields


def _count(fields: dict[str, str], name: str) -> int:
    try:
        value = int(fields.get(name, "0"))
    except ValueError:
        value = -2
    if not -1 <= value < 2**40:
        raise DamagedFile(f"a {name} of {fields[name]!r:.40}")
    return value

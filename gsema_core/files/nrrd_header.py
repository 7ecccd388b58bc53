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
    head, offset = _head(read_start(path))
    fields = _fields(head)
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
    name = fields.get("datafile")
    if name is not None:
        path, offset = data_beside(path, name), 0
    elif offset is None:
        raise DamagedFile("a header without end")
    # A byte skip of -1 stands for voxels that end with the file.
    return VoxelData(path, (offset or 0) + max(0, byte_skip), coding)


def _head(start: bytes) -> tuple[bytes, int | None]:
    """The header's lines, and where what follows it begins; None where nothing does."""
    if not start.startswith(b"NRRD000"):
        raise DamagedFile("no NRRD header")
    blank = re.search(rb"\n\r?\n", start)
    return (start[: blank.start()], blank.end()) if blank else (start, None)


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

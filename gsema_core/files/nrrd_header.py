"""What an NRRD file's header says (teem.sourceforge.net/nrrd/format.html)."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gsema_core.errors import UserError
from gsema_core.files.image_header import (
    ImageHeader,
    decoded,
    no_spacing,
    numbers,
    unit_mm,
    whole_numbers,
)
from gsema_core.files.voxel_data import Coding, DamagedFile, VoxelData, data_beside, read_start

_FIELDS = {
    "type", "dimension", "sizes", "encoding", "endian", "datafile", "lineskip", "byteskip", "space",
    "spacedimension", "spacedirections", "spaceorigin", "spaceunits", "spacings", "units", "kinds",
    "axismins", "axismaxs", "centers", "centerings", "thicknesses", "labels", "content",
    "sampleunits", "measurementframe", "blocksize", "min", "max", "oldmin", "oldmax", "number",
}  # fmt: skip
"""All that the format has, without spaces: what else ends in a colon is no field."""

_CODINGS: dict[str, Coding] = {
    "raw": "raw", "gzip": "deflate", "gz": "deflate", "bzip2": "bzip2", "bz2": "bzip2",
    "hex": "hex", "ascii": "text", "text": "text", "txt": "text",
}  # fmt: skip

_TYPES = {
    "i1": "signed char|int8|int8_t",
    "u1": "uchar|unsigned char|uint8|uint8_t",
    "i2": "short|short int|signed short|signed short int|int16|int16_t",
    "u2": "ushort|unsigned short|unsigned short int|uint16|uint16_t",
    "i4": "int|signed int|int32|int32_t",
    "u4": "uint|unsigned int|uint32|uint32_t",
    "i8": "longlong|long long|long long int|signed long long|signed long long int|int64|int64_t",
    "u8": "ulonglong|unsigned long long|unsigned long long int|uint64|uint64_t",
    "f4": "float",
    "f8": "double",
}
_KIND = {name: kind for kind, names in _TYPES.items() for name in names.split("|")}

_TO_LPS = {
    "left-posterior-superior": (1, 1, 1), "lps": (1, 1, 1),
    "right-anterior-superior": (-1, -1, 1), "ras": (-1, -1, 1),
    "left-anterior-superior": (1, -1, 1), "las": (1, -1, 1),
    "scanner-xyz": (1, 1, 1), "3d-right-handed": (1, 1, 1), "": (1, 1, 1),
}  # fmt: skip
"""Signs of x, y and z. Spaces that do not say how the patient lies are taken as ITK and Slicer take
them; one of the other handedness would come out mirrored."""

MOST_AXES = 16
"""The format's limit."""

_SPANNING = ("domain", "space", "???", "none")
"""Kinds of axes that span space, where there are no directions to tell."""


def read_nrrd_header(path: Path) -> ImageHeader:
    """Read an NRRD header.

    Raises:
        DamagedFile: it is none.
        UserError: it says what cannot be read, or leaves out what is needed; or the voxels lie in
            a file that is missing or that it must not refer to.
    """
    start = read_start(path)
    if not start.startswith(b"NRRD000"):
        raise DamagedFile("no NRRD header")
    end = re.search(rb"\n\r?\n", start)
    fields, texts = _fields(start[: end.start()] if end else start)
    if not {"type", "dimension", "sizes", "encoding"} <= set(fields):
        raise DamagedFile("a header without type, dimension, sizes or encoding")
    (axes,) = whole_numbers(fields["dimension"], 1, "dimension")
    if not 1 <= axes <= MOST_AXES:
        raise DamagedFile(f"{axes} axes")
    sizes = whole_numbers(fields["sizes"], axes, "sizes")
    voxels = _voxels(path, fields, end.end() if end else None)
    spanning, spacing, origin, direction = _place(path, fields, sizes)
    others = [axis for axis in range(axes) if axis not in spanning]
    first = min(spanning, default=0)
    return ImageHeader(
        (*(sizes[axis] for axis in spanning), *(sizes[axis] for axis in others if axis > first)),
        spacing,
        origin,
        direction,
        voxels,
        components=math.prod(sizes[axis] for axis in others if axis < first),
        texts=texts,
    )


def _fields(head: bytes) -> tuple[dict[str, str], dict[str, str]]:
    """The fields by their names in small letters without spaces, and the key/value pairs.

    Lines end with a line feed and nothing else; a field's name ends at ``:``, a key at ``:=``.
    """
    fields: dict[str, str] = {}
    texts: dict[str, str] = {}
    for content in head.split(b"\n")[1:]:
        line = decoded(content.removesuffix(b"\r"))
        name, _, value = line.partition(":")
        name = name.lower().replace(" ", "")
        if name in _FIELDS and not value.startswith("="):
            if name in fields:
                raise DamagedFile(f"the field {name} twice")
            fields[name] = value.strip()
        elif ":=" in line:
            key, _, texts[key] = line.partition(":=")
        elif line and not line.startswith("#"):
            raise DamagedFile(f"the line {line[:40]!r}")
    return fields, texts


def _voxels(path: Path, fields: dict[str, str], end: int | None) -> VoxelData:
    name, encoding = fields["type"], fields["encoding"]
    kind, coding = _KIND.get(" ".join(name.lower().split())), _CODINGS.get(encoding.lower())
    if kind is None:
        raise UserError(
            f"The image {path} has voxels of the type {name!r:.40}, which cannot be read: save it "
            "as short or float."
        )
    if coding is None:
        raise UserError(
            f"The image {path} has the encoding {encoding!r:.40}, which cannot be read: save it as "
            "raw or gzip."
        )
    order = {"little": "<", "big": ">"}.get(fields.get("endian", "").lower())
    if order is None and kind[1] != "1" and coding != "text":
        raise UserError(
            f"The image {path} does not say the order of its bytes: add 'endian: little' (or big) "
            "to its header, or export it again."
        )
    lines, skipped = (
        whole_numbers(fields.get(field, "0"), 1, field)[0] for field in ("lineskip", "byteskip")
    )
    if not (0 <= lines < 2**20 and -1 <= skipped < 2**40):
        raise DamagedFile("voxels that are not where they should be")
    data = data_beside(path, fields["datafile"]) if "datafile" in fields else path
    if data == path and end is None:
        raise DamagedFile("a header without end")
    offset = (end or 0) if data == path else 0
    return VoxelData(data, offset, np.dtype((order or "") + kind), coding, lines, skipped)


def _place(path: Path, fields: dict[str, str], sizes: list[int]) -> tuple[Any, ...]:
    """The axes that span space; the spacing along them, the origin and the directions."""
    if "spacedirections" in fields:
        return _directed(path, fields, sizes)
    if "spacings" not in fields:
        raise no_spacing(path, "'space directions' or 'spacings'")
    if {"space", "spacedimension", "spaceorigin"} & set(fields):
        raise UserError(
            f"The image {path} is in a space, but does not say how its axes lie there: add 'space "
            "directions' to its header, or export it again."
        )
    kinds = fields.get("kinds", "").lower().split() or ["???"] * len(sizes)
    spacings = numbers(fields["spacings"], len(sizes), "spacings")
    if len(kinds) != len(sizes):
        raise DamagedFile(f"the kinds {fields['kinds']!r:.40}")
    spanning = _in_space([axis for axis, kind in enumerate(kinds) if kind in _SPANNING], sizes)
    units = _units(fields.get("units", ""))
    scale = unit_mm(path, [units[axis] for axis in spanning if axis < len(units)])
    spacing = tuple(spacings[axis] * scale for axis in spanning)
    lowest = np.zeros(3)
    if "axismins" in fields and len(spanning) == 3:
        minima = numbers(fields["axismins"], len(sizes), "axis mins")
        centers = (fields.get("centers") or fields.get("centerings") or "").lower().split()
        nodes = [axis < len(centers) and centers[axis] == "node" for axis in spanning]
        lowest = np.array([minima[axis] for axis in spanning]) * scale
        lowest += np.where(nodes, 0.0, 0.5) * spacing  # a cell's center is half a voxel in
        lowest = np.where(np.isfinite(lowest), lowest, 0.0)
    return spanning, spacing, tuple(lowest), np.eye(3)


def _directed(path: Path, fields: dict[str, str], sizes: list[int]) -> tuple[Any, ...]:
    """``_place`` from vectors in a space."""
    space = fields.get("space", "")
    signs = _TO_LPS.get(space.lower())
    if signs is None or not (space or "spacedimension" in fields):
        told = f"in the space {space!r:.40}, in which" if space else "in no space, so that"
        raise UserError(
            f"The image {path} is {told} it is not known how the patient lies: add 'space: "
            "left-posterior-superior' (or what is right) to its header, or export it again."
        )
    (dimension,) = whole_numbers(fields.get("spacedimension", "3"), 1, "space dimension")
    if not 1 <= dimension <= MOST_AXES:
        raise DamagedFile(f"a space of {dimension} dimensions")
    vectors = _vectors(fields["spacedirections"], dimension)
    if len(vectors) != len(sizes):
        raise DamagedFile(f"the space directions {fields['spacedirections']!r:.40}")
    spanning = _in_space([axis for axis, one in enumerate(vectors) if one is not None], sizes)
    scale = np.array(signs) * unit_mm(path, _units(fields.get("spaceunits", "")))
    all_axes = np.array([vectors[axis] for axis in spanning]).reshape(-1, MOST_AXES).T
    if all_axes[3:, :3].any():
        raise DamagedFile("axes of space that lead out of it")
    axes = all_axes[:3] * scale[:, None]
    spacing = np.linalg.norm(axes, axis=0)
    directions = axes / np.where(spacing > 0, spacing, 1.0)
    origins = _vectors(fields.get("spaceorigin", f"({'0,' * (dimension - 1)}0)"), dimension)
    if len(origins) != 1 or origins[0] is None:
        raise DamagedFile(f"the space origin {fields['spaceorigin']!r:.40}")
    return spanning, tuple(spacing), tuple(scale * origins[0][:3]), directions


def _in_space(spanning: list[int], sizes: list[int]) -> list[int]:
    """The axes that span space, without single frames that nothing else tells from them."""
    while len(spanning) > 3 and sizes[spanning[-1]] == 1:
        spanning = spanning[:-1]
    return spanning


def _vectors(text: str, dimension: int) -> list[npt.NDArray[np.float64] | None]:
    """Vectors such as ``(1,0,0) none``, filled up with zeros; None for ``none``.

    One with more numbers than the space has dimensions was written with decimal commas.
    """
    found = re.findall(r"none|\(([^()]*)\)", text.lower())
    if re.sub(r"none|\([^()]*\)|\s", "", text.lower()):
        raise DamagedFile(f"the vectors {text!r:.40}")
    spare = [0.0] * (MOST_AXES - dimension)
    return [
        np.array(numbers(one.replace(",", " "), dimension, "vector") + spare) if one else None
        for one in found
    ]


def _units(text: str) -> list[str]:
    """Words, which may stand in quotation marks."""
    return [quoted or plain for quoted, plain in re.findall(r'"([^"]*)"|([^"\s]+)', text)]

"""Whether the elements of a DICOM file lie in each other and in the file (DICOM PS3.5, 7 and 10).

GDCM allocates what an element's length says, up to 4 GB, before it looks whether the file has that
much. So the elements are gone through here first; their values stay unread, but for the few that
say how large the image is.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Literal

from gsema_core.files.voxel_data import DamagedFile

MAXIMUM_DEPTH = 16
"""Sequences in sequences; enhanced images have 4. Our choice."""
MAXIMUM_ELEMENTS = 1_000_000
"""An enhanced image of 1000 frames has 50,000. Our choice."""
MAXIMUM_RATIO = 1000
"""Bytes of voxels for one compressed byte; JPEG 2000 rarely gets beyond 100. Our choice."""
HARMLESS_BYTES = 2**26
"""Compressed voxels may be fewer: a slice of nothing but air takes 250 bytes."""

_LONG = {b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"}
"""Value representations with 4 bytes of length in explicit syntaxes."""
_SHORT = {
    b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FD", b"FL", b"IS", b"LO", b"LT", b"PN",
    b"SH", b"SL", b"SS", b"ST", b"TM", b"UI", b"UL", b"US",
}  # fmt: skip
"""The others. GDCM takes the length of what is none of these for one of 4 bytes."""
_IMPLICIT, _BIG_ENDIAN = "1.2.840.10008.1.2", "1.2.840.10008.1.2.2"
_DEFLATED = "1.2.840.10008.1.2.1.99"
_SYNTAX, _PIXELS = (0x0002, 0x0010), (0x7FE0, 0x0010)
_ITEM, _ITEM_END, _SEQUENCE_END = (0xFFFE, 0xE000), (0xFFFE, 0xE00D), (0xFFFE, 0xE0DD)
_SAMPLES, _FRAMES, _ROWS, _COLUMNS, _BITS = (
    (0x0028, 0x0002), (0x0028, 0x0008), (0x0028, 0x0010), (0x0028, 0x0011), (0x0028, 0x0100)
)  # fmt: skip
_WANTED = {_SYNTAX, _SAMPLES, _FRAMES, _ROWS, _COLUMNS, _BITS}
_UNDEFINED = 0xFFFFFFFF

Tag = tuple[int, int]


def check_structure(path: str | os.PathLike[str]) -> None:
    """Check that everything in a DICOM file lies within it, and that its voxels are there.

    Raises:
        DamagedFile: an element reaches beyond its end, or there are fewer voxels than promised.
        OSError: the file cannot be read.
    """
    with Path(path).open("rb") as file:
        end = os.fstat(file.fileno()).st_size
        file.seek(132)
        walk = _Walk(file, end)
        walk.elements(end, 0, group=2)
        syntax = walk.values.get(_SYNTAX, b"").strip(b" \0").decode("latin-1")
        if syntax == _DEFLATED:
            raise DamagedFile("a compressed data set")
        walk.explicit = syntax != _IMPLICIT
        walk.order = "big" if syntax == _BIG_ENDIAN else "little"
        walk.elements(end, 0)
        walk.check_pixels()


@dataclass
class _Walk:
    """A way through the elements of one file."""

    file: BinaryIO
    size: int
    explicit: bool = True
    order: Literal["little", "big"] = "little"
    values: dict[Tag, bytes] = field(default_factory=dict)
    pixel_bytes: int = 0
    compressed: bool = False
    count: int = 0

    def elements(self, end: int, depth: int, *, group: int | None = None) -> None:
        """Go through elements up to ``end``, or to the delimiter of an item without a length.

        Args:
            end: place in the file.
            depth: sequences around them.
            group: stop before the first element of another group; None takes all.
        """
        while (at := self.file.tell()) < end:
            if group is not None:
                following = self._integer(2)
                self.file.seek(at)
                if following != group:
                    return
            tag, kind, length = self._head()
            if tag == _ITEM_END:
                return
            self._value(tag, kind, length, end, depth)

    def check_pixels(self) -> None:
        """Check that the image's voxels can be in the file."""
        voxels = self._number(_ROWS, 0) * self._number(_COLUMNS, 0) * self._number(_FRAMES, 1)
        bits = voxels * self._number(_SAMPLES, 1) * self._number(_BITS, 8)
        possible = self.pixel_bytes
        if self.compressed:
            possible = max(MAXIMUM_RATIO * self.pixel_bytes, HARMLESS_BYTES)
        if bits > 8 * possible:
            raise DamagedFile(f"{self.pixel_bytes} bytes of voxels instead of {bits // 8}")

    def _head(self) -> tuple[Tag, bytes, int]:
        """Tag, value representation (empty where there is none) and length."""
        self.count += 1
        if self.count > MAXIMUM_ELEMENTS:
            raise DamagedFile("too many elements")
        tag = (self._integer(2), self._integer(2))
        if not self.explicit or tag[0] == 0xFFFE:
            return tag, b"", self._integer(4)
        kind = self._bytes(2)
        if kind in _SHORT:
            return tag, kind, self._integer(2)
        if kind not in _LONG:
            raise DamagedFile(f"an element of the kind {kind!r}")
        self._bytes(2)
        return tag, kind, self._integer(4)

    def _value(self, tag: Tag, kind: bytes, length: int, end: int, depth: int) -> None:
        if depth > MAXIMUM_DEPTH:
            raise DamagedFile("sequences in sequences without end")
        at = self.file.tell()
        if length == _UNDEFINED:
            if tag == _PIXELS:
                self.compressed = True
                self.pixel_bytes = self._fragments(end)
            else:
                self._sequence(end, depth, plain=kind == b"UN")
            return
        if at + length > end:
            raise DamagedFile(f"an element of {length} bytes where {end - at} are left")
        if kind == b"SQ":
            self._sequence(at + length, depth)
        elif tag == _PIXELS and depth == 0:
            self.pixel_bytes = length
        elif tag in _WANTED and depth == 0:
            self.values[tag] = self._bytes(min(length, 64))
        self.file.seek(at + length)

    def _sequence(self, end: int, depth: int, *, plain: bool = False) -> None:
        """The items of a sequence; ``plain``: their elements are implicit in any file."""
        before = self.explicit
        self.explicit = before and not plain
        while (at := self.file.tell()) < end:
            tag, _, length = self._head()
            if tag == _SEQUENCE_END:
                break
            at = self.file.tell()
            if tag != _ITEM or (length != _UNDEFINED and at + length > end):
                raise DamagedFile("a sequence that is no sequence")
            self.elements(end if length == _UNDEFINED else at + length, depth + 1)
        self.explicit = before

    def _fragments(self, end: int) -> int:
        """The bytes of compressed voxels."""
        total = 0
        while self.file.tell() < end:
            tag, _, length = self._head()
            if tag == _SEQUENCE_END:
                return total
            at = self.file.tell()
            if tag != _ITEM or at + length > end:
                raise DamagedFile("compressed voxels that are cut off")
            total += length
            self.file.seek(at + length)
        raise DamagedFile("compressed voxels without end")

    def _integer(self, count: int) -> int:
        return int.from_bytes(self._bytes(count), self.order)

    def _bytes(self, count: int) -> bytes:
        content = self.file.read(count)
        if len(content) < count:
            raise DamagedFile("an element that is cut off")
        return content

    def _number(self, tag: Tag, default: int) -> int:
        """A number of the image's description: digits (frames), or 2 bytes."""
        value = self.values.get(tag)
        if value is None:
            return default
        if tag != _FRAMES:
            return int.from_bytes(value[:2], self.order)
        digits = value.strip(b" \0")
        if not digits.isdigit() or len(digits) > 12:
            raise DamagedFile(f"the number of frames {value!r}")
        return int(digits)

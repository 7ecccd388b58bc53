"""Reading DICOM files that may be hostile: nothing is allocated for what is not there.

pydicom takes an element's length, up to 4 GB, at its word, inflates a compressed data set to
whatever size it has, and goes down sequences without end. The codecs below allocate what a
compressed image's own header says. So files are given to them through here.
"""

from __future__ import annotations

import io
import os
import struct
import sys
import warnings
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from pydicom import dcmread
from pydicom.dataset import Dataset

from gsema_core.files.voxel_data import DamagedFile

MAXIMUM_READS = 1_000_000
"""Every element takes one to three; an enhanced image of 1000 frames has 50,000. Our choice."""
MAXIMUM_ITEMS = 200_000
"""Of one sequence with all below it; an enhanced image of 1000 frames has 10,000. Our choice."""
MAXIMUM_HEADER = 2**26
"""Bytes of what is read of a header: an enhanced image of 1000 frames has 5 MB. Our choice."""
MAXIMUM_INFLATED_HEADER = 2**24
"""Bytes of a deflated data set that are looked at for its header. Our choice."""
MAXIMUM_RATIO = 1000
"""Bytes of voxels for one compressed byte; JPEG 2000 rarely gets beyond 100. Our choice."""
HARMLESS_BYTES = 2**26
"""Compressed voxels may be fewer: a slice of nothing but air takes 250 bytes."""

_DEFLATED = b"\2\0\x10\0UI\x16\x001.2.840.10008.1.2.1.99"
"""The element of the transfer syntax, as the standard writes it."""
_ITEMS = (b"\xfe\xff\x00\xe0", b"\xff\xfe\xe0\x00")


class GuardedFile:
    """A file for pydicom that gives no more than it has, and ends a reading without end.

    Args:
        stream: the file.
        size: its length in bytes.
        most: bytes that may be read altogether.

    Attributes:
        is_short: something reached beyond the file's end.
    """

    def __init__(self, stream: BinaryIO, size: int, most: int) -> None:
        self._stream, self._size = stream, size
        self.left, self._reads = most, 0
        self.seek, self.tell = stream.seek, stream.tell
        self.is_short = False

    @property
    def rest(self) -> int:
        """Bytes from here to the end."""
        return max(0, self._size - self._stream.tell())

    def read(self, count: int) -> bytes:
        """At most so many bytes. pydicom asks for all only to inflate them, which it must not."""
        there = self.rest
        self.is_short |= 0 < there < count or self._stream.tell() > self._size
        count = min(count, there)
        self._reads += 1
        self.left -= count
        if self._reads > MAXIMUM_READS or self.left < 0:
            raise DamagedFile("too many elements")
        return self._stream.read(count)


@contextmanager
def pydicom_watched() -> Iterator[None]:
    """Turn whatever pydicom finds wrong in the block into one error, and keep it quiet.

    Raises:
        DamagedFile: it found something.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of values that no standard allows
        try:
            yield
        except (DamagedFile, MemoryError):
            raise
        except OSError as error:
            if error.errno is None:  # pydicom's own, of elements that end early
                raise DamagedFile("an element that is cut off") from error
            raise
        except RecursionError as error:
            raise DamagedFile("sequences in sequences without end") from error
        except Exception as error:  # pydicom's are of a dozen kinds, most of Python's own
            raise DamagedFile("its elements contradict each other") from error


@contextmanager
def guarded(path: Path, voxel_bytes: int = 0) -> Iterator[GuardedFile]:
    """Open a DICOM file for pydicom; a deflated data set comes inflated, without group 2.

    Args:
        path: the file.
        voxel_bytes: that are to be read besides the header.

    Raises:
        DamagedFile: whatever pydicom finds wrong within the block.
        OSError: the file cannot be opened.
    """
    with path.open("rb") as stream, pydicom_watched():
        head = stream.read(1024)
        source: BinaryIO = stream
        size = os.fstat(stream.fileno()).st_size
        if _DEFLATED in head:
            most = MAXIMUM_INFLATED_HEADER + voxel_bytes
            content = _inflated(stream, head, most)
            source, size = io.BytesIO(content), len(content) if len(content) < most else sys.maxsize
        source.seek(0)
        # Compressed voxels may be longer than plain ones, but never twice.
        most = MAXIMUM_HEADER + 2 * voxel_bytes
        yield GuardedFile(source, size, most)


def read_header(file: GuardedFile, tags: Sequence[str]) -> Dataset:
    """These elements of a file that come before its voxels, before which it then stands."""
    return dcmread(cast(BinaryIO, file), None, True, True, list(tags))


def check_voxel_bytes(file_bytes: int, voxel_bits: int, *, compressed: bool) -> None:
    """Check that a file is long enough for its voxels.

    Raises:
        DamagedFile: it is not.
    """
    possible = max(MAXIMUM_RATIO * file_bytes, HARMLESS_BYTES) if compressed else file_bytes
    if voxel_bits > 8 * possible:
        raise DamagedFile(f"{file_bytes} bytes for {voxel_bits // 8} bytes of voxels")


def check_items(value: Any) -> None:
    """Check that a sequence still to be parsed has not too many items.

    Raises:
        DamagedFile: it has.
    """
    if isinstance(value, bytes) and sum(map(value.count, _ITEMS)) > MAXIMUM_ITEMS:
        raise DamagedFile("too many elements")


def check_coded_frame(coded: bytes, rows: int, columns: int, bits: int) -> None:
    """Check that a compressed frame says itself that it is no larger than its file says.

    The codecs allocate and write by the frame's own header: SOF of JPEG (ISO 10918-1, B.2.2) and
    JPEG-LS (ISO 14495-1, C.2.2), SIZ of JPEG 2000 (ISO 15444-1, A.5.1).

    Raises:
        DamagedFile: it is, or says nothing.
    """
    if coded[:4] == b"\xff\x4f\xff\x51" and len(coded) > 42:
        width, height, left, top = struct.unpack(">4I", coded[8:24])
        components, precision, *apart = struct.unpack(">H3B", coded[40:45])
        size = (height - top, width - left) if apart == [1, 1] else (0, 0)
        precision = (precision & 0x7F) + 1
    else:
        precision, *shape, components = _jpeg_frame(coded)
        size = (shape[0], shape[1])
    if size != (rows, columns) or components != 1 or precision > bits:
        raise DamagedFile("compressed voxels of another size")


def _jpeg_frame(coded: bytes) -> tuple[int, int, int, int]:
    """Bits, rows, columns and values a pixel of a JPEG frame; zeros without a header."""
    at = 2
    while coded[at : at + 1] == b"\xff" and at + 10 <= len(coded):
        marker = coded[at + 1]
        if marker == 0xF7 or (0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC)):
            bits, rows, columns, components = struct.unpack(">BHHB", coded[at + 4 : at + 10])
            return bits, rows, columns, components
        at += 1 if marker == 0xFF else 2 + int.from_bytes(coded[at + 2 : at + 4], "big")
    return 0, 0, 0, 0


def _inflated(stream: BinaryIO, head: bytes, most: int) -> bytes:
    """The beginning of a deflated data set (PS3.5, A.5), which lies behind group 2."""
    if head[132:140] != b"\2\0\0\0UL\4\0":
        raise DamagedFile("a compressed data set without a beginning")
    stream.seek(144 + int.from_bytes(head[140:144], "little"))
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    content = bytearray()
    while len(content) < most and (data := inflate.unconsumed_tail or stream.read(2**16)):
        content += inflate.decompress(data, most - len(content))
    return bytes(content)

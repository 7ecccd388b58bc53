"""Where an image file's voxels lie, and reading as many as its header says.

Files may be forged or damaged: nothing is allocated for voxels that are not there, no stream is
inflated far beyond what the header says, its checksum is looked at, and no header leads to a file
elsewhere.
"""

from __future__ import annotations

import bz2
import os
import warnings
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, BinaryIO, Literal

import numpy as np
import numpy.typing as npt

from gsema_core.errors import UserError

HEADER_BYTES = 2**20
"""Text headers longer than this are refused: Slicer's longest, of a segmentation with hundreds of
segments, take some hundred kB. Our choice."""
SPARE_BYTES = 16
"""What may follow the voxels, on top of half of their bytes: padding, a trailer. A header that says
another type or too few frames leaves more behind. Our choice."""
LETTERS = 40
"""At most in a voxel's number: the longest float has 25, and spaces. Our choice."""
GZIP_START = b"\x1f\x8b"

Coding = Literal["raw", "deflate", "bzip2", "text", "hex"]

_PACKERS: dict[str, tuple[Callable[[], Any], bytes, int]] = {
    "deflate": (lambda: zlib.decompressobj(wbits=47), GZIP_START, 2**15),
    "bzip2": (bz2.BZ2Decompressor, b"BZh", 2**11),
}
"""Who decompresses (47 tells gzip from zlib by itself), how a stream begins that follows another,
and bytes at a time: forged, they inflate to 1,000 and 20,000 times as many."""


class DamagedFile(Exception):
    """The file's bytes contradict its header, its checksum or the format; says in what, in a few
    words for a message."""


@dataclass(frozen=True)
class VoxelData:
    """Where the voxels lie.

    Attributes:
        path: the image file itself, or the one beside it that its header names.
        offset: where they begin in that file.
        dtype: of a value, with its byte order.
        coding: ``deflate`` for gzip and zlib; ``text`` for numbers in letters.
        lines: of text that come before them.
        skipped: bytes that come before them once they are decoded; -1 for whatever is too much.
    """

    path: Path
    offset: int
    dtype: np.dtype[Any]
    coding: Coding = "raw"
    lines: int = 0
    skipped: int = 0

    def read(self, count: int) -> npt.NDArray[Any]:
        """Read that many values, in the machine's byte order.

        Raises:
            DamagedFile: they are missing or wrong, or there are far more.
        """
        wanted = count * self.dtype.itemsize
        with self._file() as file:
            if self.coding == "raw":
                file.seek(self._first(_left(file), wanted), os.SEEK_CUR)
                array = np.fromfile(file, self.dtype, count)
                if len(array) < count:  # somebody shortened it meanwhile
                    raise DamagedFile(f"{len(array)} voxels instead of {count}")
            elif self.coding == "text":
                letters = _read(file, count * LETTERS)[max(0, self.skipped) :]
                array = _from_letters(letters, count, self.dtype)
            else:
                content = bytearray()
                for part in self._decoded(file, wanted):
                    content += part
                array = np.frombuffer(content, self.dtype, count, self._first(len(content), wanted))
        return array.astype(self.dtype.newbyteorder("="), copy=False)

    def check(self, count: int) -> None:
        """Check that the values are there, without keeping any.

        Raises:
            DamagedFile: as for ``read``.
        """
        wanted = count * self.dtype.itemsize
        with self._file() as file:
            if self.coding == "raw":
                self._first(_left(file), wanted)
            elif self.coding == "text":
                self.read(count)
            else:
                self._first(sum(map(len, self._decoded(file, wanted))), wanted)

    def _file(self) -> BinaryIO:
        file = self.path.open("rb")
        inside = self.offset <= _left(file)
        if inside:
            file.seek(self.offset)
            inside = all(file.readline(HEADER_BYTES).endswith(b"\n") for _ in range(self.lines))
        if not inside:
            file.close()
            raise DamagedFile("voxels that are cut off, as they would begin beyond the file's end")
        return file

    def _decoded(self, file: BinaryIO, wanted: int) -> Iterator[bytes]:
        if self.coding == "hex":
            try:
                yield bytes.fromhex(_read(file, 2 * (wanted + self.skipped + 1)).decode("latin-1"))
            except ValueError as error:
                raise DamagedFile("letters that are no hexadecimal digits") from error
        else:
            yield from inflated(file, self.coding, self.skipped + _most(wanted))

    def _first(self, found: int, wanted: int) -> int:
        """Where the voxels begin among the bytes that were found."""
        if self.skipped < 0:
            first = found - wanted
        else:
            first = self.skipped
            if found - first > _most(wanted):
                raise DamagedFile("far more data than the header says")
        if first < 0 or found - first < wanted:
            raise DamagedFile(f"{found - max(0, first)} bytes of voxels instead of {wanted}")
        return first


def _most(wanted: int) -> int:
    return wanted + wanted // 2 + SPARE_BYTES


def _left(file: BinaryIO) -> int:
    """Bytes from here to the file's end."""
    return os.fstat(file.fileno()).st_size - file.tell()


def _read(file: BinaryIO, most: int) -> bytes:
    if _left(file) > 2 * most + HEADER_BYTES:
        raise DamagedFile("far more data than the header says")
    return file.read()


def _from_letters(letters: bytes, count: int, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """Values from numbers with points, whatever the locale."""
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("error")  # how NumPy says that something is no number
            values = np.fromstring(letters.decode("latin-1"), np.float64, sep=" ")
            warnings.simplefilter("ignore")
            array = values.astype(dtype)
    except (DeprecationWarning, ValueError) as error:
        raise DamagedFile("letters that are no numbers") from error
    if dtype.kind in "iu" and not np.array_equal(array, values):
        raise DamagedFile(f"numbers that are no {dtype.name}")
    if len(array) != count:
        raise DamagedFile(f"{len(array)} numbers of voxels instead of {count}")
    return array


def inflated(file: BinaryIO, coding: str, most: int) -> Iterator[bytes]:
    """Decompress to the end, checking the checksum.

    Args:
        file: at the start of a stream; several in a row are one.
        coding: a key of the packers.
        most: give up beyond so many bytes.

    Raises:
        DamagedFile: the stream is damaged or cut off, or inflates to more than ``most``.
    """
    start, mark, at_a_time = _PACKERS[coding]
    total, stream = 0, start()
    try:
        while data := file.read(at_a_time):
            while data:
                if stream.eof:  # what follows is another stream, or padding
                    data = data.lstrip(b"\0")
                    if not data.startswith(mark[: len(data)]):
                        return
                    stream = start()
                part = stream.decompress(data)
                data = stream.unused_data
                total += len(part)
                if total > most:
                    raise DamagedFile("far more data than the header says")
                yield part
    except (zlib.error, OSError) as error:
        raise DamagedFile("the compressed data is wrong") from error
    if not stream.eof:
        raise DamagedFile("the compressed data is cut off")


def data_beside(path: Path, name: str) -> Path:
    """The data file that a header names, which must lie beside it.

    Raises:
        UserError: it lies elsewhere, so that reading the image could read any file; it is several
            files; or it is missing.
    """
    parts = (PurePosixPath(name), PureWindowsPath(name))
    if any(part.is_absolute() or part.drive or ".." in part.parts for part in parts):
        raise UserError(
            f"The image {path} refers to a data file outside its own folder: put both into one "
            "folder and name the file without a path, or save the image as one file."
        )
    if name.split(" ")[0] == "LIST" or "%" in name:
        raise UserError(f"The image {path} is spread over several data files: save it as one file.")
    return existing_data(path, path.parent / name)


def existing_data(path: Path, data: Path) -> Path:
    """The data file of an image.

    Raises:
        UserError: it is missing.
    """
    if "\0" in data.name or not data.is_file():
        raise UserError(
            f"The data file {data.name!r:.80} that belongs to the image {path} is missing or no "
            "file: copy both into one folder."
        )
    return data


def read_start(path: str | os.PathLike[str], count: int = HEADER_BYTES) -> bytes:
    """The first bytes of a file."""
    with Path(path).open("rb") as file:
        return file.read(count)

"""Where an image file's voxels lie, and whether there are as many as its header says.

ITK and the libraries below it allocate what a header asks for before they look whether the bytes
are there, and follow a header to any file of the machine. Measured with ITK 5.4: a NIfTI file that
is cut off reads as an image that ends in zeros, and a damaged gzip or zlib stream in NRRD and
MetaImage as an image that is wrong from there on. So headers are read here first, with suspicion.
"""

from __future__ import annotations

import os
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import BinaryIO, Literal

from gsema_core.errors import UserError

HEADER_BYTES = 2**20
"""Text headers longer than this are refused: Slicer's longest, of a segmentation with hundreds of
segments, take some hundred kB. Our choice."""
CHUNK_BYTES = 2**16
"""A forged stream inflates to a thousand times its size: 64 MB at a time. A multiple of 8."""
SPARE_BYTES = 2**20
"""What may follow the voxels: padding, a trailer. Our choice."""
GZIP_START = b"\x1f\x8b"

Coding = Literal["raw", "deflate", "text", "hex"]


class DamagedFile(Exception):
    """The file's bytes contradict its header, its checksum or the format; says in what, in a few
    words for a message."""


@dataclass(frozen=True)
class VoxelData:
    """Where the voxels lie.

    Attributes:
        path: the image file itself, or the one beside it that its header names.
        offset: where they begin in that file.
        coding: ``deflate`` for gzip and zlib; ``text`` for numbers in letters.
        skipped: bytes that come before the voxels once they are decoded.
    """

    path: Path
    offset: int
    coding: Coding
    skipped: int = 0

    def check(self, voxels: int, voxel_bytes: int) -> None:
        """Check that the voxels are there, before anything is allocated for them.

        Args:
            voxels: how many the header promises.
            voxel_bytes: bytes of one.

        Raises:
            DamagedFile: bytes are missing or wrong, or far more than the header says.
        """
        wanted = self.skipped + voxels * voxel_bytes
        if self.coding == "deflate":
            with self.path.open("rb") as file:
                file.seek(self.offset)
                found = inflated_bytes(file, 2 * wanted + SPARE_BYTES)
        else:
            found = self.path.stat().st_size - self.offset
        if self.coding == "text":
            wanted = 2 * voxels - 1  # a digit and a space each
        elif self.coding == "hex":
            wanted *= 2
        if found < wanted:
            raise DamagedFile(f"{found} bytes of voxels instead of {wanted}")


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
    beside = path.parent / name
    if not beside.is_file():
        raise UserError(
            f"The data file that belongs to the image {path} is missing or no file: copy both "
            "into one folder."
        )
    return beside


def inflated_bytes(file: BinaryIO, most: int) -> int:
    """Decompress to the end, checking the checksum, and return the number of bytes.

    Args:
        file: at the start of a gzip or zlib stream.
        most: give up beyond so many.

    Raises:
        DamagedFile: the stream is damaged or cut off, or inflates to more than ``most``.
    """
    total = 0
    stream = zlib.decompressobj(wbits=47)  # 47: tell gzip from zlib by the stream's own start
    try:
        while data := file.read(CHUNK_BYTES):
            while data:
                if stream.eof:  # several gzip streams in a row are fine, and padding after them
                    data = data.lstrip(b"\0")
                    if not GZIP_START.startswith(data[:2]):
                        return total
                    stream = zlib.decompressobj(wbits=47)
                total += len(stream.decompress(data))
                data = stream.unused_data
                if total > most:
                    raise DamagedFile("far more data than the header says")
    except zlib.error as error:
        raise DamagedFile("the compressed data is wrong") from error
    if not stream.eof:
        raise DamagedFile("the compressed data is cut off")
    return total


def read_start(path: str | os.PathLike[str], count: int = HEADER_BYTES) -> bytes:
    """The first bytes of a file."""
    with Path(path).open("rb") as file:
        return file.read(count)

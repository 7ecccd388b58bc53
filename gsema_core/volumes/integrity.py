"""Finding image files that are cut off or damaged, which ITK reads without a word.

Measured with ITK 5.4: a NIfTI file that is cut off reads as an image that ends in zeros, and a
damaged gzip or zlib stream in NRRD and MetaImage as an image that is wrong from there on. A full
disk while writing NIfTI goes unnoticed as well, so writers check what they wrote.
"""

from __future__ import annotations

import gzip
import os
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np

from gsema_core.volumes.nifti_header import GZIP_START, DamagedFile, read_nifti_header

CHUNK_BYTES = 2**16
"""A forged file inflates to a thousand times its size: 64 MB at a time. A multiple of 8."""
HEADER_BYTES = 2**16
"""Text headers longer than this are not looked into: ours and Slicer's take a few kB."""


def check_integrity(path: str | os.PathLike[str]) -> None:
    """Check a NIfTI, NRRD or MetaImage file's length and checksum.

    Raises:
        DamagedFile: bytes are missing or wrong.
    """
    path = Path(path)
    name = path.name.lower()
    with path.open("rb") as file:
        if name.endswith((".nii", ".nii.gz")):
            _check_nifti(path, file)
        elif name.endswith((".nrrd", ".mha")):
            start = _compressed_data_start(file.read(HEADER_BYTES))
            if start is not None:
                file.seek(start)
                _inflate(file)


def has_all_finite_voxels(path: str | os.PathLike[str]) -> bool:
    """Whether a NIfTI file is free of NaN and infinities, which ITK reads as 0 without a word.

    Raises:
        DamagedFile: it is no NIfTI file.
    """
    path = Path(path)
    header = read_nifti_header(path)
    if not header.float_type:
        return True
    with path.open("rb") as file:
        compressed = file.read(2) == GZIP_START
    left = header.data_bytes
    with gzip.open(path, "rb") if compressed else path.open("rb") as file:
        file.seek(header.data_offset)
        while left > 0 and (data := file.read(min(left, CHUNK_BYTES))):
            if not np.isfinite(np.frombuffer(data, header.float_type)).all():
                return False
            left -= len(data)
    return True


def _check_nifti(path: Path, file: BinaryIO) -> None:
    header = read_nifti_header(path)
    compressed = file.read(2) == GZIP_START
    file.seek(0)
    length = _inflate(file) if compressed else path.stat().st_size
    if length < header.data_offset + header.data_bytes:
        raise DamagedFile(f"{length} bytes instead of {header.data_offset + header.data_bytes}")


def _compressed_data_start(head: bytes) -> int | None:
    """Where the gzip or zlib stream of an NRRD or MetaImage file begins, if it has one inside."""
    if head.startswith(b"NRRD"):
        ends = [(head.find(end), len(end)) for end in (b"\n\n", b"\r\n\r\n")]
        ends = [(at, length) for at, length in ends if at >= 0]
        if not ends:
            return None
        at, length = min(ends)
        fields = head[:at].lower().replace(b" ", b"")
        detached = b"\ndatafile:" in fields
        gzipped = b"\nencoding:gzip" in fields or b"\nencoding:gz\n" in fields + b"\n"
        return at + length if gzipped and not detached else None
    marker = head.replace(b" ", b"").lower()
    at = head.find(b"LOCAL")
    if b"compresseddata=true" in marker and at >= 0:
        return head.index(b"\n", at) + 1
    return None


def _inflate(file: BinaryIO) -> int:
    """Decompress to the end, checking the checksum, and return the number of bytes."""
    total = 0
    stream = zlib.decompressobj(wbits=47)  # 47: tell gzip from zlib by the stream's own start
    try:
        while data := file.read(CHUNK_BYTES):
            while data:
                total += len(stream.decompress(data))
                if not stream.eof:
                    break
                # gzip files may hold several streams in a row; padding after the last is fine.
                data = stream.unused_data.lstrip(b"\0")
                if not data.startswith(GZIP_START):
                    return total
                stream = zlib.decompressobj(wbits=47)
    except zlib.error as error:
        raise DamagedFile(str(error)) from error
    if not stream.eof:
        raise DamagedFile("the compressed data is cut off")
    return total

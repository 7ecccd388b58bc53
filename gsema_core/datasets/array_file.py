"""Several arrays in one file, each of which can be memory-mapped.

The format is safetensors' (github.com/huggingface/safetensors, "Format"): the length of a header
(8 bytes), the header (JSON: type, shape and place of every array), then the arrays' bytes. Unlike
in a compressed file, a patch is read without the rest of its volume. It is written here because
safetensors tells of a full disk as of any other fault, and does not say where arrays lie.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

_ALIGNMENT = 8
"""Bytes that every array begins at a multiple of, that of the largest type."""

_TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I32": "<i4", "U8": "|u1"}
_NAMES = {np.dtype(kind): name for name, kind in _TYPES.items()}


@dataclass(frozen=True)
class StoredArray:
    """An array in a file, which is not open.

    Attributes:
        path: the file.
        dtype, shape: of the array.
        offset: its first byte.
    """

    path: Path
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    offset: int

    def open(self) -> NDArray[Any]:
        """The array, memory-mapped. The file is open for as long as the array, or a view, is held.

        Raises:
            OSError, ValueError: the file is gone or too short.
        """
        if 0 in self.shape:  # nothing can be mapped
            return np.empty(self.shape, self.dtype)
        return np.memmap(self.path, self.dtype, "r", self.offset, self.shape)


def write_arrays(file: BinaryIO, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write arrays of the types float16 to float64, int32 and uint8.

    Raises:
        OSError: the disk is full, or cannot be written to.
    """
    # The largest items first, as safetensors has them: all of them are aligned then.
    ordered = sorted(arrays.items(), key=lambda item: -item[1].itemsize)
    entries, end = {}, 0
    for name, array in ordered:
        place = [end, end := end + array.nbytes]
        kind = _NAMES[array.dtype]
        entries[name] = {"dtype": kind, "shape": list(array.shape), "data_offsets": place}
    header = json.dumps(entries).encode()
    header += b" " * (-len(header) % _ALIGNMENT)
    file.write(len(header).to_bytes(8, "little") + header)
    for _, array in ordered:
        file.write(np.ascontiguousarray(array).data)


def stored_arrays(path: Path) -> dict[str, StoredArray]:
    """The arrays of a file, by name.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no such file, or not whole.
    """
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(0)
        start = 8 + int.from_bytes(file.read(8), "little")
        if not 8 < start <= size:
            raise ValueError("it is no file of arrays")
        header = json.loads(file.read(start - 8))
    found, expected = {}, 0
    try:
        for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
            dtype, shape = np.dtype(_TYPES[entry["dtype"]]), tuple(map(int, entry["shape"]))
            begin, end = entry["data_offsets"]
            if begin != expected or end - begin != math.prod(shape) * dtype.itemsize:
                raise ValueError("its arrays do not lie one behind the other")
            found[name] = StoredArray(path, dtype, shape, start + begin)
            expected = end
    except (AttributeError, LookupError, TypeError) as error:
        raise ValueError("its header does not describe arrays") from error
    if start + expected != size:
        raise ValueError("it is not whole")
    return found

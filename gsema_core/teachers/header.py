"""The head of a safetensors file, read with suspicion and without torch.

Layout (github.com/huggingface/safetensors, "Format"): 8 bytes with the length N of the header as
a little-endian integer, N bytes of JSON, then the tensors' bytes.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any, BinaryIO

from gsema_core.teachers.strict_json import parse_json

MAXIMUM_HEADER_BYTES = 2**20
"""The names and shapes of a thousand tensors take 100 kB; ours take 10 to 30."""

_ITEM_BYTES = {"F32": 4, "F16": 2, "BF16": 2}
_TENSOR_NAME = re.compile(r"[A-Za-z0-9_.]{1,200}")
_PICKLE_STARTS = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")


@dataclass(frozen=True)
class Header:
    """What the head of a file says.

    Attributes:
        metadata: names to texts.
        shapes: the tensors' names and shapes.
    """

    metadata: dict[str, str]
    shapes: dict[str, tuple[int, ...]]


def read_header(stream: BinaryIO, file_bytes: int) -> Header:
    """Read and check the header at the start of a file of ``file_bytes`` bytes.

    Raises:
        ValueError: with a reason that fits after "The teacher file ... cannot be used: ".
    """
    start = stream.read(8)
    if start.startswith(_PICKLE_STARTS):
        raise ValueError(
            "it is a pickle (as torch.save makes it) or an archive, which are never opened because "
            "they can run any code or hold anything; teachers are .safetensors files"
        )
    length = int.from_bytes(start, "little")
    if len(start) < 8 or length > MAXIMUM_HEADER_BYTES:
        raise ValueError("it is no safetensors file")
    if 8 + length > file_bytes:
        raise ValueError("it ends too early; copy or download it again")
    try:
        content = parse_json(stream.read(length))
    except ValueError as error:
        raise ValueError(f"its header {error}") from None
    if not isinstance(content, dict):
        raise ValueError("its header is not a table")
    metadata = content.pop("__metadata__", {})
    if not _is_table_of_texts(metadata):
        raise ValueError("its metadata is not a table of texts")
    _check_layout(content, file_bytes - 8 - length)
    return Header(metadata, {name: tuple(entry["shape"]) for name, entry in content.items()})


def _check_layout(entries: dict[str, Any], data_bytes: int) -> None:
    """Every tensor where it belongs: one after the other, without a gap, up to the end."""
    for name, entry in entries.items():
        if not _TENSOR_NAME.fullmatch(name):
            raise ValueError(f"it has a tensor with the odd name {name[:80]!r}")
        if not _is_entry(entry):
            raise ValueError(f"its tensor {name} is not described properly")
    position = 0
    for name, entry in sorted(entries.items(), key=lambda item: item[1]["data_offsets"]):
        begin, end = entry["data_offsets"]
        size = math.prod(entry["shape"]) * _ITEM_BYTES[entry["dtype"]]
        if begin != position or end - begin != size:
            raise ValueError(f"its tensor {name} does not lie where it should")
        position = end
    if position > data_bytes:
        raise ValueError("it ends too early; copy or download it again")
    if position < data_bytes:
        raise ValueError("it has bytes that belong to no tensor")


def _is_entry(entry: Any) -> bool:
    return (
        isinstance(entry, dict)
        and set(entry) == {"dtype", "shape", "data_offsets"}
        and isinstance(entry["dtype"], str)
        and entry["dtype"] in _ITEM_BYTES
        and _are_sizes(entry["shape"])
        and len(entry["shape"]) <= 8
        and _are_sizes(entry["data_offsets"])
        and len(entry["data_offsets"]) == 2
    )


def _are_sizes(values: Any) -> bool:
    return isinstance(values, list) and all(type(n) is int and 0 <= n < 2**40 for n in values)


def _is_table_of_texts(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(text, str) for text in value.values())

"""What stands in the head of a safetensors file, read by the standard library alone.

Slicer's panel lists teachers before any package is installed. So the little that a list needs is
read here; whether names, types, shapes and places of the weights are right is left to safetensors,
when they are loaded.

Layout (github.com/huggingface/safetensors, "Format"): 8 bytes with the length N of the header as
a little-endian integer, N bytes of JSON, then the tensors' bytes.
"""

from __future__ import annotations

import json
from typing import Any, BinaryIO

MAXIMUM_HEADER_BYTES = 2**20
"""The names and shapes of a thousand tensors take 100 kB; ours take 10 to 30."""

MAXIMUM_DEPTH = 8
"""Levels of nesting that a teacher's card may have. Our choice; ours have three."""

_PICKLE_STARTS = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")


def read_metadata(stream: BinaryIO, file_bytes: int) -> dict[str, Any]:
    """Read the texts at the start of a file of ``file_bytes`` bytes, which must be whole.

    Raises:
        ValueError: with a reason that fits after "The model file ... cannot be used: ".
    """
    start = stream.read(8)
    if start.startswith(_PICKLE_STARTS):
        raise ValueError(
            "it is a pickle (as torch.save makes it) or an archive, which are never opened because "
            "they can run any code or hold anything; models are .safetensors files"
        )
    length = int.from_bytes(start, "little")
    if len(start) < 8 or length > MAXIMUM_HEADER_BYTES:
        raise ValueError("it is no safetensors file")
    header = parse_json(stream.read(length), "header")
    try:
        metadata = dict(header.pop("__metadata__", {}))
        end = max((entry["data_offsets"][1] for entry in header.values()), default=0)
        missing = 8 + length + end - file_bytes
    except (AttributeError, LookupError, TypeError, ValueError):
        raise ValueError("its header does not describe weights") from None
    if missing > 0:
        raise ValueError("it ends too early; copy or download it again")
    if missing < 0:
        raise ValueError("it has bytes that belong to no tensor")
    return metadata


def parse_json(text: str | bytes, what: str) -> Any:
    """Parse JSON that can be written again: no NaN or infinity, no deep nesting, no repeated key.

    Raises:
        ValueError: with a reason that says ``what`` of the file it is.
    """
    try:
        value = json.loads(text, object_pairs_hook=_unique_keys, parse_int=_short_integer)
        json.dumps(value, allow_nan=False)
        _check_depth(value, MAXIMUM_DEPTH)
    except (RecursionError, ValueError) as error:
        raise ValueError(f"its {what} is not plain JSON ({error})") from None
    return value


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)  # of a name that is there twice, other readers may take the other one
    if len(result) != len(pairs):
        raise ValueError("a key is there twice")
    return result


def _short_integer(digits: str) -> int:
    if len(digits) > 20:  # 64 bits; a longer one fits into no float
        raise ValueError("a number is too large")
    return int(digits)


def _check_depth(value: Any, depth: int) -> None:
    if depth < 0:
        raise ValueError("it is nested too deeply")
    if isinstance(value, (dict, list)):
        for child in value.values() if isinstance(value, dict) else value:
            _check_depth(child, depth - 1)

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from gsema_core.teachers.header import MAXIMUM_HEADER_BYTES, Header, read_header


def entry(shape: list[int], begin: int, end: int, dtype: str = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def read(header: Any, data_bytes: int = 0) -> Header:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    content = len(text).to_bytes(8, "little") + text + bytes(data_bytes)
    return read_header(io.BytesIO(content), len(content))


def test_a_proper_header() -> None:
    header = read(
        {
            "__metadata__": {"gsema": "x"},
            "b": entry([2, 3], 4, 28),
            "a": entry([2], 0, 4, "F16"),
        },
        28,
    )
    assert header == Header({"gsema": "x"}, {"a": (2,), "b": (2, 3)})


@pytest.mark.parametrize(
    ("header", "data_bytes", "reason"),
    [
        ([], 0, "not a table"),
        (b"{", 0, "not JSON"),
        (b'{"a": 1, "a": 1}', 0, "twice"),
        ({"__metadata__": {"gsema": 3}}, 0, "table of texts"),
        ({"a": entry([2], 0, 8)}, 4, "ends too early"),
        ({"a": entry([2], 0, 8)}, 9, "belong to no tensor"),
        ({"a": entry([2], 0, 4)}, 4, "where it should"),
        ({"a": entry([2], 0, 8), "b": entry([2], 4, 12)}, 12, "where it should"),
        ({"a": entry([2], 4, 12)}, 12, "where it should"),
        ({"a": entry([2**39] * 8, 0, 8)}, 8, "where it should"),
        ({"a": entry([-2], 0, 8)}, 8, "described"),
        ({"a": entry([1] * 9, 0, 4)}, 4, "described"),
        ({"a": entry([True], 0, 4)}, 4, "described"),
        ({"a": entry([2], 0, 8, "I32")}, 8, "described"),
        ({"a": entry([2], 0, 8, ["F32"])}, 8, "described"),  # type: ignore[arg-type]
        ({"a": {"dtype": "F32"}}, 0, "described"),
        ({"a": None}, 0, "described"),
        ({"../a": entry([2], 0, 8)}, 8, "odd name"),
    ],
)
def test_a_header_that_lies_is_refused(header: Any, data_bytes: int, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read(header, data_bytes)


@pytest.mark.parametrize("length", [MAXIMUM_HEADER_BYTES + 1, 2**63])
def test_a_huge_header_is_refused_unread(length: int) -> None:
    stream = io.BytesIO(length.to_bytes(8, "little"))
    with pytest.raises(ValueError, match="no safetensors"):
        read_header(stream, 2**40)
    assert stream.tell() == 8


def test_a_header_longer_than_the_file() -> None:
    with pytest.raises(ValueError, match="too early"):
        read_header(io.BytesIO((1000).to_bytes(8, "little")), 8)


@pytest.mark.parametrize("content", [b"", b"1234567"])
def test_a_file_too_short_for_a_length(content: bytes) -> None:
    with pytest.raises(ValueError, match="no safetensors"):
        read_header(io.BytesIO(content), len(content))

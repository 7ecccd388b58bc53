"""Heads that lie: a list of teachers and a load both end in one sentence."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from gsema_core.errors import UserError
from gsema_core.teachers import TeacherCard, load_teacher, read_card
from gsema_core.teachers.header import (
    MAXIMUM_DEPTH,
    MAXIMUM_HEADER_BYTES,
    parse_json,
    read_metadata,
)
from gsema_core.teachers.teacher_file import METADATA_KEY


def entry(shape: Any, begin: int, end: int, dtype: Any = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def file_of(header: Any, data_bytes: int = 0) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + bytes(data_bytes)


def test_the_texts_of_a_proper_header() -> None:
    header = {"__metadata__": {"gsema": "x"}, "b": entry([2, 3], 4, 28), "a": entry([2], 0, 4)}
    content = file_of(header, 28)
    assert read_metadata(io.BytesIO(content), len(content)) == {"gsema": "x"}


@pytest.mark.parametrize(
    ("header", "data_bytes", "reason"),
    [
        ([], 0, "describe weights"),
        (b"{", 0, "not plain JSON"),
        (b"[" * 100_000, 0, "not plain JSON"),
        (b'{"a": 1, "a": 1}', 0, "twice"),
        (b'{"a": "\xff"}', 0, "not plain JSON"),
        ({"__metadata__": {"gsema": 3}}, 0, "no card"),
        ({"__metadata__": "gsema"}, 0, "describe weights"),
        ({"a": entry([2], 0, 8)}, 4, "ends too early"),
        ({"a": entry([2], 0, 8)}, 9, "belong to no tensor"),
        ({"a": {"dtype": "F32"}}, 0, "describe weights"),
        ({"a": {"data_offsets": [0, "8"]}}, 0, "describe weights"),
        ({"a": None}, 0, "describe weights"),
    ],
)
def test_what_a_list_of_teachers_refuses(
    tmp_path: Path, header: Any, data_bytes: int, reason: str
) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(file_of(header, data_bytes))
    for read in (read_card, load_teacher):
        with pytest.raises(UserError, match=reason):
            read(path)


@pytest.mark.parametrize(
    ("weights", "data_bytes"),
    [
        ({"a": entry([2], 0, 4)}, 4),
        ({"a": entry([2], 0, 8), "b": entry([2], 4, 12)}, 12),
        ({"a": entry([2], 4, 12)}, 12),
        ({"a": entry([2**39] * 8, 0, 8)}, 8),
        ({"a": entry([0, 2**62, 2**62], 0, 0)}, 0),
        ({"a": entry([-2], 0, 8)}, 8),
        ({"a": entry([True], 0, 4)}, 4),
        ({"a": entry([2], 0, 8, ["F32"])}, 8),
        ({"a": entry([4], 0, 2, "F4")}, 2),
        ({"../a": entry([2], 0, 8)}, 8),
        ({"a" * 100_000: entry([1] * 5000, 0, 4)}, 4),
    ],
)
def test_what_loading_refuses(
    tmp_path: Path, tiny_card: TeacherCard, weights: dict[str, Any], data_bytes: int
) -> None:
    path = tmp_path / "a.safetensors"
    header = {"__metadata__": {METADATA_KEY: tiny_card.to_json()}, **weights}
    path.write_bytes(file_of(header, data_bytes))
    assert read_card(path) == tiny_card
    with pytest.raises(UserError, match=r"^The model file .* (cannot be|lacks) .*\.$"):
        load_teacher(path)


@pytest.mark.parametrize("length", [MAXIMUM_HEADER_BYTES + 1, 2**63])
def test_a_huge_header_is_refused_unread(length: int) -> None:
    stream = io.BytesIO(length.to_bytes(8, "little"))
    with pytest.raises(ValueError, match="no safetensors"):
        read_metadata(stream, 2**40)
    assert stream.tell() == 8


@pytest.mark.parametrize("content", [b"", b"1234567"])
def test_a_file_too_short_for_a_length(content: bytes) -> None:
    with pytest.raises(ValueError, match="no safetensors"):
        read_metadata(io.BytesIO(content), len(content))


def test_plain_values_come_back() -> None:
    assert parse_json('{"a": [1, 2.5, "ü", null, true]}', "card") == {
        "a": [1, 2.5, "ü", None, True]
    }
    assert parse_json("[" * MAXIMUM_DEPTH + "]" * MAXIMUM_DEPTH, "card")


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1, "a": 2}',
        '{"x": {"a": 1, "a": 2}}',
        "[NaN]",
        "[-Infinity]",
        "[1e999]",
        "[" + "9" * 30 + "]",
        "[" + "9" * 5000 + "]",
        "[" * 100_000,
        "[" * (MAXIMUM_DEPTH + 2) + "]" * (MAXIMUM_DEPTH + 2),
        "{",
        "",
    ],
)
def test_what_could_not_be_written_again_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="its card is not plain JSON"):
        parse_json(text, "card")

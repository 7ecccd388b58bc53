from __future__ import annotations

import json
import re
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gsema_core.worker.protocol import (
    PREFIX,
    CancelRequest,
    CardRequest,
    ClickRequest,
    DevicesRequest,
    PrepareRequest,
    ProtocolError,
    QuitRequest,
    SegmentRequest,
    decode_request,
    encode_event,
    split_lines,
)

ROOT = Path(__file__).resolve().parents[3]


def decode(**values: Any) -> Any:
    return decode_request(json.dumps(values).encode())


def test_requests_as_the_panels_send_them() -> None:
    assert decode(
        id=1, command="segment", input="/a b/Ä.nrrd", output="o.nrrd", teacher="default",
        device="auto", settings={"overlap": 0.5}, probabilities=None, volume_key="n:7",
    ) == SegmentRequest(
        1, "/a b/Ä.nrrd", "o.nrrd", settings={"overlap": 0.5}, volume_key="n:7"
    )  # fmt: skip
    assert decode(
        id=6, command="prepare", input="/a b/Ä.nrrd", volume_key="n:7", teacher="x", device="cpu"
    ) == PrepareRequest(6, "/a b/Ä.nrrd", "n:7", "x", "cpu")
    assert decode(
        id=7, command="click", volume_key="n:7", inside_lps=[[12.5, -31, 4.8e1]], output="c.nrrd",
        input=None, teacher="default", device="auto", settings={}, vessels=False,
    ) == ClickRequest(
        7, ((12.5, -31.0, 48.0),), "c.nrrd", volume_key="n:7", vessels=False
    )  # fmt: skip
    assert decode(id=2, command="cancel", target=1) == CancelRequest(2, 1)
    assert decode(id=3, command="devices") == DevicesRequest(3)
    assert decode(id=4, command="card", teacher="x") == CardRequest(4, "x")
    assert decode(id=5, command="quit") == QuitRequest(5)


@pytest.mark.parametrize(
    "line",
    [
        b"", b"hello", b"{", b"\xff\xfe", b"[1, 2]", b"3", b"null", b'"text"', b"[" * 100_000,
        b'{"command": "devices"}', b'{"id": null, "command": "devices"}',
        b'{"id": true, "command": "devices"}', b'{"id": 1.0, "command": "devices"}',
        b'{"id": -1, "command": "devices"}', b'{"id": 1e400, "command": "devices"}',
        b'{"id": NaN, "command": "devices"}', b'{"id": ' + b"9" * 5000 + b', "command": "quit"}',
    ],
)  # fmt: skip
def test_garbage_is_an_error_without_number(line: bytes) -> None:
    with pytest.raises(ProtocolError) as caught:
        decode_request(line)
    assert caught.value.id is None


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"command": "dance"}, "'dance' is unknown"),
        ({"command": None}, "unknown"),
        ({"command": ["segment"]}, "unknown"),
        ({"command": "segment", "output": "o.nrrd"}, "input of the request is missing"),
        ({"command": "cancel"}, "target of the request is missing"),
        ({"command": "cancel", "target": "1"}, "target"),
        ({"command": "cancel", "target": None}, "target"),
        ({"command": "devices", "input": "x"}, "Unknown setting 'input'"),
        ({"command": "card", "teacher": 3}, "teacher"),
        ({"command": "card", "teacher": ""}, "teacher"),
        ({"command": "card", "teacher": "a\0b"}, "teacher"),
        ({"command": "card", "teacher": "\ud800"}, "teacher"),
        ({"command": "segment", "input": 3, "output": "o"}, "input"),
        ({"command": "segment", "input": "i", "output": ["o"]}, "output"),
        ({"command": "segment", "input": "i", "output": "o", "volume_key": 7}, "volume_key"),
        ({"command": "segment", "input": None, "output": "o"}, "give a path"),
        ({"command": "segment", "input": "i", "output": "o", "settings": 3}, "give a table"),
        ({"command": "segment", "input": "i", "output": "o", "overlap": 0.5}, "'overlap'"),
        ({"command": "prepare", "input": "i"}, "volume_key of the request is missing"),
        ({"command": "prepare", "input": None, "volume_key": "k"}, "input"),
        ({"command": "prepare", "input": "i", "volume_key": None}, "volume_key"),
        (
            {"command": "prepare", "input": "i", "volume_key": "k", "overlap": 0.5},
            "Unknown setting 'overlap'",
        ),
        ({"command": "click", "output": "o"}, "inside_lps of the request is missing"),
        ({"command": "click", "inside_lps": [[1, 2, 3]]}, "output of the request is missing"),
        ({"command": "click", "inside_lps": [], "output": "o"}, "give at least one point"),
        ({"command": "click", "inside_lps": [[1, 2, 3]], "output": None}, "output"),
    ],
)
def test_a_wrong_request_is_an_error_with_its_number(values: dict[str, Any], told: str) -> None:
    with pytest.raises(ProtocolError, match=told) as caught:
        decode(id=7, **values)
    assert caught.value.id == 7
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("name", ["inside_lps", "outside_lps"])
@pytest.mark.parametrize(
    "points",
    [
        [1, 2, 3], [[1, 2]], [[1, 2, 3, 4]], [[1, 2, "3"]], [[1, 2, True]], [[1, 2, None]],
        [[1, 2, 10**400]], [[1, 2, 3], None], None, "1 2 3",
    ],
)  # fmt: skip
def test_points_are_lists_of_three_numbers(name: str, points: Any) -> None:
    values = {"inside_lps": [[1, 2, 3]], "output": "o", name: points}
    with pytest.raises(ProtocolError, match=f"{name} .*: give a list of points of 3 numbers"):
        decode(id=7, command="click", **values)


def test_a_number_beyond_all_bounds_is_refused() -> None:
    line = b'{"id": 1, "command": "click", "inside_lps": [[1, 2, 1e999]], "output": "o"}'
    with pytest.raises(ProtocolError, match="list of points"):
        decode_request(line)


def test_the_messages_in_the_documentation_are_understood() -> None:
    """Whoever writes a panel copies them from there."""
    page = (ROOT / "docs" / "reference" / "worker.md").read_text(encoding="utf-8")
    requests = re.findall(r'^    (\{"id".*?\})$', page, re.DOTALL | re.MULTILINE)
    kinds = [type(decode_request(text.replace("\n", " ").encode())) for text in requests]
    assert kinds == [SegmentRequest, PrepareRequest, ClickRequest]


def test_an_event_is_one_ascii_line() -> None:
    line = encode_event({"event": "error", "id": 1, "message": "Ü\nß 动"})
    assert line.startswith(PREFIX)
    assert line.isascii()
    assert line.index("\n") == len(line) - 1
    assert json.loads(line[len(PREFIX) :])["message"] == "Ü\nß 动"


def test_an_event_cannot_hold_what_json_cannot() -> None:
    with pytest.raises(ValueError, match="JSON"):
        encode_event({"event": "progress", "fraction": float("nan")})


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_lines_are_the_same_however_the_bytes_arrive(size: int) -> None:
    stream = b"one\n\ntwo\r\n" + b"x" * 21 + b"\n" + b"y" * 20 + b"\nz" * 2 + b"\nrest"
    chunks = [stream[start : start + size] for start in range(0, len(stream), size)]
    expected = [b"one", b"", b"two\r", None, b"y" * 20, b"z", b"z"]
    assert list(split_lines(chunks, limit=20)) == expected


def test_a_line_without_end_takes_no_memory() -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(100):
            yield b"x" * 100_000
        yield b"\nshort\n"

    tracemalloc.start()
    try:
        assert list(split_lines(endless(), limit=1000)) == [None, b"short"]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000  # of the 10 MB that arrived

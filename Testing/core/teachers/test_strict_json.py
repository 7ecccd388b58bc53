from __future__ import annotations

import pytest

from gsema_core.teachers.strict_json import MAXIMUM_DEPTH, parse_json


def test_plain_values_come_back() -> None:
    assert parse_json('{"a": [1, 2.5, "ü", null, true]}') == {"a": [1, 2.5, "ü", None, True]}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"a": 1, "a": 2}', "twice"),
        ('{"x": {"a": 1, "a": 2}}', "twice"),
        ("[NaN]", "NaN"),
        ("[-Infinity]", "Infinity"),
        ("[1e999]", "too large"),
        ("[" + "9" * 5000 + "]", "too large"),
        ("[" * 100_000, "nested"),
        ("[" * (MAXIMUM_DEPTH + 2) + "]" * (MAXIMUM_DEPTH + 2), "nested"),
        ("{", "not JSON"),
        ("", "not JSON"),
        (b'{"a": "\xff"}', "not UTF-8"),
    ],
)
def test_everything_odd_is_refused_with_its_reason(text: str | bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_json(text)


def test_nesting_up_to_the_limit_is_fine() -> None:
    assert parse_json("[" * MAXIMUM_DEPTH + "]" * MAXIMUM_DEPTH)

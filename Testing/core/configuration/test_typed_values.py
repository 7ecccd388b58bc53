"""Values as they are typed behind ``--set``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gsema_core.configuration.setting import Setting
from gsema_core.configuration.typed_values import nearest, typed_value
from gsema_core.errors import UserError


def of(kind: Any) -> Setting:
    return Setting("x", kind, optional=False, default=None)


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("3e-4", float, 3e-4),
        (".5", float, 0.5),
        ("1_000", int, 1000),
        ("many", int, "many"),  # which building the settings refuses
        ("true", bool, True),
        ("True", bool, "True"),
        ("gin", str, "gin"),
        ("2026", str, "2026"),
        ("2026-11-30", str, "2026-11-30"),
        ("true", str, "true"),
        ('"a b"', str, "a b"),
        ("a=b # c", str, "a=b # c"),
        ("runs/x", Path, "runs/x"),
        ("64,64,32", tuple[int, int, int], [64, 64, 32]),
        ("[64, 64, 32]", tuple[int, int, int], [64, 64, 32]),
        ("64", tuple[int, int, int], [64]),
        (".2, .8", tuple[float, ...], [0.2, 0.8]),
        ("A, B", tuple[str, ...], ["A", "B"]),
        ("[A,B]", tuple[str, ...], ["A", "B"]),
        ("1,2", tuple[str, ...], ["1", "2"]),
        ("[1, 2]", tuple[str, ...], ["1", "2"]),
        ('["A, North", "B"]', tuple[str, ...], ["A, North", "B"]),
        ("O'Brien,B", tuple[str, ...], ["O'Brien", "B"]),
        ("", tuple[str, ...], []),
        ("", str, ""),
    ],
)
def test_a_value_is_read_as_its_setting_takes_it(text, kind, value):
    found = typed_value(text, of(kind))
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [("0.5", 0.5), ("gin", "gin"), ("[1, 2]", [1, 2]), ("2026-11-30", "2026-11-30")],
)
def test_a_keyword_of_a_part_tells_no_type(text, value):
    assert typed_value(text) == value


def test_what_would_be_a_second_setting_is_a_text():
    assert typed_value("3\nother = 4") == "3\nother = 4"


def test_a_list_with_quotes_here_and_there_is_refused():
    with pytest.raises(UserError, match="mixes quotes and none"):
        typed_value('["A, North", B]', of(tuple[str, ...]))


def test_the_nearest_name():
    assert nearest("stesp", ["steps", "minutes"]) == " (did you mean steps?)"
    assert nearest("qqq", ["steps", "minutes"]) == ""

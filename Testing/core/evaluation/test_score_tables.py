from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from gsema_core.evaluation.score_tables import (
    as_rows,
    case_row,
    markdown_table,
    shown,
    text_lines,
    text_table,
)


def test_text_table_is_aligned() -> None:
    rows = [{"name": "a", "mean_dice": 0.123456}, {"name": "long", "mean_dice": None}]
    assert text_table(rows) == [
        "name  mean dice",
        "a        0.1235",
        "long          -",
    ]


def test_markdown_table() -> None:
    assert markdown_table([{"case": "1", "hd95_mm": 2.5}]).splitlines() == [
        "| case | HD95 (mm) |",
        "| --- | --- |",
        "| 1 | 2.5 |",
    ]


@pytest.mark.parametrize(
    ("value", "text"), [(None, "-"), (math.nan, "-"), (3, "3"), (1234.5, "1234"), ("x", "x")]
)
def test_shown(value: Any, text: str) -> None:
    assert shown(value) == text


def test_what_is_a_table() -> None:
    assert as_rows([{"a": 1}, {"b": 2}]) == [{"a": 1}, {"b": 2}]
    assert as_rows({"x": {"a": 1}, "y": {"a": 2}}) == [{"": "x", "a": 1}, {"": "y", "a": 2}]
    for other in ([1, 2], [], {}, {"x": {"a": 1}}, {"x": {"a": 1}, "y": {"b": 2}}, [{"a": [1]}], 3):
        assert as_rows(other) is None


def test_lines_of_a_card() -> None:
    card = {
        "name": "n",
        "window": [32, 32],
        "nothing": {},
        "none": [],
        "validation": {"mean_dice": 0.5},
        "per_case": [{"case": "1", "dice": 0.25}, {"case": "2", "dice": 0.5}],
    }
    lines = [
        "name: n", "window: 32, 32", "nothing: -", "none: -", "validation", "  mean dice: 0.5",
        "per case", "  case  dice", "  1     0.25", "  2      0.5",
    ]  # fmt: skip
    assert list(text_lines(card)) == lines
    assert list(text_lines(card, 2)) == lines
    assert list(text_lines(card, 1))[6:] == ["per case: 2 rows, shown with --cases"]


def test_sorted_json_is_put_back_in_order() -> None:
    mean = {"interval_high": 0.7, "interval_low": 0.5, "mean": 0.6}
    lines = list(text_lines({"x": 1, "aneurysm": {"hd95_mm": mean, "dice": mean}, "cases": 2}))
    assert lines[0] == "cases: 2"
    assert lines[2].split() == ["mean", "interval", "low", "interval", "high"]
    assert [line.split()[0] for line in lines[3:]] == ["dice", "hd95_mm", "x:"]


def test_row_of_a_case(scored: Callable[..., Any]) -> None:
    row = case_row(scored("7", 0.5, ((6.0, True), (4.0, False)), false_positives=3, center="D"))
    assert list(row)[:2] == ["case", "center"]
    assert (row["detected"], row["missed"], row["false_positives"]) == (1, 1, 3)
    assert (row["aneurysm_dice"], row["vessel_dice"]) == (0.5, 0.9)
    assert "center" not in case_row(scored("7", 0.5, center=""))

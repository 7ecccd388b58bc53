from __future__ import annotations

import math
from typing import Any

import pytest

from gsema_core.text_tables import markdown_table, shown, text_table


def test_text_table_is_aligned() -> None:
    rows = [{"name": "a", "mean_dice": 0.123456}, {"name": "long", "mean_dice": None}]
    assert text_table(rows) == [
        "name  mean dice",
        "a        0.1235",
        "long          -",
    ]


def test_markdown_table() -> None:
    rows = [{"case": "1", "hd95_mm": 2.5}]
    assert markdown_table(rows, {"hd95_mm": "HD95 (mm)"}).splitlines() == [
        "| case | HD95 (mm) |",
        "| --- | --- |",
        "| 1 | 2.5 |",
    ]
    assert markdown_table(rows).startswith("| case | hd95 mm |")


@pytest.mark.parametrize(
    ("value", "text"), [(None, "-"), (math.nan, "-"), (3, "3"), (1234.5, "1234"), ("x", "x")]
)
def test_shown(value: Any, text: str) -> None:
    assert shown(value) == text

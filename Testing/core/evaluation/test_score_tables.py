from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gsema_core.evaluation import summarize_cases
from gsema_core.evaluation.score_tables import (
    as_rows,
    case_row,
    in_percent,
    score_page,
    text_lines,
    with_intervals_said,
)


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
        "validation": {"mean_dice": 0.5, "my_part:My_Name": 1},
        "per_case": [{"case": "1", "dice": 0.25}, {"case": "2", "dice": 0.5}],
    }
    lines = [
        "name: n", "window: 32, 32", "nothing: -", "none: -", "validation", "  mean dice: 0.5",
        "  my_part:My_Name: 1", "per case", "  case  dice", "  1     0.25", "  2      0.5",
    ]  # fmt: skip
    assert list(text_lines(card)) == lines
    assert list(text_lines(card, 2)) == lines
    assert list(text_lines(card, 1))[7:] == ["per case: 2 rows, shown with --cases"]


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


def test_row_has_the_patients_number(scored: Callable[..., Any]) -> None:
    assert list(case_row(scored("7", 0.5, patient=3)))[:2] == ["case", "patient"]
    assert case_row(scored("7", 0.5, patient=3))["patient"] == 3
    assert "patient" not in case_row(scored("7", 0.5))


def test_page_says_what_intervals_are_over(scored: Callable[..., Any]) -> None:
    known = [scored(str(n), 0.5, patient=n // 2) for n in range(4)]
    page = score_page({"centers_scored": ["A"], **summarize_cases(known)})
    assert page.startswith(
        "4 scans of 2 patients at A with 4 aneurysms.\n\n95 % intervals are over"
    )
    assert "over patients." in page
    unknown = {"centers_scored": ["A"], **summarize_cases([scored("1", 0.5), scored("2", 0.6)])}
    assert score_page(unknown).startswith("2 scans at A with 2 aneurysms.")
    assert "over cases, each taken for a patient of its own" in score_page(unknown)
    for name in ("patients", "intervals_over"):  # as older cards have it
        del unknown[name]
    assert "over cases, each taken for a patient of its own" in score_page(unknown)


def test_cards_from_before_patients_were_numbered_say_so() -> None:
    old = {"test": {"per_case": [], "cases": 2}, "validation": {"dice": 0.5}, "D": None}
    said = with_intervals_said(old)
    assert said["test"]["intervals_over"].startswith("cases, each taken for a patient of its own")
    assert {**said, "test": old["test"]} == old
    new = {"test": {"intervals_over": "patients", "per_case": []}}
    assert with_intervals_said(new) == new


def test_percent(scored: Callable[..., Any]) -> None:
    summary = in_percent(summarize_cases([scored("1", 0.5), scored("2", 0.25, ((6.0, False),))]))
    dice = summary["aneurysm"]["dice (%)"]
    assert (dice["count"], dice["mean"], dice["worst"], dice["worst_case"]) == (2, 37.5, 25.0, "2")
    assert summary["aneurysm"]["hd95_mm"]["mean"] == 1.0
    assert summary["lesions"]["missed_share (%)"]["of"] == 2
    assert summary["lesions"]["f1 (%)"]["value"] == 66.67
    assert summary["lesions"]["false_positives_per_case"]["value"] == 0.0
    assert [line.split()[0] for line in text_lines({"aneurysm": summary["aneurysm"]})][2] == "dice"

"""Ranges of training scans on a card, and what is said of a scan outside them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from gsema_core.errors import UserError
from gsema_core.intensities.appearance_ranges import (
    ALLOWED,
    NAMES,
    Appearance,
    AppearanceRanges,
    unusual,
)
from gsema_core.teachers import TeacherCard

ONE = Appearance(0.4, 60.0, 70.0, 0.7, 0.01, 0.02, 0.2, 0.004, 0.9, 0.8, 0.5)
OTHER = Appearance(0.5, 50.0, 80.0, 0.6, 0.04, 0.05, 0.6, 0.03, 0.6, 0.6, 0.2)


@pytest.fixture
def ranges() -> AppearanceRanges:
    found = AppearanceRanges.of([ONE, OTHER])
    assert found is not None
    return found


def test_ranges_go_from_the_lowest_to_the_highest(ranges: AppearanceRanges) -> None:
    assert ranges.scans == 2
    assert (ranges.voxel_mm, ranges.noise, ranges.tubes) == ((0.4, 0.5), (0.01, 0.04), (0.6, 0.8))
    assert AppearanceRanges.of([]) is None


def test_a_number_is_kept_to_four_digits() -> None:
    found = AppearanceRanges.of([replace(ONE, noise=0.0123456)])
    assert found is not None and found.noise == (0.01235, 0.01235)


def test_a_tuned_teacher_has_seen_both(ranges: AppearanceRanges) -> None:
    own = AppearanceRanges.of([replace(ONE, voxel_mm=0.9, contrast=0.65)])
    assert own is not None
    both = own.joined_with(ranges)
    assert both.scans == 3
    assert both.voxel_mm == (0.4, 0.9) and both.contrast == (0.6, 0.7)
    assert own.joined_with(None) == own


def test_every_number_has_its_bounds(ranges: AppearanceRanges) -> None:
    assert set(ALLOWED) == set(NAMES)
    assert unusual(ONE, ranges) == ([], [])


@pytest.mark.parametrize(
    ("name", "inside", "outside", "impossible"),
    [
        ("voxel_mm", 0.75, 0.76, False),
        ("voxel_mm", 0.21, 0.19, False),
        ("shortest_mm", 26.0, 24.0, False),
        ("longest_mm", 159.0, 161.0, False),
        ("contrast", 0.49, 0.47, False),
        ("noise", 0.059, 0.061, False),
        ("noise", 0.059, 0.13, True),
        ("noise", 0.0, 0.5, True),
        ("unevenness", 0.07, 0.08, False),
        ("unevenness", 0.0, 0.2, True),
        ("dark", 0.74, 0.76, False),
        ("bright", 0.037, 0.038, False),
        ("joined", 0.49, 0.47, False),
        ("joined", 1.0, 0.2, True),
        ("tubes", 0.58, 0.56, False),
        ("tubes", 1.0, 0.4, True),
        ("slices", 0.17, 0.16, False),
    ],
)
def test_what_is_outside_is_told_with_its_figure(
    ranges: AppearanceRanges, name: str, inside: float, outside: float, impossible: bool
) -> None:
    assert unusual(replace(ONE, **{name: inside}), ranges) == ([], [])
    clauses, ruled_out = unusual(replace(ONE, **{name: outside}), ranges)
    assert len(clauses) == 1 and " to " in clauses[0] and "{}" not in clauses[0]
    assert ruled_out == (clauses if impossible else [])


def test_a_figure_is_plain(ranges: AppearanceRanges) -> None:
    clauses, _ = unusual(replace(ONE, noise=0.07, longest_mm=205.3, bright=0.00001), ranges)
    assert clauses == [
        "a longest side of 205 mm (70 to 80)",
        "noise of 0.07 of the contrast (0.01 to 0.04)",
    ]


def test_what_trainings_may_have_is_never_ruled_out(ranges: AppearanceRanges) -> None:
    wide = replace(ranges, noise=(0.01, 0.2), tubes=(0.3, 0.9))
    assert unusual(replace(ONE, noise=0.25, tubes=0.29), wide) == ([], [])


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"noise": (0.2, 0.1)}, "noise of the appearance"),
        ({"noise": (-0.1, 0.1)}, "noise of the appearance"),
        ({"noise": (0.1,)}, "noise of the appearance"),
        ({"noise": (0.1, float("nan"))}, "noise of the appearance"),
        ({"noise": "much"}, "noise of the appearance"),
        ({"scans": 1.5}, "scans of the appearance"),
    ],
)
def test_absurd_ranges_are_refused(
    ranges: AppearanceRanges, changes: dict[str, Any], told: str
) -> None:
    with pytest.raises(UserError, match=told):
        replace(ranges, **changes)


def test_a_card_keeps_them(with_card: Callable[..., TeacherCard], ranges: AppearanceRanges) -> None:
    card = with_card(appearance=ranges)
    again = TeacherCard.from_dict(json.loads(card.to_json()))
    assert again == card and again.appearance == ranges


def test_an_older_card_has_none(tiny_card: TeacherCard) -> None:
    values = tiny_card.to_dict()
    del values["appearance"]
    assert TeacherCard.from_dict(values).appearance is None


def test_a_card_with_half_a_table_is_refused(
    tiny_card: TeacherCard, ranges: AppearanceRanges
) -> None:
    values = {**tiny_card.to_dict(), "appearance": {"scans": 3}}
    with pytest.raises(UserError, match="voxel_mm of the appearance on the card is missing"):
        TeacherCard.from_dict(values)

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from gsema_core.errors import UserError
from gsema_core.teachers import TeacherCard
from gsema_core.teachers.card import FORMAT_VERSION, is_plain_name


def test_a_card_survives_json(tiny_card: TeacherCard) -> None:
    assert TeacherCard.from_dict(json.loads(tiny_card.to_json())) == tiny_card


def test_the_order_of_the_keys_does_not_matter(tiny_card: TeacherCard) -> None:
    backwards = dict(reversed(tiny_card.to_dict().items()))
    backwards["training"] = dict(reversed(tiny_card.training.items()))
    assert TeacherCard.from_dict(backwards).to_json() == tiny_card.to_json()


@pytest.mark.parametrize("name", ["default net", "3DRA v1.2", "Zürich", "动脉瘤", "a+b(c)_-"])
def test_plain_names(name: str) -> None:
    assert is_plain_name(name)


@pytest.mark.parametrize(
    "name", ["", "../x", "a/b", "a\\b", ".hidden", "C:x", "a\nb", "a\0", "x" * 81, "-rf", 3, None]
)
def test_names_that_are_not_plain(name: object) -> None:
    assert not is_plain_name(name)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"name": "../../etc/passwd"}, "name"),
        ({"window": (0, 32, 32)}, "window"),
        ({"window": (33, 32, 32)}, "multiples of 4"),
        ({"window": (512, 512, 512)}, "window"),
        ({"window": (32, 32)}, "window"),
        ({"window": (256,) * 3, "network": {"features": 24}}, "at most 11184810 voxels"),
        ({"window": (32.0, 32, 32)}, "window"),
        ({"window": 32}, "window"),
        ({"spacing_mm": 0.0}, "spacing_mm"),
        ({"spacing_mm": 1e300}, "spacing_mm"),
        ({"spacing_mm": float("nan")}, "spacing_mm"),
        ({"spacing_mm": "0.8"}, "spacing_mm"),
        ({"spacing_mm": True}, "spacing_mm"),
        ({"network": {"kind": "cnn", "features": 10**9}}, "features"),
        ({"network": {"kind": "resnet"}}, "resnet"),
        ({"network": {"layers": 3}}, "layers"),
        ({"network": []}, "network"),
        ({"intensity": {"low": 99.0, "high": 1.0}}, "percentiles"),
        ({"intensity": {"low": 1.0}}, "intensity"),
        ({"labels": {1: "Aneurysm", 2: "Vessel"}}, "labels"),
        ({"labels": None}, "labels"),
        ({"training": "a lot"}, "training"),
        ({"license": "x" * 1000}, "license"),
        ({"format_version": 0}, "format_version"),
    ],
)
def test_an_absurd_value_is_named(
    with_card: Callable[..., TeacherCard], changes: dict[str, Any], told: str
) -> None:
    with pytest.raises(UserError, match=told):
        with_card(**changes)


def test_a_newer_format_says_to_update(tiny_card: TeacherCard) -> None:
    newer = {**tiny_card.to_dict(), "format_version": FORMAT_VERSION + 1, "unheard_of": 1}
    with pytest.raises(UserError, match="newer version"):
        TeacherCard.from_dict(newer)


def test_unknown_and_missing_keys_are_named(tiny_card: TeacherCard) -> None:
    values = tiny_card.to_dict()
    with pytest.raises(UserError, match="Unknown setting 'colour' of the card"):
        TeacherCard.from_dict({**values, "colour": 1})
    del values["window"]
    with pytest.raises(UserError, match="Setting window of the card is missing"):
        TeacherCard.from_dict(values)


@pytest.mark.parametrize("value", [None, 3, "card", []])
def test_metadata_that_is_no_table(value: Any) -> None:
    with pytest.raises(UserError, match="table"):
        TeacherCard.from_dict(value)

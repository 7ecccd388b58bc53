"""What a user says of labels."""

from __future__ import annotations

import pytest

from gsema_core.errors import UserError
from gsema_core.files.label_rules import NO_RULES, LabelRules
from gsema_core.labels import IGNORE


def test_names_values_and_ranges() -> None:
    rules = LabelRules.from_options(
        ["aneurysm=IA dome,3", "vessel=Lumen, ICA,255", "ignore=10-12", "vessel=0.5,-2,1000"]
    )
    assert [rules.label_of(name) for name in (" ia DOME ", "ÍCA", "lumen", "dome")] == [
        2, 1, 1, None,
    ]  # fmt: skip
    assert rules.relabel == (
        (-2, 1), (0, 0), (0.5, 1), (3, 2), (10, IGNORE), (11, IGNORE), (12, IGNORE), (255, 1),
        (1000, 1),
    )  # fmt: skip
    assert LabelRules.from_entry(rules.to_entry(), "a list") == rules


def test_a_name_comes_before_words_and_words_before_values() -> None:
    rules = LabelRules.from_options(["background=vessel", "aneurysm=1"])
    assert rules.label_of("Vessel", 1) == 0
    assert rules.label_of("artery", 1) == 1
    assert rules.label_of("Segment_1", 1) == 2
    assert rules.label_of("Segment_1", 2) is rules.label_of("Segment_1") is None


def test_nothing_said() -> None:
    assert not NO_RULES and NO_RULES.relabel == () and NO_RULES.to_entry() == {}
    assert LabelRules.from_options([]) == NO_RULES == LabelRules.from_entry({}, "a list")


def test_what_is_ignored_leaves_the_other_values_as_they_are() -> None:
    """Whoever only says what nobody labeled has 1 and 2 as everybody has them."""
    ignored = LabelRules.from_options(["ignore=4", "background=7"])
    assert ignored.relabel == ((0, 0), (1, 1), (2, 2), (4, IGNORE), (7, 0))
    assert LabelRules.from_options(["ignore=2"]).relabel == ((0, 0), (1, 1), (2, IGNORE))
    adam = LabelRules.from_options(["ignore=2", "aneurysm=1"])
    assert adam.relabel == ((0, 0), (1, 2), (2, IGNORE))


def test_rules_over_others() -> None:
    mine = LabelRules.from_options(["aneurysm=A,1"])
    others = LabelRules.from_options(["vessel=a,B,1,2"])
    both = mine.over(others)
    assert [both.label_of(name) for name in "AB"] == [2, 1]
    assert both.relabel == ((0, 0), (1, 2), (2, 1))


@pytest.mark.parametrize("text", ["", "vessel", "vessel=", "vessel= ,", "tumor=1", "=1"])
def test_what_says_nothing_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="says nothing of a label: write for example"):
        LabelRules.from_options([text])


@pytest.mark.parametrize("texts", [["vessel=3", "aneurysm=1-4"], ["vessel=0"], ["vessel=0-2"],
                                   ["vessel=X", "aneurysm=x"]])  # fmt: skip
def test_two_meanings_are_refused(texts: list[str]) -> None:
    with pytest.raises(UserError, match="two meanings"):
        LabelRules.from_options(texts)

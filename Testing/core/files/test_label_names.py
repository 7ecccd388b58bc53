from __future__ import annotations

import pytest

from gsema_core.errors import UserError
from gsema_core.files.label_names import relabel_by_name
from gsema_core.files.label_rules import LabelRules
from gsema_core.labels import IGNORE


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ({"background": (0,), "vessel": (1,), "aneurysm": (2,)}, ()),
        ({"background": (0,), "aneurysm": (1,), "vessel": (2,)}, ((0, 0), (1, 2), (2, 1))),
        ({"Vessels": (1,), "Aneurysm of a vessel": (4,)}, ((0, 0), (1, 1), (4, 2))),
        ({"ruptured aneurysm": (1,), "unruptured aneurysm": (2,)}, ((0, 0), (1, 2), (2, 2))),
        ({"background": (0,), "Artery": (1,)}, ()),
        ({"vessel": (1000,), "aneurysm": (-1,)}, ((-1, 2), (0, 0), (1000, 1))),
        # A region, as nnU-Net has them: what is no aneurysm in it is vessel.
        ({"background": (0,), "vessel tree": (1, 2), "aneurysm": (1,)}, ((0, 0), (1, 2), (2, 1))),
    ],
)
def test_values_by_name(names, expected):
    assert relabel_by_name(names, "dataset.json") == (expected, ())


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        ({"background": (0,), "vein": (1,)}, "'vein' in dataset.json says neither"),
        ({"background": (0,), "Segment_1": (1,)}, "'Segment_1' in dataset.json says neither"),
        ({"ignore": (1,), "vessel": (2,)}, "'ignore' in dataset.json has the value 1, .* is 2"),
        ({"vessel": (1,), "Gefäßwand": (2,)}, "'Gefäßwand' in dataset.json says neither"),
        ({"vessel": (0,), "aneurysm": (1,)}, "value 0 in dataset.json is no background"),
    ],
)
def test_what_cannot_be_told_is_refused(names, reason):
    with pytest.raises(UserError, match=reason):
        relabel_by_name(names, "dataset.json")


def test_what_is_neither_is_dropped_and_named_where_others_are_both():
    names = {"vessel": (1,), "aneurysm": (2,), "ICA wall": (3,), "Skull": (4,)}
    found = relabel_by_name(names, "dataset.json")
    assert found.relabel == ((0, 0), (1, 1), (2, 2), (3, 0), (4, 0))
    assert found.dropped == ("ICA wall", "Skull")
    # A region whose values are all told by others takes nothing away.
    assert relabel_by_name({"whole head": (1, 2), "vessel": (1,), "aneurysm": (2,)}, "") == ((), ())


def test_nnunets_label_to_ignore():
    names = {"background": (0,), "vessel": (1,), "aneurysm": (2,), "ignore": (3,)}
    assert relabel_by_name(names, "").relabel == ((0, 0), (1, 1), (2, 2), (3, IGNORE))


def test_what_the_user_says_wins():
    rules = LabelRules.from_options(["aneurysm=IA dome", "vessel=7", "background=vessel wall"])
    names = {"IA dome": (1,), "lumen": (7,), "Vessel Wall": (8,), "skull": (9,)}
    found = relabel_by_name(names, "dataset.json", rules)
    assert found == (((0, 0), (1, 2), (7, 1), (8, 0), (9, 0)), ("skull",))

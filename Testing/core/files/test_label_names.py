from __future__ import annotations

import pytest

from gsema_core.errors import UserError
from gsema_core.files.label_names import relabel_by_name


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ({"background": (0,), "vessel": (1,), "aneurysm": (2,)}, ()),
        ({"background": (0,), "aneurysm": (1,), "vessel": (2,)}, ((0, 0), (1, 2), (2, 1))),
        ({"Vessels": (1,), "Aneurysm of a vessel": (4,)}, ((0, 0), (1, 1), (4, 2))),
        ({"ruptured aneurysm": (1,), "unruptured aneurysm": (2,)}, ((0, 0), (1, 2), (2, 2))),
        ({"background": (0,), "Artery": (1,)}, ()),
        # A region, as nnU-Net has them: what is no aneurysm in it is vessel.
        ({"background": (0,), "vessel tree": (1, 2), "aneurysm": (1,)}, ((0, 0), (1, 2), (2, 1))),
    ],
)
def test_values_by_name(names, expected):
    assert relabel_by_name(names, "dataset.json") == expected


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        ({"background": (0,), "vein": (1,)}, "'vein' in dataset.json says neither"),
        ({"background": (0,), "Segment_1": (1,)}, "'Segment_1' in dataset.json says neither"),
        ({"vessel": (300,)}, "has the value 300"),
        ({"aneurysm": (-1,)}, "has the value -1"),
        ({"vessel": (0,), "aneurysm": (1,)}, "value 0 in dataset.json is no background"),
    ],
)
def test_what_cannot_be_told_is_refused(names, reason):
    with pytest.raises(UserError, match=reason):
        relabel_by_name(names, "dataset.json")

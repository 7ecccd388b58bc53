from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gsema_core.configuration import build, plain
from gsema_core.errors import UserError


def test_values_become_the_fields_types(sample: Any) -> None:
    built = build(
        sample,
        {
            "name": "x", "share": 1, "size": [4, 5, 6], "folder": "b/c", "limit": 2,
            "names": ["p", "q"], "inner": {"steps": np.int64(7)}, "extra": {"any": [1]},
        },
    )  # fmt: skip
    assert (built.share, built.size, built.folder) == (1.0, (4, 5, 6), Path("b/c"))
    assert type(built.share) is float and type(built.inner.steps) is int
    assert (built.limit, built.names, built.inner.steps) == (2.0, ("p", "q"), 7)


def test_plain_values_build_the_same_again(sample: Any) -> None:
    built = build(sample, {"name": "x", "names": ["p"], "inner": {"steps": 9}, "limit": 0.25})
    assert build(sample, plain(built)) == built
    assert plain(built)["folder"] == "a" and plain(built)["size"] == [1, 2, 3]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"nmae": "x"}, "Unknown setting 'nmae' of the sample: use one of name, share"),
        ({}, "Setting name of the sample is missing: give a text of at most 5 characters"),
        ({"name": ""}, "name of the sample is ''"),
        ({"name": "123456"}, "at most 5 characters"),
        ({"name": "a\0b"}, "name"),
        ({"name": "\ud800"}, "name"),
        ({"name": 3}, "name of the sample is 3"),
        ({"share": 1.5}, "share of the sample is 1.5: give a number from 0 to 1"),
        ({"share": True}, "share of the sample is True"),
        ({"share": "0.5"}, "share of the sample is '0.5'"),
        ({"share": float("nan")}, "share of the sample is nan"),
        ({"share": None}, "share of the sample is None"),
        ({"limit": 10**400}, "limit of the sample is 1000"),
        ({"limit": float("inf")}, "give a number from 0 to 9, or none"),
        ({"sure": 1}, "sure of the sample is 1: give true or false"),
        ({"kind": "c"}, "kind of the sample is 'c': give one of a, b"),
        ({"size": [1, 2]}, "give 3 whole numbers from 1 to 9"),
        ({"size": [1, 2, 10]}, "give 3 whole numbers from 1 to 9"),
        ({"size": [1, 2, 2.0]}, "size"),
        ({"size": 1}, "size"),
        ({"names": ["a", 3]}, "give a list of texts"),
        ({"names": "ab"}, "give a list of texts"),
        ({"folder": 3}, "give a path"),
        ({"extra": []}, "give a table"),
        ({"inner": 3}, r"settings in \[inner\] are 3: give a table"),
        ({"inner": {"steps": 0}}, r"steps in \[inner\] is 0: give a whole number from 1 to 10"),
        ({"inner": {"stesp": 1}}, r"Unknown setting 'stesp' in \[inner\]"),
    ],
)
def test_what_is_wrong_is_named(sample: Any, values: dict[str, Any], told: str) -> None:
    complete = values if "nmae" in values or not values else {"name": "x", **values}
    with pytest.raises(UserError, match=told) as caught:
        build(sample, complete)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("values", [None, 3, "text", [("name", "x")]])
def test_only_a_table_is_a_table(sample: Any, values: Any) -> None:
    with pytest.raises(UserError, match="give a table"):
        build(sample, values)


def test_values_are_checked_however_it_is_made(sample: Any) -> None:
    with pytest.raises(UserError, match="share"):
        sample("x", share=2)

from __future__ import annotations

import pytest

from gsema_core.errors import UserError
from gsema_core.machine.ranks_environment import RanksEnvironment


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, RanksEnvironment()),
        ({"RANK": "0", "WORLD_SIZE": "1"}, RanksEnvironment(0, 1)),
        ({"WORLD_SIZE": "8"}, RanksEnvironment()),
        ({"RANK": "2", "WORLD_SIZE": "4"}, RanksEnvironment(2, 4)),
        ({"LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "3"}, RanksEnvironment(0, 1, 1, 3)),
        ({"LOCAL_RANK": "?", "LOCAL_WORLD_SIZE": ""}, RanksEnvironment()),
    ],
)
def test_rank(environment: dict[str, str], expected: RanksEnvironment) -> None:
    assert RanksEnvironment.of(environment) == expected


@pytest.mark.parametrize(
    "environment",
    [{"RANK": "1"}, {"RANK": "2", "WORLD_SIZE": "2"}, {"RANK": "-1", "WORLD_SIZE": "2"},
     {"RANK": "first", "WORLD_SIZE": "2"}, {"RANK": "0", "WORLD_SIZE": "0"},
     {"RANK": "", "WORLD_SIZE": "2"}],
)  # fmt: skip
def test_what_is_no_rank_is_refused(environment: dict[str, str]) -> None:
    with pytest.raises(UserError, match=r"RANK=.* WORLD_SIZE=.*torchrun"):
        RanksEnvironment.of(environment)

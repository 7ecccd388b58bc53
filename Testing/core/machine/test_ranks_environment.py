from __future__ import annotations

import pytest

from gsema_core.errors import UserError
from gsema_core.machine.ranks_environment import LAUNCHED, RanksEnvironment, left_alone


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
    assert RanksEnvironment.of({**environment, LAUNCHED: "none"}) == expected
    assert RanksEnvironment.of(environment) == RanksEnvironment()  # left behind by others


@pytest.mark.parametrize(
    ("environment", "left"),
    [
        ({}, ""),
        ({"WORLD_SIZE": "1", "RANK": "0", "SLURM_NTASKS": "1"}, ""),
        ({"WORLD_SIZE": "", "RANK": "first"}, ""),
        ({"RANK": "1", "WORLD_SIZE": "2"}, "WORLD_SIZE=2"),
        ({"SLURM_NTASKS": "4", "SLURM_PROCID": "3"}, "SLURM_NTASKS=4"),
        ({"OMPI_COMM_WORLD_SIZE": "3"}, "OMPI_COMM_WORLD_SIZE=3"),
        ({"PMI_SIZE": "3", "PMI_RANK": "0"}, "PMI_SIZE=3"),
        ({"SLURM_ARRAY_TASK_ID": "3", "SLURM_ARRAY_TASK_COUNT": "8"}, ""),
        ({LAUNCHED: "none", "RANK": "1", "WORLD_SIZE": "2"}, ""),
    ],
)
def test_numbers_of_others_are_told_but_are_no_ranks(
    environment: dict[str, str], left: str
) -> None:
    assert left_alone(environment) == left


@pytest.mark.parametrize(
    "environment",
    [{"RANK": "1"}, {"RANK": "2", "WORLD_SIZE": "2"}, {"RANK": "-1", "WORLD_SIZE": "2"},
     {"RANK": "first", "WORLD_SIZE": "2"}, {"RANK": "0", "WORLD_SIZE": "0"},
     {"RANK": "", "WORLD_SIZE": "2"}],
)  # fmt: skip
def test_what_is_no_rank_is_refused(environment: dict[str, str]) -> None:
    with pytest.raises(UserError, match=r"RANK=.* WORLD_SIZE=.*torchrun"):
        RanksEnvironment.of({**environment, LAUNCHED: "none"})

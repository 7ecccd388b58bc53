from __future__ import annotations

import pytest

from gsema_core.errors import UserError
from gsema_core.inference.folders.shards import own_device, rank_of, shard


@pytest.mark.parametrize("count", [0, 1, 2, 7, 30])
@pytest.mark.parametrize("size", [1, 2, 3, 8])
def test_every_item_is_in_one_share_and_shares_are_even(count: int, size: int) -> None:
    items = list(range(count))
    shares = [shard(items, rank, size) for rank in range(size)]
    assert sorted(item for share in shares for item in share) == items
    lengths = [len(share) for share in shares]
    assert max(lengths) - min(lengths) <= 1
    assert all(share == items[rank::size] for rank, share in enumerate(shares))


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, (0, 1)),
        ({"RANK": "0", "WORLD_SIZE": "1"}, (0, 1)),
        ({"RANK": "2", "WORLD_SIZE": "4"}, (2, 4)),
    ],
)
def test_rank(environment: dict[str, str], expected: tuple[int, int]) -> None:
    assert rank_of(environment) == expected


@pytest.mark.parametrize(
    "environment",
    [{"RANK": "1"}, {"RANK": "2", "WORLD_SIZE": "2"}, {"RANK": "-1", "WORLD_SIZE": "2"},
     {"RANK": "first", "WORLD_SIZE": "2"}, {"RANK": "0", "WORLD_SIZE": "0"},
     {"RANK": "", "WORLD_SIZE": "2"}],
)  # fmt: skip
def test_what_is_no_rank_is_refused(environment: dict[str, str]) -> None:
    with pytest.raises(UserError, match=r"RANK=.* WORLD_SIZE=.*torchrun"):
        rank_of(environment)


def test_processes_of_a_machine_take_turns_over_its_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    devices = [own_device("auto", {"LOCAL_RANK": str(rank)}) for rank in range(3)]
    assert devices == ["cuda:0", "cuda:1", "cuda:0"]
    assert own_device("cuda", {"LOCAL_RANK": "1"}) == "cuda:1"
    assert own_device("auto", {}) == "auto"
    for named in ("cpu", "cuda:0"):
        assert own_device(named, {"LOCAL_RANK": "1"}) == named
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert own_device("auto", {"LOCAL_RANK": "1"}) == "auto"

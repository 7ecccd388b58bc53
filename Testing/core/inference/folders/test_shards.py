from __future__ import annotations

import pytest

from gsema_core.errors import UserError
from gsema_core.inference.folders.shards import own_device, parse_share, shard
from gsema_core.machine.ranks_environment import RanksEnvironment


@pytest.mark.parametrize("count", [0, 1, 2, 7, 30])
@pytest.mark.parametrize("size", [1, 2, 3, 8])
def test_every_item_is_in_one_share_and_shares_are_even(count: int, size: int) -> None:
    items = list(range(count))
    shares = [shard(items, RanksEnvironment(rank, size)) for rank in range(size)]
    assert sorted(item for share in shares for item in share) == items
    lengths = [len(share) for share in shares]
    assert max(lengths) - min(lengths) <= 1
    assert all(share == items[rank::size] for rank, share in enumerate(shares))


def test_processes_of_a_machine_take_turns_over_its_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    devices = [own_device("auto", RanksEnvironment(local_rank=rank)) for rank in range(3)]
    assert devices == ["cuda:0", "cuda:1", "cuda:0"]
    assert own_device("cuda", RanksEnvironment(local_rank=1)) == "cuda:1"
    assert own_device("auto", RanksEnvironment()) == "auto"
    for named in ("cpu", "cuda:0"):
        assert own_device(named, RanksEnvironment(local_rank=1)) == named
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert own_device("auto", RanksEnvironment(local_rank=1)) == "auto"


def test_a_share_is_a_process_among_others() -> None:
    assert [parse_share(f"{number}/3") for number in (1, 2, 3)] == [
        RanksEnvironment(rank, 3) for rank in range(3)
    ]


@pytest.mark.parametrize(
    "text", ["", "0/3", "4/3", "3", "1/0", "-1/3", "1.0/3", "1/3/5", "a/b", "\u0661/\u0663"]
)
def test_what_is_no_share_is_refused(text: str) -> None:
    with pytest.raises(UserError, match=r"such as 3/8"):
        parse_share(text)

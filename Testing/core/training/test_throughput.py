from __future__ import annotations

import threading
import time

import pytest
import torch

from gsema_core.training.ranks import Ranks
from gsema_core.training.throughput import Throughput


def test_what_one_process_waits_for() -> None:
    throughput = Throughput(Ranks(), patches=4)
    assert throughput.text == ""
    with throughput.waiting_for_data():
        time.sleep(0.05)
    waited = throughput.data_s
    throughput.measure(4 * waited, steps=2)
    rate = f"{8 / (4 * waited):.3g}"
    assert throughput.text == f", {rate} patches/s, 25 % of the time waiting for them"
    throughput.measure(2.0, steps=1)
    assert throughput.text == ", 2 patches/s, 0 % of the time waiting for them"


def test_each_of_several_tells_of_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sum is over the ranks; here the other one's row is added by hand."""

    def with_the_others(ranks: Ranks, tensor: torch.Tensor) -> None:
        assert tensor[0].tolist() == [0.0, 0.0]
        tensor[0] = torch.tensor([0.02, 0.4])

    throughput = Throughput(Ranks(1, 2), patches=4)
    throughput.data_s, throughput.ranks.clock.seconds = 0.5, 1.0
    monkeypatch.setattr(Ranks, "sum_", with_the_others)
    throughput.measure(10.0, steps=5)
    assert throughput.text == (
        ", 2 patches/s by 2 processes, 1 each; of the time, each waits for patches 2, 5 %, "
        "for the others 40, 10 %"
    )
    assert (throughput.data_s, throughput.ranks.clock.seconds) == (0.0, 0.0)


def test_the_time_that_ranks_wait_for_each_other_is_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ranks = Ranks(0, 2)
    waiting = threading.Event()
    monkeypatch.setattr("torch.distributed.all_reduce", lambda tensor: waiting.wait(0.05))
    ranks.sum_(torch.zeros(1))
    assert 0.04 < ranks.clock.seconds < 10
    before = ranks.clock.seconds
    Ranks().sum_(torch.zeros(1))
    assert ranks.clock.seconds == before

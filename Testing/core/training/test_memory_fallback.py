"""Too little memory: the batch, then the patch shrinks, and stays so."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch

from gsema_core.configuration import build, plain
from gsema_core.errors import UserError
from gsema_core.teachers import read_card
from gsema_core.training import train
from gsema_core.training.memory_fallback import Fit
from gsema_core.training.trainer import Trainer


def silent(line: str) -> None:
    pass


def test_halves_the_batch_and_accumulates_twice_as_many():
    assert Fit(4, 1, (96, 96, 96)).smaller(16) == Fit(2, 2, (96, 96, 96))
    assert Fit(5, 2, (96, 96, 96)).smaller(16) == Fit(2, 5, (96, 96, 96))


def test_then_shortens_the_longest_edges_as_the_network_allows():
    assert Fit(1, 4, (96, 96, 64)).smaller(16) == Fit(1, 4, (64, 64, 64))
    assert Fit(1, 4, (96, 80, 96)).smaller(8) == Fit(1, 4, (72, 72, 72))


def test_says_what_to_do_where_nothing_is_left():
    with pytest.raises(UserError, match=r"one patch of \[64, 64, 64\].*set device to cpu"):
        Fit(1, 1, (64, 64, 64)).smaller(16)


def test_comes_back_from_a_checkpoint():
    fit = Fit(2, 3, (32, 32, 48))
    assert build(Fit, plain(fit)) == fit


FULL = torch.cuda.OutOfMemoryError("CUDA out of memory.")
CUDNN_FULL = RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED")


@pytest.fixture
def small_device(monkeypatch):
    """A device whose memory holds so many voxels of a batch, and no more."""

    def limit(voxels: int, error: Exception = FULL) -> None:
        step = Trainer._accumulate

        def accumulate(trainer: Trainer, batch) -> None:
            if batch.source_image.numel() > voxels:
                raise error
            step(trainer, batch)

        monkeypatch.setattr(Trainer, "_accumulate", accumulate)

    return limit


def teacher_of(config) -> dict[str, torch.Tensor]:
    return torch.load(config.run.output / "checkpoint.pt", weights_only=True)["teacher"]


@pytest.mark.parametrize("error", [FULL, CUDNN_FULL])
def test_a_run_goes_on_with_less_and_says_so(make_tiny, small_device, error):
    small_device(20**3, error)
    config = make_tiny(data={"patch": [24, 24, 24]}, run={"steps": 2, "batch_size": 2})
    lines: list[str] = []
    result = train(config, lines.append)
    assert result.finished
    said = [line for line in lines if "too small for the settings" in line]
    assert "batch 1 x 2, patch 16 x 16 x 16 instead of batch 2 x 1, patch 24 x 24 x 24" in said[-1]
    assert "too small" in json.loads((config.run.output / "status.json").read_text())["message"]
    card = read_card(result.teacher)
    assert card.window == (16, 16, 16)
    assert "became batch 1 x 2, patch 16 x 16 x 16" in card.training["memory_was_short"]


def test_it_is_the_run_that_was_asked_for_so_small(make_tiny, small_device, tmp_path):
    """Stopped and gone on with, where there is enough memory by then: still the same numbers."""
    small_device(17**3)
    config = make_tiny(run={"steps": 3, "batch_size": 2})
    short = replace(config, run=replace(config.run, steps=2))
    assert train(short, silent).step == 2
    small_device(10**9)
    assert train(config, silent).step == 3
    asked = replace(
        config,
        run=replace(config.run, batch_size=1, accumulate=2, output=tmp_path / "asked", steps=2),
    )
    train(asked, silent)
    train(replace(asked, run=replace(asked.run, steps=3)), silent)
    expected, shrunk = teacher_of(asked), teacher_of(config)
    assert all(torch.equal(expected[name], shrunk[name]) for name in expected)


def test_a_device_for_nothing_ends_in_one_sentence(make_tiny, small_device):
    small_device(10)
    config = make_tiny()
    with pytest.raises(UserError, match="set device to cpu"):
        train(config, silent)
    status = json.loads((config.run.output / "status.json").read_text())
    assert status["state"] == "failed" and "set device to cpu" in status["message"]


def test_other_errors_are_not_taken_for_a_full_memory(make_tiny, monkeypatch):
    def fail(*args: object) -> None:
        raise RuntimeError("shapes differ")

    monkeypatch.setattr(Trainer, "_accumulate", fail)
    with pytest.raises(RuntimeError, match="shapes differ"):
        train(make_tiny(), silent)

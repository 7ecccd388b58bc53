"""A run that is killed again and again ends with the teacher of a run that was left alone."""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest

from gsema_core.teachers import load_teacher
from gsema_core.training import train
from gsema_core.training.metrics_table import read_metrics

KILLS = 20
WRITTEN = ("checkpoint.pt", "teacher.safetensors")


@pytest.fixture(scope="module")
def processes():
    """Processes that begin with everything imported, so that kills meet the run itself."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        pytest.skip("this system cannot fork")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["gsema_core.training.training_run", "torch.utils.tensorboard"])
    return context


def numbers(folder: Path) -> list[dict[str, str]]:
    """The log without its times."""
    return [
        {name: value for name, value in row.items() if "seconds" not in name}
        for row in read_metrics(folder)
    ]


def assert_same_end(folder: Path, expected: Path) -> None:
    mine, theirs = (load_teacher(each / WRITTEN[1]) for each in (folder, expected))
    for name, tensor in theirs.network.state_dict().items():
        assert tensor.equal(mine.network.state_dict()[name]), name
    assert mine.card.training["steps"] == theirs.card.training["steps"]
    assert mine.card.metrics == theirs.card.metrics
    assert numbers(folder) == numbers(expected)


def wait_for_writing(folder: Path, process, sightings: int) -> None:
    """Return while a checkpoint or a teacher is being written, the so-manieth one seen."""
    seen: set[Path] = set()
    while process.is_alive() and len(seen) <= sightings:
        for name in WRITTEN:
            seen.update(folder.glob(f".writing-*/{name}"))


@pytest.mark.slow
def test_every_resume_after_a_kill_leads_to_the_same_teacher(make_tiny, tmp_path, processes):
    def config_for(folder: Path):
        config = make_tiny(
            run={"steps": 24, "validate_every": 4, "checkpoint_every": 2},
            method={"alpha_aligned": 0.5},
        )
        return replace(config, run=replace(config.run, output=folder))

    whole, often = config_for(tmp_path / "whole"), config_for(tmp_path / "often")
    started = time.monotonic()
    train(whole, [].append)
    duration = time.monotonic() - started

    draw = random.Random(20)
    kills = 0
    while kills < KILLS:
        process = processes.Process(target=train, args=(often, [].append))
        process.start()
        if kills % 2:
            wait_for_writing(often.run.output, process, draw.randrange(4))
        else:
            process.join(draw.uniform(0.0, duration))
        process.kill()
        process.join()
        kills += process.exitcode == -signal.SIGKILL
        assert process.exitcode in (0, -signal.SIGKILL)  # never an error: every resume works
        if process.exitcode == 0:
            assert_same_end(often.run.output, whole.run.output)
            shutil.rmtree(often.run.output)
    assert train(often, [].append).finished
    assert_same_end(often.run.output, whole.run.output)
    assert not list(often.run.output.rglob(".writing-*"))


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_between_two_steps(make_tiny, processes, number):
    config = make_tiny(run={"steps": 10**6})
    process = processes.Process(target=train, args=(config, [].append))
    process.start()
    log = config.run.output / "metrics.csv"
    while process.is_alive() and not (log.exists() and len(log.read_text().splitlines()) > 2):
        time.sleep(0.02)
    os.kill(process.pid, number)
    process.join(60)
    assert process.exitcode == 0
    assert '"state": "stopped"' in (config.run.output / "status.json").read_text()
    assert (config.run.output / "checkpoint.pt").exists()

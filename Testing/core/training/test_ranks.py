"""Several ranks: two real processes by torchrun, gloo over the loopback."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from gsema_core.errors import UserError
from gsema_core.training import TrainingConfig, train
from gsema_core.training.metrics_table import read_metrics
from gsema_core.training.ranks import Ranks, joined_ranks, rank_device
from gsema_core.training.status import Status, read_status

# Measured: 2.3e-6 and 1.1e-5. The likely reason of the second, not shown: Adam makes whole steps of
# what rounding leaves of gradients that are next to zero, as a few of the Swin-UNet's are.
TOLERANCE = {"cnn": 1e-5, "swin_unet": 1e-4, "cnn, gate of the decoder": 1e-5}

# What each rank runs: steps on its share of the batches, then all that it decided and became.
SCRIPT = """
import json, sys, torch
from gsema_core.networks import build_network
from gsema_core.training import TrainingConfig
from gsema_core.training.ranks import joined_ranks
from gsema_core.training.trainer import Trainer
sys.path.insert(0, sys.argv[1])
from batches import batch, trainer_of

torch.set_num_threads(1)
configs = json.load(open(sys.argv[2]))
with joined_ranks() as ranks:
    for kind, tables in configs.items():
        trainer = trainer_of(TrainingConfig.from_dict(tables), ranks)
        records = [trainer.train_step(batch(step, ranks)) for step in range(10)]
        torch.save(
            {"records": [vars(each) for each in records], "teacher": trainer.teacher.state_dict()},
            f"{sys.argv[1]}/{kind}{ranks.rank}.pt",
        )
"""

BATCHES = """
import torch
from gsema_core.datasets.patches import PatchPair
from gsema_core.networks import build_network
from gsema_core.training.trainer import Trainer


def trainer_of(config, ranks):
    torch.manual_seed(0)
    return Trainer(config, build_network(config.network), torch.device("cpu"), ranks)


def batch(step, ranks):
    '''Two samples; in every third step the target's labels contradict the source's.'''
    generator = torch.Generator().manual_seed(step)
    image = torch.rand(2, 1, 32, 32, 32, generator=generator)
    labels = (image > 0.9).byte() + (image > 0.97).byte()
    target_labels = labels if step % 3 else 2 - labels
    own = ranks.share(2)
    return [PatchPair(image[own], labels[own], (image**2)[own], target_labels[own])]
"""


def torchrun(count: int, *arguments: str) -> subprocess.Popen[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["-m", "torch.distributed.run", "--nproc-per-node", str(count)]
    address = ["--master-addr", "127.0.0.1", "--master-port", str(port)]
    return subprocess.Popen(
        [sys.executable, *command, *address, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"},
        start_new_session=True,
    )


def result_of(process: subprocess.Popen[str], timeout: float = 180) -> str:
    try:
        return process.communicate(timeout=timeout)[0]
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture
def batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "batches.py").write_text(BATCHES)
    (tmp_path / "steps.py").write_text(SCRIPT)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "batches", raising=False)
    import batches

    yield batches
    sys.modules.pop("batches", None)


def test_two_ranks_with_half_the_batch_are_one_with_the_whole(make_config, batches, tmp_path):
    """The same decisions, the same logged means, the same teacher, for both kinds of network."""
    configs = {
        kind: make_config(
            network={"kind": kind, "features": 8, "stages": 3, "depth": 1, "window": 2},
            run={"batch_size": 2, "steps": 10},
            optimization={"class_weights": [0.2, 0.3, 0.8], "learning_rate": 3e-4},
        )
        for kind in ("cnn", "swin_unet")
    }
    cnn = configs["cnn"]
    method = replace(cnn.method, gate_scope="decoder")
    configs["cnn, gate of the decoder"] = replace(cnn, method=method)
    settings = tmp_path / "configs.json"
    settings.write_text(json.dumps({kind: each.to_dict() for kind, each in configs.items()}))
    process = torchrun(2, str(tmp_path / "steps.py"), str(tmp_path), str(settings))
    trainers = {kind: batches.trainer_of(each, Ranks()) for kind, each in configs.items()}
    expected = {
        kind: [trainer.train_step(batches.batch(step, Ranks())) for step in range(10)]
        for kind, trainer in trainers.items()
    }
    output = result_of(process)
    assert process.returncode == 0, output
    for kind, trainer in trainers.items():
        first, second = (torch.load(tmp_path / f"{kind}{rank}.pt") for rank in range(2))
        assert first["records"] == second["records"]
        assert {each.gate_open for each in expected[kind]} == {True, False}
        for record, reference in zip(first["records"], expected[kind], strict=True):
            assert record["gate_open"] == reference.gate_open
            assert record["alpha"] == reference.alpha
            for name in ("similarity", "loss_source", "loss_contrast", "gradient_norm"):
                assert record[name] == pytest.approx(getattr(reference, name), rel=1e-3, abs=1e-4)
        apart = []
        for name, tensor in trainer.teacher.state_dict().items():
            assert torch.equal(first["teacher"][name], second["teacher"][name]), name
            torch.testing.assert_close(first["teacher"][name], tensor, atol=TOLERANCE[kind], rtol=0)
            apart.append((first["teacher"][name] - tensor).abs().float().flatten())
        assert torch.cat(apart).mean() < TOLERANCE[kind] / 10


def test_a_batch_that_cannot_be_shared_is_refused():
    assert [Ranks(rank, 3).share(6) for rank in range(3)] == [slice(0, 2), slice(2, 4), slice(4, 6)]
    with pytest.raises(UserError, match="batch_size in \\[run\\] is 4 and 3 processes share it"):
        Ranks(1, 3).share(4)


def test_alone_everything_is_its_own():
    ranks, tensor = Ranks(), torch.ones(3)
    ranks.sum_(tensor)
    ranks.wait_for_first()
    assert tensor.tolist() == [1.0] * 3 and ranks.is_first
    assert (ranks.any(True), ranks.any(False), ranks.from_first("x")) == (True, False, "x")
    assert ranks.mean((1.0, 2.0)) == [1.0, 2.0]


def test_without_torchrun_there_is_one_rank(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "8")  # some clusters set it for every program
    monkeypatch.delenv("TORCHELASTIC_RUN_ID", raising=False)
    with joined_ranks() as ranks:
        assert ranks == Ranks()
    assert rank_device(torch.device("cuda")) == torch.device("cuda")


def test_more_processes_than_gpus_are_refused(monkeypatch):
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "3")
    monkeypatch.setenv("LOCAL_RANK", "2")
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    assert rank_device(torch.device("cpu")) == torch.device("cpu")
    with pytest.raises(UserError, match="--nproc-per-node 2"):
        rank_device(torch.device("cuda"))


def toml_of(config: TrainingConfig, path: Path) -> str:
    """A configuration as `gsema train` reads it."""
    lines = [f'preset = "{config.preset_name}"']
    for section, values in config.to_dict().items():
        if isinstance(values, dict):
            # JSON writes these numbers, texts and lists as TOML does.
            lines += [f"[{section}]", *(f"{key} = {json.dumps(v)}" for key, v in values.items())]
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def wait_for_step(folder: Path, step: int, process: subprocess.Popen[str]) -> Status:
    """Until the run's status has come that far."""
    for _ in range(2400):
        status = read_status(folder)
        if status and status.step >= step:
            return status
        if process.poll() is not None:
            raise AssertionError(process.communicate()[0])
        time.sleep(0.05)
    raise AssertionError(f"no step {step} in {status}")


@pytest.fixture
def start_run(make_config, tmp_path):
    """Start `gsema train` on two ranks, of two patches a step."""
    started = []

    def start(**run: object) -> tuple[TrainingConfig, subprocess.Popen[str]]:
        settings = {"batch_size": 2, "threads": 1, **run}
        # Constant: the schedule must not know how long the stopped run was to be.
        config = make_config(run=settings, optimization={"schedule": "constant"})
        path = toml_of(config, tmp_path / "config.toml")
        started.append(torchrun(2, "-m", "gsema_core", "train", path))
        return config, started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.slow
def test_a_whole_run_of_two_ranks_stops_and_goes_on_like_one(start_run, make_config, tmp_path):
    """SIGTERM reaches both; rank 0 alone reports; the log and the teacher are those of one rank."""
    config, process = start_run(steps=10_000, checkpoint_every=10_000)
    wait_for_step(config.run.output, 2, process)
    os.kill(process.pid, signal.SIGTERM)  # torchrun passes it on to its processes
    output = process.communicate(timeout=120)[0]
    state = torch.load(config.run.output / "checkpoint.pt", weights_only=True)
    assert 2 <= state["step"] < 10_000, output
    # All that torchrun's caller sees is 1; which of 1 and 75 it was stands in the run's folder.
    assert process.returncode == 1
    assert read_status(config.run.output).state == "stopped"
    assert output.count("Preparing 6 cases") == 1
    assert output.count(f"Stopped at step {state['step']}") == 1

    steps = state["step"] + 2
    config, process = start_run(steps=steps, checkpoint_every=10_000)
    output = process.communicate(timeout=180)[0]
    assert process.returncode == 0, output
    assert output.count(f"Going on at step {state['step']}") == 1
    assert read_status(config.run.output).state == "finished"

    whole = make_config(
        run={"batch_size": 2, "steps": steps}, optimization={"schedule": "constant"}
    )
    whole = replace(whole, run=replace(whole.run, output=tmp_path / "alone"))
    result = train(whole, lambda line: None)
    rows = [read_metrics(each.run.output, "training") for each in (config, whole)]
    assert [row["step"] for row in rows[0]] == [row["step"] for row in rows[1]]
    for ours, theirs in zip(*rows, strict=True):
        for name in ("loss_source", "loss_target", "loss_contrast", "teacher_loss_source"):
            assert float(ours[name]) == pytest.approx(float(theirs[name]), rel=2e-2), name
    assert result.step == steps


@pytest.mark.slow
def test_a_dead_rank_ends_the_run_with_a_sentence(start_run):
    config, process = start_run(steps=10_000)
    status = wait_for_step(config.run.output, 2, process)
    pids = subprocess.check_output(["pgrep", "-P", str(process.pid)], text=True).split()
    (other,) = (int(pid) for pid in pids if int(pid) != status.pid)
    began = time.monotonic()
    os.kill(other, signal.SIGKILL)
    output = process.communicate(timeout=120)[0]
    assert process.returncode != 0
    assert time.monotonic() - began < 60
    assert "error: Another process of this run ended or gave no answer" in output
    assert read_status(config.run.output).state == "failed"


@pytest.mark.slow
def test_a_run_stops_although_a_rank_gives_no_answer(start_run):
    """The first is in the middle of what they do together, and waits for the other."""
    config, process = start_run(steps=10_000)
    status = wait_for_step(config.run.output, 2, process)
    pids = subprocess.check_output(["pgrep", "-P", str(process.pid)], text=True).split()
    (other,) = (int(pid) for pid in pids if int(pid) != status.pid)
    os.kill(other, signal.SIGSTOP)
    (config.run.output / "stop").touch()
    for _ in range(600):
        if read_status(config.run.output).state == "stopped":
            break
        time.sleep(0.1)
    assert read_status(config.run.output).state == "stopped"
    state = torch.load(config.run.output / "checkpoint.pt", weights_only=True)
    assert state["step"] >= 2
    os.kill(other, signal.SIGKILL)
    assert "exitcode  : 75 " in result_of(process)
    assert process.returncode == 1

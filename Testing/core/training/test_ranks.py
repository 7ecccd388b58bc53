"""Several ranks: two real processes by torchrun, gloo over the loopback."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from gsema_core.training.ranks import Ranks

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
            for name in ("similarity", "loss_source", "loss_target", "loss_contrast"):
                assert record[name] == pytest.approx(getattr(reference, name), rel=1e-3, abs=1e-4)
        for name, tensor in trainer.teacher.state_dict().items():
            assert torch.equal(first["teacher"][name], second["teacher"][name]), name
            torch.testing.assert_close(first["teacher"][name], tensor, atol=1e-5, rtol=0)

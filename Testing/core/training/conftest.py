from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from gsema_core.files import write_labels, write_volume
from gsema_core.grids import Geometry, Volume
from gsema_core.training import TrainingConfig
from gsema_core.training.ranks import Ranks

torch.set_num_threads(1)


def make_case(folder: Path, name: str, seed: int) -> None:
    """A bright tube with a ball on it at a random place, in noise; 40^3 voxels of 0.5 mm."""
    random = np.random.default_rng(seed)
    k, j, i = np.mgrid[:40, :40, :40]
    jc, ic = random.integers(14, 26, 2)
    kc, radius = random.integers(12, 28), random.uniform(4, 6)
    tube = (j - jc) ** 2 + (i - ic) ** 2 < 6
    ball = (k - kc) ** 2 + (j - jc) ** 2 + (i - ic - radius) ** 2 < radius**2
    labels = np.where(ball, 2, np.where(tube, 1, 0)).astype(np.uint8)
    image = np.where(labels > 0, 1000, 100) + random.normal(0, 50, labels.shape)
    geometry = Geometry((40, 40, 40), (0.5, 0.5, 0.5), (0, 0, 0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
    write_volume(Volume(image.astype(np.float32), geometry), folder / f"{name}.nrrd")
    write_labels(Volume(labels, geometry), folder / f"{name}-label.nrrd")


@pytest.fixture(scope="session")
def datalist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four patients of center A, four of B."""
    folder = tmp_path_factory.mktemp("cases")
    cases = []
    for number, center in enumerate("AAAABBBB"):
        make_case(folder, f"case{number}", number)
        files = {"image": f"case{number}.nrrd", "label": f"case{number}-label.nrrd"}
        cases.append({"patient": f"secret-{number}", "center": center, **files})
    path = folder / "datalist.json"
    path.write_text(json.dumps({"cases": cases}))
    return path


@pytest.fixture
def make_config(datalist: Path, tmp_path: Path):
    """A tiny run: ``make_config(run={"steps": 3})``."""

    def make(preset: str = "paper", **sections: dict[str, Any]) -> TrainingConfig:
        tables: dict[str, dict[str, Any]] = {
            "data": {"patch": [32, 32, 32], "workers": 0, "validation_share": 0.25},
            "network": {"kind": "cnn", "features": 8, "stages": 3, "depth": 1},
            "optimization": {"learning_rate": 3e-3, "warmup_steps": 2, "schedule": "cosine"},
            "run": {
                "steps": 4,
                "precision": "fp32",
                "threads": 1,
                "device": "cpu",
                "log_every": 1,
                "progress_s": 0,
                "validate_every": 1000,
                "checkpoint_every": 1000,
                "pictures": 0,
            },
        }
        for section, values in sections.items():
            tables.setdefault(section, {}).update(values)
        return TrainingConfig.preset(preset, datalist=datalist, output=tmp_path / "run", **tables)

    return make


@pytest.fixture(autouse=True)
def without_curves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing them takes a quarter of a second a run; test_run_display.py does."""
    monkeypatch.setattr("gsema_core.training.run_display.draw_curves", lambda *arguments: None)


@pytest.fixture
def make_tiny(make_config):
    """As ``make_config``, with 1 mm voxels and the smallest network: a step takes hundredths."""

    def make(preset: str = "paper", **sections: dict[str, Any]) -> TrainingConfig:
        tables: dict[str, dict[str, Any]] = {
            "data": {"spacing_mm": 1.0, "patch": [16, 16, 16]},
            "network": {"stages": 2},
        }
        for section, values in sections.items():
            tables[section] = {**tables.get(section, {}), **values}
        return make_config(preset, **tables)

    return make


class Meeting:
    """Where the threads wait for each other and tell each other something."""

    def __init__(self, size: int) -> None:
        self.barrier = threading.Barrier(size, timeout=60)
        self.told: list[Any] = [None] * size

    def tell(self, rank: int, value: Any) -> list[Any]:
        self.barrier.wait()
        self.told[rank] = value
        self.barrier.wait()
        return list(self.told)


@dataclass(frozen=True)
class ThreadRanks(Ranks):
    meeting: Any = None

    def sum_(self, tensor: Tensor) -> None:
        total = sum(self.meeting.tell(self.rank, tensor.clone()))
        tensor.copy_(total)

    def from_first(self, value: Any) -> Any:
        return self.meeting.tell(self.rank, value)[0]

    def any(self, flag: bool) -> bool:
        return any(self.meeting.tell(self.rank, flag))

    def wait_for_first(self) -> None:
        self.meeting.tell(self.rank, None)


@pytest.fixture
def on_ranks() -> Callable[[Callable[[Ranks], Any], list[int]], list[Any]]:
    """``on_ranks(work, [0, 1, 0])``: what ``work`` returned on each rank, by numbers on machines.

    The ranks are threads of one process: they wait for each other, and tell, as processes do.
    """

    def run(work: Callable[[Ranks], Any], local: list[int]) -> list[Any]:
        size, meeting = len(local), Meeting(len(local))
        everyone = [ThreadRanks(n, size, None, local[n], meeting=meeting) for n in range(size)]
        with ThreadPoolExecutor(size) as pool:
            return list(pool.map(work, everyone))

    return run

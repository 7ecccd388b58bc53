"""Two centers of tiny cases, and a benchmark of a few steps on them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gsema_core.benchmark import Plan
from gsema_core.datasets import read_datalist
from gsema_core.files import write_labels, write_volume
from gsema_core.grids import Geometry, Volume
from gsema_core.training import TrainingConfig

torch.set_num_threads(1)

SIZE = 36
TABLES: dict[str, Any] = {
    "data": {"spacing_mm": 1.0, "patch": [32, 32, 32], "workers": 0, "validation_share": 0.3},
    "network": {"kind": "cnn", "features": 8, "stages": 3, "depth": 1},
    "method": {"alpha_aligned": 0.9},
    "optimization": {"learning_rate": 3e-3, "warmup_steps": 0, "schedule": "cosine"},
    "run": {
        "steps": 3,
        "precision": "fp32",
        "threads": 1,
        "device": "cpu",
        "log_every": 1,
        "progress_s": 0,
        "checkpoint_every": 5,
        "pictures": 1,
    },
}


def write_case(folder: Path, name: str, seed: int) -> None:
    """A tube with a ball beside it, in noise; 1 mm voxels."""
    random = np.random.default_rng(seed)
    k, j, i = np.mgrid[:SIZE, :SIZE, :SIZE]
    jc, ic, kc = random.integers(12, 22, 3)
    tube = (j - jc) ** 2 + (i - ic) ** 2 < 6
    ball = (k - kc) ** 2 + (j - jc) ** 2 + (i - ic - 4) ** 2 < 16
    labels = np.where(ball, 2, np.where(tube, 1, 0)).astype(np.uint8)
    image = np.where(labels > 0, 1000, 100) + random.normal(0, 50, labels.shape)
    grid = Geometry((SIZE,) * 3, (1.0,) * 3, (0, 0, 0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
    write_volume(Volume(image.astype(np.float32), grid), folder / f"{name}.nrrd")
    write_labels(Volume(labels, grid), folder / f"{name}-label.nrrd")


@pytest.fixture
def datalist(tmp_path: Path) -> Path:
    """Three patients of center A, three of B."""
    cases = []
    for number, center in enumerate("AAABBB"):
        write_case(tmp_path, f"case{number}", number)
        files = {"image": f"case{number}.nrrd", "label": f"case{number}-label.nrrd"}
        cases.append({"patient": f"secret-{number}", "center": center, **files})
    path = tmp_path / "datalist.json"
    path.write_text(json.dumps({"cases": cases}))
    return path


@pytest.fixture
def make_plan(datalist: Path, tmp_path: Path) -> Callable[..., Plan]:
    """``make_plan(rows=("ema",), run={"steps": 5})``; sections change the shared settings."""

    def make(
        rows: tuple[str, ...] = ("no_ema", "gs_ema_bacl"),
        centers: tuple[str, ...] = ("A", "B"),
        seeds: tuple[int, ...] = (0,),
        **sections: dict[str, Any],
    ) -> Plan:
        tables = {name: {**values, **sections.get(name, {})} for name, values in TABLES.items()}
        return Plan(
            cases=tuple(read_datalist(datalist)),
            base=TrainingConfig.from_dict(tables),
            rows=rows,
            centers=centers,
            seeds=seeds,
            output=tmp_path / "benchmark",
            simulated=True,
        )

    return make


@pytest.fixture
def scramble(datalist: Path) -> Callable[[str], None]:
    """Put other labels into the files of a center."""

    def change(center: str) -> None:
        for case in read_datalist(datalist):
            if case.center == center:
                write_case(case.image.parent, case.image.name.removesuffix(".nrrd"), 99)

    return change


@pytest.fixture
def write_toml(tmp_path: Path) -> Callable[[], Path]:
    """The shared settings as a file for ``--config``."""

    def write() -> Path:
        lines = []
        for section, values in TABLES.items():
            lines.append(f"[{section}]")
            lines += [f"{name} = {json.dumps(value)}" for name, value in values.items()]
        path = tmp_path / "base.toml"
        path.write_text("\n".join(lines))
        return path

    return write

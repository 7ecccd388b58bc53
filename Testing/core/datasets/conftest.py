from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from gsema_core.files import write_labels, write_volume
from gsema_core.grids import Geometry, Volume


def make_case(folder: Path, name: str, seed: int) -> None:
    """A bright tube with a ball on it, in noise."""
    k, j, i = np.mgrid[:32, :32, :32]
    tube = (j - 16) ** 2 + (i - 12) ** 2 < 9
    ball = (k - 16) ** 2 + (j - 16) ** 2 + (i - 18) ** 2 < 20
    labels = np.where(ball, 2, np.where(tube, 1, 0)).astype(np.uint8)
    noise = np.random.default_rng(seed).normal(0, 20, labels.shape)
    image = (np.where(labels > 0, 1000, 100) + noise).astype(np.float32)
    geometry = Geometry((32, 32, 32), (0.5, 0.5, 0.5), (0, 0, 0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
    write_volume(Volume(image, geometry), folder / f"{name}.nrrd")
    write_labels(Volume(labels, geometry), folder / f"{name}-label.nrrd")


@pytest.fixture(scope="session")
def one_case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``scan.nrrd`` and ``scan-label.nrrd``."""
    folder = tmp_path_factory.mktemp("case")
    make_case(folder, "scan", 0)
    return folder


@pytest.fixture
def put(one_case: Path, tmp_path: Path) -> Callable[[str, str], None]:
    """``put(image, label)`` stores the case under these names; the suffix may be another."""

    def store(image: str, label: str) -> None:
        for name, source in ((image, "scan.nrrd"), (label, "scan-label.nrrd")):
            if not name:
                continue
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.suffix == ".nrrd":
                shutil.copy(one_case / source, path)
            else:
                sitk.WriteImage(sitk.ReadImage(str(one_case / source)), str(path))

    return store


@pytest.fixture
def datalist(tmp_path: Path) -> Path:
    """Three patients of center A, two of B."""
    cases = []
    for number, center in enumerate("AAABB"):
        make_case(tmp_path, f"case{number}", number)
        cases.append(
            {
                "patient": f"p{number}",
                "center": center,
                "image": f"case{number}.nrrd",
                "label": f"case{number}-label.nrrd",
            }
        )
    path = tmp_path / "datalist.json"
    path.write_text(json.dumps({"cases": cases}))
    return path

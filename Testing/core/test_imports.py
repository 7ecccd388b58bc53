from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

PACKAGES = [
    f"gsema_core.{name}"
    for name in ("grids", "files", "intensities", "machine", "measurements", "evaluation")
]


def test_packages_load_nothing_heavy() -> None:
    code = (
        f"import sys, {', '.join(PACKAGES)}, gsema_core.terminology\n"
        "print(*{'SimpleITK', 'numpy', 'scipy', 'torch', 'monai'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_voxels_need_no_torch() -> None:
    code = (
        "import sys\n"
        "from gsema_core.files import read_volume, write_labels\n"
        "from gsema_core.grids import to_working\n"
        "from gsema_core.measurements import measure_aneurysms\n"
        "from gsema_core.evaluation import case_metrics\n"
        "print(*{'torch', 'monai'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


@pytest.mark.parametrize("package", PACKAGES)
def test_every_name_that_is_offered_exists(package: str) -> None:
    module = importlib.import_module(package)
    names = [name for name in dir(module) if not name.startswith("_")]
    assert all(getattr(module, name) is not None for name in names)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = module.nothing

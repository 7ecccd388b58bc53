from __future__ import annotations

import subprocess
import sys

import pytest

from gsema_core.errors import UserError
from gsema_core.machine.device_names import check_device_name


@pytest.mark.parametrize("name", ["auto", "cpu", "cuda", "cuda:0", "cuda:15"])
def test_names_of_devices(name: str) -> None:
    assert check_device_name(name) is None  # it raises otherwise


@pytest.mark.parametrize("name", ["", "gpu", "CPU", "cuda:", "cuda:-1", "cuda:x", "cpu:0", "mps"])
def test_names_of_no_device(name: str) -> None:
    with pytest.raises(UserError, match="use auto, cpu, cuda or cuda:N"):
        check_device_name(name)


def test_names_and_peaks_need_no_torch() -> None:
    code = (
        "import sys\n"
        "from gsema_core.machine import device_names, memory\n"
        "device_names.check_device_name('cuda:1'), memory.peak_memory_mb()\n"
        "print(*{'torch', 'numpy', 'SimpleITK'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gsema_core.errors import UserError
from gsema_core.grids import Geometry, Volume, working_geometry
from gsema_core.inference import SegmentationSettings, Segmenter
from gsema_core.inference.memory_estimate import PROGRAM_BYTES, estimate

FINE = Geometry((512, 512, 512), (0.25,) * 3)
COARSE = Geometry((256, 256, 256), (1.0,) * 3)


def needed(scan: Geometry, **options: Any) -> int:
    return estimate(scan, working_geometry(scan, 0.5), (80, 80, 80), **options)


def test_a_scan_of_512_takes_less_than_4_gb_above_itself() -> None:
    assert needed(FINE, scan_bytes_a_voxel=0) - PROGRAM_BYTES < 4e9


def test_the_largest_phase_decides() -> None:
    """By hand: cleaning on the fine grid; the way back on the coarse one."""
    voxels, working = 512**3, 256**3
    assert needed(FINE, scan_bytes_a_voxel=2) == PROGRAM_BYTES + 12 * voxels + 8 * working
    assert needed(FINE, probabilities=True) - needed(FINE) == 4 * voxels
    voxels, working = 256**3, 512**3
    assert needed(COARSE) == PROGRAM_BYTES + 8 * voxels + 20 * working + voxels


def test_a_run_beyond_its_limit_is_refused(segmenter: Segmenter, scan: Volume) -> None:
    with pytest.raises(UserError, match="allowed: allow more, or crop the scan"):
        segmenter.segment(scan, SegmentationSettings(memory_limit_gb=0.5))
    assert segmenter.segment(scan, SegmentationSettings(memory_limit_gb=2)).labels.array.any()


FULL = "[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory"


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError(FULL)])
@pytest.mark.parametrize("where", ["prepare_scan", "blend_windows", "decide"])
def test_a_full_memory_is_told(
    segmenter: Segmenter,
    scan: Volume,
    monkeypatch: pytest.MonkeyPatch,
    where: str,
    error: Exception,
) -> None:
    def full(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(f"gsema_core.inference.segmenter.{where}", full)
    with pytest.raises(UserError, match="memory did not suffice"):
        segmenter.segment(scan)


PROGRAM = """
import re, sys
from pathlib import Path
import numpy as np, torch
torch.set_num_threads(1)
from gsema_core.inference import SegmentationSettings, Segmenter
from gsema_core.teachers import load_teacher
from gsema_core.grids import Geometry, Volume
segmenter = Segmenter(load_teacher(sys.argv[1]), "cpu")
def peak(size):
    image = np.random.default_rng(1).normal(100, 9, (size,) * 3).astype(np.int16)
    image[:, 20:26, 20:26] = 1300
    segmenter.segment(Volume(image, Geometry((size,) * 3, (0.4,) * 3)),
                      SegmentationSettings(overlap=0.0, threads=1))
    # Not ru_maxrss: that begins with the peak of the process that started this one.
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", status)[1]) * 1024
print(peak(40), peak(200))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc is Linux's")
def test_the_estimate_is_what_a_run_takes(teacher_file: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(teacher_file)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    before, after = map(int, run.stdout.split())
    assert before < after  # imports alone may peak above the program's size
    grid = Geometry((200,) * 3, (0.4,) * 3)
    expected = estimate(grid, working_geometry(grid, 0.8), (32, 32, 32), scan_bytes_a_voxel=2)
    assert 0.75 < after / expected < 1.15

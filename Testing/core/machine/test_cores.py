"""Which cores a process gets, from facts that are made up."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import pytest

from gsema_core.machine.cores import (
    PASSIVE,
    Cores,
    default_threads,
    physical_cores,
    quota,
    wait_passively,
)

TORCHRUN = {"TORCHELASTIC_RUN_ID": "x", "RANK": "0", "WORLD_SIZE": "4", "LOCAL_WORLD_SIZE": "4"}


@pytest.mark.parametrize(
    ("cores", "usable", "beside"),
    [
        (Cores(1, 1), 1, 1),
        (Cores(2, 2), 2, 1),
        (Cores(8, 4), 4, 4),  # the second processor of a core is enough for the other program
        (Cores(64, 32, 2.0), 2, 1),
        (Cores(64, 32, 0.5), 1, 1),
        (Cores(64, 32, 2.9), 2, 1),
    ],
)
def test_usable(cores: Cores, usable: int, beside: int) -> None:
    assert (cores.usable, cores.beside_another) == (usable, beside)


@pytest.mark.parametrize(
    ("library", "environment", "threads"),
    [
        (8, {}, 8),
        (4, {"OMP_NUM_THREADS": "4"}, 4),
        (64, {}, 8),  # a container's quota, which the libraries do not know
        (1, {**TORCHRUN, "OMP_NUM_THREADS": "1"}, 2),  # torchrun's own 1
        (2, {**TORCHRUN, "OMP_NUM_THREADS": "2"}, 2),
        (8, TORCHRUN, 2),
        (1, {"OMP_NUM_THREADS": "1", "WORLD_SIZE": "4"}, 1),  # not launched by torchrun
    ],
)
def test_threads_by_default(library: int, environment: dict[str, str], threads: int) -> None:
    assert default_threads(Cores(16, 8), library, environment) == threads


def test_more_ranks_than_cores_get_a_thread_each() -> None:
    assert default_threads(Cores(2, 2), 1, {**TORCHRUN, "OMP_NUM_THREADS": "1"}) == 1


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_quota_of_a_container(tmp_path: Path) -> None:
    assert quota(tmp_path) == math.inf
    put(tmp_path / "proc/self/cgroup", "0::/\n")
    put(tmp_path / "sys/fs/cgroup/cpu.max", "150000 100000\n")
    assert quota(tmp_path) == 1.5
    put(tmp_path / "sys/fs/cgroup/cpu.max", "max 100000\n")
    assert quota(tmp_path) == math.inf


def test_the_narrowest_of_nested_groups_counts(tmp_path: Path) -> None:
    put(tmp_path / "proc/self/cgroup", "0::/slurm/job_7/step_0\n")
    put(tmp_path / "sys/fs/cgroup/slurm/cpu.max", "800000 100000\n")
    put(tmp_path / "sys/fs/cgroup/slurm/job_7/cpu.max", "400000 100000\n")
    put(tmp_path / "sys/fs/cgroup/slurm/job_7/step_0/cpu.max", "max 100000\n")
    assert quota(tmp_path) == 4.0


def test_quota_of_the_first_control_groups(tmp_path: Path) -> None:
    put(tmp_path / "proc/self/cgroup", "5:memory:/a\n4:cpu,cpuacct:/docker/x\n")
    put(tmp_path / "sys/fs/cgroup/cpu/docker/x/cpu.cfs_quota_us", "300000\n")
    put(tmp_path / "sys/fs/cgroup/cpu/docker/x/cpu.cfs_period_us", "100000\n")
    assert quota(tmp_path) == 3.0
    put(tmp_path / "sys/fs/cgroup/cpu/docker/x/cpu.cfs_quota_us", "-1\n")
    assert quota(tmp_path) == math.inf


def test_two_processors_of_a_core_are_one(tmp_path: Path) -> None:
    for number, siblings in enumerate(("0,2", "1,3", "0,2", "1,3")):
        put(
            tmp_path / f"sys/devices/system/cpu/cpu{number}/topology/thread_siblings_list", siblings
        )
    assert physical_cores({0, 1, 2, 3}, tmp_path) == 2
    assert physical_cores({0, 2}, tmp_path) == 1
    assert physical_cores({5, 6}, tmp_path) == 2


def test_whoever_sets_how_threads_wait_keeps_it() -> None:
    nothing: dict[str, str] = {}
    wait_passively(nothing)
    assert nothing == PASSIVE
    active = {"OMP_WAIT_POLICY": "ACTIVE"}
    wait_passively(active)
    assert active == {"OMP_WAIT_POLICY": "ACTIVE"}


@pytest.mark.parametrize("program", ["gsema_core.cli", "gsema_core.worker.__main__"])
def test_programs_set_it_before_torch_is_there(program: str) -> None:
    """The fault that this prevents: OpenMP's library looks once, when torch loads it."""
    code = (
        "import os, sys, argparse\n"
        "argparse.ArgumentParser.parse_args = lambda *_: sys.exit(\n"
        "    0 if 'torch' not in sys.modules and 'OMP_WAIT_POLICY' in os.environ else 7)\n"
        f"import {program} as program\n"
        "program.program()\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

"""The SLURM examples, on a machine whose SLURM is a few scripts."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from gsema_core.files import write_labels, write_volume
from gsema_core.grids import Geometry, Volume
from gsema_core.training import TrainingConfig, train

SLURM = Path(__file__).resolve().parents[2] / "examples" / "slurm"
SCRIPTS = sorted(SLURM.glob("*.sbatch"))
TRAINS = ("train", "train_nodes", "benchmark_array")

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="the examples are for bash")

SRUN = """
below() { for each in $(pgrep -P "$1"); do echo "$each"; below "$each"; done; }
trap 'asked=yes; kill -USR1 $(below $$) 2> /dev/null' USR1  # to every process of the step
"$@" &
step=$!
wait "$step"
code=$?
if [ -n "$asked" ]; then wait "$step"; code=$?; fi
exit "$code"
"""

WORK = """
import pathlib, signal, sys
asked = []
signal.signal(signal.SIGUSR1, lambda *_: asked.append(1))
pathlib.Path("arguments").write_text(" ".join(sys.argv[1:]))
if pathlib.Path("works").exists():
    pathlib.Path("ready").touch()
    while not asked:
        signal.pause()
state = pathlib.Path("state").read_text()
pathlib.Path("run/status.json").write_text('{\\n  "state": "%s"\\n}' % state)
sys.exit(int(pathlib.Path("code").read_text()))
"""
"""What gsema does here: wait for the signal where a file says so, then end with a code."""

TORCHRUN = f"""
import signal, subprocess, sys
assert signal.getsignal(signal.SIGUSR1) == signal.SIG_IGN, "it would end by the signal"
sys.exit(subprocess.call([sys.executable, "-c", {WORK!r}, *sys.argv[1:]]) and 1)
"""


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder; what scontrol is told of a requeue goes to a file there."""
    (tmp_path / "bin").mkdir()
    scontrol = f"""
        case "$1" in
            show) printf 'node1\\nnode2\\n' ;;
            *) echo "$@" >> "{tmp_path}/told" ;;
        esac"""
    programs = {"srun": SRUN, "scontrol": scontrol}
    for name, content in programs.items():
        write_program(tmp_path / "bin" / name, f"#!/bin/bash\n{content}\n")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    settings = {
        "JOB_ID": "4711",
        "CPUS_PER_TASK": "1",
        "ARRAY_TASK_ID": "2",
        "ARRAY_TASK_COUNT": "3",
        "JOB_NODELIST": "node[1-2]",
        "JOB_NUM_NODES": "2",
        "GPUS_ON_NODE": "4",
    }
    for name, value in settings.items():
        monkeypatch.setenv(f"SLURM_{name}", value)
    return tmp_path


@pytest.fixture
def made_up(cluster: Path) -> Callable[..., None]:
    """``made_up(code, state, works)``: gsema and torchrun end with what the folder says."""
    (cluster / "run").mkdir()
    for name, content in {"gsema": WORK, "torchrun": TORCHRUN}.items():
        write_program(cluster / "bin" / name, f"#!{sys.executable}\n{content}")

    def make(code: int, state: str, works: bool) -> None:
        (cluster / "code").write_text(str(code))
        (cluster / "state").write_text(state)
        if works:
            (cluster / "works").touch()

    return make


def write_program(path: Path, content: str) -> None:
    path.write_text(content)
    path.chmod(0o755)


def use_real_gsema(cluster: Path) -> None:
    content = f'#!/bin/bash\nexec "{sys.executable}" -m gsema_core "$@"\n'
    write_program(cluster / "bin" / "gsema", content)


def submit(script: str, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(["bash", str(SLURM / f"{script}.sbatch"), *arguments])


def ask(job: subprocess.Popen[bytes]) -> int:
    """Do what SLURM does before a job's time is up."""
    job.send_signal(signal.SIGUSR1)
    return job.wait(60)


def wait_until(there: Callable[[], bool]) -> None:
    for _ in range(1200):
        if there():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come that far")


def told(cluster: Path) -> str:
    path = cluster / "told"
    return path.read_text() if path.exists() else ""


@pytest.mark.parametrize("script", TRAINS)
@pytest.mark.parametrize(
    ("code", "state", "requeued"), [(75, "stopped", True), (70, "failed", False)]
)
def test_a_job_that_is_asked_to_stop_is_queued_again(
    cluster, made_up, script, code, state, requeued
):
    made_up(code, state, works=True)
    job = submit(script, "config.toml", "run")
    wait_until((cluster / "ready").exists)
    assert ask(job) == (1 if script == "train_nodes" else code)
    assert told(cluster) == ("requeue 4711\n" if requeued else "")


@pytest.mark.parametrize("script", TRAINS)
@pytest.mark.parametrize(
    ("code", "state"),
    [(0, "finished"), (2, "stopped"), (75, "stopped")],  # 75: by a user, who may not be overruled
)
def test_a_job_that_ends_by_itself_is_not(cluster, made_up, script, code, state):
    made_up(code, state, works=False)
    job = submit(script, "config.toml", "run")
    assert job.wait(60) == (bool(code) if script == "train_nodes" else code)
    assert not told(cluster)


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("train", "train a run"),
        (
            "train_nodes",
            "--nnodes 2 --nproc-per-node 4 --rdzv-backend c10d --rdzv-endpoint node1:24711 "
            "--rdzv-id 4711 -m gsema_core train a",
        ),
        ("benchmark_array", "benchmark a run --share 2/3"),
        ("benchmark_report", "benchmark a run --report"),
    ],
)
def test_what_is_run(cluster, made_up, script, expected):
    made_up(0, "finished", works=False)
    assert submit(script, "a", "run").wait(60) == 0
    assert (cluster / "arguments").read_text() == expected


@pytest.mark.slow
def test_a_training_that_is_queued_again_ends_as_one_that_was_left_alone(cluster):
    use_real_gsema(cluster)
    cases = []
    for number in range(3):
        write_case(cluster, f"case{number}", number)
        files = {"image": f"case{number}.nrrd", "label": f"case{number}-label.nrrd"}
        cases.append({"patient": f"p{number}", "center": "A", **files})
    (cluster / "datalist.json").write_text(json.dumps({"cases": cases}))
    (cluster / "config.toml").write_text(
        '[data]\ndatalist = "datalist.json"\npatch = [16, 16, 16]\nworkers = 0\n'
        'spacing_mm = 1.0\n[network]\nkind = "cnn"\nfeatures = 8\nstages = 2\ndepth = 1\n'
        '[run]\noutput = "run"\nsteps = 150\nthreads = 1\ndevice = "cpu"\n'
        'checkpoint_every = 150\nvalidate_every = 150\nprecision = "fp32"\n'
    )
    job = submit("train", "config.toml")
    wait_until(lambda: _made_steps(cluster / "run") >= 2)
    assert ask(job) == 75
    assert told(cluster) == "requeue 4711\n"
    assert _step(cluster / "run") < 150
    assert submit("train", "config.toml").wait(300) == 0
    assert told(cluster) == "requeue 4711\n"
    alone = TrainingConfig.from_toml(cluster / "config.toml")
    alone = TrainingConfig.from_dict(
        {**alone.to_dict(), "run": {**alone.to_dict()["run"], "output": str(cluster / "alone")}}
    )
    train(alone, lambda line: None)
    teachers = [_checkpoint(cluster / name)["teacher"] for name in ("run", "alone")]
    assert all(torch.equal(tensor, teachers[1][name]) for name, tensor in teachers[0].items())


def write_case(folder: Path, name: str, seed: int) -> None:
    random = np.random.default_rng(seed)
    labels = np.zeros((24, 24, 24), np.uint8)
    labels[:, 8:12, 8:12] = 1
    labels[10:15, 12:17, 8:12] = 2
    image = np.where(labels > 0, 1000, 100) + random.normal(0, 50, labels.shape)
    grid = Geometry((24, 24, 24), (1.0, 1.0, 1.0))
    write_volume(Volume(image.astype(np.float32), grid), folder / f"{name}.nrrd")
    write_labels(Volume(labels, grid), folder / f"{name}-label.nrrd")


def _checkpoint(run: Path) -> dict:
    return torch.load(run / "checkpoint.pt", weights_only=True)


def _step(run: Path) -> int:
    return _checkpoint(run)["step"]


def _made_steps(run: Path) -> int:
    try:
        return json.loads((run / "status.json").read_text())["step"]
    except OSError:
        return 0


def test_the_tasks_of_an_array_do_a_folder_together(cluster, teacher_file, monkeypatch):
    use_real_gsema(cluster)
    scans, results = cluster / "scans", cluster / "results"
    scans.mkdir()
    for number in range(3):
        write_case(scans, f"image-{number}", number)
        (scans / f"image-{number}-label.nrrd").unlink()
    (scans / "image-9.nrrd").write_bytes(b"no scan")
    monkeypatch.setenv("SLURM_ARRAY_TASK_COUNT", "2")
    codes = {}
    for task in ("1", "2"):
        monkeypatch.setenv("SLURM_ARRAY_TASK_ID", task)
        parts = [str(scans), str(results), "--teacher", str(teacher_file), "--device", "cpu"]
        codes[task] = submit("segment_array", *parts).wait(300)
    assert codes == {"1": 0, "2": 1}
    found = {path.name for path in results.glob("*.seg.nrrd")}
    assert found == {f"image-{number}.seg.nrrd" for number in range(3)}
    assert not told(cluster)


@pytest.mark.parametrize(("code", "requeued"), [(75, "requeue 4711\n"), (1, ""), (2, "")])
def test_a_task_that_was_stopped_is_queued_again(cluster, code, requeued):
    write_program(cluster / "bin" / "gsema", f"#!/bin/bash\nexit {code}\n")
    assert submit("segment_array", "scans", "results").wait(60) == code
    assert told(cluster) == requeued


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_scripts_are_right_for_bash_and_say_how_they_are_called(script):
    text = script.read_text()
    subprocess.run(["bash", "-n", script], check=True)
    if shutil.which("shellcheck"):
        subprocess.run(["shellcheck", script], check=True)
    assert "#SBATCH --time=" in text
    if script.stem in TRAINS:
        assert "#SBATCH --signal=B:USR1@120\n#SBATCH --requeue\n" in text
        assert re.search(rf"#     .*sbatch .*{script.name} ", text)

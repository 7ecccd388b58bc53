"""A request to stop is heeded soon at any moment; what was done stays, and nobody is left behind.

The bounds are there to end a test that hangs; none measures time.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from gsema_core.exit_codes import EXIT_SOME_FAILED, EXIT_STOPPED
from gsema_core.training import TrainingConfig
from gsema_core.training.checkpoint import Checkpoint

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM to send")

# A training in which something gives no answer from some moment on: the name of a function, and how
# often it still answers.
PROGRAM = """
import importlib, sys, threading, time
from gsema_core import cli

place, answers = sys.argv.pop(1), int(sys.argv.pop(1))
module, _, name = place.partition(":")
owner = importlib.import_module(module)
*parents, name = name.split(".")
for parent in parents:
    owner = getattr(owner, parent)
real, calls = getattr(owner, name), []

def hangs(*arguments, **options):
    calls.append(1)
    if len(calls) == answers + 1:
        print("it hangs", file=sys.stderr, flush=True)
        while True:  # as a library does: no signal, and no exception, ends it
            try:
                time.sleep(1000)
            except BaseException:
                pass
    return real(*arguments, **options)

setattr(owner, name, hangs)
sys.exit(cli.program())
"""

PLACES = {
    "reading a case": ("gsema_core.datasets.cache:VolumeCache.load", 1),
    "the first patches": ("gsema_core.training.loader:PatchDataset.__getitem__", 0),
    "a step": ("gsema_core.training.trainer:split_backward", 3),
    "a validation": ("gsema_core.training.loop:validate", 0),
    "a checkpoint": ("gsema_core.training.loop:save_checkpoint", 0),
}


def start(config: TrainingConfig, folder: Path, *program: str) -> subprocess.Popen[str]:
    lines = [f'preset = "{config.preset_name}"']
    for section, values in config.to_dict().items():
        if isinstance(values, dict):
            lines += [f"[{section}]", *(f"{key} = {json.dumps(v)}" for key, v in values.items())]
    (folder / "config.toml").write_text("\n".join(lines))
    return subprocess.Popen(
        [sys.executable, *program, "train", str(folder / "config.toml")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_for(words: str, process: subprocess.Popen[str]) -> None:
    assert process.stderr is not None
    seen = []
    too_long = threading.Timer(120, os.killpg, (process.pid, signal.SIGKILL))
    too_long.start()
    try:
        for line in process.stderr:
            seen.append(line)
            if words in line:
                return
    finally:
        too_long.cancel()
    raise AssertionError("".join(seen))


def end_of(process: subprocess.Popen[str]) -> str:
    try:
        return process.communicate(timeout=60)[1]
    finally:
        try:
            os.killpg(process.pid, signal.SIGKILL)  # also processes that were left behind
        except ProcessLookupError:
            pass
        else:
            process.wait()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("place", "request_"),
    [*((place, "SIGTERM") for place in PLACES), ("a step", "SIGINT"), ("reading a case", "file")],
)
def test_a_run_that_hangs_can_be_stopped(make_tiny, tmp_path, place, request_):
    config = make_tiny(
        data={"workers": 1 if place == "the first patches" else 0},
        run={"steps": 10**6, "validate_every": 2, "checkpoint_every": 2},
    )
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    where, answers = PLACES[place]
    process = start(config, tmp_path, str(program), where, str(answers))
    # A process that prepares patches hangs without a word of its own.
    wait_for("hold an aneurysm" if place == "the first patches" else "it hangs", process)
    if request_ == "file":
        (config.run.output / "stop").touch()
    else:
        process.send_signal(getattr(signal, request_))
    end_of(process)
    assert process.returncode == EXIT_STOPPED
    status = json.loads((config.run.output / "status.json").read_text())
    assert status["state"] == "stopped"
    assert not (config.run.output / "stop").exists()
    assert not list(config.run.output.rglob(".writing-*"))
    if place == "a step":
        assert Checkpoint.read(config.run.output / "checkpoint.pt", config).state["step"] == 3
        assert status["step"] == 3


@pytest.mark.slow
def test_a_signal_to_the_whole_group_stops_between_two_steps(make_tiny, tmp_path):
    """As a terminal or a cluster sends it: the processes that prepare patches get it too."""
    config = make_tiny(data={"workers": 2}, run={"steps": 10**5})
    process = start(config, tmp_path, "-m", "gsema_core")
    wait_for("[3/", process)
    os.killpg(process.pid, signal.SIGTERM)
    told = end_of(process)
    assert process.returncode == EXIT_STOPPED, told
    assert (config.run.output / "checkpoint.pt").exists()


@pytest.mark.slow
def test_a_dead_process_ends_the_run_with_a_sentence(make_tiny, tmp_path):
    """Whatever the run does at that moment."""
    config = make_tiny(data={"workers": 1}, run={"steps": 10**5})
    process = start(config, tmp_path, "-m", "gsema_core")
    wait_for("[3/", process)
    children = subprocess.check_output(["pgrep", "-P", str(process.pid)], text=True).split()
    os.kill(int(children[0]), signal.SIGKILL)
    told = end_of(process)
    assert process.returncode == EXIT_SOME_FAILED
    assert "error: One of the 1 processes that prepare patches was ended from outside" in told
    assert "Traceback" not in told


@pytest.mark.slow
def test_a_long_name_of_the_folder_for_temporary_files_does_no_harm(
    make_tiny, tmp_path, monkeypatch
):
    """No socket has a name of over 107 letters; it hung and heeded no signal."""
    temporary = tmp_path / ("long" * 30)
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    config = make_tiny(data={"workers": 2}, run={"steps": 3})
    process = start(config, tmp_path, "-m", "gsema_core")
    told = end_of(process)
    assert process.returncode == 0, told

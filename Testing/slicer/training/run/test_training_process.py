"""The training's process, apart from Slicer."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path


def test_another_process_in_the_folder_is_refused_by_the_training_itself(
    panel, begin, look, spin, fake, tmp_path
):
    """As when two Slicers chose one folder at the same moment."""
    begin("slow")
    spin(lambda: look().folder.isRunning)
    command = [*fake("quick"), "train", str(tmp_path / "run" / "config.toml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "Another run (process" in done.stderr


def test_the_training_outlives_the_program_that_started_it(
    training_module, fake, tmp_path, spin, tiny_teacher, monkeypatch
):
    from GSEMATrainingLib.run.RunFolder import RunFolder

    monkeypatch.setenv("FAKE_TEACHER", str(tiny_teacher))
    (tmp_path / "config.toml").write_text("")
    (tmp_path / "datalist.json").write_text("{}")
    command = [*fake("slow"), "train", str(tmp_path / "config.toml")]
    program = f"""
        import os, sys
        sys.path[:0] = {sys.path!r}
        from pathlib import Path
        sys.path.insert(0, {str(Path(__file__).parents[3])!r})
        from slicer_harness import boot
        sys.path.pop(0)
        boot(with_widgets=False)
        from GSEMATrainingLib.run.TrainingProcess import TrainingProcess
        TrainingProcess().start({command!r}, Path({str(tmp_path / "train.log")!r}))
        os._exit(0)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=True)
    folder = RunFolder(tmp_path)
    spin(lambda: folder.isRunning and folder.status() is not None)
    folder.stop()
    spin(lambda: not folder.isRunning)
    assert folder.status().state == "stopped"

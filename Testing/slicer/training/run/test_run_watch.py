"""What the panel makes of a training's folder and of how its process ended."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from gsema_core.exit_codes import EXIT_STOPPED, EXIT_USER_ERROR


@pytest.mark.parametrize(
    ("code", "problem"), [(0, ""), (EXIT_STOPPED, ""), (EXIT_USER_ERROR, "of an earlier start")]
)
def test_a_training_that_was_stopped_has_no_problem(training_module, tmp_path, code, problem):
    """Its log may still hold the error of a start before."""
    from GSEMATrainingLib.run.RunFolder import RunFolder
    from GSEMATrainingLib.run.RunWatch import lookAt

    (tmp_path / "config.toml").write_text("")
    (tmp_path / "datalist.json").write_text("{}")
    (tmp_path / "train.log").write_text("error: of an earlier start\n")
    (tmp_path / "status.json").write_text(json.dumps({"state": "stopped", "step": 3}))
    process = SimpleNamespace(isAlive=False, exitCode=code)
    assert lookAt(RunFolder(tmp_path), process).problem == problem

"""``gsema train`` from the command line: what it says first."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from gsema_core.cli import main


def test_the_first_line_comes_before_anything_is_imported(tmp_path: Path, monkeypatch, capsys):
    """PyTorch takes seconds to import: whoever typed the command sees at once that it runs."""
    path = tmp_path / "config.toml"
    path.write_text('[data]\ndatalist = "cases"\n[run]\noutput = "run"\n')

    def train(config: object, summarize: bool) -> None:
        told.append(capsys.readouterr().err)
        raise KeyboardInterrupt

    code = "import sys, gsema_core.training.run_reporter; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    told: list[str] = []
    loaded = SimpleNamespace(train=train)
    monkeypatch.setitem(sys.modules, "gsema_core.training.training_run", loaded)
    main(["train", str(path)])
    assert told == [f"Reading {path}.\nLoading PyTorch, which takes some seconds.\n"]


@pytest.mark.parametrize("option", ["--set", "--dry-run"])
def test_a_wrong_setting_is_refused_before_pytorch_is_loaded(
    tmp_path: Path, capsys, monkeypatch, option
):
    path = tmp_path / "config.toml"
    path.write_text('[data]\ndatalist = "cases"\n[run]\noutput = "run"\n')
    monkeypatch.setitem(sys.modules, "gsema_core.training.training_run", None)
    monkeypatch.setitem(sys.modules, "gsema_core.training.dry_run", None)
    wrong = ["--set", "run.stpes=3"]
    assert (
        main(["train", str(path), *wrong, *(["--dry-run"] if option == "--dry-run" else [])]) == 2
    )
    error = capsys.readouterr().err.splitlines()[-1]
    assert error == (
        "error: --set run.stpes names no setting (did you mean run.steps?): gsema settings train "
        "lists all of them."
    )

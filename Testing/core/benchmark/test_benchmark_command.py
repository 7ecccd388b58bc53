"""``gsema benchmark`` from the command line: what it refuses, and that it says so in a sentence."""

from __future__ import annotations

import subprocess
import sys

import pytest

from gsema_core.cli import main


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--rows", "emma"], "The row 'emma' is unknown: use one of no_ema, ema"),
        (["--centers", "Z"], "Center 'Z' has no case in the datalist: use A, B."),
        (["--seeds", "one"], "The seeds 'one' are no list of whole numbers"),
        (["--seeds", ","], "The seeds ',' are no list of whole numbers"),
        (["--steps", "0"], "Setting steps in [run] is 0: give a whole number from 1"),
        (["--config", "nowhere.toml"], "The configuration nowhere.toml does not exist."),
        (["--report"], "No cell of"),
        (["--share", "3/2"], "The share '3/2' is none"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(datalist, tmp_path, capsys, options, sentence):
    command = ["benchmark", str(datalist), "--output", str(tmp_path / "out"), *options]
    assert main(command) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and sentence in error and error.count("\n") == 1


def test_a_run_prints_the_table_and_resumes_for_nothing(datalist, write_toml, tmp_path, capsys):
    command = ["benchmark", str(datalist), "--output", str(tmp_path / "out"), "--rows", "no_ema",
               "--centers", "A", "--steps", "1", "--config", str(write_toml()),
               "--no-figures"]  # fmt: skip
    assert main(command) == 0
    output = capsys.readouterr()
    assert output.out.strip() == str((tmp_path / "out" / "table.md").resolve())
    assert "Cell 1 of 1: no EMA without A, seed 0" in output.err
    assert main(command) == 0
    assert "Cell 1" not in capsys.readouterr().err


def test_shares_in_one_folder_are_the_whole(datalist, write_toml, tmp_path, capsys):
    """Each leaves its own cells; whoever comes last, or --report, makes the tables of all."""
    command = ["benchmark", str(datalist), "--output", str(tmp_path / "out"), "--rows", "no_ema",
               "--steps", "1", "--config", str(write_toml()), "--no-figures"]  # fmt: skip
    for share, center in (("1/2", "A"), ("2/2", "B")):
        assert main([*command, "--share", share]) == 0
        told = capsys.readouterr()
        assert not told.out and told.err.endswith("Cells done, of 2 in all: 1.\n")
        assert f"Cell 1 of 1: no EMA without {center}, seed 0" in told.err
    tables = [(tmp_path / "out" / name).read_text() for name in ("table.md", "cases.csv")]
    assert main([*command, "--report"]) == 0
    assert [(tmp_path / "out" / name).read_text() for name in ("table.md", "cases.csv")] == tables
    assert main(command) == 0
    assert "Cell" not in capsys.readouterr().err  # nothing is left to do
    with pytest.raises(SystemExit):
        main([*command, "--share", "1/2", "--report"])


def test_help_loads_nothing_heavy():
    code = (
        "import sys; from gsema_core.cli import build_parser; build_parser(); "
        "print([m for m in ('torch', 'monai', 'SimpleITK', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_budget_is_lengthened_only_where_it_is_typed(datalist, write_toml, tmp_path, capsys):
    """The default of 5000 steps must not lengthen what somebody goes on with."""
    text = write_toml().read_text().replace('"steps" = 3\n', "").replace("steps = 3\n", "")
    (tmp_path / "base.toml").write_text(text.replace('"cosine"', '"constant"'))
    command = ["benchmark", str(datalist), "--output", str(tmp_path / "out"), "--rows", "no_ema",
               "--centers", "A", "--config", str(tmp_path / "base.toml"),
               "--no-figures"]  # fmt: skip
    assert main([*command, "--steps", "1"]) == 0
    capsys.readouterr()
    assert main(command) == 2
    assert "A longer budget is given by --steps or --minutes." in capsys.readouterr().err
    assert main([*command, "--steps", "2", "--report"]) == 2  # a report trains nothing
    capsys.readouterr()
    assert main([*command, "--steps", "2"]) == 0
    assert "Cells finished with 1 step: 1. They go on to 2 steps." in capsys.readouterr().err
    assert main([*command, "--steps", "1"]) == 2
    assert "has a budget of 2 steps, and 1 step is shorter" in capsys.readouterr().err

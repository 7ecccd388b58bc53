from __future__ import annotations

import re
import sys

from gsema_core.errors import UserError
from gsema_core.training.run_files import timeless
from gsema_core.training.train_log import TrainLog

TIMED = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ")


def lines_of(folder) -> list[str]:
    return (folder / "train.log").read_text().splitlines()


def test_lines_are_passed_on_and_kept_with_times(tmp_path):
    said: list[str] = []
    for line in ("one", "two\nlines"):  # of two sessions
        TrainLog(tmp_path, said.append).report(line)
    assert said == ["one", "two\nlines"]
    assert all(TIMED.match(line) for line in lines_of(tmp_path))
    assert [timeless(line) for line in lines_of(tmp_path)] == ["one", "two", "lines"]


def test_what_goes_into_the_log_already_is_not_there_twice(tmp_path, monkeypatch):
    """The training panel lets the process write its stderr into the same file."""
    with (tmp_path / "train.log").open("a") as stderr:
        monkeypatch.setattr(sys, "stderr", stderr)
        log = TrainLog(tmp_path, None)
        log.report("once")
        log.fail(UserError("which the program prints"))
    assert [timeless(line) for line in lines_of(tmp_path)] == ["once"]


def test_the_error_that_ends_a_run_is_kept(tmp_path, capsys):
    log = TrainLog(tmp_path, None)
    log.report("on stderr")
    log.fail(UserError("The disk is full."))
    log.fail(KeyError("Jane Doe"))
    assert capsys.readouterr().err == "on stderr\n"
    assert [timeless(line) for line in lines_of(tmp_path)] == [
        "on stderr",
        "error: The disk is full.",
        "error: An unexpected KeyError ended the run: see errors.log.",
    ]


def test_a_log_that_cannot_be_written_is_told_once(tmp_path):
    (tmp_path / "train.log").mkdir()
    said: list[str] = []
    log = TrainLog(tmp_path, said.append)
    for line in ("a", "b"):
        log.report(line)
    assert said == [
        "a",
        "Warning: train.log cannot be written (Is a directory); the training goes on.",
        "b",
    ]

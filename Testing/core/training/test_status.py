"""What is read of a run's status, also where another version or nobody has written it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from gsema_core.training.status import ENDLESS, STATUS, Status, budget_text, counted, read_status


@pytest.mark.parametrize("content", [None, "", "[1]", '{"state"'])
def test_a_folder_without_a_status_says_nothing(tmp_path, content):
    if content is not None:
        (tmp_path / STATUS).write_text(content)
    assert read_status(tmp_path) is None


def test_reads_what_is_written_by_another_version(tmp_path):
    written = {"state": "training", "step": 3, "seconds_left": None, "mood": "good"}
    (tmp_path / STATUS).write_text(json.dumps(written))
    assert read_status(tmp_path) == Status("training", step=3)


def test_a_status_without_a_state_is_that_of_a_failure(tmp_path):
    (tmp_path / STATUS).write_text('{"step": 3}')
    assert read_status(tmp_path) == Status("failed", step=3)


@pytest.mark.parametrize(
    ("status", "fraction"),
    [
        (Status("preparing"), 0.0),
        (Status("training", step=2, steps=8), 0.25),
        (Status("training", step=6, steps=8, seconds=60.0, minutes=2.0), 0.75),
        (Status("stopped", step=6, steps=ENDLESS, seconds=60.0, minutes=4.0), 0.25),
        (Status("training", step=6, steps=ENDLESS, seconds=300.0, minutes=4.0), 1.0),
        (Status("training", step=9, steps=8), 1.0),
        (Status("finished", step=2, steps=8), 1.0),
    ],
)
def test_the_fraction_that_is_done(status, fraction):
    assert status.fraction == fraction


def test_a_run_is_over_by_what_ends_first():
    assert Status("training", step=8, steps=8).is_over
    assert Status("training", step=2, steps=8, seconds=60.0, minutes=1.0).is_over
    assert not Status("training", step=2, steps=8, seconds=59.0, minutes=1.0).is_over
    assert not Status("preparing").is_over


def test_a_run_that_its_time_ends_counts_no_steps_to_come():
    assert counted(464, 5000, 0.0) == "464 of 5000"
    assert counted(464, 5000, 30.0) == "464 of 5000"
    assert counted(464, ENDLESS, 30.0) == "464"
    assert Status(step=464, steps=ENDLESS, minutes=30.0).is_by_time


def test_a_long_run_without_minutes_has_its_total():
    assert counted(464, 2 * ENDLESS, 0.0, "/") == "464/2000000"
    assert not Status(step=464, steps=ENDLESS).is_by_time


def test_a_budget_in_words():
    assert budget_text(1000, 0.0) == "1000 steps"
    assert budget_text(1, 1.0) == "1 step, at most 1 minute"
    assert budget_text(ENDLESS, 30.0) == "30 minutes"
    assert budget_text(2 * ENDLESS, 0.0) == "2000000 steps"


def test_reading_takes_the_standard_library_only():
    """The panel reads it before any package is installed."""
    code = (
        "import sys, gsema_core.training.status; "
        "sys.exit(bool({'torch', 'numpy', 'monai', 'SimpleITK'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

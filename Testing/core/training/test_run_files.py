"""The names of what lies in a run's folder."""

from __future__ import annotations

import subprocess
import sys

import pytest

from gsema_core.training.run_files import (
    PICTURES,
    RECORD_MARK,
    picture,
    pictures,
    record_head,
    timeless,
)


def test_pictures_are_found_by_steps_and_cases_and_nothing_else_is(tmp_path):
    assert pictures(tmp_path) == {}
    (tmp_path / PICTURES).mkdir()
    made = [(30, 12), (30, 2), (4, 2), (12_345_678, 2)]
    for step, number in made:
        picture(tmp_path, step, number).touch()
    for name in (
        "step-²³-case-1.png",
        "step-5.png",
        "step-0000005-case-x.png",
        "step-0000005-case-1.jpg",
    ):
        (tmp_path / PICTURES / name).touch()
    found = pictures(tmp_path)
    assert list(found) == [4, 30, 12_345_678]
    assert list(found[30].items()) == [(n, picture(tmp_path, 30, n)) for n in (2, 12)]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("2026-11-30 22:06:34 Warning: a", "Warning: a"),
        ("error: b", "error: b"),
        ("2026-11-30 22:06:34 ", ""),
        ("In 2026-11-30 22:06:34 it was", "In 2026-11-30 22:06:34 it was"),
    ],
)
def test_a_line_is_told_without_its_time(line, expected):
    assert timeless(line) == expected


def test_notes_of_a_record_stay_comments():
    head = record_head(["one", "two\nsteps = 3"])
    assert head.startswith(RECORD_MARK)
    assert all(line.startswith("#") for line in head.splitlines() if line)


def test_a_panel_without_packages_knows_the_names():
    code = (
        "import sys, gsema_core.training.metrics_table, gsema_core.worker.protocol; "
        "assert not {'numpy', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)

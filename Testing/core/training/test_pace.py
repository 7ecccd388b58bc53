from __future__ import annotations

import pytest

from gsema_core.training.config_sections import RunConfig
from gsema_core.training.pace import Pace, duration_text, ending, what_ends


@pytest.fixture
def clock(monkeypatch):
    """A clock that is set by hand: ``clock(seconds)`` moves it on."""
    now = [100.0]
    monkeypatch.setattr("gsema_core.training.pace.monotonic", lambda: now[0])

    def move(seconds: float) -> None:
        now[0] += seconds

    return move


def test_means_steps_and_nothing_else(clock):
    pace = Pace()
    clock(2.0)
    assert pace.step() == 2.0
    clock(50.0)
    pace.mark()
    clock(4.0)
    pace.step()
    assert pace.rate() == 3.0
    clock(1.0)
    pace.step()
    assert pace.rate() == 1.0


def test_the_pace_is_that_of_the_last_minute_without_the_first_step(clock):
    pace = Pace()
    assert pace.seconds_per_step is None
    clock(30.0)  # its memory and its kernels are made
    pace.step()
    assert pace.seconds_per_step == 30.0
    for seconds in (2.0, 4.0):
        clock(seconds)
        pace.step()
    assert pace.seconds_per_step == 3.0
    for _ in range(60):
        clock(1.0)
        pace.step()
    assert pace.seconds_per_step == pytest.approx(1.0)


def run_of(**values) -> RunConfig:
    return RunConfig(**{"steps": 20, "validate_every": 5, **values})


def test_steps_end_a_run_after_its_validations():
    assert ending(run_of(), 10, 0.0, None, None, 0) is None
    end = ending(run_of(), 10, 20.0, 2.0, 7.0, 0)
    assert (end.by, end.step, end.seconds, end.validations) == ("steps", 20, 20.0 + 2 * 7.0, 2)
    assert end.text == "about 35 s left"
    # One at step 15, 20 and at the end.
    assert ending(run_of(steps=21), 10, 20.0, 2.0, 7.0, 0).validations == 3
    assert ending(run_of(), 10, 20.0, 2.0, 7.0, None).seconds == 20.0  # nobody is validated


def test_validations_that_were_not_timed_are_named_instead():
    end = ending(run_of(), 10, 20.0, 2.0, None, 0)
    assert end.text == "about 20 s and 2 validations left"
    assert ending(run_of(steps=11), 10, 20.0, 60.0, None, 0).text == (
        "about 1 min and 1 validation left"
    )


@pytest.mark.parametrize(
    ("minutes", "by", "step", "seconds"),
    [
        (1.0, "steps", 20, 20.0 + 14.0),  # enough for all
        (0.5, "minutes", 15, 10.0 + 7.0),  # five steps of the budget are left
        (0.3, "minutes", 10, 0.0),  # it is used up
        (0.35, "minutes", 11, 1.0 + 7.0),  # the step that it ends in is made, and validated
    ],
)
def test_what_comes_first_of_steps_and_minutes(minutes, by, step, seconds):
    end = ending(run_of(minutes=minutes), 10, 20.0, 2.0, 7.0, 0)
    assert (end.by, end.step, end.seconds) == (by, step, pytest.approx(seconds))


def test_patience_makes_it_at_the_latest():
    end = ending(run_of(patience=1), 10, 20.0, 2.0, 7.0, 0)
    assert end.earliest_step == 15 and end.text == "about 35 s left at the latest"
    # Two more without a better teacher would be at step 20, where it ends anyway.
    assert ending(run_of(patience=2), 10, 20.0, 2.0, 7.0, 0).earliest_step is None
    assert ending(run_of(patience=2), 10, 20.0, 2.0, 7.0, 1).earliest_step == 15
    assert ending(run_of(patience=1), 10, 20.0, 2.0, 7.0, None).earliest_step is None
    # The first validation, at step 5, finds the first teacher.
    assert ending(run_of(patience=1), 0, 0.0, 2.0, None, -1).earliest_step == 10


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (3, "a few seconds"),
        (42, "about 40 s"),
        (58, "about 1 min"),
        (1100, "about 18 min"),
        (9000, "about 2.5 h"),
        (200_000, "about 2.3 days"),
    ],
)
def test_durations_are_no_more_exact_than_anybody_could_promise(seconds, text):
    assert duration_text(seconds) == text


def test_what_has_ended_a_run():
    run = run_of(minutes=0.5, patience=2)
    assert what_ends(run, 19, 29.9, 1) == ""
    assert what_ends(run, 20, 0.0, 0) == "all steps are made"
    assert what_ends(run, 21, 0.0, 0) == "it had made more than 20 steps before"
    assert what_ends(run, 3, 30.0, 0) == "its 0.5 minutes are used up"
    assert what_ends(run, 3, 0.0, 2).startswith("2 validations in a row found no better teacher")
    assert what_ends(run_of(), 3, 1e9, 10**6) == ""


def test_what_a_status_shows_of_the_pace(clock):
    pace = Pace()
    shown = pace.shown(run_of(), 7, 1.26, None)
    assert (shown["epoch"], shown["epochs"], shown["seconds"]) == (1, 4, 1.3)
    assert shown["seconds_per_step"] is shown["seconds_left"] is shown["earliest_step"] is None
    clock(0.123456)
    pace.step()
    shown = pace.shown(run_of(), 10, 20.0, ending(run_of(), 10, 20.0, 2.0, 7.0, 0))
    assert (shown["seconds_per_step"], shown["seconds_left"]) == (0.1235, 34.0)

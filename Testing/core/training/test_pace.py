from __future__ import annotations

import pytest

from gsema_core.training.pace import Pace


@pytest.fixture
def clock(monkeypatch):
    """A clock that is set by hand: ``clock(seconds)`` moves it on."""
    now = [100.0]
    monkeypatch.setattr("gsema_core.training.pace.time.monotonic", lambda: now[0])

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


def test_the_time_left_counts_validations(clock):
    pace = Pace()
    assert pace.seconds_left(10, 5, None) is None
    clock(2.0)
    pace.step()
    pace.rate()
    assert pace.seconds_left(10, 5, None) == 20.0
    clock(7.0)
    pace.validation_seconds = pace.mark()
    assert pace.seconds_left(10, 5, None) == 20.0 + 2 * 7.0
    assert pace.seconds_left(10, 5, 10.0) == 10.0 + 7.0  # five steps of the budget are left
    assert pace.seconds_left(10, 5, -1.0) == 0.0

from __future__ import annotations

import pytest

from gsema_core.errors import Cancelled
from gsema_core.inference import Monitor
from gsema_core.inference.monitor import PHASES


def test_phases_fill_the_bar_in_order() -> None:
    told: list[tuple[float, str]] = []
    monitor = Monitor(lambda fraction, phase: told.append((fraction, phase)))
    for name in PHASES:
        with monitor.phase(name):
            monitor.advance(0.5)
    fractions = [fraction for fraction, _ in told]
    assert fractions == sorted(fractions)
    assert fractions[0] == 0.0
    assert fractions[-1] == 1.0
    assert list(dict.fromkeys(text for _, text in told)) == [text for _, text in PHASES.values()]
    assert set(monitor.seconds) == set(PHASES)


def test_a_phase_that_comes_again_or_late_never_turns_the_bar_back() -> None:
    told: list[float] = []
    monitor = Monitor(lambda fraction, phase: told.append(fraction))
    for name in ("load", "read", "windows", "windows", "write"):
        with monitor.phase(name):
            monitor.advance(0.3)
    assert told == sorted(told)


def test_the_windows_fraction_is_true() -> None:
    told: list[float] = []
    monitor = Monitor(lambda fraction, phase: told.append(fraction))
    with monitor.phase("prepare"):
        pass
    with monitor.phase("windows"):
        monitor.advance(0.5)
        start, end = PHASES["prepare"][0], PHASES["windows"][0]
        assert told[-1] == pytest.approx((start + end) / 2)


@pytest.mark.parametrize("checks_before_cancel", [0, 1, 2])
def test_cancel_is_noticed_at_the_borders_of_phases(checks_before_cancel: int) -> None:
    checks = iter([False] * checks_before_cancel + [True] * 10)
    monitor = Monitor(cancelled=lambda: next(checks))
    done = []
    with pytest.raises(Cancelled):
        for name in ("read", "load"):
            with monitor.phase(name):
                done.append(name)
    assert done == ["read", "load"][: (checks_before_cancel + 1) // 2]


def test_once_written_it_is_too_late_to_cancel() -> None:
    asked: list[bool] = []
    monitor = Monitor(cancelled=lambda: bool(asked))
    with monitor.phase("write"):
        asked.append(True)
    assert "write" in monitor.seconds
    with pytest.raises(Cancelled), monitor.phase("write"):
        raise AssertionError("cancelled before it began")

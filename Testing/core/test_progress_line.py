from __future__ import annotations

import io

import pytest

from gsema_core.progress_line import PLAIN_LINES, ProgressLine


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that stands still until told otherwise."""
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    return now


def test_a_log_file_gets_a_line_for_each_phase_and_each_tenth() -> None:
    log = io.StringIO()
    line = ProgressLine(log)
    line(0.0, "Reading")
    for percent in range(101):
        line(percent / 100, "Segmenting")
    line.close()
    lines = log.getvalue().splitlines()
    assert lines[:2] == ["  0% Reading", "  0% Segmenting"]
    assert len(lines) == 2 + PLAIN_LINES
    assert "\r" not in log.getvalue()


def test_a_terminal_gets_one_line_that_is_drawn_over(clock: list[float]) -> None:
    terminal = Terminal()
    line = ProgressLine(terminal)
    line(0.1, "A long phase")
    line(0.2, "Too soon to be drawn")
    clock[0] += 1.0
    line(0.5, "Short")
    line.close()
    assert "\n" not in terminal.getvalue()
    drawn = terminal.getvalue().split("\r")
    assert drawn[1].rstrip() == " 10% A long phase"
    assert drawn[2].rstrip() == " 50% Short"
    assert len(drawn[2]) == len(drawn[1])  # the rest of the longer line is wiped out
    assert drawn[3].strip() == ""


def test_the_remaining_time_is_estimated_once_it_can_be(clock: list[float]) -> None:
    terminal = Terminal()
    line = ProgressLine(terminal)
    line(0.1, "Segmenting")
    assert "left" not in terminal.getvalue()
    clock[0] += 10.0
    line(0.25, "Segmenting")
    assert "about 30 s left" in terminal.getvalue()


class Broken(io.StringIO):
    def __init__(self, error: OSError) -> None:
        super().__init__()
        self.error = error

    def write(self, text: str) -> int:
        raise self.error


def test_a_log_on_a_full_disk_is_no_matter_of_the_work() -> None:
    ProgressLine(Broken(OSError(28, "No space left on device")))(0.5, "Segmenting")


def test_a_reader_that_leaves_ends_the_work() -> None:
    with pytest.raises(BrokenPipeError):
        ProgressLine(Broken(BrokenPipeError()))(0.5, "Segmenting")

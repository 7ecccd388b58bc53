from __future__ import annotations

from gsema_core.machine.waiting import WaitWatch, waiting_note


def test_what_is_said() -> None:
    note = waiting_note("A window", 10, 125.0, 40.5, 2)
    assert note.startswith("A window takes 12 s, of which the processor works 4 s: other programs")
    assert "fewer threads than 2 (the setting threads)" in note
    assert "fewer" not in waiting_note("A window", 10, 125.0, 40.5, 1)


def test_work_on_free_cores_is_no_wait() -> None:
    assert waiting_note("A step", 100, 100.0, 190.0, 2) == ""  # two threads at once
    assert waiting_note("A step", 100, 100.0, 50.0, 2) == ""
    assert waiting_note("A step", 100, 100.0, 49.0, 2)


def test_short_waits_pass() -> None:
    assert waiting_note("A step", 1, 29.9, 0.1, 2) == ""


def test_a_watch_says_it_once() -> None:
    watch = WaitWatch("A step", 2)
    notes = [watch.add(10.0, 1.0) for _ in range(10)]
    assert [bool(note) for note in notes] == [False, False, True] + [False] * 7


def test_a_watch_forgets_the_time_before() -> None:
    """An hour on free cores does not hide that they are busy now."""
    watch = WaitWatch("A step", 2)
    assert not any(watch.add(10.0, 15.0) for _ in range(360))
    assert [bool(watch.add(10.0, 1.0)) for _ in range(3)] == [False, False, True]

from __future__ import annotations

import threading

from gsema_core.repeating import repeating


def test_it_is_done_again_while_the_block_runs_and_not_after_it():
    thrice = threading.Event()
    calls: list[str] = []

    def act() -> None:
        calls.append(threading.current_thread().name)
        if len(calls) == 3:
            thrice.set()

    with repeating(act, 0.001, "beat"):
        assert thrice.wait(30)
    count = len(calls)
    assert set(calls) == {"beat"}
    assert "beat" not in {thread.name for thread in threading.enumerate()}
    assert not threading.Event().wait(0.02) and len(calls) == count

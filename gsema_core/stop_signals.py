"""The system's requests to stop, as a flag: work ends between two steps instead of inside one."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def stop_signals(
    *numbers: int, tell: Callable[[], object] = lambda: None
) -> Iterator[Callable[[], bool]]:
    """Turn signals into a flag while the block runs; outside the main thread, none arrives.

    Args:
        numbers: the signals; default SIGTERM alone, so that Ctrl-C stays a KeyboardInterrupt.
        tell: called when one arrives. It must not take a lock that the main thread may hold.

    Yields:
        Whether one has arrived.
    """
    arrived: list[int] = []  # not an Event: two signals in a row would wait for its lock forever

    def handle(number: int, _frame: object) -> None:
        arrived.append(number)
        tell()

    previous = {}
    if threading.current_thread() is threading.main_thread():
        for number in numbers or (signal.SIGTERM,):
            previous[number] = signal.signal(number, handle)
    try:
        yield lambda: bool(arrived)
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)

"""Requests to stop: a flag that work looks at between two steps, and an end that comes in time.

Whatever can be gone on with or made again ends by its own means, once it sees the flag. A program
that is stuck (a network drive, another process that gives no answer, minutes in a library) does not
see it: `ends_in_time` lets a thread end the process then.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from gsema_core.errors import Cancelled
from gsema_core.exit_codes import EXIT_STOPPED

STOPPING = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGUSR1") if hasattr(signal, name))
"""What asks a program to stop: SIGUSR1 is the cluster's (``sbatch --signal=USR1@120``), before a
job's time is up. Windows has none."""

LOOK_S = 0.5
"""How often other requests than signals are looked for (ours)."""

GRACE_S = 2.5
"""How long work may take to end by itself: whoever stops a program waits for seconds (ours)."""

LAST_ACTS_S = 10.0
"""How long the last acts may take, on a disk that hangs too (ours)."""

_requests: list[Callable[[], object]] = []
_last_acts: list[Callable[[], object]] = []


@contextmanager
def stop_signals(
    *numbers: int, tell: Callable[[], object] = lambda: None
) -> Iterator[Callable[[], bool]]:
    """Turn signals into a flag while the block runs; outside the main thread, none arrives.

    Args:
        numbers: the signals; default `STOPPING`, so that Ctrl-C stays a KeyboardInterrupt.
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
        for number in numbers or STOPPING:
            previous[number] = signal.signal(number, handle)
    try:
        yield lambda: bool(arrived)
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


@contextmanager
def ends_in_time() -> Iterator[None]:
    """End this process where it has not ended by itself ``GRACE_S`` after a request to stop.

    For programs, in their main thread. `STOPPING` signals raise `Cancelled` in the block, unless
    `stop_signals` makes a flag of them; Ctrl-C and `asked_to_stop` are requests too.
    """
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    over = threading.Event()
    handlers = {number: signal.signal(number, _raise) for number in STOPPING}
    # The system's handler writes there, also while the main thread is in a library.
    wakeup = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    thread = threading.Thread(target=_guard, args=(reader, over), name="stop", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        signal.set_wakeup_fd(wakeup)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        writer.close()
        thread.join()
        reader.close()


@contextmanager
def asked_to_stop(asked: Callable[[], bool]) -> Iterator[None]:
    """While the block runs, something else than a signal may ask the process to stop."""
    with _listed(_requests, asked):
        yield


@contextmanager
def last_act(act: Callable[[], object]) -> Iterator[None]:
    """While the block runs, do this before the process is ended for being stuck.

    Args:
        act: called in another thread than the block's, the last one first. Its errors are dropped.
    """
    with _listed(_last_acts, act):
        yield


@contextmanager
def _listed(calls: list[Callable[[], object]], call: Callable[[], object]) -> Iterator[None]:
    calls.append(call)
    try:
        yield
    finally:
        calls.remove(call)


def _raise(number: int, frame: object) -> None:
    raise Cancelled


def _guard(reader: socket.socket, over: threading.Event) -> None:
    reader.settimeout(LOOK_S)
    while not _signalled(reader) and not any(asked() for asked in list(_requests)):
        if over.is_set():
            return
    if not over.wait(GRACE_S):
        _end()


def _signalled(reader: socket.socket) -> bool:
    with suppress(TimeoutError):
        return reader.recv(1) in [bytes([number]) for number in (*STOPPING, signal.SIGINT)]
    return False


def _end() -> None:
    acts = threading.Thread(target=_act, daemon=True)
    acts.start()
    acts.join(LAST_ACTS_S)
    if "multiprocessing" in sys.modules:
        for child in sys.modules["multiprocessing"].active_children():
            child.kill()
    with suppress(OSError):
        os.write(2, b"stopped in the middle of the work: no file is left half-written.\n")
    os._exit(EXIT_STOPPED)


def _act() -> None:
    for act in reversed(list(_last_acts)):
        with suppress(Exception):
            act()

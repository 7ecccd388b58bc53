"""One kind of work on many things, by several processes.

A pipe to each process is all that there is between them: no queue, lock, shared memory or socket
with a name, of which a host may have too little (``/dev/shm``, open files) or none at all (a folder
for temporary files whose name is long). A pipe also tells at once when the process at its other end
is gone.
"""

from __future__ import annotations

import atexit
import os
import pickle
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import Any, Generic, TypeVar

from gsema_core.errors import BrokenOffError, Cancelled, UserError
from gsema_core.stop_signals import STOPPING

Thing = TypeVar("Thing")
Result = TypeVar("Result")

SLICE_S = 0.2
"""How often whoever waits for a process looks whether to stop (ours)."""

END_S = 1.0
"""How long a process that is asked to end may take, before it is killed (ours)."""


def in_processes(
    work: Callable[[Thing], Result],
    things: Sequence[Thing],
    jobs: int,
    stop: Callable[[], bool] = bool,
) -> Iterator[Result]:
    """The results of ``work`` on each thing, in their order, as they come.

    Args:
        work: a function that can be pickled.
        things: what it is given, one by one.
        jobs: processes, each on one thread; with 1, this one does everything.
        stop: asked between two things, and while this process waits.

    Raises:
        Cancelled: ``stop`` said True.
        UserError: a process could not be started, or was ended from outside.
    """
    if jobs == 1 or len(things) < 2:
        for thing in things:
            if stop():
                raise Cancelled
            yield work(thing)
        return
    # Spawned, because ITK's thread pool does not survive a fork.
    with Crew(work, min(jobs, len(things)), "at work", "use fewer --jobs", start="spawn") as crew:
        yield from crew.results(things, stop)


class Crew(Generic[Thing, Result]):
    """Processes that do one kind of work until the block ends.

    Args:
        work: a function; where processes are not forked, one that can be pickled.
        jobs: processes, each on one thread.
        purpose: what they do, for the errors: "that read cases".
        advice: what to do where there are too many, likewise.
        start: how they are started: ``spawn``, ``fork``...; default: the system's own way.
        deaf: signals do not end them, so that whoever they work for may still end in order. Others
            clean up when they are asked to end.

    Raises:
        UserError: a process could not be started.
    """

    def __init__(
        self,
        work: Callable[[Thing], Result],
        jobs: int,
        purpose: str,
        advice: str,
        *,
        start: str | None = None,
        deaf: bool = False,
    ) -> None:
        self._purpose, self._advice = purpose, advice
        self._deaf = deaf
        self._pipes: list[Connection] = []
        self._processes: list[Any] = []
        atexit.register(self.close)  # or Python would wait for processes that are deaf
        context: Any = get_context(start)
        try:
            for _ in range(jobs):
                ours, theirs = context.Pipe()
                # What a forked process has of the others' pipes would keep those open.
                forked = context.get_start_method() == "fork"
                others = [*self._pipes, ours] if forked else []
                self._pipes.append(ours)
                arguments = (theirs, work, deaf, others)
                process = context.Process(target=_serve, args=arguments, daemon=True)
                process.start()
                theirs.close()
                self._processes.append(process)
        except OSError as error:
            self.close()
            raise UserError(
                f"The {jobs} processes {purpose} could not be started "
                f"({error.strerror or error}): {advice}."
            ) from error

    def __enter__(self) -> Crew[Thing, Result]:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @property
    def pids(self) -> list[int]:
        """The processes' numbers."""
        return [process.pid for process in self._processes]

    def close(self) -> None:
        """End the processes, whatever they do."""
        atexit.unregister(self.close)
        for pipe in self._pipes:
            pipe.close()
        for process in self._processes:
            process.kill() if self._deaf else process.terminate()
        for process in self._processes:
            process.join(END_S)
            process.kill()
            process.join()

    def results(
        self,
        things: Sequence[Thing],
        stop: Callable[[], bool] = bool,
        ahead: int | None = None,
    ) -> Iterator[Result]:
        """The results in the order of the things; an error of the work is raised here.

        Args:
            things: what to work on.
            stop: asked while this process waits.
            ahead: results that may wait for their turn; default: any number.

        Raises:
            Cancelled: ``stop`` said True.
            BrokenOffError: a process was ended from outside.
        """
        idle, given, done = list(self._pipes), 0, dict[int, Result]()
        for number in range(len(things)):
            while number not in done:
                end = len(things) if ahead is None else min(len(things), number + ahead)
                while idle and given < end:
                    self._send(idle.pop(0), given, things[given], stop)
                    given += 1
                for pipe in wait(self._pipes, SLICE_S):
                    finished, result = self._receive(pipe, stop)  # type: ignore[arg-type]
                    done[finished] = result
                    idle.append(pipe)  # type: ignore[arg-type]
                if stop():
                    raise Cancelled
            yield done.pop(number)

    def _send(self, pipe: Connection, number: int, thing: Thing, stop: Callable[[], bool]) -> None:
        try:
            # Not pipe.send, by which PyTorch moves tensors into shared memory.
            pipe.send_bytes(pickle.dumps((number, thing)))
        except OSError as error:
            raise self._ended(stop) from error

    def _receive(self, pipe: Connection, stop: Callable[[], bool]) -> tuple[int, Result]:
        try:
            content = pipe.recv_bytes()
        except (OSError, EOFError) as error:
            raise self._ended(stop) from error
        number, result, failure, told = pickle.loads(content)
        if failure is not None:
            raise failure from RuntimeError(f"in another process:\n{told}")
        return number, result

    def _ended(self, stop: Callable[[], bool]) -> Exception:
        """Of a process; whatever asked it to end may have asked this one too."""
        wait([], SLICE_S)
        if stop():
            return Cancelled()
        return BrokenOffError(
            f"One of the {len(self._processes)} processes {self._purpose} was ended from outside, "
            f"most likely because the memory did not suffice: {self._advice}."
        )


def _serve(
    pipe: Connection, work: Callable[[Any], Any], deaf: bool, others: Sequence[Connection]
) -> None:
    """What a process does: the work on one thing after the other, until nobody asks any more."""
    for other in others:
        other.close()
    signal.set_wakeup_fd(-1)  # a fork's would tell the process that it comes from
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that waits
    for number in STOPPING:
        signal.signal(number, signal.SIG_IGN if deaf else lambda *_: sys.exit())
    os.environ["ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"] = "1"
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
    with suppress(EOFError, OSError):  # whoever asked is gone
        while True:
            number, thing = pickle.loads(pipe.recv_bytes())
            pipe.send_bytes(_answer(work, number, thing))


def _answer(work: Callable[[Any], Any], number: int, thing: Any) -> bytes:
    try:
        return pickle.dumps((number, work(thing), None, ""), protocol=5)
    except Exception as error:
        told = traceback.format_exc()
        try:
            answer = pickle.dumps((number, None, error, told))
            pickle.loads(answer)
        except Exception:  # its type does not travel
            return pickle.dumps((number, None, RuntimeError(str(error)), told))
        return answer

"""What stops a run or makes it wait: signals, files in its folder, whoever called it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from gsema_core.training.run_files import PAUSE, STOP


class Control:
    """Asked between two steps; once it said stop it stays with it.

    Anyone may create the files ``pause`` (the run waits until it is gone) and ``stop`` in the
    run's folder.

    Args:
        folder: the run's output.
        asked: others that may want it to stop.
    """

    def __init__(self, folder: Path, *asked: Callable[[], bool]) -> None:
        self.folder = folder
        self.asked = asked
        self.stopped = False
        self.forget()  # a request that the run before did not live to see

    def stop_asked(self) -> bool:
        self.stopped = (
            self.stopped or any(ask() for ask in self.asked) or (self.folder / STOP).exists()
        )
        return self.stopped

    def pause_asked(self) -> bool:
        return (self.folder / PAUSE).exists()

    def forget(self) -> None:
        """Remove the request to stop, which is answered."""
        with suppress(OSError):
            (self.folder / STOP).unlink(missing_ok=True)

"""What a run shows beside its work: where it fails, that is told once and the run goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gsema_core.errors import Cancelled

Warn = Callable[[str], None]


class Beside:
    """One thing that must not end a run; after its first failure it is left alone.

    Args:
        what: it is, to begin a sentence with: "The pictures cannot be written".
        warn: gets that sentence.

    Attributes:
        works: False once it has failed.
    """

    def __init__(self, what: str, warn: Warn) -> None:
        self._what = what
        self._warn = warn
        self.works = True

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Let any error of the block end the thing and not the run."""
        try:
            yield
        except Cancelled:
            raise
        except Exception as error:
            if self.works:
                self.works = False
                self._warn(f"{self._what} ({reason(error)}); the training goes on without.")


def reason(error: BaseException) -> str:
    """Why something failed, in a few words that name no file: the status repeats them."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and seen.strerror:
            return seen.strerror
        seen = seen.__cause__
    return type(error).__name__

"""Starting something that ends with one call, and waiting for it while Slicer stays alive."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import qt

Outcome = TypeVar("Outcome")

Start = Callable[[Callable[[Outcome], None]], None]
"""Begins something; its argument is to be called once with the outcome."""


def run(start: Start[Outcome], blocking: bool, onDone: Callable[[Outcome], None]) -> Outcome | None:
    """Start something; return its outcome, or None at once where nobody waits for it.

    Args:
        start: begins it.
        blocking: whether to wait.
        onDone: called with the outcome in both cases.
    """
    if blocking:
        return waitFor(start, onDone)
    start(onDone)
    return None


def waitFor(
    start: Start[Outcome], onDone: Callable[[Outcome], None] = lambda outcome: None
) -> Outcome:
    """Start something, let Qt's events run until it ends, and return its outcome."""
    outcomes: list[Outcome] = []
    loop = qt.QEventLoop()

    def onEnd(outcome: Outcome) -> None:
        outcomes.append(outcome)
        loop.quit()
        onDone(outcome)

    start(onEnd)
    if not outcomes:
        loop.exec_()
    return outcomes[0]

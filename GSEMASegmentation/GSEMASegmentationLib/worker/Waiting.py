"""Waiting for something that ends with one call, while the application stays alive."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import qt

Outcome = TypeVar("Outcome")


def waitFor(start: Callable[[Callable[[Outcome], None]], None]) -> Outcome:
    """Start something, let Qt's events run until it ends, and return how it did.

    Args:
        start: gets the function that is to be called once with the outcome.
    """
    outcomes: list[Outcome] = []
    loop = qt.QEventLoop()

    def onDone(outcome: Outcome) -> None:
        outcomes.append(outcome)
        loop.quit()

    start(onDone)
    if not outcomes:
        loop.exec_()
    return outcomes[0]

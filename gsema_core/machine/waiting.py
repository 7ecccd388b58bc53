"""Whether work waits for cores: far longer than the processor works on it."""

from __future__ import annotations

SUSTAINED_S = 30.0
"""How long work must have taken to say so: shorter waits pass (ours)."""

FACTOR = 2.0
"""Times of its processor time that work may take. Work on free cores takes less than once, as
several threads work at a time (ours)."""


def waiting_note(what: str, count: int, wall_s: float, processor_s: float, threads: int) -> str:
    """A sentence where work on the CPU took far longer than its processor time; else empty.

    Args:
        what: was done, as the sentence begins: "A step".
        count: how often.
        wall_s: how long all of it took.
        processor_s: the processor time of all threads meanwhile (`time.process_time`).
        threads: that did it.
    """
    if wall_s < SUSTAINED_S or wall_s <= FACTOR * processor_s:
        return ""
    fewer = f", or use fewer threads than {threads} (the setting threads)" if threads > 1 else ""
    each, worked = wall_s / count, processor_s / count
    return (
        f"{what} takes {each:.2g} s, of which the processor works {worked:.2g} s: other programs "
        f"keep the cores busy. End them{fewer}."
    )


class WaitWatch:
    """Looks at one piece of work after the other, and says once that they wait.

    Args:
        what: they are: "A step".
        threads: that do them.

    Example:
        >>> watch = WaitWatch("A step", threads=2)
        >>> [watch.add(20.0, 0.5)[:16] for _ in range(3)]
        ['', 'A step takes 20 ', '']
    """

    def __init__(self, what: str, threads: int) -> None:
        self._what = what
        self._threads = threads
        self._said = False
        self._count, self._wall_s, self._processor_s = 0, 0.0, 0.0

    def add(self, wall_s: float, processor_s: float) -> str:
        """Take in a piece of work; the sentence, the first time that it is due."""
        if self._said:
            return ""
        self._count += 1
        self._wall_s += wall_s
        self._processor_s += processor_s
        sofar = self._count, self._wall_s, self._processor_s
        note = waiting_note(self._what, *sofar, self._threads)
        self._said = bool(note)
        if self._wall_s >= SUSTAINED_S:
            self._count, self._wall_s, self._processor_s = 0, 0.0, 0.0
        return note

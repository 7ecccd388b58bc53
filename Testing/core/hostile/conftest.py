"""Running the readers of outside bytes on damaged inputs, in processes that may crash or hang."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue
from typing import Any

import pytest

CHILD = Path(__file__).parent / "fuzzing" / "child.py"
START_SECONDS = 300
"""Importing PyTorch on a busy machine with a cold disk."""
INPUT_SECONDS = 60
"""One input takes milliseconds; a child that is silent this long hangs."""

Plan = tuple[str, int, int]
"""Kind of input, number of the first, and how many."""


@dataclass(frozen=True)
class Finding:
    """What became of one input.

    Attributes:
        outcome: ``result``, ``refused``, ``bad``, ``crash`` or ``hang``.
        detail: why.
        peak_mb: the most memory that the process had until then.
    """

    kind: str
    number: int
    outcome: str
    detail: str = ""
    peak_mb: int = 0

    @property
    def is_fault(self) -> bool:
        return self.outcome not in ("result", "refused")


class Child:
    """One process that goes through plans; its lines come through a queue."""

    def __init__(self, seed: int, plans: list[Plan], folder: Path) -> None:
        words = [f"{kind}:{first}:{count}" for kind, first, count in plans]
        self.errors = (folder / "errors.txt").open("w+", errors="replace")
        self.process = subprocess.Popen(
            [sys.executable, str(CHILD), str(folder), str(seed), *words],
            stdout=subprocess.PIPE,
            stderr=self.errors,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        )
        self.lines: Queue[bytes | None] = Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put(None)

    def message(self, seconds: float) -> dict[str, Any] | None:
        """The next one; None at the end.

        Raises:
            Empty: the process said nothing for so long.
        """
        line = self.lines.get(timeout=seconds)
        return None if line is None else json.loads(line)

    def close(self) -> str:
        """End it, and return what it had to say."""
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.errors.seek(0)
        said = self.errors.read()[-2000:]
        self.errors.close()
        return said


def run_child(seed: int, plans: list[Plan]) -> tuple[list[Finding], list[Plan]]:
    """Go through plans until their end or a fault that ends the process; what is left comes too."""
    findings: list[Finding] = []
    current: tuple[str, int] | None = None
    with tempfile.TemporaryDirectory() as folder:
        child = Child(seed, plans, Path(folder))
        fault = "crash"
        try:
            ready = child.message(START_SECONDS)
            assert ready is not None, child.close()
            while (message := child.message(INPUT_SECONDS)) is not None:
                if "begin" in message:
                    current = tuple(message["begin"])
                else:
                    kind, number = message["end"]
                    outcome, detail = message["outcome"], message["detail"]
                    findings.append(Finding(kind, number, outcome, detail, message["peak_mb"]))
                    current = None
        except Empty:
            fault = "hang"
        said = child.close()
    if current is None:
        return findings, []
    code = child.process.returncode
    findings.append(Finding(*current, fault, f"exit code {code} {said}"))
    return findings, left_after(plans, *current)


def left_after(plans: list[Plan], kind: str, number: int) -> list[Plan]:
    """The part of plans behind one input."""
    kinds = [one for one, _, _ in plans]
    _, first, count = plans[kinds.index(kind)]
    rest = (kind, number + 1, first + count - number - 1)
    return [*([rest] if rest[2] else []), *plans[kinds.index(kind) + 1 :]]


@pytest.fixture(scope="session")
def fuzz() -> Callable[[int, list[list[Plan]]], list[Finding]]:
    """Run groups of plans, two processes at a time; the findings of all inputs."""

    def one_group(seed: int, plans: list[Plan]) -> list[Finding]:
        findings: list[Finding] = []
        while plans:
            more, plans = run_child(seed, plans)
            findings += more
        return findings

    def run(seed: int, groups: list[list[Plan]]) -> list[Finding]:
        with ThreadPoolExecutor(2) as pool:
            results = pool.map(lambda plans: one_group(seed, plans), groups)
            return [finding for findings in results for finding in findings]

    return run

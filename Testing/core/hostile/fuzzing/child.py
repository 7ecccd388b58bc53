"""Reads damaged inputs one after the other and says what became of each: one JSON line each.

A process of its own, so that the parent sees crashes and hangs and knows whose they are:

    python Testing/core/hostile/fuzzing/child.py FOLDER SEED KIND:FIRST:COUNT ...

The first line out is ``{"ready": []}``; before an input is read, ``{"begin": [KIND, NUMBER]}``
is. ``FOLDER/case`` keeps the last input, so a count of 1 lays out one to look at.
"""

from __future__ import annotations

import json
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from targets import TARGETS, Sample, Target

from gsema_core.machine.memory import peak_memory_mb

MEMORY_BYTES = 2 * 10**9
SECONDS = 20.0
"""What one input may take; on a busy machine a good one takes less than one."""
LONGEST_MESSAGE = 1000
OUTSIDE_MARK = b"OUTSIDE!"

WRITING = 0x1 | 0x2 | 0x40 | 0x200 | 0x400
"""O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, O_APPEND on Linux."""
NEVER = (
    "os.system", "os.exec", "os.posix_spawn", "os.fork", "subprocess.Popen", "socket.connect",
    "pickle.find_class", "ctypes.dlopen", "os.chmod", "os.link", "os.symlink",
)  # fmt: skip


class Guard:
    """Watches what Python does with the world (PEP 578) while an input is read."""

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)
        self.watching = False
        self.seen: list[str] = []
        sys.addaudithook(self._hook)

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.watching:
            return
        if event in NEVER:
            self.seen.append(f"{event}{arguments!r:.200}")
        elif event == "open":
            path, flags = str(arguments[0]), arguments[2] or 0
            inside = path.startswith(self._folder) or path == "/dev/null" or path.isdigit()
            if (flags & WRITING and not inside) or "passwd" in path:
                self.seen.append(f"open {path} with flags {flags:#x}")
        elif event in ("os.remove", "os.rename", "os.mkdir", "os.rmdir", "shutil.rmtree"):
            paths = [str(one) for one in arguments if isinstance(one, (str, Path))]
            outside = [one for one in paths if not one.startswith(self._folder)]
            self.seen += [f"{event} {one}" for one in outside if one.startswith("/")]


def limit_memory() -> None:
    """Leave this process as much memory as an input may take, on top of what it has."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def lay_out(case: Path, sample: Sample) -> Path:
    shutil.rmtree(case, ignore_errors=True)
    for name, content in sample.files.items():
        path = case / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    case.mkdir(exist_ok=True)
    return case / sample.entry


def contents(folder: Path) -> dict[str, int]:
    return {str(path): path.lstat().st_size for path in sorted(folder.rglob("*"))}


def judge(read: Callable[[Path], Any], path: Path) -> tuple[str, str]:
    """Read an input: ``result``, ``refused`` and why, or ``bad`` and why."""
    from gsema_core.errors import UserError

    try:
        result = read(path)
    except UserError as error:
        return judge_message(str(error), path)
    except BaseException as error:
        return "bad", f"raised {type(error).__name__}: {error!s:.300}"
    array = getattr(result, "array", None)
    if array is not None and OUTSIDE_MARK in array.tobytes():
        return "bad", "read a file outside its folder"
    return "result", ""


def judge_message(message: str, path: Path) -> tuple[str, str]:
    for wrong, problem in (
        (not message.endswith("."), "no sentence"),
        (any(ord(letter) < 32 for letter in message), "control characters"),
        (len(message.replace(str(path.parent), "")) > LONGEST_MESSAGE, "too long"),
        ("memory" in message, "asked for too much memory"),
    ):
        if wrong:
            return "bad", f"{problem}: {message!r:.400}"
    return "refused", message


def check_samples(target: Target, folder: Path) -> None:
    """Show that the reader reads what is sound; this also imports what it needs."""
    for sample in target.samples:
        outcome = judge(target.read, lay_out(folder / "case", sample))
        assert outcome[0] == "result", (sample.entry, outcome)


def examine(target: Target, chance: Random, folder: Path, guard: Guard) -> dict[str, Any]:
    """Read one damaged input."""
    path = lay_out(folder / "case", target.damaged(chance))
    tempfile.tempdir = str(folder / "case")  # where a reader may write, and must clean up
    before = contents(folder)
    started = time.monotonic()
    guard.watching = True
    outcome, detail = judge(target.read, path)
    guard.watching = False
    seconds = time.monotonic() - started
    if guard.seen:
        outcome, detail = "bad", f"{guard.seen}"
        guard.seen.clear()
    elif contents(folder) != before:
        outcome, detail = "bad", "left other files behind"
    elif seconds > SECONDS:
        outcome, detail = "bad", f"took {seconds:.0f} s"
    peak = round(peak_memory_mb() or 0)
    return {"outcome": outcome, "detail": detail, "seconds": round(seconds, 2), "peak_mb": peak}


def main(folder: Path, seed: int, plans: list[tuple[str, int, int]]) -> None:
    folder = folder.resolve()
    targets = {kind: TARGETS[kind](folder / "samples" / kind) for kind, _, _ in plans}
    for target in targets.values():
        check_samples(target, folder)
    (folder / "outside.raw").write_bytes(OUTSIDE_MARK * 2000)
    guard = Guard(folder / "case")
    limit_memory()
    print(json.dumps({"ready": []}), flush=True)
    for kind, first, count in plans:
        for number in range(first, first + count):
            print(json.dumps({"begin": [kind, number]}), flush=True)
            answer = examine(targets[kind], Random(f"{kind} {seed} {number}"), folder, guard)
            print(json.dumps({"end": [kind, number], **answer}), flush=True)


if __name__ == "__main__":
    wanted = [argument.split(":") for argument in sys.argv[3:]]
    main(
        Path(sys.argv[1]),
        int(sys.argv[2]),
        [(kind, int(first), int(count)) for kind, first, count in wanted],
    )

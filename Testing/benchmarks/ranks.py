"""How much faster two processes train than one, each with a core of its own.

    python Testing/benchmarks/ranks.py CASES [--rounds 3] [--steps 12] [--kind cnn] [--patch 64]

CASES is a datalist or a folder. Both train as `gsema train` does, on the same global batch, taking
turns: one process on core 0, then two on cores 0 and 1, each on one thread. Prints one JSON line.
By the clock: seconds of a step, the median and the shortest, and the ratios one / two. Other
programs on these cores lengthen a step by the clock, most where two processes wait for each other.
So the same by CPU time, that of the slower process, in which exchanging gradients counts and
waiting does not. Last, the seconds of a step in which a process exchanged gradients or waited for
the other.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

FIRST_STEPS = 2
"""Which also make memory and kernels, and are left out."""

TOML = """
[data]
datalist = "{cases}"
cache = "{folder}/cache"
patch = [{patch}, {patch}, {patch}]
workers = 0
spacing_mm = 0.8
[network]
kind = "{kind}"
[run]
output = "{folder}/{count}-{number}"
steps = {steps}
batch_size = {batch}
device = "cpu"
threads = 1
validate_every = 1000000
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("cases", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--kind", default="cnn", choices=("swin_unet", "cnn"))
    parser.add_argument("--patch", type=int, default=64)
    parser.add_argument("--rank-of", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.rank_of:
        return train_here(arguments.cases, arguments.rank_of)
    with tempfile.TemporaryDirectory() as folder:
        found: dict[int, list[list[Any]]] = {1: [], 2: []}
        for number in range(arguments.rounds):
            for count in found:
                found[count].append(run(arguments, Path(folder), count, number))
    print(json.dumps(summary(arguments, found)))


def run(arguments: argparse.Namespace, folder: Path, count: int, number: int) -> list[Any]:
    """Train with some processes; what each of them measured."""
    settings = vars(arguments) | {"cases": arguments.cases.resolve()}
    text = TOML.format(**settings, folder=folder, count=count, number=number)
    (folder / "config.toml").write_text(text)
    measured = folder / f"measured-{count}-{number}"
    measured.mkdir()
    command = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(count)]
    own = [__file__, str(folder / "config.toml"), "--rank-of", str(measured)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, *command, *own], env=environment, check=True)
    return [json.loads(path.read_text()) for path in sorted(measured.iterdir())]


def train_here(config: Path, measured: Path) -> None:
    """One of the processes; leaves the clocks at the beginning of every step."""
    rank = int(os.environ["RANK"])
    os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[rank]})
    from gsema_core.training import TrainingConfig, train
    from gsema_core.training.loop import Loop

    marks: list[tuple[float, float, float]] = []
    step = Loop._step

    def timed(self: Loop, batches: Any) -> None:
        clock = self.ranks.clock.seconds
        marks.append((perf_counter(), process_time(), clock))
        step(self, batches)
        marks[-1] += (self.ranks.clock.seconds - clock,)  # type: ignore[assignment]

    Loop._step = timed  # type: ignore[method-assign]
    train(TrainingConfig.from_toml(config), lambda line: None)
    (measured / f"{rank}.json").write_text(json.dumps(marks))


def summary(arguments: argparse.Namespace, found: dict[int, list[list[Any]]]) -> dict[str, Any]:
    clock: dict[int, list[float]] = {1: [], 2: []}
    cpu: dict[int, list[float]] = {1: [], 2: []}
    exchange = []
    for count, rounds in found.items():
        for ranks in rounds:
            kept = [marks[FIRST_STEPS:] for marks in ranks]
            clock[count] += [b[0] - a[0] for a, b in pairwise(kept[0])]
            spent = [[b[1] - a[1] for a, b in pairwise(m)] for m in kept]
            cpu[count] += [max(each) for each in zip(*spent, strict=True)]
            if count == 2:  # where a log line is due, the clock begins anew within a step
                exchange += [each[3] for marks in kept for each in marks if each[3] > 0]
    by = {"clock": clock, "cpu": cpu}
    ways: dict[str, Callable[..., float]] = {"median": statistics.median, "shortest": min}
    return {
        "kind": arguments.kind,
        "patch": arguments.patch,
        "batch": arguments.batch,
        "steps": len(clock[1]),
        **{
            f"{what}_{way}_s": {n: round(of(each[n]), 3) for n in each}
            for what, each in by.items()
            for way, of in ways.items()
        },
        **{
            f"ratio_{what}_{way}": round(of(each[1]) / of(each[2]), 3)
            for what, each in by.items()
            for way, of in ways.items()
        },
        "exchange_s": {way: round(of(exchange), 3) for way, of in ways.items()},
    }


if __name__ == "__main__":
    main()

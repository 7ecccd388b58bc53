"""What threads that wait for each other cost where other programs keep the cores busy.

    python Testing/benchmarks/busy_threads.py [--load 4] [--patch 32] [--steps 5] [--rounds 2]

A GS-EMA step of a small network, each time in a process of its own: with the libraries' own way of
waiting, with the one that the programs of this package set (``gsema_core.machine.cores``), and on
one thread; beside ``--load`` programs that only count. Prints one JSON line: for each, the median
seconds and processor seconds of a step, and the ratio to the programs' way. The rounds take turns,
and the best of each counts, as what else runs on the machine comes and goes.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import statistics
import subprocess
import sys
import time

from gsema_core.machine.cores import PASSIVE, Cores

Figures = dict[str, float]


def measure(threads: int, patch: int, steps: int) -> Figures:
    """In this process: the medians of a step, after one that warms up."""
    import torch

    from gsema_core.losses import BoundaryAwareContrastiveLoss, DiceCELoss
    from gsema_core.networks import NetworkConfig, build_network
    from gsema_core.surgery import GradientRows, split_backward

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    student = build_network(NetworkConfig(kind="cnn"))
    teacher = copy.deepcopy(student).requires_grad_(False)
    source = torch.rand(1, 1, patch, patch, patch)
    labels = (source > 0.9).byte() + (source > 0.97).byte()
    streams = (source, labels), (source**2, labels)
    losses = DiceCELoss(), BoundaryAwareContrastiveLoss()
    rows = GradientRows(student.parameters())
    spent = []
    for _ in range(1 + steps):
        rows.zero_()
        started, worked = time.perf_counter(), time.process_time()
        split_backward(rows, student, teacher, *streams, *losses)
        spent.append((time.perf_counter() - started, time.process_time() - worked))
    seconds, processor = (statistics.median(column) for column in zip(*spent[1:], strict=True))
    return {"seconds": round(seconds, 4), "processor_seconds": round(processor, 4)}


def measured_apart(way: tuple[int, dict[str, str]], options: argparse.Namespace) -> Figures:
    threads, variables = way
    plain = {name: value for name, value in os.environ.items()
             if name not in (*PASSIVE, "OMP_NUM_THREADS")}  # fmt: skip
    command = [sys.executable, __file__, "--measure", str(threads)]
    command += ["--patch", str(options.patch), "--steps", str(options.steps)]
    done = subprocess.run(
        command, env={**plain, **variables}, capture_output=True, text=True, check=True
    )
    figures: Figures = json.loads(done.stdout)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--load", type=int, default=4, help="programs beside it")
    parser.add_argument("--patch", type=int, default=32)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--measure", type=int, metavar="THREADS", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.measure, options.patch, options.steps)))
        return
    threads = max(2, Cores.of_this_process().usable)
    ways = {
        "as_the_libraries_wait": (threads, {}),
        "as_programs_set_it": (threads, PASSIVE),
        "one_thread": (1, PASSIVE),
    }
    counting = [sys.executable, "-c", "while True: pass"]
    beside = [subprocess.Popen(counting) for _ in range(options.load)]
    try:
        rounds = [
            {name: measured_apart(way, options) for name, way in ways.items()}
            for _ in range(options.rounds)
        ]
    finally:
        for program in beside:
            program.kill()
    best = {name: min((each[name] for each in rounds), key=lambda f: f["seconds"]) for name in ways}
    seconds = {name: figures["seconds"] for name, figures in best.items()}
    ours = seconds["as_programs_set_it"]
    ratios = {f"{name}_to_programs": round(each / ours, 2) for name, each in seconds.items()}
    print(json.dumps({"threads": threads, "load": options.load, **best, **ratios}))


if __name__ == "__main__":
    main()

"""What a user waits for before the first result, phase by phase.

    python Testing/benchmarks/startup.py [--repeats 3]

One JSON line of medians in seconds: ``help`` is ``gsema segment --help``; ``import_*`` and
``load_teacher`` what the first of them costs in a fresh Python; ``worker_hello`` the worker's
first line, ``worker_ready`` a worker with its teacher loaded, and ``first_result`` a small
simulated scan segmented by that worker, all counted from the worker's start.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

from gsema_core.files import write_volume
from gsema_core.simulation import CENTERS, acquire, make_phantom
from gsema_core.worker.protocol import PREFIX

GSEMA = [sys.executable, "-c", "import sys; from gsema_core.cli import main; sys.exit(main())"]
PHASES = """
import json, time
started, seconds = time.perf_counter(), {}
def done(name):
    global started
    seconds[name] = time.perf_counter() - started
    started = time.perf_counter()
import numpy; done("import_numpy")
import torch; done("import_torch")
import SimpleITK; done("import_simpleitk")
import scipy.ndimage; done("import_scipy")
import monai.networks.nets; done("import_monai")
import gsema_core.inference.segmenter; done("import_gsema")
from gsema_core.teachers import find_teacher, load_teacher
load_teacher(find_teacher("default")); done("load_teacher")
print(json.dumps(seconds))
"""


def help_seconds() -> dict[str, float]:
    started = time.perf_counter()
    subprocess.run([*GSEMA, "segment", "--help"], check=True, stdout=subprocess.DEVNULL)
    return {"help": time.perf_counter() - started}


def import_seconds() -> dict[str, float]:
    command = [sys.executable, "-c", PHASES]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    values: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return values


def worker_seconds(scan: Path, output: Path) -> dict[str, float]:
    """Wait for the worker's events, each counted from its start."""
    seconds: dict[str, float] = {}
    started = time.perf_counter()
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([*GSEMA, "worker", "--preload", "default"], **pipes) as worker:
        for line in worker.stdout:
            event = json.loads(line.removeprefix(PREFIX))["event"]
            if event in ("error", "cancelled"):
                raise SystemExit(line)
            seconds.setdefault(event, time.perf_counter() - started)
            if event == "ready":
                request = {"id": 1, "command": "segment", "input": str(scan), "output": str(output)}
                worker.stdin.write(json.dumps(request) + "\n")
                worker.stdin.flush()
            if event == "result":
                worker.stdin.close()
    return {
        "worker_hello": seconds["hello"],
        "worker_ready": seconds["ready"],
        "first_result": seconds["result"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        phantom = make_phantom(seed=5, size_mm=40.0, spacing_mm=0.5)
        image, _ = acquire(phantom, CENTERS["A"], seed=5, model="light")
        write_volume(image, folder / "scan.nrrd")
        runs = [
            help_seconds()
            | import_seconds()
            | worker_seconds(folder / "scan.nrrd", folder / "labels.nrrd")
            for _ in range(arguments.repeats)
        ]
    medians = {key: round(statistics.median(run[key] for run in runs), 3) for key in runs[0]}
    machine = {"processor": platform.processor() or platform.machine(), "cores": os.cpu_count()}
    print(json.dumps({**medians, "repeats": arguments.repeats, **machine,
                      "date": date.today().isoformat()}))  # fmt: skip


if __name__ == "__main__":
    main()

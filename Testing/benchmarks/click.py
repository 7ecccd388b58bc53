"""What a click costs with the worker warm, beside one window of the network.

    python Testing/benchmarks/click.py [--teacher default] [--voxels 384] [--threads 1]

The scan is simulated, with ``--voxels`` along each axis of its 64 mm. Clicks go through a real
worker process that has prepared it, from the request to the result with the label map on the
disk. Machines are shared and noisy: windows and clicks take turns, and the one JSON line that is
printed gives the medians. ``difference_seconds`` is what a click adds to its windows; the panel
promises at most 0.3 s more than one window.
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
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
import torch

from gsema_core.inference import resolve_device
from gsema_core.inference.devices import autocast_type
from gsema_core.measurements import measure_aneurysms
from gsema_core.simulation import CENTERS, acquire, make_phantom
from gsema_core.teachers import Teacher, find_teacher, load_teacher
from gsema_core.volumes import Volume, write_volume
from gsema_core.worker.protocol import PREFIX


class Worker:
    """A worker process that answers one request after the other."""

    def __init__(self, threads: int) -> None:
        command = [sys.executable, "-m", "gsema_core.worker", "--threads", str(threads)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )
        self._next()  # hello

    def ask(self, **request: Any) -> tuple[dict[str, Any], float]:
        """The result, and the seconds that it took."""
        assert self._process.stdin is not None
        started = time.perf_counter()
        self._process.stdin.write(json.dumps({"id": 1, **request}) + "\n")
        self._process.stdin.flush()
        while (event := self._next())["event"] == "progress":
            pass
        if event["event"] != "result":
            sys.exit(f"error: {event['message']}")
        return event, time.perf_counter() - started

    def close(self) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def _next(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        event: dict[str, Any] = json.loads(self._process.stdout.readline()[len(PREFIX) :])
        return event


def simulated_scan(voxels: int) -> tuple[Volume, tuple[float, float, float]]:
    """A scan of a phantom, and the middle of its largest aneurysm in mm (LPS)."""
    image, labels = acquire(make_phantom(seed=5), CENTERS["A"], seed=5, model="light")
    source = image.to_image()
    target = sitk.Image([voxels] * 3, sitk.sitkInt16)
    target.SetDirection(source.GetDirection())
    extent = np.multiply(source.GetSize(), source.GetSpacing())
    target.SetSpacing(extent / voxels)
    corner = np.subtract(np.divide(target.GetSpacing(), source.GetSpacing()), 1) / 2
    target.SetOrigin(source.TransformContinuousIndexToPhysicalPoint(corner))
    fine = sitk.Resample(source, target, sitk.Transform(), sitk.sitkLinear, 0.0, sitk.sitkInt16)
    return Volume.from_image(fine), measure_aneurysms(labels)[0].centroid_lps


def window_seconds(teacher: Teacher, device: torch.device) -> float:
    """One forward pass, in the precision that the worker chooses."""
    patch = torch.rand(1, 1, *teacher.card.window, device=device)
    reduced = autocast_type("auto", device)
    started = time.perf_counter()
    with (
        torch.inference_mode(),
        torch.autocast(device.type, dtype=reduced, enabled=reduced is not None),
    ):
        teacher.network(patch).float().cpu()
    return time.perf_counter() - started


def measure(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    torch.set_num_threads(arguments.threads)
    device = resolve_device(arguments.device)
    teacher_file = find_teacher(arguments.teacher)
    teacher = load_teacher(teacher_file, str(device))
    volume, point = simulated_scan(arguments.voxels)
    write_volume(volume, folder / "scan.nrrd", compress=False)
    common = {"teacher": str(teacher_file), "device": str(device), "volume_key": "scan"}
    click = {
        "command": "click", "point_lps": point, "output": str(folder / "click.nrrd"), **common
    }  # fmt: skip
    worker = Worker(arguments.threads)
    prepared, prepare_seconds = worker.ask(
        command="prepare", input=str(folder / "scan.nrrd"), **common
    )
    result, first_seconds = worker.ask(**click)
    window_seconds(teacher, device)  # warms up
    windows, clicks = [], []
    for _ in range(arguments.repeats):
        windows.append(window_seconds(teacher, device))
        clicks.append(worker.ask(**click)[1])
    worker.close()
    window, warm = statistics.median(windows), statistics.median(clicks)
    return {
        "teacher": teacher.card.name,
        "window": teacher.card.window,
        "scan_voxels": volume.geometry.size,
        "scan_spacing_mm": [round(mm, 3) for mm in volume.geometry.spacing],
        "found": result["found"],
        "windows": result["windows"],
        "window_seconds": round(window, 4),
        "click_seconds": round(warm, 4),
        "difference_seconds": round(warm - window, 4),
        "first_click_seconds": round(first_seconds, 4),
        "prepare_seconds": round(prepare_seconds, 3),
        "prepare_parts": prepared["seconds"],
        "click_parts": result["report"]["seconds"],
        "device": str(device),
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "threads": arguments.threads,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--teacher", default="default")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--voxels", type=int, default=384)
    parser.add_argument("--threads", type=int, default=max(1, (os.cpu_count() or 2) - 1))
    parser.add_argument("--repeats", type=int, default=11)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measure(arguments, Path(folder))))


if __name__ == "__main__":
    main()

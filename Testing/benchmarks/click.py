"""What a click costs with the worker warm, beside one window of the network.

    python Testing/benchmarks/click.py [--teacher default] [--voxels 512] [--threads 1]

The scan is simulated, with ``--voxels`` along each axis of its 64 mm, and lies in a scene of
Slicer's own core with a segmentation of all its vessels and aneurysms. Clicks go the whole way
that they go in the panel: through the module's logic, a real worker process that has prepared the
scan, the label map on the disk, its verification, and into the segmentation with its 3D surface.
Every other click adds the aneurysm, which was removed before; the others replace the one that is
there. Machines are shared and noisy: windows and clicks take turns, and the one JSON line that is
printed gives the medians. ``added_seconds`` is what a click costs more than one window, all in;
the panel promises at most 0.3 s (``kept``). The table of measurements follows when the views have
shown the segment, in ``table_seconds``.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
import torch

from gsema_core.grids import Volume
from gsema_core.labels import ANEURYSM
from gsema_core.machine import Computing, resolve_device
from gsema_core.measurements import measure_aneurysms
from gsema_core.simulation import CENTERS, acquire, make_phantom
from gsema_core.teachers import Teacher, find_teacher, load_teacher

ROOT = Path(__file__).resolve().parents[2]
PROMISED_S = 0.3
FLIP = np.diag([-1.0, -1.0, 1.0, 1.0])  # LPS and RAS


def simulated_scan(voxels: int) -> tuple[Volume, Volume]:
    """A scan of a phantom and its labels, with this many voxels along each axis."""
    image, labels = acquire(make_phantom(seed=5), CENTERS["A"], seed=5, model="light")
    return fine(image, voxels, sitk.sitkLinear), fine(labels, voxels, sitk.sitkNearestNeighbor)


def fine(volume: Volume, voxels: int, interpolator: int) -> Volume:
    source = volume.to_image()
    target = sitk.Image([voxels] * 3, source.GetPixelID())
    target.SetDirection(source.GetDirection())
    target.SetSpacing(np.multiply(source.GetSize(), source.GetSpacing()) / voxels)
    corner = np.subtract(np.divide(target.GetSpacing(), source.GetSpacing()), 1) / 2
    target.SetOrigin(source.TransformContinuousIndexToPhysicalPoint(corner))
    return Volume.from_image(sitk.Resample(source, target, sitk.Transform(), interpolator))


def window_seconds(teacher: Teacher, device: torch.device) -> float:
    """One forward pass, in the precision that the worker chooses."""
    patch = torch.rand(1, 1, *teacher.card.window, device=device)
    started = time.perf_counter()
    with torch.inference_mode(), Computing.of(device).autocast():
        teacher.network(patch).float().cpu()
    return time.perf_counter() - started


class Panel:
    """The module's logic with the scan and a large segmentation in a scene."""

    def __init__(self, scan: Volume, labels: Volume, teacher: str, device: str, threads: int):
        import slicer
        import slicer.util
        from slicer_harness.loader import load_module

        module = load_module(ROOT / "GSEMASegmentation" / "GSEMASegmentation.py")
        command = [sys.executable, "-m", "gsema_core.worker", "--threads", str(threads)]
        self.logic = module.GSEMASegmentationLogic(workerCommand=command)
        geometry = scan.geometry
        columns = geometry.index_to_world(np.eye(3)) - geometry.index_to_world((0, 0, 0))
        matrix = np.eye(4)
        matrix[:3, :3], matrix[:3, 3] = columns.T, geometry.index_to_world((0, 0, 0))
        self.volume = slicer.util.addVolumeFromArray(scan.array, FLIP @ matrix, name="scan")
        contents = module.segmentsOf(labels.array)
        self.output = module.importSegments(contents, self.volume, None)
        self.aneurysm = contents[1].segmentId
        (middle,) = [one.centroid_lps for one in measure_aneurysms(labels) if one.index == 1]
        self.ras = (FLIP @ [*middle, 1.0])[:3]
        self.choice = {"teacher": teacher, "device": device}

    def prepare(self) -> float:
        import qt

        started, loop = time.perf_counter(), qt.QEventLoop()
        self.logic.prepareClicks(self.volume, **self.choice, onDone=lambda _: loop.quit())
        loop.exec_()
        return time.perf_counter() - started

    def click(self) -> tuple[Any, float, float]:
        """What it gave, the seconds it took, and those of the table after it."""
        started = time.perf_counter()
        outcome = self.logic.segmentAtPoint(self.volume, self.ras, self.output, **self.choice)
        clicked = time.perf_counter()
        if not outcome.isFound:
            sys.exit(f"error: {outcome.message}")
        self.logic.measure(self.output, onlyChanged=True)
        return outcome, clicked - started, time.perf_counter() - clicked


def take_turns(
    panel: Panel, window: Callable[[], float], repeats: int
) -> tuple[list[float], dict[str, list[float]], list[float], dict[str, float]]:
    """Seconds of windows, of clicks by their kind, of tables; and the parts of the last click."""
    window()  # warms up
    windows: list[float] = []
    clicks: dict[str, list[float]] = {"added": [], "replaced": []}
    tables: list[float] = []
    for number in range(2 * repeats):
        windows.append(window())
        kind = "replaced" if number % 2 else "added"
        if kind == "added":
            panel.output.GetSegmentation().RemoveSegment(panel.aneurysm)
        outcome, seconds, table = panel.click()
        assert outcome.isRefreshed == (kind == "replaced")
        clicks[kind].append(seconds)
        tables.append(table)
    return windows, clicks, tables, outcome.report["seconds"]


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    torch.set_num_threads(arguments.threads)
    device = resolve_device(arguments.device)
    path = find_teacher(arguments.teacher)
    teacher = load_teacher(path, str(device))
    scan, labels = simulated_scan(arguments.voxels)
    panel = Panel(scan, labels, str(path), str(device), arguments.threads)
    prepare_seconds = panel.prepare()
    panel.logic.measure(panel.output)
    _outcome, first_seconds, _table = panel.click()
    windows, clicks, tables, parts = take_turns(
        panel, lambda: window_seconds(teacher, device), arguments.repeats
    )
    panel.logic.stop()
    window = statistics.median(windows)
    medians = {kind: statistics.median(seconds) for kind, seconds in clicks.items()}
    added = max(medians.values()) - window
    return {
        "teacher": teacher.card.name,
        "window": teacher.card.window,
        "scan_voxels": scan.geometry.size,
        "scan_spacing_mm": [round(mm, 3) for mm in scan.geometry.spacing],
        "aneurysm_voxels": int((labels.array == ANEURYSM).sum()),
        "window_seconds": round(window, 4),
        "click_seconds": {kind: round(median, 4) for kind, median in medians.items()},
        "added_seconds": round(added, 4),
        "promised_seconds": PROMISED_S,
        "kept": added <= PROMISED_S,
        "table_seconds": round(statistics.median(tables), 4),
        "first_click_seconds": round(first_seconds, 4),
        "prepare_seconds": round(prepare_seconds, 3),
        "click_parts": parts,
        "device": str(device),
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "threads": arguments.threads,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--teacher", default="default")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--voxels", type=int, default=512)
    parser.add_argument("--threads", type=int, default=max(1, (os.cpu_count() or 2) - 1))
    parser.add_argument("--repeats", type=int, default=7, help="clicks of each kind")
    arguments = parser.parse_args()
    # Only for this import: the package slicer adopts every folder of its name on the path.
    sys.path.insert(0, str(ROOT / "Testing"))
    import slicer_harness

    sys.path.remove(str(ROOT / "Testing"))
    missing = slicer_harness.missing_libraries()
    if missing:
        sys.exit(f"error: {', '.join(missing)} cannot be loaded: {slicer_harness.INSTALL_COMMAND}")
    slicer_harness.boot()
    print(json.dumps(measure(arguments)))


if __name__ == "__main__":
    main()

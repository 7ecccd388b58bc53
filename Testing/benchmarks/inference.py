"""What the sliding window costs beside MONAI's, with the same network, windows and weights.

    python Testing/benchmarks/inference.py [--voxels 256 | --scan FILE] [--repeats 3] [--threads 1]

Each way runs in a process of its own, and the ways take turns. From the scan on the working grid
to class probabilities: ours leaves windows out and chooses its precision as it does by default;
``monai`` is ``sliding_window_inference`` as one calls it, in float32; ``monai_same_precision`` runs
under our autocast. One JSON line for each of the two: medians, and the ratios of ours to it.
``memory_ratio`` compares what a process takes above the loaded network and scan. Dice is between
the two label maps on the working grid, null where neither has the label.

A simulated scan has ``--voxels`` along each axis at ``--spacing`` mm.
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
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from gsema_core.inference.devices import autocast_type
from gsema_core.inference.prepared import prepare_scan
from gsema_core.inference.profile import peak_memory_mb
from gsema_core.inference.sliding_window import pad_to_window, predict_windows
from gsema_core.inference.windows import choose_windows
from gsema_core.labels import NAMES
from gsema_core.simulation import CENTERS, acquire, make_phantom
from gsema_core.teachers import Teacher, find_teacher, load_teacher, read_card
from gsema_core.volumes import Volume, read_volume

CPU = torch.device("cpu")
RIVALS = ("monai", "monai_same_precision")
Floats = npt.NDArray[np.float32]


def ours(teacher: Teacher, image: Floats) -> tuple[Any, dict[str, Any]]:
    window = teacher.card.window
    padded, _ = pad_to_window(torch.from_numpy(image), window)
    choice = choose_windows(padded.numpy(), window, 0.5)
    return predict_windows(
        teacher.network, image, window, windows=choice.starts
    ), choice.to_dict()  # fmt: skip


def monai(teacher: Teacher, image: Floats, *, precision: str) -> tuple[Any, dict[str, Any]]:
    from monai.inferers import sliding_window_inference

    reduced = autocast_type(precision, CPU)
    with torch.inference_mode(), torch.autocast("cpu", reduced, enabled=reduced is not None):

        def probabilities(patch: Tensor) -> Tensor:
            return torch.softmax(teacher.network(patch).float(), dim=1)

        volume = torch.from_numpy(image)[None, None]
        found = sliding_window_inference(
            volume, teacher.card.window, 1, probabilities, overlap=0.5, mode="gaussian"
        )
    return found[0].numpy(), {}


def resident_mb() -> float:
    """Main memory that this process has now; where the system does not tell, the most so far."""
    pages = Path("/proc/self/statm")
    if not pages.is_file():
        return peak_memory_mb() or 0.0
    return int(pages.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def run_one(arguments: argparse.Namespace) -> None:
    """The child process: one way, once; prints one JSON line."""
    torch.set_num_threads(arguments.threads)
    teacher = load_teacher(find_teacher(arguments.teacher))
    image = np.load(arguments.folder / "working.npy")
    ways: dict[str, Callable[[Teacher, Floats], tuple[Any, dict[str, Any]]]] = {
        "ours": ours,
        "monai": lambda t, i: monai(t, i, precision="fp32"),
        "monai_same_precision": lambda t, i: monai(t, i, precision="auto"),
    }
    way = ways[arguments.way]
    way(teacher, np.zeros(teacher.card.window, dtype=np.float32))  # warms up
    before = resident_mb()
    started = time.perf_counter()
    probabilities, windows = way(teacher, image)
    seconds = time.perf_counter() - started
    memory = (peak_memory_mb() or 0.0) - before
    np.save(arguments.folder / f"{arguments.way}.npy", probabilities.argmax(axis=0).astype("u1"))
    print(json.dumps({"seconds": seconds, "memory_mb": memory, "windows": windows}))


def child(arguments: argparse.Namespace, way: str, folder: Path) -> dict[str, Any]:
    command = [sys.executable, __file__, "--way", way, "--folder", str(folder)]
    command += ["--teacher", arguments.teacher, "--threads", str(arguments.threads)]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    result: dict[str, Any] = json.loads(output.splitlines()[-1])
    return result


def scan_of(arguments: argparse.Namespace) -> tuple[str, Volume]:
    if arguments.scan is not None:
        return arguments.scan.name, read_volume(arguments.scan)
    size_mm = arguments.voxels * arguments.spacing
    phantom = make_phantom(seed=5, size_mm=size_mm, spacing_mm=arguments.spacing)
    protocol = replace(CENTERS[arguments.center], spacing_mm=arguments.spacing)
    image, _ = acquire(phantom, protocol, seed=5, model="light")
    return f"simulated_{arguments.center}_{arguments.voxels}", image


def dice(one: npt.NDArray[np.uint8], other: npt.NDArray[np.uint8], label: int) -> float | None:
    both = int(((one == label) & (other == label)).sum())
    total = int((one == label).sum()) + int((other == label).sum())
    return round(2 * both / total, 5) if total else None


def compare(arguments: argparse.Namespace, folder: Path) -> None:
    name, volume = scan_of(arguments)
    working = prepare_scan(volume, read_card(find_teacher(arguments.teacher))).working.array
    np.save(folder / "working.npy", working)
    ways = ("ours", *arguments.against)
    runs: dict[str, list[dict[str, Any]]] = {way: [] for way in ways}
    for turn in range(arguments.repeats):
        for way in ways if turn % 2 == 0 else reversed(ways):
            runs[way].append(child(arguments, way, folder))
    median = {
        way: {key: statistics.median(one[key] for one in done) for key in ("seconds", "memory_mb")}
        for way, done in runs.items()
    }
    found = {way: np.load(folder / f"{way}.npy") for way in ways}
    for rival in arguments.against:
        mine, theirs = median["ours"], median[rival]
        values = {
            "scan": name,
            "voxels": volume.geometry.size,
            "working_voxels": working.shape[::-1],
            "against": rival,
            "time_ratio": round(mine["seconds"] / theirs["seconds"], 3),
            "memory_ratio": round(mine["memory_mb"] / max(theirs["memory_mb"], 0.1), 3),
            **{
                f"dice_{text.lower()}": dice(found["ours"], found[rival], label)
                for label, text in NAMES.items()
            },
            "skipped_share": runs["ours"][0]["windows"]["skipped_share"],
            "seconds": round(mine["seconds"], 3),
            "their_seconds": round(theirs["seconds"], 3),
            "memory_mb": round(mine["memory_mb"], 1),
            "their_memory_mb": round(theirs["memory_mb"], 1),
            "teacher": read_card(find_teacher(arguments.teacher)).name,
            "precision": str(autocast_type("auto", CPU) or torch.float32),
            "repeats": arguments.repeats,
            "threads": arguments.threads,
            "processor": platform.processor() or platform.machine(),
            "cores": os.cpu_count(),
        }
        print(json.dumps(values), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scan", type=Path, help="a scan's file instead of a simulated one")
    parser.add_argument("--voxels", type=int, default=256)
    parser.add_argument("--spacing", type=float, default=0.3)
    parser.add_argument("--center", choices=sorted(CENTERS), default="A")
    parser.add_argument("--teacher", default="default")
    parser.add_argument("--against", nargs="+", choices=RIVALS, default=list(RIVALS))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=max(1, (os.cpu_count() or 2) - 1))
    parser.add_argument("--way", choices=("ours", *RIVALS), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.way is not None:
        run_one(arguments)
        return
    torch.set_num_threads(arguments.threads)
    with tempfile.TemporaryDirectory() as folder:
        compare(arguments, Path(folder))


if __name__ == "__main__":
    main()

"""Our inference beside MONAI's sliding window and nnU-Net's predictor.

    python Testing/benchmarks/inference.py [--voxels 256 | --scan FILE] [--against monai ...]

Each way runs in a process of its own, the ways take turns, and memory is what a process takes at
its peak above the loaded program and scan (``peak.py``). One JSON line for each rival, with
medians and the ratios of ours to it:

``monai``: ``sliding_window_inference`` as one calls it, in float32, with our network, weights,
windows, overlap and Gaussian weights; from the scan on the working grid to labels there.
``monai_same_precision``: likewise under our autocast. Both are compared with our windows alone.
``nnunet``: nnU-Net's predictor with an untrained network of its default 3D plan at our working
spacing (``rival_nnunet.py``), from the scan to labels on its own grid.
``nnunet_1.5mm``, ``nnunet_3mm``: likewise at the spacings of TotalSegmentator's default and fast
models, which are networks of that kind. These three are compared with our whole run, and need
nnunetv2: give the Python that has it with ``--nnunet-python``.

Dice is between the two label maps, null where neither has the label or the rival is untrained.
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
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk
import torch
from peak import measured
from scans import add_scan_arguments, scan_of
from torch import Tensor

from gsema_core.grids import Geometry, Volume
from gsema_core.inference.preparing import prepare_scan
from gsema_core.inference.segmenter import Segmenter
from gsema_core.inference.shares import FULL
from gsema_core.inference.windows.sliding_window import blend_windows, softmax
from gsema_core.inference.windows.window_plan import plan_windows
from gsema_core.labels import NAMES
from gsema_core.machine import Computing
from gsema_core.teachers import Teacher, find_teacher, load_teacher, read_card

MONAI = ("monai", "monai_same_precision")
MEASURED = ("seconds", "memory_mb")
NNUNET = {"nnunet": 0.0, "nnunet_1.5mm": 1.5, "nnunet_3mm": 3.0}
Floats = npt.NDArray[np.float32]
Labels = npt.NDArray[np.uint8]


def ours(teacher: Teacher, image: Floats, skip: bool = True) -> tuple[Labels, dict[str, Any]]:
    """Our windows, from the working grid to the likeliest class there."""
    plan, padded = plan_windows(image, teacher.card.window, 0.5, skip=skip)
    computing = Computing.of("cpu")
    vessel, aneurysm = blend_windows(
        lambda patches: softmax(teacher.network, patches, computing),
        padded,
        plan,
        sixteen_bits=True,
    )
    labels = np.zeros(image.shape, dtype=np.uint8)
    for k in range(len(labels)):
        one, two = vessel[k].astype(np.int32), aneurysm[k].astype(np.int32)
        labels[k] = np.stack([FULL - one - two, one, two]).argmax(axis=0)
    return labels, plan.to_dict()


def monai(teacher: Teacher, image: Floats, precision: str) -> tuple[Labels, dict[str, Any]]:
    from monai.inferers import sliding_window_inference

    with torch.inference_mode(), Computing.of("cpu", precision).autocast():

        def probabilities(patch: Tensor) -> Tensor:
            return torch.softmax(teacher.network(patch).float(), dim=1)

        volume = torch.from_numpy(image)[None, None]
        found = sliding_window_inference(
            volume, teacher.card.window, 1, probabilities, overlap=0.5, mode="gaussian"
        )
    return found[0].argmax(dim=0).to(torch.uint8).numpy(), {}


def ours_whole(teacher: Teacher, folder: Path) -> tuple[Labels, dict[str, Any]]:
    """Our whole run, from the scan to labels on its grid."""
    values = json.loads((folder / "scan.json").read_text())
    geometry = Geometry(*(tuple(values[key]) for key in ("size", "spacing", "origin", "direction")))
    result = Segmenter(teacher, "cpu").segment(Volume(np.load(folder / "scan.npy"), geometry))
    return result.labels.array, result.report["windows"]


def run_one(arguments: argparse.Namespace) -> None:
    """The child process: one way, once; prints one JSON line."""
    torch.set_num_threads(arguments.threads)
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(arguments.threads)
    folder, way = arguments.folder, arguments.way
    teacher = load_teacher(find_teacher(arguments.teacher))
    image = np.load(folder / "working.npy")
    precision = "fp32" if way == "monai" else "auto"
    warm_up = torch.zeros(1, 1, *teacher.card.window)
    softmax(teacher.network, warm_up, Computing.of("cpu", precision))
    with measured() as values:
        if way == "ours_whole":
            labels, windows = ours_whole(teacher, folder)
        else:
            labels, windows = (
                ours(teacher, image, not arguments.no_skip)
                if way == "ours"
                else monai(teacher, image, precision)
            )
    np.save(folder / f"{way}.npy", labels)
    print(json.dumps({**values, "windows": windows}))


def child(arguments: argparse.Namespace, way: str, folder: Path, spacing_mm: float) -> Any:
    here, threads = Path(__file__), ["--threads", str(arguments.threads)]
    if way in NNUNET:
        spacing = str(NNUNET[way] or spacing_mm)
        script = str(here.with_name("rival_nnunet.py"))
        command = [arguments.nnunet_python, script, str(folder), "--spacing", spacing, *threads]
    else:
        command = [sys.executable, str(here), "--way", way, "--folder", str(folder), *threads]
        command += ["--teacher", arguments.teacher, *["--no-skip"] * arguments.no_skip]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def dice(one: Labels, other: Labels, label: int) -> float | None:
    both = int(((one == label) & (other == label)).sum())
    total = int((one == label).sum()) + int((other == label).sum())
    return round(2 * both / total, 5) if total else None


def save_scan(volume: Volume, folder: Path) -> None:
    geometry = volume.geometry
    np.save(folder / "scan.npy", volume.array)
    values = {key: getattr(geometry, key) for key in ("size", "spacing", "origin", "direction")}
    values["spacing_kji"] = geometry.spacing[::-1]
    (folder / "scan.json").write_text(json.dumps(values))


def compare(arguments: argparse.Namespace, folder: Path) -> None:
    name, volume = scan_of(arguments)
    card = read_card(find_teacher(arguments.teacher))
    save_scan(volume, folder)
    working = prepare_scan(volume, card).working.array
    np.save(folder / "working.npy", working)
    partners = {rival: "ours" if rival in MONAI else "ours_whole" for rival in arguments.against}
    ways = [*dict.fromkeys(partners.values()), *arguments.against]
    runs: dict[str, list[dict[str, Any]]] = {way: [] for way in ways}
    for turn in range(arguments.repeats):
        for way in ways if turn % 2 == 0 else reversed(ways):
            runs[way].append(child(arguments, way, folder, card.spacing_mm))
    for rival, partner in partners.items():
        mine, theirs = (
            {key: statistics.median(run[key] for run in runs[way]) for key in MEASURED}
            for way in (partner, rival)
        )
        scores = dict.fromkeys((f"dice_{text.lower()}" for text in NAMES.values()), None)
        if rival in MONAI:
            found = [np.load(folder / f"{way}.npy") for way in (partner, rival)]
            scores = {f"dice_{text.lower()}": dice(*found, label) for label, text in NAMES.items()}
        line = {
            "scan": name,
            "voxels": volume.geometry.size,
            "working_voxels": working.shape[::-1],
            "against": rival,
            "time_ratio": round(mine["seconds"] / theirs["seconds"], 3),
            "memory_ratio": round(mine["memory_mb"] / theirs["memory_mb"], 3),
            **scores,
            "skipped_share": runs[partner][0]["windows"]["skipped_share"],
            "seconds": mine["seconds"],
            "their_seconds": theirs["seconds"],
            "memory_mb": mine["memory_mb"],
            "their_memory_mb": theirs["memory_mb"],
            "teacher": card.name,
            "precision": Computing.of("cpu").precision,
            "repeats": arguments.repeats,
            "threads": arguments.threads,
            "processor": platform.processor() or platform.machine(),
            "cores": os.cpu_count(),
            "date": date.today().isoformat(),
        }
        print(json.dumps(line), flush=True)


def has_nnunet(python: str) -> bool:
    return subprocess.run([python, "-c", "import nnunetv2"], capture_output=True).returncode == 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_scan_arguments(parser)
    parser.add_argument("--teacher", default="default")
    parser.add_argument("--against", nargs="+", choices=(*MONAI, *NNUNET), default=list(MONAI))
    parser.add_argument("--nnunet-python", default=sys.executable, help="which has nnunetv2")
    parser.add_argument("--no-skip", action="store_true", help="our windows: all of them")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=max(1, (os.cpu_count() or 2) - 1))
    parser.add_argument("--way", choices=("ours", "ours_whole", *MONAI), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.way is not None:
        run_one(arguments)
        return
    if set(arguments.against) & set(NNUNET) and not has_nnunet(arguments.nnunet_python):
        parser.error("nnunetv2 is not installed there: pip install nnunetv2, or leave it out.")
    torch.set_num_threads(arguments.threads)
    with tempfile.TemporaryDirectory() as folder:
        compare(arguments, Path(folder))


if __name__ == "__main__":
    main()

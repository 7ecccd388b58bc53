"""How a whole run's time and memory grow with the scan.

    python Testing/benchmarks/whole_scan.py [--scan FILE | --voxels 512 --spacing 0.25] [--crop N]

One JSON line: seconds by phase, the memory at the peak above the loaded program and scan, what
``inference.memory_estimate`` had said of it, the share of windows that were left out and that of
voxels that became vessel or aneurysm. ``--crop`` takes the middle of the scan, so that one
scan shows how the cost grows with the volume; ``--blank 0.5`` darkens half of its planes, so
that it shows how the cost grows with the vessels.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
from datetime import date

import numpy as np
import SimpleITK as sitk
import torch
from peak import measured
from scans import add_scan_arguments, scan_of

from gsema_core.grids import Geometry, Volume, working_geometry
from gsema_core.inference import SegmentationSettings, Segmenter
from gsema_core.inference.memory_estimate import PROGRAM_BYTES, estimate
from gsema_core.teachers import find_teacher, load_teacher


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_scan_arguments(parser)
    parser.add_argument("--blank", type=float, default=0.0, help="share of planes without vessels")
    parser.add_argument("--no-walls", action="store_true", help="by the teacher alone")
    parser.add_argument("--teacher", default="default")
    parser.add_argument("--threads", type=int, default=max(1, (os.cpu_count() or 2) - 1))
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(arguments.threads)
    name, volume = scan_of(arguments)
    volume = blanked(volume, arguments.blank)
    teacher = load_teacher(find_teacher(arguments.teacher))
    segmenter = Segmenter(teacher, "cpu")
    settings = SegmentationSettings(walls_by_scan=not arguments.no_walls)
    window, grid = (
        teacher.card.window,
        Geometry(teacher.card.window, (teacher.card.spacing_mm,) * 3),
    )
    segmenter.segment(Volume(np.zeros(window, dtype=np.int16), grid))  # warms up
    with measured() as values:
        result = segmenter.segment(volume, settings)
    working = working_geometry(volume.geometry, teacher.card.spacing_mm)
    expected = estimate(volume.geometry, working, window, scan_bytes_a_voxel=0) - PROGRAM_BYTES
    line = {
        "scan": name,
        "blank": arguments.blank,
        "walls": not arguments.no_walls,
        "voxels": volume.geometry.size,
        "working_voxels": working.size,
        **values,
        "estimated_mb": round(expected / 2**20, 1),
        "phases": result.report["seconds"],
        "windows": result.report["windows"],
        "labeled_share": round(float((result.labels.array > 0).mean()), 5),
        "teacher": teacher.card.name,
        "threads": arguments.threads,
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "date": date.today().isoformat(),
    }
    print(json.dumps(line))


def blanked(volume: Volume, share: float) -> Volume:
    """The scan as dark as its darkest hundredth in the first ``share`` of its planes."""
    array = volume.array.copy()
    array[: round(share * len(array))] = np.percentile(array[::16], 1)
    return Volume(array, volume.geometry)


if __name__ == "__main__":
    main()

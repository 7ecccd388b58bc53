"""Whether the quick look for vessels loses any, and how many windows it saves.

    python Testing/benchmarks/bright.py CASES [--window-mm 16 40]

CASES is a datalist or a folder of labeled scans, as ``gsema train`` takes. One JSON line for each
center and window: the share of windows that are left out, how many labeled voxels of the working
grid no window saw, and the least and the largest share of bright spots in a scan.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gsema_core.datasets import find_cases
from gsema_core.files import read_labels, read_volume
from gsema_core.grids import labels_to_working
from gsema_core.grids.boxes import box_of
from gsema_core.inference.windows.skipping import bright_spots
from gsema_core.inference.windows.window_plan import plan_windows
from gsema_core.intensities import IntensityRule
from gsema_core.intensities.prepared_scan import prepare
from gsema_core.labels import BACKGROUND


def look(
    image: NDArray[np.float32], vessels: NDArray[np.bool_], width: int
) -> dict[str, int | float]:
    window = (width,) * 3
    choice, _ = plan_windows(image, window, 0.5, skip=True)
    seen = np.zeros(image.shape, dtype=bool)
    for start in choice.starts:
        seen[box_of(start, window)] = True
    return {
        "windows": choice.total,
        "run": len(choice.starts),
        "unseen": int((vessels & ~seen).sum()),
        "share": float(bright_spots(image).mean()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", type=Path)
    parser.add_argument("--spacing", type=float, default=0.5, help="of the working grid, mm")
    parser.add_argument("--window-mm", type=float, nargs="+", default=[16.0, 40.0])
    parser.add_argument("--every", type=int, default=1, help="take only every n-th case")
    arguments = parser.parse_args()
    found: dict[tuple[str, float], list[dict[str, Any]]] = defaultdict(list)
    for case in find_cases(arguments.cases)[:: arguments.every]:
        image = prepare(read_volume(case.image), arguments.spacing, IntensityRule()).working.array
        labels = labels_to_working(read_labels(case.label), arguments.spacing)
        for window_mm in arguments.window_mm:
            width = round(window_mm / arguments.spacing)
            values = look(image, labels.array != BACKGROUND, width)
            found[str(case.center), window_mm].append(values)
    for (center, window_mm), values in sorted(found.items()):
        total = sum(one["windows"] for one in values)
        line = {
            "center": center,
            "scans": len(values),
            "window_mm": window_mm,
            "skipped_share": round(1 - sum(one["run"] for one in values) / total, 3),
            "unseen_voxels": sum(one["unseen"] for one in values),
            "bright_share": [round(f(one["share"] for one in values), 4) for f in (min, max)],
            "date": date.today().isoformat(),
        }
        print(json.dumps(line))


if __name__ == "__main__":
    main()

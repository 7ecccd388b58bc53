"""What walls drawn by the scan are worth, and how much their constants matter.

    python Testing/benchmarks/walls.py default cases/datalist.json --use validation

Every row changes one constant of ``gsema_core.inference.deciding.walls``; the windows run once a
case. Prints a Markdown table of the mean Dice of aneurysms and vessels. All images are simulated.
"""

from __future__ import annotations

from typing import Any
from unittest import mock

import numpy as np
from labeled import teacher_and_cases

from gsema_core.datasets.case_files import read_case
from gsema_core.evaluation import case_metrics
from gsema_core.grids import Volume
from gsema_core.inference import SegmentationSettings, Segmenter
from gsema_core.inference.deciding import original_grid, walls
from gsema_core.inference.monitor import Monitor
from gsema_core.labels import ANEURYSM, VESSEL
from gsema_core.text_tables import markdown_table

OTHERS = {
    "LEVEL": (0.3, 0.35, 0.45, 0.5),
    "COMMON": (0.0, 0.15, 0.5, 1.0),
    "NEIGHBORHOOD_MM": (0.7, 1.5),
    "TRUST": (1.0, 2.0, 6.0),
    "UNSURE": (0.01, 0.3),
    "BRIGHTEST": (0.8, 0.9),
    "LEAST_CONTRAST": (0.02, 0.2),
}
ROWS: list[tuple[str, dict[str, float], bool]] = [
    ("by the teacher alone", {}, False),
    ("by the scan", {}, True),
    *(
        (f"{name} {value:g} (instead of {getattr(walls, name):g})", {name: value}, True)
        for name, values in OTHERS.items()
        for value in values
    ),
]


def main() -> None:
    segmenter, cases = teacher_and_cases(__doc__)
    scores: dict[str, list[tuple[float, float]]] = {name: [] for name, _, _ in ROWS}
    for case in cases:
        scan, reference = read_case(case)
        for name, labels in drawn(segmenter, scan):
            scores[name].append(
                tuple(
                    case_metrics(labels.array, reference.array, label, scan.geometry)["dice"]
                    for label in (ANEURYSM, VESSEL)
                )
            )
    table: list[dict[str, Any]] = []
    for name, values in scores.items():
        aneurysm, vessel = np.nanmean(values, axis=0)
        table.append(
            {
                "walls": name,
                "cases": len(values),
                "aneurysm Dice": round(float(aneurysm), 4),
                "vessel Dice": round(float(vessel), 4),
            }
        )
    print(markdown_table(table))


def drawn(segmenter: Segmenter, scan: Volume) -> list[tuple[str, Volume]]:
    """The labels of every row, from the same windows, which take nearly all the time."""
    prepared, settings = segmenter.prepare(scan), SegmentationSettings()
    image = prepared.working.array
    starts = segmenter._choose(image, settings).starts
    foreground = segmenter._predict(image, settings, Monitor(), starts, sixteen_bits=True)
    result = []
    for name, constants, by_scan in ROWS:
        chosen = SegmentationSettings(walls_by_scan=by_scan)
        with (
            mock.patch.dict(walls.__dict__, constants),
            mock.patch.dict(
                original_grid.__dict__, {"UNSURE": constants.get("UNSURE", walls.UNSURE)}
            ),
        ):
            labels, _ = segmenter._restore(foreground.copy(), prepared, chosen, Monitor())
        result.append((name, labels))
    return result


if __name__ == "__main__":
    main()

"""Where a teacher loses its Dice: aneurysm and vessel, or either and background.

    python Testing/benchmarks/mistakes.py default cases/datalist.json --use training --every 7

Prints a Markdown table, a row for all cases and for every center: the mean aneurysm Dice, what of
the aneurysms was called vessel or background and what of these was called aneurysm, all as shares
of the true aneurysms' volume, and the Dice of aneurysm and vessel taken together (the lumen).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from labeled import teacher_and_cases

from gsema_core.datasets import Case
from gsema_core.datasets.case_files import read_case
from gsema_core.inference import Segmenter
from gsema_core.labels import ANEURYSM, BACKGROUND, VESSEL
from gsema_core.text_tables import markdown_table


def main() -> None:
    segmenter, cases = teacher_and_cases(__doc__)
    rows = [(case.center, row) for case in cases if (row := mistakes(segmenter, case))]
    print(markdown_table(tables(rows)))


def mistakes(segmenter: Segmenter, case: Case) -> dict[str, float] | None:
    """What went wrong in one case; None where it has no aneurysm."""
    scan, reference = read_case(case)
    found, true = segmenter.segment(scan).labels.array, reference.array
    volume = int((true == ANEURYSM).sum())
    if not volume:
        return None
    return {
        "aneurysm Dice": dice(found == ANEURYSM, true == ANEURYSM),
        "called vessel": ((true == ANEURYSM) & (found == VESSEL)).sum() / volume,
        "called background": ((true == ANEURYSM) & (found == BACKGROUND)).sum() / volume,
        "vessel called aneurysm": ((true == VESSEL) & (found == ANEURYSM)).sum() / volume,
        "background called aneurysm": ((true == BACKGROUND) & (found == ANEURYSM)).sum() / volume,
        "lumen Dice": dice(found != BACKGROUND, true != BACKGROUND),
    }


def dice(found: np.ndarray, true: np.ndarray) -> float:
    return float(2 * (found & true).sum() / (found.sum() + true.sum()))


def tables(rows: list[tuple[str, dict[str, float]]]) -> list[dict[str, Any]]:
    groups = {"all": [row for _, row in rows]}
    for center in sorted({center for center, _ in rows}):
        groups[center] = [row for own, row in rows if own == center]
    return [
        {
            "scans": name,
            "cases": len(some),
            **{key: float(np.mean([row[key] for row in some])) for key in some[0]},
        }
        for name, some in groups.items()
    ]


if __name__ == "__main__":
    main()

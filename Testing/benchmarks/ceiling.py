"""What a perfect teacher would score at a working spacing: references there and back.

    python Testing/benchmarks/ceiling.py cases/datalist.json --use validation

Every reference is brought to the working grid, as for training, and back to its scan's grid, as a
prediction is. Prints a Markdown table of the mean Dice that is left for vessels and aneurysms.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from gsema_core.datasets import choose_cases, find_cases
from gsema_core.datasets.case_files import read_case
from gsema_core.evaluation import case_metrics
from gsema_core.grids import Volume, labels_to_working
from gsema_core.inference.deciding.original_grid import probabilities_to_labels
from gsema_core.labels import ANEURYSM, VESSEL
from gsema_core.text_tables import markdown_table

SPACINGS_MM = (0.3, 0.4, 0.5, 0.65, 0.8)


def there_and_back(reference: Volume, spacing_mm: float) -> Volume:
    working = labels_to_working(reference, spacing_mm)
    shares = np.stack([working.array == label for label in (VESSEL, ANEURYSM)])
    return probabilities_to_labels(shares.astype(np.float32), working.geometry, reference.geometry)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("datalist", type=Path)
    parser.add_argument("--use", default="validation")
    arguments = parser.parse_args()
    cases = choose_cases(find_cases(arguments.datalist), use=arguments.use)
    references = [read_case(case)[1] for case in cases]
    rows = []
    for spacing_mm in SPACINGS_MM:
        row = {"spacing_mm": spacing_mm, "cases": len(references)}
        backs = [there_and_back(reference, spacing_mm) for reference in references]
        for name, label in (("aneurysm Dice", ANEURYSM), ("vessel Dice", VESSEL)):
            row[name] = float(
                np.mean(
                    [
                        case_metrics(back.array, whole.array, label, whole.geometry)["dice"]
                        for back, whole in zip(backs, references, strict=True)
                    ]
                )
            )
        rows.append(row)
    print(markdown_table(rows))


if __name__ == "__main__":
    main()

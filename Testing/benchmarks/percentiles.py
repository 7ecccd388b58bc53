"""How bright a scan's percentiles are beside its contrast agent.

    python Testing/benchmarks/percentiles.py cases/datalist.json --use validation

1 is the median brightness of the tenth of the true lumen that lies deepest within vessels and
aneurysms, 0 that of the lowest percent of the scan. A percentile below 1 that becomes the network's
1 cuts the brightness of the contrast agent off. Prints a Markdown table over the cases.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from scipy import ndimage

from gsema_core.datasets import choose_cases, find_cases
from gsema_core.datasets.case_files import read_case
from gsema_core.grids import Volume, to_working
from gsema_core.text_tables import markdown_table

PERCENTILES = (99.5, 99.9, 99.95, 99.99, 99.995)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("datalist", type=Path)
    parser.add_argument("--use", default="validation")
    parser.add_argument("--spacing", type=float, default=0.5, help="of the working grid, in mm")
    arguments = parser.parse_args()
    cases = choose_cases(find_cases(arguments.datalist), use=arguments.use)
    values = np.array([brightness(*read_case(case), arguments.spacing) for case in cases])
    rows = [
        {
            "percentile": f"{percentile:g}",
            "cases": len(of_all),
            "lowest": float(of_all.min()),
            "median": float(np.median(of_all)),
            "highest": float(of_all.max()),
            "below 0.85": f"{(of_all < 0.85).sum()} of {len(of_all)}",
        }
        for percentile, of_all in zip(PERCENTILES, values.T, strict=True)
    ]
    print(markdown_table(rows))


def brightness(scan: Volume, reference: Volume, spacing_mm: float) -> np.ndarray:
    """The percentiles of one scan, in the units said above."""
    depth = ndimage.distance_transform_edt(reference.array > 0, scan.geometry.spacing[::-1])
    inside = reference.array > 0
    deepest = depth >= np.quantile(depth[inside], 0.9)
    working = to_working(scan, spacing_mm).array
    low = np.percentile(working, 1)
    agent = np.median(scan.array[deepest]) - low
    return np.asarray((np.percentile(working, PERCENTILES) - low) / agent)


if __name__ == "__main__":
    main()

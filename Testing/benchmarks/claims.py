"""A picture of every aneurysm that a teacher claims in a scan without labels.

    python Testing/benchmarks/claims.py default scan.nrrd --output claims.png

One column an aneurysm, the largest first: a cube of 24 mm around it in three maximum intensity
projections, with the outline of the aneurysm in orange and that of the vessels in red.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib
import numpy as np

from gsema_core import segment
from gsema_core.files import read_volume
from gsema_core.grids import Volume
from gsema_core.labels import ANEURYSM, COLORS, VESSEL
from gsema_core.measurements import Aneurysm

matplotlib.use("Agg")
import matplotlib.pyplot as plt

HALF_MM = 12.0
VIEWS = ("axial", "coronal", "sagittal")
"""Projections of an image in LPS along k, j and i."""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("teacher")
    parser.add_argument("scan", type=Path)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    result = segment(str(arguments.scan), teacher=arguments.teacher)
    scan = read_volume(arguments.scan)
    count = len(result.aneurysms)
    print(f"{count} aneurysm(s), windows {result.report['windows']}")
    if not count:
        return
    figure, axes = plt.subplots(3, count, figsize=(2.2 * count, 6.8), squeeze=False)
    for column, aneurysm in zip(axes.T, result.aneurysms, strict=True):
        print(aneurysm.index, round(aneurysm.volume_ml, 4), round(aneurysm.largest_diameter_mm, 1))
        draw(column, aneurysm, scan, result.labels)
    figure.tight_layout()
    figure.savefig(arguments.output, dpi=90)


def draw(column: np.ndarray, aneurysm: Aneurysm, scan: Volume, labels: Volume) -> None:
    box = tuple(
        slice(max(0, round(center - HALF_MM / side)), round(center + HALF_MM / side) + 1)
        for center, side in zip(
            aneurysm.centroid_ijk[::-1], scan.geometry.spacing[::-1], strict=True
        )
    )
    image, part = scan.array[box].astype(np.float32), labels.array[box]
    for axis, (view, plot) in enumerate(zip(VIEWS, column, strict=True)):
        plot.imshow(image.max(axis), cmap="gray", vmin=image.min(), vmax=image.max())
        for label in (VESSEL, ANEURYSM):
            shadow = (part == label).any(axis)
            if shadow.any() and not shadow.all():
                plot.contour(shadow, [0.5], colors=[COLORS[label]], linewidths=0.9)
        plot.axis("off")
        if axis == 0:
            size = f"{1000 * aneurysm.volume_ml:.0f} mm3, {aneurysm.largest_diameter_mm:.1f} mm"
            plot.set_title(f"{aneurysm.index}: {size}\n{view}", size=8)
        else:
            plot.set_title(view, size=8)


if __name__ == "__main__":
    main()

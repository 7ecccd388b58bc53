"""How measurements of label maps agree with published ones of the same aneurysms.

For AneuriskWeb (Aneurisk-Team, AneuriskWeb project website, 2012; CC BY-NC 3.0): 3D rotational
angiographies whose surfaces were measured by Piccinelli et al. (Annals of Biomedical Engineering
40:2188, 2012). CASES_JSON is a list with a case's name and the published values, LABELS the folder
with <case>.nii.gz: background 0, vessel 1, aneurysm 2. Nothing is fitted here.

    python Testing/benchmarks/published_measurements.py cases.json labels \
        --figure docs/images/measurements_bland_altman.png

prints a table for the label maps as they are and one at 0.5 mm.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from gsema_core import read_labels
from gsema_core.grids import Geometry, Volume
from gsema_core.grids.boxes import bounding_box, box_of, grown
from gsema_core.labels import ANEURYSM, VESSEL
from gsema_core.measurements import measure_aneurysms
from gsema_core.measurements.parent_vessel import REACH_MM

COARSE_MM = 0.5
Values = dict[str, float]
Row = tuple[str, str, str, Callable[[dict[str, Any]], float]]


def _diameter(area: float) -> float:
    return 2 * math.sqrt(area / math.pi)


ROWS: list[Row] = [
    ("volume", "mm3", "volume_mm3", lambda case: case["sac_volume_mm3"]),
    ("dome area", "mm2", "dome_area_mm2", lambda case: case["sac_surface_mm2"]),
    ("neck area", "mm2", "neck_area_mm2", lambda case: case["ostium_area_mm2"]),
    ("neck, equivalent diameter", "mm", "neck_diameter_mm",
     lambda case: _diameter(case["ostium_area_mm2"])),
    ("neck perimeter", "mm", "neck_perimeter_mm", lambda case: case["ostium_perimeter_mm"]),
    ("sac centerline length", "mm", "sac_centerline_length_mm",
     lambda case: case["sac_centerline_length_mm"]),
    ("centerline / hydraulic neck diameter", "", "line_aspect", lambda case: case["aspect_ratio"]),
    ("parent vessel diameter", "mm", "parent_vessel_diameter_mm",
     lambda case: case["vessel_diameter_mm"]),
    ("centerline / parent vessel", "", "line_size", lambda case: case["size_ratio"]),
]  # fmt: skip
"""Name, unit, key of ``measured`` and the published value, where both mean the same."""

OTHER_ROWS: list[Row] = [
    ("closed surface : their open one", "mm2", "surface_area_mm2",
     lambda case: case["sac_surface_mm2"]),
    ("neck width : twice the rim's largest distance from its middle", "mm", "neck_width_mm",
     lambda case: 2 * case["ostium_max_semiaxis_mm"]),
    ("neck breadth : twice the rim's least one", "mm", "neck_breadth_mm",
     lambda case: 2 * case["ostium_min_semiaxis_mm"]),
    ("height : their centerline", "mm", "height_mm", lambda case: case["sac_centerline_length_mm"]),
    ("maximum height : their centerline", "mm", "maximum_height_mm",
     lambda case: case["sac_centerline_length_mm"]),
    ("height / neck width : their aspect ratio", "", "aspect_ratio",
     lambda case: case["aspect_ratio"]),
    ("maximum height / parent vessel : their size ratio", "", "size_ratio",
     lambda case: case["size_ratio"]),
]  # fmt: skip
"""The same, where our definition differs on purpose."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", type=Path, help="JSON list of cases with published values")
    parser.add_argument("labels", type=Path, help="folder with <case>.nii.gz")
    parser.add_argument("--figure", type=Path, help="write the Bland-Altman plots there (PNG)")
    arguments = parser.parse_args()
    cases = json.loads(arguments.cases.read_text())
    found: dict[str, list[Values]] = {"as they are": [], f"{COARSE_MM} mm": []}
    for case in cases:
        labels = around_sac(read_labels(arguments.labels / f"{case['case']}.nii.gz"))
        found["as they are"].append(measured(labels))
        found[f"{COARSE_MM} mm"].append(measured(resampled(labels, COARSE_MM)))
    for name, values in found.items():
        for title, rows in (("same definition", ROWS), ("other definition", OTHER_ROWS)):
            print(f"\nLabel maps {name}, {title}:\n")
            print("| quantity | n | median ratio | bias [limits] | in % | rho |")
            print("|---|---|---|---|---|---|")
            for row in rows:
                print(_table_row(row, *_pairs(row, values, cases)))
        print(f"\nThe necks lie too high, by what is missing: {_missing_slab(values, cases)}")
    if arguments.figure:
        _draw(found, cases, arguments.figure)


def measured(labels: Volume) -> Values:
    """All that ``gsema segment`` measures of the one aneurysm, and what the rows need besides."""
    (found,) = measure_aneurysms(labels)
    told = {name: value for name, value in found.to_dict().items() if isinstance(value, float)}
    if found.neck_area_mm2 is None or found.neck_perimeter_mm is None:
        return told
    told["neck_diameter_mm"] = _diameter(found.neck_area_mm2)
    if (line := found.sac_centerline_length_mm) is not None:
        told["line_aspect"] = line * found.neck_perimeter_mm / (4 * found.neck_area_mm2)
        if found.parent_vessel_diameter_mm is not None:
            told["line_size"] = line / found.parent_vessel_diameter_mm
    return told


def around_sac(labels: Volume) -> Volume:
    """The part of a label map that anything is measured in."""
    margin = [math.ceil((2 * REACH_MM) / side) for side in labels.geometry.spacing[::-1]]
    whole = box_of((0, 0, 0), labels.array.shape)
    box = grown(bounding_box(labels.array == ANEURYSM), tuple(margin), whole)
    geometry = labels.geometry
    first = [side.start for side in box][::-1]
    array = np.ascontiguousarray(labels.array[box])
    origin = tuple(geometry.index_to_world(first))
    return Volume(array, Geometry(array.shape[::-1], geometry.spacing, origin, geometry.direction))


def resampled(labels: Volume, spacing: float) -> Volume:
    """A label map in cubes, by the volume that each label has of them.

    A voxel is of the lumen where at least half of it is, and then of what has more of it.
    """
    weights = [
        _overlaps(n, side, spacing)
        for n, side in zip(labels.array.shape, labels.geometry.spacing[::-1], strict=True)
    ]
    vessel, sac = (
        np.einsum(
            "ak,bj,ci,kji->abc", *weights, (labels.array == label).astype(float), optimize=True
        )
        for label in (VESSEL, ANEURYSM)
    )
    array = np.where(sac > vessel, ANEURYSM, VESSEL).astype(np.uint8)
    array[sac + vessel < 0.5] = 0
    return Volume(array, Geometry(array.shape[::-1], (spacing,) * 3))


def _overlaps(count: int, side: float, spacing: float) -> np.ndarray:
    """(coarse, fine): the share of each coarse interval that each fine one has."""
    edges = np.arange(count + 1) * side
    starts = np.arange(math.ceil(count * side / spacing)) * spacing
    ends = np.minimum(edges[1:], starts[:, None] + spacing)
    return np.clip(ends - np.maximum(edges[:-1], starts[:, None]), 0, None) / spacing


def _pairs(row: Row, values: list[Values], cases: list[dict[str, Any]]) -> np.ndarray:
    """(2, n): ours and the published ones of the cases that have both."""
    _, _, key, published = row
    both = zip(values, cases, strict=True)
    return np.array([(ours[key], published(case)) for ours, case in both if key in ours]).T


def _table_row(row: Row, ours: np.ndarray, theirs: np.ndarray) -> str:
    name, unit, _, _ = row
    cells = [
        f"{name} ({unit})" if unit else name,
        str(len(ours)),
        f"{np.median(ours / theirs):.2f}",
        "{:.2f} [{:.2f}, {:.2f}]".format(*_limits(ours - theirs)),
        "{:.0f} [{:.0f}, {:.0f}]".format(*_limits(200 * (ours - theirs) / (ours + theirs))),
        f"{spearmanr(ours, theirs).statistic:.3f}",
    ]
    return "| " + " | ".join(cells) + " |"


def _limits(differences: np.ndarray) -> tuple[float, float, float]:
    """Mean and limits of agreement: 1.96 standard deviations to both sides."""
    mean, spread = float(differences.mean()), 1.96 * float(differences.std(ddof=1))
    return mean, mean - spread, mean + spread


def _missing_slab(values: list[Values], cases: list[dict[str, Any]]) -> str:
    """How much too high the necks of the label maps lie, in mm, as three quantities tell it."""
    quantities = {row[2]: row[3] for row in ROWS}
    told = []
    for key, share in (
        ("volume_mm3", "ostium_area_mm2"), ("dome_area_mm2", "ostium_perimeter_mm"),
        ("sac_centerline_length_mm", ""),
    ):  # fmt: skip
        lacks = [
            (quantities[key](case) - ours[key]) / case.get(share, 1)
            for ours, case in zip(values, cases, strict=True)
            if key in ours
        ]
        told.append(f"{key} {np.median(lacks):.2f} mm")
    return ", ".join(told)


def _draw(found: dict[str, list[Values]], cases: list[dict[str, Any]], path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot, ticker

    figure, axes = pyplot.subplots(3, 3, figsize=(10, 8.5), layout="constrained", sharey=True)
    for row, axis in zip(ROWS, axes.flat, strict=True):
        for (name, values), color, marker in zip(
            found.items(), ("#0072b2", "#d55e00"), ("o", "x"), strict=True
        ):
            ours, theirs = _pairs(row, values, cases)
            percent = 200 * (ours - theirs) / (ours + theirs)
            axis.scatter((ours + theirs) / 2, percent, 14, color, marker=marker, label=name)
            mean, low, high = _limits(percent)
            axis.axhline(mean, color=color)
            for limit in (low, high):
                axis.axhline(limit, color=color, linestyle="--", linewidth=0.8)
        axis.axhline(0, color="0.6", linewidth=0.6)
        axis.set_title(row[0], fontsize=10)
        axis.set_xlabel(f"mean ({row[1]})" if row[1] else "mean", fontsize=8)
        if row[1] in ("mm2", "mm3"):
            axis.set_xscale("log")
            axis.xaxis.set_minor_formatter(ticker.NullFormatter())
    axes[0, 0].legend(fontsize=8)
    figure.supylabel("ours - published, % of the mean")
    figure.savefig(path, dpi=100)


if __name__ == "__main__":
    main()

"""A teacher's scores by what the scanners did, and pictures of the worst cases.

    python Testing/benchmarks/protocols.py default cases/datalist.json --use test \
        --pictures worst.png

For lists that ``gsema simulate`` wrote: it reads the scanners from the folder ``records`` beside
them. Prints a Markdown table with a row for all cases, for every center, and for groups of
scanners. All images are simulated. The pictures show maximum intensity projections, the reference's
vessels gray, its aneurysms green where they are found, red where they are not, and false ones blue.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

from gsema_core.datasets import Case, choose_cases, find_cases
from gsema_core.datasets.case_files import read_case
from gsema_core.evaluation import CaseScore, score_case, summarize_cases
from gsema_core.evaluation.score_tables import TITLES
from gsema_core.grids import Volume
from gsema_core.inference import SegmentationSettings, Segmenter
from gsema_core.labels import ANEURYSM, VESSEL
from gsema_core.teachers import find_teacher, load_teacher
from gsema_core.text_tables import markdown_table

matplotlib.use("Agg")
import matplotlib.pyplot as plt

SHOWN = 5


@dataclass(frozen=True, eq=False)
class Scored:
    """A case, its scanner, its score and what is needed to picture it."""

    case: Case
    protocol: dict[str, Any]
    score: CaseScore
    views: tuple[np.ndarray, np.ndarray]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("teacher")
    parser.add_argument("datalist", type=Path)
    parser.add_argument("--use", default="test")
    parser.add_argument("--certainty", type=float, help="0 keeps what a young teacher guesses")
    parser.add_argument("--no-walls", action="store_true", help="by the teacher alone")
    parser.add_argument("--pictures", type=Path)
    arguments = parser.parse_args()
    segmenter = Segmenter(load_teacher(find_teacher(arguments.teacher)))
    settings = SegmentationSettings(walls_by_scan=not arguments.no_walls)
    if arguments.certainty is not None:
        settings = replace(settings, minimum_certainty=arguments.certainty)
    scored = [
        score(segmenter, case, settings)
        for case in choose_cases(find_cases(arguments.datalist), use=arguments.use)
    ]
    print(markdown_table([row(name, some) for name, some in groups(scored)], TITLES))
    if arguments.pictures:
        draw_worst(scored, arguments.pictures)


def score(segmenter: Segmenter, case: Case, settings: SegmentationSettings) -> Scored:
    record = case.image.parents[1] / "records" / f"{case.image.stem}.json"
    protocol = json.loads(record.read_text(encoding="utf-8"))["protocol"]
    scan, reference = read_case(case)
    labels = segmenter.segment(scan, settings).labels
    result = score_case(case.image.stem, labels, reference, case.center)
    print(case.image.stem, round(result.aneurysm["dice"], 3), file=sys.stderr, flush=True)
    return Scored(case, protocol, result, views(scan, labels, reference))


def groups(scored: Sequence[Scored]) -> Iterator[tuple[str, list[Scored]]]:
    """All, each center, and scanners that have something in common."""
    yield "all", list(scored)
    for center in sorted({each.case.center for each in scored}):
        yield f"center {center}", [each for each in scored if each.case.center == center]
    for name, subtracted in (("head and skull base present", False), ("subtracted", True)):
        yield name, [each for each in scored if each.protocol["subtracted"] == subtracted]
    for low, high in ((0.2, 0.35), (0.35, 0.45), (0.45, 0.6)):
        yield (
            f"voxels of {low} to {high} mm",
            [each for each in scored if low <= each.protocol["spacing_mm"] < high],
        )


def row(name: str, some: Sequence[Scored]) -> dict[str, Any]:
    if not some:
        return {"scans": name, "cases": 0, **dict.fromkeys(COLUMNS)}
    summary = summarize_cases([each.score for each in some])
    aneurysm, lesions = summary["aneurysm"], summary["lesions"]
    missed = lesions["missed_share"]
    values = (
        aneurysm["dice"]["mean"],
        aneurysm["dice"]["median"],
        aneurysm["sensitivity"]["mean"],
        aneurysm["jaccard"]["mean"],
        aneurysm["volume_similarity"]["mean"],
        f"{missed['count']} of {missed['of']}",
        lesions["false_positives_per_case"]["value"],
        summary["vessel"]["dice"]["mean"],
    )
    return {"scans": name, "cases": len(some), **dict(zip(COLUMNS, values, strict=True))}


COLUMNS = (
    "dice", "median", "sensitivity", "jaccard", "volume_similarity", "missed_share",
    "false_positives_per_case", "vessel Dice",
)  # fmt: skip


def views(scan: Volume, labels: Volume, reference: Volume) -> tuple[np.ndarray, np.ndarray]:
    """Projections along the axis that shows the reference's aneurysms best: image and labels."""
    sac = reference.array == ANEURYSM
    axis = int(np.argmax([sac.any(axis=n).sum() for n in range(3)]))
    found, right = labels.array == ANEURYSM, (reference.array == VESSEL).sum(axis)
    colors = np.repeat((0.6 * np.clip(right / 6, 0, 1))[..., None], 3, axis=2)
    masks = (sac & ~found, found & ~sac, sac & found)
    for color, mask in zip(((1, 0.1, 0.1), (0.2, 0.5, 1), (0.1, 0.9, 0.1)), masks, strict=True):
        colors[mask.sum(axis) > 1] = color
    return scan.array.max(axis).astype(np.float32), colors


def draw_worst(scored: Sequence[Scored], path: Path) -> None:
    """The cases with the lowest aneurysm Dice, worst first."""
    worst = sorted(scored, key=lambda each: each.score.aneurysm["dice"])[:SHOWN]
    figure, axes = plt.subplots(2, len(worst), figsize=(3 * len(worst), 6.4), squeeze=False)
    for (top, bottom), each in zip(axes.T, worst, strict=True):
        image, colors = each.views
        low, high = np.percentile(image, (5, 99.7))
        top.imshow(image, cmap="gray", vmin=low, vmax=high, origin="lower")
        bottom.imshow(colors, origin="lower")
        kind = "subtracted" if each.protocol["subtracted"] else "head present"
        top.set_title(f"{each.case.center}, {kind}, {each.protocol['spacing_mm']:.2f} mm", size=8)
        aneurysm, size = each.score.aneurysm["dice"], each.score.largest_diameter_mm
        bottom.set_title(
            f"Dice {aneurysm:.2f}, {size:.1f} mm, {each.score.missed} missed, "
            f"{each.score.false_positives} false",
            size=8,
        )
    for axis in axes.flat:
        axis.axis("off")
    figure.tight_layout()
    figure.savefig(path, dpi=90)


if __name__ == "__main__":
    main()

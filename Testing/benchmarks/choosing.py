"""How a teacher does on the scans that choose among teachers, figure by figure, and its one score.

    python Testing/benchmarks/choosing_cases.py TREES CUBES FOLDER
    python Testing/benchmarks/choosing.py TEACHER FOLDER --fold 1 --output new.json
    python Testing/benchmarks/choosing.py --compare start.json new.json

A mean Dice hides what a teacher loses: one that finds more and claims more, or that is better on
transplanted sacs and worse on real ones, may have a higher mean. So the figures stand apart, and
one rule decides over them (`SCORE`, `MAY_LOSE`): a teacher is chosen by the mean of its shares,
among those that lose in no share more than ``MAY_LOSE`` against the one that it starts from.

Every scan's row is written as soon as it is scored: an interrupted run goes on.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from gsema_core.evaluation.cases import score_case
from gsema_core.evaluation.size_classes import SIZE_CLASSES
from gsema_core.evaluation.statistics import summarize
from gsema_core.files import read_labels, read_volume
from gsema_core.grids import Volume
from gsema_core.grids.components import connected_components
from gsema_core.inference import SegmentationSettings, Segmenter
from gsema_core.labels import ANEURYSM
from gsema_core.simulation.acquisition import orient
from gsema_core.simulation.trees.artery_tree import ArteryTree
from gsema_core.teachers import find_teacher, load_teacher
from gsema_core.text_tables import markdown_table

REAL = ("cube", "real")
"""Kinds of scans that show the patient's own sac; the others hold a transplant, or none."""

MAY_LOSE = 0.02
"""What a share may lose before a teacher is out. About the standard error of the mean Dice of the
40 real sacs of a fold (their standard deviation is about .15; ours)."""

BESIDE_MM = 2.0
"""A claim whose middle is farther from every artery lies elsewhere: bone, veins, metal."""

BENT_DEG = 35.0
"""Two crossings that turn by more are a bend."""

Row = dict[str, Any]

SHARES: dict[str, Callable[[Sequence[Row]], float]] = {
    "Dice on real sacs": lambda rows: mean(row["dice"] for row in rows if row["kind"] in REAL),
    "Dice on transplants": lambda rows: mean(
        row["dice"] for row in rows if row["kind"] == "transplant"
    ),
    "sacs found": lambda rows: mean(lesion["found"] for row in rows for lesion in row["lesions"]),
    # One false claim a scan where nothing is costs as much as losing 63 % of all Dice.
    "quiet without a sac": lambda rows: math.exp(
        -mean(len(row["claims"]) for row in rows if row["kind"] == "none")
    ),
    "Dice on vessels": lambda rows: mean(row["vessel_dice"] for row in rows),
}
"""Of 1 each, 1 being the best; their mean is the score."""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("teacher", nargs="?")
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--fold", type=int, help="only its scans (default: all)")
    parser.add_argument("--output", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--certainty", type=float, help="least mean probability of an aneurysm")
    parser.add_argument("--compare", nargs="+", type=Path, metavar="ROWS.json")
    arguments = parser.parse_args()
    if arguments.compare:
        tables = {path.stem: json.loads(path.read_text()) for path in arguments.compare}
        print(report(tables))
        return
    listed = json.loads((arguments.folder / "choosing.json").read_text(encoding="utf-8"))
    scans = [scan for scan in listed if arguments.fold in (None, scan["fold"])]
    segmenter = Segmenter(load_teacher(find_teacher(arguments.teacher)))
    settings = SegmentationSettings(threads=arguments.threads, refuse_implausible=False)
    if arguments.certainty is not None:
        settings = replace(settings, minimum_certainty=arguments.certainty)
    rows: list[Row] = []
    if arguments.output.exists():
        rows = json.loads(arguments.output.read_text(encoding="utf-8"))
    done = {row["scan"] for row in rows}
    for scan in scans:
        if scan["image"] not in done:
            rows.append(row_of(segmenter, settings, arguments.folder, scan))
            arguments.output.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
            last = rows[-1]
            print(
                f"{len(rows)}/{len(scans)} {last['kind']} {last['scan']} {last['dice']:.3f} "
                f"{len(last['claims'])} false", file=sys.stderr, flush=True,
            )  # fmt: skip
    print(report({arguments.output.stem: rows}))


def row_of(
    segmenter: Segmenter, settings: SegmentationSettings, folder: Path, scan: dict[str, Any]
) -> Row:
    """Segment and score one scan."""
    image = read_volume(folder / scan["image"])
    reference = read_labels(folder / scan["label"])
    labels = segmenter.segment(image, settings).labels
    score = score_case(scan["image"], labels, reference)
    return {
        "scan": scan["image"],
        **{name: scan[name] for name in ("kind", "patient", "fold")},
        "dice": score.aneurysm["dice"],
        "vessel_dice": score.vessel["dice"],
        "lesions": [
            {"mm": lesion.largest_diameter_mm, "found": int(lesion.detected)}
            for lesion in score.lesions
        ],
        "claims": claims(labels, reference),
    }


def claims(labels: Volume, reference: Volume) -> list[str]:
    """Where each false aneurysm sits: end, bend, tube, bifurcation, elsewhere."""
    there, reference = orient(labels, "LPS"), orient(reference, "LPS")
    pieces, count = connected_components(there.array == ANEURYSM)
    true = np.unique(pieces[reference.array == ANEURYSM])
    false = [number for number in range(1, count + 1) if number not in true]
    if not false:
        return []
    if not reference.array.any():
        return ["elsewhere"] * len(false)
    tree = ArteryTree.of(reference)
    medial = tree.voxels[tree.medial]
    places = []
    for number in false:
        middle = np.argwhere(pieces == number).mean(axis=0)
        steps = np.linalg.norm(medial - middle, axis=1) * tree.spacing
        nearest = int(steps.argmin())
        width = float(tree.radius[tree.medial[nearest]])
        places.append(
            "elsewhere" if steps[nearest] > width + BESIDE_MM else place(tree, medial[nearest])
        )
    return places


def place(tree: ArteryTree, voxel: np.ndarray) -> str:
    """What kind of place of a tree a medial voxel is."""
    crossings = tree.crossings(voxel)
    if len(crossings) <= 1:
        return "end"
    if len(crossings) > 2:
        return "bifurcation"
    straight = float(-crossings[0].direction @ crossings[1].direction)
    turn = math.degrees(math.acos(np.clip(straight, -1, 1)))
    return "bend" if turn > BENT_DEG else "tube"


def report(tables: dict[str, list[Row]]) -> str:
    """Markdown: the shares and the score of each table, then what lies behind them."""
    first = next(iter(tables.values()))
    common = set.intersection(*({row["scan"] for row in rows} for rows in tables.values()))
    tables = {name: [row for row in rows if row["scan"] in common] for name, rows in tables.items()}
    start = shares(tables[next(iter(tables))])
    lines = []
    for name, rows in tables.items():
        own = shares(rows)
        lost = [key for key in own if own[key] < start[key] - MAY_LOSE]
        lines.append(
            {"teacher": name, "scans": len(rows)}
            | {key: f"{value:.3f}" for key, value in own.items()}
            | {"score": f"{mean(own.values()):.3f}", "out for": ", ".join(lost) or "-"}
        )
    details = [{"teacher": name, **detail(rows)} for name, rows in tables.items()]
    note = "" if len(common) == len(first) else f"\n\nOnly the {len(common)} scans of all.\n"
    return f"{markdown_table(lines)}{note}\n\n{markdown_table(details)}"


def shares(rows: Sequence[Row]) -> dict[str, float]:
    return {name: share(rows) for name, share in SHARES.items()}


def detail(rows: Sequence[Row]) -> dict[str, str]:
    """Intervals by patient, finds by size and the places of false claims."""
    found: dict[str, str] = {}
    real = [row for row in rows if row["kind"] in REAL]
    if real:
        told = summarize([row["dice"] for row in real], [row["patient"] for row in real])
        found["real sacs, 95 %"] = f"{told.interval_low:.3f} to {told.interval_high:.3f}"
        found["median"] = f"{told.median:.3f}"
    lesions = [lesion for row in rows for lesion in row["lesions"]]
    for name, (low, high) in SIZE_CLASSES.items():
        of_size = [lesion["found"] for lesion in lesions if low <= lesion["mm"] < high]
        found[name] = f"{sum(of_size)} of {len(of_size)}"
    for kind in dict.fromkeys(row["kind"] for row in rows):
        counts = [len(row["claims"]) for row in rows if row["kind"] == kind]
        found[f"false a scan, {kind}"] = f"{mean(counts):.2f}"
    places = Counter(place for row in rows for place in row["claims"])
    found["false claims sit at"] = ", ".join(f"{n} {name}" for name, n in places.most_common())
    return found


def mean(values: Iterable[float]) -> float:
    values = list(values)
    return float(np.mean(values)) if values else math.nan


if __name__ == "__main__":
    main()

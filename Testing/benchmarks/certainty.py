"""How sure a teacher must be of an aneurysm: scores over the bar ``minimum_certainty``.

    python Testing/benchmarks/certainty.py default cases/datalist.json

Uses the cases that the list marks for validation (``teacher_cases.py``), and phantoms imaged by the
light model at centers A to C. Prints one JSON line a bar and group. All images are simulated.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from gsema_core.datasets import choose_cases, find_cases
from gsema_core.evaluation import case_metrics, lesion_metrics
from gsema_core.files import read_labels, read_volume
from gsema_core.grids import Volume
from gsema_core.inference import SegmentationSettings, Segmenter
from gsema_core.inference.monitor import Monitor
from gsema_core.labels import ANEURYSM
from gsema_core.simulation.acquisition import acquire
from gsema_core.simulation.centers import CENTERS
from gsema_core.simulation.phantom import make_phantom
from gsema_core.teachers import find_teacher, load_teacher

BARS = (0.0, 0.5, 0.6, 0.7, 0.8, 0.84, 0.86, 0.88, 0.9, 0.92)
FIRST_PHANTOM = 500  # the demo's and the tests' seeds are below


def scans(arguments: argparse.Namespace) -> Iterator[tuple[str, Volume, Volume]]:
    for case in choose_cases(find_cases(arguments.datalist), use="validation"):
        yield "patients kept out", read_volume(case.image), read_labels(case.label)
    for number in range(arguments.phantoms):
        seed = FIRST_PHANTOM + number
        protocol = CENTERS["ABC"[number % 3]]
        yield "phantoms", *acquire(make_phantom(seed), protocol, seed=seed, model="light")


def over_bars(segmenter: Segmenter, volume: Volume) -> Iterator[tuple[float, Volume]]:
    """The labels at every bar, from the same windows, which take nearly all the time."""
    prepared, settings = segmenter.prepare(volume), SegmentationSettings()
    starts = segmenter._choose(prepared.working.array, settings).starts
    foreground = segmenter._predict(
        prepared.working.array, settings, Monitor(), starts, sixteen_bits=True
    )
    for bar in BARS:
        chosen = SegmentationSettings(minimum_certainty=bar)
        yield bar, segmenter._restore(foreground.copy(), prepared, chosen, Monitor())[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("teacher")
    parser.add_argument("datalist", type=Path)
    parser.add_argument("--phantoms", type=int, default=12)
    arguments = parser.parse_args()
    segmenter = Segmenter(load_teacher(find_teacher(arguments.teacher)))
    rows: dict[tuple[str, float], list[tuple[float, int, int]]] = {}
    for group, volume, reference in scans(arguments):
        for bar, labels in over_bars(segmenter, volume):
            dice = case_metrics(labels.array, reference.array, ANEURYSM, volume.geometry)["dice"]
            lesions = lesion_metrics(labels.array, reference.array, ANEURYSM)
            rows.setdefault((group, bar), []).append(
                (dice, lesions.missed, lesions.false_positives)
            )
    for (group, bar), values in sorted(rows.items()):
        dice, missed, false_positives = np.array(values).T
        line = {
            "group": group,
            "minimum_certainty": bar,
            "cases": len(values),
            "aneurysm_dice": round(float(dice.mean()), 4),
            "missed": int(missed.sum()),
            "false_positives_per_case": round(float(false_positives.mean()), 3),
        }
        print(json.dumps(line))


if __name__ == "__main__":
    main()

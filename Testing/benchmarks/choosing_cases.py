"""The scans that choose among teachers, and those to train on, in three folds of patients.

    python Testing/benchmarks/choosing_cases.py TREES CUBES FOLDER [--training 800] [--jobs 2]

TREES lists whole artery trees, CUBES the label maps of 64 mm around an aneurysm of the same
patients (docs/reference/teacher.md). The patients for testing (`teacher_cases.TEST`) are left out;
the others make three folds, alike in the size of their aneurysms. ``FOLDER/choosing.json`` lists
the scans that choose, by a scanner and with a bone that no training has: of every patient the cube,
and of the whole tree a field with the patient's own sac, one with a transplanted sac and one
without any. ``FOLDER/training-N.json`` lists the scans for a training that never sees fold N, and
``FOLDER/training-0.json`` those of all folds. Sacs are transplanted within a fold only. Can be
interrupted and started again.
"""

from __future__ import annotations

import argparse
import json
import zlib
from pathlib import Path
from typing import Any

from teacher_cases import TEST

from gsema_core.files.text_files import read_json, write_json
from gsema_core.simulation.manifest import read_manifest
from gsema_core.simulation.many_cases import SimulatedCase, image_cases
from gsema_core.simulation.scanner.world_scanners import held_out_protocol
from gsema_core.simulation.world.world_cases import make_world
from gsema_core.simulation.world.world_plan import Kind, plan_world

FOLDS = (1, 2, 3)

CHOOSING_SEED, TRAINING_SEED = 901, 900

KINDS: tuple[Kind, ...] = ("real", "transplant", "none")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("trees", type=Path)
    parser.add_argument("cubes", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--training", type=int, default=0, metavar="N", help="scans to train on")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--only-training", action="store_true")
    arguments = parser.parse_args()
    folder, jobs = arguments.folder, arguments.jobs
    trees, cubes = read_manifest(arguments.trees), read_manifest(arguments.cubes)
    folds = folds_of(arguments.cubes)
    for fold in FOLDS:
        own = [case for case in trees if folds.get(case.patient) == fold]
        if not arguments.only_training:
            shares = dict.fromkeys(KINDS, 1 / len(KINDS))
            count = len(KINDS) * len(own)
            scans = plan_world(own, count, CHOOSING_SEED, shares=shares, held_out=True)
            make_world(scans, folder / f"choosing-{fold}", jobs)
            held_out = [imaged(case) for case in cubes if folds.get(case.patient) == fold]
            image_cases(held_out, folder / f"cubes-{fold}", "cone_beam", jobs)
        if arguments.training:
            scans = plan_world(own, arguments.training // len(FOLDS), TRAINING_SEED)
            make_world(scans, folder / f"world-{fold}", jobs)
    write_lists(folder)


def folds_of(cubes: Path) -> dict[str, int]:
    """The fold of every patient that is not for testing: by the size of the aneurysm, in turn."""
    listed = [entry for entry in read_json(cubes, "manifest") if entry["patient"] not in TEST]
    by_size = sorted(listed, key=lambda entry: (entry["aneurysm_ml"], entry["patient"]))
    return {entry["patient"]: FOLDS[n % len(FOLDS)] for n, entry in enumerate(by_size)}


def imaged(case: SimulatedCase) -> SimulatedCase:
    """The cube of a patient, by the scanner that is kept out of training."""
    seed = zlib.crc32(f"{CHOOSING_SEED}/{case.patient}".encode())
    return SimulatedCase(case.patient, "held-out", held_out_protocol(seed), seed, case.label_path)


def write_lists(folder: Path) -> None:
    """``choosing.json`` and the training's lists, of the scans that are there."""
    choosing: list[dict[str, Any]] = []
    world: dict[int, list[dict[str, Any]]] = {}
    for fold in FOLDS:
        for name in (f"choosing-{fold}", f"cubes-{fold}"):
            for case in listed(folder, name):
                record = folder / name / "records" / f"{Path(case['image']).stem}.json"
                kind = json.loads(record.read_text(encoding="utf-8")).get("kind", "cube")
                choosing.append({**case, "kind": kind, "fold": fold})
        world[fold] = listed(folder, f"world-{fold}")
    write_json(choosing, folder / "choosing.json")
    for left_out in (0, *FOLDS):
        cases = [case for fold in FOLDS if fold != left_out for case in world[fold]]
        write_json({"cases": cases}, folder / f"training-{left_out}.json")


def listed(folder: Path, name: str) -> list[dict[str, Any]]:
    """The cases of one of the folder's own, with paths from the folder."""
    path = folder / name / "datalist.json"
    cases = json.loads(path.read_text(encoding="utf-8"))["cases"] if path.exists() else []
    return [{**case, **{k: f"{name}/{case[k]}" for k in ("image", "label")}} for case in cases]


if __name__ == "__main__":
    main()

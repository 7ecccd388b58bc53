"""The simulated scans that the bundled teacher is scored on, and those to train its successor.

    python Testing/benchmarks/teacher_cases.py MANIFEST FOLDER [--jobs 2] [--subtracted]

MANIFEST lists label maps of the IntrA dataset (docs/reference/teacher.md). Every patient is imaged
at the center of its own and by a random scanner with the cone-beam model; those for training by two
more random scanners with the light model, which is several times cheaper. ``--subtracted`` adds
about two scanners for each that subtract a mask run, with the cone-beam model: only that leaves
residues of bone where the head moved between the runs. Can be interrupted and started again.
``FOLDER/datalist.json`` says which cases are for training, validation and test.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from gsema_core.simulation.manifest import randomize, read_manifest, select
from gsema_core.simulation.many_cases import SimulatedCase, image_cases

TEST = ("152", "149", "159", "164", "166", "174", "193", "205", "209", "23", "26", "27")
"""Of center D, none of which the bundled teacher has seen: of each three patients that are
neighbors in aneurysm volume the smallest and the largest."""

VALIDATION = ("116", "9", "42", "202", "151", "212", "120", "201")
"""Two of each center: those that chose the bundled teacher, and two of D."""

TRAINING_SEED, LIGHT_SEED, SUBTRACTED_SEED = 78, 77, 79


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("manifest", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--subtracted", action="store_true", help="more subtracted scans")
    arguments = parser.parse_args()
    folder, jobs = arguments.folder, arguments.jobs
    everybody = read_manifest(arguments.manifest)
    kept_out = select(everybody, patients=[*TEST, *VALIDATION])
    training = [case for case in everybody if case not in kept_out]
    by_random_scanners = [*randomize(kept_out, 1, 0), *randomize(training, 1, TRAINING_SEED)]
    image_cases([*everybody, *by_random_scanners], folder / "cone_beam", "cone_beam", jobs)
    image_cases(randomize(training, 2, LIGHT_SEED), folder / "light", "light", jobs)
    if arguments.subtracted:
        image_cases(subtracted(training), folder / "subtracted", "cone_beam", jobs)
    cases = []
    for name in ("cone_beam", "light", *(["subtracted"] if arguments.subtracted else [])):
        for case in json.loads((folder / name / "datalist.json").read_text())["cases"]:
            files = {kind: f"{name}/{case[kind]}" for kind in ("image", "label")}
            cases.append({**case, **files, "use": use_of(case["patient"])})
    (folder / "datalist.json").write_text(json.dumps({"cases": cases}, indent=1) + "\n")


def subtracted(cases: Sequence[SimulatedCase]) -> list[SimulatedCase]:
    """Image the cases by four random scanners each, of which those that subtract are kept."""
    return [case for case in randomize(cases, 4, SUBTRACTED_SEED) if case.protocol.subtracted]


def use_of(patient: str) -> str:
    for use, patients in (("test", TEST), ("validation", VALIDATION)):
        if patient in patients:
            return use
    return "training"


if __name__ == "__main__":
    main()

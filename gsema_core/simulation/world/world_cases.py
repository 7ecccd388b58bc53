"""Making a world of scans into one folder, resumable."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from gsema_core.files import read_labels
from gsema_core.simulation.acquisition import VERSION
from gsema_core.simulation.case_folder import Made, fill_folder, print_line
from gsema_core.simulation.trees.artery_tree import ArteryTree
from gsema_core.simulation.world.world_plan import WorldScan
from gsema_core.simulation.world.world_scan import make_scan

Donors = tuple[tuple[str, Path], ...]

WORLD_VERSION = 2
"""Raised by whoever changes what is drawn, so that scans are made anew."""

SACS_VERSION = 2
"""The same, for what changes transplanted aneurysms alone."""

KEPT_TREES = 2
"""How many patients' trees a process remembers; a whole one takes 100 to 200 MB."""


def make_world(
    scans: Sequence[WorldScan], output: Path, jobs: int = 1, *, quiet: bool = False
) -> int:
    """Write ``images``, ``labels``, ``records`` and ``datalist.json``; skip what is there.

    Aneurysms are transplanted only between patients of the same use, so that nothing of a patient
    for testing is seen in training.

    Args:
        scans: a plan (`plan_world`).
        output: the folder; made where it is missing.
        jobs: processes, each on one thread.
        quiet: print nothing.

    Returns:
        The number of scans made now.

    Raises:
        UserError: the folder or a label map is not as it should be, or, after all others were made,
            some scans could not be.
    """
    donors = {
        use: tuple(sorted({(scan.patient, scan.label_path) for scan in scans if scan.use == use}))
        for use in {scan.use for scan in scans}
    }
    if not quiet:
        print_line(_told(scans))
    return fill_folder(
        scans, output, partial(_make, donors=donors), partial(_key, donors=donors), jobs,
        {scan.patient: scan.use for scan in scans if scan.use},
        None if quiet else print_line,
    )  # fmt: skip


def _make(scan: WorldScan, donors: Mapping[str, Donors]) -> Made:
    return make_scan(_tree(scan.label_path, scan.patient), scan, donors[scan.use])


def _key(scan: WorldScan, donors: Mapping[str, Donors]) -> str:
    """What decides the voxels: the label maps, the plan's entry, the code."""
    decisive: list[Any] = [
        _digest(scan.label_path), scan.patient, scan.number, scan.kind, scan.model, scan.seed,
        scan.held_out, VERSION, WORLD_VERSION,
    ]  # fmt: skip
    if scan.neck_rule:
        decisive.append("neck rule")
    if scan.kind == "transplant":
        decisive += [SACS_VERSION, [_digest(path) for _, path in donors[scan.use]]]
    return hashlib.sha256(json.dumps(decisive).encode()).hexdigest()


@lru_cache(maxsize=1024)
def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@lru_cache(maxsize=KEPT_TREES)
def _tree(path: Path, patient: str) -> ArteryTree:
    return ArteryTree.of(read_labels(path), patient)


def _told(scans: Sequence[WorldScan]) -> str:
    """What the plan holds, in a line."""
    kinds = Counter(scan.kind for scan in scans)
    models = Counter(scan.model for scan in scans)
    counted = ", ".join(f"{count} {name}" for name, count in (*kinds.items(), *models.items()))
    return f"{len({scan.patient for scan in scans})} patients: {counted}"

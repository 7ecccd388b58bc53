"""Which label maps to image, and at which center."""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from gsema_core.errors import UserError
from gsema_core.files.atomic import is_there
from gsema_core.files.text_files import read_json
from gsema_core.simulation.centers import CENTERS, Protocol, random_protocol
from gsema_core.simulation.many_cases import SimulatedCase

_PATIENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def read_manifest(path: Path) -> list[SimulatedCase]:
    """Read a manifest: a JSON list of objects with ``patient``, ``center`` and ``label``.

    ``centre`` is read too. Paths of label maps are relative to the manifest.

    Raises:
        UserError: the file or a label map is missing, or an entry is not as described.
    """
    entries = read_json(path, "manifest")
    if not isinstance(entries, list) or not entries:
        raise UserError(f"The manifest {path} holds no list of cases: give a JSON list.")
    cases = [_case(entry, path) for entry in entries]
    for patient, count in Counter(case.patient for case in cases).items():
        if count > 1:
            raise UserError(f"Patient {patient} is twice in {path}: give every patient once.")
    return _evenly(cases)


def phantom_cases(
    count: int, seed: int, centers: Sequence[str] = (), randomize: bool = False
) -> list[SimulatedCase]:
    """Return ``count`` phantoms, spread over the centers or each with a scanner of its own.

    Args:
        count: number of phantoms.
        seed: of the first; the others follow.
        centers: names of centers; none is all of them.
        randomize: draw a protocol for each phantom (`random_protocol`) instead.
    """
    names = list(centers) or list(CENTERS)
    cases = []
    for number in range(seed, seed + count):
        name = "random" if randomize else names[(number - seed) % len(names)]
        protocol = random_protocol(number) if randomize else find_center(name)
        cases.append(SimulatedCase(f"phantom-{number:05d}", name, protocol, number))
    return cases


def randomize(cases: Sequence[SimulatedCase], variants: int, seed: int) -> list[SimulatedCase]:
    """Image every case ``variants`` times, each time with a random scanner of its own.

    The center of what comes out is "random". The same seed gives the same scanners.
    """
    randomized = []
    for variant in range(1, variants + 1):
        for case in cases:
            own = zlib.crc32(f"{seed}/{case.patient}/{variant}".encode())
            scanner = random_protocol(own)
            randomized.append(
                SimulatedCase(case.patient, "random", scanner, own, case.label_path, variant)
            )
    return randomized


def select(
    cases: Sequence[SimulatedCase], centers: Sequence[str] = (), patients: Sequence[str] = ()
) -> list[SimulatedCase]:
    """Keep some centers' cases and some patients; an empty choice keeps all.

    Raises:
        UserError: a chosen name is unknown, or no case is left.
    """
    for name in centers:
        find_center(name)
    unknown = sorted(set(patients) - {case.patient for case in cases})
    if unknown:
        raise UserError(f"Patient {unknown[0]} is not in the manifest: choose one that is.")
    chosen = [
        case
        for case in cases
        if (not centers or case.center in centers) and (not patients or case.patient in patients)
    ]
    if not chosen:
        raise UserError("The manifest has no case of those centers and patients: choose others.")
    return chosen


def find_center(name: str) -> Protocol:
    """Return a center's protocol.

    Raises:
        UserError: there is no such center.
    """
    if name not in CENTERS:
        raise UserError(f"There is no center {name!r}: choose from {', '.join(CENTERS)}.")
    return CENTERS[name]


def _case(entry: Any, manifest: Path) -> SimulatedCase:
    if not isinstance(entry, dict):
        raise UserError(f"An entry of {manifest} is {entry!r}: give an object for each case.")
    entry = {"center": entry.get("centre"), **entry}
    for name in ("patient", "center", "label"):
        if not isinstance(entry.get(name), str):
            raise UserError(f"An entry of {manifest} has {name} {entry.get(name)!r}: give a text.")
    patient, center, path = entry["patient"], entry["center"], manifest.parent / entry["label"]
    if not _PATIENT.fullmatch(patient):
        raise UserError(
            f"Patient {patient!r} in {manifest} is no file name: use letters, digits and - _ ."
        )
    if not (is_there(path) and path.is_file()):
        raise UserError(
            f"The label map {path} of patient {patient} does not exist: correct the manifest."
        )
    protocol = find_center(center)  # before the seed: JSON has texts that cannot be encoded
    # Stable from run to run and machine to machine, and different for every patient.
    seed = zlib.crc32(f"{center}/{patient}".encode())
    return SimulatedCase(patient, center, protocol, seed, path)


def _evenly(cases: Iterable[SimulatedCase]) -> list[SimulatedCase]:
    """Take turns over the centers, so that an unfinished run holds all of them."""
    taken: Counter[str] = Counter()

    def turn(case: SimulatedCase) -> tuple[int, str]:
        taken[case.center] += 1
        return taken[case.center], case.center

    return sorted(cases, key=turn)

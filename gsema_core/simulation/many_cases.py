"""Imaging many cases into one folder, resumable."""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from gsema_core.datasets.datalist import Case, write_datalist
from gsema_core.files import read_labels, write_labels, write_volume
from gsema_core.files.atomic import make_folder
from gsema_core.files.text_files import read_table, write_json
from gsema_core.machine.processes import in_processes
from gsema_core.simulation.acquisition import VERSION, Model, acquire, resolve_model
from gsema_core.simulation.centers import Protocol
from gsema_core.simulation.phantom import make_phantom

_FOLDERS = ("images", "labels")


@dataclass(frozen=True)
class SimulatedCase:
    """One volume to be made.

    Args:
        patient: its name in the datalist.
        center: the center's name in the datalist.
        protocol: the scanner.
        seed: of the acquisition, and of the phantom.
        label_path: the label map, or None for a phantom.
        variant: which of the patient's random scanners this is, from 1; 0 is the center's own.
    """

    patient: str
    center: str
    protocol: Protocol
    seed: int
    label_path: Path | None = None
    variant: int = 0

    @property
    def stem(self) -> str:
        """Name of its files."""
        return f"{self.patient}-random{self.variant}" if self.variant else self.patient

    def key(self, model: Model) -> str:
        """What decides the voxels: the labels, the protocol, the seed, the model, the code."""
        source = "phantom"
        if self.label_path:
            source = hashlib.sha256(self.label_path.read_bytes()).hexdigest()
        decisive = [source, self.center, self.protocol.to_dict(), self.seed, model, VERSION]
        return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()


def image_cases(
    cases: Sequence[SimulatedCase],
    output: Path,
    model: Model = "auto",
    jobs: int = 1,
    test_patients: Sequence[str] = (),
    *,
    quiet: bool = False,
) -> int:
    """Write ``images``, ``labels`` and ``datalist.json`` into a folder; skip what is there.

    Args:
        cases: what to make, in this order.
        output: the folder; made where it is missing.
        model: see `acquire`.
        jobs: processes, each on one thread.
        test_patients: all of their cases are marked for testing in the datalist, for good.
        quiet: print nothing.

    Returns:
        The number of volumes made now.

    Raises:
        UserError: the folder cannot be made or written to, or a label map cannot be read.
    """
    for name in (*_FOLDERS, "records"):
        make_folder(output / name)
    model = resolve_model(model)
    waiting = [case for case in cases if not is_finished(case, output, model)]
    say = (lambda line: None) if quiet else _say
    say(f"{len(cases)} cases, {len(cases) - len(waiting)} already there, model {model}")
    work = in_processes(partial(_make, output=output, model=model), waiting, jobs)
    for number, (case, seconds) in enumerate(zip(waiting, work, strict=True), start=1):
        _write_datalist(output, test_patients)
        say(f"{number}/{len(waiting)} {case.stem} at {case.center} in {seconds:.0f} s")
    _write_datalist(output, test_patients)
    return len(waiting)


def _make(case: SimulatedCase, output: Path, model: Model) -> float:
    """Image one case, write it and tell the seconds that took; the record comes last."""
    start = time.monotonic()
    labels = read_labels(case.label_path) if case.label_path else make_phantom(case.seed)
    image, labels = acquire(labels, case.protocol, case.seed, model)
    write_volume(image, output / "images" / f"{case.stem}.nrrd")
    write_labels(labels, output / "labels" / f"{case.stem}.nrrd")
    record = {
        "patient": case.patient,
        "center": case.center,
        "key": case.key(model),
        "model": model,
        "protocol": case.protocol.to_dict(),
    }
    write_json(record, output / "records" / f"{case.stem}.json")
    return time.monotonic() - start


def is_finished(case: SimulatedCase, output: Path, model: Model) -> bool:
    """Whether the case lies in the folder, made from the same labels, scanner, seed and code."""
    record = _read_record(output, case.stem)
    return record is not None and record["key"] == case.key(model)


def _read_record(output: Path, stem: str) -> dict[str, Any] | None:
    """A finished case's record; None where it or a file that it speaks of is missing."""
    record = read_table(output / "records" / f"{stem}.json") or {}
    files = [output / name / f"{stem}.nrrd" for name in _FOLDERS]
    told = {"key", "patient", "center"} <= set(record)
    return record if told and all(file.is_file() for file in files) else None


def _write_datalist(output: Path, test_patients: Sequence[str]) -> None:
    """List every finished case of the folder, also those of earlier runs, and keep their use."""
    destination = output / "datalist.json"
    uses = _uses(destination) | dict.fromkeys(test_patients, "test")
    cases = []
    for path in sorted((output / "records").glob("*.json")):
        record = _read_record(output, path.stem)
        if record is None:
            continue
        patient, name = record["patient"], f"{path.stem}.nrrd"
        image, label = (output / folder / name for folder in _FOLDERS)
        cases.append(Case(patient, record["center"], image, label, uses.get(patient, "")))
    description = "Simulated rotational angiography of label maps; labels 1 vessel, 2 aneurysm."
    write_datalist(cases, destination, description)


def _uses(datalist: Path) -> dict[str, str]:
    """What an earlier datalist says that its patients are for."""
    try:
        cases = (read_table(datalist) or {})["cases"]
        return {case["patient"]: case["use"] for case in cases if "use" in case}
    except (KeyError, TypeError):
        return {}


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)

"""A folder of simulated cases that can be filled in several runs."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

from gsema_core.datasets.datalist import Case, write_datalist
from gsema_core.errors import UserError
from gsema_core.files import write_labels, write_volume
from gsema_core.files.atomic import make_folder
from gsema_core.files.text_files import read_table, write_json
from gsema_core.grids import Volume
from gsema_core.machine.processes import in_processes

_FOLDERS = ("images", "labels")


class NotDrawn(UserError):
    """One case cannot be made; the others can."""


class ToMake(Protocol):
    """A case that can be made."""

    @property
    def stem(self) -> str:
        """Name of its files."""

    @property
    def patient(self) -> str:
        """Its name in the datalist."""

    @property
    def center(self) -> str:
        """The center's name in the datalist."""


C = TypeVar("C", bound=ToMake)


@dataclass(frozen=True, eq=False)
class Made:
    """A case that was made.

    Args:
        image: the volume.
        labels: its label map, on the same grid.
        record: what else is to be known of it, as JSON has it.
    """

    image: Volume
    labels: Volume
    record: Mapping[str, Any]


def fill_folder(
    cases: Sequence[C],
    output: Path,
    make: Callable[[C], Made],
    key: Callable[[C], str],
    jobs: int = 1,
    uses: Mapping[str, str] | None = None,
    say: Callable[[str], None] | None = None,
) -> int:
    """Write ``images``, ``labels``, ``records`` and ``datalist.json``; skip what is there.

    Args:
        cases: what to make, in this order.
        output: the folder; made where it is missing.
        make: makes one; it can be pickled.
        key: what decides a case's voxels; a case that lies there with the same key is skipped.
        jobs: processes, each on one thread.
        uses: training, validation or test by patient, for good.
        say: told about each case.

    Returns:
        The number of cases made now.

    Raises:
        UserError: the folder cannot be made or written to, or ``make`` says so. After a `NotDrawn`
            the other cases are made first.
    """
    say, uses = say or (lambda line: None), uses or {}
    for name in (*_FOLDERS, "records"):
        make_folder(output / name)
    waiting = [case for case in cases if not is_there(case.stem, key(case), output)]
    say(f"{len(cases)} cases, {len(cases) - len(waiting)} already there")
    work = in_processes(partial(_write, output=output, make=make, key=key), waiting, jobs)
    failed: list[str] = []
    for number, (case, (seconds, problem)) in enumerate(zip(waiting, work, strict=True), start=1):
        _write_datalist(output, uses)
        failed += [problem] if problem else []
        took = problem or f"at {case.center} in {seconds:.0f} s"
        say(f"{number}/{len(waiting)} {case.stem} {took}")
    _write_datalist(output, uses)
    if failed:
        raise UserError(f"{len(failed)} of {len(cases)} cases could not be made. {failed[0]}")
    return len(waiting)


def print_line(line: str) -> None:
    """Say something to who waits."""
    print(line, file=sys.stderr, flush=True)


def is_there(stem: str, key: str, output: Path) -> bool:
    """Whether a case lies in the folder, made from what its key says."""
    record = _read_record(output, stem)
    return record is not None and record["key"] == key


def _write(
    case: C, output: Path, make: Callable[[C], Made], key: Callable[[C], str]
) -> tuple[float, str]:
    """Make one case and write it; the record comes last. Seconds, and why it could not be made."""
    start = time.monotonic()
    try:
        made = make(case)
    except NotDrawn as error:
        return time.monotonic() - start, str(error)
    write_volume(made.image, output / "images" / f"{case.stem}.nrrd")
    write_labels(made.labels, output / "labels" / f"{case.stem}.nrrd")
    named = {"patient": case.patient, "center": case.center, "key": key(case)}
    write_json({**named, **made.record}, output / "records" / f"{case.stem}.json")
    return time.monotonic() - start, ""


def _read_record(output: Path, stem: str) -> dict[str, Any] | None:
    """A finished case's record; None where it or a file that it speaks of is missing."""
    record = read_table(output / "records" / f"{stem}.json") or {}
    files = [output / name / f"{stem}.nrrd" for name in _FOLDERS]
    told = {"key", "patient", "center"} <= set(record)
    return record if told and all(file.is_file() for file in files) else None


def _write_datalist(output: Path, uses: Mapping[str, str]) -> None:
    """List every finished case of the folder, also those of earlier runs, and keep their use."""
    destination = output / "datalist.json"
    uses = _uses(destination) | dict(uses)
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

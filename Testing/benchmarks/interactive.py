"""What clicks of simulated users are worth on labeled aneurysms, and what each costs.

    python Testing/benchmarks/interactive.py cases/datalist.json [--teacher default] [--use test]

Every aneurysm of the reference is segmented by itself. After 0 clicks: the part of the automatic
answer that touches it. Then a user clicks into it (``gsema_core.clicks.first_click``: in the
middle, anywhere, near the wall, up to 2 mm beside it) and up to four times more at the deepest
point of the largest error (``next_click``). Two ways to answer are compared: with clicks, where
the teacher knows them, and by looking up what the same teacher says without them.

- Dice: with that one aneurysm of the reference, on the scan's own grid.
- missed: nothing was found, or nothing of it.
- neck error: of the neck width in mm, of those whose neck can be measured in both.
- seconds: of the whole answer with its neck, by the clock and on the processor (``--threads``).

Each case writes ``FOLDER/NAME.json`` and is skipped if that is there, so that the run can be
interrupted; ``interactive.json`` and ``interactive.md`` sum up. Intervals (95 %) are over patients.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from gsema_core.clicks import first_click, next_click
from gsema_core.datasets import Case, choose_cases, find_cases
from gsema_core.datasets.case_files import read_case
from gsema_core.errors import UserError
from gsema_core.evaluation.size_classes import SIZE_CLASSES
from gsema_core.evaluation.statistics import summarize
from gsema_core.grids import Geometry
from gsema_core.inference import PreparedScan, SegmentationSettings, Segmenter
from gsema_core.labels import ANEURYSM
from gsema_core.measurements import aneurysm_numbers, measure_aneurysms
from gsema_core.teachers import find_teacher, load_teacher
from gsema_core.text_tables import markdown_table

KINDS = ("middle", "anywhere", "near_wall", "beside")
CLICKS = (1, 2, 3, 5)
SEED = 19
Record = dict[str, Any]


class Lookup(Segmenter):
    """A teacher that is not told of clicks: its automatic answer is looked up."""

    _click_width = 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("datalist", type=Path)
    parser.add_argument("--teacher", default="default")
    parser.add_argument("--use", default="test")
    parser.add_argument("--folder", type=Path, default=Path("interactive"))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--kinds", nargs="+", default=KINDS, choices=KINDS)
    parser.add_argument("--every", type=int, default=1, help="only every so many of the cases")
    arguments = parser.parse_args()
    cases = choose_cases(find_cases(arguments.datalist), use=arguments.use)[:: arguments.every]
    teacher = load_teacher(find_teacher(arguments.teacher))
    ways: dict[str, Segmenter] = {"lookup": Lookup(teacher)}
    if teacher.network.config.takes_clicks:
        ways["clicks"] = Segmenter(teacher)
    settings = SegmentationSettings(threads=arguments.threads)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    records: list[Record] = []
    for number, case in enumerate(cases, start=1):
        path = arguments.folder / f"{number:03d}-{case.image.name.split('.')[0]}.json"
        if not path.exists():
            started = time.perf_counter()
            done = list(case_records(case, ways, settings, arguments.kinds))
            path.write_text(json.dumps(done, indent=1) + "\n")
            print(f"{path.stem}: {time.perf_counter() - started:.0f} s", flush=True)
        records += json.loads(path.read_text())
    rows = table(records)
    summary = {"teacher": teacher.card.name, "cases": len(cases), "rows": rows}
    (arguments.folder / "interactive.json").write_text(json.dumps(summary, indent=1) + "\n")
    page = markdown_table(rows)
    (arguments.folder / "interactive.md").write_text(page + "\n")
    print(page)


def case_records(
    case: Case, ways: dict[str, Segmenter], settings: SegmentationSettings, kinds: list[str]
) -> Iterator[Record]:
    """A record for each aneurysm, way, kind of first click and number of clicks."""
    scan, reference = read_case(case)
    segmenter = ways["lookup"]
    prepared = segmenter.prepare(scan)
    automatic = segmenter.segment(prepared, settings)
    numbers = aneurysm_numbers(automatic.labels)
    necks = {one.index: one.neck_width_mm for one in automatic.aneurysms}
    true_numbers = aneurysm_numbers(reference)
    for aneurysm in measure_aneurysms(reference):
        truth = Truth(true_numbers == aneurysm.index, scan.geometry, aneurysm.neck_width_mm)
        common: Record = {
            "case": case.image.name,
            "patient": case.patient,
            "aneurysm": aneurysm.index,
            "diameter_mm": round(aneurysm.largest_diameter_mm, 2),
        }
        touching = [int(n) for n in np.unique(numbers[truth.mask]) if n]
        found = np.isin(numbers, touching) & (numbers > 0)
        width = necks[touching[0]] if len(touching) == 1 else None
        scores = truth.scores(found, width)
        yield {**common, "way": "automatic", "kind": "none", "clicks": 0, **scores}
        for way, one in ways.items():
            for kind in kinds:
                for record in session(one, prepared, truth, settings, kind):
                    yield {**common, "way": way, "kind": kind, **record}


class Truth:
    """One aneurysm of a reference, on the scan's grid."""

    def __init__(self, mask: Any, geometry: Geometry, neck_mm: float | None) -> None:
        self.mask, self.geometry, self.neck_mm = mask, geometry, neck_mm
        self.spacing = geometry.spacing[::-1]

    def scores(self, found: Any, neck_mm: float | None) -> Record:
        """How an answer compares."""
        shared = int((found & self.mask).sum())
        both = self.neck_mm is not None and neck_mm is not None
        return {
            "dice": round(2 * shared / int(found.sum() + self.mask.sum()), 4),
            "missed": shared == 0,
            "neck_error_mm": round(abs(neck_mm - self.neck_mm), 3) if both else None,  # type: ignore[operator]
            "neck_measurable": self.neck_mm is not None,
        }

    def world(self, voxel: Any) -> tuple[float, float, float]:
        x, y, z = (float(mm) for mm in self.geometry.index_to_world(np.asarray(voxel)[::-1]))
        return x, y, z


def session(
    segmenter: Segmenter,
    scan: PreparedScan,
    truth: Truth,
    settings: SegmentationSettings,
    kind: str,
) -> Iterator[Record]:
    """A user's clicks on one aneurysm, and a record of the answer after some of them."""
    rng = np.random.default_rng([SEED, KINDS.index(kind), int(truth.mask.sum())])
    inside = [truth.world(first_click(truth.mask, truth.spacing, rng, kind))]
    outside: list[tuple[float, float, float]] = []
    record: Record = {}
    for count in range(1, CLICKS[-1] + 1):
        started = time.perf_counter(), time.process_time()
        try:
            result = segmenter.segment_at_points(scan, inside, outside, settings)
        except UserError:  # the same voxel clicked both ways: the answer stays
            pass
        else:
            seconds = time.perf_counter() - started[0], time.process_time() - started[1]
            found = np.zeros(truth.mask.shape, dtype=bool)
            width = None
            if result.found is not None:
                found[result.found.box] = result.found.labels.array == ANEURYSM
                width = result.found.measurements.neck_width_mm
            record = {
                **truth.scores(found, width),
                "windows": result.windows,
                "seconds": round(seconds[0], 3),
                "processor_seconds": round(seconds[1], 3),
                "window_seconds": result.report["seconds"]["windows"],
                "notes": list(result.notes),
            }
        if count in CLICKS:
            yield {"clicks": count, **record}
        click = next_click(found, truth.mask, truth.spacing)
        if click is not None:
            (inside if click.inside else outside).append(truth.world(click.point))


def table(records: list[Record]) -> list[Record]:
    """A row for each size, way and number of clicks, and after one click for each kind, too."""
    rows = []
    for size, (low, high) in {"all": (0.0, np.inf), **SIZE_CLASSES}.items():
        own = [one for one in records if low <= one["diameter_mm"] < high]
        for way in ("automatic", "lookup", "clicks"):
            for count in (0, *CLICKS):
                chosen = [one for one in own if (one["way"], one["clicks"]) == (way, count)]
                rows += [row(size, way, count, "all", chosen)] if chosen else []
                for kind in KINDS if size == "all" and count == 1 else ():
                    part = [one for one in chosen if one["kind"] == kind]
                    rows += [row(size, way, count, kind, part)] if part else []
    return rows


def row(size: str, way: str, count: int, kind: str, chosen: list[Record]) -> Record:
    patients = [one["patient"] for one in chosen]

    def mean(name: str, digits: int = 3) -> str:
        values = [np.nan if one[name] is None else float(one[name]) for one in chosen]
        one = summarize(values, patients)
        if not one.count:
            return "-"
        text = f"{one.mean:.{digits}f}"
        if np.isnan(one.interval_low):  # of a single patient
            return text
        return f"{text} [{one.interval_low:.{digits}f}, {one.interval_high:.{digits}f}]"

    def median(name: str) -> str:
        values = [one[name] for one in chosen if name in one]
        return f"{statistics.median(values):.2f}" if values else "-"

    errors = [one["neck_error_mm"] for one in chosen if one["neck_error_mm"] is not None]
    return {
        "size": size,
        "answer": way,
        "clicks": count,
        "first click": kind,
        "aneurysms": len({(one["case"], one["aneurysm"]) for one in chosen}),
        "Dice": mean("dice"),
        "missed": mean("missed"),
        "neck error (mm)": mean("neck_error_mm", 2),
        "necks": f"{len(errors)} of {sum(one['neck_measurable'] for one in chosen)}",
        "seconds": median("seconds"),
        "processor seconds": median("processor_seconds"),
        "window seconds": median("window_seconds"),
    }


if __name__ == "__main__":
    main()

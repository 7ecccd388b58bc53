"""What scans look like, and what is said of those that do not look like a teacher's training scans.

    python Testing/benchmarks/appearance.py ranges DATALIST... [--use training] [--write FILE]
    python Testing/benchmarks/appearance.py scans DATALIST... [--use test]
    python Testing/benchmarks/appearance.py kinds MANIFEST [--patients 2,149] [--segment]

``ranges`` prints the lowest and highest of each number over the scans, which ``--write`` puts on
the card of a copy of the teacher, weights unchanged. ``scans`` counts the notes and refusals for
simulated angiographies, which are false alarms. ``kinds`` images the label maps of a manifest
(whole heads need label maps of whole trees) as what is no angiography (``no_angiography.py``) and
counts likewise; ``--segment`` also counts the aneurysms that a user would be shown.
"""

from __future__ import annotations

import argparse
import dataclasses
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from no_angiography import KINDS

from gsema_core.datasets import Case, choose_cases, find_cases
from gsema_core.errors import UserError
from gsema_core.evaluation.teacher_score import write_with_card
from gsema_core.files import read_labels, read_volume
from gsema_core.grids import Volume
from gsema_core.inference import SegmentationSettings
from gsema_core.inference.opening import load_segmenter
from gsema_core.inference.preparing import doubts, prepare_scan
from gsema_core.intensities.appearance_ranges import NAMES, Appearance, AppearanceRanges
from gsema_core.simulation.manifest import read_manifest, select
from gsema_core.teachers import TeacherCard, find_teacher, read_card
from gsema_core.text_tables import markdown_table


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", choices=("ranges", "scans", "kinds"))
    parser.add_argument("lists", type=Path, nargs="+")
    parser.add_argument("--use", default="")
    parser.add_argument("--teacher", default="default")
    parser.add_argument("--write", type=Path)
    parser.add_argument("--patients", default="")
    parser.add_argument("--kinds", default="", help="only those whose name begins so")
    parser.add_argument("--segment", action="store_true")
    arguments = parser.parse_args()
    if arguments.what == "ranges":
        ranges(arguments)
    elif arguments.what == "scans":
        scans(arguments)
    else:
        kinds(arguments)


def ranges(arguments: argparse.Namespace) -> None:
    card = read_card(find_teacher(arguments.teacher))
    found = AppearanceRanges.of(
        [_appearance(read_volume(c.image), card) for c in _cases(arguments)]
    )
    if found is None:
        raise UserError("There are no such scans.")
    _print_ranges(found)
    if arguments.write:
        new = dataclasses.replace(card, appearance=found)
        write_with_card(find_teacher(arguments.teacher), new, arguments.write)


def scans(arguments: argparse.Namespace) -> None:
    card = read_card(find_teacher(arguments.teacher))
    counts: Counter[str] = Counter()
    appearances = []
    for case in _cases(arguments):
        volume = read_volume(case.image)
        state, told = _judged(volume, card)
        counts[state] += 1
        appearances.append(_appearance(volume, card))
        if told:
            print(f"{case.image.name}: {told}", flush=True)
    found = AppearanceRanges.of(appearances)
    assert found is not None
    _print_ranges(found)
    print(dict(counts))


def kinds(arguments: argparse.Namespace) -> None:
    card = read_card(find_teacher(arguments.teacher))
    segmenter = load_segmenter(arguments.teacher, "cpu") if arguments.segment else None
    labels = [
        (case.patient, read_labels(case.label_path))
        for path in arguments.lists
        for case in select(read_manifest(path), patients=_names(arguments.patients))
        if case.label_path is not None
    ]
    rows = []
    for kind, make in KINDS.items():
        if not kind.startswith(arguments.kinds):
            continue
        counts: Counter[str] = Counter()
        aneurysms, example = 0, ""
        for patient, label_map in labels:
            volume = make(
                label_map, np.random.default_rng(zlib.crc32(f"{kind}/{patient}".encode()))
            )
            state, told = _judged(volume, card)
            counts[state] += 1
            example = example or told
            if segmenter is not None and state != "refused":
                settings = SegmentationSettings(threads=1)
                aneurysms += len(segmenter.segment(volume, settings).aneurysms)
        row = {"kind": kind, **{state: counts[state] for state in ("refused", "noted", "passed")}}
        rows.append({**row, "aneurysms": aneurysms} if segmenter is not None else row)
        print(f"{kind}: {example}", flush=True)
    print(markdown_table(rows))


def _judged(volume: Volume, card: TeacherCard) -> tuple[str, str]:
    """refused, noted or passed; and the sentence."""
    try:
        notes = doubts(prepare_scan(volume, card), card)
    except UserError as error:
        return "refused", str(error)
    return ("noted", notes[0]) if notes else ("passed", "")


def _appearance(volume: Volume, card: TeacherCard) -> Appearance:
    appearance = prepare_scan(volume, card).appearance
    assert appearance is not None
    return appearance


def _cases(arguments: argparse.Namespace) -> Iterator[Case]:
    for path in arguments.lists:
        yield from choose_cases(find_cases(path), use=arguments.use)


def _names(text: str) -> list[str]:
    return [name for name in text.split(",") if name]


def _print_ranges(found: AppearanceRanges) -> None:
    rows = [
        {"number": name, "lowest": low, "highest": high}
        for name in NAMES
        for low, high in [getattr(found, name)]
    ]
    print(f"{found.scans} scans\n\n{markdown_table(rows)}")


if __name__ == "__main__":
    main()

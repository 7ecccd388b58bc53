"""``gsema teacher compare``: whether a new teacher is better than the one it started from."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from gsema_core.commands.arguments import (
    DATALIST,
    add_case_choice,
    add_computing,
    check_cases,
    say,
    watched,
)

if TYPE_CHECKING:
    from gsema_core.datasets import Case
    from gsema_core.evaluation.cases import CaseScore
    from gsema_core.inference.settings import SegmentationSettings

HELP = "segment the same labelled scans with two teachers and say which is better"
DESCRIPTION = (
    "Segment labelled scans as gsema segment does, with the teacher that training started from "
    "and with the one that came out, and report both case by case and in sum. The verdict is on "
    "the aneurysm Dice, each patient's cases averaged; from 6 patients on it is that of a paired "
    "Wilcoxon test at 5 %. Use cases that neither teacher was trained on. The report numbers the "
    "cases by their place in the list and names no patient."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("start", metavar="START", help="default, NAME or FILE: the first teacher")
    parser.add_argument("new", metavar="NEW", help="default, NAME or FILE: the new one")
    parser.add_argument("datalist", metavar="DATALIST", type=Path, help=DATALIST)
    add_case_choice(parser)
    parser.add_argument(
        "--also",
        metavar="DATALIST2",
        type=Path,
        help="cases of the kind that START was trained on, to see what NEW has forgotten; --use "
        "counts here too, where a case of the list has it",
    )
    parser.add_argument(
        "--output", metavar="REPORT.json", type=Path, required=True, help="the comparison"
    )
    parser.add_argument(
        "--table", metavar="REPORT.md", type=Path, help="also write Markdown tables"
    )
    add_computing(parser)


def run(arguments: argparse.Namespace) -> int:
    from gsema_core.datasets import choose_cases, find_cases
    from gsema_core.evaluation import Compared, compare_teachers, comparison_page
    from gsema_core.files import text_files
    from gsema_core.inference.settings import SegmentationSettings
    from gsema_core.machine.device_names import check_device_name
    from gsema_core.teachers import find_teacher, read_card
    from gsema_core.teachers.teacher_file import file_hash

    check_device_name(arguments.device)
    settings = SegmentationSettings(threads=arguments.threads)
    text_files.check_destinations((arguments.output, ".json"), (arguments.table, ".md"))
    files = {name: find_teacher(getattr(arguments, name)) for name in ("start", "new")}
    teachers = {
        name: {"name": read_card(file).name, "sha256": file_hash(file)}
        for name, file in files.items()
    }
    listed = find_cases(arguments.datalist, tell=say)
    cases = choose_cases(listed, arguments.centers, arguments.patients, arguments.use)
    also = find_cases(arguments.also, tell=say) if arguments.also else []
    if any(case.use == arguments.use for case in also):
        also = choose_cases(also, use=arguments.use)
    (start, new), suspicions = _score(files, [*cases, *also], arguments, settings)
    count, numbers = len(cases), [listed.index(case) + 1 for case in cases]
    held_out = Compared(numbers, cases, start[:count], new[:count])
    replay = Compared(range(1, len(also) + 1), also, start[count:], new[count:]) if also else None
    report = {"teachers": teachers, **compare_teachers(held_out, replay)}
    report["warnings"] += suspicions
    text_files.write_json(report, arguments.output)
    page = comparison_page(report)
    if arguments.table is not None:
        text_files.write_text(page, arguments.table)
    print(page, end="")
    return 0


def _score(
    files: dict[str, Path],
    cases: list[Case],
    arguments: argparse.Namespace,
    settings: SegmentationSettings,
) -> tuple[list[list[CaseScore]], list[str]]:
    """The scores of each teacher, which are loaded one after the other; what labels look wrong."""
    from gsema_core.evaluation import score_teacher
    from gsema_core.files.label_maps import dropped_were_told
    from gsema_core.inference.opening import load_segmenter

    scores: list[list[CaseScore]] = []
    with watched() as watch, dropped_were_told():
        suspicions = check_cases(cases, watch)
        line = watch["progress"]
        for name, file in files.items():
            segmenter = load_segmenter(file, arguments.device, arguments.network)
            watch["progress"] = _half(line, name, len(scores))
            scores.append(score_teacher(segmenter, cases, settings, **watch))
    return scores, suspicions


def _half(line: Callable[[float, str], None], name: str, done: int) -> Callable[[float, str], None]:
    return lambda fraction, text: line((done + fraction) / 2, f"{name}: {text}")

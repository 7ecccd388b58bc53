"""``gsema teacher score``: how good a teacher is, written onto its card."""

from __future__ import annotations

import argparse
from pathlib import Path

from gsema_core.commands.arguments import (
    DATALIST,
    add_case_choice,
    add_computing,
    check_cases,
    say,
    watched,
)

HELP = "segment labelled scans and write a copy of the teacher with its scores"
DESCRIPTION = (
    "Segment labelled scans as gsema segment does, score them on their own grids and write a copy "
    "of the teacher whose card holds the scores. Cases and patients are numbered in the list's "
    "order and never named."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("teacher", metavar="default|NAME|FILE", help="which teacher")
    parser.add_argument("datalist", metavar="DATALIST", type=Path, help=DATALIST)
    parser.add_argument(
        "--output",
        metavar="SCORED.safetensors",
        type=Path,
        required=True,
        help="the copy with the scores",
    )
    add_case_choice(parser)
    parser.add_argument("--table", metavar="FILE.md", type=Path, help="also write Markdown tables")
    parser.add_argument("--csv", metavar="FILE.csv", type=Path, help="also write one row a case")
    parser.add_argument(
        "--simulated", action="store_true", help="say on the card that the images are simulated"
    )
    add_computing(parser)


def run(arguments: argparse.Namespace) -> int:
    from gsema_core.datasets import choose_cases, find_cases
    from gsema_core.evaluation import score_tables, score_teacher, teacher_score
    from gsema_core.files import text_files
    from gsema_core.files.label_maps import dropped_were_told
    from gsema_core.inference.opening import load_segmenter
    from gsema_core.inference.settings import SegmentationSettings
    from gsema_core.machine.device_names import check_device_name
    from gsema_core.teachers import find_teacher, read_card
    from gsema_core.teachers.teacher_file import SUFFIX

    check_device_name(arguments.device)
    settings = SegmentationSettings(threads=arguments.threads)
    text_files.check_destinations(
        (arguments.output, SUFFIX), (arguments.table, ".md"), (arguments.csv, ".csv")
    )
    source = find_teacher(arguments.teacher)
    card = read_card(source)  # a wrong file is told before anything takes time
    chosen = arguments.centers, arguments.patients, arguments.use
    cases = choose_cases(find_cases(arguments.datalist, tell=say), *chosen)
    with watched() as watch, dropped_were_told():
        check_cases(cases, watch)
        segmenter = load_segmenter(source, arguments.device, arguments.network)
        scores = score_teacher(segmenter, cases, settings, **watch)
    card = teacher_score.scored_card(card, scores, settings, simulated=arguments.simulated)
    if arguments.csv is not None:
        text_files.write_csv([score_tables.case_row(score) for score in scores], arguments.csv)
    page = score_tables.score_page(card.metrics[teacher_score.METRICS_KEY])
    if arguments.table is not None:
        text_files.write_text(page, arguments.table)
    teacher_score.write_with_card(source, card, arguments.output)
    print(page)
    return 0

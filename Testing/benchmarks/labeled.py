"""What benchmarks of a teacher on labeled cases are told on their command lines."""

from __future__ import annotations

import argparse
from pathlib import Path

from gsema_core.datasets import Case, choose_cases, find_cases
from gsema_core.inference import Segmenter
from gsema_core.teachers import find_teacher, load_teacher


def teacher_and_cases(doc: str | None) -> tuple[Segmenter, list[Case]]:
    """The teacher and the cases that the command line names; ``doc`` is the script's."""
    parser = argparse.ArgumentParser(description=(doc or "").splitlines()[0])
    parser.add_argument("teacher")
    parser.add_argument("datalist", type=Path)
    parser.add_argument("--use", default="validation")
    parser.add_argument("--every", type=int, default=1, help="only every so many of the cases")
    arguments = parser.parse_args()
    cases = choose_cases(find_cases(arguments.datalist), use=arguments.use)[:: arguments.every]
    return Segmenter(load_teacher(find_teacher(arguments.teacher))), cases

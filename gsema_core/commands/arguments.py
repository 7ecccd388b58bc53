"""What several commands take."""

from __future__ import annotations

import argparse

DATALIST = "JSON list of the cases, or a folder of them as gsema cases takes it"


def names(text: str) -> list[str]:
    """Names between commas."""
    return [name.strip() for name in text.split(",") if name.strip()]


def add_case_choice(parser: argparse.ArgumentParser) -> None:
    """Options that choose cases of a list, for ``choose_cases``."""
    parser.add_argument(
        "--centers", metavar="C,D", type=names, default=[], help="only cases of these centers"
    )
    parser.add_argument(
        "--patients", metavar="P,Q", type=names, default=[], help="only cases of these patients"
    )
    parser.add_argument(
        "--use",
        choices=("training", "validation", "test"),
        default="",
        help="only cases that the list marks for this use",
    )


def add_computing(parser: argparse.ArgumentParser) -> None:
    """On what a network runs."""
    parser.add_argument(
        "--device", default="auto", help="auto, cpu, cuda or cuda:N (default: %(default)s)"
    )
    parser.add_argument(
        "--threads", metavar="N", type=int, help="CPU threads (default: one per core)"
    )

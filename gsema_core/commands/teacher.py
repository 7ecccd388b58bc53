"""``gsema teacher``: what teachers there are and what they say about themselves."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from gsema_core.commands import teacher_compare, teacher_score

HELP = "Show, list, add, remove, score or compare teachers (trained networks)."
MOST_ROWS = 12
"""Longer tables are shown on demand: a screen of a card should hold the card. Our choice."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    info = actions.add_parser("info", help="show a teacher's card")
    info.add_argument("teacher", metavar="default|NAME|FILE", help="which teacher")
    info.add_argument("--json", action="store_true", help="as JSON")
    info.add_argument("--cases", action="store_true", help="every row of long tables")
    actions.add_parser("list", help="list the bundled and the added teachers")
    add = actions.add_parser("add", help="copy a teacher file to the added ones")
    add.add_argument("file", metavar="FILE", type=Path, help="teacher.safetensors of a training")
    remove = actions.add_parser("remove", help="delete an added teacher")
    remove.add_argument("name", metavar="NAME", help="as gsema teacher list has it")
    score = actions.add_parser(
        "score", help=teacher_score.HELP, description=teacher_score.DESCRIPTION
    )
    teacher_score.add_arguments(score)
    compare = actions.add_parser(
        "compare", help=teacher_compare.HELP, description=teacher_compare.DESCRIPTION
    )
    teacher_compare.add_arguments(compare)


def run(arguments: argparse.Namespace) -> int:
    from gsema_core.teachers import add_teacher, remove_teacher

    if arguments.action == "info":
        _show(arguments.teacher, arguments.json, arguments.cases)
    elif arguments.action == "list":
        _list()
    elif arguments.action == "score":
        return teacher_score.run(arguments)
    elif arguments.action == "compare":
        return teacher_compare.run(arguments)
    elif arguments.action == "add":
        added = add_teacher(arguments.file)
        print(f"Added {added.name}: use it with --teacher {json.dumps(added.name)}.")
    else:
        remove_teacher(arguments.name)
        print(f"Removed {arguments.name}.")
    return 0


def _show(teacher: str, as_json: bool, all_rows: bool) -> None:
    from gsema_core.evaluation.score_tables import text_lines, with_intervals_said
    from gsema_core.teachers import find_teacher, read_card
    from gsema_core.teachers.teacher_file import file_hash

    path = find_teacher(teacher)
    content = {**read_card(path).to_dict(), "sha256": file_hash(path), "file": str(path)}
    if as_json:
        print(json.dumps(content, indent=2))
    else:
        content["metrics"] = with_intervals_said(content["metrics"])
        content["appearance"] = {  # ranges, but for the number of scans
            name: " to ".join(map(str, value)) if isinstance(value, list) else value
            for name, value in (content["appearance"] or {}).items()
        }
        lines = text_lines(content, None if all_rows else MOST_ROWS)
        print("\n".join(lines))


def _list() -> None:
    from gsema_core.teachers import list_teachers

    teachers = list_teachers()
    if not teachers:
        print("There is no teacher yet: add one with gsema teacher add FILE.")
    for teacher in teachers:
        if teacher.card is None:
            print(f"{teacher.name:24}  {teacher.problem}")
        else:
            network, spacing = teacher.card.network_config(), teacher.card.spacing_mm
            clicks = ", takes clicks" if network.takes_clicks else ""
            print(f"{teacher.name:24}  {teacher.card.name}: {network.kind}, {spacing:g} mm{clicks}")

"""``gsema teacher``: what teachers there are and what they say about themselves."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HELP = "Show, list, add or remove teachers (trained networks)."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    info = actions.add_parser("info", help="show a teacher's card")
    info.add_argument("teacher", metavar="default|NAME|FILE")
    info.add_argument("--json", action="store_true", help="as JSON")
    actions.add_parser("list", help="list the bundled and the added teachers")
    add = actions.add_parser("add", help="copy a teacher file to the added ones")
    add.add_argument("file", metavar="FILE", type=Path)
    remove = actions.add_parser("remove", help="delete an added teacher")
    remove.add_argument("name", metavar="NAME")


def run(arguments: argparse.Namespace) -> int:
    from gsema_core.teachers import add_teacher, remove_teacher

    if arguments.action == "info":
        _show(arguments.teacher, arguments.json)
    elif arguments.action == "list":
        _list()
    elif arguments.action == "add":
        added = add_teacher(arguments.file)
        print(f"Added {added.name}: use it with --teacher {json.dumps(added.name)}.")
    else:
        remove_teacher(arguments.name)
        print(f"Removed {arguments.name}.")
    return 0


def _show(teacher: str, as_json: bool) -> None:
    from gsema_core.teachers import find_teacher, read_card
    from gsema_core.teachers.teacher_file import file_hash

    path = find_teacher(teacher)
    content = {**read_card(path).to_dict(), "sha256": file_hash(path), "file": str(path)}
    if as_json:
        print(json.dumps(content, indent=2, ensure_ascii=False))
    else:
        print("\n".join(card_lines(content)))


def _list() -> None:
    from gsema_core.teachers import list_teachers

    teachers = list_teachers()
    if not teachers:
        print("There is no teacher yet: add one with gsema teacher add FILE.")
    for teacher in teachers:
        if teacher.card is None:
            print(f"{teacher.name:24}  {teacher.problem}")
        else:
            kind, spacing = teacher.card.network["kind"], teacher.card.spacing_mm
            print(f"{teacher.name:24}  {teacher.card.name}: {kind}, {spacing:g} mm")


def card_lines(values: dict[str, Any], indent: str = "") -> Iterator[str]:
    """A table of tables as indented lines, for people."""
    for key, value in values.items():
        title = indent + key.replace("_", " ")
        if isinstance(value, dict) and value:
            yield title
            yield from card_lines(value, indent + "  ")
        elif isinstance(value, list):
            yield f"{title}: {', '.join(map(str, value))}"
        else:
            yield f"{title}: {value if value not in ({}, None) else '-'}"

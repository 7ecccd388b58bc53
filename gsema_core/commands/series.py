"""``gsema series``: what DICOM series a study has, and which of them are volumes."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from gsema_core.errors import UserError

HELP = "List the DICOM series of a study, to choose one with gsema segment --series."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="searched with its subfolders")
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(arguments: argparse.Namespace) -> int:
    from gsema_core.files.reading import list_series
    from gsema_core.text_tables import text_table

    if not arguments.folder.exists():
        raise UserError(f"The folder {arguments.folder} does not exist: check the path.")
    rows = list_series(arguments.folder)
    if arguments.json:
        print(json.dumps(rows, indent=2))
    else:
        print("\n".join(text_table(rows)))
    return 0
